/* Reduction inside: the loops over numbers, which reduce and scan try first. */
#ifndef APLI_PRIM_REDUCE_H
#define APLI_PRIM_REDUCE_H

#include "prim/scalar/scalar.h"
#include "prim/structure.h"

/* The scalar operation that a function is as a dyad; APLI_OP_NONE for all others. */
static inline AplScalarOp apli_function_op(const AplFunction *function) {
    bool primitive = function->kind == APLI_FUNCTION_PRIM && !function->axis;
    return primitive ? apli_scalar_dyadic_op(function->prim) : APLI_OP_NONE;
}

/* op/ along an axis of length 2 or more of a PLAIN array of numbers; `shape` (rank one less) is the result's.
   *done is false, and there is no result, where the operation has no loop here. */
AplErr apli_reduce_numbers(AplEnv *env, AplScalarOp op, AplArray *right, int axis, AplArray **result,
                           bool *done);
/* op\ likewise. */
AplErr apli_scan_numbers(AplEnv *env, AplScalarOp op, AplArray *right, int axis, AplArray **result,
                         bool *done);

/* Any function over `right` (PLAIN) with the axis first: window w folds cells w..w+width-1, from the last to
   the first, or from the first to the last when reversed. The result has `windows` cells. width ≥ 1. */
AplErr apli_fold_windows(AplEnv *env, const AplFunction *function, AplArray *right, int64_t width,
                         int64_t windows, bool reversed, AplArray **result);

/* A PLAIN array with `axis` first; and an array with its first axis moved to `axis`. */
AplErr apli_axis_first(AplArray *array, int axis, AplArray **result);
AplErr apli_axis_back(AplArray *array, int axis, AplArray **result);

/* The array an operator's `axis` counts on: the function's bracket axis, else the last or the first. */
AplErr apli_reduced_axis(AplEnv *env, const AplFunction *self, int rank, bool last, int *axis);

/* `count` bits from bit `from` on. */
int64_t apli_bits_count_from(const uint8_t *bits, int64_t from, int64_t count);

#endif
