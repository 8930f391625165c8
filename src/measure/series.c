/* Running a plan of measurements: depths outermost, since filling the context takes longest. */
#include "measure/series.h"

#include "os/bandwidth.h"
#include "os/limits.h"
#include "os/parallel.h"
#include "os/resident.h"

#include <inttypes.h>
#include <stdlib.h>

static const double READING_SECONDS = 0.05;

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

typedef struct Run {
    AplBench *bench;
    const AplSeriesPlan *plan;
    const AplRival *rival; /* NULL: none */
    AplSeriesStep *step;
    void *user;
    AplSeries *series;
    AplReading *reading; /* of the test's threads; NULL: not measured */
    int64_t stays; /* bytes of what measures that the peak of resident memory still has */
} Run;

static AplErr run_rival(const Run *run, AplSeriesResult *result) {
    AplRivalFigure figure;
    TRY(apli_rival_run(run->rival, &result->test, run->bench->path, &figure));
    if (figure.source == APLI_RIVAL_NONE) return APL_OK;
    result->rival_source = figure.source;
    result->rival_rates[result->rival_count++] = figure.rate;
    return APL_OK;
}

static AplErr run_ours(const Run *run, AplSeriesResult *result) {
    TRY(apli_bench_prepare(run->bench, &result->test));
    const double before = run->reading ? apli_reading_rate(run->reading, READING_SECONDS) : 0;
    TRY(apli_bench_once(run->bench, &result->seconds[result->count]));
    if (run->reading) {
        const double after = apli_reading_rate(run->reading, READING_SECONDS);
        result->shares[result->count] = result->cost.bytes / result->seconds[result->count] / ((before + after) / 2);
    }
    result->count++;
    return APL_OK;
}

/* Rates of the rival, and the ratios, repetition by repetition. */
static AplErr compare(AplSeriesResult *result) {
    const int count = result->rival_count;
    if (count == 0 || count != result->count) return APL_OK;
    double *numbers = malloc((size_t)count * sizeof *numbers);
    FAIL_IF(!numbers, APL_WS_FULL, "no memory for %d repetitions", count);
    const double tokens = (double)(result->test.tokens * result->test.sequences);
    for (int i = 0; i < count; i++) numbers[i] = result->rival_rates[i];
    double median = apli_median(numbers, count);
    result->rival = (AplBenchRate){median, numbers[0], numbers[count - 1]};
    for (int i = 0; i < count; i++) numbers[i] = tokens / result->seconds[i] / result->rival_rates[i];
    median = apli_median(numbers, count);
    result->ratio = (AplBenchRate){median, numbers[0], numbers[count - 1]};
    free(numbers);
    return APL_OK;
}

/* Takes the peak since the last call into the series', less the bytes of what measures, which stay in the peak of a system that
   does not set it back. */
static void note_resident(Run *run, int64_t measuring) {
    AplSeries *series = run->series;
    const int64_t less = measuring > run->stays ? measuring : run->stays, peak = apli_resident_peak() - less;
    series->resident_peak = peak > series->resident_peak ? peak : series->resident_peak;
    if (!apli_resident_peak_reset()) run->stays = less;
}

static AplErr repeat(const Run *run, AplSeriesResult *result, bool compared) {
    for (int64_t repetition = 0; repetition < run->plan->repetitions; repetition++) {
        const bool rival_first = repetition % 2;
        if (compared && rival_first) TRY(run_rival(run, result));
        TRY(run_ours(run, result));
        if (compared && !rival_first) TRY(run_rival(run, result));
        if (run->step) TRY(run->step(run->user, run->series, run->series->count - 1, repetition));
    }
    return APL_OK;
}

