/* The report of `aplaca bench`, for people and as JSON. */
#include "cli/bench.h"
#include "cli/terminal.h"

#include "isa/isa.h"
#include "os/bandwidth.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* Bytes of the file's tensors by type, the largest first. */
enum { MOST_TYPES = 64 };
typedef struct TypeBytes {
    const char *name;
    double bytes;
} TypeBytes;

static int types_of(const AplGguf *gguf, TypeBytes types[MOST_TYPES]) {
    int count = 0;
    for (uint64_t i = 0; i < apli_gguf_tensor_count(gguf); i++) {
        const AplGgufTensor *tensor = apli_gguf_tensor(gguf, i);
        int at = 0;
        while (at < count && strcmp(types[at].name, tensor->type->name) != 0) at++;
        if (at == MOST_TYPES) continue;
        if (at == count) types[count++] = (TypeBytes){tensor->type->name, 0};
        types[at].bytes += (double)tensor->size;
        for (; at > 0 && types[at].bytes > types[at - 1].bytes; at--) {
            const TypeBytes larger = types[at];
            types[at] = types[at - 1];
            types[at - 1] = larger;
        }
    }
    return count;
}

static double weight_count(const AplGguf *gguf) {
    double count = 0;
    for (uint64_t i = 0; i < apli_gguf_tensor_count(gguf); i++) count += (double)apli_gguf_tensor(gguf, i)->count;
    return count;
}

static const AplCeiling *ceiling_of(const AplBenchReport *report, int threads) {
    for (int i = 0; i < report->plan.threads.count; i++)
        if (report->ceilings[i].threads == threads) return &report->ceilings[i];
    return &report->ceilings[0];
}

/* ---- for people ---------------------------------------------------------------------------------------------- */

static void print_model(const AplBenchReport *report) {
    const AplGguf *gguf = apli_model_gguf(report->model);
    TypeBytes types[MOST_TYPES];
    const int count = types_of(gguf, types);
    size_t length;
    const char *name = apli_model_name(report->model, &length);
    APLI_AUTO_TEXT text = {0};
    apli_text_append_string(&text, "model      ");
    apli_text_append_visible(&text, length ? name : report->path.bytes, length ? length : report->path.length);
    apli_text_printf(&text, "\n           %.4g million weights, %.2f bits each:", weight_count(gguf) / 1e6,
                     apli_model_bits_per_weight(report->model));
    for (int i = 0; i < count; i++) {
        apli_text_printf(&text, "%s %s ", i ? "," : "", types[i].name);
        apli_text_append_bytes(&text, types[i].bytes);
    }
    if (report->made_seconds > 0) apli_text_printf(&text, "; made in %.1f s", report->made_seconds);
    apli_text_append_string(&text, "\n");
    fputs(apli_text_string(&text), stdout);
}

static void print_machine(const AplBenchReport *report) {
    const char *dot = apli_dot_product_name(&report->cpu);
    printf("machine    %s, %s kernels\n", report->cpu.model, apli_kernels()->name);
    if (report->load_average >= 0.5)
        printf("           it was busy before this began (load %.1f): figures may be low, ratios wrong\n",
               report->load_average);
    for (int i = 0; i < report->plan.threads.count && report->ceilings[0].read_bytes > 0; i++) {
        const AplCeiling *ceiling = &report->ceilings[i];
        printf("%-10s %d thread%s %.1f GB/s read, %.0f GFLOP/s (%s)", i ? "" : "ceilings", ceiling->threads,
               ceiling->threads == 1 ? ": " : "s:", ceiling->read_bytes / 1e9, ceiling->float_operations / 1e9,
               apli_arithmetic_name(&report->cpu));
        if (dot) printf(", %.0f GOP/s of bytes (%s)", ceiling->byte_operations / 1e9, dot);
        putchar('\n');
    }
    APLI_AUTO_TEXT peak = {0};
    apli_text_append_bytes(&peak, (double)report->series.resident_peak);
    printf("load       %.2f s; at most %s resident\n", report->series.load_seconds, apli_text_string(&peak));
}

