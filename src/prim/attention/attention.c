/* Fused attention: Q attention (K V MASK), softmax(Q·K ÷ √dim)·V for every head (Vaswani et al., "Attention is all you need",
   2017), the heads of a group sharing keys and values (Ainslie et al., "GQA", 2023).
   Q (tokens heads dim) f32; K V (rows groups dim) of a real or a packed type; MASK (tokens rows) Boolean. Rows that the mask
   excludes are never touched.

   Where products may round their arguments (AplEnv.rounded), and keys and values are not kept in f32, both products are of
   16-bit integers (attention_words_cpu.inc), with few heads a group in a token's first segments only unless keys and values
   are kept in 12 bits; otherwise of f32 (attention_cpu.inc).

   Consecutive tokens that see the same rows, each perhaps some more after those of the one before, as the tokens of a prompt
   do, form tiles, which share the work of making keys and values f32 or words. A piece is a tile with the heads of one group, or
   one token with all heads, where no tokens share and the context is long. With many pieces, each is one unit of work; with few
   (a token or a few in a long cache), some of its segments are a unit, and whoever ends a piece's last one merges their sums,
   always in the order of the rows. */
#include "isa/isa.h"
#include "os/parallel.h"
#include "prim/fused/fused.h"

#include <stdatomic.h>

typedef struct Tile {
    int64_t first, count; /* tokens */
    int64_t segments;     /* of the last one, which sees most */
} Tile;

typedef struct Attention {
    const float *q;
    const uint8_t *mask;
    AplCacheRows keys, values; /* of group 0 */
    int64_t key_bytes, value_bytes; /* from one group to the next */
    int64_t tokens, heads, groups, dim, rows, width;
    bool together; /* a piece has the heads of all groups, of one token */
    int64_t heads_each, parts; /* the heads of a group are so many, or parts of so many where a tile has no room for all */
    int64_t *counts; /* (tokens): rows that each sees */
    Tile *tiles;
    int64_t tile_count, most_queries, most_segments; /* queries and segments of a tile */
    float *scratch; /* each thread's, then the units' sums */
    int64_t scratch_each, sums_each;
    float *sums;
    int64_t splits, run; /* units of a piece, segments of a unit */
    _Atomic int32_t *remaining; /* segments of each piece */
    int64_t word_segments; /* of a token's segments, as many of the first are multiplied in words */
    float *result;
} Attention;

/* ---- which rows --------------------------------------------------------------------------------------------------------- */

/* 64 bits of the mask from any bit on, of which the first `count` are kept. */
static uint64_t mask_word(const uint8_t *mask, int64_t bit, int64_t count) {
    uint64_t word;
    const int shift = (int)(bit & 7);
    memcpy(&word, mask + (bit >> 3), sizeof word);
    if (shift) word = word >> shift | (uint64_t)mask[(bit >> 3) + 8] << (64 - shift);
    return count < 64 ? word & ((UINT64_C(1) << count) - 1) : word;
}

static int64_t count_bits(uint64_t word) { return word == UINT64_MAX ? 64 : __builtin_popcountll(word); }

static int64_t count_rows(const Attention *a, int64_t token) {
    int64_t count = 0;
    for (int64_t row = 0; row < a->rows; row += 64)
        count += count_bits(mask_word(a->mask, token * a->rows + row, a->rows - row));
    return count;
}

/* Whether a token sees all that the token before it sees, and otherwise only later rows. */
static bool extends(const Attention *a, int64_t token) {
    bool beyond = false;
    for (int64_t row = 0; row < a->rows; row += 64) {
        const uint64_t before = mask_word(a->mask, (token - 1) * a->rows + row, a->rows - row);
        const uint64_t after = mask_word(a->mask, token * a->rows + row, a->rows - row);
        const uint64_t more = after & ~before;
        if (before & ~after) return false;
        if (before && (beyond || (more && __builtin_ctzll(more) < 63 - __builtin_clzll(before)))) return false;
        beyond |= more != 0;
    }
    return true;
}

