/* os/parallel: every unit runs once, whatever the threads; loops from several threads do not meet; helpers without
   a part in a loop are left alone. */
#include "os/parallel.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

enum { UNITS = 1000, MANY = 200001 }; /* many: more than a range can have */
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

static void count_portion(void *context, int64_t first, int64_t count, int thread) {
    for (int64_t unit = first; unit < first + count; unit++) count_unit(context, unit, thread);
}

static void every_small_unit_runs_once(void **state) {
    (void)state;
    static const int unit_counts[] = {0, 1, 2, 3, 7, 30, UNITS};
    apli_parallel_set_threads(8);
    for (int threads = 1; threads <= 8; threads++)
        for (int round = 0; round < 700; round++) {
            Loop loop = {.threads = threads};
            const int units = unit_counts[round % 7];
            apli_parallel_small(units, threads, count_portion, &loop);
            for (int i = 0; i < UNITS; i++) assert_int_equal(loop.counts[i], i < units);
            assert_int_equal(loop.wrong_thread, 0);
        }
}

static void add_unit(void *context, int64_t unit, int thread) {
    (void)thread;
    atomic_fetch_add((_Atomic int64_t *)context, unit);
}

static void add_portion(void *context, int64_t first, int64_t count, int thread) {
    for (int64_t unit = first; unit < first + count; unit++) add_unit(context, unit, thread);
}

static void loops_may_have_more_units_than_a_range(void **state) {
    (void)state;
    static const int threads[] = {1, 2, 5};
    apli_parallel_set_threads(8);
    for (int i = 0; i < 3; i++) {
        _Atomic int64_t sum = 0, small = 0;
        apli_parallel(MANY, threads[i], add_unit, &sum);
        apli_parallel_small(MANY, threads[i], add_portion, &small);
        assert_int_equal(sum, (int64_t)MANY * (MANY - 1) / 2);
        assert_int_equal(small, sum);
    }
}

typedef struct Step {
    const int64_t *from;
    int64_t *to;
    int64_t count;
} Step;

static void turn_portion(void *context, int64_t first, int64_t count, int thread) {
    (void)thread;
    const Step *step = context;
    for (int64_t i = first; i < first + count; i++) step->to[i] = step->from[(i + 1) % step->count] + 1;
}

/* What a loop writes is seen by the next, by whatever threads both are run. */
static void loops_follow_one_another(void **state) {
    (void)state;
    enum { FEW = 64, ROUNDS = 20000 };
    int64_t numbers[2][FEW] = {{0}};
    apli_parallel_set_threads(4);
    for (int round = 0; round < ROUNDS; round++) {
        Step step = {numbers[round % 2], numbers[(round + 1) % 2], FEW};
        apli_parallel_small(FEW, 1 + round % 4, turn_portion, &step);
    }
    for (int i = 0; i < FEW; i++) assert_int_equal(numbers[ROUNDS % 2][i], ROUNDS);
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

enum { MADE = 8 };

/* All threads at once: each unit waits for the others to be begun. */
typedef struct Meeting {
    pthread_barrier_t barrier;
    pid_t ids[MADE]; /* the system's, by thread */
} Meeting;

static void meet(void *context, int64_t unit, int thread) {
    (void)unit;
    Meeting *meeting = context;
    meeting->ids[thread] = gettid();
    pthread_barrier_wait(&meeting->barrier);
}

static void meet_all(int threads, Meeting *meeting) {
    assert_int_equal(pthread_barrier_init(&meeting->barrier, NULL, (unsigned)threads), 0);
    apli_parallel(threads, threads, meet, meeting);
    pthread_barrier_destroy(&meeting->barrier);
}

static void rest(long microseconds) { nanosleep(&(struct timespec){.tv_nsec = microseconds * 1000}, NULL); }

/* How often a thread has gone to sleep, or -1 while it runs. */
static long sleeps_of(pid_t id) {
    char path[64], line[256], letter = 0;
    long sleeps = -1;
    snprintf(path, sizeof path, "/proc/self/task/%d/status", (int)id);
    FILE *status = fopen(path, "r");
    assert_non_null(status);
    while (fgets(line, sizeof line, status)) {
        sscanf(line, "State: %c", &letter);
        sscanf(line, "voluntary_ctxt_switches: %ld", &sleeps);
    }
    fclose(status);
    return letter == 'S' ? sleeps : -1;
}

/* The same when a thread has slept for a while. */
static long sleeps_at_rest(pid_t id) {
    long before = -1, sleeps;
    while ((sleeps = sleeps_of(id)) < 0 || sleeps != before) {
        before = sleeps;
        rest(5000);
    }
    return sleeps;
}

static void a_loop_wakes_the_helpers_that_it_uses_and_no_others(void **state) {
    (void)state;
    Meeting meeting, few;
    long sleeps[MADE];
    apli_parallel_set_threads(MADE);
    for (int threads = 2; threads < MADE; threads += 2) {
        meet_all(MADE, &meeting);
        for (int i = threads; i < MADE; i++) sleeps[i] = sleeps_at_rest(meeting.ids[i]);
        for (int round = 0; round < 50; round++) {
            meet_all(threads, &few);
            if (round % 2) rest(200); /* longer than a helper spins */
        }
        for (int i = threads; i < MADE; i++) assert_int_equal(sleeps_of(meeting.ids[i]), sleeps[i]);
    }
}

static void helpers_left_asleep_come_when_a_loop_has_a_part_for_them(void **state) {
    (void)state;
    Meeting meeting;
    apli_parallel_set_threads(MADE);
    for (int round = 0; round < 200; round++) {
        meet_all(1 + round * 5 % MADE, &meeting);
        if (round % 3 == 0) rest(100 + round % 5 * 20);
        assert_int_equal(run_loops(1 + round * 3 % MADE, 5), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_unit_runs_once),
        cmocka_unit_test(every_small_unit_runs_once),
        cmocka_unit_test(loops_may_have_more_units_than_a_range),
        cmocka_unit_test(loops_follow_one_another),
        cmocka_unit_test(loops_of_several_callers_are_each_complete),
        cmocka_unit_test(a_loop_wakes_the_helpers_that_it_uses_and_no_others),
        cmocka_unit_test(helpers_left_asleep_come_when_a_loop_has_a_part_for_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