static AplErr measure(Run *run, const AplBenchTest *test) {
    const int64_t repetitions = run->plan->repetitions;
    AplSeries *series = run->series;
    AplSeriesResult *result = &series->results[series->count];
    const bool compared = run->rival && apli_rival_knows(run->rival, test);
    *result = (AplSeriesResult){.test = *test, .seconds = calloc((size_t)repetitions, sizeof(double)),
                                .rival_rates = calloc((size_t)repetitions, sizeof(double)),
                                .shares = calloc((size_t)repetitions, sizeof(double))};
    series->count++;
    FAIL_IF(!result->seconds || !result->rival_rates || !result->shares, APL_WS_FULL, "no memory for %" PRId64 " repetitions", repetitions);
    double ignored;
    TRY(apli_bench_prepare(run->bench, test));
    TRY(apli_bench_cost(run->bench, &result->cost));
    TRY(apli_bench_once(run->bench, &ignored));
    int64_t reading_bytes = 0;
    note_resident(run, 0);
    if (run->plan->reading && test->kind == APLI_BENCH_DECODE) {
        AplCpu cpu;
        apli_cpu_detect(&cpu);
        /* a quarter of what the model and its cache leave: their pages must stay */
        run->reading = apli_reading_begin(&cpu, apli_parallel_threads(), (apli_memory_allowed() - apli_resident_peak()) / 4, &reading_bytes);
    }
    const AplErr error = repeat(run, result, compared);
    if (!error && run->reading) {
        const double median = apli_median(result->shares, result->count);
        result->share_of_read = (AplBenchRate){median, result->shares[0], result->shares[result->count - 1]};
    }
    apli_reading_end(run->reading);
    run->reading = NULL;
    note_resident(run, reading_bytes);
    TRY(error);
    TRY(apli_bench_rate(test, result->seconds, result->count, &result->rate));
    if (series->load_seconds == 0) series->load_seconds = run->bench->load_seconds;
    return compare(result);
}

static AplErr run_all(Run *run) {
    const AplSeriesPlan *plan = run->plan;
    int64_t least_depth = INT64_MAX;
    run->bench->room = plan->prompt > plan->decode ? plan->prompt : plan->decode;
    for (int depth = 0; depth < plan->depths.count; depth++) {
        const int64_t tokens = plan->depths.values[depth];
        least_depth = tokens < least_depth ? tokens : least_depth;
        for (int thread = 0; thread < plan->threads.count; thread++) {
            AplBenchTest test = {APLI_BENCH_PROMPT, plan->prompt, tokens, 1, (int)plan->threads.values[thread]};
            if (plan->prompt) TRY(measure(run, &test));
            test.kind = APLI_BENCH_DECODE;
            test.tokens = plan->decode;
            if (plan->decode) TRY(measure(run, &test));
        }
    }
    run->bench->room = 0;
    for (int i = 0; i < plan->sequences.count && plan->decode; i++)
        for (int thread = 0; thread < plan->threads.count; thread++) {
            const AplBenchTest test = {APLI_BENCH_DECODE, plan->decode, least_depth, plan->sequences.values[i],
                                       (int)plan->threads.values[thread]};
            TRY(measure(run, &test));
        }
    return APL_OK;
}

AplErr apli_series_run(AplBench *bench, const AplSeriesPlan *plan, const AplRival *rival, AplSeriesStep *step, void *user,
                       AplSeries *series) {
    *series = (AplSeries){.results = calloc((size_t)apli_series_tests(plan) + 1, sizeof *series->results)};
    FAIL_IF(!series->results, APL_WS_FULL, "no memory for %d measurements", apli_series_tests(plan));
    apli_resident_peak_reset();
    Run run = {.bench = bench, .plan = plan, .rival = rival, .step = step, .user = user, .series = series};
    TRY(run_all(&run));
    note_resident(&run, 0);
    int compared = 0;
    for (int i = 0; i < series->count; i++) compared += series->results[i].rival_count > 0;
    FAIL_IF(rival && !compared, APL_FILE_DATA, "%s: its output has no figure of any test", rival->command);
    return APL_OK;
}

void apli_series_free(AplSeries *series) {
    for (int i = 0; i < series->count; i++) {
        free(series->results[i].seconds);
        free(series->results[i].rival_rates);
        free(series->results[i].shares);
    }
    free(series->results);
}