enum { MOST_ROWS = APLI_ATTENTION_SEGMENT + APLI_ATTENTION_BLOCK };

/* The rows that a token sees, from its `skip`-th on, at most MOST_ROWS. */
static int64_t list_rows(const Attention *a, int64_t token, int64_t skip, int32_t *list) {
    int64_t count = 0;
    for (int64_t row = 0; row < a->rows && count < MOST_ROWS; row += 64) {
        uint64_t word = mask_word(a->mask, token * a->rows + row, a->rows - row);
        const int64_t here = count_bits(word);
        if (skip >= here) {
            skip -= here;
            continue;
        }
        for (; skip > 0; skip--) word &= word - 1;
        if (word == UINT64_MAX && count + 64 <= MOST_ROWS) {
            for (int i = 0; i < 64; i++) list[count + i] = (int32_t)row + i;
            count += 64;
            continue;
        }
        for (; word && count < MOST_ROWS; word &= word - 1) list[count++] = (int32_t)(row + __builtin_ctzll(word));
    }
    return count;
}

/* ---- work ----------------------------------------------------------------------------------------------------------------- */

typedef struct Piece {
    const Tile *tokens;
    int64_t group, first_head, heads;
} Piece;

static int64_t pieces_of_tile(const Attention *a) { return a->together ? 1 : a->groups * a->parts; }

static Piece piece_at(const Attention *a, int64_t index) {
    if (a->together) return (Piece){&a->tiles[index], 0, 0, a->heads};
    const int64_t in_group = a->heads / a->groups, before = index % a->parts * a->heads_each;
    const int64_t group = index / a->parts % a->groups;
    const int64_t order = index / (a->groups * a->parts), tile = order % 2 ? order / 2 : a->tile_count - 1 - order / 2;
    return (Piece){&a->tiles[tile], group, group * in_group + before,
                   in_group - before < a->heads_each ? in_group - before : a->heads_each};
}

static AplAttentionSums sums_at(const Attention *a, float *at) {
    return (AplAttentionSums){at, at + a->most_queries, at + 2 * a->most_queries};
}

/* What a segment has for each query: its tile but for the arguments of a product. */
static AplAttentionTile tile_of(const Attention *a, const Piece *piece, int64_t segment, int32_t *counts,
                                AplAttentionSums sums) {
    for (int64_t q = 0; q < piece->tokens->count * piece->heads; q++) {
        const int64_t count = a->counts[piece->tokens->first + q / piece->heads] - segment * APLI_ATTENTION_SEGMENT;
        counts[q] = (int32_t)(count < 0 ? 0 : count > APLI_ATTENTION_SEGMENT ? APLI_ATTENTION_SEGMENT : count);
    }
    return (AplAttentionTile){.keys = a->keys, .values = a->values, .groups = a->together ? a->groups : 1,
                              .key_bytes = a->key_bytes, .value_bytes = a->value_bytes, .counts = counts,
                              .query_count = piece->tokens->count * piece->heads, .dim = a->dim, .width = a->width, .sums = sums};
}

/* `first`: of the piece's segments that use this scratch one after another. */
static void attend_segment(const Attention *a, const Piece *piece, int64_t segment, bool first, float *scratch,
                           AplAttentionTile *tile) {
    int32_t rows[MOST_ROWS];
    float *queries = scratch + apli_attention_scratch(a->width);
    const Tile *tokens = piece->tokens;
    for (int64_t i = 0; i < tokens->count && first; i++)
        memcpy(queries + i * piece->heads * a->dim, a->q + ((tokens->first + i) * a->heads + piece->first_head) * a->dim,
               (size_t)(piece->heads * a->dim) * sizeof *queries);
    tile->queries = queries;
    tile->queries_kept = !first;
    tile->keys.data += piece->group * a->key_bytes;
    tile->values.data += piece->group * a->value_bytes;
    tile->rows = rows;
    tile->rows_known = list_rows(a, tokens->first + tokens->count - 1, segment * APLI_ATTENTION_SEGMENT, rows);
    tile->row_count = tile->counts[tile->query_count - 1];
    tile->scratch = scratch;
    (segment < a->word_segments ? apli_kernels()->attend_words : apli_kernels()->attend)(tile);
}

