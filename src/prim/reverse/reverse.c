/* ⌽X and ⊖X reverse an axis (the last, the first, or [k]); K⌽X rotates it: by one number, or by one for each vector along the
   axis. */
#include "prim/structure.h"

#include "isa/isa.h"
#include "prim/structure_kernels.h"

#include <string.h>

enum { PART = 1 << 18 }; /* elements that one thread reverses at a time */

/* Rows of bits that begin between bytes go through two of their own. */
static AplErr reverse_rows_of_bits(const AplArray *right, AplAround around, AplArray *reversed) {
    const AplStructureKernels *kernels = apli_kernels()->structure;
    if (around.outer == 1) {
        kernels->reverse_bits(reversed->data, right->data, around.length);
        return APL_OK;
    }
    APLI_AUTO AplArray *row = NULL, *backwards = NULL;
    TRY(apli_vector_new(APLI_BOOL, around.length, &row));
    TRY(apli_vector_new(APLI_BOOL, around.length, &backwards));
    for (int64_t outer = 0; outer < around.outer; outer++) {
        apli_copy(row, 0, right, outer * around.length, around.length);
        kernels->reverse_bits(backwards->data, row->data, around.length);
        apli_copy(reversed, outer * around.length, backwards, 0, around.length);
    }
    return APL_OK;
}

typedef struct Rows {
    const uint8_t *from;
    uint8_t *to;
    int64_t length;
    int width; /* of an element: 1 << width bytes */
} Rows;

static void reverse_part(void *context, int64_t first, int64_t count) {
    const Rows *rows = context;
    const AplStructureKernels *kernels = apli_kernels()->structure;
    kernels->reverse[rows->width](rows->to + (first << rows->width),
                                  rows->from + ((rows->length - first - count) << rows->width), count);
}

static AplErr reverse(AplArray *right, int axis, AplArray **result) {
    if (right->rank == 0 || right->count == 0) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    APLI_AUTO AplArray *reversed = NULL;
    const AplAround around = apli_around(right, axis);
    TRY(apli_result_new(right, right->rank, right->shape, &reversed));
    if (around.inner > 1 || right->type == APLI_NESTED) {
        for (int64_t i = 0; i < around.outer * around.length; i++) {
            const int64_t mirrored = i - i % around.length + around.length - 1 - i % around.length;
            apli_copy(reversed, i * around.inner, right, mirrored * around.inner, around.inner);
        }
    } else if (right->type == APLI_BOOL) {
        TRY(reverse_rows_of_bits(right, around, reversed));
    } else {
        const int width = apli_width_of((AplType)right->type);
        for (int64_t outer = 0; outer < around.outer; outer++) {
            const int64_t at = outer * around.length << width;
            apli_in_parts(around.length, PART, reverse_part,
                          &(Rows){right->data + at, reversed->data + at, around.length, width});
        }
    }
    *result = apli_move(&reversed);
    return APL_OK;
}

AplErr apli_reverse(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    int along;
    TRY(apli_axis(env, axis, right->rank, right->rank - 1, &along));
    return reverse(right, along, result);
}

AplErr apli_reverse_first(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    int along;
    TRY(apli_axis(env, axis, right->rank, 0, &along));
    return reverse(right, along, result);
}

static int64_t modulo(int64_t value, int64_t length) {
    int64_t rest = value % length;
    return rest < 0 ? rest + length : rest;
}

static AplErr rotate_by_one_number(AplArray *right, int axis, int64_t by, AplArray **result) {
    AplAround around = apli_around(right, axis);
    int64_t shift = modulo(by, around.length) * around.inner, run = around.length * around.inner;
    if (shift == 0) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    AplArray *rotated;
    TRY(apli_result_new(right, right->rank, right->shape, &rotated));
    for (int64_t outer = 0; outer < around.outer; outer++) {
        apli_copy(rotated, outer * run, right, outer * run + shift, run - shift);
        apli_copy(rotated, outer * run + run - shift, right, outer * run, shift);
    }
    *result = rotated;
    return APL_OK;
}

static AplErr rotate(AplArray *left, AplArray *right, int axis, AplArray **result) {
    APLI_AUTO AplArray *by = NULL;
    TRY(apli_integers(left, "a rotation", &by));
    if (left->count != 1 || left->rank > 1) {
        FAIL_IF(left->rank + 1 != right->rank, APL_RANK, "a rotation of rank %d for an array of rank %d", left->rank,
                right->rank);
        for (int i = 0; i < left->rank; i++)
            FAIL_IF(left->shape[i] != right->shape[i < axis ? i : i + 1], APL_LENGTH,
                    "the rotation has shape %s, the array has shape %s", apli_shape_text(left), apli_shape_text(right));
    }
    if (right->rank == 0 || right->count == 0) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    const int64_t *amounts = apli_integer_data(by);
    if (by->count == 1) return rotate_by_one_number(right, axis, amounts[0], result);
    AplAround around = apli_around(right, axis);
    APLI_AUTO AplArray *positions = NULL;
    TRY(apli_vector_new(APLI_I64, right->count, &positions));
    int64_t *position = apli_integer_data(positions);
    for (int64_t outer = 0; outer < around.outer; outer++) {
        for (int64_t inner = 0; inner < around.inner; inner++) {
            int64_t base = outer * around.length * around.inner + inner;
            int64_t from = modulo(amounts[outer * around.inner + inner], around.length);
            for (int64_t i = 0; i < around.length; i++) {
                position[base + i * around.inner] = base + from * around.inner;
                if (++from == around.length) from = 0;
            }
        }
    }
    return apli_select_elements(right, position, right->rank, right->shape, result);
}

AplErr apli_rotate(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    int along;
    TRY(apli_axis(env, axis, right->rank, right->rank - 1, &along));
    return rotate(left, right, along, result);
}

AplErr apli_rotate_first(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    int along;
    TRY(apli_axis(env, axis, right->rank, 0, &along));
    return rotate(left, right, along, result);
}
