/* The machine's ceilings, measured. Reading: every thread adds up its part of a buffer that no cache holds,
   four vectors at a time; each thread first writes its part itself, so that on machines with several memory
   nodes it lies near. Arithmetic: enough independent chains of fused multiply-adds to hide their latency, all
   in registers. Both are the best of many passes of milliseconds: a pass that another process disturbs does not count. Every thread
   is bound to a processor of its own meanwhile. */
#include "os/bandwidth.h"

#include "os/clock.h"
#include "os/limits.h"
#include "os/parallel.h"
#include "os/topology.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    VECTOR_BYTES = 64,
    BLOCK_VECTORS = 1 << 13, /* half a megabyte, claimed at once */
    LEAST_WINDOW = 1 << 20, /* vectors: 64 MB */
    PASSES = 5,
    ARITHMETIC_ROUNDS = 1 << 18, /* of each thread: about a millisecond */
    UNITS_PER_THREAD = 16, /* in which they are claimed */
};

typedef uint64_t Vector __attribute__((vector_size(VECTOR_BYTES)));

typedef uint64_t SumFunction(const Vector *vectors, int64_t count);

/* The sum of count vectors, count a multiple of 4. Compiled for each instruction set below. */
static inline __attribute__((always_inline)) uint64_t sum_vectors(const Vector *vectors, int64_t count) {
    Vector sums[4] = {0};
    for (int64_t i = 0; i < count; i += 4) {
        sums[0] += vectors[i];
        sums[1] += vectors[i + 1];
        sums[2] += vectors[i + 2];
        sums[3] += vectors[i + 3];
    }
    sums[0] += sums[1] + sums[2] + sums[3];
    uint64_t sum = 0;
    for (int i = 0; i < VECTOR_BYTES / 8; i++) sum += sums[0][i];
    return sum;
}

