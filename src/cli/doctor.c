/* aplaca doctor: what this machine offers and what is used of it. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "cli/command.h"
#include "cli/default_model.h"
#include "cli/option.h"
#include "cli/run.h"
#include "cli/terminal.h"

#include "isa/isa.h"
#include "os/bandwidth.h"
#include "os/cpu.h"
#include "os/cache_file.h"
#include "os/limits.h"
#include "os/topology.h"

#include <histedit.h>
#include <inttypes.h>
#include <jansson.h>
#include <pcre2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

static const char about[] =
    "Shows the processor and its features, the kernels chosen, threads, memory, the libraries and the model\n"
    "found, and the measured ceilings: memory read and arithmetic, on one thread and on all.";

typedef struct Findings {
    AplCpu cpu;
    AplTopology topology;
    int threads[2];                     /* that the ceilings are measured with */
    int measured;                       /* how many of them differ */
    double bandwidth[2], arithmetic[2]; /* bytes, operations a second */
    AplText features, kernels, model, model_problem;
    uint64_t weight_bytes; /* that a token reads; 0 without a model */
    char pcre2[32];
} Findings;

static AplErr find_model(Findings *findings) {
    AplModel *model;
    TRY(apli_model_path(NULL, &findings->model));
    TRY(apli_model_open(findings->model.bytes, &model));
    findings->weight_bytes = apli_model_weight_bytes(model, 0);
    apli_model_close(model);
    return APL_OK;
}

static AplErr gather(Findings *findings, double seconds) {
    apli_cpu_detect(&findings->cpu);
    apli_topology_detect(&findings->topology);
    for (int i = 0; i < APLI_CPU_FEATURE_COUNT; i++)
        if (apli_cpu_has(&findings->cpu, (AplCpuFeature)i))
            apli_text_printf(&findings->features, "%s%s", findings->features.length ? " " : "",
                             apli_cpu_feature_name((AplCpuFeature)i));
    for (int i = 0; apli_kernels_at(i); i++)
        apli_text_printf(&findings->kernels, "%s%s", i ? " " : "", apli_kernels_at(i)->name);
    pcre2_config(PCRE2_CONFIG_VERSION, findings->pcre2);
    if (find_model(findings) != APL_OK)
        apli_text_append_string(&findings->model_problem, apli_error_message());
    TRY(apli_text_status(&findings->features));
    findings->threads[0] = 1;
    findings->threads[1] = findings->topology.threads;
    findings->measured = findings->topology.threads > 1 ? 2 : 1;
    if (seconds <= 0) return APL_OK;
    apli_measure_arithmetic(&findings->cpu, findings->threads, findings->measured, seconds,
                            findings->arithmetic);
    return apli_measure_bandwidth(&findings->cpu, findings->threads, findings->measured, seconds,
                                  findings->bandwidth);
}

