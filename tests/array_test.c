/* array/: views share storage, conversions are exact or refused, half-precision numbers round as IEEE says. */
#include "array/array.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

static AplArray *counting(AplType type, int rank, const int64_t *shape) {
    AplArray *array = NULL;
    assert_int_equal(apli_array_new(type, rank, shape, &array), APL_OK);
    for (int64_t i = 0; i < array->count; i++) {
        int64_t value = type == APLI_BOOL ? i % 3 == 0 : i;
        apli_elem_convert(type, array->data, i, APLI_I64, &value, 0, 1);
    }
    return array;
}

static void a_cell_is_a_view_of_the_same_storage(void **state) {
    (void)state;
    APLI_AUTO AplArray *cube = counting(APLI_I32, 3, (int64_t[]){4, 5, 6}), *cell = NULL;
    assert_int_equal(apli_cell(cube, 2, &cell), APL_OK);
    assert_ptr_equal(cell->storage, cube->storage);
    assert_int_equal(cell->rank, 2);
    assert_int_equal(apli_i64_at(cell, 0), 60);
    assert_false(apli_may_overwrite(cube));
}

static void a_transpose_is_a_view_and_reads_back_in_order(void **state) {
    (void)state;
    for (int type = APLI_BOOL; type <= APLI_F64; type++) {
        if (type == APLI_F16 || type == APLI_BF16) continue;
        APLI_AUTO AplArray *array = counting((AplType)type, 3, (int64_t[]){3, 20, 37}), *view = NULL, *plain = NULL;
        assert_int_equal(apli_transpose_view(array, (int[]){2, 0, 1}, &view), APL_OK);
        assert_int_equal(apli_plain(view, &plain), APL_OK);
        assert_int_equal(plain->shape[0], 37);
        for (int64_t i = 0; i < 37; i++)
            for (int64_t j = 0; j < 3; j++)
                for (int64_t k = 0; k < 20; k++)
                    assert_true(apli_f64_at(plain, (i * 3 + j) * 20 + k) == apli_f64_at(array, (j * 20 + k) * 37 + i));
    }
}

static void a_boolean_view_between_bytes_is_a_copy_with_the_same_bits(void **state) {
    (void)state;
    APLI_AUTO AplArray *bits = counting(APLI_BOOL, 2, (int64_t[]){100, 13}), *cell = NULL;
    for (int64_t row = 0; row < 100; row++) {
        AplArray *one = NULL;
        assert_int_equal(apli_cell(bits, row, &one), APL_OK);
        for (int64_t i = 0; i < 13; i++) assert_int_equal(apli_i64_at(one, i), (row * 13 + i) % 3 == 0);
        apli_array_release(one);
    }
    assert_int_equal(apli_cell(bits, 8, &cell), APL_OK);
}

static void bits_copy_between_any_offsets(void **state) {
    (void)state;
    uint8_t from[40], to[40], expected[40];
    for (int i = 0; i < 40; i++) from[i] = (uint8_t)(i * 73 + 11);
    for (int source = 0; source < 20; source++)
        for (int target = 0; target < 20; target++)
            for (int count = 0; count < 100; count += 7) {
                memset(to, 0x5A, sizeof to);
                memset(expected, 0x5A, sizeof expected);
                for (int i = 0; i < count; i++) apli_bit_set(expected, target + i, apli_bit_get(from, source + i));
                apli_bits_copy(to, target, from, source, count);
                assert_memory_equal(to, expected, sizeof to);
            }
}

static void every_half_survives_and_rounding_is_to_nearest_even(void **state) {
    (void)state;
    for (uint32_t half = 0; half < 65536; half++) {
        float value = apli_f16_to_f32((uint16_t)half);
        if (value != value) continue;
        assert_int_equal(apli_f32_to_f16(value), half);
    }
    assert_int_equal(apli_f32_to_f16(65519.0f), 0x7BFF);
    assert_int_equal(apli_f32_to_f16(65520.0f), 0x7C00);
    assert_int_equal(apli_f32_to_f16(2049.0f), 0x6800); /* halfway between 2048 and 2050: even */
    assert_int_equal(apli_f32_to_f16(2051.0f), 0x6802);
    assert_int_equal(apli_f32_to_f16(0x1p-25f), 0);
    assert_int_equal(apli_f32_to_f16(0x1.8p-24f), 2);
    assert_int_equal(apli_f32_to_bf16(1.00390625f), 0x3F80);
    assert_int_equal(apli_f32_to_bf16(1.01171875f), 0x3F82);
}

