/* The kernels of the array language give the bits of their scalar twins on every instruction set that the machine runs: on
   lengths with remainders, dense and sparse masks, and extreme values. The scalar kernels are compared with plain loops. */
#include "base/random.h"
#include "isa/isa.h"
#include "prim/inner_product/vector_product_kernels.h"
#include "prim/outer_product/outer_product_kernels.h"
#include "prim/reduce/reduce_kernels.h"
#include "prim/structure_kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { MOST = 3000, GUARD = 64 };

static const int64_t lengths[] = {1, 2, 7, 8, 31, 63, 64, 65, 127, 128, 129, 500, 1024, 1031, 2999};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static uint64_t state = 1;
static _Alignas(64) uint8_t values[8 * MOST + GUARD], mask[MOST / 8 + GUARD], first[8 * MOST + GUARD], second[8 * MOST + GUARD];

/* Any bytes; every bit of the mask is 1 with a probability of density ÷ 8. */
static void draw(int density) {
    for (size_t i = 0; i < sizeof values; i++) values[i] = (uint8_t)apli_random_u64(&state);
    memset(mask, 0, sizeof mask);
    for (int64_t i = 0; i < MOST; i++) apli_bit_set(mask, i, (int)(apli_random_u64(&state) >> 61) < density);
    memset(first, 0xA5, sizeof first);
    memset(second, 0xA5, sizeof second);
}

static void elements_are_reversed(void **test_state) {
    (void)test_state;
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (int width = 0; width < 4; width++)
            for (int n = 0; n < LENGTHS; n++) {
                const size_t size = (size_t)1 << width, count = (size_t)lengths[n];
                draw(4);
                apli_kernels_at(isa)->structure->reverse[width](first, values, lengths[n]);
                for (size_t i = 0; i < count; i++) memcpy(second + i * size, values + (count - 1 - i) * size, size);
                assert_memory_equal(first, second, sizeof first);
            }
}

static void bits_are_reversed(void **test_state) {
    (void)test_state;
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (int64_t count = 1; count < 300; count++) {
            draw(4);
            apli_kernels_at(isa)->structure->reverse_bits(first, mask, count);
            for (int64_t i = 0; i < count; i++)
                assert_int_equal(apli_bit_get(first, i), apli_bit_get(mask, count - 1 - i));
            assert_int_equal(first[(count + 7) / 8], 0xA5);
        }
}

static void a_mask_selects_elements(void **test_state) {
    (void)test_state;
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (int width = 0; width < 4; width++)
            for (int n = 0; n < LENGTHS * 9; n++) {
                const size_t size = (size_t)1 << width, count = (size_t)lengths[n / 9];
                size_t kept = 0;
                draw(n % 9);
                for (size_t i = 0; i < count; i++)
                    if (apli_bit_get(mask, (int64_t)i)) memcpy(second + size * kept++, values + i * size, size);
                apli_kernels_at(isa)->structure->compress[width](first, values, mask, (int64_t)count, (int64_t)kept);
                assert_memory_equal(first, second, sizeof first);
            }
}

static void a_mask_spreads_elements(void **test_state) {
    (void)test_state;
    const uint64_t fill = 0x2020202020202020;
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (int width = 0; width < 4; width++)
            for (int n = 0; n < LENGTHS * 9; n++) {
                const size_t size = (size_t)1 << width, count = (size_t)lengths[n / 9];
                size_t used = 0;
                draw(n % 9);
                for (size_t i = 0; i < count; i++) {
                    const bool one = apli_bit_get(mask, (int64_t)i);
                    memcpy(second + i * size, one ? values + size * used : (const uint8_t *)&fill, size);
                    used += one;
                }
                apli_kernels_at(isa)->structure->expand[width](first, values, mask, (int64_t)count, fill);
                assert_memory_equal(first, second, sizeof first);
            }
}

