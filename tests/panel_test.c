/* Products of 8-bit activations with panels: right against sums in f64 over the weights that the unpack functions give, and the
   same bits by every instruction set, for every number of tokens and threads. */
#include "weights.h"

#include "isa/isa.h"
#include "os/parallel.h"
#include "prim/inner_product/matmul.h"
#include "prim/inner_product/panel_product.h"

#include <stdio.h>

/* The layouts that have panels: those of files, and native ones with groups. */
static int layouts(int64_t columns, const AplPackedLayout **found) {
    static const int representations[] = {13, 23, 43, 83};
    static const int64_t groups[] = {0, 16, 32, 64, 96, 128, 256, 320};
    int count = 0;
    for (int representation = 0; representation < 4; representation++)
        for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
            if (!groups[i] || columns % groups[i] == 0)
                assert_int_equal(apli_packed_layout(representations[representation], groups[i], columns, &found[count++]), APL_OK);
    static const char *const names[] = {"q4_1", "q5_0", "q5_1", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k", "iq4_nl", "tq1_0", "tq2_0", "q1_0", "iq2_bn"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const AplPackedLayout *layout = apli_packed_layout_named(names[i]);
        if (layout && columns % (layout->block_elements ? layout->block_elements : 64) == 0) found[count++] = layout;
    }
    return count;
}
enum { MOST_LAYOUTS = 48 };

/* A row of x in 8 bits and back, by the rule of panel_kernels.h; steps[i] is what one step of column i's code is worth. */
static void round_row(const float *x, int64_t columns, double *rounded, double *steps) {
    float row = 0;
    for (int64_t i = 0; i < columns; i++) row = fmaxf(row, fabsf(x[i]));
    for (int64_t first = 0; first < columns; first += 16) {
        float group = 0;
        for (int64_t i = first; i < first + 16; i++) group = fmaxf(group, fabsf(x[i]));
        const float unit = 16383 / row, share = fminf(fmaxf(ceilf(group * unit), 1), 16383);
        for (int64_t i = first; i < first + 16; i++) {
            steps[i] = row > 0 ? (double)share * (double)row / (127.0 * 16383.0) : 0;
            rounded[i] = row > 0 ? nearbyint((double)(x[i] * (unit * 127 / share))) * steps[i] : 0;
        }
    }
}

/* What shifting the sum over 16 columns may lose for each step of x: half of 2^shift steps of the weights' code, here twice that,
   for the largest code of a row may be half of what there is. */
static double most_narrowed(const float *w, int64_t columns, const AplPanelForm *form) {
    const int shift = apli_panel_shift(form);
    float largest = 0;
    for (int64_t i = 0; i < columns; i++) largest = fmaxf(largest, fabsf(w[i]));
    return shift ? (1 << shift) * 2 * (double)largest / ((1 << form->bits) - 2) : 0;
}

static void compare_with_sums(AplArray *x, AplArray *w, const float *found) {
    const int64_t columns = w->shape[1], rows = w->shape[0];
    APLI_AUTO AplArray *plain = NULL;
    assert_int_equal(apli_plain(w, &plain), APL_OK);
    double *x_row = malloc((size_t)columns * sizeof *x_row), *steps = malloc((size_t)columns * sizeof *steps);
    for (int64_t token = 0; token < x->shape[0]; token++) {
        round_row((float *)x->data + token * columns, columns, x_row, steps);
        for (int64_t row = 0; row < rows; row++) {
            const float *w_row = (float *)plain->data + row * columns;
            const double lost = most_narrowed(w_row, columns, &apli_panels_of(w)->form);
            double sum = 0, magnitude = 1e-30, narrowed = 0;
            for (int64_t i = 0; i < columns; i++) {
                const double product = x_row[i] * (double)w_row[i];
                sum += product;
                magnitude += fabs(product);
                if (i % 16 == 0) narrowed += lost * steps[i];
            }
            const double difference = fmax(0, fabs(sum - (double)found[token * rows + row]) - narrowed) / magnitude;
            if (!(difference < 2e-6))
                fail_msg("%s, %d columns: row %d of token %d differs by %g of its magnitude", w->layout->name, (int)columns,
                         (int)row, (int)token, difference);
        }
    }
    free(x_row);
    free(steps);
}

