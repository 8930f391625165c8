/* aplaca bench: how fast a model is here, against what the machine allows. */
#include "cli/bench.h"
#include "cli/command.h"
#include "cli/default_model.h"
#include "cli/option.h"
#include "cli/terminal.h"

#include "model/random_model.h"
#include "os/clock.h"
#include "os/limits.h"
#include "os/threads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "Measures how fast a model evaluates a prompt and generates, at depths of the context and numbers of threads,\n"
    "against what this machine allows: bytes read from memory and arithmetic, both measured here. A test runs\n"
    "once unmeasured and then -r times; the table has the middle run and the spread. What a decode reads is compared\n"
    "with plain reading for 0.05 s before and after each of its runs, since neighbours take bandwidth by the minute.\n"
    "The model is a file, or with --shape one with random weights, made in memory: matrices in Q8_0 (8 bits), Q4_0\n"
    "(4), TQ2_0 (2, ternary), IQ2_BN (bitnet, which ik_llama.cpp reads) or Q1_0 (1), embedding and output as the quantize\n"
    "programs of these have them at that width.\n"
    "In the COMMAND of --against, {model} {prompt} {decode} {depth} {threads} {sequences} stand for the test's. Its\n"
    "figure is read from JSON, as llama-bench -o json and aplaca bench --json print it, or by --against-regex; from\n"
    "anything else, it is the test's tokens by the command's whole time. For example:\n"
    "  --against 'llama-bench -m {model} -p {prompt} -n {decode} -t {threads} -r 1 -o json'";

typedef struct Arguments {
    const char *named; /* the model's file, or NULL */
    AplRandomModel random; /* shape NULL: none */
    const char *save;
    AplRival rival; /* command NULL: none */
    AplModelOptions model;
    double seconds;
    int64_t chunk;
    bool profile, json;
} Arguments;

typedef struct Progress {
    AplProgress bar;
    int64_t tests, repetitions;
} Progress;

static AplErr show_progress(void *user, const AplSeries *series, int result, int64_t repetition) {
    Progress *progress = user;
    const AplBenchTest *test = &series->results[result].test;
    APLI_AUTO_TEXT note = {0};
    apli_text_printf(&note, "%s %" PRId64 " at %" PRId64 ", %d thread%s",
                     test->kind == APLI_BENCH_PROMPT ? "prompt" : "decode", test->tokens, test->depth, test->threads,
                     test->threads == 1 ? "" : "s");
    apli_progress_show(&progress->bar, result * progress->repetitions + repetition + 1,
                       progress->tests * progress->repetitions, apli_text_string(&note));
    return APL_OK;
}

/* The model's file: the one named, or a new one, in memory unless it is to be kept. */
static AplErr find_file(const Arguments *arguments, AplBenchReport *report, AplNewFile **file) {
    if (!arguments->random.shape) return apli_model_path(arguments->named, &report->path);
    const double begin = apli_clock_seconds();
    if (arguments->save) TRY(apli_new_file(arguments->save, file));
    else TRY(apli_new_file_in_memory("random model", file));
    AplRandomModel random = arguments->random;
    if (!random.precision) random.precision = "4";
    TRY(apli_random_model_write(&random, *file));
    report->made_seconds = apli_clock_seconds() - begin;
    apli_text_append_string(&report->path, apli_new_file_path(*file));
    return apli_text_status(&report->path);
}

/* A token's and a prompt's breakdown, at the first depth, by the most threads. */
static AplErr profile(AplBenchReport *report) {
    const AplSeriesPlan *plan = &report->plan;
    int64_t threads = 1;
    for (int i = 0; i < plan->threads.count; i++)
        threads = plan->threads.values[i] > threads ? plan->threads.values[i] : threads;
    const AplBenchTest tests[] = {{APLI_BENCH_DECODE, plan->decode, plan->depths.values[0], 1, (int)threads},
                                  {APLI_BENCH_PROMPT, plan->prompt, plan->depths.values[0], 1, (int)threads}};
    for (int i = 0; i < 2; i++)
        if (tests[i].tokens)
            TRY(apli_breakdown_run(&report->bench, &tests[i], &report->breakdowns[report->breakdown_count++]));
    return APL_OK;
}

