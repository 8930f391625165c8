/* aplaca apl: a session on a terminal, a script, expressions, a file of tests. */
#include "cli/apl_session.h"
#include "cli/command.h"
#include "cli/test_file.h"

#include "base/text.h"
#include "generate/engine.h"
#include "os/limits.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: aplaca apl [OPTIONS] [FILE.apl [ARGUMENTS]]\n"
    "       aplaca apl [OPTIONS] -e EXPRESSION [-e ...] [ARGUMENTS]\n"
    "       aplaca apl --test FILE_test.apl\n"
    "\n"
    "Without a file: a session on a terminal, otherwise the lines of standard input (also the file '-').\n"
    "A file may begin with #!/usr/bin/env -S aplaca apl. ⎕ARG holds the ARGUMENTS.\n"
    "\n"
    "  -e EXPRESSION   runs the expression and shows its value\n"
    "  --model FILE    the workspace begins with the arrays of a GGUF file and the functions that compute it\n"
    "  --exact         products with a model's weights take their left argument in f32, not rounded to 8 bits\n"
    "  --no-fused      runs every function as its APL says, without kernels that do the same faster\n"
    "  --memory SIZE   what arrays may occupy, as 800M or 2.5G; otherwise nine tenths of what the machine has\n"
    "  --test FILE     runs a file of expected results, and tells what differs\n"
    "  -h, --help      this text\n"
    "\n"
    "In a session, )HELP lists its commands and the keys for APL characters.\n"
    "The exit status is 0, 1 after an error, 2 for a wrong command line, 130 after Ctrl-C.\n";

enum { STATUS_INTERRUPTED = 130 };

/* ---- Ctrl-C --------------------------------------------------------------------------------------------------- */

static AplSession *interrupted_session;
static pthread_t session_thread;

/* The computation asks for the flag at its next check; a read that waits in the session's thread ends. */
static void interrupt(int signal_number) {
    int saved = errno;
    AplSession *session = interrupted_session;
    if (session) session->env.interrupted = 1;
    if (session && !pthread_equal(pthread_self(), session_thread)) pthread_kill(session_thread, signal_number);
    errno = saved;
}

static void catch_interrupts(AplSession *session) {
    struct sigaction action = {.sa_handler = interrupt}; /* without SA_RESTART */
    session_thread = pthread_self();
    interrupted_session = session;
    sigaction(SIGINT, &action, NULL);
}

static void ignore_interrupts(void) {
    signal(SIGINT, SIG_IGN);
    interrupted_session = NULL;
}

/* ---- scripts ---------------------------------------------------------------------------------------------------- */

static AplErr read_stream(const char *path, FILE *stream, AplText *text) {
    char buffer[1 << 14];
    size_t count;
    while ((count = fread(buffer, 1, sizeof buffer, stream)) > 0) apli_text_append(text, buffer, count);
    FAIL_IF(ferror(stream), APL_FILE_ACCESS, "%s cannot be read: %s", path, strerror(errno));
    return apli_text_status(text);
}

/* ⎕ and ⍞ of a script: a line of standard input. */
static AplErr read_input(void *user, const char *prompt, AplText *line) {
    AplSession *session = user;
    char *bytes = NULL;
    size_t capacity = 0;
    if (isatty(STDIN_FILENO)) fputs(prompt, stdout);
    fflush(stdout);
    ssize_t length = getline(&bytes, &capacity, stdin);
    while (length > 0 && (bytes[length - 1] == '\n' || bytes[length - 1] == '\r')) length--;
    if (length > 0) apli_text_append(line, bytes, (size_t)length);
    free(bytes);
    if (length < 0 && errno == EINTR) clearerr(stdin);
    TRY(apli_check(&session->env));
    FAIL_IF(length < 0, APL_FILE_ACCESS, "the input has ended");
    return apli_text_status(line);
}

static AplErr set_arguments(AplSession *session, int count, char **arguments) {
    TRY(apli_vector_new(APLI_NESTED, count, &session->arguments));
    if (count == 0) return apli_string("", 0, &apli_items(session->arguments)[0]);
    for (int i = 0; i < count; i++) TRY(apli_string(arguments[i], strlen(arguments[i]), &apli_items(session->arguments)[i]));
    return APL_OK;
}

static int run_text(AplSession *session, const char *name, const char *text, size_t length) {
    AplErr error = apli_session_execute(session, name, text, length, true, NULL);
    if (!error) return 0;
    fflush(stdout);
    fputs(apli_text_string(&session->report), stderr);
    return error == APL_INTERRUPT ? STATUS_INTERRUPTED : 1;
}

