/* elem/packed: every layout reads the bytes that the reference reads (tests/reference/make_packed_fixture.py), and the
   native ones write the bytes that it writes. */
#include "elem/elem.h"
#include "elem/packed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { ROWS = 2, COLUMNS = 512 };

/* The bytes of tests/data/packed/<name><suffix>; the caller frees them. */
static void *fixture(const char *name, const char *suffix, size_t *size) {
    char path[512];
    snprintf(path, sizeof path, "%s/tests/data/packed/%s%s", SOURCE_DIR, name, suffix);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t *bytes = malloc(1 << 16);
    assert_non_null(bytes);
    *size = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

static void check_unpack(const AplPackedLayout *layout, const char *name) {
    size_t packed_size, value_size;
    uint8_t *packed = fixture(name, ".packed", &packed_size);
    float *expected = fixture(name, ".f32", &value_size);
    int64_t row_bytes = apli_packed_row_bytes(layout, COLUMNS);
    assert_int_equal(packed_size, ROWS * row_bytes);
    assert_int_equal(value_size, ROWS * COLUMNS * sizeof(float));
    float values[COLUMNS];
    for (int row = 0; row < ROWS; row++) {
        layout->unpack(layout, packed + row * row_bytes, COLUMNS, values);
        for (int i = 0; i < COLUMNS; i++)
            if (memcmp(&values[i], &expected[row * COLUMNS + i], sizeof(float)) != 0 &&
                !(values[i] == 0 && expected[row * COLUMNS + i] == 0))
                fail_msg("%s (%d;%d): %g, not %g", name, row, i, (double)values[i], (double)expected[row * COLUMNS + i]);
    }
    free(packed);
    free(expected);
}

static void check_pack(const AplPackedLayout *layout, const char *name) {
    size_t packed_size, source_size;
    uint8_t *expected = fixture(name, ".packed", &packed_size);
    float *source = fixture(name, ".source.f32", &source_size);
    uint8_t *packed = malloc(packed_size);
    assert_non_null(packed);
    assert_int_equal(apli_packed_pack(layout, source, ROWS, COLUMNS, packed), APL_OK);
    for (size_t i = 0; i < packed_size; i++)
        if (packed[i] != expected[i]) fail_msg("%s: byte %zu is %d, not %d", name, i, packed[i], expected[i]);
    free(expected);
    free(source);
    free(packed);
}

static void every_gguf_layout_unpacks_to_the_bits_of_the_reference(void **state) {
    (void)state;
    const char *names[] = {"q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_k", "q3_k", "q4_k", "q5_k", "q6_k",
                           "iq4_nl", "tq1_0", "tq2_0", "q1_0"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const AplPackedLayout *layout = apli_packed_layout_named(names[i]);
        assert_non_null(layout);
        check_unpack(layout, names[i]);
    }
}

static void groups_of_32_in_4_and_8_bits_are_q4_0_and_q8_0(void **state) {
    (void)state;
    const AplPackedLayout *layout;
    assert_int_equal(apli_packed_layout(43, 32, COLUMNS, &layout), APL_OK);
    check_unpack(layout, "q4_0");
    check_pack(layout, "q4_0");
    assert_int_equal(apli_packed_layout(83, 32, COLUMNS, &layout), APL_OK);
    check_unpack(layout, "q8_0");
    check_pack(layout, "q8_0");
}

static void groups_of_128_in_1_bit_are_q1_0(void **state) {
    (void)state;
    const AplPackedLayout *layout;
    assert_int_equal(apli_packed_layout(13, 128, COLUMNS, &layout), APL_OK);
    assert_string_equal(layout->name, "q1_0");
    check_unpack(layout, "q1_0");
    check_pack(layout, "q1_0");
}

static void iq2_bn_rows_have_one_scale_and_blocks_of_64(void **state) {
    (void)state;
    const AplPackedLayout *layout = apli_packed_layout_named("iq2_bn");
    uint8_t row[4 + 32] = {0, 0, 0, 0x3F}; /* ½ */
    float values[128];
    assert_int_equal(apli_packed_row_bytes(layout, 128), sizeof row);
    row[4] = 0xE4; /* 0 1 2 3: elements 0, 16, 32 and 48 */
    row[4 + 16 + 15] = 0x02; /* element 64 + 15 */
    layout->unpack(layout, row, 128, values);
    for (int i = 0; i < 128; i++) {
        const float expected = i == 0 ? -0.5f : i == 16 ? 0 : i == 32 || i == 79 ? 0.5f : i == 48 ? 1 : -0.5f;
        if (values[i] != expected) fail_msg("element %d: %g, not %g", i, (double)values[i], (double)expected);
    }
    assert_int_equal(apli_packed_find_nonfinite(layout, row, 1, 128), -1);
    row[2] = 0x80, row[3] = 0x7F; /* infinity */
    assert_int_equal(apli_packed_find_nonfinite(layout, row, 1, 128), 0);
}

/* The scales of every layout are looked at where they lie: the reference's bytes with one scale made infinite. */
static void an_infinite_scale_is_found_in_every_layout(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int place; /* of the block's scale, by the reference's description */
    } layouts[] = {{"q4_0", 0}, {"q8_0", 0}, {"q6_k", 208}, {"iq4_nl", 0}, {"tq1_0", 52}, {"tq2_0", 64}, {"q1_0", 0}};
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        const AplPackedLayout *layout = apli_packed_layout_named(layouts[i].name);
        size_t size;
        uint8_t *packed = fixture(layouts[i].name, ".packed", &size);
        assert_int_equal(apli_packed_find_nonfinite(layout, packed, ROWS, COLUMNS), -1);
        packed[layout->block_bytes + layouts[i].place] = 0;
        packed[layout->block_bytes + layouts[i].place + 1] = 0x7C;
        assert_int_equal(apli_packed_find_nonfinite(layout, packed, ROWS, COLUMNS), layout->block_elements);
        free(packed);
    }
}

