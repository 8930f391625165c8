/* Fused rotate: (COS SIN PAIRS) rotate X turns pairs of X's last axis by the token's angles (Su et al., "RoFormer", 2021).
   X (tokens heads dim) f32; COS SIN (tokens half); PAIRS (2 half): the elements that make up each pair, ⎕IO from 0. */
#include "os/parallel_ranges.h"
#include "prim/fused/fused.h"

#include <string.h>

/* How a head's pairs lie: as two runs, half a head and half a head, or each pair side by side; anyhow otherwise. */
typedef enum Pairing { ANYHOW, RUNS, NEIGHBOURS } Pairing;

typedef struct Rotation {
    const float *cosines, *sines;
    const int64_t *first, *second; /* of pairs that lie anyhow */
    int64_t heads, dim, half;
    const float *x;
    float *result;
    Pairing pairing;
} Rotation;

#define PAIRING_OF(TYPE) \
    { \
        const TYPE *first = (const TYPE *)pairs->data, *second = first + half; \
        runs = first[0] == 0; \
        for (int64_t pair = 0; pair < half && runs; pair++) runs = first[pair] == pair && second[pair] == half + pair; \
        neighbours = !runs; \
        for (int64_t pair = 0; pair < half && neighbours; pair++) \
            neighbours = first[pair] == 2 * pair && second[pair] == 2 * pair + 1; \
        break; \
    }

/* pairs: (2 half) PLAIN integers. */
static Pairing pairing_of(const AplArray *pairs) {
    const int64_t half = pairs->shape[1];
    bool runs, neighbours;
    if (half == 0) return RUNS;
    switch (pairs->type) {
    case APLI_I8: PAIRING_OF(int8_t)
    case APLI_I16: PAIRING_OF(int16_t)
    case APLI_I32: PAIRING_OF(int32_t)
    case APLI_I64: PAIRING_OF(int64_t)
    default: return ANYHOW;
    }
    return runs ? RUNS : neighbours ? NEIGHBOURS : ANYHOW;
}

enum { LANES = 4 };
typedef float Four __attribute__((vector_size(LANES * sizeof(float))));

static Four four_at(const float *x) {
    Four four;
    memcpy(&four, x, sizeof four);
    return four;
}

/* The first pairs of a head by whole vectors; how many. result may be x. */
static int64_t turn_runs(const float *x, const float *cosines, const float *sines, int64_t half, float *result) {
    int64_t pair = 0;
    for (; pair + LANES <= half; pair += LANES) {
        const Four a = four_at(x + pair), b = four_at(x + half + pair);
        const Four cosine = four_at(cosines + pair), sine = four_at(sines + pair);
        const Four first = a * cosine - b * sine, second = a * sine + b * cosine;
        memcpy(result + pair, &first, sizeof first);
        memcpy(result + half + pair, &second, sizeof second);
    }
    return pair;
}

static int64_t turn_neighbours(const float *x, const float *cosines, const float *sines, int64_t half, float *result) {
    int64_t pair = 0;
    for (; pair + LANES <= half; pair += LANES) {
        Four low = four_at(x + 2 * pair), high = four_at(x + 2 * pair + LANES);
        const Four a = __builtin_shufflevector(low, high, 0, 2, 4, 6), b = __builtin_shufflevector(low, high, 1, 3, 5, 7);
        const Four cosine = four_at(cosines + pair), sine = four_at(sines + pair);
        const Four first = a * cosine - b * sine, second = a * sine + b * cosine;
        low = __builtin_shufflevector(first, second, 0, 4, 1, 5);
        high = __builtin_shufflevector(first, second, 2, 6, 3, 7);
        memcpy(result + 2 * pair, &low, sizeof low);
        memcpy(result + 2 * pair + LANES, &high, sizeof high);
    }
    return pair;
}

