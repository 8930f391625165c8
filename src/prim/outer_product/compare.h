/* Tables of comparisons, and of any function of Booleans. */
#ifndef APLI_PRIM_COMPARE_H
#define APLI_PRIM_COMPARE_H

#include "prim/scalar/scalar.h"

/* left∘.op right in `shape`, of PLAIN arrays that are not empty. *done is false, and there is no result, where op does not
   compare, or the types need the general way. */
AplErr apli_compare_table(AplEnv *env, AplScalarOp op, AplArray *left, AplArray *right, int rank, const int64_t *shape,
                          AplArray **result, bool *done);

#endif
