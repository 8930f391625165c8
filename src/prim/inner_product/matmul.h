/* The matrix product with a transposed right argument, X+.×⍉W: a linear layer. */
#ifndef APLI_PRIM_MATMUL_H
#define APLI_PRIM_MATMUL_H

#include "array/array.h"

/* x: numbers of shape (..., columns), rank 1 or more; w: (rows, columns), real or PACKED, any form. The result, f32 of shape
   (..., rows), is computed in f32 in the order that isa/isa.h promises: the same bits for every number of tokens and
   threads, and on every instruction set. With `rounded`, a product with packed weights takes x in 8 bits where it can
   (prim/inner_product/panel_product.h), with the same promise. RANK ERROR; LENGTH ERROR with the sizes; DOMAIN ERROR for what is no number. */
AplErr apli_matmul_transposed(AplArray *x, AplArray *w, bool rounded, AplArray **result);

/* Whether apli_matmul_each takes these: x PLAIN f32 of rank 1 or more; weights matrices with its columns, of f32 or narrower or
   PACKED, none of no elements; as many as panel_product.h's APLI_MOST_FACTORS at most. */
bool apli_matmul_takes(const AplArray *x, AplArray *const *weights, int count);
/* The same products of one x with several weights, results[i] with weights[i]: in one loop where all are rounded. gated: of two
   weights of one shape; results[1] then is what fused_kernels.h's AplGated makes of both products. Results may be there after
   an error. */
AplErr apli_matmul_each(AplArray *x, AplArray *const *weights, int count, bool rounded, bool gated, AplArray **results);

#endif
