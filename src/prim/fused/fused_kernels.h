/* The loops of the fused functions, over raw f32 buffers: rows of a kernel table (isa/isa.h). Each value is computed in one
   fixed order that depends on nothing beside its own row. */
#ifndef APLI_PRIM_FUSED_KERNELS_H
#define APLI_PRIM_FUSED_KERNELS_H

#include "elem/elem.h"
#include "elem/packed.h"

#include <stdint.h>

/* One row of x divided by its root mean square, times gain: gain × x ÷ √(epsilon + mean x²); result may be x. */
typedef void AplRmsNormRow(const float *x, const float *gain, int64_t width, double epsilon, float *result);
/* One row's softmax; result may be x. */
typedef void AplSoftmaxRow(const float *x, int64_t width, float *result);
/* count elements of u × g × σ(g); result may be either. */
typedef void AplGated(const float *g, const float *u, int64_t count, float *result);

/* Attention, in blocks of rows with a running maximum (prim/attention/attention_cpu.inc, and with products of
   16-bit integers attention_words_cpu.inc). A token's visible rows are counted
   from 0 in the order of the cache, whatever lies between them. Every APLI_ATTENTION_SEGMENT of them are summed apart, in
   blocks of APLI_ATTENTION_BLOCK, and the segments' sums are merged in their order: so the bits depend on nothing but the
   token's query and its own rows. */
enum {
    APLI_ATTENTION_BLOCK = 64,
    APLI_ATTENTION_SEGMENT = 256,
    APLI_ATTENTION_QUERIES = 256, /* the most of a tile */
    APLI_ATTENTION_GROUP = 16,    /* of these whose products in words are at hand at once: whole vectors of f32 */
    APLI_ATTENTION_LANES = 16,
};

/* The keys or the values of one group: row r's elements begin at data + r × stride bytes. */
typedef struct AplCacheRows {
    const uint8_t *data;
    int64_t stride;
    AplType type; /* F16, BF16, F32 or PACKED */
    const AplPackedLayout *layout; /* of PACKED ones, otherwise NULL, with */
    AplUnpack *unpack; /* the kernel table's own function */
} AplCacheRows;

/* Whether rows of dim elements are kept in the words that products of 16-bit integers take: of 12 bits, a scale a row, in whole
   vectors. The layout is NULL for rows that are not packed. */
static inline bool apli_kept_in_words(const AplPackedLayout *layout, int64_t dim) {
    return layout && layout->codec == APLI_CODEC_INT12 && layout->group == 0 && dim % 64 == 0;
}

/* What queries have summed: Σ 2*(score - most) of each, and the same times the values. Scores are in units of log₂. */
typedef struct AplAttentionSums {
    float *most, *sum; /* (queries) */
    float *values; /* (queries, width) */
} AplAttentionSums;

/* Some queries of one group of heads over one segment; or in words one token's queries of several groups, the same number of
   each, group after group, so that a row's keys of all groups, which lie together, are read at once. */
typedef struct AplAttentionTile {
    AplCacheRows keys, values; /* of the first group */
    int64_t groups, key_bytes, value_bytes; /* from one group to the next, where there are several */
    const int32_t *rows; /* the segment's rows that the last query sees, and perhaps a block of what it sees after them */
    int64_t row_count, rows_known; /* of the segment; with those after it, which will be needed next */
    const float *queries; /* (query_count, dim) */
    const int32_t *counts; /* (query_count), ascending: query i sees rows[0 .. counts[i]) */
    int64_t query_count, dim, width; /* width: dim rounded up to twice the lanes */
    float *scratch; /* room for apli_attention_scratch(width) floats, aligned to 64 bytes */
    bool queries_kept; /* in words: the call before had the same queries and scratch, and what it made of them is still there */
    AplAttentionSums sums; /* set for queries that see a row */
} AplAttentionTile;
typedef void AplAttend(const AplAttentionTile *tile);
/* Adds a later segment's sums, `tile->sums`, to those of all before it, for queries that see a row of the later one. */
typedef void AplAttentionMerge(const AplAttentionTile *tile, const AplAttentionSums *earlier);
/* values ÷ sum of one query: dim elements. */
typedef void AplAttentionFinish(const float *values, float sum, int64_t dim, float *result);

/* Both ways have room for a block's keys and values as f32 and the lanes' sums; beside them scores of all queries, or words. */
static inline int64_t apli_attention_scratch(int64_t width) {
    enum { BLOCK = APLI_ATTENTION_BLOCK, QUERIES = APLI_ATTENTION_QUERIES, GROUP = APLI_ATTENTION_GROUP };
    const int64_t singles = QUERIES * BLOCK, words = BLOCK * width + QUERIES * (width / 2 + 1) + GROUP * (width + 3 * BLOCK);
    return 2 * BLOCK * width + QUERIES * APLI_ATTENTION_LANES + (singles > words ? singles : words);
}

/* f32 to f16, to nearest, ties to even. */
typedef void AplNarrowHalves(const float *values, int64_t count, uint16_t *halves);
/* Packs rows of the layout `123 0 ⎕DR` as apli_packed_pack does; false where a number is infinite or none. */
typedef bool AplPackInt12(const float *values, int64_t rows, int64_t columns, uint8_t *bytes);

#endif
