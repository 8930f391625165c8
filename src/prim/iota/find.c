/* X⍷Y: where X begins in Y. A lower rank of X counts as leading axes of length 1. */
#include "prim/structure.h"

#include <string.h>

static bool equal_at(const AplEnv *env, const AplArray *x, int64_t i, const AplArray *y, int64_t j) {
    if (x->type == APLI_NESTED) return apli_match(env, apli_items(x)[i], apli_items(y)[j]);
    if (apli_type_is_character((AplType)x->type)) return apli_char_at(x, i) == apli_char_at(y, j);
    if (apli_type_is_integer((AplType)x->type) && apli_type_is_integer((AplType)y->type))
        return apli_i64_at(x, i) == apli_i64_at(y, j);
    return apli_tolerant_equal(apli_f64_at(x, i), apli_f64_at(y, j), env->comparison_tolerance);
}

AplErr apli_find(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO AplArray *found = NULL, *x = NULL, *y = NULL;
    TRY(apli_array_new_like(APLI_BOOL, right, &found));
    memset(found->data, 0, apli_type_bytes(APLI_BOOL, found->count));
    bool nested = left->type == APLI_NESTED || right->type == APLI_NESTED;
    bool different_kinds = !nested && left->count &&
                           apli_type_is_character((AplType)left->type) != apli_type_is_character((AplType)right->type);
    int rank = right->rank, missing = rank - left->rank;
    int64_t shape[APLI_MAX_RANK] = {0}, stride[APLI_MAX_RANK] = {0}, places[APLI_MAX_RANK] = {0}, step = 1;
    bool fits = missing >= 0 && !different_kinds;
    for (int i = rank - 1; fits && i >= 0; i--) {
        shape[i] = i < missing ? 1 : left->shape[i - missing];
        places[i] = right->shape[i] - shape[i] + (shape[i] > 0); /* nothing is found everywhere */
        stride[i] = step;
        step *= right->shape[i];
        fits = places[i] > 0;
    }
    if (!fits || right->count == 0) {
        *result = apli_move(&found);
        return APL_OK;
    }
    TRY(apli_convert(left, nested ? APLI_NESTED : (AplType)left->type, &x));
    TRY(apli_convert(right, nested ? APLI_NESTED : (AplType)right->type, &y));
    int64_t at[APLI_MAX_RANK] = {0}, place_count = apli_product(places, rank);
    for (int64_t i = 0; i < place_count; i++) {
        if ((i & 0xFFFF) == 0) TRY(apli_check(env));
        int64_t base = 0, inside[APLI_MAX_RANK] = {0};
        for (int k = 0; k < rank; k++) base += at[k] * stride[k];
        bool same = true;
        for (int64_t j = 0; j < x->count && same; j++) {
            int64_t offset = base;
            for (int k = 0; k < rank; k++) offset += inside[k] * stride[k];
            same = equal_at(env, x, j, y, offset);
            for (int k = rank - 1; k >= 0 && ++inside[k] == shape[k]; k--) inside[k] = 0;
        }
        if (same) apli_bit_set(found->data, base, true);
        for (int k = rank - 1; k >= 0 && ++at[k] == places[k]; k--) at[k] = 0;
    }
    *result = apli_move(&found);
    return APL_OK;
}
