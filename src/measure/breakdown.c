/* The breakdown: a measured run's entries divided by its steps, and gathered into shares. Measuring costs something itself:
   what an empty entry counts is taken from each, what it costs those around it from the interpreter. */
#include "measure/breakdown.h"

#include "lang/embedded.h"
#include "os/parallel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a model's weights and its context go through. */
static bool is_product(const char *name) {
    static const char *const products[] = {"inner product", "project", "gated", "attention"};
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        if (strcmp(name, products[i]) == 0) return true;
    return false;
}

static int by_cost(const void *a, const void *b) {
    const AplProfileEntry *left = a, *right = b;
    const bool left_line = left->line != APLI_PROFILE_PRIMITIVE, right_line = right->line != APLI_PROFILE_PRIMITIVE;
    if (left_line != right_line) return right_line - left_line;
    return (left->seconds < right->seconds) - (left->seconds > right->seconds);
}

/* Copies the entries; names too, since the functions may go. */
static AplErr copy_entries(const AplProfile *profile, AplBreakdown *breakdown) {
    const AplProfileEntry *entries;
    int count;
    TRY(apli_profile_entries(profile, &entries, &count));
    breakdown->entries = calloc((size_t)count + 1, sizeof *breakdown->entries);
    breakdown->calls = calloc((size_t)count + 1, sizeof *breakdown->calls);
    FAIL_IF(!breakdown->entries || !breakdown->calls, APL_WS_FULL, "no memory for a profile of %d entries", count);
    for (; breakdown->count < count; breakdown->count++) {
        AplProfileEntry *entry = &breakdown->entries[breakdown->count];
        *entry = entries[breakdown->count];
        entry->name = strdup(entry->name);
        FAIL_IF(!entry->name, APL_WS_FULL, "no memory for a profile of %d entries", count);
    }
    qsort(breakdown->entries, (size_t)count, sizeof *entries, by_cost);
    return APL_OK;
}

/* From sums over a run to a step's shares. `seconds` is a step's of that run. */
static void divide(AplBreakdown *breakdown, double steps, double seconds, AplProfileCost cost) {
    for (int i = 0; i < breakdown->count; i++) {
        AplProfileEntry *entry = &breakdown->entries[i];
        breakdown->calls[i] = (double)entry->calls / steps;
        breakdown->probes += breakdown->calls[i];
        entry->seconds = fmax(entry->seconds - (double)entry->calls * cost.inside, 0) / steps;
        entry->waiting /= steps;
        entry->interpreter = fmax(entry->interpreter - (double)entry->calls * cost.inside, 0) / steps;
        if (entry->line != APLI_PROFILE_PRIMITIVE) continue;
        breakdown->waiting += entry->waiting;
        *(is_product(entry->name) ? &breakdown->products : &breakdown->small) += entry->seconds - entry->waiting;
    }
    breakdown->probe_seconds = cost.inside + cost.outside;
    const double parts = breakdown->products + breakdown->small + breakdown->waiting;
    breakdown->interpreter = fmax(seconds - breakdown->probes * breakdown->probe_seconds - parts, 0);
    breakdown->whole = parts + breakdown->interpreter;
}

enum { PASSES = 3 }; /* a run that something else disturbed tells nothing */

static AplErr time_plainly(AplBench *bench, double *seconds) {
    for (int pass = 0; pass < PASSES; pass++) {
        double taken;
        TRY(apli_bench_once(bench, &taken));
        *seconds = pass == 0 || taken < *seconds ? taken : *seconds;
    }
    return APL_OK;
}

static AplErr run_measured(AplBench *bench, AplProfile *profile, double *seconds) {
    AplEnv *env = &bench->engine->session->env;
    env->profile = profile;
    apli_parallel_time(APLI_WAITING_TIMED);
    AplErr error = apli_bench_step(bench, seconds);
    apli_parallel_time(APLI_NOTHING_TIMED);
    env->profile = NULL;
    TRY(error);
    return apli_bench_forget(bench);
}

/* The profile of the fastest of some runs, owned by the caller also when it fails. */
static AplErr profile_fastest(AplBench *bench, AplProfile **fastest, double *seconds) {
    for (int pass = 0; pass < PASSES; pass++) {
        AplProfile *profile;
        double taken = 0;
        TRY(apli_profile_new(&profile));
        AplErr error = run_measured(bench, profile, &taken);
        const bool better = !error && (!*fastest || taken < *seconds);
        apli_profile_free(better ? *fastest : profile);
        if (better) {
            *fastest = profile;
            *seconds = taken;
        }
        TRY(error);
    }
    return APL_OK;
}