static void finish_piece(const Attention *a, const Piece *piece, const AplAttentionSums *sums) {
    for (int64_t q = 0; q < piece->tokens->count * piece->heads; q++) {
        const int64_t head = (piece->tokens->first + q / piece->heads) * a->heads + piece->first_head + q % piece->heads;
        apli_kernels()->attention_finish(sums->values + q * a->width, sums->sum[q], a->dim, a->result + head * a->dim);
    }
}

static void attend_piece(void *context, int64_t unit, int thread) {
    const Attention *a = context;
    const Piece piece = piece_at(a, unit);
    float *scratch = a->scratch + thread * a->scratch_each, *end = scratch + a->scratch_each;
    const AplAttentionSums all = sums_at(a, end - 2 * a->sums_each), next = sums_at(a, end - a->sums_each);
    int32_t counts[APLI_ATTENTION_QUERIES];
    for (int64_t segment = 0; segment < piece.tokens->segments; segment++) {
        AplAttentionTile tile = tile_of(a, &piece, segment, counts, segment ? next : all);
        attend_segment(a, &piece, segment, segment == 0, scratch, &tile);
        if (segment) apli_kernels()->attention_merge(&tile, &all);
    }
    finish_piece(a, &piece, &all);
}

static AplAttentionSums unit_sums(const Attention *a, int64_t index, int64_t segment) {
    return sums_at(a, a->sums + (index * a->most_segments + segment) * a->sums_each);
}

static void attend_part_of_piece(void *context, int64_t unit, int thread) {
    const Attention *a = context;
    const int64_t index = unit / a->splits, first = unit % a->splits * a->run;
    const Piece piece = piece_at(a, index);
    const int64_t segments = piece.tokens->segments, end = first + a->run < segments ? first + a->run : segments;
    int32_t counts[APLI_ATTENTION_QUERIES];
    if (first >= end) return;
    for (int64_t segment = first; segment < end; segment++) {
        AplAttentionTile tile = tile_of(a, &piece, segment, counts, unit_sums(a, index, segment));
        attend_segment(a, &piece, segment, segment == first, a->scratch + thread * a->scratch_each, &tile);
    }
    if (atomic_fetch_sub(&a->remaining[index], (int32_t)(end - first)) > end - first) return;
    const AplAttentionSums all = unit_sums(a, index, 0);
    for (int64_t later = 1; later < segments; later++) {
        AplAttentionTile tile = tile_of(a, &piece, later, counts, unit_sums(a, index, later));
        apli_kernels()->attention_merge(&tile, &all);
    }
    finish_piece(a, &piece, &all);
}

static void make_tiles(Attention *a) {
    const int64_t most = a->most_queries / a->heads_each;
    a->most_queries = 0;
    for (int64_t token = 0; token < a->tokens; token++) {
        Tile *last = a->tile_count ? &a->tiles[a->tile_count - 1] : NULL;
        if (last && last->count < most && extends(a, token)) last->count++;
        else *(last = &a->tiles[a->tile_count++]) = (Tile){token, 1, 0};
        last->segments = (a->counts[token] + APLI_ATTENTION_SEGMENT - 1) / APLI_ATTENTION_SEGMENT;
        if (last->segments > a->most_segments) a->most_segments = last->segments;
        if (last->count * a->heads_each > a->most_queries) a->most_queries = last->count * a->heads_each;
    }
}

