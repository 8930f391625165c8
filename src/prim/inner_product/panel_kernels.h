/* Products of 8-bit activations with panels of packed weights (elem/panel.h): what the kernels are given.

   Activations. Each token's row is cut into groups of 16, for weights of 1 or 2 bits of 32; a group has scale s = max |x| ÷ 127
   and codes q, x × (127 ÷ max |x|) rounded half to even. A group that holds a NaN or an infinity has scale NaN.
   The product of a token and a row, groups ascending from 0, each step one fused multiply-add in f32:
       p ← minimum × (s × Σq) + p          when there are minimums
       p ← (Σ q×(code×unit - zero)) × (scale × s) + p
   with sums over a group. The integer sums are exact, so the bits do not depend on the instruction set, nor on what else is
   computed. */
#ifndef APLI_PRIM_PANEL_KERNELS_H
#define APLI_PRIM_PANEL_KERNELS_H

#include "elem/panel.h"

/* Tokens go in tiles of 6, 4, 2 and 1, as many of the larger ones as there are. Offsets are in tokens × what each array has a
   token: the tile that begins at token t begins at t × that. */
typedef struct AplQuantized {
    int64_t tokens, chunks;
    int groups;         /* of a chunk: apli_panel_groups */
    int8_t *codes;      /* a tile of n: (chunks, 8 steps, n, 4) */
    float *scales;      /* (chunks, groups, n) */
    int32_t *zero_sums; /* (chunks, groups, n): -zero × Σq */
    float *sums;        /* (chunks, groups, n): s × Σq */
} AplQuantized;

/* Groups of activations in a chunk. What weights of 1 and 2 bits lose is far more than a group of 32 does, and they are read so
   fast that the arithmetic counts. */
static inline int apli_panel_groups(const AplPanelForm *form) { return form->halves || form->bits > 2 ? 2 : 1; }

enum { APLI_MOST_TILE = 6 };
static inline int apli_tile_tokens(int64_t left) { return left >= 6 ? 6 : left >= 4 ? 4 : left >= 2 ? 2 : 1; }

/* Quantizes the tile of n tokens that begins at `token`; x: (tokens, columns). */
typedef void AplQuantizeTile(const float *x, int64_t columns, int64_t token, int n, int zero, const AplQuantized *quantized);
/* Panels first..first+count-1 of the product: result (tokens, rows). */
typedef void AplPanelProduct(const AplPanels *panels, const AplQuantized *x, int64_t first, int64_t count, float *result);

#endif
