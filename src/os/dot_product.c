/* The ceiling of products of bytes: independent chains of the processor's dot product of 8-bit integers, all in registers.
   An instruction adds four products of bytes to each 32-bit lane. */
#include "os/bandwidth.h"

#include "os/clock.h"
#include "os/parallel.h"

#include <stdatomic.h>
#include <stddef.h>

enum { PASSES = 5, ROUNDS = 1 << 18, UNITS_PER_THREAD = 16 };

/* Runs `rounds` rounds of the dot product and returns the operations done; *sum is their result. */
typedef int64_t DotFunction(int64_t rounds, int bytes, int *sum);

/* Chains enough for two units of latency 4 to 5. */
#define DOT_PRODUCT(name, attribute, type, lanes, chains, set, dot, first) \
    attribute static int64_t name(int64_t rounds, int bytes, int *sum) { \
        type factor = set(bytes), sums[chains]; \
        _Pragma("GCC unroll 16") /* so that the chains are registers, not an array */ \
        for (int i = 0; i < chains; i++) sums[i] = set(i); \
        for (int64_t round = 0; round < rounds; round++) { \
            _Pragma("GCC unroll 16") \
            for (int i = 0; i < chains; i++) { \
                sums[i] = dot(sums[i], factor, factor); \
                __asm__ volatile("" : "+" DOT_REGISTER(sums[i])); /* a chain is not to be simplified */ \
            } \
        } \
        *sum = 0; \
        _Pragma("GCC unroll 16") \
        for (int i = 0; i < chains; i++) *sum += first(sums[i]); \
        return rounds * chains * lanes * 4 * 2; \
    }

#if defined(__x86_64__)
#include <immintrin.h>
#define DOT_REGISTER(vector) "v"(vector)
#define FIRST_512(vector) _mm_cvtsi128_si32(_mm512_castsi512_si128(vector))
DOT_PRODUCT(dot_avx512, __attribute__((target("avx512f,avx512vnni"))), __m512i, 16, 16, _mm512_set1_epi32,
            _mm512_dpbusd_epi32, FIRST_512)
#undef DOT_REGISTER
#define DOT_REGISTER(vector) "x"(vector)
#define FIRST_256(vector) _mm_cvtsi128_si32(_mm256_castsi256_si128(vector))
DOT_PRODUCT(dot_avx, __attribute__((target("avx2,avxvnni"))), __m256i, 8, 12, _mm256_set1_epi32, _mm256_dpbusd_avx_epi32,
            FIRST_256)
#elif defined(__aarch64__)
#include <arm_neon.h>
#define DOT_REGISTER(vector) "w"(vector)
#define NEON_DOT(sum, a, b) vdotq_s32(sum, vreinterpretq_s8_s32(a), vreinterpretq_s8_s32(b))
#define NEON_FIRST(vector) vgetq_lane_s32(vector, 0)
DOT_PRODUCT(dot_neon, __attribute__((target("arch=armv8.2-a+dotprod"))), int32x4_t, 4, 16, vdupq_n_s32, NEON_DOT,
            NEON_FIRST)
#endif

static DotFunction *choose_dot(const AplCpu *cpu, const char **name) {
#if defined(__x86_64__)
    if (apli_cpu_has(cpu, APLI_CPU_AVX512_VNNI)) return *name = "avx512_vnni", dot_avx512;
    if (apli_cpu_has(cpu, APLI_CPU_AVX_VNNI)) return *name = "avx_vnni", dot_avx;
#elif defined(__aarch64__)
    if (apli_cpu_has(cpu, APLI_CPU_ASIMDDP)) return *name = "asimddp", dot_neon;
#endif
    (void)cpu;
    *name = NULL;
    return NULL;
}

const char *apli_dot_product_name(const AplCpu *cpu) {
    const char *name;
    choose_dot(cpu, &name);
    return name;
}

typedef struct Calculation {
    DotFunction *run;
    int bytes;
    _Atomic int64_t operations;
    volatile int sink;
} Calculation;

static void calculate(void *context, int64_t unit, int thread) {
    (void)unit, (void)thread;
    Calculation *calculation = context;
    int sum;
    calculation->operations += calculation->run(ROUNDS / UNITS_PER_THREAD, calculation->bytes, &sum);
    calculation->sink = sum;
}

void apli_measure_dot_product(const AplCpu *cpu, const int *threads, int count, double seconds, double *rates) {
    const char *name;
    const int before = apli_parallel_threads();
    Calculation calculation = {.run = choose_dot(cpu, &name)};
    apli_measuring_begin(threads, count);
    for (int i = 0; i < count; i++) {
        rates[i] = 0;
        const double begin = apli_clock_seconds();
        for (int pass = 0; calculation.run && (pass < PASSES || apli_clock_seconds() - begin < seconds); pass++) {
            calculation.operations = 0;
            calculation.bytes = pass;
            const double start = apli_clock_seconds();
            apli_parallel(threads[i] * UNITS_PER_THREAD, threads[i], calculate, &calculation);
            const double rate = (double)calculation.operations / (apli_clock_seconds() - start);
            rates[i] = rate > rates[i] ? rate : rates[i];
        }
    }
    apli_measuring_end(before);
}