enum {
    WORTH_THREADS = 1 << 14,   /* below this many multiplications a thread more costs more than it saves */
    FEWEST_QUERIES = 64,       /* that a tile has, where there are so many, */
    TILES_A_THREAD = 8,        /* though tiles become fewer than that */
    MANY_HEADS = 4,            /* one token's heads of a group repay the making of words; fewer do not, but a prompt's */
    SEGMENTS_OF_FEW = 4,       /* tokens do: they have words where prompts mostly are, f32 in the depth of the context */
    MOST_DIM_OF_WORDS = 1024,  /* words of more dimensions would have too few bits */
    UNITS_A_THREAD = 4,        /* with fewer pieces than that, parts of them are the units */
    MOST_SUMS = 1 << 22,       /* floats that segments' sums may take */
};

static AplErr attend_all(Attention *a) {
    int64_t work = 0;
    for (int64_t token = 0; token < a->tokens; token++) work += a->counts[token] * a->heads * a->dim;
    make_tiles(a);
    const int threads = work < WORTH_THREADS ? 1 : apli_parallel_threads();
    const int64_t pieces = a->tile_count * pieces_of_tile(a);
    a->sums_each = (a->most_queries * (a->width + 2) + 15) / 16 * 16;
    a->scratch_each = apli_attention_scratch(a->width) + (a->most_queries * a->dim + 15) / 16 * 16 + 2 * a->sums_each;
    const bool split = threads > 1 && a->most_segments > 1 && pieces < UNITS_A_THREAD * threads &&
                       pieces * a->most_segments * a->sums_each <= MOST_SUMS;
    a->splits = split ? (UNITS_A_THREAD * threads + pieces - 1) / pieces : 1;
    a->run = (a->most_segments + a->splits - 1) / a->splits;
    const int64_t sums = split ? pieces * a->most_segments * a->sums_each : 0;
    APLI_AUTO AplArray *scratch = NULL, *remaining = NULL;
    TRY(apli_vector_new(APLI_F32, threads * a->scratch_each + sums, &scratch));
    a->scratch = (float *)scratch->data;
    a->sums = a->scratch + threads * a->scratch_each;
    if (split) {
        TRY(apli_vector_new(APLI_I32, pieces, &remaining));
        a->remaining = (_Atomic int32_t *)remaining->data;
        for (int64_t piece = 0; piece < pieces; piece++)
            a->remaining[piece] = (int32_t)piece_at(a, piece).tokens->segments;
    }
    apli_parallel(pieces * a->splits, threads, split ? attend_part_of_piece : attend_piece, a);
    return APL_OK;
}

/* The most queries of a tile. In words tiles are tall, as a tile's queries share the making of them; later and
   earlier ones, which cost less, come by turns, so that every thread's part of the units has both. */
static int64_t queries_of_tile(const Attention *a) {
    if (a->word_segments == 0) return FEWEST_QUERIES;
    const int64_t share = a->tokens * a->heads / (TILES_A_THREAD * apli_parallel_threads());
    return share < FEWEST_QUERIES ? FEWEST_QUERIES : share > APLI_ATTENTION_QUERIES ? APLI_ATTENTION_QUERIES : share;
}

/* Whether each token, with nothing to share with another, takes all groups of a row at once: then its keys and values are read
   as they lie. There must be segments for all threads. */
static bool reads_rows_whole(const Attention *a) {
    int64_t segments = 0;
    for (int64_t token = 0; token < a->tokens; token++) {
        if (token && extends(a, token)) return false;
        segments += (a->counts[token] + APLI_ATTENTION_SEGMENT - 1) / APLI_ATTENTION_SEGMENT;
    }
    return a->groups > 1 && a->heads <= APLI_ATTENTION_QUERIES && a->word_segments == INT64_MAX &&
           segments >= 2 * apli_parallel_threads();
}

/* ---- arguments ------------------------------------------------------------------------------------------------------- */

