/* The pool: one loop at a time. Each thread has a range of its units and takes them in order, so that it reads memory in order too;
   who has none left takes the second half of another's range. To begin a loop the caller writes one line of the cache for each
   helper, and each helper tells the end of its units by one addition: some hundred nanoseconds, with 120 loops a token. */
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

/* A thread's range of units first..end-1 of loop `tag`, as tag << 32 | end << 16 | first: the owner takes the first ones, others the
   last, each by exchanging the whole word. Only its owner changes an empty range, and the caller for a new loop. Who takes units
   keeps the loop, its seat and its context alive until they are counted as finished: so a helper that comes late, finds no unit, and
   looks at nothing else, needs no one to wait for it. */
enum { MOST_UNITS = UINT16_MAX }; /* of a loop at a time */

/* All that a thread needs to begin lies in one line of the cache, which only its owner reads while it waits. */
typedef struct Seat {
    _Atomic uint64_t range;
    AplParallelPortion *run; /* from here on: written for a new loop, when nobody has units; looked at by who has some, but for the
                            atomic ones, of which an outdated look does no harm: the exchange of the range fails */
    void *context;
    int64_t first; /* the unit that the ranges call 0 */
    _Atomic int32_t portion; /* a thread takes one in so many of its units at once, rounded up */
    _Atomic int32_t threads;
    _Atomic bool sleeps; /* of a helper: written by its owner, with the mutex */
} __attribute__((aligned(64))) Seat;

typedef struct Pool {
    pthread_mutex_t mutex; /* guards sleeping helpers and the making of threads */
    pthread_cond_t wake[APLI_MOST_THREADS]; /* of each helper made: a loop wakes those alone that have a part in it */
    pthread_cond_t left; /* the last units are finished of a loop whose caller sleeps */
    int helpers; /* threads made */
    pthread_t threads_made[APLI_MOST_THREADS];
    int wanted; /* threads a loop may use; 0: not yet decided */
    _Atomic bool busy; /* a loop is running; guards what follows */
    uint32_t tag; /* of the last loop */
    uint64_t expected; /* units that helpers will have finished at its end */
    Seat seats[APLI_MOST_THREADS];
    _Atomic uint64_t finished __attribute__((aligned(64))); /* units, by helpers */
    _Atomic bool caller_sleeps;
    _Atomic int sleeping __attribute__((aligned(64))); /* helpers, whether the loop uses them or not */
} Pool;

static Pool pool = {.mutex = PTHREAD_MUTEX_INITIALIZER, .left = PTHREAD_COND_INITIALIZER};

