/* Every fused kernel equals its APL text on random arguments, and does not decline them. */
#include "base/random.h"
#include "generate/engine.h"
#include "isa/isa.h"
#include "lang/embedded.h"
#include "prim/fused/fused.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

static AplSession *session;

/* APL expressions for the arguments; R gives uniform numbers in (-1, 1) in f32 of a shape. */
typedef struct Case {
    const char *kernel;
    const char *function;
    const char *left, *right; /* left: "" for a monadic call */
} Case;

static const Case cases[] = {
    {"rms_norm", "rms_norm", "(R 576)(1E¯5)", "R 5 576"},
    {"rms_norm", "rms_norm", "(R 7)(1E¯6)", "R 1 7"},
    {"rms_norm", "rms_norm", "(165 ⎕DR R 17)0.1", "100×R 3 17"},
    {"rms_norm", "rms_norm", "(R 9)0.1", "R 2 3 9"},
    {"rms_norm", "rms_norm", "(R 9)0.1", "R 0 9"},
    {"softmax", "softmax", "", "20×R 4 33"},
    {"softmax", "softmax", "", "R 2 3 16"},
    {"softmax", "softmax", "", "80×R 1 1"},
    {"gated", "gated", "R 3 50", "(10×R 40 50)(R 40 50)"},
    {"gated", "gated", "R 1 64", "(165 ⎕DR 100×R 7 64)(R 7 64)"},
    {"gated", "gated", "R 64", "(43 32 ⎕DR R 37 64)(83 32 ⎕DR R 37 64)"},
    {"gated", "gated", "R 2 3 64", "(43 32 ⎕DR R 600 64)(43 32 ⎕DR R 600 64)"},
    {"project", "project", "R 5 64", "(R 7 64)(165 ⎕DR R 9 64)(43 32 ⎕DR R 8 64)"},
    {"project", "project", "R 1 64", "(43 32 ⎕DR R 600 64)(43 32 ⎕DR R 37 64)(83 32 ⎕DR R 200 64)"},
    {"project", "project", "R 64", "(43 32 ⎕DR R 37 64)(43 32 ⎕DR R 1 64)"},
    {"rotate", "rotate", "(2○A)(1○A)((2 8)⍴⍳16)⊣A←(⍳3)∘.×÷10*(⍳8)÷8", "R 3 4 16"},
    {"rotate", "rotate", "(2○A)(1○A)(⍉(8 2)⍴⍳16)⊣A←0 7 1000∘.×÷10*(⍳8)÷8", "R 3 4 20"},
    {"rotate", "rotate", "(2○A)(1○A)((2 7)⍴⍳14)⊣A←(⍳3)∘.×÷10*(⍳7)÷8", "R 3 4 14"},
    {"rotate", "rotate", "(2○A)(1○A)(⍉(7 2)⍴⍳14)⊣A←(⍳3)∘.×÷10*(⍳7)÷8", "R 3 4 15"},
    {"rotate", "rotate", "(2○A)(1○A)((2 8)⍴⌽⍳16)⊣A←(⍳3)∘.×÷10*(⍳8)÷8", "R 3 4 16"},
    {"attention", "attention", "R 5 9 64", "(R 20 3 64)(R 20 3 64)((⍳5)∘.≥(20⍴0 1 9 2 3 9 4))"},
    {"attention", "attention", "5×R 1 4 6", "(R 7 4 6)(R 7 4 6)(1 7⍴0 0 1 1 0 1 1)"},
    {"attention", "attention", "R 33 2 24", "(R 70 1 24)(R 70 1 24)((⍳33)∘.≥70⍴⍳40)"},
    {"attention", "attention", "R 5 9 64", "(165 ⎕DR R 400 3 64)(165 ⎕DR R 400 3 64)((⍳5)∘.≥(400⍴0 1 9 2 3 9 4))"},
    {"attention", "attention", "R 2 8 32", "(83 32 ⎕DR R 300 4 32)(43 32 ⎕DR R 300 4 32)(2 300⍴1 1 0 1)"},
};

static AplArray *value_of(const char *text) {
    AplArray *value = NULL;
    if (apli_session_execute(session, NULL, text, strlen(text), false, &value)) fail_msg("%s", session->report.bytes);
    assert_non_null(value);
    return value;
}

static int load(void **state) {
    (void)state;
    if (apli_session_new(&session)) return 1;
    for (const AplEmbeddedFile *file = apli_embedded_files; file->name; file++)
        if (apli_session_execute(session, file->name, file->text, file->length, false, NULL)) return 1;
    static const char random[] = "R←{325 ⎕DR ⍵⍴0.001×1000-?(×/⍵)⍴1999}";
    return apli_session_execute(session, NULL, random, strlen(random), false, NULL) != APL_OK;
}

static int unload(void **state) {
    (void)state;
    apli_session_free(session);
    return 0;
}

