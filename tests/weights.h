/* What the tests of products share: random arguments, and comparing bits. */
#ifndef APLI_TESTS_WEIGHTS_H
#define APLI_TESTS_WEIGHTS_H

#include "array/array.h"
#include "elem/packed.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint32_t seed = 1;
/* -1 to 1 */
static inline float random_real(void) {
    seed = seed * 1664525 + 1013904223;
    return (float)(int32_t)seed / 2147483648.0f;
}

static inline AplArray *matrix(int64_t rows, int64_t columns) {
    AplArray *array;
    assert_int_equal(apli_array_new(APLI_F32, 2, (int64_t[]){rows, columns}, &array), APL_OK);
    for (int64_t i = 0; i < array->count; i++) ((float *)array->data)[i] = random_real();
    return array;
}

/* Random weights in a layout: bytes at random, f16 scales made small finite numbers. */
static inline AplArray *packed_matrix(const AplPackedLayout *layout, int64_t rows, int64_t columns) {
    static const int halves[APLI_CODEC_COUNT][2] = {
        [APLI_CODEC_Q4_1] = {0, 2},   [APLI_CODEC_Q5_1] = {0, 2}, [APLI_CODEC_Q2_K] = {80, 82}, [APLI_CODEC_Q3_K] = {108, 108},
        [APLI_CODEC_Q4_K] = {0, 2},   [APLI_CODEC_Q5_K] = {0, 2}, [APLI_CODEC_Q6_K] = {208, 208},
        [APLI_CODEC_TQ1_0] = {52, 52}, [APLI_CODEC_TQ2_0] = {64, 64},
    };
    const int64_t row_bytes = apli_packed_row_bytes(layout, columns);
    const size_t size = (size_t)(rows * row_bytes);
    AplStorage *storage;
    AplArray *array;
    assert_int_equal(apli_storage_new(size, APLI_PACKED, &storage), APL_OK);
    for (size_t i = 0; i < size; i++) storage->bytes[i] = (uint8_t)(int)(random_real() * 128);
    if (layout->block_elements == 0) {
        for (int64_t row = 0; row < rows; row++) {
            float scale = random_real();
            memcpy(storage->bytes + row * row_bytes, &scale, sizeof scale);
        }
    } else {
        for (int64_t block = 0; block < rows * columns / layout->block_elements; block++)
            for (int i = 0; i < 2; i++) {
                uint16_t half = apli_f32_to_f16(random_real());
                memcpy(storage->bytes + block * layout->block_bytes + halves[layout->codec][i], &half, sizeof half);
            }
    }
    assert_int_equal(apli_packed_new(layout, 2, (int64_t[]){rows, columns}, storage, storage->bytes, &array), APL_OK);
    apli_storage_release(storage);
    return array;
}

static inline void compare_bits(const char *what, const float *found, const float *expected, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (memcmp(&found[i], &expected[i], sizeof *found) != 0 && !(isnan(found[i]) && isnan(expected[i])))
            fail_msg("%s: element %d is %.9g, not %.9g", what, (int)i, (double)found[i], (double)expected[i]);
}

#endif
