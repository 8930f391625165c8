/* The evaluator on text that nobody vouches for. Each input is executed in a fresh session as its lines would be; nothing
   may crash, hang or leak, and an error must have a report. Memory and steps are limited; files and waiting are off. An
   interrupt comes every second: what then goes on for long is a loop that never asks whether it should stop. */
#include "lang/session.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>

enum { MOST_BYTES = 64 << 20, MOST_STEPS = 20000, LONGEST_INPUT = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static AplSession *running;
static void interrupt(int signal_number) {
    (void)signal_number;
    if (running) running->env.interrupted = 1;
}

static void interrupt_every_second(void) {
    static bool set;
    const struct itimerval second = {{1, 0}, {1, 0}};
    if (!set) signal(SIGPROF, interrupt);
    set = true;
    setitimer(ITIMER_PROF, &second, NULL);
}

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
    running = session;
    interrupt_every_second();
    AplErr error = apli_session_execute(session, NULL, (const char *)data, size, true, NULL);
    running = NULL;
    if (error && session->report.length == 0) abort();
    if (error && session->frame) abort();
    apli_session_free(session);
    if (apli_memory_used() != used) abort();
    return 0;
}
