/* Attention over a cache of any type, with products of f32 and of 16-bit integers: right against sums in f64, and the same bits
   for every instruction set, number of threads, chunk of a prompt, and whatever else the cache holds. */
#include "elem/packed.h"
#include "isa/isa.h"
#include "os/parallel.h"
#include "prim/fused/fused.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

typedef struct Shape {
    int64_t tokens, heads, groups, dim, rows, window; /* window 0: none */
} Shape;

static const Shape shapes[] = {
    {1, 1, 1, 64, 1, 0},     {1, 8, 1, 64, 700, 0},   {37, 9, 3, 64, 333, 0}, {5, 32, 4, 64, 900, 0},  {70, 2, 2, 128, 130, 0},
    {3, 4, 2, 80, 257, 0},   {9, 5, 1, 24, 64, 0},    {7, 6, 2, 6, 65, 0},    {40, 4, 2, 32, 400, 90}, {2, 71, 1, 64, 260, 0},
    {17, 3, 1, 16, 1025, 0}, {66, 1, 1, 64, 600, 256}, {1, 8, 4, 64, 1300, 0},  {1, 6, 2, 128, 1100, 0},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Types of the cache; a representation is a packed type in groups of 32, or of a row where that does not divide. */
static const struct Kind {
    const char *name;
    AplType type;
    int representation;
} kinds[] = {{"f32", APLI_F32, 0}, {"f16", APLI_F16, 0}, {"bf16", APLI_BF16, 0}, {"q8", APLI_PACKED, 83}, {"q4", APLI_PACKED, 43},
             {"q12", APLI_PACKED, 123}};
enum { KINDS = sizeof kinds / sizeof *kinds };

static AplEnv env;
static const char *way(void) { return env.rounded ? "in words" : "in f32"; }

static uint32_t seed = 1;
/* -1 to 1 */
static float random_real(void) {
    seed = seed * 1664525 + 1013904223;
    return (float)(int32_t)seed / 2147483648.0f;
}

static AplArray *numbers(int64_t a, int64_t b, int64_t c, float scale) {
    AplArray *array;
    assert_int_equal(apli_array_new(APLI_F32, 3, (int64_t[]){a, b, c}, &array), APL_OK);
    for (int64_t i = 0; i < array->count; i++) ((float *)array->data)[i] = scale * random_real();
    return array;
}

static AplArray *reduced(AplArray *values, const struct Kind *kind) {
    AplArray *result;
    if (!kind->representation) {
        assert_int_equal(apli_convert(values, kind->type, &result), APL_OK);
        return result;
    }
    const AplPackedLayout *layout;
    const int64_t dim = values->shape[2];
    const int64_t group = dim % 32 || kind->representation == 123 ? 0 : 32;
    assert_int_equal(apli_packed_layout(kind->representation, group, dim, &layout), APL_OK);
    assert_int_equal(apli_packed_zero(layout, 3, values->shape, &result), APL_OK);
    assert_int_equal(apli_packed_pack(layout, (const float *)values->data, values->count / dim, dim, result->data), APL_OK);
    return result;
}

typedef struct Case {
    Shape shape;
    AplArray *queries, *keys, *values, *mask;
} Case;

static bool sees(const Shape *shape, int64_t token, int64_t row) {
    const int64_t position = shape->rows - shape->tokens + token;
    return row <= position && (!shape->window || row > position - shape->window);
}

static Case make_case(const Shape *shape, const struct Kind *kind) {
    Case made = {.shape = *shape, .queries = numbers(shape->tokens, shape->heads, shape->dim, 4)};
    AplArray *keys = numbers(shape->rows, shape->groups, shape->dim, 1);
    AplArray *values = numbers(shape->rows, shape->groups, shape->dim, 1);
    made.keys = reduced(keys, kind);
    made.values = reduced(values, kind);
    apli_array_release(keys);
    apli_array_release(values);
    assert_int_equal(apli_array_new(APLI_BOOL, 2, (int64_t[]){shape->tokens, shape->rows}, &made.mask), APL_OK);
    for (int64_t i = 0; i < made.mask->count; i++)
        apli_bit_set(made.mask->data, i, sees(shape, i / shape->rows, i % shape->rows));
    return made;
}

static void free_case(Case *c) {
    apli_array_release(c->queries);
    apli_array_release(c->keys);
    apli_array_release(c->values);
    apli_array_release(c->mask);
}

static AplArray *attend(const Case *c) {
    APLI_AUTO AplArray *cache = NULL;
    AplArray *result = NULL;
    bool declined = false;
    assert_int_equal(apli_vector_new(APLI_NESTED, 3, &cache), APL_OK);
    apli_items(cache)[0] = apli_array_retain(c->keys);
    apli_items(cache)[1] = apli_array_retain(c->values);
    apli_items(cache)[2] = apli_array_retain(c->mask);
    assert_int_equal(apli_attention(&env, c->queries, cache, &result, &declined), APL_OK);
    assert_false(declined);
    return result;
}

static void expect_bits(const AplArray *expected, const float *bits, const char *what, int shape, int kind) {
    if (memcmp(expected->data, bits, (size_t)expected->count * sizeof(float)))
        fail_msg("shape %d, %s %s: other bits %s", shape, kinds[kind].name, way(), what);
}

/* ---- values -------------------------------------------------------------------------------------------------------------- */

/* softmax(q·k ÷ √dim)·v of one head of one token, in f64. */
static void reference(const Case *c, const AplArray *keys, const AplArray *values, int64_t token, int64_t head, double *result) {
    const Shape *s = &c->shape;
    const int64_t group = head * s->groups / s->heads;
    double *scores = calloc((size_t)s->rows, sizeof *scores), most = -INFINITY, sum = 0;
    for (int64_t row = 0; row < s->rows; row++) {
        for (int64_t i = 0; i < s->dim; i++)
            scores[row] += apli_f64_at(c->queries, (token * s->heads + head) * s->dim + i) *
                           apli_f64_at(keys, (row * s->groups + group) * s->dim + i);
        scores[row] /= sqrt((double)s->dim);
        if (sees(s, token, row)) most = fmax(most, scores[row]);
    }
    for (int64_t i = 0; i < s->dim; i++) result[i] = 0;
    for (int64_t row = 0; row < s->rows; row++) {
        if (!sees(s, token, row)) continue;
        const double weight = exp(scores[row] - most);
        sum += weight;
        for (int64_t i = 0; i < s->dim; i++) result[i] += weight * apli_f64_at(values, (row * s->groups + group) * s->dim + i);
    }
    for (int64_t i = 0; i < s->dim; i++) result[i] /= sum;
    free(scores);
}

/* With few threads the last shapes have segments enough for each, and their rows are read whole. */
static void expect_sums_in_f64(double usual, double of_bytes, int threads) {
    double expected[128];
    apli_parallel_set_threads(threads);
    for (int i = 0; i < SHAPES; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            Case c = make_case(&shapes[i], &kinds[kind]);
            APLI_AUTO AplArray *result = attend(&c), *plain_keys = NULL, *plain_values = NULL;
            assert_int_equal(apli_plain(c.keys, &plain_keys), APL_OK);
            assert_int_equal(apli_plain(c.values, &plain_values), APL_OK);
            const double tolerance = kinds[kind].representation == 123 ? of_bytes : usual;
            const int64_t dim = c.shape.dim, heads = c.shape.tokens * c.shape.heads;
            for (int64_t unit = 0; unit < heads; unit += 1 + heads / 40) {
                reference(&c, plain_keys, plain_values, unit / c.shape.heads, unit % c.shape.heads, expected);
                for (int64_t k = 0; k < dim; k++) {
                    const double got = apli_f64_at(result, unit * dim + k);
                    if (!(fabs(got - expected[k]) <= tolerance))
                        fail_msg("shape %d, %s %s: head %d, element %d is %.9g, in f64 %.9g", i, kinds[kind].name, way(),
                                 (int)unit, (int)k, got, expected[k]);
                }
            }
            free_case(&c);
        }
}

static void attention_is_that_of_sums_in_f64(void **state) {
    (void)state;
    for (int threads = 1; threads <= 2; threads++) expect_sums_in_f64(2e-6, 2e-6, threads);
}

/* Scores of up to 20 from words of 11 to 13 bits, weights of 14 bits, values of 11, all up to 1; of rows kept in 12 bits weights and
   values of 8. */
static void attention_in_words_is_near_sums_in_f64(void **state) {
    (void)state;
    env.rounded = true;
    for (int threads = 1; threads <= 2; threads++) expect_sums_in_f64(1e-3, 1e-2, threads);
    env.rounded = false;
}

static void a_row_that_holds_no_number_matters_to_none_but_who_sees_it(void **state) {
    (void)state;
    const Shape shape = {20, 6, 2, 64, 100, 0};
    for (int kind = 0; kind < 3; kind++) /* f32, f16, bf16 */
        for (int values = 0; values < 2; values++)
            for (env.rounded = false;; env.rounded = true) {
                Case c = make_case(&shape, &kinds[kind]);
                APLI_AUTO AplArray *expected = attend(&c);
                uint8_t *element = (values ? c.values : c.keys)->data + (90 * 2 + 1) * apli_type_bytes(kinds[kind].type, 64);
                memset(element, 0xFF, apli_type_bytes(kinds[kind].type, 1)); /* in row 90, of group 1, which tokens from 10 on see */
                APLI_AUTO AplArray *result = attend(&c);
                for (int64_t head = 0; head < 20 * 6; head++) {
                    const float *got = (const float *)result->data + head * 64;
                    if (head / 6 >= 10 && head % 6 >= 3) assert_true(isnan(got[0]));
                    else assert_memory_equal(got, (const float *)expected->data + head * 64, 64 * sizeof *got);
                }
                free_case(&c);
                if (env.rounded) break;
            }
    env.rounded = false;
}

static void scores_far_apart_lose_nothing(void **state) {
    (void)state;
    /* row 300's key is the query's own direction: e*-4000 of it is what the others weigh */
    const Shape shape = {1, 1, 1, 64, 512, 0};
    Case c = make_case(&shape, &kinds[0]);
    for (int64_t i = 0; i < 64; i++) ((float *)c.queries->data)[i] = 80;
    for (int64_t i = 0; i < 64; i++) ((float *)c.keys->data)[300 * 64 + i] = 50;
    AplArray *result = attend(&c);
    assert_memory_equal(result->data, (const float *)c.values->data + 300 * 64, 64 * sizeof(float));
    apli_array_release(result);
    free_case(&c);
}

/* ---- bits ---------------------------------------------------------------------------------------------------------------- */

static void expect_bits_of_any_number_of_threads(void) {
    for (int i = 0; i < SHAPES; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            Case c = make_case(&shapes[i], &kinds[kind]);
            apli_parallel_set_threads(1);
            APLI_AUTO AplArray *expected = attend(&c);
            for (int threads = 2; threads <= 7; threads++) {
                apli_parallel_set_threads(threads);
                APLI_AUTO AplArray *result = attend(&c);
                expect_bits(expected, (const float *)result->data, "with more threads", i, kind);
            }
            free_case(&c);
        }
    apli_parallel_set_threads(2);
}

static void the_bits_do_not_depend_on_threads(void **state) {
    (void)state;
    expect_bits_of_any_number_of_threads();
    env.rounded = true;
    expect_bits_of_any_number_of_threads();
    env.rounded = false;
}

/* The tokens first..first+count-1 of a case, over a cache of `capacity` rows in which the case's row r is row place[r], and
   the others hold `filler`. */
static Case placed(const Case *c, const struct Kind *kind, int64_t first, int64_t count, int64_t capacity, const int64_t *place,
                   float filler) {
    const Shape *s = &c->shape;
    Case made = {.shape = *s};
    const int64_t token = s->heads * s->dim;
    assert_int_equal(apli_view(c->queries, first * token, 3, (int64_t[]){count, s->heads, s->dim}, &made.queries), APL_OK);
    assert_int_equal(apli_array_new(APLI_BOOL, 2, (int64_t[]){count, capacity}, &made.mask), APL_OK);
    for (int64_t i = 0; i < made.mask->count; i++) apli_bit_set(made.mask->data, i, false);
    for (int64_t t = 0; t < count; t++)
        for (int64_t row = 0; row < s->rows; row++)
            apli_bit_set(made.mask->data, t * capacity + place[row], sees(s, first + t, row));
    for (int which = 0; which < 2; which++) {
        const AplArray *rows = which ? c->values : c->keys;
        AplArray *plain = numbers(capacity, s->groups, s->dim, 1), **cache = which ? &made.values : &made.keys;
        for (int64_t i = 0; i < plain->count; i++) ((float *)plain->data)[i] = kind->representation ? 1 : filler;
        *cache = reduced(plain, kind);
        const int64_t bytes = kind->representation ? s->groups * apli_packed_row_bytes(rows->layout, s->dim)
                                                   : (int64_t)apli_type_bytes(kind->type, s->groups * s->dim);
        for (int64_t row = 0; row < s->rows; row++)
            memcpy((*cache)->data + place[row] * bytes, rows->data + row * bytes, (size_t)bytes);
        apli_array_release(plain);
    }
    return made;
}

static void expect_bits_of_any_chunks(void) {
    for (int i = 0; i < SHAPES; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            Case c = make_case(&shapes[i], &kinds[kind]);
            APLI_AUTO AplArray *expected = attend(&c);
            const int64_t rows = c.shape.rows, capacity = 3 * rows + 11;
            int64_t *together = calloc((size_t)rows, sizeof *together), *apart = calloc((size_t)rows, sizeof *apart);
            for (int64_t row = 0, at = 3; row < rows; row++, at += 1 + (row % 7 == 0) + (row % 100 == 50)) {
                together[row] = row + 5;
                apart[row] = at;
            }
            for (int64_t chunk = 1; chunk < 70; chunk = chunk * 3 + 2)
                for (int spread = 0; spread < 2; spread++)
                    for (int64_t first = 0; first < c.shape.tokens; first += chunk) {
                        const int64_t count = c.shape.tokens - first < chunk ? c.shape.tokens - first : chunk;
                        Case part = placed(&c, &kinds[kind], first, count, capacity, spread ? apart : together, NAN);
                        APLI_AUTO AplArray *result = attend(&part);
                        const int64_t token = c.shape.heads * c.shape.dim;
                        if (memcmp(result->data, (const float *)expected->data + first * token,
                                   (size_t)(count * token) * sizeof(float)))
                            fail_msg("shape %d, %s %s: other bits in chunks of %d, rows %s", i, kinds[kind].name, way(), (int)chunk,
                                     spread ? "apart" : "together");
                        free_case(&part);
                        if (first > 12 * chunk) break;
                    }
            free(together);
            free(apart);
            free_case(&c);
        }
}

static void the_bits_do_not_depend_on_chunks_or_on_what_else_the_cache_holds(void **state) {
    (void)state;
    expect_bits_of_any_chunks();
    env.rounded = true;
    expect_bits_of_any_chunks();
    env.rounded = false;
}

/* Each token of a batch is of another sequence, whose rows lie between the others'. */
static void expect_bits_beside_other_sequences(int threads) {
    enum { SEQUENCES = 3, ROWS = 1200, TOKEN = 8 * 64 };
    apli_parallel_set_threads(threads);
    for (int kind = 0; kind < KINDS; kind++) {
        Case c = make_case(&(Shape){SEQUENCES, 8, 4, 64, SEQUENCES * ROWS, 0}, &kinds[kind]);
        for (int64_t i = 0; i < c.mask->count; i++)
            apli_bit_set(c.mask->data, i, i % c.shape.rows % SEQUENCES == i / c.shape.rows);
        APLI_AUTO AplArray *together = attend(&c);
        for (int sequence = 0; sequence < SEQUENCES; sequence++) {
            Case one = make_case(&(Shape){1, 8, 4, 64, ROWS, 0}, &kinds[kind]);
            memcpy(one.queries->data, (const float *)c.queries->data + sequence * TOKEN, TOKEN * sizeof(float));
            for (int which = 0; which < 2; which++) {
                const AplArray *from = which ? c.values : c.keys, *to = which ? one.values : one.keys;
                const int64_t bytes = 4 * (kinds[kind].representation ? apli_packed_row_bytes(from->layout, 64)
                                                                      : (int64_t)apli_type_bytes(kinds[kind].type, 64));
                for (int64_t row = 0; row < ROWS; row++)
                    memcpy(to->data + row * bytes, from->data + (row * SEQUENCES + sequence) * bytes, (size_t)bytes);
            }
            APLI_AUTO AplArray *alone = attend(&one);
            expect_bits(alone, (const float *)together->data + sequence * TOKEN, "beside other sequences", sequence, kind);
            free_case(&one);
        }
        free_case(&c);
    }
}

static void tokens_of_other_sequences_beside_change_no_bits(void **state) {
    (void)state;
    env.rounded = true;
    for (int threads = 1; threads <= 2; threads++) expect_bits_beside_other_sequences(threads);
    env.rounded = false;
}

enum { MOST = APLI_ATTENTION_QUERIES, SUMS = 2 * MOST + (MOST + 1) * 128 };

/* The keys and values of a case's first group; row_bytes: from one group to the next. */
static void cache_of(const AplKernels *kernels, const Case *c, const struct Kind *kind, AplCacheRows *keys, AplCacheRows *values,
                     int64_t *row_bytes) {
    const AplPackedLayout *layout = kind->representation ? c->keys->layout : NULL;
    const int64_t dim = c->shape.dim;
    *row_bytes = layout ? apli_packed_row_bytes(layout, dim) : (int64_t)apli_type_bytes(kind->type, dim);
    *keys = (AplCacheRows){c->keys->data, *row_bytes * c->shape.groups, (AplType)c->keys->type, layout,
                           layout ? kernels->unpack[layout->codec] : NULL};
    *values = *keys;
    values->data = c->values->data;
}

/* Some tokens of one head group over one segment, straight through a table of kernels. */
static void attend_tile(const AplKernels *kernels, const Case *c, const struct Kind *kind, bool words, float *sums) {
    const Shape *s = &c->shape;
    const int64_t in_group = s->heads / s->groups, width = (s->dim + 31) / 32 * 32, segment = APLI_ATTENTION_SEGMENT;
    int64_t queries = in_group < MOST ? in_group : MOST, tokens = MOST / queries;
    if (tokens > s->tokens) tokens = s->tokens;
    int32_t rows[APLI_ATTENTION_SEGMENT], counts[MOST];
    const int64_t most = s->rows < segment ? s->rows : segment;
    for (int64_t row = 0; row < most; row++) rows[row] = (int32_t)row;
    for (int64_t q = 0; q < queries * tokens; q++) {
        const int64_t seen = most - tokens + 1 + q / queries;
        counts[q] = (int32_t)(seen < 0 ? 0 : seen);
    }
    AplArray *room;
    assert_int_equal(apli_vector_new(APLI_F32, apli_attention_scratch(width), &room), APL_OK);
    AplCacheRows keys, values;
    int64_t row_bytes;
    cache_of(kernels, c, kind, &keys, &values, &row_bytes);
    AplAttentionTile tile = {keys, values, 1, 0, 0, rows, most, most, (const float *)c->queries->data, counts,
                             queries * tokens, s->dim, width, (float *)room->data, false, {sums, sums + MOST, sums + 2 * MOST}};
    if (words) kernels->attend_words(&tile);
    else kernels->attend(&tile);
    AplAttentionSums before = {sums, sums + MOST, sums + 2 * MOST};
    kernels->attention_merge(&tile, &before);
    kernels->attention_finish(sums + 2 * MOST, sums[MOST], s->dim, sums + 2 * MOST + MOST * width);
    apli_array_release(room);
}

/* The first token with the heads of all groups over two segments, the second of which finds the queries made, in words. */
static void attend_whole_rows(const AplKernels *kernels, const Case *c, const struct Kind *kind, float *sums) {
    enum { SEGMENT = APLI_ATTENTION_SEGMENT };
    const Shape *s = &c->shape;
    const int64_t width = (s->dim + 31) / 32 * 32, known = s->rows < 2 * SEGMENT ? s->rows : 2 * SEGMENT;
    AplCacheRows keys, values;
    int64_t row_bytes;
    int32_t rows[2 * SEGMENT], counts[MOST];
    AplArray *room;
    float *later = calloc(SUMS, sizeof *later);
    assert_int_equal(apli_vector_new(APLI_F32, apli_attention_scratch(width), &room), APL_OK);
    for (int64_t row = 0; row < known; row++) rows[row] = (int32_t)row;
    cache_of(kernels, c, kind, &keys, &values, &row_bytes);
    const AplAttentionSums all = {sums, sums + MOST, sums + 2 * MOST}, next = {later, later + MOST, later + 2 * MOST};
    for (int64_t first = 0; first < known; first += SEGMENT) {
        const int64_t count = known - first < SEGMENT ? known - first : SEGMENT;
        for (int64_t q = 0; q < s->heads; q++) counts[q] = (int32_t)count;
        const AplAttentionTile tile = {keys, values, s->groups, row_bytes, row_bytes, rows + first, count, known - first,
                                       (const float *)c->queries->data, counts, s->heads, s->dim, width, (float *)room->data,
                                       first > 0, first ? next : all};
        kernels->attend_words(&tile);
        if (first) kernels->attention_merge(&tile, &all);
    }
    free(later);
    apli_array_release(room);
}

static void whole_rows_give_the_bits_of_the_plain_kernels(void **state) {
    (void)state;
    for (int i = 0; i < SHAPES; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            if (shapes[i].rows <= APLI_ATTENTION_SEGMENT) continue;
            Case c = make_case(&shapes[i], &kinds[kind]);
            float *expected = calloc(SUMS, sizeof *expected), *sums = calloc(SUMS, sizeof *sums);
            attend_whole_rows(apli_kernels_at(0), &c, &kinds[kind], expected);
            for (int table = 1; apli_kernels_at(table); table++) {
                memset(sums, 0, SUMS * sizeof *sums);
                attend_whole_rows(apli_kernels_at(table), &c, &kinds[kind], sums);
                if (memcmp(expected, sums, SUMS * sizeof *sums))
                    fail_msg("shape %d, %s: %s gives other bits", i, kinds[kind].name, apli_kernels_at(table)->name);
            }
            free(expected);
            free(sums);
            free_case(&c);
        }
}

/* Products of words with a scale of 2*50 might not be f32 numbers. Row 90 is seen by the last 10 of 20 tokens. */
static void a_row_of_12_bits_with_too_large_a_scale_is_none_to_who_sees_it(void **state) {
    (void)state;
    const Shape shape = {20, 8, 2, 64, 100, 0};
    const struct Kind *q12 = &kinds[KINDS - 1];
    const float large = 0x1p50f;
    for (int which = 0; which < 2; which++) {
        Case c = make_case(&shape, q12);
        float *expected = calloc(SUMS, sizeof *expected), *sums = calloc(SUMS, sizeof *sums);
        attend_tile(apli_kernels_at(0), &c, q12, true, expected);
        memcpy((which ? c.values : c.keys)->data + 90 * 2 * apli_packed_row_bytes(c.keys->layout, 64), &large, sizeof large);
        for (int table = 0; apli_kernels_at(table); table++) {
            attend_tile(apli_kernels_at(table), &c, q12, true, sums);
            for (int q = 0; q < 20 * 4; q++) {
                const float *values = sums + 2 * MOST + q * 64;
                if (q / 4 >= 10) {
                    assert_true(isnan(sums[MOST + q]));
                    continue;
                }
                assert_memory_equal(&sums[q], &expected[q], sizeof *sums);
                assert_memory_equal(&sums[MOST + q], &expected[MOST + q], sizeof *sums);
                assert_memory_equal(values, expected + 2 * MOST + q * 64, 64 * sizeof *sums);
            }
        }
        free(expected);
        free(sums);
        free_case(&c);
    }
}

static void every_instruction_set_gives_the_bits_of_the_plain_kernels(void **state) {
    (void)state;
    for (int i = 0; i < 2 * SHAPES; i++)
        for (int kind = 0; kind < KINDS; kind++) {
            const bool words = i >= SHAPES;
            Case c = make_case(&shapes[i % SHAPES], &kinds[kind]);
            float *expected = calloc(SUMS, sizeof *expected), *sums = calloc(SUMS, sizeof *sums);
            attend_tile(apli_kernels_at(0), &c, &kinds[kind], words, expected);
            for (int table = 1; apli_kernels_at(table); table++) {
                memset(sums, 0, SUMS * sizeof *sums);
                attend_tile(apli_kernels_at(table), &c, &kinds[kind], words, sums);
                if (memcmp(expected, sums, SUMS * sizeof *sums))
                    fail_msg("shape %d, %s%s: %s gives other bits", i % SHAPES, kinds[kind].name, words ? " in words" : "",
                             apli_kernels_at(table)->name);
            }
            free(expected);
            free(sums);
            free_case(&c);
        }
}

static void halves_are_rounded_the_same_everywhere(void **state) {
    (void)state;
    static const float special[] = {0, -0.0f, 65504, 65519, 65520, -1e9f, 1e-8f, 5.9604645e-8f, 2.9802322e-8f, 6.1e-5f, 2049, 2051,
                                    INFINITY, NAN, -NAN};
    float values[500];
    uint16_t halves[500];
    for (int i = 0; i < 500; i++) values[i] = ldexpf(random_real(), i % 60 - 30);
    memcpy(values + 7, special, sizeof special);
    for (int table = 0; apli_kernels_at(table); table++) {
        apli_kernels_at(table)->narrow_halves(values, 500, halves);
        for (int i = 0; i < 500; i++) assert_int_equal(halves[i], apli_f32_to_f16(values[i]));
    }
}

static void rows_of_12_bits_are_packed_the_same_everywhere(void **state) {
    (void)state;
    for (int64_t columns = 1; columns < 200; columns += columns < 70 ? 1 : 29) {
        APLI_AUTO AplArray *values = numbers(3, 1, columns, 1);
        float *third = (float *)values->data + 2 * columns;
        for (int64_t i = 0; i < columns; i++) third[i] = ldexpf(third[i], -110 + (int)(i % 3));
        const AplPackedLayout *layout;
        assert_int_equal(apli_packed_layout(123, 0, columns, &layout), APL_OK);
        uint8_t expected[3 * 310], bytes[3 * 310];
        const size_t size = (size_t)(3 * apli_packed_row_bytes(layout, columns));
        assert_int_equal(apli_packed_pack(layout, (const float *)values->data, 3, columns, expected), APL_OK);
        for (int table = 0; apli_kernels_at(table); table++) {
            memset(bytes, 0xA5, sizeof bytes);
            assert_true(apli_kernels_at(table)->pack_int12((const float *)values->data, 3, columns, bytes));
            assert_memory_equal(bytes, expected, size);
            const float kept = third[columns / 2];
            third[columns / 2] = table % 2 ? NAN : INFINITY;
            assert_false(apli_kernels_at(table)->pack_int12((const float *)values->data, 3, columns, bytes));
            third[columns / 2] = kept;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_is_that_of_sums_in_f64),
        cmocka_unit_test(attention_in_words_is_near_sums_in_f64),
        cmocka_unit_test(a_row_that_holds_no_number_matters_to_none_but_who_sees_it),
        cmocka_unit_test(scores_far_apart_lose_nothing),
        cmocka_unit_test(the_bits_do_not_depend_on_threads),
        cmocka_unit_test(the_bits_do_not_depend_on_chunks_or_on_what_else_the_cache_holds),
        cmocka_unit_test(every_instruction_set_gives_the_bits_of_the_plain_kernels),
        cmocka_unit_test(whole_rows_give_the_bits_of_the_plain_kernels),
        cmocka_unit_test(a_row_of_12_bits_with_too_large_a_scale_is_none_to_who_sees_it),
        cmocka_unit_test(tokens_of_other_sequences_beside_change_no_bits),
        cmocka_unit_test(rows_of_12_bits_are_packed_the_same_everywhere),
        cmocka_unit_test(halves_are_rounded_the_same_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
