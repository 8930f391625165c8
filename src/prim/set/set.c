/* ∪X: the major cells that did not come before. X∪Y, X∩Y and X~Y: of vectors, as sets that keep their order. ≠X: a mask of the
   cells that ∪ keeps. */
#include "prim/iota/lookup.h"
#include "prim/structure.h"

#include <string.h>

static AplErr distinct(AplEnv *env, AplArray *right, AplArray **result) {
    int64_t count = right->rank ? right->shape[0] : 1;
    int64_t cell = right->rank ? apli_product(right->shape + 1, right->rank - 1) : 1;
    return apli_distinct_cells(env, right, count, cell, result);
}

AplErr apli_unique(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO AplArray *kept = NULL;
    if (right->rank == 0) return apli_reshape_view(right, 1, &(int64_t){1}, result);
    TRY(distinct(env, right, &kept));
    if (kept->count == right->shape[0]) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    return apli_select(right, 0, apli_integer_data(kept), kept->count, result);
}

AplErr apli_unique_mask(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    APLI_AUTO AplArray *kept = NULL, *mask = NULL;
    FAIL_IF(axis, APL_SYNTAX, "monadic ≠ takes no axis");
    TRY(distinct(env, right, &kept));
    TRY(apli_vector_new(APLI_BOOL, right->rank ? right->shape[0] : 1, &mask));
    memset(mask->data, 0, apli_type_bytes(APLI_BOOL, mask->count));
    for (int64_t i = 0; i < kept->count; i++) apli_bit_set(mask->data, apli_integer_data(kept)[i], true);
    *result = apli_move(&mask);
    return APL_OK;
}

/* The elements of `from` that are, or are not, among those of `set`: as a vector. */
static AplErr keep(AplEnv *env, AplArray *from, AplArray *set, bool members, AplArray **result) {
    APLI_AUTO AplArray *vector = NULL, *found = NULL;
    TRY(apli_reshape_view(from, 1, &from->count, &vector));
    TRY(apli_vector_new(APLI_I64, from->count, &found));
    int64_t *indices = apli_integer_data(found), kept = 0;
    TRY(apli_find_cells(env, set, set->count, vector, vector->count, 1, indices));
    for (int64_t i = 0; i < vector->count; i++)
        if ((indices[i] < set->count) == members) indices[kept++] = i;
    return apli_select(vector, 0, indices, kept, result);
}

AplErr apli_without(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    FAIL_IF(axis, APL_SYNTAX, "dyadic ~ takes no axis");
    TRY(apli_vector_argument(left, "the left argument of ~"));
    return keep(env, left, right, false, result);
}

AplErr apli_intersection(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    TRY(apli_vector_argument(left, "the left argument of ∩"));
    TRY(apli_vector_argument(right, "the right argument of ∩"));
    return keep(env, left, right, true, result);
}

AplErr apli_union(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO AplArray *others = NULL;
    TRY(apli_vector_argument(left, "the left argument of ∪"));
    TRY(apli_vector_argument(right, "the right argument of ∪"));
    TRY(keep(env, right, left, false, &others));
    return apli_catenate(env, left, others, NULL, result);
}
