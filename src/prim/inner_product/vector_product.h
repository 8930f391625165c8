/* M+.×V on the elements' own type. */
#ifndef APLI_PRIM_VECTOR_PRODUCT_H
#define APLI_PRIM_VECTOR_PRODUCT_H

#include "prim/scalar/scalar.h"

/* left: (..., length) rows, right: (length) elements, both PLAIN, integers of at most 32 bits or of a type that meets f64 in
   f64; length is 1 or more. The result has `shape`: integers exact, in the smallest type; f64 where one argument is f64,
   added in 16 lanes (element i to lane i mod 16; 8 lanes to 8, 4 to 4, ...). *done is false, and there is no result, for
   other types and where 64 bits might not hold a sum. */
AplErr apli_vector_product(AplArray *left, AplArray *right, int64_t rows, int64_t length, int rank, const int64_t *shape,
                           AplArray **result, bool *done);

#endif