static void print_share(double value, double ceiling) {
    if (ceiling > 0) printf(" %6.1f %%", 100 * value / ceiling);
    else printf(" %8s", "");
}

static bool compared(const AplBenchReport *report) {
    for (int i = 0; i < report->series.count; i++)
        if (report->series.results[i].rival_count > 0) return true;
    return false;
}

static void print_comparison(const AplSeriesResult *result) {
    if (result->rival_count == 0) printf(" %9s", "-");
    else
        printf(" %9.1f %6.2f  %5.2f to %-5.2f %s", result->rival.median, result->ratio.median, result->ratio.low,
               result->ratio.high, result->rival_source == APLI_RIVAL_TIME ? "(its whole time)" : "");
}

static void print_result(const AplBenchReport *report, const AplSeriesResult *result) {
    const AplBenchTest *test = &result->test;
    const AplCeiling *ceiling = ceiling_of(report, test->threads);
    const double runs = result->rate.median / (double)(test->tokens * test->sequences); /* a second */
    const double read = runs * result->cost.bytes, operations = runs * result->cost.operations;
    APLI_AUTO_TEXT name = {0};
    apli_text_printf(&name, "%s %" PRId64, test->kind == APLI_BENCH_PROMPT ? "prompt" : "decode", test->tokens);
    if (test->sequences > 1) apli_text_printf(&name, " ×%" PRId64, test->sequences);
    /* × is one column and two bytes */
    printf("%-*s %6" PRId64 " %7d %9.1f  %7.1f to %-7.1f %7.1f", test->sequences > 1 ? 17 : 16, apli_text_string(&name),
           test->depth, test->threads, result->rate.median, result->rate.low, result->rate.high, read / 1e9);
    if (result->share_of_read.median > 0) print_share(result->share_of_read.median, 1);
    else print_share(read, ceiling->read_bytes);
    printf(" %8.0f", operations / 1e9);
    print_share(operations, ceiling->float_operations);
    print_share(operations, ceiling->byte_operations);
    if (compared(report)) print_comparison(result);
    putchar('\n');
}

void apli_bench_print(const AplBenchReport *report) {
    print_model(report);
    if (report->series.count == 0) return;
    print_machine(report);
    printf("\n%-16s %6s %7s %9s  %-18s %7s %8s %8s %8s %8s%s\n", "test", "depth", "threads", "tokens/s", "slowest to fastest",
           "GB/s", "of read", "GOP/s", "of float", "of bytes",
           compared(report) ? "     rival  ratio  least to most" : "");
    for (int i = 0; i < report->series.count; i++) print_result(report, &report->series.results[i]);
}

/* ---- JSON ---------------------------------------------------------------------------------------------------- */

static json_t *share(double value, double ceiling) { return ceiling > 0 ? json_real(value / ceiling) : json_null(); }
static json_t *measured(double value) { return value > 0 ? json_real(value) : json_null(); }

