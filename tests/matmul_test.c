/* prim/inner_product/matmul and isa: the product is right against sums in f64, and every instruction set, number of tokens
   and number of threads gives the same bits as the plain kernels. */
#include "weights.h"

#include "isa/isa.h"
#include "os/parallel.h"
#include "prim/inner_product/matmul.h"

#include <stdio.h>

/* Rows first..end of the result by one table, into a matrix of (tokens, rows). */
static void run(const AplKernels *kernels, AplArray *x, AplArray *w, int64_t first, int64_t end, float *result) {
    const int64_t columns = w->shape[1], stride = (columns + 15) / 16 * 16, tokens = x->count / columns;
    float *padded = calloc((size_t)(tokens * stride) + 1, sizeof *padded);
    float *scratch = aligned_alloc(64, (size_t)(APLI_MATMUL_ROW_BLOCK * stride) * sizeof *scratch);
    assert_true(padded && scratch);
    for (int64_t t = 0; t < tokens; t++)
        memcpy(padded + t * stride, (float *)x->data + t * columns, (size_t)columns * sizeof *padded);
    const bool packed = w->type == APLI_PACKED;
    const AplMatmul matmul = {
        .x = padded,
        .tokens = tokens,
        .columns = columns,
        .stride = stride,
        .type = (AplType)w->type,
        .layout = w->layout,
        .unpack = packed ? kernels->unpack[w->layout->codec] : NULL,
        .w = w->data,
        .row_bytes = packed ? apli_packed_row_bytes(w->layout, columns) : (int64_t)apli_type_bytes((AplType)w->type, columns),
        .result = result,
        .rows = w->shape[0],
    };
    kernels->matmul_rows(&matmul, first, end - first, scratch);
    free(padded);
    free(scratch);
}

/* Every table against the first, the plain one. */
static void compare_tables(const char *what, AplArray *x, AplArray *w) {
    const int64_t count = x->count / w->shape[1] * w->shape[0];
    float *expected = calloc((size_t)count, sizeof *expected), *found = calloc((size_t)count, sizeof *found);
    assert_true(expected && found);
    run(apli_kernels_at(0), x, w, 0, w->shape[0], expected);
    for (int i = 1; apli_kernels_at(i); i++) {
        run(apli_kernels_at(i), x, w, 0, w->shape[0], found);
        compare_bits(what, found, expected, count);
    }
    free(expected);
    free(found);
}

static void every_instruction_set_gives_the_bits_of_the_plain_kernels(void **state) {
    (void)state;
    const int64_t columns[] = {1, 15, 16, 17, 48, 100, 257};
    for (int64_t rows = 1; rows <= 9; rows++)
        for (int64_t tokens = 1; tokens <= 9; tokens++)
            for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
                AplArray *x = matrix(tokens, columns[i]), *w = matrix(rows, columns[i]);
                compare_tables("f32", x, w);
                for (AplType type = APLI_F16; type <= APLI_BF16; type++) {
                    AplArray *converted;
                    assert_int_equal(apli_convert(w, type, &converted), APL_OK);
                    compare_tables(apli_types[type].name, x, converted);
                    apli_array_release(converted);
                }
                apli_array_release(x);
                apli_array_release(w);
            }
    /* more rows than a block */
    AplArray *x = matrix(13, 80), *w = matrix(71, 80);
    compare_tables("71 rows", x, w);
    apli_array_release(x);
    apli_array_release(w);
}

static void every_layout_multiplies_alike_on_every_instruction_set(void **state) {
    (void)state;
    const char *names[] = {"q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k",
                           "iq4_nl", "tq1_0", "tq2_0", "q1_0", "iq2_bn"};
    const struct {
        int representation;
        int64_t group, columns;
    } native[] = {{13, 0, 77}, {13, 24, 72}, {23, 0, 77}, {23, 70, 140}, {43, 0, 77}, {43, 34, 68},
                  {45, 0, 77}, {45, 64, 128}, {83, 0, 77}, {83, 20, 60}, {123, 0, 77}, {123, 0, 128}, {123, 64, 128},
                  {123, 0, 95}, {123, 31, 62}};
    for (int64_t tokens = 1; tokens <= 5; tokens += 2) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
            AplArray *x = matrix(tokens, 512), *w = packed_matrix(apli_packed_layout_named(names[i]), 7, 512);
            compare_tables(names[i], x, w);
            apli_array_release(x);
            apli_array_release(w);
        }
        for (size_t i = 0; i < sizeof native / sizeof *native; i++) {
            const AplPackedLayout *layout;
            assert_int_equal(apli_packed_layout(native[i].representation, native[i].group, native[i].columns, &layout), APL_OK);
            AplArray *x = matrix(tokens, native[i].columns), *w = packed_matrix(layout, 7, native[i].columns);
            compare_tables(layout->name, x, w);
            apli_array_release(x);
            apli_array_release(w);
        }
    }
}

