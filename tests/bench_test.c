/* measure/bench and model/random_model: models made for measuring are what their shape says, and a measurement leaves the
   context as it was. */
#include "base/hash.h"
#include "elem/packed.h"
#include "measure/series.h"
#include "model/random_model.h"
#include "os/parallel.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static AplNewFile *make(const char *shape, const char *precision, uint64_t seed) {
    AplNewFile *file;
    const AplRandomModel model = {shape, precision, 1, seed};
    assert_int_equal(apli_new_file_in_memory("random", &file), APL_OK);
    assert_int_equal(apli_random_model_write(&model, file), APL_OK);
    return file;
}

static uint64_t hash_of(const char *shape, const char *precision, uint64_t seed, int threads) {
    AplMap *map;
    apli_parallel_set_threads(threads);
    AplNewFile *file = make(shape, precision, seed);
    assert_int_equal(apli_map_open(apli_new_file_path(file), &map), APL_OK);
    const uint64_t hash = apli_hash_bytes(apli_map_bytes(map), apli_map_size(map));
    apli_map_release(map);
    apli_new_file_free(file);
    return hash;
}

static void a_seed_gives_one_model_whatever_the_threads(void **state) {
    (void)state;
    const uint64_t hash = hash_of("smollm2", "4", 5, 1);
    assert_true(hash == hash_of("smollm2", "4", 5, 3));
    assert_true(hash != hash_of("smollm2", "4", 6, 1));
}

/* Mean and deviation of a tensor's first 64 rows. */
static void check_tensor(const AplGgufTensor *tensor, double deviation) {
    const AplPackedLayout *layout = apli_packed_layout_named(tensor->type->name);
    const int64_t columns = (int64_t)tensor->lengths[0], rows = 64;
    float *values = malloc((size_t)columns * sizeof *values);
    double sum = 0, squares = 0;
    assert_non_null(layout);
    assert_non_null(values);
    for (int64_t row = 0; row < rows; row++) {
        layout->unpack(layout, tensor->bytes + row * apli_packed_row_bytes(layout, columns), columns, values);
        for (int64_t i = 0; i < columns; i++) {
            sum += (double)values[i];
            squares += (double)values[i] * (double)values[i];
        }
    }
    const double count = (double)(rows * columns), mean = sum / count;
    if (fabs(mean) > 0.15 * deviation || fabs(sqrt(squares / count) / deviation - 1) > 0.1)
        fail_msg("%s (%s): mean %g, root of the mean square %g, not 0 and %g", tensor->name, tensor->type->name, mean,
                 sqrt(squares / count), deviation);
    free(values);
}

static void matrices_keep_the_size_of_what_they_multiply(void **state) {
    (void)state;
    const char *precisions[] = {"8", "4", "2", "1", "bitnet"};
    for (size_t i = 0; i < sizeof precisions / sizeof *precisions; i++) {
        AplNewFile *file = make("tinyllama", precisions[i], 1);
        AplGguf *gguf;
        assert_int_equal(apli_gguf_open(apli_new_file_path(file), &gguf), APL_OK);
        for (uint64_t t = 0; t < apli_gguf_tensor_count(gguf); t++) {
            const AplGgufTensor *tensor = apli_gguf_tensor(gguf, t);
            if (tensor->rank == 2) check_tensor(tensor, 1 / sqrt((double)tensor->lengths[0]));
        }
        apli_gguf_close(gguf);
        apli_new_file_free(file);
    }
}

