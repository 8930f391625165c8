/* prim/scalar: every function on every pair of element types gives, element for element, what the same
   function gives on the scalars; a run of functions gives the bits of its steps; f32 functions stay within
   the promised last places. */
#include "prim/scalar/scalar_run.h"
#include "prim/scalar/scalar.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static AplEnv env = {.index_origin = 1, .comparison_tolerance = 1e-14};

enum { LENGTH = 2500 };

/* Small values of a type, of which some are equal, some zero, some negative. */
static AplArray *sample(AplType type, int64_t count, int64_t seed) {
    AplArray *array = NULL;
    assert_int_equal(apli_vector_new(type, count, &array), APL_OK);
    for (int64_t i = 0; i < count; i++) {
        double value = (double)((i * 7 + seed * 13) % 23 - 9);
        if (apli_type_is_real(type)) value /= 4;
        if (type == APLI_BOOL) value = (double)((i * 7 + seed) % 3 == 0);
        apli_elem_convert(type, array->data, i, APLI_F64, &value, 0, 1);
    }
    return array;
}

static AplErr call(const AplPrim *prim, AplArray *left, AplArray *right, AplArray **result) {
    return left ? prim->dyadic(&env, left, right, NULL, result) : prim->monadic(&env, right, NULL, result);
}

static bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* An array's result against its elements'; where one element fails, so must the array. */
static void check_by_element(const AplPrim *prim, AplArray *left, AplArray *right) {
    AplArray *whole = NULL, *held_left = left ? apli_array_retain(left) : NULL,
             *held_right = apli_array_retain(right);
    AplErr error = call(prim, left, right, &whole);
    bool failed = false;
    for (int64_t i = 0; i < right->count; i++) {
        APLI_AUTO AplArray *a = NULL, *b = NULL, *one = NULL;
        if (left) assert_int_equal(apli_item(left, i, &a), APL_OK);
        assert_int_equal(apli_item(right, i, &b), APL_OK);
        AplErr element_error = call(prim, a, b, &one);
        failed |= element_error != APL_OK;
        if (error || element_error) continue;
        if (!same_number(apli_f64_at(one, 0), apli_f64_at(whole, i)))
            fail_msg("%s of %s: element %d is %.17g, alone %.17g", prim->name, apli_types[right->type].name,
                     (int)i, apli_f64_at(whole, i), apli_f64_at(one, 0));
        if (apli_type_is_real((AplType)one->type)) assert_int_equal(one->type, whole->type);
        else assert_true(apli_type_is_integer((AplType)whole->type) && one->type <= whole->type);
        assert_int_equal(one->weak, whole->weak);
    }
    assert_int_equal(failed, error != APL_OK);
    apli_array_release(whole);
    apli_array_release(held_left);
    apli_array_release(held_right);
}

static void every_function_on_every_type_equals_itself_on_scalars(void **state) {
    (void)state;
    for (int p = 0; p < apli_prim_count; p++) {
        const AplPrim *prim = &apli_prims[p];
        for (int type = APLI_BOOL; type <= APLI_F64; type++) {
            for (int64_t count = 1; count <= 70; count += 23) {
                APLI_AUTO AplArray *right = sample((AplType)type, count, 1);
                if (apli_scalar_monadic_op(prim) != APLI_OP_NONE) check_by_element(prim, NULL, right);
                if (apli_scalar_dyadic_op(prim) == APLI_OP_NONE) continue;
                for (int other = APLI_BOOL; other <= APLI_F64; other++) {
                    APLI_AUTO AplArray *left = sample((AplType)other, count, 2);
                    check_by_element(prim, left, right);
                }
            }
        }
    }
}