static void unpacking_is_the_same_on_every_instruction_set(void **state) {
    (void)state;
    const char *names[] = {"q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k",
                           "binary", "ternary", "int4", "nf4", "int8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const AplPackedLayout *layout = apli_packed_layout_named(names[i]);
        const int64_t columns = layout->block_elements ? 512 : 123;
        AplArray *w = packed_matrix(layout, 1, columns);
        float expected[512], found[512];
        layout->unpack(layout, w->data, columns, expected);
        for (int isa = 0; apli_kernels_at(isa); isa++) {
            apli_kernels_at(isa)->unpack[layout->codec](layout, w->data, columns, found);
            compare_bits(names[i], found, expected, columns);
        }
        apli_array_release(w);
    }
}

/* 31, 63 and 95: a whole number of vectors has room for half of the row and one more. */
static void unpacking_12_bits_writes_nothing_beyond_the_row(void **state) {
    (void)state;
    const struct {
        int64_t group, columns;
    } native[] = {{0, 31}, {0, 63}, {0, 64}, {0, 95}, {0, 96}, {31, 93}, {32, 96}, {95, 190}};
    for (size_t i = 0; i < sizeof native / sizeof *native; i++) {
        const AplPackedLayout *layout;
        assert_int_equal(apli_packed_layout(123, native[i].group, native[i].columns, &layout), APL_OK);
        AplArray *w = packed_matrix(layout, 1, native[i].columns);
        float expected[200], found[200];
        layout->unpack(layout, w->data, native[i].columns, expected);
        for (int isa = 0; apli_kernels_at(isa); isa++) {
            found[native[i].columns] = 12345;
            apli_kernels_at(isa)->unpack[layout->codec](layout, w->data, native[i].columns, found);
            compare_bits(layout->name, found, expected, native[i].columns);
            assert_true(found[native[i].columns] == 12345);
        }
        apli_array_release(w);
    }
}

static void extreme_values_multiply_alike(void **state) {
    (void)state;
    const float extremes[] = {0.0f, -0.0f, 1e-45f, -1e-45f, 1e-38f, 3e38f, -3e38f, INFINITY, -INFINITY, NAN, 1, 65504};
    enum { EXTREMES = sizeof extremes / sizeof *extremes };
    for (int round = 0; round < 200; round++) {
        AplArray *x = matrix(3, 37), *w = matrix(5, 37);
        for (int i = 0; i < 1 + round % 8; i++) {
            seed = seed * 1664525 + 1013904223;
            ((float *)x->data)[seed >> 8 & 63] = extremes[(seed >> 16) % EXTREMES];
            ((float *)w->data)[seed >> 9 & 127] = extremes[(seed >> 20) % EXTREMES];
        }
        compare_tables("extremes", x, w);
        apli_array_release(x);
        apli_array_release(w);
    }
}

static AplArray *multiply(AplArray *x, AplArray *w) {
    AplArray *result;
    if (apli_matmul_transposed(x, w, false, &result) != APL_OK) fail_msg("%s", apli_error_message());
    return result;
}

static void the_product_is_the_sum_of_products(void **state) {
    (void)state;
    const struct {
        int64_t tokens, columns, rows;
    } shapes[] = {{1, 576, 192}, {7, 100, 33}, {40, 64, 5}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        AplArray *x = matrix(shapes[i].tokens, shapes[i].columns), *w = matrix(shapes[i].rows, shapes[i].columns);
        AplArray *product = multiply(x, w);
        assert_string_equal(apli_shape_text(product), i == 0 ? "1 192" : i == 1 ? "7 33" : "40 5");
        for (int64_t t = 0; t < shapes[i].tokens; t++)
            for (int64_t r = 0; r < shapes[i].rows; r++) {
                double sum = 0;
                for (int64_t c = 0; c < shapes[i].columns; c++)
                    sum += apli_f64_at(x, t * shapes[i].columns + c) * apli_f64_at(w, r * shapes[i].columns + c);
                assert_true(fabs(apli_f64_at(product, t * shapes[i].rows + r) - sum) < 1e-5);
            }
        apli_array_release(x);
        apli_array_release(w);
        apli_array_release(product);
    }
}

