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

static const AplBenchTest prompt_test = {APLI_BENCH_PROMPT, 512, 0, 1, 2}, decode_test = {APLI_BENCH_DECODE, 128, 0, 1, 2},
                          deep_test = {APLI_BENCH_DECODE, 128, 4096, 1, 2};

static void check_figure(const AplBenchTest *test, const char *pattern, const char *output, AplRivalSource source,
                         double rate) {
    AplRivalFigure figure;
    assert_int_equal(apli_rival_read(&(AplRival){"", pattern}, test, output, strlen(output), 4, &figure), APL_OK);
    if (figure.source != source || figure.rate != rate)
        fail_msg("%s\ngives %s %g, not %s %g", output, apli_rival_source_name(figure.source), figure.rate,
                 apli_rival_source_name(source), rate);
}

/* Records as llama-bench -o json prints them (b4000 has no n_depth; ik_llama.cpp has -gp instead of it). */
static void a_rivals_figure_is_that_of_the_same_test(void **state) {
    (void)state;
    const char *both = "[{\"n_threads\": 2, \"n_prompt\": 512, \"n_gen\": 0, \"n_depth\": 0, \"avg_ts\": 100.5},"
                       " {\"n_threads\": 2, \"n_prompt\": 0, \"n_gen\": 128, \"n_depth\": 0, \"avg_ts\": 20.25},"
                       " {\"n_threads\": 1, \"n_prompt\": 0, \"n_gen\": 128, \"n_depth\": 0, \"avg_ts\": 11},"
                       " {\"n_threads\": 2, \"n_prompt\": 0, \"n_gen\": 128, \"n_depth\": 4096, \"avg_ts\": 9.5}]";
    check_figure(&prompt_test, NULL, both, APLI_RIVAL_JSON, 100.5);
    check_figure(&decode_test, NULL, both, APLI_RIVAL_JSON, 20.25);
    check_figure(&deep_test, NULL, both, APLI_RIVAL_JSON, 9.5);
    const char *lines = "{\"n_prompt\": 512, \"n_gen\": 0, \"avg_ts\": 100}\n{\"n_prompt\": 4096, \"n_gen\": 128, \"avg_ts\": 8}\n";
    check_figure(&prompt_test, NULL, lines, APLI_RIVAL_JSON, 100);
    check_figure(&deep_test, NULL, lines, APLI_RIVAL_JSON, 8);
    check_figure(&decode_test, NULL, lines, APLI_RIVAL_NONE, 0);
    const char *ours = "{\"results\": [{\"n_prompt\": 0, \"n_gen\": 128, \"n_depth\": 0, \"sequences\": 1, \"tokens_per_second\": 7.5},"
                       " {\"n_prompt\": 0, \"n_gen\": 128, \"n_depth\": 0, \"sequences\": 8, \"tokens_per_second\": 30}]}";
    check_figure(&decode_test, NULL, ours, APLI_RIVAL_JSON, 7.5);
    const char *text = "eval: 11.5 tokens/s\neval: 12.5 tokens/s\n";
    check_figure(&decode_test, "^eval: ([0-9.]+)", text, APLI_RIVAL_PATTERN, 12.5);
    check_figure(&decode_test, "speed ([0-9.]+)", text, APLI_RIVAL_NONE, 0);
    check_figure(&decode_test, NULL, text, APLI_RIVAL_TIME, 32); /* 128 tokens in the 4 seconds */
    AplRivalFigure figure;
    assert_int_equal(apli_rival_read(&(AplRival){"", "no group"}, &decode_test, "", 0, 1, &figure), APL_DOMAIN);
    assert_int_equal(apli_rival_read(&(AplRival){"", "("}, &decode_test, "", 0, 1, &figure), APL_DOMAIN);
}

static void a_rivals_command_line_names_the_test(void **state) {
    (void)state;
    const AplRival rival = {"b -m {model} -p {prompt} -n {decode} -d {depth} -t {threads} {} {x} {", NULL};
    APLI_AUTO_TEXT command = {0};
    apli_rival_command(&rival, &deep_test, "it's.gguf", &command);
    assert_string_equal(apli_text_string(&command), "b -m 'it'\\''s.gguf' -p 0 -n 128 -d 4096 -t 2 {} {x} {");
    assert_true(apli_rival_knows(&rival, &deep_test));
    assert_false(apli_rival_knows(&(AplRival){"b {threads}", NULL}, &deep_test));
    assert_true(apli_rival_knows(&(AplRival){"b", NULL}, &decode_test));
    const AplBenchTest many = {APLI_BENCH_DECODE, 128, 0, 8, 2};
    assert_false(apli_rival_knows(&rival, &many));
}

static void a_rival_runs_by_turns_and_the_ratio_is_ours_to_its(void **state) {
    (void)state;
    AplNewFile *file = make("smollm2", "4", 1);
    AplBench bench = {.path = apli_new_file_path(file), .seed = 1};
    const AplSeriesPlan plan = {.decode = 2, .depths = {{0}, 1}, .threads = {{1}, 1}, .repetitions = 3};
    const AplRival rival = {"test -s {model} && echo '{\"n_gen\": {decode}, \"avg_ts\": 10}'", NULL}, fails = {"echo why >&2; false", NULL};
    AplSeries series;
    assert_int_equal(apli_series_run(&bench, &plan, &rival, NULL, NULL, &series), APL_OK);
    assert_int_equal(series.count, 1);
    assert_int_equal(series.results[0].rival_count, 3);
    assert_true(series.results[0].rival.median == 10);
    assert_true(fabs(series.results[0].ratio.median - series.results[0].rate.median / 10) < 1e-9);
    assert_true(series.resident_peak > 0);
    apli_series_free(&series);
    assert_int_equal(apli_series_run(&bench, &plan, &fails, NULL, NULL, &series), APL_DOMAIN);
    assert_string_equal(apli_error_message(), "echo why >&2; false: it ended with status 1: why");
    apli_series_free(&series);
    apli_bench_end(&bench);
    apli_new_file_free(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_one_model_whatever_the_threads),
        cmocka_unit_test(matrices_keep_the_size_of_what_they_multiply),
        cmocka_unit_test(shapes_are_the_published_ones),
        cmocka_unit_test(a_measurement_leaves_the_context_as_it_was),
        cmocka_unit_test(costs_are_counted_as_by_hand),
        cmocka_unit_test(a_rivals_figure_is_that_of_the_same_test),
        cmocka_unit_test(a_rivals_command_line_names_the_test),
        cmocka_unit_test(a_rival_runs_by_turns_and_the_ratio_is_ours_to_its),
        cmocka_unit_test(the_median_is_the_middle_one_or_the_mean_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