/* Whether keys or values are of a type that the kernels read. */
static bool cache_rows(const AplArray *array, AplCacheRows *rows, int64_t *group_bytes) {
    const bool packed = array->form == APLI_FORM_PACKED;
    if (array->rank != 3 || array->count == 0) return false;
    const bool read = array->type == APLI_F16 || array->type == APLI_BF16 || array->type == APLI_F32;
    if (!packed && (array->form != APLI_PLAIN || !read)) return false;
    const AplPackedLayout *layout = packed ? array->layout : NULL;
    *group_bytes = packed ? apli_packed_row_bytes(layout, array->shape[2])
                          : (int64_t)apli_type_bytes((AplType)array->type, array->shape[2]);
    *rows = (AplCacheRows){array->data, *group_bytes * array->shape[1], (AplType)array->type, layout,
                           packed ? apli_kernels()->unpack[layout->codec] : NULL};
    return true;
}

AplErr apli_attention(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined) {
    Attention a = {0};
    *declined = !left || left->type != APLI_F32 || left->form != APLI_PLAIN || left->rank != 3 || left->count == 0 ||
                right->type != APLI_NESTED || right->form != APLI_PLAIN || right->count != 3;
    if (*declined) return APL_OK;
    const AplArray *keys = apli_items(right)[0], *values = apli_items(right)[1], *mask = apli_items(right)[2];
    *declined = !cache_rows(keys, &a.keys, &a.key_bytes) || !cache_rows(values, &a.values, &a.value_bytes) ||
                !apli_same_shape(keys, values) || mask->type != APLI_BOOL || mask->form != APLI_PLAIN || mask->rank != 2 ||
                mask->shape[0] != left->shape[0] || mask->shape[1] != keys->shape[0] || keys->shape[2] != left->shape[2] ||
                keys->shape[0] > INT32_MAX || left->shape[1] % keys->shape[1] != 0;
    if (*declined) return APL_OK;
    TRY(apli_check(env));
    a.q = (const float *)left->data;
    a.mask = mask->data;
    a.tokens = left->shape[0];
    a.heads = left->shape[1];
    a.dim = left->shape[2];
    a.rows = keys->shape[0];
    a.groups = keys->shape[1];
    a.width = (a.dim + 2 * APLI_ATTENTION_LANES - 1) / (2 * APLI_ATTENTION_LANES) * (2 * APLI_ATTENTION_LANES);
    const int64_t in_group = a.heads / a.groups;
    const bool words = env->rounded && a.dim <= MOST_DIM_OF_WORDS && a.keys.type != APLI_F32;
    const bool kept = apli_kept_in_words(a.keys.layout, a.dim) && apli_kept_in_words(a.values.layout, a.dim);
    a.word_segments = !words ? 0 : in_group < MANY_HEADS && !kept ? SEGMENTS_OF_FEW : INT64_MAX;
    a.most_queries = queries_of_tile(&a);
    a.parts = (in_group + a.most_queries - 1) / a.most_queries;
    a.heads_each = (in_group + a.parts - 1) / a.parts;
    APLI_AUTO AplArray *attended = NULL, *counts = NULL, *tiles = NULL;
    TRY(apli_vector_new(APLI_I64, a.tokens, &counts));
    a.counts = (int64_t *)counts->data;
    for (int64_t token = 0; token < a.tokens; token++) {
        a.counts[token] = count_rows(&a, token);
        *declined |= a.counts[token] == 0; /* a token that may look at nothing: what the text makes of it */
    }
    if (*declined) return APL_OK;
    a.together = reads_rows_whole(&a);
    if (a.together) {
        a.heads_each = a.most_queries = a.heads;
        a.parts = 1;
    }
    TRY(apli_vector_new(APLI_I64, a.tokens * (int64_t)(sizeof(Tile) / sizeof(int64_t)), &tiles));
    a.tiles = (Tile *)tiles->data;
    TRY(apli_array_new_like(APLI_F32, left, &attended));
    a.result = (float *)attended->data;
    TRY(attend_all(&a));
    *result = apli_move(&attended);
    return APL_OK;
}
