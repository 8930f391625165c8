/* Packed reals: 1, 2, 4, 8 or 12 bits an element and a scale (sometimes a minimum) for each group of elements along the last
   axis. A layout says how the rows of the last axis lie in memory: a row is `columns ÷ block_elements` blocks of
   `block_bytes`, one after another; rows follow one another. A layout of the GGUF family is read where the file has it.

   Native layouts, made by `representation group ⎕DR X`: a block is one group, its scale and then its codes. The scale is an
   f16 when the group has a size, an f32 when it is the whole row (group 0: any number of columns). With n elements in
   the group, element i's code lies
       13 g  binary   code 1 is scale, 0 is -scale; bit i mod 8 of byte i÷8
       23 g  ternary  code 0 1 2 is -scale 0 scale; two bits of byte i mod q from bit 2×(i÷q) on, q = ⌈n÷4⌉
       43 g  uniform  code 0..15 is -8..7 × scale;  low nibble of byte i, or high nibble of byte i-h from h = ⌈n÷2⌉ on
       45 g  NF4      code 0..15 is a NormalFloat value × scale;  nibbles as above
       83 g  8-bit    -127..127 × scale;            a signed byte
       123 g 12-bit   -2047..2047 × scale;          its upper 8 bits are byte i, the others a nibble as above, from byte n on
   so that 43 32 is Q4_0, 83 32 is Q8_0 and 13 128 is Q1_0, bit for bit. */
#ifndef APLI_ELEM_PACKED_H
#define APLI_ELEM_PACKED_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/* How blocks are decoded: the index into a table of unpack functions. */
typedef enum AplCodec {
#define PACKED(id, name, representation, group, elements, bytes) APLI_CODEC_##id,
#include "elem/packed.def"
#undef PACKED
    APLI_CODEC_COUNT
} AplCodec;

typedef struct AplPackedLayout AplPackedLayout;
/* Unpacks `columns` elements (a multiple of block_elements) of a row that begins at `row` (any alignment). */
typedef void AplUnpack(const AplPackedLayout *layout, const uint8_t *row, int64_t columns, float *values);

struct AplPackedLayout {
    const char *name;       /* "q4_1", "nf4 64": what `inspect` prints */
    int representation;     /* 13, 23, 43, 45, 83 or 123: the number ⎕DR tells */
    int64_t group;          /* elements that share a scale; 0: one group a row */
    int64_t block_elements; /* 0: a row is one block, as long as the last axis */
    int64_t block_bytes;    /* 0 when block_elements is */
    AplCodec codec;
    AplUnpack *unpack;      /* the plain one; apli_kernels()->unpack[codec] is the same, faster */
};

enum { APLI_PACKED_SCALE_BYTES = 2, APLI_PACKED_ROW_SCALE_BYTES = 4 };

/* The 16 values of NF4 (QLoRA, arXiv 2305.14314, appendix E). */
extern const float apli_nf4_values[16];
/* The 16 values of IQ4_NL (PyPI `gguf`, gguf.quants.IQ4_NL). */
extern const float apli_iq4_nl_values[16];

/* Bytes of a row of `columns` elements, which the layout's block divides. */
int64_t apli_packed_row_bytes(const AplPackedLayout *layout, int64_t columns);
/* The layout that `representation group ⎕DR X` makes, for rows of `columns`; DOMAIN ERROR, with the numbers, when
   representation is not a packed type or the group does not divide the columns. Layouts live as long as the process. */
AplErr apli_packed_layout(int representation, int64_t group, int64_t columns, const AplPackedLayout **layout);
/* The layout with this name (a GGUF type in lower case, or a native family with one group a row), or NULL. */
const AplPackedLayout *apli_packed_layout_named(const char *name);
/* Packs (rows, columns) values into rows × apli_packed_row_bytes. DOMAIN ERROR, with the index, for a NaN, an infinity or
   a group whose scale an f16 does not hold; NONCE ERROR for a layout that is only read. */
AplErr apli_packed_pack(const AplPackedLayout *layout, const float *values, int64_t rows, int64_t columns, uint8_t *bytes);
/* The first element, counted over (rows, columns), whose group has a scale or minimum that is NaN or infinite; -1 when there
   is none. */
int64_t apli_packed_find_nonfinite(const AplPackedLayout *layout, const uint8_t *bytes, int64_t rows, int64_t columns);

#endif
