/* os/parallel: every unit runs once, whatever the threads; loops from several threads do not meet. */
#include "os/parallel.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

enum { UNITS = 1000 };
typedef struct Loop {
    _Atomic int counts[UNITS];
    _Atomic int wrong_thread;
    int threads;
} Loop;

static void count_unit(void *context, int64_t unit, int thread) {
    Loop *loop = context;
    atomic_fetch_add(&loop->counts[unit], 1);
    if (thread < 0 || thread >= loop->threads) atomic_store(&loop->wrong_thread, 1);
}

static int run_loops(int threads, int rounds) {
    for (int round = 0; round < rounds; round++) {
        Loop loop = {.threads = threads};
        apli_parallel(UNITS, threads, count_unit, &loop);
        for (int i = 0; i < UNITS; i++)
            if (loop.counts[i] != 1) return 1;
        if (loop.wrong_thread) return 1;
    }
    return 0;
}

static void every_unit_runs_once(void **state) {
    (void)state;
    apli_parallel_set_threads(8);
    static const int threads[] = {1, 2, 3, 8};
    for (int i = 0; i < 4; i++) assert_int_equal(run_loops(threads[i], 300), 0);
}

static void *run_beside(void *argument) {
    (void)argument;
    return (void *)(intptr_t)run_loops(4, 300);
}

static void loops_of_several_callers_are_each_complete(void **state) {
    (void)state;
    apli_parallel_set_threads(4);
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) assert_int_equal(pthread_create(&threads[i], NULL, run_beside, NULL), 0);
    assert_int_equal(run_loops(4, 300), 0);
    for (int i = 0; i < 3; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_runs_once),
        cmocka_unit_test(loops_of_several_callers_are_each_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
