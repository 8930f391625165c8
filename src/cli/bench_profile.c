/* `aplaca bench --profile`: shares, primitives, and the page of APL with its costs in the margin. */
#include "cli/bench.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { MARGIN = 16 };

static const char *name_of(const AplBreakdown *breakdown) {
    return breakdown->test.kind == APLI_BENCH_PROMPT ? "prompt" : "token";
}

/* 12.3 µs, 4.56 ms, 1.2 s in eight columns. */
static void print_seconds(double seconds) {
    if (seconds < 1e-3) printf("%6.1f µs", seconds * 1e6);
    else if (seconds < 1) printf("%6.2f ms", seconds * 1e3);
    else printf("%6.2f s ", seconds);
}

static void print_share(const AplBreakdown *breakdown, const char *what, double seconds) {
    printf("  %-42s ", what);
    print_seconds(seconds);
    printf(" %6.1f %%\n", 100 * seconds / breakdown->whole);
}

static void print_breakdown(const AplBreakdown *breakdown) {
    const AplBenchTest *test = &breakdown->test;
    printf("\na %s", name_of(breakdown));
    if (test->kind == APLI_BENCH_PROMPT) printf(" of %" PRId64 " tokens", test->tokens);
    printf(" at depth %" PRId64 " on %d thread%s takes ", test->depth, test->threads, test->threads == 1 ? "" : "s");
    print_seconds(breakdown->plain);
    printf("; measured in parts, ");
    print_seconds(breakdown->whole);
    printf(",\nwithout what measuring takes itself (%.0f parts, %.0f ns each)\n", breakdown->probes,
           breakdown->probe_seconds * 1e9);
    print_share(breakdown, "products and attention", breakdown->products);
    print_share(breakdown, "small operations", breakdown->small);
    print_share(breakdown, "waking threads and waiting for them", breakdown->waiting);
    print_share(breakdown, "interpreter", breakdown->interpreter);
    printf("\n  %-24s %8s %12s %12s %9s\n", "primitive", "calls", "time", "of it waits", "share");
    for (int i = 0; i < breakdown->count; i++) {
        const AplProfileEntry *entry = &breakdown->entries[i];
        if (entry->line != APLI_PROFILE_PRIMITIVE) continue;
        printf("  %-24s %8.0f    ", entry->name, breakdown->calls[i]);
        print_seconds(entry->seconds);
        printf("    ");
        print_seconds(entry->waiting);
        printf("  %6.1f %%\n", 100 * entry->seconds / breakdown->whole);
    }
}

/* ---- the page ------------------------------------------------------------------------------------------------ */

static void print_margin(const AplBreakdown *breakdown, double seconds, bool fused) {
    if (seconds <= 0) {
        printf("%*s", MARGIN + 4, "");
        return;
    }
    print_seconds(seconds);
    printf(fused ? " (%4.1f %%)  " : "  %4.1f %%   ", 100 * seconds / breakdown->whole);
}

static void print_line(void *user, const AplPageLine *line) {
    const AplBenchReport *report = user;
    for (int i = 0; i < report->breakdown_count; i++) {
        const AplBreakdown *breakdown = &report->breakdowns[i];
        if (line->fused) print_margin(breakdown, apli_breakdown_primitive(breakdown, line->function), true);
        else print_margin(breakdown, line->function[0] ? apli_breakdown_line(breakdown, line->function, line->line) : 0, false);
    }
    printf("%.*s\n", (int)line->length, line->text);
}

void apli_bench_print_profile(const AplBenchReport *report) {
    for (int i = 0; i < report->breakdown_count; i++) print_breakdown(&report->breakdowns[i]);
    if (report->breakdown_count == 0) return;
    printf("\nThe page: each line's time in a step, without the lines that it calls; in parentheses that of a function which\n"
           "runs as a kernel, and is part of the lines that call it.\n\n");
    for (int i = 0; i < report->breakdown_count; i++) printf("%-*s", MARGIN + 4, name_of(&report->breakdowns[i]));
    printf("\n");
    apli_page_lines(print_line, (void *)(uintptr_t)report);
}

/* ---- JSON ---------------------------------------------------------------------------------------------------- */

static json_t *json_breakdown(const AplBreakdown *breakdown) {
    json_t *lines = json_array(), *primitives = json_array();
    for (int i = 0; i < breakdown->count; i++) {
        const AplProfileEntry *entry = &breakdown->entries[i];
        if (entry->line == APLI_PROFILE_PRIMITIVE)
            json_array_append_new(primitives, json_pack("{s:s, s:f, s:f, s:f}", "primitive", entry->name, "calls",
                                                        breakdown->calls[i], "seconds", entry->seconds, "waiting_seconds",
                                                        entry->waiting));
        else
            json_array_append_new(lines, json_pack("{s:s, s:i, s:f, s:f, s:f}", "function", entry->name, "line", (int)entry->line,
                                                   "calls", breakdown->calls[i], "seconds", entry->seconds,
                                                   "interpreter_seconds", entry->interpreter));
    }
    return json_pack("{s:s, s:I, s:I, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:o}", "step", name_of(breakdown), "tokens",
                     (json_int_t)breakdown->test.tokens, "n_depth", (json_int_t)breakdown->test.depth, "n_threads",
                     breakdown->test.threads, "seconds", breakdown->plain, "measured_seconds", breakdown->whole,
                     "product_seconds", breakdown->products, "small_seconds", breakdown->small, "waiting_seconds",
                     breakdown->waiting, "interpreter_seconds", breakdown->interpreter, "lines", lines, "primitives",
                     primitives);
}

json_t *apli_bench_profile_json(const AplBenchReport *report) {
    json_t *breakdowns = json_array();
    for (int i = 0; i < report->breakdown_count; i++)
        json_array_append_new(breakdowns, json_breakdown(&report->breakdowns[i]));
    return breakdowns;
}
