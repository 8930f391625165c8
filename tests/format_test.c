/* The display of random arrays: whatever their types, shapes and nesting, it succeeds, it stays within ⎕PW,
   and ⍕ gives the same lines. */
#include "prim/format/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 3000, WIDE = 30000 };

static uint64_t state = 7;

static int random_below(int limit) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int)((state >> 33) % (uint64_t)limit);
}

static double random_real(void) {
    static const double special[] = {0,
                                     -0.0,
                                     1,
                                     -1,
                                     0.5,
                                     1e-6,
                                     1e-7,
                                     1e10,
                                     1e9,
                                     1e300,
                                     -1e-300,
                                     1.0 / 3,
                                     5e-324,
                                     __builtin_inf(),
                                     -__builtin_inf(),
                                     __builtin_nan("")};
    if (random_below(3) == 0) return special[random_below(sizeof special / sizeof *special)];
    return (random_below(2000001) - 1000000) / (double)(random_below(3) ? 100 : 7);
}

static AplArray *random_array(int depth) {
    static const AplType types[] = {APLI_BOOL, APLI_I8,  APLI_I16,   APLI_I32,    APLI_I64,    APLI_F16,
                                    APLI_BF16, APLI_F32, APLI_CHAR8, APLI_CHAR16, APLI_CHAR32, APLI_F64};
    AplType type =
        depth > 0 && random_below(3) ? APLI_NESTED : types[random_below(sizeof types / sizeof *types)];
    int rank = random_below(8) ? random_below(3) : random_below(6);
    int64_t shape[6];
    for (int i = 0; i < rank; i++) shape[i] = random_below(12) ? 1 + random_below(rank > 2 ? 3 : 5) : 0;
    AplArray *array;
    assert_int_equal(apli_array_new(type, rank, shape, &array), APL_OK);
    int64_t stored = array->count || type != APLI_NESTED ? array->count : 1;
    for (int64_t i = 0; i < stored; i++) {
        if (type == APLI_NESTED) {
            apli_items(array)[i] = random_array(depth - 1);
        } else if (apli_type_is_character(type)) {
            uint32_t character = (uint32_t)(' ' + random_below(type == APLI_CHAR8 ? 200 : 50000));
            apli_elem_convert(type, array->data, i, APLI_CHAR32, &character, 0, 1);
        } else if (apli_type_is_integer(type)) {
            int64_t value = random_below(4) ? random_below(200) - 100 : (int64_t)(state ^ state << 20);
            apli_elem_convert(type, array->data, i, APLI_I64, &value, 0, 1);
        } else {
            double value = random_real();
            apli_elem_convert(type, array->data, i, APLI_F64, &value, 0, 1);
        }
    }
    return array;
}

static void lines_stay_within_the_print_width(const char *text, int width) {
    for (size_t at = 0, length = strlen(text), columns = 0; at < length;) {
        columns = apli_utf8_next(text, length, &at) == '\n' ? 0 : columns + 1;
        assert_true(columns <= (size_t)width);
    }
}

/* The session prints ⍕X as it prints X, where the page is wide enough. */
static void format_gives_the_lines_of_the_display(void **unused) {
    (void)unused;
    AplEnv env = {.index_origin = 1, .comparison_tolerance = 1e-14};
    for (int i = 0; i < ROUNDS; i++) {
        AplArray *array = random_array(3), *formatted = NULL;
        AplText display = {0}, again = {0};
        env.print_precision = 1 + random_below(18);
        env.print_width = WIDE;
        assert_int_equal(apli_display(&env, array, &display), APL_OK);
        assert_int_equal(apli_format(&env, array, NULL, &formatted), APL_OK);
        assert_true(apli_type_is_character((AplType)formatted->type));
        assert_int_equal(apli_display(&env, formatted, &again), APL_OK);
        assert_string_equal(apli_text_string(&display), apli_text_string(&again));
        env.print_width = 30 + random_below(60);
        apli_text_clear(&display);
        assert_int_equal(apli_display(&env, array, &display), APL_OK);
        lines_stay_within_the_print_width(apli_text_string(&display), env.print_width);
        apli_text_free(&display);
        apli_text_free(&again);
        apli_array_release(formatted);
        apli_array_release(array);
    }
    assert_int_equal(apli_memory_used(), 0);
}

/* Any specification fills fields of the widths it asks for. */
static void fields_have_the_width_that_is_asked_for(void **unused) {
    (void)unused;
    AplEnv env = {.index_origin = 1, .print_precision = 10, .print_width = 79};
    for (int i = 0; i < ROUNDS; i++) {
        AplArray *array = random_array(0), *specification, *fields = NULL;
        assert_int_equal(apli_vector_new(APLI_I64, 2, &specification), APL_OK);
        int64_t width = random_below(40), *numbers = (int64_t *)specification->data;
        numbers[0] = width;
        numbers[1] = random_below(60) - 30;
        AplErr error = apli_format_by_specification(&env, specification, array, NULL, &fields);
        if (apli_type_is_number((AplType)array->type)) {
            assert_int_equal(error, APL_OK);
            if (width) assert_int_equal(apli_last_axis(fields), width * apli_last_axis(array));
            apli_array_release(fields);
        } else {
            assert_int_equal(error, APL_DOMAIN);
        }
        apli_array_release(specification);
        apli_array_release(array);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_gives_the_lines_of_the_display),
        cmocka_unit_test(fields_have_the_width_that_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