static void nf4_packs_and_unpacks_as_published(void **state) {
    (void)state;
    const AplPackedLayout *layout, *again;
    assert_int_equal(apli_packed_layout(45, 64, COLUMNS, &layout), APL_OK);
    assert_int_equal(apli_packed_layout(45, 64, 128, &again), APL_OK);
    assert_ptr_equal(layout, again);
    assert_string_equal(layout->name, "nf4 64");
    check_unpack(layout, "nf4_64");
    check_pack(layout, "nf4_64");
}

static void check_round_trip(int representation, int64_t group, int count, const float *values, const float *expected) {
    const AplPackedLayout *layout;
    uint8_t bytes[256];
    float unpacked[64];
    assert_int_equal(apli_packed_layout(representation, group, count, &layout), APL_OK);
    assert_int_equal(layout->representation, representation);
    assert_int_equal(layout->group, group);
    assert_int_equal(apli_packed_pack(layout, values, 1, count, bytes), APL_OK);
    layout->unpack(layout, bytes, count, unpacked);
    for (int i = 0; i < count; i++)
        if (unpacked[i] != expected[i])
            fail_msg("%d %d element %d: %g, not %g", representation, (int)group, i, (double)unpacked[i], (double)expected[i]);
}

static void rows_of_any_length_pack_with_one_scale(void **state) {
    (void)state;
    /* by hand: mean magnitude 20÷10 is 2; rounded half to even, 1÷2 is 0 and 3÷2 is clipped to 1 */
    const float ten[10] = {1, -1, 3, -3, 0, 4, -4, 2, -2, 0};
    const float binary[10] = {2, -2, 2, -2, 2, 2, -2, 2, -2, 2};
    const float ternary[10] = {0, 0, 2, -2, 0, 2, -2, 2, -2, 0};
    check_round_trip(13, 0, 10, ten, binary);
    check_round_trip(23, 0, 10, ten, ternary);
    check_round_trip(13, 5, 10, (float[]){1, 1, 1, 1, 1, -8, -8, 8, 8, 8}, (float[]){1, 1, 1, 1, 1, -8, -8, 8, 8, 8});
    check_round_trip(23, 5, 10, (float[]){1, 1, 1, 1, 1, -8, -8, 8, 8, 8}, (float[]){1, 1, 1, 1, 1, -8, -8, 8, 8, 8});
    /* the extreme is -8, so the scale is 1 */
    check_round_trip(43, 0, 7, (float[]){-8, 7, 0.4f, 0.5f, -1.6f, 3, 7.9f}, (float[]){-8, 7, 0, 1, -2, 3, 7});
    /* the extreme is 127, so the scale is 1; halves go away from zero */
    check_round_trip(83, 0, 5, (float[]){127, -126.5f, 0.5f, -0.4f, 3}, (float[]){127, -127, 1, 0, 3});
    /* the extreme is 2047, so the scale is 1; halves go to the even one; an odd row's last nibble is alone */
    check_round_trip(123, 0, 5, (float[]){2047, -2046.5f, 0.5f, -1.5f, -17}, (float[]){2047, -2046, 0, -2, -17});
    check_round_trip(123, 3, 6, (float[]){-2047, 1024, 15, 31, -4094, 2}, (float[]){-2047, 1024, 15, 32, -4094, 2});
    check_round_trip(45, 0, 3, (float[]){-2, 0.1f, 2}, (float[]){-2, 2 * 0.07958029955625534f, 2});
}

