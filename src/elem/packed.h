/* Packed reals: 1, 2, 4 or 8 bits an element and a scale (sometimes a minimum) for each group of elements along the last
   axis. A layout says how the rows of the last axis lie in memory: a row is `columns ÷ block_elements` blocks of
   `block_bytes`, one after another; rows follow one another. A layout of the GGUF family is read where the file has it. */
#ifndef APLI_ELEM_PACKED_H
#define APLI_ELEM_PACKED_H

#include "base/error.h"

#include <stdint.h>

typedef struct AplPackedLayout {
    const char *name;       /* "q4_1": what `inspect` prints */
    int representation;     /* 13, 23, 43, 45 or 83: the number ⎕DR tells */
    int64_t group;          /* elements that share a scale; 0: one group a row */
    int64_t block_elements; /* 0: a row is one block, as long as the last axis */
    int64_t block_bytes;    /* 0 when block_elements is */
    /* Unpacks `columns` elements (a multiple of block_elements) of a row that begins at `row`. */
    void (*unpack)(const uint8_t *row, int64_t columns, float *values);
    /* Packs a row; NULL for layouts that are only read from files. */
    void (*pack)(const float *values, int64_t columns, uint8_t *row);
} AplPackedLayout;

/* Bytes of a row of `columns` elements. */
int64_t apli_packed_row_bytes(const AplPackedLayout *layout, int64_t columns);
/* The layout that `representation group ⎕DR X` makes, for rows of `columns`; DOMAIN ERROR, with the numbers, when
   representation is not a packed type or the group does not divide the columns. Layouts live as long as the process. */
AplErr apli_packed_layout(int representation, int64_t group, int64_t columns, const AplPackedLayout **layout);
/* The layout with this name (a GGUF type in lower case), or NULL. */
const AplPackedLayout *apli_packed_layout_named(const char *name);

#endif