static void compare(const Case *c, AplArray *kernel, AplArray *result) {
    APLI_AUTO AplArray *text = NULL;
    assert_int_equal(apli_plain(result, &text), APL_OK); /* it may be a transposed view */
    assert_true(apli_same_shape(kernel, text));
    assert_int_equal(kernel->type, text->type);
    for (int64_t i = 0; i < text->count && text->type == APLI_NESTED; i++) compare(c, apli_items(kernel)[i], apli_items(text)[i]);
    if (text->type == APLI_NESTED) return;
    assert_int_equal(text->type, APLI_F32);
    double largest = 0;
    for (int64_t i = 0; i < text->count; i++) largest = fmax(largest, fabs(apli_f64_at(text, i)));
    for (int64_t i = 0; i < text->count; i++) {
        double a = apli_f64_at(kernel, i), b = apli_f64_at(text, i);
        if (!(fabs(a - b) <= 1e-6 * largest + 1e-6 * fabs(b))) fail_msg("%s on %s: element %d is %.9g, its text gives %.9g", c->kernel, c->right, (int)i, a, b);
    }
}

static void run_case(const Case *c) {
    APLI_AUTO AplArray *left = c->left[0] ? value_of(c->left) : NULL, *right = value_of(c->right);
    APLI_AUTO AplArray *kernel = NULL, *result = NULL;
    bool declined = false;
    const AplFusedKernel *fused = apli_fused_kernel_named(c->kernel, strlen(c->kernel));
    assert_non_null(fused);
    apli_array_retain(right); /* kept for the second call */
    session->env.index_origin = 0;
    assert_int_equal(fused->call(&session->env, left, right, &kernel, &declined), APL_OK);
    if (declined) fail_msg("%s declined %s", c->kernel, c->right);
    session->env.fused = false;
    AplErr error = apli_session_call(session, c->function, left, right, &result);
    session->env.fused = true;
    apli_array_release(right);
    if (error) fail_msg("%s: %s %s", c->function, apli_error_name(error), apli_error_message());
    compare(c, kernel, result);
}

static void every_kernel_equals_its_text(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) run_case(&cases[i]);
}

static void every_kernel_is_tested(void **state) {
    (void)state;
    for (int i = 0; i < apli_fused_kernel_count; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) found |= strcmp(cases[k].kernel, apli_fused_kernels[i].name) == 0;
        if (!found) fail_msg("%s has no case", apli_fused_kernels[i].name);
    }
}

static void a_binding_names_a_kernel_that_exists(void **state) {
    (void)state;
    int bound = 0;
    for (const AplEmbeddedFile *file = apli_embedded_files; file->name; file++) {
        static const char mark[] = "⍝ kernel: ";
        for (const char *at = file->text; (at = strstr(at, mark)); at++, bound++)
            assert_non_null(apli_fused_kernel_named(at + strlen(mark), strcspn(at + strlen(mark), "\n")));
    }
    assert_int_equal(bound, apli_fused_kernel_count);
}

/* Beside u×g÷(1+e^-g) in f64; the bits beside those of the first instruction set. */
static void a_gate_is_near_the_truth_and_the_same_on_every_instruction_set(void **state) {
    (void)state;
    enum { COUNT = 4099 };
    static float g[COUNT], u[COUNT], first[COUNT], result[COUNT];
    static const float extremes[] = {0, -0.0f, 1e-40f, -1e-40f, 85.99f, -85.99f, 86.01f, -86.01f, 3e38f, -3e38f, INFINITY, NAN};
    enum { EXTREMES = sizeof extremes / sizeof *extremes };
    uint64_t seed = 1;
    for (int i = 0; i < COUNT; i++) {
        g[i] = i < EXTREMES ? extremes[i] : 100 * (float)(apli_random_unit(&seed) - 0.5) / (float)(1 + i % 17);
        u[i] = i < EXTREMES ? 1 : (float)(apli_random_unit(&seed) - 0.5);
    }
    for (int isa = 0; apli_kernels_at(isa); isa++) {
        apli_kernels_at(isa)->gated(g, u, COUNT, isa ? result : first);
        for (int i = 0; i < COUNT; i++) {
            const double truth = g[i] < -86 ? 0 : (double)u[i] * (double)g[i] / (1 + exp(-(double)g[i]));
            if (isa && memcmp(&result[i], &first[i], sizeof *first) != 0 && !isnan(g[i]))
                fail_msg("%s: %.9g gated is %.9g, elsewhere %.9g", apli_kernels_at(isa)->name, (double)g[i], (double)result[i], (double)first[i]);
            if (isa == 0 && isfinite(g[i]) && !(fabs(first[i] - truth) <= 5e-7 * fabs(truth) + 1e-44))
                fail_msg("%.9g gated is %.9g, not %.9g", (double)g[i], (double)first[i], truth);
        }
    }
    assert_true(isinf(first[EXTREMES - 2]) && isnan(first[EXTREMES - 1]));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_equals_its_text),
        cmocka_unit_test(every_kernel_is_tested),
        cmocka_unit_test(a_binding_names_a_kernel_that_exists),
        cmocka_unit_test(a_gate_is_near_the_truth_and_the_same_on_every_instruction_set),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
