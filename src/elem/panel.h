/* Panels: packed weights laid out for a matrix product with 8-bit activations. The rows go in panels of 16, one row a lane of
   a 512-bit vector of 32-bit numbers; the columns in chunks of 32, and these in 8 steps of 4 columns, whose codes are the 4
   bytes of a lane. So one step is one vector: 16 rows × 4 columns, which an instruction multiplies with 4 activations and
   adds to 16 sums (vpdpbusd, sdot).

   A panel is its scales, then its minimums, then its chunks. A code is stored without a sign, zero added; with b bits it takes
   b × 64 bytes a chunk:
       8 bits  byte l×4+c of vector s is lane l, column c of step s
       4 bits  vector s mod 4; low nibble for steps 0..3, high nibble for 4..7
       2 bits  vector s mod 2; bits 2×(s÷2) and on
       1 bit   byte 8×(l÷2)+s; bit 4×(l mod 2)+c
       3, 5, 6 bits  the low 2, 4, 4 bits as above, then the bits above them as a plane of 1, 1, 2 bits
   Scales and minimums: for each span of columns 16 numbers, one a lane: f16, or f32 where the layout has one scale a row. The K
   layouts have numbers of two levels, an f16 for each block of 256 columns times a small integer for each span: first 16 f16 for
   each block, then 16 signed bytes for each span. Their product is exact in f32. */
#ifndef APLI_ELEM_PANEL_H
#define APLI_ELEM_PANEL_H

#include "elem/packed.h"

#include <stddef.h>

enum {
    APLI_PANEL_ROWS = 16,
    APLI_PANEL_STEPS = 8,
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

/* The panels of one matrix. Offsets are in bytes, of a panel. */
typedef struct AplPanels {
    AplPanelForm form;
    int64_t rows, columns;
    int64_t count;  /* of panels: the last one's missing rows have scale 0 */
    int64_t chunks; /* of a row: the last one's missing columns have code 0 */
    int64_t spans;  /* of a row */
    int64_t bytes_at; /* from scales or minimums of two levels to the bytes of the spans */
    int64_t minimums_at, codes_at, panel_bytes;
    const uint8_t *bytes; /* count × panel_bytes, on 64 bytes */
    void (*release)(void *owner); /* called with the last reference; NULL: nothing to do */
    void *owner;
} AplPanels;

/* The form of panels for rows of `columns` in this layout, and every size of a (rows, columns) matrix of them; bytes, release
   and owner are left NULL. False when the layout has none: a code that is no integer, a group that is no multiple of 16. */
bool apli_panels_plan(const AplPackedLayout *layout, int64_t rows, int64_t columns, AplPanels *panels);
/* Lays rows of `layout` out as panel `panel`: panels->panel_bytes at `to`. scratch has room for 16 × columns floats. */
void apli_panel_pack(const AplPanels *panels, const AplPackedLayout *layout, const uint8_t *rows, int64_t panel, float *scratch,
                     uint8_t *to);

#endif
