/* attention_bench [SECONDS [SHAPE [TYPE]]]: what fused attention costs, against this machine's measured ceilings: for a prompt
   operations a second (two a multiply-add, of rows that the mask admits), for one token bytes of keys and values a second. The caches of 24
   layers are passed through in turn, so that they come from memory as they do in a model. SHAPE and TYPE choose those whose
   names hold them. */
#include "elem/packed.h"
#include "os/bandwidth.h"
#include "os/clock.h"
#include "os/parallel.h"
#include "prim/fused/fused.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LAYERS = 24 };

typedef struct Shape {
    const char *name;
    int64_t heads, groups, dim, tokens, rows;
} Shape;

static const Shape shapes[] = {
    {"TinyLlama, one token", 32, 4, 64, 1, 4096},     {"TinyLlama, prompt of 512", 32, 4, 64, 512, 512},
    {"TinyLlama, 256 of a prompt", 32, 4, 64, 256, 4096}, {"SmolLM2-135M, one token", 9, 3, 64, 1, 4096},
    {"SmolLM2-135M, 256 of a prompt", 9, 3, 64, 256, 512},   {"Mistral-7B, one token", 32, 8, 128, 1, 4096},
    {"Mistral-7B, prompt of 512", 32, 8, 128, 512, 512},      {"32 of 80, one token", 32, 32, 80, 1, 4096},
    {"32 of 80, prompt of 512", 32, 32, 80, 512, 512},       {"32 on 8 of 96, one token", 32, 8, 96, 1, 4096},
    {"32 on 8 of 96, prompt of 512", 32, 8, 96, 512, 512},
};
static const struct { const char *name; AplType type; int representation; } types[] = {
    {"f32", APLI_F32, 0}, {"f16", APLI_F16, 0}, {"q12", APLI_PACKED, 123}, {"q8", APLI_PACKED, 83}, {"q4", APLI_PACKED, 43}};

/* Ends the program when memory is short. */
static void need(AplErr error) {
    if (!error) return;
    fprintf(stderr, "attention_bench: %s\n", apli_error_message());
    exit(1);
}

static AplArray *numbers(AplType type, int rank, const int64_t *shape) {
    AplArray *array;
    uint32_t state = 1;
    need(apli_array_new(APLI_F32, rank, shape, &array));
    for (int64_t i = 0; i < array->count; i++) {
        state = state * 1664525 + 1013904223;
        ((float *)array->data)[i] = (float)(int32_t)state / 0x1p31f;
    }
    if (type == APLI_F32) return array;
    AplArray *converted;
    need(apli_convert(array, type, &converted));
    apli_array_release(array);
    return converted;
}

static AplArray *cache(int type, const Shape *shape) {
    const int64_t dimensions[] = {shape->rows, shape->groups, shape->dim};
    if (!types[type].representation) return numbers(types[type].type, 3, dimensions);
    AplArray *values = numbers(APLI_F32, 3, dimensions), *packed;
    const AplPackedLayout *layout;
    need(apli_packed_layout(types[type].representation, types[type].representation == 123 ? 0 : 32, shape->dim, &layout));
    need(apli_packed_zero(layout, 3, dimensions, &packed));
    need(apli_packed_pack(layout, (const float *)values->data, shape->rows * shape->groups, shape->dim, packed->data));
    apli_array_release(values);
    return packed;
}

/* The last tokens of a sequence that fills the cache. */
static AplArray *causal(const Shape *shape) {
    AplArray *mask;
    need(apli_array_new(APLI_BOOL, 2, (int64_t[]){shape->tokens, shape->rows}, &mask));
    for (int64_t i = 0; i < mask->count; i++)
        apli_bit_set(mask->data, i, i % shape->rows <= shape->rows - shape->tokens + i / shape->rows);
    return mask;
}

/* Of one thread the processor's time, which others that compute disturb less. */
static double seconds_now(void) {
    return apli_parallel_threads() == 1 ? (double)clock() / CLOCKS_PER_SEC : apli_clock_seconds();
}

static double best_seconds(const Shape *shape, int type, double seconds, AplEnv *env) {
    APLI_AUTO AplArray *queries = numbers(APLI_F32, 3, (int64_t[]){shape->tokens, shape->heads, shape->dim});
    AplArray *layers[LAYERS];
    for (int i = 0; i < LAYERS; i++) {
        need(apli_vector_new(APLI_NESTED, 3, &layers[i]));
        apli_items(layers[i])[0] = cache(type, shape);
        apli_items(layers[i])[1] = cache(type, shape);
        apli_items(layers[i])[2] = causal(shape);
    }
    double best = 1e9;
    for (const double end = apli_clock_seconds() + seconds; apli_clock_seconds() < end;) {
        const double begin = seconds_now();
        for (int i = 0; i < LAYERS; i++) {
            AplArray *result = NULL;
            bool declined = false;
            need(apli_attention(env, queries, layers[i], &result, &declined));
            apli_array_release(result);
        }
        const double taken = (seconds_now() - begin) / LAYERS;
        best = taken < best ? taken : best;
    }
    for (int i = 0; i < LAYERS; i++) apli_array_release(layers[i]);
    return best;
}

static void report(const Shape *shape, const char *wanted, int threads, double read_rate, double arithmetic_rate, double seconds,
                   AplEnv *env) {
    for (int type = 0; type < (int)(sizeof types / sizeof *types); type++) {
        if (!strstr(types[type].name, wanted)) continue;
        const double taken = best_seconds(shape, type, seconds, env);
        const int64_t seen = shape->tokens * (2 * shape->rows - shape->tokens + 1) / 2;
        const double operations = 4.0 * (double)(seen * shape->heads * shape->dim) / taken;
        const AplArray *one = cache(type, shape);
        const double bytes = 2.0 * (double)one->storage->size / taken;
        apli_array_release((AplArray *)one);
        printf("%-30s %-4s %d thread%s %9.4f ms a layer  %7.1f GFLOP/s (%3.0f %%)", shape->name, types[type].name, threads,
               threads > 1 ? "s" : " ", taken * 1e3, operations * 1e-9, 100 * operations / arithmetic_rate);
        if (shape->tokens == 1) printf("  %5.1f GB/s (%3.0f %%)", bytes * 1e-9, 100 * bytes / read_rate);
        putchar('\n');
    }
}

int main(int count, char **arguments) {
    const double seconds = count > 1 ? atof(arguments[1]) : 0.5;
    const int threads[] = {1, apli_parallel_threads()};
    double read_rates[2] = {0}, arithmetic_rates[2];
    AplEnv env = {.rounded = true}; /* as a model runs: f32 keys and values alone are multiplied as f32 */
    AplCpu cpu;
    apli_cpu_detect(&cpu);
    need(apli_measure_bandwidth(&cpu, threads, 2, 0.5, read_rates));
    apli_measure_arithmetic(&cpu, threads, 2, 0.3, arithmetic_rates);
    for (int t = 0; t < (threads[1] > 1 ? 2 : 1); t++) {
        apli_parallel_set_threads(threads[t]);
        printf("%d thread%s: %.1f GB/s read, %.0f GFLOP/s f32 (%s)\n", threads[t], threads[t] > 1 ? "s" : "",
               read_rates[t] * 1e-9, arithmetic_rates[t] * 1e-9, apli_arithmetic_name(&cpu));
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            if (strstr(shapes[i].name, count > 2 ? arguments[2] : ""))
                report(&shapes[i], count > 3 ? arguments[3] : "", threads[t], read_rates[t], arithmetic_rates[t], seconds, &env);
    }
    return 0;
}
