/* The evaluator on text that nobody vouches for. Each input is executed in a fresh session as its lines would be; nothing
   may crash, hang or leak, and an error must have a report. Memory and steps are limited; files and waiting are off. */
#include "lang/session.h"

#include <stdlib.h>

enum { MOST_BYTES = 64 << 20, MOST_STEPS = 20000, LONGEST_INPUT = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void discard(void *user, const char *bytes, size_t length) { (void)user, (void)bytes, (void)length; }

static AplErr no_line(void *user, const char *prompt, AplText *line) {
    (void)user, (void)prompt;
    apli_text_append_string(line, "1 2 3");
    return apli_text_status(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size > LONGEST_INPUT) return 0;
    apli_memory_set_limit(MOST_BYTES);
    size_t used = apli_memory_used();
    AplSession *session;
    if (apli_session_new(&session)) return 0;
    session->env.restricted = true;
    session->env.steps_most = MOST_STEPS;
    session->env.fused = size % 2;
    session->write = discard;
    session->read_line = no_line;
    AplErr error = apli_session_execute(session, NULL, (const char *)data, size, true, NULL);
    if (error && session->report.length == 0) abort();
    if (error && session->frame) abort();
    apli_session_free(session);
    if (apli_memory_used() != used) abort();
    return 0;
}
