/* The machine's ceilings, measured. Reading: every thread adds up its part of a buffer that no cache holds,
   four vectors at a time; each thread first writes its part itself, so that on machines with several memory
   nodes it lies near. Arithmetic: enough independent chains of fused multiply-adds to hide their latency, all
   in registers. */
#include "os/bandwidth.h"

#include "os/clock.h"
#include "os/limits.h"

#include <omp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { VECTOR_BYTES = 64, PASSES = 3, ARITHMETIC_ROUNDS = 1 << 18 };

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

/* Best bytes a second of `thread_count` threads over count vectors; *checksum keeps the compiler from leaving
 * it out. */
static double read_rate(SumFunction *sum, const Vector *vectors, int64_t count, int thread_count, double seconds,
                        uint64_t *checksum) {
    double best = 0, begin = apli_clock_seconds();
    const int64_t share = count / thread_count / 4 * 4;
    for (int pass = 0; pass < PASSES || apli_clock_seconds() - begin < seconds; pass++) {
        uint64_t total = 0;
        double start = apli_clock_seconds();
#pragma omp parallel num_threads(thread_count) reduction(+ : total)
        {
            for (int part = omp_get_thread_num(); part < thread_count; part += omp_get_num_threads())
                total += sum(vectors + part * share, share);
        }
        double rate = (double)(share * thread_count * VECTOR_BYTES) / (apli_clock_seconds() - start);
        if (rate > best) best = rate;
        *checksum += total;
    }
    return best;
}

/* Four times the last caches that `most` threads see. */
static int64_t buffer_bytes(const AplCpu *cpu, int most) {
    const int64_t least = INT64_C(256) << 20, largest = INT64_C(1) << 30, quarter = apli_memory_allowed() / 4;
    const int caches = (most + cpu->level3_sharers - 1) / cpu->level3_sharers;
    int64_t size = 4 * caches * cpu->level3_bytes;
    size = size < least ? least : size > largest ? largest : size;
    return (size < quarter ? size : quarter) / 4096 * 4096;
}

AplErr apli_measure_bandwidth(const AplCpu *cpu, const int *threads, int count, double seconds,
                              double *rates) {
    int most = 1;
    for (int i = 0; i < count; i++) most = threads[i] > most ? threads[i] : most;
    const int64_t size = buffer_bytes(cpu, most);
    void *bytes = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAIL_IF(bytes == MAP_FAILED, APL_WS_FULL, "no memory for the %lld MB that measuring the bandwidth reads",
            (long long)(size >> 20));
    madvise(bytes, (size_t)size, MADV_HUGEPAGE); /* otherwise address translation is measured too */
    Vector *vectors = bytes;
    const int64_t vector_count = size / VECTOR_BYTES;
#pragma omp parallel for num_threads(most) schedule(static)
    for (int64_t i = 0; i < vector_count; i++) vectors[i] = (Vector){0} + (uint64_t)i;
    uint64_t checksum = 0;
    SumFunction *sum = choose_sum(cpu);
    for (int i = 0; i < count; i++)
        rates[i] = read_rate(sum, vectors, vector_count, threads[i], seconds, &checksum);
    volatile uint64_t sink = checksum;
    (void)sink;
    munmap(bytes, (size_t)size);
    return APL_OK;
}

double apli_measure_read(const AplCpu *cpu, const void *bytes, uint64_t size, int threads) {
    const uint64_t least = UINT64_C(8) << 20, largest = UINT64_C(1) << 30;
    const uint64_t skip = -(uintptr_t)bytes % VECTOR_BYTES;
    if (size < least) return 0;
    const uint64_t read = size - skip < largest ? size - skip : largest;
    uint64_t checksum = 0;
    const double rate = read_rate(choose_sum(cpu), (const Vector *)((const uint8_t *)bytes + skip),
                                  (int64_t)(read / VECTOR_BYTES), threads, 0, &checksum);
    volatile uint64_t sink = checksum;
    (void)sink;
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

void apli_measure_arithmetic(const AplCpu *cpu, const int *threads, int count, double seconds,
                             double *rates) {
    const char *name;
    ArithmeticFunction *arithmetic = choose_arithmetic(cpu, &name);
    volatile float scale = 0.5f, shift = 0.5f, sink;
    for (int i = 0; i < count; i++) {
        rates[i] = 0;
        double begin = apli_clock_seconds();
        for (int pass = 0; pass < PASSES || apli_clock_seconds() - begin < seconds; pass++) {
            int64_t operations = 0;
            float total = 0;
            const float scale_now = scale, shift_now = shift;
            double start = apli_clock_seconds();
#pragma omp parallel num_threads(threads[i]) reduction(+ : operations, total)
            {
                float sum;
                operations += arithmetic(ARITHMETIC_ROUNDS, scale_now, shift_now, &sum);
                total += sum;
            }
            double rate = (double)operations / (apli_clock_seconds() - start);
            if (rate > rates[i]) rates[i] = rate;
            sink = total;
        }
    }
    (void)sink;
}
