/* What the tests against GNU APL share: finding GNU's `apl`, running a script in it, gathering output. */
#ifndef APLI_TESTS_GNU_APL_H
#define APLI_TESTS_GNU_APL_H

#include "base/text.h"
#include "lang/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Everything that a shell command prints. */
static inline void output_of(const char *command, AplText *output) {
    char buffer[4096];
    size_t count;
    FILE *stream = popen(command, "r");
    if (!stream) return;
    while ((count = fread(buffer, 1, sizeof buffer, stream)) > 0) apli_text_append(output, buffer, count);
    pclose(stream);
}

/* Whether the `apl` of this machine is GNU's: other interpreters have that name too. */
static inline bool gnu_apl_is_here(void) {
    APLI_AUTO_TEXT version = {0};
    output_of("apl --version 2>/dev/null </dev/null", &version);
    bool here = strstr(apli_text_string(&version), "GNU APL");
    if (!here) puts("skipped: GNU APL's apl is not installed");
    return here;
}

/* Runs a script in GNU APL; it goes on after an error, so look for one in the output. Without shared variables
   (--noSV): their server is a process that outlives `apl` and would hold the output's pipe open for ever. */
static inline bool run_in_gnu_apl(const AplText *script, AplText *output) {
    char path[] = "/tmp/aplaca-gnu-apl-XXXXXX", command[100];
    int descriptor = mkstemp(path);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
    if (!file) return false;
    fwrite(script->bytes, 1, script->length, file);
    fputs("\n)OFF\n", file);
    bool written = fclose(file) == 0;
    snprintf(command, sizeof command, "timeout 100 apl --script --noSV -f %s 2>&1 </dev/null", path);
    if (written) output_of(command, output);
    unlink(path);
    return written;
}

/* A session's `write`, with an AplText for its user. */
static inline void append_output(void *user, const char *bytes, size_t length) {
    apli_text_append(user, bytes, length);
}

#endif
