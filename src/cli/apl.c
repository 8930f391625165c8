/* aplaca apl: a session, a script, an expression, a file of tests. */
#include "cli/command.h"
#include "cli/test_file.h"

#include "base/text.h"
#include "lang/session.h"
#include "prim/format/format.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: aplaca apl [FILE.apl [ARGUMENTS]]\n"
    "       aplaca apl -e EXPRESSION [-e ...] [ARGUMENTS]\n"
    "       aplaca apl --test FILE_test.apl\n"
    "\n"
    "Without a file, a session; with input from a pipe, its lines. ⎕ARG holds the ARGUMENTS.\n";

static AplSession *interrupted_session;
static void interrupt(int signal_number) {
    (void)signal_number;
    if (interrupted_session) interrupted_session->env.interrupted = 1;
}

static AplErr read_stream(const char *path, FILE *stream, AplText *text) {
    char buffer[1 << 14];
    size_t count;
    while ((count = fread(buffer, 1, sizeof buffer, stream)) > 0) apli_text_append(text, buffer, count);
    FAIL_IF(ferror(stream), APL_FILE_ACCESS, "%s cannot be read", path);
    return apli_text_status(text);
}

static AplErr set_arguments(AplSession *session, int count, char **arguments) {
    TRY(apli_vector_new(APLI_NESTED, count, &session->arguments));
    if (count == 0) return apli_string("", 0, &apli_items(session->arguments)[0]);
    for (int i = 0; i < count; i++) TRY(apli_string(arguments[i], strlen(arguments[i]), &apli_items(session->arguments)[i]));
    return APL_OK;
}

static int run_text(AplSession *session, const char *name, const char *text, size_t length) {
    if (apli_session_execute(session, name, text, length, true, NULL) == APL_OK) return 0;
    fflush(stdout);
    fputs(apli_text_string(&session->report), stderr);
    return 1;
}

static int run_file(AplSession *session, const char *path) {
    FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
    if (!stream) {
        fprintf(stderr, "aplaca: FILE NAME ERROR: %s cannot be opened\n", path);
        return 1;
    }
    APLI_AUTO_TEXT text = {0};
    AplErr error = read_stream(path, stream, &text);
    if (stream != stdin) fclose(stream);
    if (error) return apli_complain(error);
    return run_text(session, path, apli_text_string(&text), text.length);
}

int command_apl(int count, char **arguments) {
    AplSession *session;
    if (count > 1 && (strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0)) {
        fputs(usage, stdout);
        return 0;
    }
    if (count > 1 && strcmp(arguments[1], "--test") == 0)
        return count == 3 ? apli_test_file(arguments[2]) : apli_complain_usage("apl", "--test takes one file");
    AplErr error = apli_session_new(&session);
    if (error) return apli_complain(error);
    interrupted_session = session;
    signal(SIGINT, interrupt);
    int first = 1, status = 0;
    while (first + 1 < count && strcmp(arguments[first], "-e") == 0) first += 2;
    bool expressions = first > 1;
    const char *file = !expressions && first < count ? arguments[first++] : NULL;
    error = set_arguments(session, count - first, arguments + first);
    if (error) {
        status = apli_complain(error);
    } else if (expressions) {
        for (int i = 1; i < first && !status; i += 2) status = run_text(session, NULL, arguments[i + 1], strlen(arguments[i + 1]));
    } else {
        status = run_file(session, file ? file : "-");
    }
    interrupted_session = NULL;
    apli_session_free(session);
    return status;
}