static int run_file(AplSession *session, const char *path) {
    FILE *stream = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!stream) return apli_complain(apli_fail(APL_FILE_NAME, "%s cannot be opened: %s", path, strerror(errno)));
    APLI_AUTO_TEXT text = {0};
    AplErr error = read_stream(path, stream, &text);
    if (stream != stdin) fclose(stream);
    if (error) return apli_complain(error);
    return run_text(session, path, apli_text_string(&text), text.length);
}

/* ---- the command ---------------------------------------------------------------------------------------------------- */

typedef struct Options {
    const char *model, *test;
    char **expressions;
    int expression_count;
    bool exact, plain, help;
    size_t memory; /* 0: as the machine has */
} Options;

/* 800M, 2.5G, 1e9: bytes; 0 when it is no size. */
static size_t size_of(const char *text) {
    static const char units[] = "KMGT";
    char *end;
    double size = strtod(text, &end);
    const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
    if (end == text) return 0;
    if (unit) size *= (double)(1LL << (10 * (unit - units + 1)));
    if (unit) end++;
    if (*end == 'B' || *end == 'b') end++;
    return *end || !(size >= 1 && size < 0x1p62) ? 0 : (size_t)size;
}

/* 0, or the exit status of a wrong command line. Options end where the first word that is none begins. */
static int read_options(int count, char **arguments, Options *options) {
    enum { MODEL = 256, EXACT, NO_FUSED, MEMORY, TEST };
    static const struct option names[] = {{"model", required_argument, NULL, MODEL}, {"exact", no_argument, NULL, EXACT}, {"no-fused", no_argument, NULL, NO_FUSED},
                                          {"memory", required_argument, NULL, MEMORY}, {"test", required_argument, NULL, TEST},
                                          {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int option;
    optind = 0;
    opterr = 0;
    while ((option = getopt_long(count, arguments, "+:e:h", names, NULL)) != -1) {
        switch (option) {
        case 'e': options->expressions[options->expression_count++] = optarg; break;
        case 'h': options->help = true; break;
        case MODEL: options->model = optarg; break;
        case EXACT: options->exact = true; break;
        case NO_FUSED: options->plain = true; break;
        case TEST: options->test = optarg; break;
        case MEMORY:
            options->memory = size_of(optarg);
            if (!options->memory) return apli_complain_usage("apl", "--memory takes a size as 800M or 2.5G, not %s", optarg);
            break;
        case ':': return apli_complain_usage("apl", "%s needs a value", arguments[optind - 1]);
        default: return apli_complain_usage("apl", "there is no option %s", arguments[optind - 1]);
        }
    }
    return 0;
}

static int run(AplSession *session, const Options *options, int count, char **arguments) {
    const char *file = !options->expression_count && count ? arguments[0] : NULL;
    AplErr error = set_arguments(session, file ? count - 1 : count, file ? arguments + 1 : arguments);
    if (error) return apli_complain(error);
    int status = 0;
    if (!options->expression_count && !file && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)) return apli_apl_session(session);
    session->read_line = read_input;
    session->user = session;
    if (!options->expression_count) return run_file(session, file ? file : "-");
    for (int i = 0; i < options->expression_count && !status; i++)
        status = run_text(session, NULL, options->expressions[i], strlen(options->expressions[i]));
    return status;
}

/* A session of its own, or the workspace of a model. */
static AplErr open_session(const Options *options, AplEngine **engine, AplSession **session) {
    AplModel *model;
    if (!options->model) {
        TRY(apli_session_new(session));
    } else {
        TRY(apli_model_open(options->model, &model));
        TRY(apli_engine_new(model, &(AplEngineOptions){.exact = options->exact, .plain = options->plain}, engine));
        *session = (*engine)->session;
    }
    (*session)->env.fused = !options->plain;
    return APL_OK;
}

static int command(int count, char **arguments, Options *options) {
    int status = read_options(count, arguments, options);
    if (status) return status;
    if (options->help) {
        fputs(usage, stdout);
        return 0;
    }
    int64_t allowed = apli_memory_allowed();
    apli_memory_set_limit(options->memory ? options->memory : (size_t)(allowed / 10 * 9));
    if (options->test) return apli_test_file(options->test);
    AplEngine *engine = NULL;
    AplSession *session = NULL;
    AplErr error = open_session(options, &engine, &session);
    if (error) return apli_complain(error);
    catch_interrupts(session);
    status = run(session, options, count - optind, arguments + optind);
    ignore_interrupts();
    if (engine) apli_engine_free(engine);
    else apli_session_free(session);
    return status;
}

int command_apl(int count, char **arguments) {
    Options options = {.expressions = calloc((size_t)count, sizeof *options.expressions)};
    if (!options.expressions) return apli_complain(apli_fail(APL_WS_FULL, "no memory for %d arguments", count));
    int status = command(count, arguments, &options);
    free(options.expressions);
    return status;
}