static void a_mask_selects_and_spreads_bits(void **test_state) {
    (void)test_state;
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (int n = 0; n < LENGTHS * 9; n++) {
            const int64_t count = lengths[n / 9];
            int64_t kept = 0;
            draw(n % 9);
            apli_kernels_at(isa)->structure->compress_bits(first, values, mask, count);
            apli_kernels_at(isa)->structure->expand_bits(second, values, mask, count);
            for (int64_t i = 0; i < count; i++) {
                const bool one = apli_bit_get(mask, i);
                assert_int_equal(apli_bit_get(second, i), one && apli_bit_get(values, kept));
                if (one) assert_int_equal(apli_bit_get(first, kept), apli_bit_get(values, i));
                kept += one;
            }
            assert_int_equal(first[(kept + 7) / 8], 0xA5);
            assert_int_equal(second[(count + 7) / 8], 0xA5);
        }
}

/* ---- sums -------------------------------------------------------------------------------------------------------------- */

static int64_t value_at(AplType type, int64_t i) {
    return type == APLI_BOOL ? apli_bit_get(values, i) : (int64_t)apli_elem_f64(type, values, i);
}

static void sums_of_narrow_integers_are_exact(void **test_state) {
    (void)test_state;
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (int type = APLI_I8; type <= APLI_I32; type++)
            for (int n = 0; n < LENGTHS; n++) {
                const AplReduceKernels *kernels = apli_kernels_at(isa)->reduce;
                int64_t sum = 0, low = INT64_MAX, high = INT64_MIN, least, most;
                draw(4);
                for (int64_t i = 0; i < lengths[n]; i++) {
                    sum += value_at((AplType)type, i);
                    low = sum < low ? sum : low;
                    high = sum > high ? sum : high;
                }
                assert_int_equal(kernels->sum[type](values, lengths[n]), sum);
                assert_int_equal(kernels->range_of_sums[type](values, lengths[n], &least, &most), sum);
                assert_int_equal(least, low);
                assert_int_equal(most, high);
            }
}

static void sums_of_beginnings_are_exact(void **test_state) {
    (void)test_state;
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (int from = APLI_BOOL; from <= APLI_I32; from++)
            for (int to = APLI_I8; to <= APLI_I64; to++)
                for (int n = 0; n < LENGTHS; n++) {
                    draw(4);
                    apli_kernels_at(isa)->reduce->sums[from][to](first, values, lengths[n], -5);
                    int64_t sum = -5, wanted;
                    for (int64_t i = 0; i < lengths[n]; i++) {
                        sum += value_at((AplType)from, i);
                        apli_elem_convert((AplType)to, &wanted, 0, APLI_I64, &sum, 0, 1); /* wraps, as the kernel does */
                        assert_memory_equal(first + apli_type_bytes((AplType)to, i), &wanted, apli_type_bytes((AplType)to, 1));
                    }
                    assert_int_equal(first[apli_type_bytes((AplType)to, lengths[n])], 0xA5);
                }
}

static void divisors_are_the_greatest(void **test_state) {
    (void)test_state;
    static const int64_t factors[] = {1, 2, 3, 7, 12, 40};
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (int type = APLI_I8; type <= APLI_I32; type++)
            for (size_t f = 0; f < sizeof factors / sizeof *factors; f++)
                for (int n = 0; n < LENGTHS; n++) {
                    int64_t greatest = 0;
                    for (int64_t i = 0; i < lengths[n]; i++) {
                        int64_t room = type == APLI_I8 ? 127 : type == APLI_I16 ? 32767 : INT32_MAX;
                        int64_t value = ((int64_t)(apli_random_u64(&state) >> 1) % (2 * (room / factors[f]) + 1) -
                                         room / factors[f]) * factors[f];
                        apli_elem_convert((AplType)type, values, i, APLI_I64, &value, 0, 1);
                        for (int64_t x = llabs(value); x;) { /* Euclid */
                            int64_t rest = greatest % x;
                            greatest = x;
                            x = rest;
                        }
                    }
                    assert_int_equal(apli_kernels_at(isa)->reduce->divisor[type](values, lengths[n], 0), greatest);
                }
}