static inline void pause_briefly(void) {
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static inline uint64_t range_of(uint32_t tag, uint64_t first, uint64_t end) { return (uint64_t)tag << 32 | end << 16 | first; }
static inline uint32_t tag_of(uint64_t range) { return (uint32_t)(range >> 32); }
static inline int64_t first_of(uint64_t range) { return (uint16_t)range; }
static inline int64_t end_of(uint64_t range) { return (uint16_t)(range >> 16); }

/* The first units of the thread's own range, from *first on: how many, or 0. */
static int64_t take_own(Seat *own, uint32_t tag, int64_t *first) {
    uint64_t range = atomic_load(&own->range);
    while (tag_of(range) == tag && first_of(range) < end_of(range)) {
        *first = first_of(range);
        const int64_t count = 1 + (end_of(range) - *first - 1) / atomic_load_explicit(&own->portion, memory_order_relaxed);
        if (atomic_compare_exchange_weak(&own->range, &range, range_of(tag, (uint64_t)(*first + count), (uint64_t)end_of(range))))
            return count;
    }
    return 0;
}

/* Makes the second half of another thread's range, the larger one, the thread's own. False when none has any. */
static bool take_half(int thread, uint32_t tag) {
    const int threads = atomic_load_explicit(&pool.seats[thread].threads, memory_order_relaxed);
    for (int i = 1; i < threads; i++) {
        _Atomic uint64_t *other = &pool.seats[(thread + i) % threads].range;
        uint64_t range = atomic_load(other);
        while (tag_of(range) == tag && first_of(range) < end_of(range)) {
            const int64_t first = first_of(range), end = end_of(range), middle = first + (end - first) / 2;
            if (!atomic_compare_exchange_weak(other, &range, range_of(tag, (uint64_t)first, (uint64_t)middle))) continue;
            atomic_store(&pool.seats[thread].range, range_of(tag, (uint64_t)middle, (uint64_t)end));
            return true;
        }
    }
    return false;
}

/* Works through the thread's own range; how many units. */
static int64_t work_own(int thread, uint32_t tag) {
    Seat *own = &pool.seats[thread];
    int64_t done = 0, first;
    for (int64_t count; (count = take_own(own, tag, &first)); done += count)
        own->run(own->context, own->first + first, count, thread);
    return done;
}

/* Counts a helper's units as finished. */
static void finish(int64_t units) {
    /* counted before the look at `caller_sleeps`, which the caller sets before its last look at the count */
    atomic_fetch_add(&pool.finished, (uint64_t)units);
    if (!atomic_load(&pool.caller_sleeps)) return;
    pthread_mutex_lock(&pool.mutex);
    pthread_cond_signal(&pool.left);
    pthread_mutex_unlock(&pool.mutex);
}

/* Waits for a loop that is not `seen`, for this thread: spins, then sleeps. */
static uint32_t next_loop(int thread, uint32_t seen) {
    Seat *own = &pool.seats[thread];
    const double begin = apli_clock_seconds();
    uint32_t tag;
    for (unsigned i = 1; (tag = tag_of(atomic_load(&own->range))) == seen; i++) {
        pause_briefly();
        if (i % 64 == 0 && apli_clock_seconds() - begin > spin_seconds) break;
    }
    if (tag != seen) return tag;
    pthread_mutex_lock(&pool.mutex);
    /* A helper says that it sleeps, changes the count, and looks at its range; a caller writes the ranges, changes
       the count (by 0), and looks at who sleeps. Of the two changes, the later one sees what was written before the
       earlier one: either the helper sees its range, or the caller sees that it sleeps, and then waits for the mutex
       until the helper waits to be woken. */
    atomic_store_explicit(&own->sleeps, true, memory_order_relaxed);
    atomic_fetch_add(&pool.sleeping, 1);
    while ((tag = tag_of(atomic_load(&own->range))) == seen) pthread_cond_wait(&pool.wake[thread], &pool.mutex);
    atomic_store_explicit(&own->sleeps, false, memory_order_relaxed);
    atomic_fetch_sub(&pool.sleeping, 1);
    pthread_mutex_unlock(&pool.mutex);
    return tag;
}

static void *help(void *argument) {
    const int thread = (int)(intptr_t)argument;
    for (uint32_t tag = 0;;) {
        tag = next_loop(thread, tag);
        do {
            const int64_t done = work_own(thread, tag);
            if (done) finish(done);
        } while (take_half(thread, tag));
    }
    return NULL;
}

/* Starts helpers up to `threads` - 1; fewer when the system gives no more. */
static void start_helpers(int threads) {
    pthread_mutex_lock(&pool.mutex);
    while (pool.helpers < threads - 1) {
        pthread_t thread;
        if (pthread_cond_init(&pool.wake[pool.helpers + 1], NULL)) break;
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

static _Thread_local AplParallelTiming timing;
static _Thread_local double loop_seconds, waiting_seconds;

void apli_parallel_time(AplParallelTiming what) { timing = what; }
double apli_parallel_seconds(void) { return loop_seconds; }
double apli_parallel_waiting(void) { return waiting_seconds; }

/* Works as thread 0 of the loop, first at what is its own, then at others'; how many units. */
static int64_t work_as_caller(uint32_t tag) {
    const double begin = timing == APLI_WAITING_TIMED ? apli_clock_seconds() : 0;
    int64_t done = 0;
    do done += work_own(0, tag);
    while (take_half(0, tag));
    if (timing == APLI_WAITING_TIMED) waiting_seconds -= apli_clock_seconds() - begin;
    return done;
}

/* Waits until helpers have finished their units: spins, then sleeps, for the one that has the last unit may need this very
   processor. */
static void wait_for_helpers(void) {
    double begin = 0;
    for (unsigned i = 1; atomic_load(&pool.finished) != pool.expected; i++) {
        pause_briefly();
        if (i % 64 != 0) continue;
        const double now = apli_clock_seconds();
        if (begin == 0) begin = now;
        if (now - begin > spin_seconds) break;
    }
    if (atomic_load(&pool.finished) == pool.expected) return;
    pthread_mutex_lock(&pool.mutex);
    atomic_store(&pool.caller_sleeps, true);
    while (atomic_load(&pool.finished) != pool.expected) pthread_cond_wait(&pool.left, &pool.mutex);
    atomic_store(&pool.caller_sleeps, false);
    pthread_mutex_unlock(&pool.mutex);
}

/* Wakes those of a loop's helpers that sleep. */
static void wake_helpers(int threads) {
    int first = 1;
    while (first < threads && !atomic_load_explicit(&pool.seats[first].sleeps, memory_order_relaxed)) first++;
    if (first == threads) return;
    pthread_mutex_lock(&pool.mutex);
    for (int i = first; i < threads; i++)
        if (atomic_load_explicit(&pool.seats[i].sleeps, memory_order_relaxed)) pthread_cond_signal(&pool.wake[i]);
    pthread_mutex_unlock(&pool.mutex);
}

/* Gives each thread its part of the units, helpers first. */
static void begin_loop(const Seat *loop, int64_t units, int threads) {
    const uint32_t tag = ++pool.tag;
    for (int i = threads - 1; i >= 0; i--) {
        Seat *seat = &pool.seats[i];
        seat->run = loop->run;
        seat->context = loop->context;
        seat->first = loop->first;
        atomic_store_explicit(&seat->portion, loop->portion, memory_order_relaxed);
        atomic_store_explicit(&seat->threads, threads, memory_order_relaxed);
        atomic_store_explicit(&seat->range, range_of(tag, (uint64_t)(units * i / threads), (uint64_t)(units * (i + 1) / threads)),
                              memory_order_release);
    }
    /* a change, not a look: next_loop says why; nobody sleeps while one loop follows another */
    if (atomic_fetch_add(&pool.sleeping, 0)) wake_helpers(threads);
}

/* Units first..first+units-1, at most MOST_UNITS. */
static void run_part(int64_t units, int threads, const Seat *loop) {
    bool idle = false;
    if (threads <= 1 || units <= 1 || !atomic_compare_exchange_strong(&pool.busy, &idle, true)) {
        loop->run(loop->context, loop->first, units, 0);
        return;
    }
    const double begin = timing == APLI_WAITING_TIMED ? apli_clock_seconds() : 0;
    if (pool.helpers < threads - 1) start_helpers(threads);
    begin_loop(loop, units, threads);
    pool.expected += (uint64_t)(units - work_as_caller(pool.tag));
    wait_for_helpers();
    atomic_store(&pool.busy, false);
    if (timing == APLI_WAITING_TIMED) waiting_seconds += apli_clock_seconds() - begin;
}

static void run_loop(int64_t units, int threads, AplParallelPortion *run, void *context, int32_t portion) {
    const double begin = timing != APLI_NOTHING_TIMED && units > 1 ? apli_clock_seconds() : 0;
    if (threads > apli_parallel_threads()) threads = apli_parallel_threads();
    for (int64_t first = 0; first < units; first += MOST_UNITS)
        run_part(units - first < MOST_UNITS ? units - first : MOST_UNITS, threads,
                 &(Seat){.run = run, .context = context, .first = first, .portion = portion});
    if (begin != 0) loop_seconds += apli_clock_seconds() - begin;
}

typedef struct Units {
    AplParallelRun *run;
    void *context;
} Units;

static void run_units(void *context, int64_t first, int64_t count, int thread) {
    const Units *units = context;
    for (int64_t unit = first; unit < first + count; unit++) units->run(units->context, unit, thread);
}

void apli_parallel(int64_t units, int threads, AplParallelRun *run, void *context) {
    run_loop(units, threads, run_units, &(Units){run, context}, MOST_UNITS);
}

void apli_parallel_small(int64_t units, int threads, AplParallelPortion *run, void *context) {
    enum { PORTION = 4 };
    run_loop(units, threads, run, context, PORTION);
}
