/* ⍉X reverses the axes; P⍉X sends axis i of X to axis P[i] of the result, where axes that meet make a diagonal. A
   permutation is a view. */
#include "prim/structure.h"

#include <inttypes.h>

AplErr apli_transpose(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    if (right->rank < 2) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    int axes[APLI_MAX_RANK];
    for (int i = 0; i < right->rank; i++) axes[i] = right->rank - 1 - i;
    return apli_transpose_view(right, axes, result);
}

/* Axes to[i] below `rank`, some of them equal: positions along the diagonals. */
static AplErr diagonal(AplArray *right, const int *to, int rank, AplArray **result) {
    APLI_AUTO AplArray *positions = NULL;
    int64_t shape[APLI_MAX_RANK], strides[APLI_MAX_RANK] = {0}, index[APLI_MAX_RANK] = {0}, step = 1;
    for (int i = 0; i < rank; i++) shape[i] = INT64_MAX;
    for (int i = right->rank - 1; i >= 0; i--) {
        if (right->shape[i] < shape[to[i]]) shape[to[i]] = right->shape[i];
        strides[to[i]] += step;
        step *= right->shape[i];
    }
    int64_t count = apli_product(shape, rank), from = 0;
    TRY(apli_vector_new(APLI_I64, count, &positions));
    for (int64_t i = 0; i < count; i++) {
        apli_integer_data(positions)[i] = from;
        for (int axis = rank - 1; axis >= 0; axis--) {
            from += strides[axis];
            if (++index[axis] < shape[axis]) break;
            from -= strides[axis] * shape[axis];
            index[axis] = 0;
        }
    }
    return apli_select_elements(right, apli_integer_data(positions), rank, shape, result);
}

AplErr apli_transpose_by(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO AplArray *numbers = NULL, *plain = NULL;
    TRY(apli_vector_argument(left, "the left argument of ⍉"));
    TRY(apli_integers(left, "the axes of ⍉", &numbers));
    FAIL_IF(numbers->count != right->rank, APL_LENGTH, "%" PRId64 " axes for an array of rank %d", numbers->count,
            right->rank);
    int to[APLI_MAX_RANK], from[APLI_MAX_RANK], rank = 0;
    bool used[APLI_MAX_RANK] = {false};
    for (int i = 0; i < right->rank; i++) {
        int64_t number = apli_integer_data(numbers)[i], zero_based = number - env->index_origin;
        FAIL_IF(number < env->index_origin || zero_based >= right->rank, APL_DOMAIN,
                "axis %" PRId64 " of an array of rank %d (⎕IO is %" PRId64 ")", number, right->rank, env->index_origin);
        to[i] = (int)zero_based;
        from[to[i]] = i;
        used[to[i]] = true;
        if (to[i] >= rank) rank = to[i] + 1;
    }
    for (int i = 0; i < rank; i++)
        FAIL_IF(!used[i], APL_DOMAIN, "the axes of ⍉ leave out axis %" PRId64, i + env->index_origin);
    if (rank == right->rank && rank < 2) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    if (rank == right->rank) return apli_transpose_view(right, from, result);
    TRY(apli_plain(right, &plain));
    return diagonal(plain, to, rank, result);
}