static void a_value_that_does_not_fit_is_refused(void **state) {
    (void)state;
    APLI_AUTO AplArray *large = NULL, *half = NULL, *out = NULL;
    assert_int_equal(apli_scalar_i64(300, &large), APL_OK);
    assert_int_equal(apli_convert(large, APLI_I8, &out), APL_DOMAIN);
    assert_int_equal(apli_scalar_f64(0.5, &half), APL_OK);
    assert_int_equal(apli_convert(half, APLI_I64, &out), APL_DOMAIN);
    assert_non_null(strstr(apli_error_message(), "0.5"));
}

static void too_large_a_shape_is_ws_full_and_counts_nothing(void **state) {
    (void)state;
    size_t before = apli_memory_used();
    AplArray *array = NULL;
    assert_int_equal(apli_array_new(APLI_F64, 3, (int64_t[]){1 << 30, 1 << 30, 1 << 30}, &array), APL_WS_FULL);
    apli_memory_set_limit(before + (1 << 20));
    assert_int_equal(apli_array_new(APLI_F64, 1, (int64_t[]){1 << 20}, &array), APL_WS_FULL);
    apli_memory_set_limit(SIZE_MAX);
    assert_int_equal(apli_memory_used(), before);
}

static void squeezing_finds_the_smallest_type(void **state) {
    (void)state;
    const struct { int64_t low, high; AplType type; } cases[] = {
        {0, 1, APLI_BOOL}, {-1, 1, APLI_I8}, {0, 127, APLI_I8}, {0, 128, APLI_I16}, {-32769, 0, APLI_I32},
        {0, 1LL << 31, APLI_I64}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        APLI_AUTO AplArray *array = NULL;
        assert_int_equal(apli_vector_new(APLI_I64, 2, &array), APL_OK);
        ((int64_t *)array->data)[0] = cases[i].low;
        ((int64_t *)array->data)[1] = cases[i].high;
        assert_int_equal(apli_squeeze(&array), APL_OK);
        assert_int_equal(array->type, cases[i].type);
        assert_int_equal(apli_i64_at(array, 0), cases[i].low);
        assert_int_equal(apli_i64_at(array, 1), cases[i].high);
    }
}

static void stacked_cells_are_the_cells_themselves(void **state) {
    (void)state;
    APLI_AUTO AplArray *a = counting(APLI_F32, 2, (int64_t[]){9, 9}), *b = counting(APLI_I16, 2, (int64_t[]){9, 9});
    APLI_AUTO AplArray *stack = NULL, *cell = NULL, *plain = NULL;
    assert_int_equal(apli_stack((AplArray *[]){a, b}, 2, &stack), APL_OK);
    assert_int_equal(apli_cell(stack, 1, &cell), APL_OK);
    assert_ptr_equal(cell, b);
    assert_int_equal(apli_plain(stack, &plain), APL_OK);
    assert_int_equal(plain->type, APLI_F32);
    assert_true(apli_f64_at(plain, 81 + 80) == 80);
}

/* A main thread's stack has 8 MiB: 27 bytes for each level. */
enum { DEEP = 300 * 1000 };

static void an_array_nested_deeper_than_the_stack_is_released(void **state) {
    (void)state;
    const size_t before = apli_memory_used();
    AplArray *array = counting(APLI_I8, 1, (int64_t[]){1000});
    for (int i = 0; i < DEEP; i++) {
        AplArray *box;
        assert_int_equal(apli_enclose(array, &box), APL_OK);
        apli_array_release(array);
        array = box;
    }
    apli_array_release(array);
    assert_int_equal(apli_memory_used(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_is_a_view_of_the_same_storage),
        cmocka_unit_test(a_transpose_is_a_view_and_reads_back_in_order),
        cmocka_unit_test(a_boolean_view_between_bytes_is_a_copy_with_the_same_bits),
        cmocka_unit_test(bits_copy_between_any_offsets),
        cmocka_unit_test(every_half_survives_and_rounding_is_to_nearest_even),
        cmocka_unit_test(a_value_that_does_not_fit_is_refused),
        cmocka_unit_test(too_large_a_shape_is_ws_full_and_counts_nothing),
        cmocka_unit_test(squeezing_finds_the_smallest_type),
        cmocka_unit_test(stacked_cells_are_the_cells_themselves),
        cmocka_unit_test(an_array_nested_deeper_than_the_stack_is_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
