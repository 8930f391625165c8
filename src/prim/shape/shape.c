/* ⍴X tells the shape; S⍴X gives X the shape S: a view when the count stays or shrinks, otherwise X again and again, or its
   fill element when it has none. ≢X counts the major cells. */
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

AplErr apli_shape(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    APLI_AUTO AplArray *shape = NULL;
    TRY(apli_vector_new(APLI_I64, right->rank, &shape));
    memcpy(shape->data, right->shape, right->rank * sizeof *right->shape);
    TRY(apli_squeeze(&shape));
    *result = apli_move(&shape);
    return APL_OK;
}

AplErr apli_tally(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    return apli_scalar_i64(right->rank ? right->shape[0] : 1, result);
}

/* Each cell of a stack in the new shape of the trailing axes. */
static AplErr reshape_stack(AplArray *array, int rank, const int64_t *shape, AplArray **result) {
    APLI_AUTO AplArray *cells = NULL;
    TRY(apli_vector_new(APLI_NESTED, shape[0], &cells));
    for (int64_t i = 0; i < shape[0]; i++)
        TRY(apli_reshape_view(apli_items(array)[i], rank - 1, shape + 1, &apli_items(cells)[i]));
    return apli_stack(apli_items(cells), shape[0], result);
}

/* Repeats the first `have` elements of `to` until there are `count`: by doubling. */
static void repeat(AplArray *to, int64_t have, int64_t count) {
    while (have < count) {
        int64_t part = have < count - have ? have : count - have;
        apli_copy(to, have, to, 0, part);
        have += part;
    }
}

AplErr apli_reshape_to(AplArray *array, int rank, const int64_t *shape, AplArray **result) {
    FAIL_IF(rank > APLI_MAX_RANK, APL_LIMIT, "rank %d is more than %d", rank, APLI_MAX_RANK);
    int64_t count = 1;
    bool empty = false;
    for (int i = 0; i < rank; i++) empty |= shape[i] == 0;
    for (int i = 0; i < rank && !empty; i++)
        FAIL_IF(__builtin_mul_overflow(count, shape[i], &count), APL_WS_FULL,
                "the shape holds more elements than an array can have");
    if (empty) count = 0;
    if (count == array->count) {
        if (array->form == APLI_STACKED && rank && shape[0] == array->shape[0])
            return reshape_stack(array, rank, shape, result);
        return apli_reshape_view(array, rank, shape, result);
    }
    APLI_AUTO AplArray *plain = NULL, *reshaped = NULL, *fill = NULL;
    TRY(apli_plain(array, &plain));
    TRY(apli_result_new(plain, rank, shape, &reshaped));
    if (plain->count == 0) {
        TRY(apli_fill(plain, &fill));
        apli_fill_run(reshaped, 0, count, fill);
    } else {
        int64_t have = plain->count < count ? plain->count : count;
        apli_copy(reshaped, 0, plain, 0, have);
        repeat(reshaped, have, count);
    }
    *result = apli_move(&reshaped);
    return APL_OK;
}

/* A new shape of PLAIN integers, as most are: whether it is one, and then shape is it. */
static bool read_shape(const AplArray *left, int64_t *shape) {
    if (left->form != APLI_PLAIN || left->rank != 1 || left->count > APLI_MAX_RANK || !apli_type_is_integer((AplType)left->type))
        return false;
    for (int64_t i = 0; i < left->count; i++)
        if ((shape[i] = apli_i64_at(left, i)) < 0) return false;
    return true;
}

AplErr apli_reshape(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    APLI_AUTO AplArray *shape = NULL;
    int64_t lengths[APLI_MAX_RANK];
    if (read_shape(left, lengths)) return apli_reshape_to(right, (int)left->count, lengths, result);
    TRY(apli_vector_argument(left, "the left argument of ⍴"));
    if (left->count == 1) { /* a length */
        int64_t length;
        TRY(apli_integer(left, "the new shape", &length));
        FAIL_IF(length < 0, APL_DOMAIN, "the new shape has %" PRId64 " elements along axis 0", length);
        return apli_reshape_to(right, 1, &length, result);
    }
    TRY(apli_integers(left, "the new shape", &shape));
    for (int64_t i = 0; i < shape->count; i++)
        FAIL_IF(apli_integer_data(shape)[i] < 0, APL_DOMAIN, "the new shape has %" PRId64 " elements along axis %" PRId64,
                apli_integer_data(shape)[i], i);
    FAIL_IF(shape->count > APLI_MAX_RANK, APL_LIMIT, "rank %" PRId64 " is more than %d", shape->count, APLI_MAX_RANK);
    return apli_reshape_to(right, (int)shape->count, apli_integer_data(shape), result);
}