static void print_line(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void print_line(const char *name, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("%-12s ", name);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
}

/* "8 cores (4 for efficiency; 2 far slower ones left out), 16 processors, quota 1.5, 2 memory nodes" */
static void describe_topology(const AplTopology *topology, AplText *text) {
    apli_text_printf(text, "%d core%s", topology->cores, topology->cores == 1 ? "" : "s");
    if (topology->efficiency) apli_text_printf(text, ", %d of them for efficiency", topology->efficiency);
    if (topology->left_out) apli_text_printf(text, ", %d left out for less than half the speed", topology->left_out);
    if (topology->processors != topology->cores) apli_text_printf(text, ", %d processors", topology->processors);
    if (topology->quota > 0) apli_text_printf(text, ", a quota of %.3g", topology->quota);
    if (topology->nodes > 1) apli_text_printf(text, ", %d memory nodes: pages in turn", topology->nodes);
}

static void print_text(const Findings *findings) {
    const AplCpu *cpu = &findings->cpu;
    APLI_AUTO_TEXT memory = {0};
    apli_text_append_bytes(&memory, (double)apli_memory_allowed());
    apli_text_append_string(&memory, " allowed, of ");
    apli_text_append_bytes(&memory, (double)apli_memory_total());
    print_line("aplaca", "%s", APLI_VERSION);
    print_line("processor", "%s", cpu->model);
    print_line("features", "%s", apli_text_string(&findings->features));
    print_line("caches", "%" PRId64 " kB, %" PRId64 " kB, %.1f MB shared by %d", cpu->level1_bytes / 1024,
               cpu->level2_bytes / 1024, (double)cpu->level3_bytes / (1 << 20), cpu->level3_sharers);
    print_line("kernels", "%s (of %s)", apli_kernels()->name, apli_text_string(&findings->kernels));
    if (apli_isa_complaint()) print_line("", "%s", apli_isa_complaint());
    if (apli_cache_complaint()) print_line("cache", "%s", apli_cache_complaint());
    APLI_AUTO_TEXT topology = {0};
    describe_topology(&findings->topology, &topology);
    print_line("threads", "%d: %s", findings->topology.threads, apli_text_string(&topology));
    print_line("memory", "%s", apli_text_string(&memory));
    for (int i = 0; i < findings->measured && findings->bandwidth[0] > 0; i++)
        print_line(i ? "" : "measured", "%.1f GB/s read, %.0f GFLOP/s (%s) on %d thread%s",
                   findings->bandwidth[i] / 1e9, findings->arithmetic[i] / 1e9, apli_arithmetic_name(cpu),
                   findings->threads[i], findings->threads[i] == 1 ? "" : "s");
    print_line("libraries", "jansson %s, PCRE2 %s, utf8proc %s, libedit %d.%d",
               jansson_version_str(), findings->pcre2, utf8proc_version(), LIBEDIT_MAJOR, LIBEDIT_MINOR);
    if (findings->model_problem.length) {
        print_line("model", "%s", findings->model_problem.bytes);
        return;
    }
    print_line("model", "%s", apli_text_string(&findings->model));
    const double bandwidth = findings->bandwidth[findings->measured - 1];
    if (bandwidth > 0)
        print_line("bound", "%.0f tokens/s: each reads %.1f MB of weights",
                   bandwidth / (double)findings->weight_bytes, (double)findings->weight_bytes / 1e6);
}

static json_t *json_or_null(const AplText *text) {
    return text->length ? json_string(text->bytes) : json_null();
}

static AplErr print_json(const Findings *findings) {
    json_t *measured = json_array();
    for (int i = 0; i < findings->measured && findings->bandwidth[0] > 0; i++)
        json_array_append_new(measured, json_pack("{s:i, s:f, s:f}", "threads", findings->threads[i],
                                                  "read_bytes_per_second", findings->bandwidth[i],
                                                  "operations_per_second", findings->arithmetic[i]));
    const bool model = findings->model_problem.length == 0;
    char libedit[32];
    snprintf(libedit, sizeof libedit, "%d.%d", LIBEDIT_MAJOR, LIBEDIT_MINOR);
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:{s:i, s:i, s:i, s:i, s:f, s:i}, s:I, s:I, s:o, s:{s:s, s:s, s:s, s:s}, s:o, s:o, s:I}",
        "version", APLI_VERSION, "processor", findings->cpu.model, "features",
        apli_text_string(&findings->features), "kernels", apli_kernels()->name, "kernels_available",
        apli_text_string(&findings->kernels), "complaint",
        apli_isa_complaint()     ? json_string(apli_isa_complaint())
        : apli_cache_complaint() ? json_string(apli_cache_complaint())
                                 : json_null(),
        "threads",
        findings->topology.threads, "topology", "processors", findings->topology.processors, "cores", findings->topology.cores,
        "efficiency_cores", findings->topology.efficiency, "cores_left_out", findings->topology.left_out, "quota",
        findings->topology.quota, "memory_nodes", findings->topology.nodes, "memory_allowed", (json_int_t)apli_memory_allowed(), "memory_total",
        (json_int_t)apli_memory_total(), "measured", measured, "libraries", "jansson", jansson_version_str(),
        "pcre2", findings->pcre2, "utf8proc", utf8proc_version(), "libedit", libedit,
        "model", model ? json_or_null(&findings->model) : json_null(), "model_problem",
        json_or_null(&findings->model_problem), "weight_bytes_per_token", (json_int_t)findings->weight_bytes);
    FAIL_IF(!object, APL_WS_FULL, "no memory for the JSON");
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
    return APL_OK;
}

int command_doctor(int count, char **arguments) {
    double seconds = 0.3;
    bool json = false;
    const AplOption options[] = {
        {"--seconds", APLI_OPTION_REAL, &seconds, "S",
         "how long to measure each ceiling; 0: not at all (0.3)", 0, 3600},
        {"--json", APLI_OPTION_FLAG, &json, NULL, "print one JSON object", 0, 0},
    };
    const AplSyntax syntax = {
        "doctor",  "aplaca doctor [OPTIONS]", about, options, sizeof options / sizeof *options, 0, 0,
        "argument"};
    int operands, status = apli_options_parse(&syntax, count, arguments, &operands);
    if (status >= 0) return status;
    Findings findings = {0};
    AplErr error = gather(&findings, seconds);
    if (!error) {
        if (json) error = print_json(&findings);
        else print_text(&findings);
    }
    apli_text_free(&findings.features);
    apli_text_free(&findings.kernels);
    apli_text_free(&findings.model);
    apli_text_free(&findings.model_problem);
    return error ? apli_complain(error) : 0;
}
