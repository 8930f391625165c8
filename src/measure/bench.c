/* Measuring a model: an engine for each size of context, filled once, and forgotten back to its depth after each run. */
#include "measure/bench.h"

#include "base/random.h"
#include "elem/packed.h"
#include "os/clock.h"
#include "os/parallel.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MOST_SEQUENCES = 256 };

void apli_bench_end(AplBench *bench) {
    apli_engine_free(bench->engine);
    bench->engine = NULL;
}

static AplErr open_engine(AplBench *bench, int64_t rows) {
    AplModel *model;
    AplEngineOptions options = bench->options;
    options.context = rows;
    apli_bench_end(bench);
    const double begin = apli_clock_seconds();
    TRY(apli_model_open(bench->path, &model));
    TRY(apli_engine_new(model, &options, &bench->engine));
    bench->load_seconds = apli_clock_seconds() - begin;
    bench->filled = 0;
    return APL_OK;
}

static AplErr random_tokens(const AplBench *bench, int64_t count, uint64_t salt, int32_t **tokens) {
    uint64_t state = bench->seed + salt;
    *tokens = malloc((size_t)count * sizeof **tokens);
    FAIL_IF(!*tokens, APL_WS_FULL, "no memory for %" PRId64 " tokens", count);
    for (int64_t i = 0; i < count; i++)
        (*tokens)[i] = (int32_t)(apli_random_u64(&state) % (uint64_t)bench->engine->vocabulary);
    return APL_OK;
}

/* Evaluates `count` tokens of one sequence after those that the cache holds. */
static AplErr evaluate(AplBench *bench, int64_t count, int32_t sequence) {
    int32_t *tokens = NULL;
    APLI_AUTO AplArray *logits = NULL;
    AplErr error = random_tokens(bench, count, (uint64_t)sequence, &tokens);
    if (!error) error = apli_engine_prompt(bench->engine, tokens, count, bench->filled, sequence, bench->chunk, &logits);
    free(tokens);
    return error;
}

/* `count` steps of one token for every sequence. */
static AplErr decode(AplBench *bench, int64_t count, int64_t sequences) {
    int32_t *tokens = NULL, positions[MOST_SEQUENCES], numbers[MOST_SEQUENCES], wanted[MOST_SEQUENCES];
    AplErr error = random_tokens(bench, count * sequences, 1000, &tokens);
    for (int32_t i = 0; i < sequences; i++) numbers[i] = wanted[i] = i;
    for (int64_t step = 0; step < count && !error; step++) {
        APLI_AUTO AplArray *logits = NULL;
        for (int64_t i = 0; i < sequences; i++) positions[i] = (int32_t)(bench->filled + step);
        error = apli_engine_forward(bench->engine, &(AplBatch){tokens + step * sequences, positions, numbers, sequences,
                                                               wanted, sequences}, &logits);
    }
    free(tokens);
    return error;
}

AplErr apli_bench_prepare(AplBench *bench, const AplBenchTest *test) {
    FAIL_IF(test->sequences < 1 || test->sequences > MOST_SEQUENCES, APL_DOMAIN,
            "%" PRId64 " sequences at once, not 1 to %d", test->sequences, MOST_SEQUENCES);
    FAIL_IF(test->tokens < 1, APL_DOMAIN, "a measurement of %" PRId64 " tokens", test->tokens);
    const int64_t rows = (test->depth + (test->tokens > bench->room ? test->tokens : bench->room)) * test->sequences;
    apli_parallel_set_threads(test->threads);
    bench->test = *test;
    if (bench->engine && bench->engine->context == rows && bench->filled == test->depth) return APL_OK;
    TRY(open_engine(bench, rows));
    for (int32_t sequence = 0; sequence < test->sequences && test->depth; sequence++)
        TRY(evaluate(bench, test->depth, sequence));
    bench->filled = test->depth;
    return APL_OK;
}

