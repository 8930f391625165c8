/* Panels: packed weights laid out for a matrix product with 8-bit activations. The rows go in panels of 16, the columns in chunks
   of 32. A chunk is 8 vectors of 64 bytes, each a lane of 4 bytes for 8 rows × 2 halves of the chunk: 4 codes, which an instruction
   multiplies with 4 activations and adds to a lane's sum (vpdpbusd, sdot). Vector 4g+s has columns 4s..4s+3 of each half (16
   columns), and lane 4k+2r+h is row 4k+2g+r, half h. So the sums of the vectors g = 0 and of g = 1, narrowed to 16 bits and joined
   quad by quad (vpackssdw), are pairs of halves with the rows in order; the next instruction multiplies a pair with its two
   activations' shares and adds it up (vpdpwssd, vpmaddwd).

   A panel's chunks go in pieces, each of which is its scales, then its minimums, then its chunks, so that memory is read in one
   stream: a thread that goes through scales and codes in two gets three quarters of the bandwidth. A piece is 8 chunks, or fewer
   where a row's are no multiple of that, but as many as have scales for whole lines of 64 bytes, mostly two spans. A code is
   stored without a sign, zero added; with b bits it takes b × 64 bytes a chunk:
       8 bits  byte i of vector v
       4 bits  vector v mod 4; low nibble for vectors 0..3, high nibble for 4..7
       2 bits  vector v mod 2; bits 2×(v÷2) and on
       1 bit   each row's 32 codes as 4 bytes, the lowest bit first
       3, 5, 6 bits  the low 2, 4, 4 bits as above, then the bits above them as a plane of 1, 1, 2 bits
   Scales and minimums: for each span of columns 16 numbers, one a row: f16, or f32 where the layout has one scale a row (the panel
   is one piece then, as it is where a span is no power of two of chunks). Spans of 16 columns: for each chunk 32 numbers, those of
   the lanes for g = 0, then for g = 1. The K layouts have numbers of two levels, an f16 for each block of 256 columns times a small
   integer for each span: first the f16 of each block of the piece, 16 or, for spans of 16, 32 in the order of lanes; then a signed
   byte in place of each number. Their product is exact in f32. */
#ifndef APLI_ELEM_PANEL_H
#define APLI_ELEM_PANEL_H

#include "elem/packed.h"

#include <stddef.h>

enum {
    APLI_PANEL_ROWS = 16,
    APLI_PANEL_VECTORS = 8, /* of a chunk's codes, were they bytes */
    APLI_PANEL_BLOCK = 256, /* columns of a block of the K layouts */
    APLI_PANEL_CHUNK = 32, /* columns */
};

/* The width of the first plane of codes of `bits` bits; the bits above it go into the next. */
static inline int apli_plane_bits(int bits) { return bits == 8 ? 8 : bits >= 4 ? 4 : bits >= 2 ? 2 : 1; }

typedef struct AplPanelForm {
    int bits;       /* of a code */
    int unit;       /* what one code more is worth, in codes of the layout: 2 for ±1, else 1 */
    int zero;       /* a code times unit, minus zero, times the scale, plus the minimum, is the weight */
    bool minimum;   /* whether there are minimums */
    bool halves;    /* a span is 16 columns, half a chunk */
    bool single;    /* scales and minimums are f32, not f16 */
    bool levels;    /* they are of two levels */
    int scale_at, minimum_at; /* with two levels: where a block of the layout has its f16 of each */
    int64_t span;   /* columns that share a scale; a multiple of 32, or 16 */
} AplPanelForm;

/* How far a sum over 16 columns is shifted to fit 16 bits (prim/inner_product/panel_kernels.h): 128 × 127 × 16 < 2^15 << 3, and
   31 × 127 × 16 < 2^15 << 1. Spans of 16 columns keep 32 bits. */
static inline int apli_panel_shift(const AplPanelForm *form) {
    return form->halves ? 0 : form->bits == 8 ? 3 : form->bits == 5 && form->minimum ? 1 : 0;
}

/* The panels of one matrix. */
typedef struct AplPanels {
    AplPanelForm form;
    int64_t rows, columns;
    int64_t count;  /* of panels: the last one's missing rows have scale 0 */
    int64_t chunks; /* of a row: the last one's missing columns have code 0 */
    int64_t spans;  /* of a row; of 16 columns: two a chunk */
    int span_shift; /* a span is 2 to the power of this chunks; -1: no such power; 0 for spans of 16 columns */
    int piece_shift; /* a piece is 2 to the power of this chunks; the last one may be shorter */
    int64_t bytes_at; /* from scales or minimums of two levels to the bytes of the spans */
    int64_t minimums_at, codes_at, piece_bytes; /* of a piece */
    int64_t panel_bytes;
    const uint8_t *bytes; /* count × panel_bytes, on 64 bytes */
    void (*release)(void *owner); /* called with the last reference; NULL: nothing to do */
    void *owner;
} AplPanels;

/* In a panel, the bytes before the piece of this chunk, and before its codes. */
static inline int64_t apli_piece_at(const AplPanels *panels, int64_t chunk) {
    return (chunk >> panels->piece_shift) * panels->piece_bytes;
}
static inline int64_t apli_codes_at(const AplPanels *panels, int64_t chunk, int bits) {
    return ((chunk >> panels->piece_shift) + 1) * panels->codes_at + chunk * bits * 64;
}
/* Among a piece's vectors of 16 scales or minimums, the (first) one of this chunk. */
static inline int64_t apli_numbers_at(const AplPanels *panels, int64_t chunk) {
    const int64_t within = chunk & ((INT64_C(1) << panels->piece_shift) - 1);
    if (panels->form.halves) return within * 2;
    return panels->span_shift >= 0 ? within >> panels->span_shift : within * APLI_PANEL_CHUNK / panels->form.span;
}

/* The form of panels for rows of `columns` in this layout, and every size of a (rows, columns) matrix of them; bytes, release
   and owner are left NULL. False when the layout has none: a code that is no integer, a group that is no multiple of 16. */
bool apli_panels_plan(const AplPackedLayout *layout, int64_t rows, int64_t columns, AplPanels *panels);
/* Lays rows of `layout` out as panel `panel`: panels->panel_bytes at `to`. scratch has room for 16 × columns floats. */
void apli_panel_pack(const AplPanels *panels, const AplPackedLayout *layout, const uint8_t *rows, int64_t panel, float *scratch,
                     uint8_t *to);

#endif
