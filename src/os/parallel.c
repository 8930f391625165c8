/* The pool: one loop at a time. Each thread has a range of its units and takes them in order, so that it reads memory in order too;
   who has none left takes the second half of another's range. */
#include "os/parallel.h"

#include "os/clock.h"
#include "os/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* How long a helper looks for the next loop, and a caller for the end of its own, before they sleep: longer than what lies
   between two products of a token, shorter than the system's slices of time. */
static const double spin_seconds = 100e-6;

/* Units first..end-1 as end << 32 | first: the owner takes the first, others take the last, each by exchanging the whole word. An
   empty range is only changed by its owner. */
typedef struct Range {
    _Atomic uint64_t units;
} __attribute__((aligned(64))) Range;

enum { MOST_UNITS = INT32_MAX }; /* of a loop at a time */

typedef struct Pool {
    pthread_mutex_t mutex; /* guards sleeping helpers and the making of threads */
    pthread_cond_t wake;
    pthread_cond_t left; /* the last helper has left a loop whose caller sleeps */
    int helpers; /* threads made */
    pthread_t threads_made[APLI_MOST_THREADS];
    int wanted; /* threads a loop may use; 0: not yet decided */
    _Atomic bool busy; /* a loop is running */
    /* the loop: written while closed and no helper is inside */
    AplParallelRun *run;
    void *context;
    int64_t first; /* the unit that the ranges call 0 */
    int threads;
    Range ranges[APLI_MOST_THREADS];
    _Atomic bool open; /* helpers may enter */
    _Atomic int inside; /* helpers that are entering or working */
    _Atomic uint64_t generation; /* changes with every loop */
    _Atomic int sleeping;
    _Atomic bool caller_sleeps;
} Pool;

static Pool pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .left = PTHREAD_COND_INITIALIZER};

static inline void pause_briefly(void) {
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static inline uint64_t range_of(uint64_t first, uint64_t end) { return end << 32 | first; }
static inline uint64_t first_of(uint64_t range) { return (uint32_t)range; }
static inline uint64_t end_of(uint64_t range) { return range >> 32; }

/* The first unit of the thread's own range, or -1. */
static int64_t take_own(int thread) {
    _Atomic uint64_t *own = &pool.ranges[thread].units;
    uint64_t range = atomic_load(own);
    while (first_of(range) < end_of(range))
        if (atomic_compare_exchange_weak(own, &range, range_of(first_of(range) + 1, end_of(range)))) return (int64_t)first_of(range);
    return -1;
}

/* Makes the second half of another thread's range, the larger one, the thread's own. False when none has any. */
static bool take_half(int thread) {
    for (int i = 1; i < pool.threads; i++) {
        _Atomic uint64_t *other = &pool.ranges[(thread + i) % pool.threads].units;
        uint64_t range = atomic_load(other);
        while (first_of(range) < end_of(range)) {
            const uint64_t middle = first_of(range) + (end_of(range) - first_of(range)) / 2;
            if (!atomic_compare_exchange_weak(other, &range, range_of(first_of(range), middle))) continue;
            atomic_store(&pool.ranges[thread].units, range_of(middle, end_of(range)));
            return true;
        }
    }
    return false;
}

static void work(int thread) {
    do {
        for (int64_t unit; (unit = take_own(thread)) >= 0;) pool.run(pool.context, pool.first + unit, thread);
    } while (take_half(thread));
}

/* Waits for a loop that is not `seen`: spins, then sleeps. */
static uint64_t next_generation(uint64_t seen) {
    const double begin = apli_clock_seconds();
    for (unsigned i = 1;; i++) {
        const uint64_t now = atomic_load(&pool.generation);
        if (now != seen) return now;
        pause_briefly();
        if (i % 64 == 0 && apli_clock_seconds() - begin > spin_seconds) break;
    }
    pthread_mutex_lock(&pool.mutex);
    atomic_fetch_add(&pool.sleeping, 1);
    while (atomic_load(&pool.generation) == seen) pthread_cond_wait(&pool.wake, &pool.mutex);
    atomic_fetch_sub(&pool.sleeping, 1);
    pthread_mutex_unlock(&pool.mutex);
    return atomic_load(&pool.generation);
}

static void *help(void *argument) {
    const int thread = (int)(intptr_t)argument;
    for (uint64_t seen = 0;;) {
        seen = next_generation(seen);
        /* counted before the look at `open`: the caller closes first and then waits for the count, so that one of the two
           sees the other */
        atomic_fetch_add(&pool.inside, 1);
        if (atomic_load(&pool.open) && thread < pool.threads) work(thread);
        /* counted before the look at `caller_sleeps`, which the caller sets before its last look at the count */
        if (atomic_fetch_sub(&pool.inside, 1) == 1 && atomic_load(&pool.caller_sleeps)) {
            pthread_mutex_lock(&pool.mutex);
            pthread_cond_signal(&pool.left);
            pthread_mutex_unlock(&pool.mutex);
        }
    }
    return NULL;
}

/* Starts helpers up to `threads` - 1; fewer when the system gives no more. */
static void start_helpers(int threads) {
    pthread_mutex_lock(&pool.mutex);
    while (pool.helpers < threads - 1) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, help, (void *)(intptr_t)(pool.helpers + 1))) break;
        pthread_detach(thread);
        pool.threads_made[pool.helpers++] = thread;
    }
    pthread_mutex_unlock(&pool.mutex);
}

