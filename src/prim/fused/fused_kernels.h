/* The loops of the fused functions, over raw f32 buffers: rows of a kernel table (isa/isa.h). Each value is computed in one
   fixed order that depends on nothing beside its own row. */
#ifndef APLI_PRIM_FUSED_KERNELS_H
#define APLI_PRIM_FUSED_KERNELS_H

#include <stdint.h>

/* One row of x divided by its root mean square: x ÷ √(epsilon + mean x²). */
typedef void AplRmsNormRow(const float *x, int64_t width, double epsilon, float *result);
/* One row's softmax; result may be x. */
typedef void AplSoftmaxRow(const float *x, int64_t width, float *result);
/* count elements of u × g × σ(g); result may be either. */
typedef void AplGated(const float *g, const float *u, int64_t count, float *result);

/* One token's query for one head over the rows of a cache that it may look at.
   q (dim); rows[0..row_count): which rows; keys and values: row r begins at r × row_stride, dim elements of this head's group;
   scores: room for row_count; result (dim). */
typedef struct AplAttentionHead {
    const float *q, *keys, *values;
    const int32_t *rows;
    int64_t row_count, row_stride, dim;
    float *scores, *result;
} AplAttentionHead;
typedef void AplAttend(const AplAttentionHead *head);

#endif