static void a_view_gives_what_a_copy_gives(void **state) {
    (void)state;
    const AplPrim *add = apli_prim_of(U'+');
    for (int type = APLI_BOOL; type <= APLI_F64; type++) {
        APLI_AUTO AplArray *array = sample((AplType)type, LENGTH, 3), *view = NULL, *copy = NULL, *a = NULL,
                           *b = NULL;
        assert_int_equal(apli_view(array, 13, 1, (int64_t[]){2000}, &view), APL_OK);
        assert_int_equal(apli_vector_new((AplType)type, 2000, &copy), APL_OK);
        apli_copy(copy, 0, array, 13, 2000);
        assert_int_equal(call(add, view, view, &a), APL_OK);
        assert_int_equal(call(add, copy, copy, &b), APL_OK);
        assert_int_equal(a->type, b->type);
        for (int64_t i = 0; i < 2000; i++) assert_true(apli_f64_at(a, i) == apli_f64_at(b, i));
        for (int64_t i = 0; i < LENGTH; i++) { /* the view's storage is as it was */
            AplArray *fresh = NULL;
            if (i % 500) continue;
            fresh = sample((AplType)type, LENGTH, 3);
            assert_true(apli_f64_at(fresh, i) == apli_f64_at(array, i));
            apli_array_release(fresh);
        }
    }
}

static void a_temporary_is_overwritten_and_a_variable_is_not(void **state) {
    (void)state;
    APLI_AUTO AplArray *temporary = sample(APLI_F32, LENGTH, 1), *variable = sample(APLI_F32, LENGTH, 2),
                       *sum = NULL;
    AplArray *held = apli_array_retain(variable);
    float expected = ((float *)temporary->data)[2000] + ((float *)variable->data)[2000];
    assert_int_equal(call(apli_prim_of(U'+'), temporary, variable, &sum), APL_OK);
    assert_ptr_equal(sum, temporary);
    assert_true(((float *)sum->data)[2000] == expected);
    apli_array_release(held);
}

static void integers_take_the_smallest_type_and_overflow_to_reals(void **state) {
    (void)state;
    static const struct {
        int64_t a, b;
        uint32_t glyph;
        AplType type;
    } rows[] = {{0, 1, U'+', APLI_BOOL},
                {100, 27, U'+', APLI_I8},
                {100, 28, U'+', APLI_I16},
                {32767, 1, U'+', APLI_I32},
                {INT32_MAX, 1, U'+', APLI_I64},
                {INT64_MAX, 1, U'+', APLI_F64},
                {INT64_MIN, 1, U'-', APLI_F64},
                {INT64_C(3037000500), INT64_C(3037000500), U'×', APLI_F64},
                {INT64_C(3037000499), INT64_C(3037000499), U'×', APLI_I64},
                {INT64_C(4611686018427387904), 6, U'∧', APLI_F64}};
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        for (int64_t count = 0; count <= 1500; count += 1500) { /* 0: a scalar */
            int64_t length = count ? count : 1;
            APLI_AUTO AplArray *a = NULL, *b = NULL, *result = NULL;
            assert_int_equal(apli_array_new(APLI_I64, count > 0, &length, &a), APL_OK);
            assert_int_equal(apli_array_new(APLI_I64, count > 0, &length, &b), APL_OK);
            memset(a->data, 0, (size_t)length * 8);
            memset(b->data, 0, (size_t)length * 8);
            ((int64_t *)a->data)[length - 1] = rows[row].a;
            ((int64_t *)b->data)[length - 1] = rows[row].b;
            assert_int_equal(call(apli_prim_of(rows[row].glyph), a, b, &result), APL_OK);
            assert_int_equal(result->type, rows[row].type);
            assert_int_equal(result->weak, rows[row].type == APLI_F64);
        }
    }
}

/* ---- runs ---------------------------------------------------------------------------------------------- */

#define LEAF(i) \
    { APLI_STEP_LEAF, i, NULL }
#define ONE(glyph) \
    { APLI_STEP_MONADIC, 0, apli_prim_of(glyph) }
#define TWO(glyph) \
    { APLI_STEP_DYADIC, 0, apli_prim_of(glyph) }

