/* The machine's ceilings, measured: how fast threads read memory, and how many floating-point operations they
   do. Speeds that the program prints are compared with these. */
#ifndef APLI_OS_BANDWIDTH_H
#define APLI_OS_BANDWIDTH_H

#include "base/error.h"
#include "os/cpu.h"

#include <stdint.h>

/* rates[i] ← bytes read a second by threads[i] threads together, each through its own part of one buffer of
   256 MB to 1 GB, beyond what the last caches hold (a quarter of the allowed memory when that is less). The
   best of short passes over a quarter of it: at least twenty, and as many as fit in `seconds`. Threads are those of
   os/parallel.h, at most APLI_MOST_THREADS. WS FULL when there is no memory for the buffer. */
AplErr apli_measure_bandwidth(const AplCpu *cpu, const int *threads, int count, double seconds,
                              double *rates);

/* Reading between other measurements, in the very state that the machine is in: with the threads as they are, bound to nothing.
   The buffer is as above, but of `most` bytes at most; *size ← its bytes, all of them resident. NULL when that is not beyond the
   caches, or there is no such memory. */
typedef struct AplReading AplReading;
AplReading *apli_reading_begin(const AplCpu *cpu, int threads, int64_t most, int64_t *size);
/* Bytes a second, on the average over `seconds`. */
double apli_reading_rate(AplReading *reading, double seconds);
void apli_reading_end(AplReading *reading);

/* Bytes a second at which `threads` threads read `size` bytes that lie in memory already, such as a model's
   weights: the best of five passes over each quarter of the first GB. 0 for less than 8 MB, which are read too soon to time. */
double apli_measure_read(const AplCpu *cpu, const void *bytes, uint64_t size, int threads);

/* rates[i] ← f32 operations a second of threads[i] threads together, by the widest fused multiply-add there
   is (two operations a lane). The best of the passes that fit in `seconds` (at least five). */
void apli_measure_arithmetic(const AplCpu *cpu, const int *threads, int count, double seconds, double *rates);

/* What apli_measure_arithmetic uses on this processor: "avx512f", "fma", "asimd" or "scalar". */
const char *apli_arithmetic_name(const AplCpu *cpu);

/* rates[i] ← 8-bit integer operations a second (two a multiply-add) of threads[i] threads together, by the widest dot
   product of bytes there is; 0 where the processor has none. */
void apli_measure_dot_product(const AplCpu *cpu, const int *threads, int count, double seconds, double *rates);

/* Lets loops use the most of these threads, each bound to a processor of its own where there are enough of them, and returns it;
   the other sets `threads` again and frees them. */
int apli_measuring_begin(const int *threads, int count);
void apli_measuring_end(int threads);

/* What apli_measure_dot_product uses on this processor: "avx512_vnni", "avx_vnni", "asimddp", or NULL. */
const char *apli_dot_product_name(const AplCpu *cpu);

#endif
