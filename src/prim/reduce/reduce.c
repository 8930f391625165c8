/* f/ and f⌿: reduction, and reduction of windows (n f/), along any axis, with any function, from right to
   left. Associative functions of numbers have loops of their own (reduce_numbers.c); a scalar function folds
   whole cells, one call for each position of the axis; any other function is called for each pair
   of items. */
#include "prim/reduce/reduce.h"
#include "prim/operand.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

AplErr apli_axis_first(AplArray *array, int axis, AplArray **result) {
    if (axis == 0) return apli_plain(array, result);
    APLI_AUTO AplArray *view = NULL;
    int axes[APLI_MAX_RANK];
    for (int i = 0; i < array->rank; i++) axes[i] = i == 0 ? axis : i <= axis ? i - 1 : i;
    TRY(apli_transpose_view(array, axes, &view));
    return apli_plain(view, result);
}

AplErr apli_axis_back(AplArray *array, int axis, AplArray **result) {
    if (axis == 0) return apli_plain(array, result);
    APLI_AUTO AplArray *view = NULL;
    int axes[APLI_MAX_RANK];
    for (int i = 0; i < array->rank; i++) axes[i] = i < axis ? i + 1 : i == axis ? 0 : i;
    TRY(apli_transpose_view(array, axes, &view));
    return apli_plain(view, result);
}

AplErr apli_reduced_axis(AplEnv *env, const AplFunction *self, int rank, bool last, int *axis) {
    return apli_axis(env, self->axis, rank, last ? rank - 1 : 0, axis);
}

static AplErr fold_items(AplEnv *env, const AplFunction *function, AplArray *right, int64_t width,
                         int64_t windows, bool reversed, AplArray *folded) {
    int64_t cell = folded->count / windows;
    for (int64_t i = 0; i < folded->count; i++) {
        AplArray *so_far = NULL;
        TRY(apli_item(right, i + (reversed ? 0 : width - 1) * cell, &so_far));
        for (int64_t step = 1; step < width; step++) {
            APLI_AUTO AplArray *item = NULL;
            AplArray *next = NULL;
            int64_t position = reversed ? step : width - 1 - step;
            AplErr error = apli_item(right, i + position * cell, &item);
            if (!error) error = apli_call_operand(env, function, item, so_far, &next);
            apli_array_release(so_far);
            TRY(error);
            so_far = next;
        }
        apli_items(folded)[i] = so_far;
    }
    return APL_OK;
}

static AplErr fold_cells(AplEnv *env, const AplFunction *function, AplArray *right, int64_t width,
                         int64_t windows, bool reversed, AplArray **result) {
    APLI_AUTO AplArray *so_far = NULL;
    TRY(apli_cells(right, reversed ? 0 : width - 1, windows, &so_far));
    for (int64_t step = 1; step < width; step++) {
        APLI_AUTO AplArray *cells = NULL;
        AplArray *next = NULL;
        TRY(apli_cells(right, reversed ? step : width - 1 - step, windows, &cells));
        TRY(apli_call_operand(env, function, cells, so_far, &next));
        apli_array_release(so_far);
        so_far = next;
    }
    *result = apli_move(&so_far);
    return APL_OK;
}

AplErr apli_fold_windows(AplEnv *env, const AplFunction *function, AplArray *right, int64_t width,
                         int64_t windows, bool reversed, AplArray **result) {
    if (apli_function_op(function) != APLI_OP_NONE)
        return fold_cells(env, function, right, width, windows, reversed, result);
    APLI_AUTO AplArray *folded = NULL;
    int64_t shape[APLI_MAX_RANK];
    memcpy(shape, right->shape, right->rank * sizeof *shape);
    shape[0] = windows;
    TRY(apli_array_new(APLI_NESTED, right->rank, shape, &folded));
    AplErr error = folded->count ? fold_items(env, function, right, width, windows, reversed, folded)
                                 : apli_fill(right, &apli_items(folded)[0]);
    TRY(error);
    TRY(apli_simplify(&folded));
    *result = apli_move(&folded);
    return APL_OK;
}