static json_t *json_result(const AplBenchReport *report, const AplSeriesResult *result) {
    const AplBenchTest *test = &result->test;
    const AplCeiling *ceiling = ceiling_of(report, test->threads);
    const double runs = result->rate.median / (double)(test->tokens * test->sequences);
    const double read = runs * result->cost.bytes, operations = runs * result->cost.operations;
    const bool prompt = test->kind == APLI_BENCH_PROMPT;
    const AplBenchRate *around = &result->share_of_read;
    json_t *seconds = json_array();
    for (int i = 0; i < result->count; i++) json_array_append_new(seconds, json_real(result->seconds[i]));
    json_t *object = json_pack(
        "{s:s, s:I, s:I, s:I, s:I, s:i, s:f, s:f, s:f, s:o, s:f, s:f, s:o, s:f, s:f, s:o, s:o}", "test",
        prompt ? "prompt" : "decode", "n_prompt", (json_int_t)(prompt ? test->tokens : 0), "n_gen",
        (json_int_t)(prompt ? 0 : test->tokens), "n_depth", (json_int_t)test->depth, "sequences",
        (json_int_t)test->sequences, "n_threads", test->threads, "tokens_per_second", result->rate.median, "slowest",
        result->rate.low, "fastest", result->rate.high, "seconds", seconds, "bytes", result->cost.bytes,
        "bytes_per_second", read, "share_of_read", around->median > 0 ? measured(around->median) : share(read, ceiling->read_bytes), "operations",
        result->cost.operations, "operations_per_second", operations, "share_of_float",
        share(operations, ceiling->float_operations), "share_of_bytes", share(operations, ceiling->byte_operations));
    json_object_set_new(object, "share_of_read_least", measured(around->low));
    json_object_set_new(object, "share_of_read_most", measured(around->high));
    if (result->rival_count == 0) return object;
    json_t *rates = json_array();
    for (int i = 0; i < result->rival_count; i++) json_array_append_new(rates, json_real(result->rival_rates[i]));
    json_object_set_new(object, "rival",
                        json_pack("{s:s, s:f, s:o, s:f, s:f, s:f}", "read_from",
                                  apli_rival_source_name(result->rival_source), "tokens_per_second",
                                  result->rival.median, "rates", rates, "ratio", result->ratio.median, "ratio_least",
                                  result->ratio.low, "ratio_most", result->ratio.high));
    return object;
}

static json_t *json_ceilings(const AplBenchReport *report) {
    json_t *ceilings = json_array();
    for (int i = 0; i < report->plan.threads.count && report->ceilings[0].read_bytes > 0; i++)
        json_array_append_new(ceilings, json_pack("{s:i, s:f, s:f, s:f}", "threads", report->ceilings[i].threads,
                                                  "read_bytes_per_second", report->ceilings[i].read_bytes,
                                                  "float_operations_per_second", report->ceilings[i].float_operations,
                                                  "byte_operations_per_second", report->ceilings[i].byte_operations));
    return ceilings;
}

AplErr apli_bench_print_json(const AplBenchReport *report) {
    const AplGguf *gguf = apli_model_gguf(report->model);
    TypeBytes types[MOST_TYPES];
    const int count = types_of(gguf, types);
    json_t *bytes_by_type = json_object(), *results = json_array();
    for (int i = 0; i < count; i++) json_object_set_new(bytes_by_type, types[i].name, json_real(types[i].bytes));
    for (int i = 0; i < report->series.count; i++)
        json_array_append_new(results, json_result(report, &report->series.results[i]));
    size_t length;
    const char *name = apli_model_name(report->model, &length), *dot = apli_dot_product_name(&report->cpu);
    json_t *object = json_pack(
        "{s:s%, s:s, s:f, s:f, s:I, s:o, s:f, s:s, s:s, s:f, s:s, s:o, s:o, s:f, s:I, s:o}", "model", name, length, "file",
        report->path.bytes, "weights", weight_count(gguf), "bits_per_weight", apli_model_bits_per_weight(report->model),
        "file_bytes", (json_int_t)apli_gguf_file_size(gguf), "bytes_by_type", bytes_by_type, "made_seconds",
        report->made_seconds, "processor", report->cpu.model, "kernels", apli_kernels()->name, "load_average", report->load_average, "float_arithmetic",
        apli_arithmetic_name(&report->cpu), "byte_arithmetic", dot ? json_string(dot) : json_null(), "ceilings",
        json_ceilings(report), "load_seconds", report->series.load_seconds, "resident_peak_bytes",
        (json_int_t)report->series.resident_peak, "results", results);
    FAIL_IF(!object, APL_DOMAIN, "the model's name does not fit into JSON");
    if (report->breakdown_count) json_object_set_new(object, "profile", apli_bench_profile_json(report));
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
    return APL_OK;
}