static uint64_t sum_plain(const Vector *vectors, int64_t count) {
    return sum_vectors(vectors, count);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t sum_avx2(const Vector *vectors, int64_t count) {
    return sum_vectors(vectors, count);
}
__attribute__((target("avx512f"))) static uint64_t sum_avx512(const Vector *vectors, int64_t count) {
    return sum_vectors(vectors, count);
}
#endif

static SumFunction *choose_sum(const AplCpu *cpu) {
#if defined(__x86_64__)
    if (apli_cpu_has(cpu, APLI_CPU_AVX512F)) return sum_avx512;
    if (apli_cpu_has(cpu, APLI_CPU_AVX2)) return sum_avx2;
#endif
    (void)cpu;
    return sum_plain;
}

/* One pass over a window of the buffer. Each thread has a part of its own, of which it takes block after block; when that is
   done it helps with the others' parts, so that a thread that the system does not run holds nobody up for long. */
typedef struct Pass {
    SumFunction *sum; /* NULL: write instead */
    Vector *vectors;
    int64_t count; /* a multiple of 4 */
    int threads;
    struct {
        _Alignas(64) _Atomic int64_t next; /* vector of the part */
        uint64_t total;
    } parts[APLI_MOST_THREADS];
} Pass;

static void read_parts(void *context, int64_t unit, int thread) {
    (void)unit;
    Pass *pass = context;
    for (int i = 0; i < pass->threads; i++) {
        const int part = (thread + i) % pass->threads;
        const int64_t begin = pass->count * part / pass->threads / 4 * 4;
        const int64_t end = part + 1 == pass->threads ? pass->count : pass->count * (part + 1) / pass->threads / 4 * 4;
        for (int64_t at; (at = begin + atomic_fetch_add(&pass->parts[part].next, BLOCK_VECTORS)) < end;) {
            const int64_t length = end - at < BLOCK_VECTORS ? end - at : BLOCK_VECTORS;
            if (pass->sum) pass->parts[thread].total += pass->sum(pass->vectors + at, length);
            else for (int64_t j = at; j < at + length; j++) pass->vectors[j] = (Vector){0} + (uint64_t)j;
        }
    }
}

/* Returns the sum of what was read. */
static uint64_t run_pass(Pass *pass) {
    uint64_t total = 0;
    memset(pass->parts, 0, sizeof pass->parts);
    apli_parallel(pass->threads, pass->threads, read_parts, pass);
    for (int i = 0; i < pass->threads; i++) total += pass->parts[i].total;
    return total;
}

/* Best bytes a second of `threads` threads in windows of the buffer, each read PASSES times in turn and as often as `seconds`
   allow. A pass over a window takes a few milliseconds: on a busy machine some find all processors free. *checksum keeps the
   compiler from leaving the reading out. */
static double read_rate(Pass *pass, Vector *vectors, int64_t count, int threads, double seconds, uint64_t *checksum) {
    const int64_t quarter = count / 4 / 4 * 4, whole = count / 4 * 4;
    const int64_t window = quarter < LEAST_WINDOW ? (whole < LEAST_WINDOW ? whole : LEAST_WINDOW) : quarter;
    const int64_t windows = whole / window;
    double best = 0, begin = apli_clock_seconds();
    pass->count = window;
    pass->threads = threads;
    for (int64_t i = 0; i < PASSES * windows || apli_clock_seconds() - begin < seconds; i++) {
        pass->vectors = vectors + i % windows * window;
        const double start = apli_clock_seconds();
        *checksum += run_pass(pass);
        const double rate = (double)(window * VECTOR_BYTES) / (apli_clock_seconds() - start);
        best = rate > best ? rate : best;
    }
    return best;
}

int apli_measuring_begin(const int *threads, int count) {
    AplTopology topology;
    int most = 1;
    for (int i = 0; i < count; i++) most = threads[i] > most ? threads[i] : most;
    apli_parallel_set_threads(most);
    most = apli_parallel_threads();
    apli_topology_detect(&topology);
    if (most > 1 && most <= topology.place_count) apli_parallel_place(topology.places, most);
    return most;
}

void apli_measuring_end(int threads) {
    apli_parallel_place(NULL, 0);
    apli_parallel_set_threads(threads);
}

/* Four times the last caches that `most` threads see. */
static int64_t buffer_bytes(const AplCpu *cpu, int most) {
    const int64_t least = INT64_C(256) << 20, largest = INT64_C(1) << 30, quarter = apli_memory_allowed() / 4;
    const int caches = (most + cpu->level3_sharers - 1) / cpu->level3_sharers;
    int64_t size = 4 * caches * cpu->level3_bytes;
    size = size < least ? least : size > largest ? largest : size;
    return (size < quarter ? size : quarter) / 4096 * 4096;
}

struct AplReading {
    Pass pass;
    void *bytes;
    int64_t size;
    uint64_t checksum;
};

AplReading *apli_reading_begin(const AplCpu *cpu, int threads, int64_t most, int64_t *size) {
    const int64_t wanted = buffer_bytes(cpu, threads);
    *size = (wanted < most ? wanted : most) / 4096 * 4096;
    if (*size < wanted / 2) return NULL; /* caches would hold too much of it */
    AplReading *reading = aligned_alloc(_Alignof(AplReading), sizeof *reading);
    void *bytes = mmap(NULL, (size_t)*size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!reading || bytes == MAP_FAILED) {
        free(reading);
        if (bytes != MAP_FAILED) munmap(bytes, (size_t)*size);
        return NULL;
    }
    madvise(bytes, (size_t)*size, MADV_HUGEPAGE); /* otherwise address translation is measured too */
    *reading = (AplReading){.pass = {.vectors = bytes, .count = *size / VECTOR_BYTES, .threads = threads}, .bytes = bytes, .size = *size};
    reading->checksum = run_pass(&reading->pass);
    reading->pass.sum = choose_sum(cpu);
    return reading;
}

double apli_reading_rate(AplReading *reading, double seconds) {
    const double begin = apli_clock_seconds();
    double now;
    int64_t passes = 0;
    reading->pass.count = reading->size / VECTOR_BYTES / 4 * 4;
    do {
        reading->checksum += run_pass(&reading->pass);
        passes++;
    } while ((now = apli_clock_seconds()) - begin < seconds);
    return (double)(passes * reading->pass.count * VECTOR_BYTES) / (now - begin);
}

void apli_reading_end(AplReading *reading) {
    if (!reading) return;
    volatile uint64_t sink = reading->checksum; /* keeps the compiler from leaving the reading out */
    (void)sink;
    munmap(reading->bytes, (size_t)reading->size);
    free(reading);
}

AplErr apli_measure_bandwidth(const AplCpu *cpu, const int *threads, int count, double seconds, double *rates) {
    const int before = apli_parallel_threads(), most = apli_measuring_begin(threads, count);
    int64_t size;
    AplReading *reading = apli_reading_begin(cpu, most, INT64_MAX, &size);
    for (int i = 0; i < count && reading; i++)
        rates[i] = read_rate(&reading->pass, reading->bytes, size / VECTOR_BYTES, threads[i], seconds, &reading->checksum);
    apli_measuring_end(before);
    FAIL_IF(!reading, APL_WS_FULL, "no memory for the %lld MB that measuring the bandwidth reads", (long long)(size >> 20));
    apli_reading_end(reading);
    return APL_OK;
}

double apli_measure_read(const AplCpu *cpu, const void *bytes, uint64_t size, int threads) {
    const uint64_t least = UINT64_C(8) << 20, largest = UINT64_C(1) << 30;
    const uint64_t skip = -(uintptr_t)bytes % VECTOR_BYTES;
    if (size < least) return 0;
    Pass *pass = aligned_alloc(_Alignof(Pass), sizeof *pass);
    if (!pass) return 0;
    const int before = apli_parallel_threads();
    const uint64_t read = size - skip < largest ? size - skip : largest;
    uint64_t checksum = 0;
    pass->sum = choose_sum(cpu);
    Vector *vectors = (Vector *)((uintptr_t)bytes + skip);
    const double rate = read_rate(pass, vectors, (int64_t)(read / VECTOR_BYTES), apli_measuring_begin(&threads, 1), 0, &checksum);
    volatile uint64_t sink = checksum;
    (void)sink;
    free(pass);
    apli_measuring_end(before);
    return rate;
}

/* Runs `rounds` rounds of fused multiply-adds x ← x×scale+shift and returns the operations done; *sum is
 * their result. */
typedef int64_t ArithmeticFunction(int64_t rounds, float scale, float shift, float *sum);

/* Chains of one vector type: enough for two units of latency 4 to 5, and for the registers there are. */
#define ARITHMETIC(name, attribute, type, lanes, chains, set, multiply_add, store) \
    attribute static int64_t name(int64_t rounds, float scale, float shift, float *sum) { \
        type scales = set(scale), shifts = set(shift), values[chains]; \
        for (int i = 0; i < chains; i++) values[i] = set((float)i); \
        for (int64_t round = 0; round < rounds; round++) { \
            _Pragma("GCC unroll 16") \
            for (int i = 0; i < chains; i++) values[i] = multiply_add(values[i], scales, shifts); \
        } \
        float stored[lanes]; \
        *sum = 0; \
        for (int i = 0; i < chains; i++) { \
            store(stored, values[i]); \
            *sum += stored[0]; \
        } \
        return rounds * chains * lanes * 2; \
    }

#define SCALAR_SET(value) (value)
#define SCALAR_MULTIPLY_ADD(x, scale, shift) ((x) * (scale) + (shift))
#define SCALAR_STORE(to, value) ((to)[0] = (value))
ARITHMETIC(arithmetic_scalar, , float, 1, 8, SCALAR_SET, SCALAR_MULTIPLY_ADD, SCALAR_STORE)

#if defined(__x86_64__)
#include <immintrin.h>
ARITHMETIC(arithmetic_fma, __attribute__((target("avx,fma"))), __m256, 8, 12, _mm256_set1_ps, _mm256_fmadd_ps,
           _mm256_storeu_ps)
ARITHMETIC(arithmetic_avx512, __attribute__((target("avx512f"))), __m512, 16, 16, _mm512_set1_ps,
           _mm512_fmadd_ps, _mm512_storeu_ps)
#elif defined(__aarch64__)
#include <arm_neon.h>
#define NEON_MULTIPLY_ADD(x, scale, shift) vfmaq_f32(shift, x, scale)
ARITHMETIC(arithmetic_asimd, , float32x4_t, 4, 16, vdupq_n_f32, NEON_MULTIPLY_ADD, vst1q_f32)
#endif

static ArithmeticFunction *choose_arithmetic(const AplCpu *cpu, const char **name) {
#if defined(__x86_64__)
    if (apli_cpu_has(cpu, APLI_CPU_AVX512F)) return *name = "avx512f", arithmetic_avx512;
    if (apli_cpu_has(cpu, APLI_CPU_FMA)) return *name = "fma", arithmetic_fma;
#elif defined(__aarch64__)
    if (apli_cpu_has(cpu, APLI_CPU_ASIMD)) return *name = "asimd", arithmetic_asimd;
#endif
    (void)cpu;
    return *name = "scalar", arithmetic_scalar;
}

const char *apli_arithmetic_name(const AplCpu *cpu) {
    const char *name;
    choose_arithmetic(cpu, &name);
    return name;
}

typedef struct Calculation {
    ArithmeticFunction *run;
    float scale, shift;
    _Atomic int64_t operations;
    volatile float sink;
} Calculation;

static void calculate(void *context, int64_t unit, int thread) {
    (void)unit, (void)thread;
    Calculation *calculation = context;
    float sum;
    calculation->operations += calculation->run(ARITHMETIC_ROUNDS / UNITS_PER_THREAD, calculation->scale, calculation->shift, &sum);
    calculation->sink = sum;
}

void apli_measure_arithmetic(const AplCpu *cpu, const int *threads, int count, double seconds, double *rates) {
    const char *name;
    const int before = apli_parallel_threads();
    Calculation calculation = {.run = choose_arithmetic(cpu, &name), .scale = 0.5f, .shift = 0.5f};
    apli_measuring_begin(threads, count);
    for (int i = 0; i < count; i++) {
        rates[i] = 0;
        const double begin = apli_clock_seconds();
        for (int pass = 0; pass < PASSES || apli_clock_seconds() - begin < seconds; pass++) {
            calculation.operations = 0;
            const double start = apli_clock_seconds();
            apli_parallel(threads[i] * UNITS_PER_THREAD, threads[i], calculate, &calculation);
            const double rate = (double)calculation.operations / (apli_clock_seconds() - start);
            rates[i] = rate > rates[i] ? rate : rates[i];
        }
    }
    apli_measuring_end(before);
}