/* The result of folding nothing. */
static AplErr identity(const AplFunction *function, const AplArray *right, int rank, const int64_t *shape,
                       AplArray **result) {
    double value = apli_scalar_identity(apli_function_op(function));
    if (apli_product(shape, rank) == 0) {
        APLI_AUTO AplArray *empty = NULL;
        TRY(apli_array_new(right->type == APLI_NESTED ? APLI_NESTED : (AplType)right->type, rank, shape,
                           &empty));
        if (right->type == APLI_NESTED) TRY(apli_prototype(apli_items(right)[0], &apli_items(empty)[0]));
        *result = apli_move(&empty);
        return APL_OK;
    }
    FAIL_IF(isnan(value), APL_DOMAIN,
            "the function has no identity element, and the reduced axis has no elements");
    APLI_AUTO AplArray *number = NULL, *item = NULL;
    if (value == 0 || value == 1) TRY(apli_scalar_bool(value != 0, &number));
    else TRY(apli_scalar_f64(value, &number));
    if (right->type == APLI_NESTED &&
        (apli_items(right)[0]->rank || apli_items(right)[0]->type == APLI_NESTED)) {
        /* in the structure of the prototype, whose numbers are 0 */
        APLI_AUTO AplArray *prototype = NULL, *zeros = NULL;
        TRY(apli_prototype(apli_items(right)[0], &prototype));
        TRY(apli_call(&(AplEnv){0}, apli_function_of_prim(apli_prim_of(U'×')), prototype, number, &zeros));
        TRY(apli_call(&(AplEnv){0}, apli_function_of_prim(apli_prim_of(U'+')), zeros, number, &item));
        APLI_AUTO AplArray *enclosed = NULL;
        TRY(apli_enclose(item, &enclosed));
        return apli_reshape_to(enclosed, rank, shape, result);
    }
    return apli_reshape_to(number, rank, shape, result);
}

static AplErr reduce(AplEnv *env, const AplFunction *self, AplArray *argument, bool last, AplArray **result) {
    APLI_AUTO AplArray *right = NULL, *first = NULL, *folded = NULL;
    const AplFunction *function = self->left.function;
    if (argument->rank == 0) {
        FAIL_IF(self->axis, APL_RANK, "a scalar has no axis to reduce along");
        *result = apli_array_retain(argument);
        return APL_OK;
    }
    int axis, rank = argument->rank - 1;
    TRY(apli_reduced_axis(env, self, argument->rank, last, &axis));
    TRY(apli_plain(argument, &right));
    int64_t shape[APLI_MAX_RANK];
    memcpy(shape, right->shape, (size_t)axis * sizeof *shape);
    memcpy(shape + axis, right->shape + axis + 1, (size_t)(rank - axis) * sizeof *shape);
    int64_t length = right->shape[axis];
    if (length == 0) return identity(function, right, rank, shape, result);
    if (length == 1) return apli_reshape_view(right, rank, shape, result);
    if (apli_type_is_number((AplType)right->type)) {
        bool done;
        TRY(apli_reduce_numbers(env, apli_function_op(function), right, axis, result, &done));
        if (done) return APL_OK;
    }
    TRY(apli_axis_first(right, axis, &first));
    TRY(apli_fold_windows(env, function, first, length, 1, false, &folded));
    return apli_reshape_view(folded, rank, shape, result);
}

/* n f/: windows of |n| cells, each reversed when n is negative; 0 gives identity elements between
   all cells. */
static AplErr reduce_windows(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *argument,
                             bool last, AplArray **result) {
    APLI_AUTO AplArray *right = NULL, *first = NULL, *folded = NULL;
    const AplFunction *function = self->left.function;
    int64_t width;
    FAIL_IF(argument->rank == 0, APL_RANK, "a scalar has no axis to reduce along");
    TRY(apli_integer(left, "the left argument of a reduction", &width));
    int axis;
    TRY(apli_reduced_axis(env, self, argument->rank, last, &axis));
    TRY(apli_plain(argument, &right));
    bool reversed = width < 0;
    int64_t length = right->shape[axis];
    FAIL_IF(width == INT64_MIN || llabs(width) > length + 1, APL_LENGTH,
            "windows of %" PRId64 " elements along an axis of %" PRId64, width, length);
    width = llabs(width);
    int64_t shape[APLI_MAX_RANK];
    memcpy(shape, right->shape, right->rank * sizeof *shape);
    shape[axis] = length + 1 - width;
    if (width == 0 || shape[axis] == 0) return identity(function, right, right->rank, shape, result);
    TRY(apli_axis_first(right, axis, &first));
    TRY(apli_fold_windows(env, function, first, width, shape[axis], reversed, &folded));
    return apli_axis_back(folded, axis, result);
}

static AplErr call(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, bool last,
                   AplArray **result) {
    FAIL_IF(!self->left.function, APL_SYNTAX, "reduction needs a function");
    return left ? reduce_windows(env, self, left, right, last, result)
                : reduce(env, self, right, last, result);
}

AplErr apli_reduce(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, AplArray **result) {
    return call(env, self, left, right, true, result);
}

AplErr apli_reduce_first(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right,
                         AplArray **result) {
    return call(env, self, left, right, false, result);
}