/* The steps one by one; NULL when one fails. */
static AplArray *step_by_step(const AplScalarStep *steps, int count, AplArray *const *leaves) {
    AplArray *stack[16];
    int depth = 0;
    bool failed = false;
    for (int i = 0; i < count && !failed; i++) {
        if (steps[i].kind == APLI_STEP_LEAF) {
            stack[depth++] = apli_array_retain(leaves[steps[i].leaf]);
            continue;
        }
        AplArray *left = steps[i].kind == APLI_STEP_DYADIC ? stack[--depth] : NULL, *right = stack[--depth],
                 *result;
        failed = call(steps[i].prim, left, right, &result) != APL_OK;
        apli_array_release(right);
        apli_array_release(left);
        if (!failed) stack[depth++] = result;
    }
    while (failed && depth > 0) apli_array_release(stack[--depth]);
    return failed ? NULL : stack[0];
}

static void check_run(const AplScalarStep *steps, int count, AplArray *const *leaves, int leaf_count) {
    AplArray *run = NULL;
    bool declined = false;
    assert_int_equal(apli_scalar_run(&env, steps, count, leaves, leaf_count, &run, &declined), APL_OK);
    AplArray *expected = step_by_step(steps, count, leaves);
    if (!expected) assert_true(declined);
    if (!declined) {
        assert_int_equal(run->type, expected->type);
        assert_int_equal(run->weak, expected->weak);
        assert_true(apli_same_shape(run, expected));
        assert_memory_equal(run->data, expected->data,
                            (size_t)run->count * (size_t)apli_types[run->type].bits / 8);
        apli_array_release(run);
    }
    apli_array_release(expected);
}

static void a_run_gives_the_bits_of_its_steps(void **state) {
    (void)state;
    const AplScalarStep silu[] = {LEAF(1), ONE(U'-'), ONE(U'*'), LEAF(2),  TWO(U'+'),
                                  LEAF(1), TWO(U'÷'), LEAF(0),   TWO(U'×')};
    const AplScalarStep masked[] = {LEAF(0), LEAF(1), TWO(U'≥'), LEAF(1),   TWO(U'×'),
                                    LEAF(2), LEAF(2), TWO(U'+'), TWO(U'⌈'), ONE(U'|')};
    const AplScalarStep rounding[] = {LEAF(0),   ONE(U'⌊'), LEAF(1),   ONE(U'⌈'),
                                      TWO(U'×'), LEAF(2),   TWO(U'-'), ONE(U'×')};
    const AplScalarStep logic[] = {LEAF(0), LEAF(1),   TWO(U'<'), LEAF(1),
                                   LEAF(2), TWO(U'='), TWO(U'∨'), ONE(U'~')};
    for (int a = APLI_BOOL; a <= APLI_F64; a++) {
        for (int b = APLI_BOOL; b <= APLI_F64; b++) {
            for (int weak = 0; weak < 2; weak++) {
                APLI_AUTO AplArray *x = sample((AplType)a, LENGTH, 1), *y = sample((AplType)b, LENGTH, 2),
                                   *one = NULL;
                if (weak) assert_int_equal(apli_scalar_f64(1.1, &one), APL_OK);
                else assert_int_equal(apli_scalar_i64(3, &one), APL_OK);
                AplArray *leaves[] = {x, y, one};
                check_run(silu, sizeof silu / sizeof *silu, leaves, 3);
                check_run(masked, sizeof masked / sizeof *masked, leaves, 3);
                check_run(rounding, sizeof rounding / sizeof *rounding, leaves, 3);
                check_run(logic, sizeof logic / sizeof *logic, leaves, 3);
            }
        }
    }
}