/* Integers with 2047 among them have the scale 1. The float after the last is nobody's to write. */
static void a_row_of_12_bits_of_any_length_is_unpacked_and_nothing_beyond_it(void **state) {
    (void)state;
    for (int count = 1; count < 130; count++)
        for (int groups = 1; groups <= 3; groups++) {
            const AplPackedLayout *layout;
            const int columns = groups * count;
            float values[3 * 130], unpacked[3 * 130];
            uint8_t bytes[3 * 200];
            for (int i = 0; i < columns; i++) values[i] = i % count ? (float)(i * 37 % 4095 - 2047) : 2047;
            assert_int_equal(apli_packed_layout(123, groups > 1 ? count : 0, columns, &layout), APL_OK);
            assert_int_equal(apli_packed_pack(layout, values, 1, columns, bytes), APL_OK);
            unpacked[columns] = 12345;
            layout->unpack(layout, bytes, columns, unpacked);
            assert_memory_equal(unpacked, values, (size_t)columns * sizeof *values);
            if (unpacked[columns] != 12345) fail_msg("%d groups of %d: one more is written", groups, count);
        }
}

static void what_cannot_be_packed_says_which_element(void **state) {
    (void)state;
    const AplPackedLayout *layout;
    uint8_t bytes[64];
    assert_int_equal(apli_packed_layout(43, 5, 12, &layout), APL_DOMAIN);
    assert_string_equal(apli_error_message(), "groups of 5 do not divide a last axis of 12");
    assert_int_equal(apli_packed_layout(33, 4, 12, &layout), APL_DOMAIN);
    assert_int_equal(apli_packed_layout(43, -4, 12, &layout), APL_DOMAIN);
    assert_int_equal(apli_packed_layout(43, 4, 4, &layout), APL_OK);
    assert_int_equal(apli_packed_pack(layout, (float[]){1, 2, 3, 4, 5, 6, NAN, 8}, 2, 4, bytes), APL_DOMAIN);
    assert_string_equal(apli_error_message(), "element (1;2) is nan, a packed type holds finite numbers");
    assert_int_equal(apli_packed_pack(layout, (float[]){1, -INFINITY, 3, 4}, 1, 4, bytes), APL_DOMAIN);
    assert_int_equal(apli_packed_pack(layout, (float[]){1e6f, 0, 0, 0}, 1, 4, bytes), APL_DOMAIN);
    assert_string_equal(apli_error_message(),
                        "the scale -125000 of the group at (0;0) is past float16; group 0 has float32 scales");
    assert_int_equal(apli_packed_pack(apli_packed_layout_named("q6_k"), (float[]){1}, 1, 1, bytes), APL_NONCE);
    assert_null(apli_packed_layout_named("iq1_s"));
}

static void zeros_and_the_smallest_numbers_pack_without_infinities(void **state) {
    (void)state;
    const float zeros[8] = {0}, tiny[8] = {1e-45f, 0, 0, 0, 0, 0, 0, 0};
    for (int i = 0; i < 6; i++) {
        int representation = (int[]){13, 23, 43, 45, 83, 123}[i];
        check_round_trip(representation, 8, 8, zeros, zeros);
        check_round_trip(representation, 8, 8, tiny, zeros);
        check_round_trip(representation, 0, 8, zeros, zeros);
    }
    check_round_trip(45, 0, 8, tiny, tiny);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_gguf_layout_unpacks_to_the_bits_of_the_reference),
        cmocka_unit_test(groups_of_32_in_4_and_8_bits_are_q4_0_and_q8_0),
        cmocka_unit_test(groups_of_128_in_1_bit_are_q1_0),
        cmocka_unit_test(iq2_bn_rows_have_one_scale_and_blocks_of_64),
        cmocka_unit_test(an_infinite_scale_is_found_in_every_layout),
        cmocka_unit_test(nf4_packs_and_unpacks_as_published),
        cmocka_unit_test(rows_of_any_length_pack_with_one_scale),
        cmocka_unit_test(a_row_of_12_bits_of_any_length_is_unpacked_and_nothing_beyond_it),
        cmocka_unit_test(what_cannot_be_packed_says_which_element),
        cmocka_unit_test(zeros_and_the_smallest_numbers_pack_without_infinities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
