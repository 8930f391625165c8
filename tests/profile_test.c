/* prim/profile and measure/breakdown: where time goes is told without loss and without counting it twice. */
#include "measure/breakdown.h"
#include "model/random_model.h"
#include "os/clock.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void spend(double seconds) {
    const double begin = apli_clock_seconds();
    while (apli_clock_seconds() - begin < seconds) continue;
}

static const AplProfileEntry *find(const AplProfile *profile, const char *name, int32_t line) {
    const AplProfileEntry *entries;
    int count;
    assert_int_equal(apli_profile_entries(profile, &entries, &count), APL_OK);
    for (int i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0 && entries[i].line == line) return &entries[i];
    fail_msg("no entry %s %d", name, (int)line);
    return NULL;
}

static void a_line_counts_without_lines_and_a_primitive_without_primitives(void **state) {
    (void)state;
    AplProfile *profile;
    const char *outer = "outer", *inner = "inner", *each = "each", *add = "add";
    assert_int_equal(apli_profile_new(&profile), APL_OK);
    const double begin = apli_clock_seconds();
    apli_profile_enter(profile, outer, outer, 3); /* a line 1 ms, in it: */
    spend(0.001);
    apli_profile_enter(profile, each, each, APLI_PROFILE_PRIMITIVE); /* a primitive 20 ms, that calls */
    spend(0.02);
    apli_profile_enter(profile, inner, inner, 1); /* a line 40 ms, */
    spend(0.04);
    apli_profile_enter(profile, add, add, APLI_PROFILE_PRIMITIVE); /* with another primitive, 80 ms */
    spend(0.08);
    apli_profile_leave(profile);
    apli_profile_leave(profile);
    apli_profile_leave(profile);
    apli_profile_leave(profile);
    const double whole = apli_clock_seconds() - begin;
    /* the clock goes on while something else runs, so that only sums and least times are certain */
    const AplProfileEntry *line = find(profile, "outer", 3), *called = find(profile, "inner", 1);
    const double prims[] = {find(profile, "each", -1)->seconds, find(profile, "add", -1)->seconds};
    assert_true(prims[0] >= 0.02 && prims[1] >= 0.08 && called->interpreter >= 0.04 && line->interpreter >= 0.001);
    assert_true(fabs(called->seconds - called->interpreter - prims[1]) < 1e-9);
    assert_true(fabs(line->seconds - line->interpreter - prims[0]) < 1e-9);
    assert_true(whole - line->seconds - called->seconds >= 0);
    for (int i = 0; i < 1000; i++) { /* more than there is room for at first */
        apli_profile_enter(profile, outer, outer, 100 + i);
        if (i % 2) apli_profile_leave(profile);
    }
    for (int i = 0; i < 500; i++) apli_profile_leave(profile);
    apli_profile_leave(profile); /* one too many does nothing */
    assert_int_equal(find(profile, "outer", 1099)->calls, 1);
    apli_profile_free(profile);
}

static bool is_one_of(const char *name, const char *const *names) {
    while (*names && strcmp(name, *names) != 0) names++;
    return *names;
}

static void the_shares_of_a_token_add_up_and_lines_cover_it(void **state) {
    (void)state;
    AplNewFile *file;
    AplBreakdown breakdown;
    assert_int_equal(apli_new_file_in_memory("random", &file), APL_OK);
    assert_int_equal(apli_random_model_write(&(AplRandomModel){"smollm2", "4", 3, 1}, file), APL_OK);
    AplBench bench = {.path = apli_new_file_path(file), .seed = 1};
    const AplBenchTest tests[] = {{APLI_BENCH_DECODE, 4, 0, 1, 1}, {APLI_BENCH_PROMPT, 5, 2, 1, 2}};
    for (int t = 0; t < 2; t++) {
        assert_int_equal(apli_breakdown_run(&bench, &tests[t], &breakdown), APL_OK);
        assert_null(bench.engine->session->env.profile);
        assert_true(fabs(breakdown.products + breakdown.small + breakdown.waiting + breakdown.interpreter -
                         breakdown.whole) < 1e-9);
        double lines = 0, primitives = 0, of_weights = 0, products_of_a_layer = 0;
        for (int i = 0; i < breakdown.count; i++) {
            const AplProfileEntry *entry = &breakdown.entries[i];
            const bool primitive = entry->line == APLI_PROFILE_PRIMITIVE;
            *(primitive ? &primitives : &lines) += entry->seconds - (primitive ? entry->waiting : 0);
            static const char *const expected[] = {"inner product", "project", "gated", "attention", NULL};
            if (primitive && is_one_of(entry->name, expected))
                of_weights += entry->seconds - entry->waiting;
            if (strcmp(entry->name, "inner product") == 0) products_of_a_layer = (breakdown.calls[i] - 1) / 3;
        }
        assert_true(lines > 0.5 * breakdown.whole && lines < 1.5 * breakdown.whole);
        assert_true(products_of_a_layer == 2); /* output and down; and once the logits */
        assert_true(apli_breakdown_line(&breakdown, "feed_forward", 2) > 0);
        assert_true(apli_breakdown_line(&breakdown, "feed_forward", 9) == 0);
        assert_true(apli_breakdown_primitive(&breakdown, "attention") > 0);
        assert_true(apli_breakdown_primitive(&breakdown, "project") > 0 && apli_breakdown_primitive(&breakdown, "gated") > 0);
        assert_true(breakdown.products > 0 && breakdown.small > 0);
        assert_true(fabs(breakdown.products + breakdown.small - primitives) < 1e-9);
        /* none of the expected ones is among the small operations */
        assert_true(breakdown.small <= primitives - of_weights + 1e-9);
        apli_bench_end(&bench); /* names stay */
        assert_true(apli_breakdown_primitive(&breakdown, "attention") > 0);
        apli_breakdown_free(&breakdown);
    }
    apli_new_file_free(file);
}

static int found_lines;

static void look_at_line(void *user, const AplPageLine *line) {
    (void)user;
    static const struct {
        const char *text, *function;
        int32_t line;
        bool fused;
    } expected[] = {{" LOGITS←X+.×⍉OUTPUT", "unembed", 2, false},
                    {"∇R←X gated WEIGHTS;GATE;UP;G", "gated", 0, true},
                    {"∇R←softmax X", "softmax", 0, true},
                    {"∇R←L feed_forward X", "feed_forward", 0, false},
                    {"∇allocate CAPACITY", "allocate", 0, false},
                    {"∇", "", 0, false},
                    {" G←X+.×⍉GATE", "gated", 4, false}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        if (strlen(expected[i].text) != line->length || memcmp(expected[i].text, line->text, line->length) != 0) continue;
        found_lines |= 1 << i;
        assert_string_equal(line->function, expected[i].function);
        if (*line->function) assert_int_equal(line->line, expected[i].line);
        assert_int_equal(line->fused, expected[i].fused);
    }
}

static void the_page_knows_whose_each_line_is(void **state) {
    (void)state;
    found_lines = 0;
    apli_page_lines(look_at_line, NULL);
    assert_int_equal(found_lines, 127);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_counts_without_lines_and_a_primitive_without_primitives),
        cmocka_unit_test(the_shares_of_a_token_add_up_and_lines_cover_it),
        cmocka_unit_test(the_page_knows_whose_each_line_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