/* ---- comparisons ------------------------------------------------------------------------------------------------------- */

static bool answer(AplCompareForm form, double x, double low, double high) {
    switch (form) {
    case APLI_COMPARE_SAME: return x == low;
    case APLI_COMPARE_DIFFERENT: return x != low;
    case APLI_COMPARE_WITHIN: return x >= low && x <= high;
    case APLI_COMPARE_OUTSIDE: return !(x >= low && x <= high);
    case APLI_COMPARE_ABOVE: return x > high;
    case APLI_COMPARE_FROM: return x >= low;
    case APLI_COMPARE_BELOW: return x < low;
    default: return x <= high;
    }
}

static void elements_are_compared_with_a_range(void **test_state) {
    (void)test_state;
    static const AplType types[] = {APLI_I8, APLI_I16, APLI_I32, APLI_I64, APLI_F32, APLI_F64};
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (int t = 0; t < 6; t++)
            for (int form = 0; form < APLI_COMPARE_FORMS; form++)
                for (int n = 0; n < LENGTHS; n++) {
                    const double low = -2, high = 3, nothing = (double)NAN;
                    uint64_t least, most;
                    draw(4);
                    for (int64_t i = 0; i < lengths[n]; i++) {
                        const double value = (double)(apli_random_u64(&state) % 9) - 4;
                        const bool real = types[t] >= APLI_F32 && i % 50 == 7;
                        apli_elem_convert(types[t], values, i, APLI_F64, real ? &nothing : &value, 0, 1);
                    }
                    apli_elem_convert(types[t], &least, 0, APLI_F64, &low, 0, 1);
                    apli_elem_convert(types[t], &most, 0, APLI_F64, &high, 0, 1);
                    apli_kernels_at(isa)->outer_product->compare[types[t]][form](first, values, lengths[n], &least, &most);
                    for (int64_t i = 0; i < lengths[n]; i++)
                        assert_int_equal(apli_bit_get(first, i),
                                         answer((AplCompareForm)form, apli_elem_f64(types[t], values, i), low, high));
                    assert_int_equal(first[(lengths[n] + 7) / 8], 0xA5);
                }
}

/* ---- products ------------------------------------------------------------------------------------------------------------ */

static void products_with_a_vector_are_exact(void **test_state) {
    (void)test_state;
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (int n = 0; n < LENGTHS; n++) {
            const AplVectorProductKernels *kernels = apli_kernels_at(isa)->vector_product;
            const int64_t count = lengths[n] / 2 + 1;
            int64_t sum_8 = 0, sum_16 = 0, sum_32 = 0;
            uint32_t bits = 0, all;
            draw(4);
            const int8_t *bytes = (const int8_t *)values;
            const int16_t *shorts = (const int16_t *)values;
            int32_t *words = (int32_t *)values;
            for (int64_t i = 0; i < count; i++) {
                sum_8 += bytes[i] * bytes[i + count];
                sum_16 += shorts[i] * shorts[i + count];
            }
            assert_int_equal(kernels->dot_i8(bytes, bytes + count, count), sum_8);
            assert_int_equal(kernels->dot_i16(shorts, shorts + count, count), sum_16);
            for (int64_t i = 0; i < 2 * count; i++) words[i] >>= 3; /* sums below 2^63 */
            for (int64_t i = 0; i < count; i++) {
                sum_32 += (int64_t)words[i] * words[i + count];
                bits |= (uint32_t)(words[i] < 0 ? ~words[i] : words[i]);
            }
            assert_int_equal(kernels->dot_i32(words, words + count, count, &all), sum_32);
            assert_int_equal(all, bits);
        }
}