/* Of config.json of each model, as published. */
static void shapes_are_the_published_ones(void **state) {
    (void)state;
    AplModel *model;
    AplNewFile *file = make("smollm2", "4", 1);
    assert_int_equal(apli_model_open(apli_new_file_path(file), &model), APL_OK);
    const AplModelConfig *config = apli_model_config(model);
    assert_int_equal(config->layers, 1);
    assert_int_equal(config->width, 576);
    assert_int_equal(config->heads, 9);
    assert_int_equal(config->kv_heads, 3);
    assert_int_equal(config->head_dim, 64);
    assert_int_equal(config->ffn_width, 1536);
    assert_int_equal(config->vocab, 49152);
    /* by hand: a layer's matrices are 2×576² + 2×576×192 + 3×576×1536 */
    assert_int_equal(apli_model_layer_products(model, 0), 3538944);
    assert_int_equal(apli_model_output_products(model), 49152 * 576);
    /* of them 18 bytes for 32 weights, and of the output 34; gains in f32 */
    assert_int_equal(apli_model_weight_bytes(model, 0), 3538944 / 32 * 18 + 49152 * 576 / 32 * 34 + 3 * 576 * 4);
    apli_model_close(model);
    apli_new_file_free(file);
    const AplRandomModel unknown = {"gpt-9", "4", 0, 0}, wide = {"smollm2", "3", 0, 0};
    assert_int_equal(apli_new_file_in_memory("random", &file), APL_OK);
    assert_int_equal(apli_random_model_write(&unknown, file), APL_DOMAIN);
    assert_string_equal(apli_error_message(),
                        "there is no shape \"gpt-9\"; there are tinyllama, mistral-7b, smollm2, llama-8b");
    assert_int_equal(apli_random_model_write(&wide, file), APL_DOMAIN);
    apli_new_file_free(file);
}

static void a_measurement_leaves_the_context_as_it_was(void **state) {
    (void)state;
    AplNewFile *file = make("smollm2", "4", 1);
    AplBench bench = {.path = apli_new_file_path(file), .seed = 1};
    const AplBenchTest tests[] = {{APLI_BENCH_PROMPT, 7, 5, 1, 1}, {APLI_BENCH_DECODE, 3, 5, 1, 2}, {APLI_BENCH_DECODE, 2, 4, 3, 1}};
    for (int i = 0; i < 3; i++) {
        double seconds = 0;
        int64_t used;
        for (int time = 0; time < 2; time++) {
            assert_int_equal(apli_bench_prepare(&bench, &tests[i]), APL_OK);
            assert_int_equal(apli_bench_once(&bench, &seconds), APL_OK);
            assert_true(seconds > 0);
            assert_int_equal(apli_engine_used(bench.engine, &used), APL_OK);
            assert_int_equal(used, tests[i].depth * tests[i].sequences);
        }
    }
    apli_bench_end(&bench);
    apli_new_file_free(file);
}

static void costs_are_counted_as_by_hand(void **state) {
    (void)state;
    AplNewFile *file = make("smollm2", "4", 1);
    AplBench bench = {.path = apli_new_file_path(file)};
    AplBenchCost cost;
    const AplBenchTest prompt = {APLI_BENCH_PROMPT, 5, 2, 1, 1}, decode = {APLI_BENCH_DECODE, 3, 0, 2, 1};
    assert_int_equal(apli_bench_prepare(&bench, &prompt), APL_OK);
    assert_int_equal(apli_bench_cost(&bench, &cost), APL_OK);
    /* five tokens that look at 3 4 5 6 7 positions; one row of logits */
    assert_true(cost.operations == 2.0 * (5 * 3538944.0 + 49152 * 576.0 + 25 * 2 * 576.0));
    assert_int_equal(apli_bench_prepare(&bench, &decode), APL_OK);
    assert_int_equal(apli_bench_cost(&bench, &cost), APL_OK);
    /* two sequences of three tokens that look at 1 2 3 positions; logits of each */
    assert_true(cost.operations == 2.0 * (6 * 3538944.0 + 6 * 49152 * 576.0 + 2 * 6 * 2 * 576.0));
    apli_bench_end(&bench);
    apli_new_file_free(file);
}

static void the_median_is_the_middle_one_or_the_mean_of_two(void **state) {
    (void)state;
    double three[] = {5, 1, 3}, four[] = {4, 1, 2, 9};
    assert_true(apli_median(three, 3) == 3);
    assert_true(apli_median(four, 4) == 3);
    AplBenchRate rate;
    const AplBenchTest test = {.tokens = 6, .sequences = 2};
    assert_int_equal(apli_bench_rate(&test, (const double[]){2, 3, 4}, 3, &rate), APL_OK);
    assert_true(rate.median == 4 && rate.low == 3 && rate.high == 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_one_model_whatever_the_threads),
        cmocka_unit_test(matrices_keep_the_size_of_what_they_multiply),
        cmocka_unit_test(shapes_are_the_published_ones),
        cmocka_unit_test(a_measurement_leaves_the_context_as_it_was),
        cmocka_unit_test(costs_are_counted_as_by_hand),
        cmocka_unit_test(the_median_is_the_middle_one_or_the_mean_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