AplErr apli_bench_step(AplBench *bench, double *seconds) {
    const AplBenchTest *test = &bench->test;
    const double begin = apli_clock_seconds();
    TRY(test->kind == APLI_BENCH_PROMPT ? evaluate(bench, test->tokens, 0) : decode(bench, test->tokens, test->sequences));
    *seconds = apli_clock_seconds() - begin;
    return APL_OK;
}

AplErr apli_bench_forget(AplBench *bench) {
    for (int32_t sequence = 0; sequence < bench->test.sequences; sequence++)
        TRY(apli_engine_forget(bench->engine, sequence, bench->filled));
    return APL_OK;
}

AplErr apli_bench_once(AplBench *bench, double *seconds) {
    TRY(apli_bench_step(bench, seconds));
    return apli_bench_forget(bench);
}

/* ---- costs --------------------------------------------------------------------------------------------------- */

/* Bytes of one element of the cache of keys, on the average. */
static AplErr cache_element_bytes(const AplBench *bench, double *bytes) {
    APLI_AUTO AplArray *keys = NULL;
    TRY(apli_session_get(bench->engine->session, "KEYS", &keys));
    const AplArray *cell = keys;
    if (cell->form == APLI_STACKED) cell = apli_items(cell)[0];
    if (cell->form == APLI_FORM_PACKED)
        *bytes = (double)apli_packed_row_bytes(cell->layout, apli_last_axis(cell)) / (double)apli_last_axis(cell);
    else *bytes = apli_types[cell->type].bits / 8.0;
    return APL_OK;
}

AplErr apli_bench_cost(const AplBench *bench, AplBenchCost *cost) {
    const AplBenchTest *test = &bench->test;
    const AplModel *model = bench->engine->model;
    const AplModelConfig *config = apli_model_config(model);
    const bool prompt = test->kind == APLI_BENCH_PROMPT;
    const double layers = (double)(bench->options.layers ? bench->options.layers : config->layers);
    const double tokens = (double)(test->tokens * test->sequences), outputs = prompt ? 1 : tokens;
    /* how many tokens a token looks at, itself included, on the average */
    double seen = (double)test->depth + (double)(test->tokens + 1) / 2;
    if (config->window && seen > (double)config->window) seen = (double)config->window;
    double element_bytes;
    TRY(cache_element_bytes(bench, &element_bytes));
    const double products = tokens * (double)apli_model_layer_products(model, bench->options.layers) +
                            outputs * (double)apli_model_output_products(model) +
                            tokens * layers * 2 * seen * (double)(config->heads * config->head_dim);
    const double cache = layers * 2 * seen * (double)(config->kv_heads * config->head_dim) * element_bytes;
    const double passes = prompt ? 1 : (double)test->tokens; /* over the weights, at the least */
    cost->operations = 2 * products;
    cost->bytes = passes * (double)apli_model_weight_bytes(model, bench->options.layers) + cache * (prompt ? 1 : tokens);
    return APL_OK;
}

/* ---- statistics ---------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    const double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double apli_median(double *numbers, int count) {
    qsort(numbers, (size_t)count, sizeof *numbers, ascending);
    return count == 0 ? 0 : (numbers[(count - 1) / 2] + numbers[count / 2]) / 2;
}

AplErr apli_bench_rate(const AplBenchTest *test, const double *seconds, int count, AplBenchRate *rate) {
    *rate = (AplBenchRate){0};
    if (count < 1) return APL_OK;
    double *rates = malloc((size_t)count * sizeof *rates);
    FAIL_IF(!rates, APL_WS_FULL, "no memory for %d repetitions", count);
    for (int i = 0; i < count; i++) rates[i] = (double)(test->tokens * test->sequences) / seconds[i];
    rate->median = apli_median(rates, count);
    rate->low = rates[0];
    rate->high = rates[count - 1];
    free(rates);
    return APL_OK;
}
