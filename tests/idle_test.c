/* os/parallel: what threads cost that have nothing to do. Processor time is counted, not the clock's: a busy machine changes
   nothing. */
#include "os/parallel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { THREADS = 8 };

static double processor_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void rest(int milliseconds) {
    struct timespec left = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
    while (nanosleep(&left, &left) != 0) continue;
}

static void add_up(void *context, int64_t unit, int thread) {
    (void)thread;
    volatile double x = 1;
    for (int i = 0; i < 1000; i++) x = x * 0.5 + 1;
    atomic_fetch_add((_Atomic int64_t *)context, unit + (x < 0));
}

static void loops(int count) {
    for (int i = 0; i < count; i++) {
        _Atomic int64_t sum = 0;
        apli_parallel(64, THREADS, add_up, &sum);
        assert_int_equal(sum, 64 * 63 / 2);
    }
}

static void threads_without_work_use_no_processor(void **state) {
    (void)state;
    apli_parallel_set_threads(THREADS);
    loops(100);
    rest(100); /* the helpers have gone to sleep; one that has not had a processor until now needs 0.1 ms */
    const double before = processor_seconds();
    rest(500);
    assert_true(processor_seconds() - before < 0.01); /* one helper that spins would use 0.5 */
}

static void looking_for_work_is_bounded(void **state) {
    (void)state;
    enum { PAUSES = 20 };
    apli_parallel_set_threads(THREADS);
    loops(1);
    const double begin = processor_seconds();
    loops(PAUSES);
    const double work = processor_seconds() - begin, before = processor_seconds();
    for (int i = 0; i < PAUSES; i++) {
        loops(1);
        rest(20);
    }
    /* each helper may spin 0.1 ms after each loop, so with a generous factor; for ever would be 20 ms */
    assert_true(processor_seconds() - before - work < PAUSES * (THREADS - 1) * 1e-3);
}

/* More threads than processors, twice: each loop waits for helpers that the system may not run for a while. */
static void two_processes_at_once_both_finish(void **state) {
    (void)state;
    const pid_t process = fork(); /* and execl: threads do not live on in a child */
    if (process == 0) {
        execl("/proc/self/exe", "idle_test", "beside", (char *)NULL);
        _exit(1);
    }
    apli_parallel_set_threads(THREADS);
    loops(400);
    int status;
    assert_int_equal(waitpid(process, &status, 0), process);
    assert_int_equal(status, 0);
}

int main(int count, char **arguments) {
    (void)arguments;
    if (count > 1) {
        apli_parallel_set_threads(THREADS);
        loops(400);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_without_work_use_no_processor),
        cmocka_unit_test(looking_for_work_is_bounded),
        cmocka_unit_test(two_processes_at_once_both_finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