AplErr apli_breakdown_run(AplBench *bench, const AplBenchTest *test, AplBreakdown *breakdown) {
    const double steps = test->kind == APLI_BENCH_PROMPT ? 1 : (double)test->tokens;
    const AplProfileCost cost = apli_profile_cost();
    AplProfile *profile = NULL;
    double seconds = 0;
    *breakdown = (AplBreakdown){.test = *test};
    TRY(apli_bench_prepare(bench, test));
    TRY(time_plainly(bench, &breakdown->plain));
    breakdown->plain /= steps;
    AplErr error = profile_fastest(bench, &profile, &seconds);
    if (!error) error = copy_entries(profile, breakdown);
    if (!error) divide(breakdown, steps, seconds / steps, cost);
    apli_profile_free(profile);
    return error;
}

void apli_breakdown_free(AplBreakdown *breakdown) {
    for (int i = 0; i < breakdown->count; i++) free((char *)(uintptr_t)breakdown->entries[i].name);
    free(breakdown->entries);
    free(breakdown->calls);
    *breakdown = (AplBreakdown){0};
}

static double seconds_of(const AplBreakdown *breakdown, const char *name, int32_t line) {
    for (int i = 0; i < breakdown->count; i++)
        if (breakdown->entries[i].line == line && strcmp(breakdown->entries[i].name, name) == 0)
            return breakdown->entries[i].seconds;
    return 0;
}

double apli_breakdown_line(const AplBreakdown *breakdown, const char *name, int32_t line) {
    return seconds_of(breakdown, name, line);
}

double apli_breakdown_primitive(const AplBreakdown *breakdown, const char *name) {
    return seconds_of(breakdown, name, APLI_PROFILE_PRIMITIVE);
}

/* ---- the page ------------------------------------------------------------------------------------------------ */

static size_t skip_blanks(const char *text, size_t at, size_t length) {
    while (at < length && text[at] == ' ') at++;
    return at;
}

/* The name in a header `∇R←A name B;locals`, without its ∇: the last word but the right argument, unless it is the only
   one. */
static void read_name(const char *header, size_t length, char name[64]) {
    static const char arrow[] = "←";
    const char *locals = memchr(header, ';', length);
    if (locals) length = (size_t)(locals - header);
    const char *result = memmem(header, length, arrow, strlen(arrow));
    size_t at = result ? (size_t)(result - header) + strlen(arrow) : 0, begin[3], end[3];
    int words = 0;
    while (words < 3 && (at = skip_blanks(header, at, length)) < length) {
        begin[words] = at;
        while (at < length && header[at] != ' ') at++;
        end[words++] = at;
    }
    const int which = words == 3 ? 1 : 0;
    const size_t size = words ? end[which] - begin[which] : 0;
    if (size < 64) memcpy(name, header + begin[which], size);
    name[size < 64 ? size : 0] = 0;
}

/* Whether the function whose header ends at `text` is bound to a kernel: before its last ∇. */
static bool has_kernel(const char *text, const char *end) {
    static const char del[] = "\n∇", kernel[] = "⍝ kernel: ";
    const char *last = memmem(text, (size_t)(end - text), del, strlen(del));
    return last && memmem(text, (size_t)(last - text), kernel, strlen(kernel));
}

void apli_page_lines(void (*visit)(void *user, const AplPageLine *line), void *user) {
    static const char del[] = "∇";
    for (const AplEmbeddedFile *file = apli_embedded_files; file->name; file++) {
        AplPageLine line = {.file = file->name};
        bool inside = false;
        const char *end = file->text + file->length;
        for (const char *next = file->text; next < end;) {
            const char *newline = memchr(next, '\n', (size_t)(end - next));
            line.text = next;
            line.length = (size_t)((newline ? newline : end) - next);
            next += line.length + (newline != NULL);
            line.fused = false;
            const bool turns = line.length >= strlen(del) && memcmp(line.text, del, strlen(del)) == 0;
            if (turns && !inside) {
                read_name(line.text + strlen(del), line.length - strlen(del), line.function);
                line.line = 0;
                line.fused = has_kernel(line.text + line.length, end);
                inside = true;
            } else if (turns) {
                line.function[0] = 0;
                inside = false;
            } else if (inside) {
                line.line++;
            }
            visit(user, &line);
        }
    }
}
