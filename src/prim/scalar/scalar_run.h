/* A run of scalar functions as one loop over cache-sized blocks, without a temporary of full size. */
#ifndef APLI_PRIM_SCALAR_SCALAR_RUN_H
#define APLI_PRIM_SCALAR_SCALAR_RUN_H

#include "prim/prim.h"

enum { APLI_SCALAR_RUN_MOST_STEPS = 64 };

typedef enum AplScalarStepKind { APLI_STEP_LEAF, APLI_STEP_MONADIC, APLI_STEP_DYADIC } AplScalarStepKind;

/* In postfix order, each right argument before the left one (the order in which APL evaluates): a dyadic step
   finds its left argument on top of the stack and its right one below. */
typedef struct AplScalarStep {
    AplScalarStepKind kind;
    int leaf;
    const AplPrim *prim;
} AplScalarStep;

/* Runs the steps over the leaves (borrowed). The result is bit for bit that of the steps one by one.
   *declined becomes true, with nothing changed and no error, where the arguments are not made for it: the
   caller then runs the steps one by one. */
AplErr apli_scalar_run(AplEnv *env, const AplScalarStep *steps, int step_count, AplArray *const *leaves,
                       int leaf_count, AplArray **result, bool *declined);

#endif
