/* X,Y joins along the last axis, X⍪Y along the first, X,[k]Y along axis k; a fractional k makes a new axis (laminate). Ranks
   may differ by one, a scalar extends. The result's type is the one in which both meet. */
#include "prim/structure.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Where the arguments are joined: an axis of the result, new when laminating. */
typedef struct Joint {
    int axis;
    bool new_axis;
} Joint;

static AplErr joint_of(const AplEnv *env, AplArray *axis, int rank, bool first, Joint *joint) {
    *joint = (Joint){first || rank == 0 ? 0 : rank - 1, false};
    if (!axis) return APL_OK;
    FAIL_IF(axis->count != 1 || !apli_type_is_number((AplType)axis->type), APL_DOMAIN, "an axis must be one number");
    double value = apli_f64_at(axis, 0) - (double)env->index_origin;
    joint->new_axis = value != floor(value);
    FAIL_IF(!(joint->new_axis ? value > -1 && value < rank : value >= 0 && value < rank), APL_INDEX,
            "axis %g of an array of rank %d (⎕IO is %" PRId64 ")", apli_f64_at(axis, 0), rank, env->index_origin);
    joint->axis = (int)ceil(value);
    return APL_OK;
}

/* The argument seen with the result's rank: its length along the axis of the joint, 1 where it has no such axis. Scalars
   extend to `like` without the axis. */
static AplErr seen_with(AplArray *argument, const AplArray *other, int rank, Joint joint, int64_t *shape) {
    int missing = rank - argument->rank;
    if (argument->rank == 0 && other->rank > 0) { /* scalar extension */
        bool other_lacks = joint.new_axis || other->rank < rank;
        for (int i = 0; i < rank; i++)
            shape[i] = i == joint.axis ? 1 : other->shape[other_lacks && i > joint.axis ? i - 1 : i];
        return APL_OK;
    }
    FAIL_IF(missing > 1, APL_RANK, "ranks %d and %d differ by more than one", argument->rank, other->rank);
    for (int i = 0; i < rank; i++)
        shape[i] = missing && i == joint.axis ? 1 : argument->shape[missing && i > joint.axis ? i - 1 : i];
    return APL_OK;
}

/* Simple scalars and vectors. */
static AplErr join_vectors(AplArray *left, AplArray *right, AplType type, bool weak, AplArray **result) {
    int64_t length;
    FAIL_IF(__builtin_add_overflow(left->count, right->count, &length), APL_LIMIT,
            "the joined axis would be longer than an axis can be");
    TRY(apli_vector_new(type, length, result));
    (*result)->weak = weak;
    if (left->count) apli_copy(*result, 0, left, 0, left->count);
    if (right->count) apli_copy(*result, left->count, right, 0, right->count);
    return APL_OK;
}

static AplErr catenate(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, bool first, AplArray **result) {
    bool weak;
    const AplType type = apli_meet(left, right, &weak);
    if (!axis && left->rank <= 1 && right->rank <= 1 && type != APLI_NESTED)
        return join_vectors(left, right, type, weak, result);
    int rank = left->rank > right->rank ? left->rank : right->rank;
    Joint joint;
    TRY(joint_of(env, axis, rank, first, &joint));
    if (joint.new_axis) {
        FAIL_IF(left->rank && right->rank && left->rank != right->rank, APL_RANK,
                "ranks %d and %d cannot be laminated", left->rank, right->rank);
        rank++;
    } else if (rank == 0) {
        rank = 1;
    }
    FAIL_IF(rank > APLI_MAX_RANK, APL_LIMIT, "rank %d is more than %d", rank, APLI_MAX_RANK);
    int64_t left_shape[APLI_MAX_RANK], right_shape[APLI_MAX_RANK], shape[APLI_MAX_RANK];
    TRY(seen_with(left, right, rank, joint, left_shape));
    TRY(seen_with(right, left, rank, joint, right_shape));
    for (int i = 0; i < rank; i++) {
        shape[i] = left_shape[i];
        FAIL_IF(i == joint.axis && __builtin_add_overflow(left_shape[i], right_shape[i], &shape[i]), APL_LIMIT,
                "the joined axis would be longer than an axis can be");
        FAIL_IF(i != joint.axis && left_shape[i] != right_shape[i], APL_LENGTH,
                "shape %s and shape %s joined: axis %d is %" PRId64 " on the left, %" PRId64 " on the right",
                apli_shape_text(left), apli_shape_text(right), i + (int)env->index_origin, left_shape[i],
                right_shape[i]);
    }
    APLI_AUTO AplArray *x = NULL, *y = NULL, *joined = NULL, *spread = NULL;
    if (type == APLI_NESTED) {
        TRY(apli_convert(left, type, &x));
        TRY(apli_convert(right, type, &y));
    } else {
        x = apli_array_retain(left);
        y = apli_array_retain(right);
    }
    if (left->rank == 0) {
        TRY(apli_reshape_to(x, rank, left_shape, &spread));
        apli_array_release(x);
        x = apli_move(&spread);
    }
    if (right->rank == 0) {
        TRY(apli_reshape_to(y, rank, right_shape, &spread));
        apli_array_release(y);
        y = apli_move(&spread);
    }
    TRY(apli_array_new(type, rank, shape, &joined));
    joined->weak = weak;
    if (type == APLI_NESTED && joined->count == 0) TRY(apli_prototype(apli_items(x)[0], &apli_items(joined)[0]));
    int64_t inner = apli_product(shape + joint.axis + 1, rank - joint.axis - 1), outer = apli_product(shape, joint.axis);
    int64_t x_run = left_shape[joint.axis] * inner, y_run = right_shape[joint.axis] * inner;
    for (int64_t i = 0; i < outer; i++) {
        if (x_run) apli_copy(joined, i * (x_run + y_run), x, i * x_run, x_run);
        if (y_run) apli_copy(joined, i * (x_run + y_run) + x_run, y, i * y_run, y_run);
    }
    *result = apli_move(&joined);
    return APL_OK;
}

AplErr apli_catenate(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    return catenate(env, left, right, axis, false, result);
}

AplErr apli_catenate_first(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    return catenate(env, left, right, axis, true, result);
}
