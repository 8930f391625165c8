/* X≡Y and X≢Y: whether shape, structure and values are the same, numbers within ⎕CT. Arrays without elements match when
   their prototypes do. ≡X tells the depth of nesting, negative when it is not the same everywhere. */
#include "prim/structure.h"

#include <stdlib.h>
#include <string.h>

static bool same_bytes(const AplArray *a, const AplArray *b) {
    if (a->type != APLI_BOOL) return memcmp(a->data, b->data, apli_type_bytes((AplType)a->type, a->count)) == 0;
    int64_t whole = a->count >> 3;
    if (memcmp(a->data, b->data, (size_t)whole)) return false;
    for (int64_t i = whole * 8; i < a->count; i++)
        if (apli_bit_get(a->data, i) != apli_bit_get(b->data, i)) return false;
    return true;
}

static bool match_simple(const AplEnv *env, const AplArray *a, const AplArray *b) {
    AplType x = (AplType)a->type, y = (AplType)b->type;
    if (apli_type_is_character(x) != apli_type_is_character(y)) return false;
    if (x == y && !apli_type_is_real(x)) return same_bytes(a, b);
    if (apli_type_is_character(x)) {
        for (int64_t i = 0; i < a->count; i++)
            if (apli_char_at(a, i) != apli_char_at(b, i)) return false;
        return true;
    }
    if (!apli_type_is_real(x) && !apli_type_is_real(y)) {
        for (int64_t i = 0; i < a->count; i++)
            if (apli_i64_at(a, i) != apli_i64_at(b, i)) return false;
        return true;
    }
    for (int64_t i = 0; i < a->count; i++)
        if (!apli_tolerant_equal(apli_f64_at(a, i), apli_f64_at(b, i), env->comparison_tolerance)) return false;
    return true;
}

static bool match_items(const AplEnv *env, const AplArray *a, const AplArray *b) {
    for (int64_t i = 0; i < a->count; i++) {
        APLI_AUTO AplArray *x = NULL, *y = NULL;
        if (apli_item(a, i, &x) || apli_item(b, i, &y) || !apli_match(env, x, y)) return false;
    }
    return true;
}

static bool match_prototypes(const AplEnv *env, const AplArray *a, const AplArray *b) {
    if (apli_is_simple(a) && apli_is_simple(b))
        return apli_type_is_character((AplType)a->type) == apli_type_is_character((AplType)b->type);
    APLI_AUTO AplArray *x = NULL, *y = NULL;
    return !apli_fill(a, &x) && !apli_fill(b, &y) && apli_match(env, x, y);
}

bool apli_match(const AplEnv *env, const AplArray *a, const AplArray *b) {
    if (a == b) return true;
    if (!apli_same_shape(a, b)) return false;
    if (env->stack_limit && (const char *)__builtin_frame_address(0) < env->stack_limit) return false;
    if (a->form != APLI_PLAIN || b->form != APLI_PLAIN) {
        APLI_AUTO AplArray *x = NULL, *y = NULL;
        return !apli_plain((AplArray *)a, &x) && !apli_plain((AplArray *)b, &y) && apli_match(env, x, y);
    }
    if (a->count == 0) return match_prototypes(env, a, b);
    return apli_is_simple(a) && apli_is_simple(b) ? match_simple(env, a, b) : match_items(env, a, b);
}

AplErr apli_matches(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return apli_scalar_bool(apli_match(env, left, right), result);
}

AplErr apli_differs(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return apli_scalar_bool(!apli_match(env, left, right), result);
}

static AplErr depth_of(AplEnv *env, const AplArray *array, int64_t *depth) {
    *depth = array->rank > 0;
    if (array->type != APLI_NESTED || array->form != APLI_PLAIN) return APL_OK;
    TRY(apli_check(env));
    int64_t count = array->count ? array->count : 1, deepest = 0;
    bool uneven = false;
    for (int64_t i = 0; i < count; i++) {
        int64_t item, size;
        TRY(depth_of(env, apli_items(array)[i], &item));
        size = llabs(item);
        uneven |= item < 0 || (i && size != deepest);
        deepest = size > deepest ? size : deepest;
    }
    *depth = uneven ? -(deepest + 1) : deepest + 1;
    return APL_OK;
}

AplErr apli_depth(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO AplArray *plain = NULL;
    int64_t depth;
    if (apli_is_simple(right)) return apli_scalar_i64(right->rank > 0, result);
    TRY(apli_plain(right, &plain));
    TRY(depth_of(env, plain, &depth));
    return apli_scalar_i64(depth, result);
}