/* In 16 lanes, which are added 8 to 8, 4 to 4, 2 to 2 and 1 to 1. */
static void products_of_reals_have_one_order(void **test_state) {
    (void)test_state;
    for (int n = 0; n < LENGTHS; n++) {
        const int64_t count = lengths[n] / 2 + 1;
        double *reals = (double *)values, lanes[16] = {0};
        for (int64_t i = 0; i < 2 * count; i++) reals[i] = apli_random_unit(&state) - 0.3;
        for (int64_t i = 0; i < count; i++) {
            const double product = reals[i] * reals[i + count];
            lanes[i % 16] = lanes[i % 16] + product;
        }
        for (int apart = 8; apart; apart /= 2)
            for (int i = 0; i < apart; i++) lanes[i] += lanes[i + apart];
        for (int isa = 0; apli_kernels_at(isa); isa++) {
            const double sum = apli_kernels_at(isa)->vector_product->dot_f64(reals, reals + count, count);
            assert_memory_equal(&sum, lanes, sizeof sum);
        }
    }
}

static void ones_of_functions_of_bits_are_counted(void **test_state) {
    (void)test_state;
    static const struct {
        AplScalarOp op;
        const char *truth; /* for 0 0, 0 1, 1 0, 1 1 */
    } functions[] = {
        {APLI_OP_AND, "0001"},          {APLI_OP_MULTIPLY, "0001"},   {APLI_OP_MINIMUM, "0001"}, {APLI_OP_OR, "0111"},
        {APLI_OP_MAXIMUM, "0111"},      {APLI_OP_RESIDUE, "0100"},    {APLI_OP_LESS, "0100"},    {APLI_OP_LESS_EQUAL, "1101"},
        {APLI_OP_EQUAL, "1001"},        {APLI_OP_NOT_EQUAL, "0110"},  {APLI_OP_NAND, "1110"},    {APLI_OP_NOR, "1000"},
        {APLI_OP_GREATER_EQUAL, "1011"}, {APLI_OP_GREATER, "0010"},
    };
    for (int isa = 0; apli_kernels_at(isa); isa++)
        for (size_t f = 0; f < sizeof functions / sizeof *functions; f++)
            for (int64_t length = 1; length < 1200; length += 37) {
                enum { COLUMNS = 9 };
                const int64_t words = (length + 63) / 64;
                const uint64_t last = length & 63 ? (UINT64_C(1) << (length & 63)) - 1 : UINT64_MAX;
                int64_t ones[COLUMNS];
                draw(3);
                for (int64_t row = 0; row <= COLUMNS; row++) /* nothing past the end of a row */
                    for (int64_t i = length; i < words * 64; i++) apli_bit_set(values, row * words * 64 + i, false);
                const uint64_t *x = (const uint64_t *)values, *y = x + words;
                apli_kernels_at(isa)->vector_product->ones(functions[f].op, x, y, words, last, COLUMNS, ones);
                for (int64_t column = 0; column < COLUMNS; column++) {
                    int64_t wanted = 0;
                    for (int64_t i = 0; i < length; i++)
                        wanted += functions[f].truth[2 * apli_bit_get(values, i) +
                                                     apli_bit_get(values, (column + 1) * words * 64 + i)] == '1';
                    assert_int_equal(ones[column], wanted);
                }
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_reversed),
        cmocka_unit_test(bits_are_reversed),
        cmocka_unit_test(a_mask_selects_elements),
        cmocka_unit_test(a_mask_spreads_elements),
        cmocka_unit_test(a_mask_selects_and_spreads_bits),
        cmocka_unit_test(sums_of_narrow_integers_are_exact),
        cmocka_unit_test(sums_of_beginnings_are_exact),
        cmocka_unit_test(divisors_are_the_greatest),
        cmocka_unit_test(elements_are_compared_with_a_range),
        cmocka_unit_test(products_with_a_vector_are_exact),
        cmocka_unit_test(products_of_reals_have_one_order),
        cmocka_unit_test(ones_of_functions_of_bits_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