static void tokens_threads_and_neighbours_do_not_change_a_bit(void **state) {
    (void)state;
    const int64_t tokens = 37, columns = 576, rows = 200;
    const AplPackedLayout *layout = apli_packed_layout_named("q4_1");
    AplArray *x = matrix(tokens, columns), *w = packed_matrix(layout, rows, columns), *whole = multiply(x, w);
    for (int threads = 1; threads <= 3; threads++) {
        apli_parallel_set_threads(threads);
        AplArray *again = multiply(x, w);
        compare_bits("threads", (float *)again->data, (float *)whole->data, whole->count);
        apli_array_release(again);
        for (int64_t chunk = 1; chunk <= 7; chunk += 3)
            for (int64_t first = 0; first < tokens; first += chunk) {
                AplArray *part, *product;
                const int64_t count = tokens - first < chunk ? tokens - first : chunk;
                assert_int_equal(apli_cells(x, first, count, &part), APL_OK);
                product = multiply(part, w);
                compare_bits("chunk", (float *)product->data, (float *)whole->data + first * rows, count * rows);
                apli_array_release(part);
                apli_array_release(product);
            }
    }
    apli_array_release(x);
    apli_array_release(w);
    apli_array_release(whole);
}

static void arguments_of_other_ranks_types_and_forms_are_taken(void **state) {
    (void)state;
    AplArray *x = matrix(6, 20), *w = matrix(3, 20), *expected = multiply(x, w), *other, *product;
    /* rank 3 */
    assert_int_equal(apli_reshape_view(x, 3, (int64_t[]){2, 3, 20}, &other), APL_OK);
    product = multiply(other, w);
    assert_string_equal(apli_shape_text(product), "2 3 3");
    compare_bits("rank 3", (float *)product->data, (float *)expected->data, 18);
    apli_array_release(other);
    apli_array_release(product);
    /* a vector */
    assert_int_equal(apli_cell(x, 0, &other), APL_OK);
    product = multiply(other, w);
    assert_string_equal(apli_shape_text(product), "3");
    compare_bits("rank 1", (float *)product->data, (float *)expected->data, 3);
    apli_array_release(other);
    apli_array_release(product);
    /* a transposed view of the transpose, in f64 */
    AplArray *turned, *copied, *wide;
    assert_int_equal(apli_transpose_view(w, (int[]){1, 0}, &turned), APL_OK);
    assert_int_equal(apli_plain(turned, &copied), APL_OK);
    assert_int_equal(apli_transpose_view(copied, (int[]){1, 0}, &other), APL_OK);
    assert_int_equal(apli_convert(x, APLI_F64, &wide), APL_OK);
    product = multiply(wide, other);
    compare_bits("transposed", (float *)product->data, (float *)expected->data, 18);
    AplArray *all[] = {x, w, expected, turned, copied, other, wide, product};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) apli_array_release(all[i]);
}

static void sizes_that_disagree_are_named(void **state) {
    (void)state;
    AplArray *x = matrix(2, 5), *w = matrix(3, 4), *scalar, *result = NULL;
    assert_int_equal(apli_matmul_transposed(x, w, false, &result), APL_LENGTH);
    assert_string_equal(apli_error_message(), "last axis of ⍺ is 5, first axis of ⍵ is 4");
    assert_int_equal(apli_scalar_i64(1, &scalar), APL_OK);
    assert_int_equal(apli_matmul_transposed(scalar, w, false, &result), APL_RANK);
    assert_int_equal(apli_matmul_transposed(x, scalar, false, &result), APL_RANK);
    apli_array_release(x);
    apli_array_release(w);
    apli_array_release(scalar);
    /* no columns: sums of nothing */
    x = matrix(2, 0);
    w = matrix(3, 0);
    result = multiply(x, w);
    assert_string_equal(apli_shape_text(result), "2 3");
    for (int64_t i = 0; i < 6; i++) assert_true(apli_f64_at(result, i) == 0);
    apli_array_release(x);
    apli_array_release(w);
    apli_array_release(result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_instruction_set_gives_the_bits_of_the_plain_kernels),
        cmocka_unit_test(every_layout_multiplies_alike_on_every_instruction_set),
        cmocka_unit_test(unpacking_is_the_same_on_every_instruction_set),
        cmocka_unit_test(unpacking_12_bits_writes_nothing_beyond_the_row),
        cmocka_unit_test(extreme_values_multiply_alike),
        cmocka_unit_test(the_product_is_the_sum_of_products),
        cmocka_unit_test(tokens_threads_and_neighbours_do_not_change_a_bit),
        cmocka_unit_test(arguments_of_other_ranks_types_and_forms_are_taken),
        cmocka_unit_test(sizes_that_disagree_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