void apli_parallel_set_threads(int count) {
    pool.wanted = count < 1 ? 1 : count > APLI_MOST_THREADS ? APLI_MOST_THREADS : count;
}

int apli_parallel_threads(void) {
    if (pool.wanted == 0) apli_parallel_set_threads(apli_processor_count());
    return pool.wanted;
}

static cpu_set_t free_processors[8]; /* 8192: the most of Linux */
static bool placed;

void apli_parallel_place(const int *processors, int count) {
    const pthread_t caller = pthread_self();
    if (!placed && (count == 0 || pthread_getaffinity_np(caller, sizeof free_processors, free_processors) != 0)) return;
    start_helpers(count);
    placed = count > 0;
    for (int i = 0; i <= pool.helpers; i++) {
        cpu_set_t set[8];
        CPU_ZERO_S(sizeof set, set);
        if (i < count) CPU_SET_S((size_t)processors[i], sizeof set, set);
        else memcpy(set, free_processors, sizeof set);
        pthread_setaffinity_np(i ? pool.threads_made[i - 1] : caller, sizeof set, set);
    }
}

static _Thread_local double loop_seconds;

double apli_parallel_seconds(void) { return loop_seconds; }

static _Thread_local bool waiting_counts;
static _Thread_local double waiting_seconds;

void apli_parallel_count_waiting(bool on) { waiting_counts = on; }
double apli_parallel_waiting(void) { return waiting_seconds; }

/* Works as thread 0 of the open loop; what it takes is no waiting. */
static void work_as_caller(void) {
    const double begin = waiting_counts ? apli_clock_seconds() : 0;
    work(0);
    if (waiting_counts) waiting_seconds -= apli_clock_seconds() - begin;
}

/* Waits until no helper is inside: spins, then sleeps, for the one that has the last unit may need this very processor. */
static void wait_for_helpers(void) {
    double begin = 0;
    for (unsigned i = 1; atomic_load(&pool.inside); i++) {
        pause_briefly();
        if (i % 64 != 0) continue;
        const double now = apli_clock_seconds();
        if (begin == 0) begin = now;
        if (now - begin > spin_seconds) break;
    }
    if (!atomic_load(&pool.inside)) return;
    pthread_mutex_lock(&pool.mutex);
    atomic_store(&pool.caller_sleeps, true);
    while (atomic_load(&pool.inside)) pthread_cond_wait(&pool.left, &pool.mutex);
    atomic_store(&pool.caller_sleeps, false);
    pthread_mutex_unlock(&pool.mutex);
}

/* Units first..first+units-1, at most MOST_UNITS. */
static void run_part(int64_t first, int64_t units, int threads, AplParallelRun *run, void *context) {
    if (threads > apli_parallel_threads()) threads = apli_parallel_threads();
    bool idle = false;
    if (threads <= 1 || units <= 1 || !atomic_compare_exchange_strong(&pool.busy, &idle, true)) {
        for (int64_t unit = first; unit < first + units; unit++) run(context, unit, 0);
        return;
    }
    const double begin = waiting_counts ? apli_clock_seconds() : 0;
    if (pool.helpers < threads - 1) start_helpers(threads);
    pool.run = run;
    pool.context = context;
    pool.first = first;
    pool.threads = threads;
    for (int i = 0; i < threads; i++)
        atomic_store_explicit(&pool.ranges[i].units, range_of((uint64_t)(units * i / threads), (uint64_t)(units * (i + 1) / threads)),
                              memory_order_relaxed);
    atomic_store(&pool.open, true);
    atomic_fetch_add(&pool.generation, 1);
    if (atomic_load(&pool.sleeping)) {
        pthread_mutex_lock(&pool.mutex);
        pthread_cond_broadcast(&pool.wake);
        pthread_mutex_unlock(&pool.mutex);
    }
    work_as_caller();
    atomic_store(&pool.open, false);
    wait_for_helpers();
    atomic_store(&pool.busy, false);
    if (waiting_counts) waiting_seconds += apli_clock_seconds() - begin;
}

void apli_parallel(int64_t units, int threads, AplParallelRun *run, void *context) {
    if (units == 1) { /* too little for its time to be asked for */
        run(context, 0, 0);
        return;
    }
    const double begin = apli_clock_seconds();
    for (int64_t first = 0; first < units; first += MOST_UNITS)
        run_part(first, units - first < MOST_UNITS ? units - first : MOST_UNITS, threads, run, context);
    loop_seconds += apli_clock_seconds() - begin;
}
