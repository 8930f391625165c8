/* What the ways of computing a product share. */
#ifndef APLI_PRIM_INNER_PRODUCT_H
#define APLI_PRIM_INNER_PRODUCT_H

#include "prim/reduce/reduce.h"

/* ∘.f: f between every item of left and every item of right. */
AplErr apli_outer_product(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right,
                          AplArray **result);

/* Every element `times` times in a row, as a vector. */
AplErr apli_repeat_each(AplArray *array, int64_t times, AplArray **result);

/* left f.g right of Booleans (PLAIN, of count rows × length and length × columns elements). *done is false
   where f is not one of + ∨ ∧ = ≠ ⌈ ⌊, or g does not turn bits into bits. */
AplErr apli_product_of_bits(AplScalarOp f, AplScalarOp g, const AplArray *left, const AplArray *right,
                            int64_t length, int rank, const int64_t *shape, AplArray **result, bool *done);

#endif
