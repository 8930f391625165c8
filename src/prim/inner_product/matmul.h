/* The matrix product with a transposed right argument, X+.×⍉W: a linear layer. */
#ifndef APLI_PRIM_MATMUL_H
#define APLI_PRIM_MATMUL_H

#include "array/array.h"

/* x: numbers of shape (..., columns), rank 1 or more; w: (rows, columns), real or PACKED, any form. The result, f32 of shape
   (..., rows), is computed in f32 in the order that isa/isa.h promises: the same bits for every number of tokens and
   threads, and on every instruction set. With `rounded`, a product with packed weights takes x in 8 bits where it can
   (prim/inner_product/panel_product.h), with the same promise. RANK ERROR; LENGTH ERROR with the sizes; DOMAIN ERROR for what is no number. */
AplErr apli_matmul_transposed(AplArray *x, AplArray *w, bool rounded, AplArray **result);

#endif
