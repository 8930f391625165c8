/* Kernels by instruction set. Each set has one table of functions, compiled from the same .inc files with its own flags;
   the best that the machine runs is chosen once. The environment variable APLACA_ISA (scalar, avx2, avx_vnni, avx512_vnni,
   avx512; on AArch64 scalar, neon, neon_dotprod) asks for a lower one. All of them give the same bits. */
#ifndef APLI_ISA_ISA_H
#define APLI_ISA_ISA_H

#include "elem/elem.h"
#include "elem/packed.h"
#include "prim/fused/fused_kernels.h"
#include "prim/inner_product/panel_kernels.h"

#include <stdint.h>

enum {
    APLI_MATMUL_LANES = 16,     /* column c of a product is added in lane c mod 16 */
    APLI_MATMUL_ROW_BLOCK = 16, /* rows that a thread unpacks at once */
};

/* A product X times transposed W over raw buffers. stride is columns rounded up to whole lanes. */
typedef struct AplMatmul {
    const float *x; /* (tokens, stride) f32, zero from columns on */
    int64_t tokens, columns, stride;
    AplType type; /* of w: F32, F16, BF16 or PACKED */
    const AplPackedLayout *layout; /* of a PACKED w */
    AplUnpack *unpack; /* of this table, for a PACKED w */
    const uint8_t *w; /* (rows, columns) */
    int64_t row_bytes;
    float *result; /* (tokens, rows) f32 */
    int64_t rows;
} AplMatmul;

typedef struct AplKernels {
    const char *name; /* "avx2" */
    AplUnpack *unpack[APLI_CODEC_COUNT];
    /* Rows first..first+count-1 of the result, for every token. scratch has room for APLI_MATMUL_ROW_BLOCK × stride floats
       and is aligned to 64 bytes. The value for a row and a token is the sum over columns, by fused multiply-add in lane
       (column mod 16), columns ascending; then the lanes: 8 with 8, 4 with 4, 2 with 2, 1 with 1. It depends on nothing
       else: not on the tokens beside it, the rows beside it, or the instruction set. */
    void (*matmul_rows)(const AplMatmul *matmul, int64_t first, int64_t count, float *scratch);
    AplQuantizeTile *quantize_tile;
    AplPanelProduct *panel_product;
    const struct AplScalarKernels *scalar; /* prim/scalar/scalar.h */
    const struct AplStructureKernels *structure; /* prim/structure_kernels.h */
    const struct AplReduceKernels *reduce; /* prim/reduce/reduce_kernels.h */
    const struct AplVectorProductKernels *vector_product; /* prim/inner_product/vector_product_kernels.h */
    const struct AplOuterProductKernels *outer_product; /* prim/outer_product/outer_product_kernels.h */
    AplRmsNormRow *rms_norm_row;
    AplSoftmaxRow *softmax_row;
    AplGated *gated;
    AplAttend *attend, *attend_words;
    AplAttentionMerge *attention_merge;
    AplAttentionFinish *attention_finish;
    AplNarrowHalves *narrow_halves;
    AplPackInt12 *pack_int12;
} AplKernels;

/* The chosen table. */
const AplKernels *apli_kernels(void);
/* The tables that this machine runs, from scalar up; NULL past the last. */
const AplKernels *apli_kernels_at(int index);
/* NULL, or why APLACA_ISA could not be followed (the best table serves then). */
const char *apli_isa_complaint(void);

extern const AplKernels apli_kernels_scalar;
#ifdef __x86_64__
extern const AplKernels apli_kernels_avx2, apli_kernels_avx512;
/* what the tables "avx_vnni" and "avx512_vnni" have of their own; the rest is avx2's */
extern AplQuantizeTile apli_quantize_tile_avx_vnni, apli_quantize_tile_avx512_vnni;
extern AplPanelProduct apli_panel_product_avx_vnni, apli_panel_product_avx512_vnni;
#elif defined(__aarch64__)
extern const AplKernels apli_kernels_neon;
/* what the table "neon_dotprod" has of its own; the rest is neon's */
extern AplQuantizeTile apli_quantize_tile_neon_dotprod;
extern AplPanelProduct apli_panel_product_neon_dotprod;
#endif

#endif