/* The product by one table. */
static void run(const AplKernels *kernels, AplArray *x, AplArray *w, float *result) {
    assert_int_equal(apli_panels_make(w), APL_OK);
    const AplPanels *panels = apli_panels_of(w);
    const int64_t tokens = x->shape[0];
    AplQuantized quantized = {.tokens = tokens, .chunks = panels->chunks, .rounding = apli_rounding(&panels->form, tokens)};
    void *memory = aligned_alloc(64, apli_quantized_bytes(&quantized));
    apli_quantized_place(&quantized, memory);
    for (int64_t token = 0; token < tokens; token += apli_tile_tokens(tokens - token))
        kernels->quantize_tile((const float *)x->data, panels->columns, token, apli_tile_tokens(tokens - token), &quantized);
    kernels->panel_product(panels, &quantized, 0, panels->count, result);
    free(memory);
}

static void products_are_right_and_the_same_by_every_instruction_set(void **state) {
    (void)state;
    static const int64_t columns[] = {16, 48, 64, 96, 256, 2304}, row_counts[] = {5, 37}, token_counts[] = {1, 13};
    int compared = 0;
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++) {
        const AplPackedLayout *found[MOST_LAYOUTS];
        const int count = layouts(columns[c], found);
        for (int i = 0; i < count; i++)
            for (size_t r = 0; r < sizeof row_counts / sizeof *row_counts; r++)
                for (size_t t = 0; t < sizeof token_counts / sizeof *token_counts; t++) {
                    AplArray *x = matrix(token_counts[t], columns[c]), *w = packed_matrix(found[i], row_counts[r], columns[c]);
                    const int64_t results = token_counts[t] * row_counts[r];
                    float *expected = calloc((size_t)results, 4), *other = calloc((size_t)results, 4);
                    assert_true(apli_panels_possible(w));
                    run(apli_kernels_at(0), x, w, expected);
                    compare_with_sums(x, w, expected);
                    for (int isa = 1; apli_kernels_at(isa); isa++, compared++) {
                        run(apli_kernels_at(isa), x, w, other);
                        compare_bits(found[i]->name, other, expected, results);
                    }
                    free(expected);
                    free(other);
                    apli_array_release(x);
                    apli_array_release(w);
                }
    }
    printf("%d products compared with the plain kernels'\n", compared);
}

static void a_token_has_the_same_bits_alone_and_among_others(void **state) {
    (void)state;
    enum { TOKENS = 31, ROWS = 83, COLUMNS = 1280 };
    const AplPackedLayout *found[MOST_LAYOUTS];
    const int count = layouts(COLUMNS, found);
    for (int i = 0; i < count; i++) {
        APLI_AUTO AplArray *x = matrix(TOKENS, COLUMNS), *w = packed_matrix(found[i], ROWS, COLUMNS);
        APLI_AUTO AplArray *all = NULL;
        apli_parallel_set_threads(3);
        assert_int_equal(apli_matmul_transposed(x, w, true, &all), APL_OK);
        apli_parallel_set_threads(1);
        for (int64_t token = 0; token < TOKENS; token++) {
            APLI_AUTO AplArray *row = NULL, *alone = NULL;
            assert_int_equal(apli_cell(x, token, &row), APL_OK);
            assert_int_equal(apli_matmul_transposed(row, w, true, &alone), APL_OK);
            compare_bits(found[i]->name, (float *)alone->data, (float *)all->data + token * ROWS, ROWS);
        }
    }
}

static void activations_that_are_no_finite_numbers_give_nan(void **state) {
    (void)state;
    const AplPackedLayout *layout = apli_packed_layout_named("q4_1");
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++)
        for (int isa = 0; apli_kernels_at(isa); isa++) {
            APLI_AUTO AplArray *x = matrix(2, 64), *w = packed_matrix(layout, 16, 64);
            float result[32];
            ((float *)x->data)[64 + 33] = bad[i];
            run(apli_kernels_at(isa), x, w, result);
            for (int row = 0; row < 16; row++) assert_true(isfinite(result[row]) && isnan(result[16 + row]));
        }
}