static void a_run_declines_what_its_steps_must_report(void **state) {
    (void)state;
    APLI_AUTO AplArray *x = sample(APLI_F32, 100, 1), *y = sample(APLI_F32, 101, 2), *text = NULL,
                       *result = NULL;
    assert_int_equal(apli_string("abc", 3, &text), APL_OK);
    const AplScalarStep steps[] = {LEAF(0), LEAF(1), TWO(U'+'), ONE(U'÷')};
    bool declined = false;
    assert_int_equal(apli_scalar_run(&env, steps, 4, (AplArray *[]){x, y}, 2, &result, &declined), APL_OK);
    assert_true(declined);
    assert_int_equal(apli_scalar_run(&env, steps, 4, (AplArray *[]){x, text}, 2, &result, &declined), APL_OK);
    assert_true(declined);
    ((float *)x->data)[50] = 0;
    const AplScalarStep inverse[] = {LEAF(0), ONE(U'÷'), ONE(U'-')};
    assert_int_equal(apli_scalar_run(&env, inverse, 3, (AplArray *[]){x}, 1, &result, &declined), APL_OK);
    assert_true(declined);
}

/* ---- instruction sets ---------------------------------------------------------------------------------- */

static void every_instruction_set_gives_the_same_bits(void **state) {
    (void)state;
    enum { COUNT = 77, BYTES = COUNT * 8 };
    static uint8_t left[BYTES + 64], right[BYTES + 64], expected[BYTES + 64], result[BYTES + 64];
    static const AplType types[] = {APLI_BOOL, APLI_I64, APLI_F32, APLI_F64};
    for (int set = 1; apli_kernels_at(set); set++) {
        for (int op = 0; op < APLI_OP_COUNT; op++) {
            for (int lane = 0; lane < APLI_LANE_COUNT; lane++) {
                AplScalarKernel *plain = apli_kernels_at(0)->scalar->op[op][lane];
                AplScalarKernel *fast = apli_kernels_at(set)->scalar->op[op][lane];
                assert_true(!plain == !fast);
                if (!plain) continue;
                APLI_AUTO AplArray *a = sample(types[lane], COUNT, 4), *b = sample(types[lane], COUNT, 5);
                size_t bytes = apli_type_bytes(types[lane], COUNT);
                memcpy(left, a->data, bytes);
                memcpy(right, b->data, bytes);
                memset(expected, 0, sizeof expected);
                memset(result, 0, sizeof result);
                const void *first = op >= APLI_OP_ADD ? left : NULL;
                assert_int_equal(plain(expected, first, right, COUNT, 1e-14),
                                 fast(result, first, right, COUNT, 1e-14));
                int bits = apli_scalar_results[op] == APLI_RESULT_BOOLEAN   ? 1
                           : apli_scalar_results[op] == APLI_RESULT_INTEGER ? 64
                                                                            : apli_types[types[lane]].bits;
                for (int i = 0; i < COUNT && types[lane] == APLI_F64 && bits == 64; i++)
                    if (isnan(((double *)expected)[i])) ((double *)expected)[i] = ((double *)result)[i];
                for (int i = 0; i < COUNT && types[lane] == APLI_F32 && bits == 32; i++)
                    if (isnan(((float *)expected)[i])) ((float *)expected)[i] = ((float *)result)[i];
                assert_memory_equal(expected, result, (size_t)(COUNT * bits / 8));
            }
        }
    }
}

/* ---- accuracy ------------------------------------------------------------------------------------------ */

/* Distance in units of the last place of the true value. */
static double last_places(float value, double truth) {
    if (!isfinite(value) || fabs(truth) > FLT_MAX)
        return isinf(value) && fabs(truth) > FLT_MAX * (1 - 1e-8) ? 0 : INFINITY;
    int exponent;
    frexp(truth, &exponent);
    double unit = ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
    return fabs((double)value - truth) / unit;
}

static void single_precision_exp_and_tanh_are_within_2_last_places(void **state) {
    (void)state;
    const AplScalarKernels *kernels = apli_scalar_kernels();
    double worst_exp = 0, worst_tanh = 0;
    for (uint32_t bits = 0; bits < 0x7F800000u; bits += 1237) {
        for (int sign = 0; sign < 2; sign++) {
            float x, result, seven = 7;
            memcpy(&x, &bits, 4);
            x = sign ? -x : x;
            kernels->op[APLI_OP_EXPONENTIAL][APLI_LANE_SINGLE](&result, NULL, &x, 1, 0);
            double places = last_places(result, exp((double)x));
            if (places > worst_exp) worst_exp = places;
            kernels->op[APLI_OP_CIRCLE][APLI_LANE_SINGLE](&result, &seven, &x, 1, 0);
            places = last_places(result, tanh((double)x));
            if (places > worst_tanh) worst_tanh = places;
        }
    }
    print_message("exp: %.3f, tanh: %.3f last places\n", worst_exp, worst_tanh);
    assert_true(worst_exp < 2 && worst_tanh < 2);
}