static void rotate(void *context, int64_t begin, int64_t end) {
    const Rotation *rotation = context;
    const int64_t half = rotation->half, start = begin * rotation->heads * rotation->dim;
    const Pairing pairing = rotation->pairing;
    const float *x = rotation->x + start;
    float *result = rotation->result + start;
    for (int64_t token = begin; token < end; token++) {
        const float *cosines = rotation->cosines + token * half, *sines = rotation->sines + token * half;
        for (int64_t head = 0; head < rotation->heads; head++, x += rotation->dim, result += rotation->dim) {
            int64_t pair = 0;
            if (pairing == RUNS) pair = turn_runs(x, cosines, sines, half, result);
            else if (pairing == NEIGHBOURS) pair = turn_neighbours(x, cosines, sines, half, result);
            for (; pair < half; pair++) {
                const int64_t first = pairing == RUNS ? pair : pairing == NEIGHBOURS ? 2 * pair : rotation->first[pair];
                const int64_t second = pairing == RUNS ? half + pair : pairing == NEIGHBOURS ? 2 * pair + 1 : rotation->second[pair];
                const float a = x[first], b = x[second];
                result[first] = a * cosines[pair] - b * sines[pair];
                result[second] = a * sines[pair] + b * cosines[pair];
            }
        }
    }
}

enum { FEW_ANGLES = 256 };

/* Cosines or sines as f32: those that are, where they lie; a few doubles, in `few`; others in an array, *owned. */
static AplErr singles(AplArray *angles, float *few, AplArray **owned, const float **result) {
    if (angles->type == APLI_F64 && angles->form == APLI_PLAIN && angles->count <= FEW_ANGLES) {
        const double *doubles = (const double *)angles->data;
        _Pragma("omp simd") for (int64_t i = 0; i < angles->count; i++) few[i] = (float)doubles[i];
        *result = few;
        return APL_OK;
    }
    TRY(apli_convert(angles, APLI_F32, owned));
    *result = (const float *)(*owned)->data;
    return APL_OK;
}

static bool all_within(const int64_t *indices, int64_t count, int64_t limit) {
    for (int64_t i = 0; i < count; i++)
        if (indices[i] < 0 || indices[i] >= limit) return false;
    return true;
}

AplErr apli_rotate_pairs(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined) {
    *declined = !left || left->type != APLI_NESTED || left->count != 3 || right->type != APLI_F32 || right->rank != 3 ||
                right->form != APLI_PLAIN || env->index_origin != 0;
    if (*declined) return APL_OK;
    AplArray **parts = apli_items(left);
    const AplArray *cosines = parts[0], *sines = parts[1], *pairs = parts[2];
    *declined = !apli_type_is_number((AplType)cosines->type) || !apli_type_is_number((AplType)sines->type) ||
                !apli_type_is_integer((AplType)pairs->type) || cosines->rank != 2 || pairs->rank != 2 || pairs->shape[0] != 2 ||
                !apli_same_shape(cosines, sines) || cosines->shape[0] != right->shape[0] ||
                cosines->shape[1] != pairs->shape[1] || (cosines->type == APLI_F64 && !cosines->weak) ||
                (sines->type == APLI_F64 && !sines->weak);
    if (*declined) return APL_OK;
    APLI_AUTO AplArray *cosines_single = NULL, *sines_single = NULL, *plain = NULL, *indices = NULL, *turned = NULL;
    float few[2][FEW_ANGLES];
    const float *cosine, *sine;
    TRY(singles(parts[0], few[0], &cosines_single, &cosine));
    TRY(singles(parts[1], few[1], &sines_single, &sine));
    TRY(apli_plain(parts[2], &plain));
    const Pairing pairing = pairing_of(plain);
    const int64_t half = pairs->shape[1];
    if (pairing == ANYHOW) {
        TRY(apli_convert(plain, APLI_I64, &indices));
        *declined = !all_within((const int64_t *)indices->data, indices->count, right->shape[2]);
    } else {
        *declined = 2 * half > right->shape[2];
    }
    if (*declined) return APL_OK;
    if (apli_may_overwrite(right)) {
        turned = apli_array_retain(right);
    } else {
        TRY(apli_array_new_like(APLI_F32, right, &turned));
        if (pairing == ANYHOW || 2 * half < right->shape[2])
            apli_copy(turned, 0, right, 0, right->count); /* elements that no pair has */
    }
    Rotation rotation = {.cosines = cosine, .sines = sine,
                         .heads = right->shape[1], .dim = right->shape[2], .half = half,
                         .x = (const float *)right->data, .result = (float *)turned->data, .pairing = pairing};
    if (indices) {
        rotation.first = (const int64_t *)indices->data;
        rotation.second = rotation.first + half;
    }
    apli_parallel_ranges(right->shape[0], right->shape[1] * right->shape[2], rotate, &rotation);
    *result = apli_move(&turned);
    return APL_OK;
}