static void what_has_no_panels_is_multiplied_in_f32(void **state) {
    (void)state;
    const AplPackedLayout *nf4, *odd;
    assert_int_equal(apli_packed_layout(45, 64, 64, &nf4), APL_OK);
    assert_int_equal(apli_packed_layout(43, 20, 60, &odd), APL_OK);
    const AplPackedLayout *const without[] = {nf4, odd};
    for (int i = 0; i < 2; i++) {
        APLI_AUTO AplArray *x = matrix(3, i ? 60 : 64), *w = packed_matrix(without[i], 5, i ? 60 : 64);
        APLI_AUTO AplArray *exact = NULL, *product = NULL;
        assert_false(apli_panels_possible(w));
        assert_int_equal(apli_matmul_transposed(x, w, true, &product), APL_OK);
        assert_int_equal(apli_matmul_transposed(x, w, false, &exact), APL_OK);
        compare_bits("in f32", (float *)product->data, (float *)exact->data, 15);
    }
}

static void products_in_one_loop_have_the_bits_of_each_alone(void **state) {
    (void)state;
    enum { FACTORS = 5 };
    static const char *const names[FACTORS] = {"q4_0", "q6_k", "q4_0", "q8_0", "q1_0"};
    static const int64_t rows[FACTORS] = {576, 192, 5, 83, 1}, token_counts[] = {1, 2, 13};
    for (int t = 0; t < 3; t++) {
        APLI_AUTO AplArray *x = matrix(token_counts[t], 512);
        AplArray *weights[FACTORS];
        for (int i = 0; i < FACTORS; i++) weights[i] = packed_matrix(apli_packed_layout_named(names[i]), rows[i], 512);
        for (int threads = 1; threads <= 3; threads++)
            for (int count = 1; count <= FACTORS; count++) {
                AplArray *results[FACTORS] = {NULL};
                apli_parallel_set_threads(threads);
                assert_true(apli_matmul_takes(x, weights, count));
                assert_int_equal(apli_matmul_each(x, weights, count, true, false, results), APL_OK);
                for (int i = 0; i < count; i++) {
                    APLI_AUTO AplArray *alone = NULL;
                    assert_int_equal(apli_matmul_transposed(x, weights[i], true, &alone), APL_OK);
                    compare_bits(names[i], (float *)results[i]->data, (float *)alone->data, alone->count);
                    apli_array_release(results[i]);
                }
            }
        for (int i = 0; i < FACTORS; i++) apli_array_release(weights[i]);
    }
}

static void gated_products_have_the_bits_of_products_then_gated(void **state) {
    (void)state;
    static const char *const names[][2] = {{"q4_0", "q4_0"}, {"q4_k", "q6_k"}, {"q4_1", "q1_0"}};
    static const int64_t row_counts[] = {1, 83, 1536}, token_counts[] = {1, 13};
    for (int n = 0; n < 3; n++)
        for (int r = 0; r < 3; r++)
            for (int t = 0; t < 2; t++) {
                APLI_AUTO AplArray *x = matrix(token_counts[t], 256), *g = NULL, *u = NULL;
                AplArray *const weights[] = {packed_matrix(apli_packed_layout_named(names[n][0]), row_counts[r], 256),
                                             packed_matrix(apli_packed_layout_named(names[n][1]), row_counts[r], 256)};
                assert_int_equal(apli_matmul_transposed(x, weights[0], true, &g), APL_OK);
                assert_int_equal(apli_matmul_transposed(x, weights[1], true, &u), APL_OK);
                apli_kernels()->gated((float *)g->data, (float *)u->data, u->count, (float *)u->data);
                for (int threads = 1; threads <= 3; threads++) {
                    AplArray *results[2] = {NULL};
                    apli_parallel_set_threads(threads);
                    assert_int_equal(apli_matmul_each(x, weights, 2, true, true, results), APL_OK);
                    compare_bits("gated", (float *)results[1]->data, (float *)u->data, u->count);
                    for (int i = 0; i < 2; i++) apli_array_release(results[i]);
                }
                for (int i = 0; i < 2; i++) apli_array_release(weights[i]);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_right_and_the_same_by_every_instruction_set),
        cmocka_unit_test(a_token_has_the_same_bits_alone_and_among_others),
        cmocka_unit_test(activations_that_are_no_finite_numbers_give_nan),
        cmocka_unit_test(what_has_no_panels_is_multiplied_in_f32),
        cmocka_unit_test(products_in_one_loop_have_the_bits_of_each_alone),
        cmocka_unit_test(gated_products_have_the_bits_of_products_then_gated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
