/* ⍳N counts; ⍳N M gives every index of a matrix. X⍳Y: where each major cell of X's shape in Y comes first in X. X∊Y: whether
   each element of X is one of Y's. */
#include "prim/iota/lookup.h"
#include "prim/iota/lookup_elements.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

#define COUNT(TYPE) \
    { \
        TYPE *values = (TYPE *)(*result)->data; \
        for (int64_t i = 0; i < length; i++) values[i] = (TYPE)(first + i); \
        return APL_OK; \
    }

/* first, first+1, ... in the smallest type. */
static AplErr count_up(int64_t first, int64_t length, AplArray **result) {
    AplType type = length ? apli_type_for_range(first, first + length - 1) : APLI_BOOL;
    TRY(apli_vector_new(type, length, result));
    switch (type) {
    case APLI_I8: COUNT(int8_t)
    case APLI_I16: COUNT(int16_t)
    case APLI_I32: COUNT(int32_t)
    case APLI_I64: COUNT(int64_t)
    default: break;
    }
    for (int64_t i = 0; i < length; i++) apli_bit_set((*result)->data, i, first + i);
    return APL_OK;
}

AplErr apli_index_vector(const int64_t *index, int rank, int64_t origin, AplArray **result) {
    APLI_AUTO AplArray *vector = NULL;
    TRY(apli_vector_new(APLI_I64, rank, &vector));
    for (int i = 0; i < rank; i++) apli_integer_data(vector)[i] = index[i] + origin;
    TRY(apli_squeeze(&vector));
    *result = apli_move(&vector);
    return APL_OK;
}

AplErr apli_iota(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO AplArray *numbers = NULL, *indices = NULL;
    TRY(apli_vector_argument(right, "the argument of ⍳"));
    TRY(apli_integers(right, "the argument of ⍳", &numbers));
    const int64_t *shape = apli_integer_data(numbers);
    FAIL_IF(numbers->count > APLI_MAX_RANK, APL_LIMIT, "rank %" PRId64 " is more than %d", numbers->count, APLI_MAX_RANK);
    for (int64_t i = 0; i < numbers->count; i++)
        FAIL_IF(shape[i] < 0, APL_DOMAIN, "⍳ of %" PRId64, shape[i]);
    if (numbers->count == 1) return count_up(env->index_origin, shape[0], result);
    int rank = (int)numbers->count;
    int64_t index[APLI_MAX_RANK] = {0};
    TRY(apli_array_new(APLI_NESTED, rank, shape, &indices));
    if (indices->count == 0) { /* the prototype: an index of zeros */
        TRY(apli_vector_new(APLI_BOOL, rank, &apli_items(indices)[0]));
        memset(apli_items(indices)[0]->data, 0, 8);
    }
    for (int64_t i = 0; i < indices->count; i++) {
        TRY(apli_index_vector(index, rank, env->index_origin, &apli_items(indices)[i]));
        for (int k = rank - 1; k >= 0 && ++index[k] == shape[k]; k--) index[k] = 0;
    }
    *result = apli_move(&indices);
    return APL_OK;
}

/* A few are found sooner one after another. */
static bool worth_a_table(const AplArray *keys, const AplArray *queries) {
    enum { FEW = 64 };
    return keys->count && queries->count > 2 && (keys->count > 4 || queries->count > FEW);
}

/* Positions (I32) from ⎕IO on, in the smallest type. */
static AplErr from_origin(const AplEnv *env, AplArray *positions, int rank, const int64_t *shape, AplArray **result) {
    APLI_AUTO AplArray *shaped = NULL;
    int32_t *values = (int32_t *)positions->data;
    for (int64_t i = 0; i < positions->count; i++) values[i] += (int32_t)env->index_origin;
    TRY(apli_reshape_view(positions, rank, shape, &shaped));
    TRY(apli_squeeze(&shaped));
    *result = apli_move(&shaped);
    return APL_OK;
}

AplErr apli_index_of(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    FAIL_IF(left->rank == 0, APL_RANK, "the left argument of ⍳ is a scalar");
    int cell_rank = left->rank - 1, rank = right->rank - cell_rank;
    FAIL_IF(rank < 0, APL_RANK, "cells of rank %d are looked for in an array of rank %d", cell_rank, right->rank);
    FAIL_IF(memcmp(left->shape + 1, right->shape + rank, (size_t)cell_rank * sizeof *left->shape), APL_LENGTH,
            "cells of shape %s are looked for in an array of shape %s", apli_shape_text(left), apli_shape_text(right));
    int64_t cell = apli_product(left->shape + 1, cell_rank);
    APLI_AUTO AplArray *found = NULL, *elements = NULL;
    if (cell == 1 && worth_a_table(left, right)) {
        bool done;
        TRY(apli_find_elements(env, left, right, false, &elements, &done));
        if (done) return from_origin(env, elements, rank, right->shape, result);
    }
    TRY(apli_array_new(APLI_I64, rank, right->shape, &found));
    TRY(apli_find_cells(env, left, left->shape[0], right, found->count, cell, apli_integer_data(found)));
    for (int64_t i = 0; i < found->count; i++) apli_integer_data(found)[i] += env->index_origin;
    TRY(apli_squeeze(&found));
    *result = apli_move(&found);
    return APL_OK;
}

AplErr apli_member(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO AplArray *found = NULL, *member = NULL, *elements = NULL;
    if (worth_a_table(right, left)) {
        bool done;
        TRY(apli_find_elements(env, right, left, true, &elements, &done));
        if (done) return apli_reshape_view(elements, left->rank, left->shape, result);
    }
    TRY(apli_vector_new(APLI_I64, left->count, &found));
    TRY(apli_find_cells(env, right, right->count, left, left->count, 1, apli_integer_data(found)));
    TRY(apli_array_new_like(APLI_BOOL, left, &member));
    for (int64_t i = 0; i < left->count; i++) apli_bit_set(member->data, i, apli_integer_data(found)[i] < right->count);
    *result = apli_move(&member);
    return APL_OK;
}
