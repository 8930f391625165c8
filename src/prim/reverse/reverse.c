/* ⌽X and ⊖X reverse an axis (the last, the first, or [k]); K⌽X rotates it: by one number, or by one for each vector along the
   axis. */
#include "prim/structure.h"

#include <string.h>

static AplErr reverse(AplArray *right, int axis, AplArray **result) {
    if (right->rank == 0 || right->count == 0) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    int64_t length = right->shape[axis];
    APLI_AUTO AplArray *indices = NULL;
    TRY(apli_vector_new(APLI_I64, length, &indices));
    for (int64_t i = 0; i < length; i++) apli_integer_data(indices)[i] = length - 1 - i;
    return apli_select(right, axis, apli_integer_data(indices), length, result);
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
