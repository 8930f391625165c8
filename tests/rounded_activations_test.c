/* Rounded activations are kept for the next product with them, as long as they are what a product would make anew. */
#include "weights.h"

#include "prim/inner_product/matmul.h"

enum { TOKENS = 7, COLUMNS = 256, ROWS = 33 };

static AplArray *product(AplArray *x, AplArray *w) {
    AplArray *result = NULL;
    assert_int_equal(apli_matmul_transposed(x, w, true, &result), APL_OK);
    return result;
}

/* The product of x and of numbers that no product has seen yet. */
static void compare_with_fresh(const char *what, AplArray *x, AplArray *w) {
    APLI_AUTO AplArray *fresh = NULL, *found = product(x, w);
    assert_int_equal(apli_array_new_like(APLI_F32, x, &fresh), APL_OK);
    memcpy(fresh->data, x->data, (size_t)x->count * sizeof(float));
    APLI_AUTO AplArray *expected = product(fresh, w);
    compare_bits(what, (float *)found->data, (float *)expected->data, expected->count);
}

static AplArray *weights(const char *name) { return packed_matrix(apli_packed_layout_named(name), ROWS, COLUMNS); }

static void products_of_every_layout_in_turn_are_those_of_fresh_activations(void **state) {
    (void)state;
    static const char *const names[] = {"q4_1", "q5_0", "q4_1", "q6_k", "tq2_0", "q1_0", "q2_k", "q4_k", "q4_k"};
    APLI_AUTO AplArray *x = matrix(TOKENS, COLUMNS);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        APLI_AUTO AplArray *w = weights(names[i]);
        compare_with_fresh(names[i], x, w);
        assert_non_null(x->storage->rounded);
    }
}

static void parts_of_activations_are_rounded_for_themselves(void **state) {
    (void)state;
    APLI_AUTO AplArray *x = matrix(TOKENS, COLUMNS), *w = weights("q4_1");
    for (int64_t first = 0; first < TOKENS; first++)
        for (int64_t count = 1; count <= TOKENS - first; count++) {
            APLI_AUTO AplArray *part = NULL;
            assert_int_equal(apli_cells(x, first, count, &part), APL_OK);
            compare_with_fresh("part", part, w);
        }
    compare_with_fresh("whole", x, w);
}

static void changed_activations_are_rounded_anew(void **state) {
    (void)state;
    APLI_AUTO AplArray *x = matrix(TOKENS, COLUMNS), *w = weights("q4_1");
    for (int turn = 0; turn < 3; turn++) {
        compare_with_fresh("changed", x, w);
        const AplArray *same = x;
        assert_false(apli_may_overwrite(x));
        assert_int_equal(apli_own(&x), APL_OK);
        assert_ptr_equal(x, same);
        assert_true(apli_may_overwrite(x));
        ((float *)x->data)[turn * COLUMNS + 5] += 1;
    }
}

static void what_is_kept_goes_with_the_activations(void **state) {
    (void)state;
    APLI_AUTO AplArray *w = weights("q4_1"), *first = matrix(TOKENS, COLUMNS);
    apli_array_release(product(first, w));
    const size_t before = apli_memory_used();
    for (int i = 0; i < 100; i++) {
        APLI_AUTO AplArray *x = matrix(1000, COLUMNS);
        apli_array_release(product(x, w));
        assert_true(apli_memory_used() > before + 1000 * COLUMNS * 5);
    }
    assert_true(apli_memory_used() < before + (1 << 17));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_of_every_layout_in_turn_are_those_of_fresh_activations),
        cmocka_unit_test(parts_of_activations_are_rounded_for_themselves),
        cmocka_unit_test(changed_activations_are_rounded_anew),
        cmocka_unit_test(what_is_kept_goes_with_the_activations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
