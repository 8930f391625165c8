/* The structural primitives give the same answer for every element type, for views and for copies, alone and in place. The
   right answers for one type stand in the rooms' *_test.apl. */
#include "elem/packed.h"
#include "prim/index/index.h"
#include "prim/representation/representation.h"
#include "prim/structure.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static AplEnv env = {.index_origin = 1, .comparison_tolerance = 1e-14};

/* Zeros and ones, which every type of number holds: 1 where i is prime to 6. */
static AplArray *pattern(AplType type, int rank, const int64_t *shape) {
    APLI_AUTO AplArray *bits = NULL;
    AplArray *array = NULL;
    assert_int_equal(apli_array_new(APLI_BOOL, rank, shape, &bits), APL_OK);
    for (int64_t i = 0; i < bits->count; i++) apli_bit_set(bits->data, i, i % 2 && i % 3);
    assert_int_equal(apli_convert(bits, type, &array), APL_OK);
    return array;
}

static AplArray *integers(int count, const int64_t *values) {
    AplArray *array = NULL;
    assert_int_equal(apli_vector_new(APLI_I64, count, &array), APL_OK);
    memcpy(array->data, values, (size_t)count * sizeof *values);
    return array;
}
#define INTEGERS(...) integers((int)(sizeof((int64_t[]){__VA_ARGS__}) / 8), (int64_t[]){__VA_ARGS__})

static AplFunction *function_of(const char *glyph) {
    size_t at = 0;
    const AplPrim *prim = apli_prim_of(apli_utf8_next(glyph, strlen(glyph), &at));
    assert_non_null(prim);
    return apli_function_of_prim(prim);
}

static AplArray *call(const char *glyph, AplArray *left, AplArray *right) {
    AplArray *result = NULL;
    if (apli_call(&env, function_of(glyph), left, right, &result)) fail_msg("%s: %s", glyph, apli_error_message());
    return result;
}

typedef struct Case {
    const char *glyph;
    int numbers; /* of the left argument; 0: monadic; -1: the array itself on both sides */
    int64_t left[8];
} Case;

static const Case cases[] = {
    {"⍴", 0, {0}}, {"⍴", 3, {2, 30, 7}}, {"⍴", 2, {21, 17}}, {",", 0, {0}}, {",", -1, {0}}, {"⍪", 0, {0}}, {"⍪", -1, {0}},
    {"≢", 0, {0}}, {"⌽", 0, {0}}, {"⌽", 1, {3}}, {"⌽", 1, {-2}}, {"⊖", 0, {0}}, {"⊖", 1, {5}}, {"⍉", 0, {0}},
    {"⍉", 2, {2, 1}}, {"⍉", 2, {1, 1}}, {"↑", 2, {5, 9}}, {"↑", 2, {-30, 20}}, {"↑", 1, {2}}, {"↓", 2, {1, 3}},
    {"↓", 1, {-4}}, {"↓", 0, {0}}, {"⊂", 0, {0}}, {"⊃", 0, {0}}, {"∊", 0, {0}}, {"≡", 0, {0}}, {"≡", -1, {0}},
    {"⌷", 2, {3, 4}}, {"⌷", 1, {2}}, {"/", 1, {2}}, {"/", 1, {-1}}, {"⌿", 1, {3}}, {"⍳", -1, {0}}, {"∊", -1, {0}},
    {"⍷", -1, {0}}, {"∪", 0, {0}}, {"⍋", 0, {0}}, {"⍒", 0, {0}}, {"⍸", 0, {0}}, {"⊥", 1, {1}}, {"⊤", 2, {2, 2}},
    {"⊣", 0, {0}}, {"⊢", -1, {0}},
};

static AplArray *apply(const Case *c, AplArray *array) {
    APLI_AUTO AplArray *left = c->numbers > 0 ? integers(c->numbers, c->left) : NULL;
    return call(c->glyph, c->numbers < 0 ? array : left, array);
}

static void same_values(const Case *c, const AplArray *got, const AplArray *expected, const char *what) {
    if (!apli_match(&env, got, expected)) fail_msg("%s (left %d): %s differs", c->glyph, (int)c->left[0], what);
}

static void every_type_of_number_gives_the_same_answer(void **state) {
    (void)state;
    int64_t shape[] = {21, 17};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        APLI_AUTO AplArray *bits = pattern(APLI_BOOL, 2, shape), *expected = apply(&cases[i], bits);
        for (int type = APLI_BOOL; type <= APLI_NESTED; type++) {
            if (type >= APLI_CHAR8 && type <= APLI_CHAR32) continue;
            APLI_AUTO AplArray *array = pattern((AplType)type, 2, shape), *got = NULL;
            if (type == APLI_NESTED && (strcmp(cases[i].glyph, "⊥") == 0 || strcmp(cases[i].glyph, "⊤") == 0 ||
                                        strcmp(cases[i].glyph, "⍸") == 0))
                continue; /* for numbers only */
            got = apply(&cases[i], array);
            same_values(&cases[i], got, expected, apli_types[type].name);
        }
    }
}

