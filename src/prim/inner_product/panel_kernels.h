/* Products of 8-bit activations with panels of packed weights (elem/panel.h): what the kernels are given.

   Activations. A token's row has scale r = max |x| ÷ (127 × 16383), and each 16 of its columns a share of it, an integer
   s = ⌈max |x| of the 16 × (16383 ÷ max |x| of the row)⌉ from 1 to 16383: an element is about q × s × r, with
   q = x × ((16383 ÷ max |x|) × 127 ÷ s) rounded half to even, -127 to 127. So a group of 16 has the whole range of 8 bits, and
   sums over several groups stay integers. A row that holds a NaN or an infinity has r = NaN; one whose elements are all below
   2^-100 counts as zeros.

   The product of a token and a row of weights, from integer sums over each 16 columns
       a = Σ q × (code×unit - zero)
   Where weights share scales in spans of 32 columns or more, these are shifted to 16 bits, rounded half up, and summed over the
   columns that share a scale, at most 32 for codes of 3 bits and more, 256 for less ("a stretch"); then in f32, stretches
   ascending from 0, each step one fused multiply-add:
       A ← Σ ((a + 2^shift ÷ 2) >> shift) × s
       p ← minimum × (Σ s × Σq ÷ 2^shift) + p  when there are minimums
       p ← A × scale + p
   Where a span is 16 columns, there are two products, of the even and of the odd groups of each 1024 columns; they are summed,
   even + odd, and added to p:
       e ← minimum × (s × Σq) + e              when there are minimums
       e ← a × (scale × s) + e
   The result is p × r × 2^shift (shift is 0 in the second case). The integer sums are exact, so the bits do not depend on the instruction set, nor on what else is
   computed. */
#ifndef APLI_PRIM_PANEL_KERNELS_H
#define APLI_PRIM_PANEL_KERNELS_H

#include "elem/panel.h"

/* What the form of the weights asks of rounded activations; integers, to be compared byte by byte. */
typedef struct AplRounding {
    int zero;
    int shift;   /* of a 16 columns' sum, to fit 16 bits */
    int halves;  /* shares as f32, not as 16-bit integers */
    int minimum; /* sums are wanted */
    int tables;  /* and these */
} AplRounding;

/* Tokens go in tiles of 8, 4, 2 and 1, as many of the larger ones as there are. Offsets are in tokens × what each array has a
   token: the tile that begins at token t begins at t × that. The two are the 16 columns of each half of a chunk. */
typedef struct AplQuantized {
    AplRounding rounding;
    int64_t tokens, chunks;
    float *scales;    /* (tokens): r × 2^shift */
    int8_t *codes;    /* a tile of n: (chunks, 4 steps, n, 2, 4 columns) */
    int16_t *shares;  /* (chunks, n, 2); NULL for halves */
    float *factors;   /* for halves: shares as f32 */
    int32_t *starts;  /* (chunks, n, 2): 2^shift ÷ 2 - zero × Σq */
    int16_t *tables;  /* one token and weights of one bit, where an instruction looks words up (else left unset): (chunks,
                         4 steps, 2, 16 entries): Σ ±q over 4 columns, + where the entry's bit is 1 */
    float *sums;      /* with minimums: (chunks, n): Σ s × Σq ÷ 2^shift; for halves (chunks, n, 2) */
} AplQuantized;

static inline AplRounding apli_rounding(const AplPanelForm *form, int64_t tokens) {
    return (AplRounding){form->zero, apli_panel_shift(form), form->halves, form->minimum,
                         form->bits == 1 && !form->halves && tokens == 1};
}

enum { APLI_PANEL_TABLES = 4 * 2 * 16 }; /* numbers of a chunk's tables */

/* The bytes of rounded activations, a multiple of 64. */
static inline size_t apli_quantized_bytes(const AplQuantized *x) {
    const size_t pieces = (size_t)x->tokens * (size_t)x->chunks, each = x->rounding.halves ? 8 : 4;
    const size_t bytes = pieces * (APLI_PANEL_CHUNK + each + 8 + (x->rounding.minimum ? each : 0) +
                                   (x->rounding.tables ? APLI_PANEL_TABLES * sizeof(int16_t) : 0)) +
                         (size_t)x->tokens * sizeof(float);
    return (bytes + 63) / 64 * 64;
}

/* Divides so many bytes of memory, aligned to 64, among the arrays. */
static inline void apli_quantized_place(AplQuantized *x, void *memory) {
    const size_t pieces = (size_t)x->tokens * (size_t)x->chunks;
    x->tables = x->rounding.tables ? memory : NULL;
    x->codes = (int8_t *)memory + (x->tables ? pieces * APLI_PANEL_TABLES * sizeof(int16_t) : 0);
    x->starts = (int32_t *)(x->codes + pieces * APLI_PANEL_CHUNK);
    void *shares = x->starts + pieces * 2;
    x->shares = x->rounding.halves ? NULL : shares;
    x->factors = x->rounding.halves ? shares : NULL;
    float *rest = (float *)shares + pieces * (x->rounding.halves ? 2 : 1);
    x->sums = x->rounding.minimum ? rest : NULL;
    x->scales = rest + (x->rounding.minimum ? pieces * (x->rounding.halves ? 2 : 1) : 0);
}

enum { APLI_MOST_TILE = 8 };
static inline int apli_tile_tokens(int64_t left) { return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1; }

/* Rounds the tile of n tokens that begins at `token`; x: (tokens, columns). */
typedef void AplQuantizeTile(const float *x, int64_t columns, int64_t token, int n, const AplQuantized *quantized);
/* Panels first..first+count-1 of the product: result (tokens, rows). */
typedef void AplPanelProduct(const AplPanels *panels, const AplQuantized *x, int64_t first, int64_t count, float *result);

#endif