static AplErr measure(const Arguments *arguments, AplBenchReport *report, AplNewFile **file) {
    Progress progress = {.tests = apli_series_tests(&report->plan), .repetitions = report->plan.repetitions};
    apli_memory_set_limit((size_t)apli_memory_allowed());
    TRY(find_file(arguments, report, file));
    if (progress.tests == 0) {
        TRY(apli_model_open(report->path.bytes, &report->opened));
        report->model = report->opened;
        return APL_OK;
    }
    if (getloadavg(&report->load_average, 1) < 1) report->load_average = -1;
    apli_cpu_detect(&report->cpu);
    TRY(apli_measure_ceilings(&report->cpu, &report->plan.threads, arguments->seconds, report->ceilings));
    report->bench = (AplBench){.path = report->path.bytes, .chunk = arguments->chunk, .seed = arguments->random.seed,
                               .options = {.layers = arguments->random.shape ? 0 : arguments->model.layers,
                                           .exact = arguments->model.exact, .plain = arguments->model.plain,
                                           .kv = (AplCacheType)arguments->model.kv}};
    report->plan.reading = arguments->seconds > 0;
    AplErr error = apli_series_run(&report->bench, &report->plan, arguments->rival.command ? &arguments->rival : NULL,
                                   show_progress, &progress, &report->series);
    apli_progress_end(&progress.bar);
    if (!error && arguments->profile) error = profile(report);
    if (!error) report->model = report->bench.engine->model;
    return error;
}

static int check(const Arguments *arguments, const AplSeriesPlan *plan) {
    if (arguments->random.shape && arguments->named)
        return apli_complain_usage("bench", "a MODEL and --shape: which one?");
    if (!arguments->random.shape && arguments->random.precision)
        return apli_complain_usage("bench", "--bits is of the model that --shape makes, and there is no --shape");
    if (!arguments->random.shape && arguments->save)
        return apli_complain_usage("bench", "--save keeps the model that --shape makes, and there is no --shape");
    if (arguments->rival.pattern && !arguments->rival.command)
        return apli_complain_usage("bench", "--against-regex reads what the command of --against prints, and there is none");
    if (apli_series_tests(plan) == 0 && !arguments->save)
        return apli_complain_usage("bench", "with -p 0 and -n 0 there is nothing to measure");
    return -1;
}

