/* Sums of products of two rows; prim/inner_product/vector_product_cpu.inc has them for each instruction set. */
#ifndef APLI_PRIM_VECTOR_PRODUCT_KERNELS_H
#define APLI_PRIM_VECTOR_PRODUCT_KERNELS_H

#include "prim/scalar/scalar.h"

enum { APLI_PRODUCT_LANES = 16 };

typedef struct AplVectorProductKernels {
    int64_t (*dot_i8)(const int8_t *a, const int8_t *b, int64_t count);
    int64_t (*dot_i16)(const int16_t *a, const int16_t *b, int64_t count);
    /* wraps; *bits ← the bits that a magnitude of `a` has, all together */
    int64_t (*dot_i32)(const int32_t *a, const int32_t *b, int64_t count, uint32_t *bits);
    double (*dot_f64)(const double *a, const double *b, int64_t count);
    /* ones[column] ← ones of a function of Booleans between row x and row `column` of y, rows of `words` words (1 or more)
       of which the last one's bits are `last` */
    void (*ones)(AplScalarOp op, const uint64_t *x, const uint64_t *y, int64_t words, uint64_t last, int64_t columns,
                 int64_t *ones);
} AplVectorProductKernels;

#endif