static void a_view_gives_the_answer_of_its_copy(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int type = APLI_BOOL; type <= APLI_NESTED; type++) {
            bool numbers_only = strcmp(cases[i].glyph, "⊥") == 0 || strcmp(cases[i].glyph, "⊤") == 0 ||
                                strcmp(cases[i].glyph, "⍸") == 0;
            if ((type >= APLI_CHAR8 && type <= APLI_CHAR32) || (type == APLI_NESTED && numbers_only)) continue;
            APLI_AUTO AplArray *cube = pattern((AplType)type, 3, (int64_t[]){3, 21, 17}), *view = NULL, *copy = NULL;
            assert_int_equal(apli_cell(cube, 1, &view), APL_OK);
            copy = apli_array_retain(view);
            assert_int_equal(apli_own(&copy), APL_OK);
            APLI_AUTO AplArray *expected = apply(&cases[i], copy), *got = apply(&cases[i], view);
            same_values(&cases[i], got, expected, "a cell");
            /* the same matrix as a transposed view of its transpose, and as a stack of rows */
            APLI_AUTO AplArray *turned = NULL, *flat = NULL, *strided = NULL, *rows = NULL, *stack = NULL;
            assert_int_equal(apli_transpose_view(copy, (int[]){1, 0}, &turned), APL_OK);
            assert_int_equal(apli_plain(turned, &flat), APL_OK);
            assert_int_equal(apli_transpose_view(flat, (int[]){1, 0}, &strided), APL_OK);
            APLI_AUTO AplArray *strided_got = apply(&cases[i], strided);
            same_values(&cases[i], strided_got, expected, "a strided view");
            if (type == APLI_NESTED) continue;
            assert_int_equal(apli_vector_new(APLI_NESTED, 21, &rows), APL_OK);
            for (int row = 0; row < 21; row++)
                assert_int_equal(apli_cell(copy, row, &apli_items(rows)[row]), APL_OK);
            assert_int_equal(apli_stack(apli_items(rows), 21, &stack), APL_OK);
            APLI_AUTO AplArray *stack_got = apply(&cases[i], stack);
            same_values(&cases[i], stack_got, expected, "a stack");
        }
    }
}

static void characters_of_every_width_give_the_same_answer(void **state) {
    (void)state;
    static const char *const glyphs[] = {"⌽", "⊖", "⍉", ",", "↓", "∪", "⍋", "⍒", "∊"};
    APLI_AUTO AplArray *narrow = NULL, *matrix = NULL;
    assert_int_equal(apli_string("the quick brown fox jumps over", 30, &narrow), APL_OK);
    assert_int_equal(apli_reshape_view(narrow, 2, (int64_t[]){6, 5}, &matrix), APL_OK);
    for (size_t i = 0; i < sizeof glyphs / sizeof *glyphs; i++) {
        APLI_AUTO AplArray *expected = call(glyphs[i], NULL, matrix);
        for (int type = APLI_CHAR16; type <= APLI_CHAR32; type++) {
            APLI_AUTO AplArray *wide = NULL, *got = NULL, *taken = NULL, *fill = NULL;
            assert_int_equal(apli_convert(matrix, (AplType)type, &wide), APL_OK);
            got = call(glyphs[i], NULL, wide);
            assert_true(apli_match(&env, got, expected));
            APLI_AUTO AplArray *more = INTEGERS(7, 6);
            taken = call("↑", more, wide);
            fill = call("↑", more, matrix);
            assert_true(apli_match(&env, taken, fill));
        }
    }
}

static void an_argument_that_is_kept_stays_as_it_was(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        APLI_AUTO AplArray *array = pattern(APLI_I16, 2, (int64_t[]){21, 17}), *before = pattern(APLI_I16, 2, (int64_t[]){21, 17});
        AplArray *kept = apli_array_retain(array), *result = apply(&cases[i], array);
        assert_true(apli_match(&env, array, before));
        apli_array_release(result);
        apli_array_release(kept);
    }
}

/* ---- what the model page leans on --------------------------------------------------------------------------------- */

static AplArray *index_of(AplArray *array, AplArray *const *subscripts, int count) {
    AplArray *result = NULL;
    if (apli_index(&env, array, subscripts, count, &result)) fail_msg("%s", apli_error_message());
    return result;
}

static void a_leading_scalar_index_is_a_view(void **state) {
    (void)state;
    for (int type = APLI_I8; type <= APLI_F64; type++) {
        APLI_AUTO AplArray *weights = pattern((AplType)type, 3, (int64_t[]){4, 50, 60}), *layer = NULL;
        assert_int_equal(apli_scalar_i64(3, &layer), APL_OK);
        APLI_AUTO AplArray *cell = index_of(weights, (AplArray *[]){layer, NULL, NULL}, 3);
        assert_ptr_equal(cell->storage, weights->storage);
        assert_int_equal(cell->rank, 2);
    }
}