int command_bench(int count, char **arguments) {
    Arguments given = {.random = {.seed = 1}, .seconds = 0.3};
    AplBenchReport report = {.plan = {.prompt = 512, .decode = 128, .depths = {{0}, 1}, .repetitions = 3}};
    AplSeriesPlan *plan = &report.plan;
    int64_t seed = 1;
    AplOptionIntegers depths = {plan->depths.values, APLI_SERIES_MOST, &plan->depths.count},
                      threads = {plan->threads.values, APLI_SERIES_MOST, &plan->threads.count},
                      sequences = {plan->sequences.values, APLI_SERIES_MOST, &plan->sequences.count};
    const AplOption options[] = {
        {"--shape", APLI_OPTION_TEXT, &given.random.shape, "SHAPE",
         "random weights: tinyllama, mistral-7b, smollm2, llama-8b", 0, 0},
        {"--bits", APLI_OPTION_TEXT, &given.random.precision, "BITS", "of a weight: 8, 4, 2, ternary, bitnet or 1 (4)", 0, 0},
        {"--layers", APLI_OPTION_INTEGER, &given.model.layers, "N", "of a shape, or the first N of a MODEL (all)", 1, 65536},
        {"--seed", APLI_OPTION_INTEGER, &seed, "SEED", "of weights and tokens (1)", 0, 9e18},
        {"--save", APLI_OPTION_TEXT, &given.save, "FILE", "keep the random model as a GGUF file", 0, 0},
        {"-p", APLI_OPTION_INTEGER, &plan->prompt, "COUNT", "tokens of a prompt; 0: no prompt (512)", 0, 1 << 20},
        {"-n", APLI_OPTION_INTEGER, &plan->decode, "COUNT", "tokens generated one by one; 0: none (128)", 0, 1 << 20},
        {"--depth", APLI_OPTION_INTEGERS, &depths, "LIST", "tokens that the context holds already, as 0,1024,4096 (0)", 0,
         1 << 20},
        {"--threads", APLI_OPTION_INTEGERS, &threads, "LIST", "how many threads compute, as 1,2 (1 and all)", 1,
         APLI_MOST_THREADS},
        {"--sequences", APLI_OPTION_INTEGERS, &sequences, "LIST",
         "also generate in so many sequences at once, at the least depth, as 8", 2, 256},
        {"-r", APLI_OPTION_INTEGER, &plan->repetitions, "COUNT", "repetitions of each test (3)", 1, 1000},
        {"--chunk", APLI_OPTION_INTEGER, &given.chunk, "N", "prompt tokens evaluated at once (the engine's choice)", 1,
         1 << 20},
        {"--against", APLI_OPTION_TEXT, &given.rival.command, "COMMAND", "run another program by turns with each test, and compare",
         0, 0},
        {"--against-regex", APLI_OPTION_TEXT, &given.rival.pattern, "REGEX",
         "its tokens a second are the first group's last match in what it prints", 0, 0},
        {"--profile", APLI_OPTION_FLAG, &given.profile, NULL,
         "tell where the time goes, at the first depth: by primitive, and by line of the page", 0, 0},
        {"--kv", APLI_OPTION_CHOICE, &given.model.kv, APLI_CACHE_TYPES, APLI_CACHE_HELP, 0, 0},
        {"--exact", APLI_OPTION_FLAG, &given.model.exact, NULL,
         "products take activations in f32, not rounded to 8 bits in groups of 16", 0, 0},
        {"--no-fused", APLI_OPTION_FLAG, &given.model.plain, NULL, "run the APL text itself, without fused kernels", 0, 0},
        {"--seconds", APLI_OPTION_REAL, &given.seconds, "S",
         "how long to measure each of the machine's ceilings; 0: not at all (0.3)", 0, 3600},
        {"--json", APLI_OPTION_FLAG, &given.json, NULL, "print one JSON object", 0, 0},
    };
    const AplSyntax syntax = {"bench", "aplaca bench [MODEL.gguf | --shape SHAPE] [OPTIONS]", about, options,
                              sizeof options / sizeof *options, 0, 1, "model"};
    int operands, status = apli_options_parse(&syntax, count, arguments, &operands);
    if (status >= 0) return status;
    given.named = operands ? arguments[0] : NULL;
    given.random.seed = (uint64_t)seed;
    given.random.layers = given.model.layers;
    if (plan->threads.count == 0) {
        const int all = apli_processor_count();
        plan->threads = (AplSeriesList){{1, all}, all > 1 ? 2 : 1};
    }
    status = check(&given, plan);
    AplNewFile *file = NULL;
    AplErr error = status < 0 ? measure(&given, &report, &file) : APL_OK;
    if (status < 0 && !error) {
        if (given.json) error = apli_bench_print_json(&report);
        else {
            apli_bench_print(&report);
            apli_bench_print_profile(&report);
        }
    }
    apli_series_free(&report.series);
    for (int i = 0; i < report.breakdown_count; i++) apli_breakdown_free(&report.breakdowns[i]);
    apli_bench_end(&report.bench);
    apli_model_close(report.opened);
    apli_new_file_free(file);
    apli_text_free(&report.path);
    return status >= 0 ? status : error ? apli_complain(error) : 0;
}