/* Against the C library's exp, itself within 0.52 of the right value. */
static void double_precision_exp_is_within_1_last_place(void **state) {
    (void)state;
    const AplScalarKernels *kernels = apli_scalar_kernels();
    for (int i = -760000; i <= 720000; i++) {
        double x = i * 0.001 + (i % 7) * 1e-5, result;
        kernels->op[APLI_OP_EXPONENTIAL][APLI_LANE_DOUBLE](&result, NULL, &x, 1, 0);
        double wanted = exp(x);
        if (fabs(result - wanted) > nextafter(wanted, INFINITY) - wanted) fail_msg("*%.17g is %.17g, not %.17g", x, result, wanted);
        if (isinf(wanted)) assert_true(isinf(result));
    }
    double rare[] = {0, -0.0, INFINITY, -INFINITY, NAN, 1e308, -1e308, 1e-308}, results[8];
    kernels->op[APLI_OP_EXPONENTIAL][APLI_LANE_DOUBLE](results, NULL, rare, 8, 0);
    const double expected[] = {1, 1, INFINITY, 0, NAN, INFINITY, 0, 1};
    for (int i = 0; i < 8; i++) assert_true(same_number(results[i], expected[i]));
}

/* One on several threads, the others alone; the first element that fails is named all the same. */
static void a_long_run_gives_the_bits_of_short_ones(void **state) {
    (void)state;
    enum { LONG = 300007, SHORT = 1001 };
    const AplPrim *prim = apli_prim_of(U'÷');
    AplArray *numbers = NULL, *whole = NULL;
    assert_int_equal(apli_vector_new(APLI_F64, LONG, &numbers), APL_OK);
    for (int i = 0; i < LONG; i++) ((double *)numbers->data)[i] = i + 1;
    assert_int_equal(call(prim, NULL, apli_array_retain(numbers), &whole), APL_OK);
    for (int64_t first = 0; first < LONG; first += SHORT) {
        AplArray *part = NULL, *alone = NULL;
        int64_t count = LONG - first < SHORT ? LONG - first : SHORT;
        assert_int_equal(apli_view(numbers, first, 1, &count, &part), APL_OK);
        assert_int_equal(call(prim, NULL, part, &alone), APL_OK);
        assert_memory_equal(alone->data, whole->data + 8 * first, 8 * (size_t)count);
        apli_array_release(part);
        apli_array_release(alone);
    }
    apli_array_release(whole);
    ((double *)numbers->data)[200000] = 0;
    assert_int_equal(call(prim, NULL, apli_array_retain(numbers), &whole), APL_DOMAIN);
    assert_non_null(strstr(apli_error_message(), "at element 200001"));
    apli_array_release(numbers);
    apli_array_release(numbers);
    apli_array_release(numbers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_on_every_type_equals_itself_on_scalars),
        cmocka_unit_test(a_view_gives_what_a_copy_gives),
        cmocka_unit_test(a_temporary_is_overwritten_and_a_variable_is_not),
        cmocka_unit_test(integers_take_the_smallest_type_and_overflow_to_reals),
        cmocka_unit_test(a_run_gives_the_bits_of_its_steps),
        cmocka_unit_test(a_run_declines_what_its_steps_must_report),
        cmocka_unit_test(every_instruction_set_gives_the_same_bits),
        cmocka_unit_test(single_precision_exp_and_tanh_are_within_2_last_places),
        cmocka_unit_test(double_precision_exp_is_within_1_last_place),
        cmocka_unit_test(a_long_run_gives_the_bits_of_short_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