static void a_layer_of_a_stack_is_the_layer_itself(void **state) {
    (void)state;
    AplArray *layers[2] = {pattern(APLI_F32, 2, (int64_t[]){50, 60}), pattern(APLI_F32, 2, (int64_t[]){50, 60})};
    APLI_AUTO AplArray *stack = NULL, *layer = NULL;
    assert_int_equal(apli_stack(layers, 2, &stack), APL_OK);
    assert_int_equal(apli_scalar_i64(2, &layer), APL_OK);
    APLI_AUTO AplArray *cell = index_of(stack, (AplArray *[]){layer, NULL, NULL}, 3);
    assert_ptr_equal(cell, layers[1]);
    for (int i = 0; i < 2; i++) apli_array_release(layers[i]);
}

static void rows_of_a_packed_table_are_unpacked_alone(void **state) {
    (void)state;
    APLI_AUTO AplArray *values = pattern(APLI_F32, 2, (int64_t[]){5000, 64}), *type = INTEGERS(83, 32), *table = NULL;
    assert_int_equal(apli_represent(&env, type, values, NULL, &table), APL_OK);
    assert_int_equal(table->form, APLI_FORM_PACKED);
    APLI_AUTO AplArray *tokens = INTEGERS(4999, 1, 17);
    size_t before = apli_memory_used();
    APLI_AUTO AplArray *rows = index_of(table, (AplArray *[]){tokens, NULL}, 2);
    assert_true(apli_memory_used() - before < 4096);
    assert_int_equal(rows->type, APLI_F32);
    for (int i = 0; i < 64; i++) assert_float_equal((float)apli_f64_at(rows, i), (float)apli_f64_at(values, 4998 * 64 + i), 1e-3f);
}

static void rows_of_a_cache_are_assigned_in_place_and_keep_its_type(void **state) {
    (void)state;
    for (int type = APLI_F16; type <= APLI_F64; type++) {
        APLI_AUTO AplArray *cache = pattern((AplType)type, 3, (int64_t[]){3, 100, 16}), *layer = NULL, *value = NULL;
        const void *storage = cache->storage;
        APLI_AUTO AplArray *rows = INTEGERS(7, 100);
        assert_int_equal(apli_scalar_i64(2, &layer), APL_OK);
        value = pattern(APLI_F32, 2, (int64_t[]){2, 16});
        for (int i = 0; i < 32; i++) ((float *)value->data)[i] = (float)i * 0.5f;
        assert_int_equal(apli_index_assign(&env, &cache, (AplArray *[]){layer, rows, NULL}, 3, NULL, value), APL_OK);
        assert_ptr_equal(cache->storage, storage);
        assert_int_equal(cache->type, type);
        for (int i = 0; i < 16; i++) {
            assert_true(apli_f64_at(cache, (100 + 6) * 16 + i) == i * 0.5);
            assert_true(apli_f64_at(cache, (100 + 99) * 16 + i) == (16 + i) * 0.5);
        }
    }
}

static void an_array_that_another_name_holds_is_copied_before_assignment(void **state) {
    (void)state;
    APLI_AUTO AplArray *array = pattern(APLI_F32, 1, (int64_t[]){100}), *other = apli_array_retain(array), *nine = NULL;
    APLI_AUTO AplArray *first = INTEGERS(1);
    assert_int_equal(apli_scalar_i64(9, &nine), APL_OK);
    assert_int_equal(apli_index_assign(&env, &array, &first, 1, NULL, nine), APL_OK);
    assert_true(apli_f64_at(array, 0) == 9);
    assert_true(apli_f64_at(other, 0) == 0);
}

static void a_chain_of_operands_longer_than_the_stack_is_deep_is_released(void **state) {
    (void)state;
    AplFunction *function = apli_function_of_prim(apli_prim_of(U'-'));
    for (int i = 0; i < 300 * 1000; i++) {
        AplFunction *each;
        assert_int_equal(apli_function_derive(apli_operator_of(U'¨'), (AplOperand){.function = function}, (AplOperand){0},
                                             NULL, &each),
                         APL_OK);
        apli_function_release(function);
        function = each;
    }
    apli_function_release(function);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_of_number_gives_the_same_answer),
        cmocka_unit_test(a_view_gives_the_answer_of_its_copy),
        cmocka_unit_test(characters_of_every_width_give_the_same_answer),
        cmocka_unit_test(an_argument_that_is_kept_stays_as_it_was),
        cmocka_unit_test(a_leading_scalar_index_is_a_view),
        cmocka_unit_test(a_layer_of_a_stack_is_the_layer_itself),
        cmocka_unit_test(rows_of_a_packed_table_are_unpacked_alone),
        cmocka_unit_test(rows_of_a_cache_are_assigned_in_place_and_keep_its_type),
        cmocka_unit_test(an_array_that_another_name_holds_is_copied_before_assignment),
        cmocka_unit_test(a_chain_of_operands_longer_than_the_stack_is_deep_is_released),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
