/* Running a plan of measurements: depths outermost, since filling the context takes longest. */
#include "measure/series.h"

#include "os/bandwidth.h"
#include "os/resident.h"

#include <inttypes.h>
#include <stdlib.h>

AplErr apli_measure_ceilings(const AplCpu *cpu, const AplSeriesList *threads, double seconds, AplCeiling *ceilings) {
    int counts[APLI_SERIES_MOST];
    double read[APLI_SERIES_MOST] = {0}, floats[APLI_SERIES_MOST] = {0}, bytes[APLI_SERIES_MOST] = {0};
    for (int i = 0; i < threads->count; i++) counts[i] = (int)threads->values[i];
    if (seconds > 0) {
        apli_measure_arithmetic(cpu, counts, threads->count, seconds, floats);
        apli_measure_dot_product(cpu, counts, threads->count, seconds, bytes);
        TRY(apli_measure_bandwidth(cpu, counts, threads->count, seconds, read));
    }
    for (int i = 0; i < threads->count; i++) ceilings[i] = (AplCeiling){counts[i], read[i], floats[i], bytes[i]};
    return APL_OK;
}

static int tests_of_depth(const AplSeriesPlan *plan) { return (plan->prompt > 0) + (plan->decode > 0); }

int apli_series_tests(const AplSeriesPlan *plan) {
    return plan->threads.count *
           (plan->depths.count * tests_of_depth(plan) + (plan->decode > 0 ? plan->sequences.count : 0));
}

static AplErr measure(AplBench *bench, const AplSeriesPlan *plan, const AplBenchTest *test, AplSeriesStep *step, void *user,
                      AplSeries *series) {
    AplSeriesResult *result = &series->results[series->count];
    *result = (AplSeriesResult){.test = *test, .seconds = calloc((size_t)plan->repetitions, sizeof(double))};
    FAIL_IF(!result->seconds, APL_WS_FULL, "no memory for %" PRId64 " repetitions", plan->repetitions);
    series->count++;
    double ignored;
    TRY(apli_bench_prepare(bench, test));
    TRY(apli_bench_cost(bench, &result->cost));
    TRY(apli_bench_once(bench, &ignored));
    for (int64_t repetition = 0; repetition < plan->repetitions; repetition++) {
        TRY(apli_bench_prepare(bench, test));
        TRY(apli_bench_once(bench, &result->seconds[repetition]));
        result->count++;
        if (step) TRY(step(user, series, series->count - 1, repetition));
    }
    TRY(apli_bench_rate(test, result->seconds, result->count, &result->rate));
    if (series->load_seconds == 0) series->load_seconds = bench->load_seconds;
    return APL_OK;
}

static AplErr run(AplBench *bench, const AplSeriesPlan *plan, AplSeriesStep *step, void *user, AplSeries *series) {
    int64_t least_depth = INT64_MAX;
    bench->room = plan->prompt > plan->decode ? plan->prompt : plan->decode;
    for (int depth = 0; depth < plan->depths.count; depth++) {
        const int64_t tokens = plan->depths.values[depth];
        least_depth = tokens < least_depth ? tokens : least_depth;
        for (int thread = 0; thread < plan->threads.count; thread++) {
            AplBenchTest test = {APLI_BENCH_PROMPT, plan->prompt, tokens, 1, (int)plan->threads.values[thread]};
            if (plan->prompt) TRY(measure(bench, plan, &test, step, user, series));
            test.kind = APLI_BENCH_DECODE;
            test.tokens = plan->decode;
            if (plan->decode) TRY(measure(bench, plan, &test, step, user, series));
        }
    }
    bench->room = 0;
    for (int i = 0; i < plan->sequences.count && plan->decode; i++)
        for (int thread = 0; thread < plan->threads.count; thread++) {
            const AplBenchTest test = {APLI_BENCH_DECODE, plan->decode, least_depth, plan->sequences.values[i],
                                       (int)plan->threads.values[thread]};
            TRY(measure(bench, plan, &test, step, user, series));
        }
    return APL_OK;
}

AplErr apli_series_run(AplBench *bench, const AplSeriesPlan *plan, AplSeriesStep *step, void *user, AplSeries *series) {
    *series = (AplSeries){.results = calloc((size_t)apli_series_tests(plan) + 1, sizeof *series->results)};
    FAIL_IF(!series->results, APL_WS_FULL, "no memory for %d measurements", apli_series_tests(plan));
    apli_resident_peak_reset();
    AplErr error = run(bench, plan, step, user, series);
    series->resident_peak = apli_resident_peak();
    return error;
}

void apli_series_free(AplSeries *series) {
    for (int i = 0; i < series->count; i++) free(series->results[i].seconds);
    free(series->results);
}
