/* Fused attention: Q attention (K V MASK), softmax(Q·K ÷ √dim)·V for every head (Vaswani et al., "Attention is all you need",
   2017), the heads of a group sharing keys and values (Ainslie et al., "GQA", 2023).
   Q (tokens heads dim), K V (rows groups dim) f32, MASK (tokens rows) Boolean. Rows that the mask excludes are never touched;
   those that it admits are taken in order, so that the result does not depend on what else the cache holds. */
#include "isa/isa.h"
#include "os/parallel.h"
#include "prim/fused/fused.h"

typedef struct Attention {
    const float *q, *keys, *values;
    const uint8_t *mask;
    int64_t tokens, heads, groups, dim, rows;
    int32_t *chosen; /* (tokens rows): the rows of each token */
    int64_t *chosen_count;
    float *result;
    float *scores; /* each thread's */
    int64_t scores_each;
} Attention;

static int64_t choose_rows(const uint8_t *mask, int64_t first_bit, int64_t rows, int32_t *chosen) {
    int64_t count = 0, row = 0;
    for (; row < rows && ((first_bit + row) & 7); row++)
        if (apli_bit_get(mask, first_bit + row)) chosen[count++] = (int32_t)row;
    for (; row + 8 <= rows; row += 8) {
        unsigned byte = mask[(first_bit + row) >> 3];
        for (; byte; byte &= byte - 1) chosen[count++] = (int32_t)(row + __builtin_ctz(byte));
    }
    for (; row < rows; row++)
        if (apli_bit_get(mask, first_bit + row)) chosen[count++] = (int32_t)row;
    return count;
}

/* One head of one token. */
static void attend_unit(void *context, int64_t unit, int thread) {
    const Attention *a = context;
    const int64_t token = unit / a->heads, head = unit % a->heads, group = head * a->groups / a->heads;
    apli_kernels()->attend(&(AplAttentionHead){
        .q = a->q + unit * a->dim, .keys = a->keys + group * a->dim, .values = a->values + group * a->dim,
        .rows = a->chosen + token * a->rows, .row_count = a->chosen_count[token], .row_stride = a->groups * a->dim,
        .dim = a->dim, .scores = a->scores + thread * a->scores_each, .result = a->result + unit * a->dim});
}

/* Below this many multiplications a thread more costs more than it saves. */
enum { WORTH_THREADS = 1 << 17 };

static AplErr attend_all(Attention *a) {
    int64_t work = 0, longest = 0;
    for (int64_t token = 0; token < a->tokens; token++) {
        a->chosen_count[token] = choose_rows(a->mask, token * a->rows, a->rows, a->chosen + token * a->rows);
        work += a->chosen_count[token] * a->heads * a->dim;
        longest = a->chosen_count[token] > longest ? a->chosen_count[token] : longest;
    }
    const int threads = work < WORTH_THREADS ? 1 : apli_parallel_threads();
    APLI_AUTO AplArray *scores = NULL;
    a->scores_each = longest + 16;
    TRY(apli_vector_new(APLI_F32, threads * a->scores_each, &scores));
    a->scores = (float *)scores->data;
    apli_parallel(a->tokens * a->heads, threads, attend_unit, a);
    return APL_OK;
}

static bool is_plain_single(const AplArray *array, int rank) {
    return array->type == APLI_F32 && array->form == APLI_PLAIN && array->rank == rank;
}

AplErr apli_attention(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined) {
    *declined = !left || !is_plain_single(left, 3) || right->type != APLI_NESTED || right->form != APLI_PLAIN || right->count != 3;
    if (*declined) return APL_OK;
    const AplArray *keys = apli_items(right)[0], *values = apli_items(right)[1], *mask = apli_items(right)[2];
    *declined = !is_plain_single(keys, 3) || !is_plain_single(values, 3) || !apli_same_shape(keys, values) ||
                mask->type != APLI_BOOL || mask->form != APLI_PLAIN || mask->rank != 2 || mask->shape[0] != left->shape[0] ||
                mask->shape[1] != keys->shape[0] || keys->shape[2] != left->shape[2] || keys->shape[0] > INT32_MAX ||
                keys->shape[1] == 0 || left->shape[1] % keys->shape[1] != 0 || left->count == 0;
    if (*declined) return APL_OK;
    TRY(apli_check(env));
    APLI_AUTO AplArray *attended = NULL, *chosen = NULL, *counts = NULL;
    TRY(apli_array_new_like(APLI_F32, left, &attended));
    TRY(apli_array_new_like(APLI_I32, mask, &chosen));
    TRY(apli_vector_new(APLI_I64, left->shape[0], &counts));
    Attention attention = {(const float *)left->data, (const float *)keys->data, (const float *)values->data, mask->data,
                           left->shape[0], left->shape[1], keys->shape[1], left->shape[2], keys->shape[0],
                           (int32_t *)chosen->data, (int64_t *)counts->data, (float *)attended->data, NULL, 0};
    TRY(attend_all(&attention));
    for (int64_t token = 0; token < attention.tokens; token++)
        *declined |= attention.chosen_count[token] == 0; /* a token that may look at nothing: what the text makes of it */
    if (!*declined) *result = apli_move(&attended);
    return APL_OK;
}
