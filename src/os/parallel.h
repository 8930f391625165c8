/* Loops over units of work, shared among threads: each takes a part of them in order, and a half of what another has left when
   its own are done. The calling thread works too and waits only for units that another thread has begun: a helper that the
   system has not scheduled costs nothing. (An OpenMP region waits for every thread to arrive: with about 120 loops
   a token, often for one whose processor another program has.)
   Helpers spin for a moment after a loop, then sleep; a loop wakes only those that it uses. */
#ifndef APLI_OS_PARALLEL_H
#define APLI_OS_PARALLEL_H

#include <stdbool.h>
#include <stdint.h>

/* Threads that loops use, the calling one included; 1 to APLI_MOST_THREADS. At first, every usable processor's. */
enum { APLI_MOST_THREADS = 256 };
void apli_parallel_set_threads(int count);
int apli_parallel_threads(void);

/* Binds thread i to processors[i], for measurements: the system would let two threads share one while another program has the
   rest. A count of 0 frees them again. To be called while no loop runs. */
void apli_parallel_place(const int *processors, int count);

/* Calls run(context, unit, thread) once for every unit from 0; thread is below `threads` (at most apli_parallel_threads()), so
   that each may have its own scratch. Loops from several calling threads at once, or nested ones, run on the caller alone. */
typedef void AplParallelRun(void *context, int64_t unit, int thread);
void apli_parallel(int64_t units, int threads, AplParallelRun *run, void *context);

/* The same for units of so little work that taking one is felt: run(context, first, count, thread) is for the units
   first..first+count-1, a fourth of what its thread has left. */
typedef void AplParallelPortion(void *context, int64_t first, int64_t count, int thread);
void apli_parallel_small(int64_t units, int threads, AplParallelPortion *run, void *context);

/* What is timed of this thread's loops of more than one unit; at first nothing is, for the clock is felt in small ones. */
typedef enum AplParallelTiming { APLI_NOTHING_TIMED, APLI_LOOPS_TIMED, APLI_WAITING_TIMED } AplParallelTiming;
void apli_parallel_time(AplParallelTiming timing);
/* Seconds that this thread has spent in loops as their caller: products and attention. What a computation took beyond them is the
   interpreter's and the small operations' share. */
double apli_parallel_seconds(void);
/* Seconds of these in which the calling thread worked at no unit: it woke helpers, or waited for the last of them. */
double apli_parallel_waiting(void);

#endif
