/* What a scalar function means: pervasion into nested arrays, extension of one element, axes, characters, and
   the text of its errors. The numbers themselves are computed by the block machine (scalar_run.c), two
   scalars at once by one call of their kernel. */
#include "base/text.h"
#include "prim/scalar/scalar.h"
#include "prim/structure.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

const AplScalarResult apli_scalar_results[APLI_OP_COUNT] = {
#define MONADIC(id, function, result) APLI_RESULT_##result,
#define DYADIC(id, function, result, identity) APLI_RESULT_##result,
#include "prim/scalar/scalar.def"
#undef MONADIC
#undef DYADIC
};

static AplErr monadic(AplScalarOp op, AplEnv *env, AplArray *right, AplArray **result);
static AplErr dyadic(AplScalarOp op, AplEnv *env, AplArray *left, AplArray *right, AplArray *axis,
                     AplArray **result);

#define MONADIC(id, function, result) \
    AplMonadic function; \
    AplErr function(AplEnv *env, AplArray *right, AplArray *axis, AplArray **answer) { \
        FAIL_IF(axis, APL_SYNTAX, "a monadic scalar function takes no axis"); \
        return monadic(APLI_OP_##id, env, right, answer); \
    }
#define DYADIC(id, function, result, identity) \
    AplDyadic function; \
    AplErr function(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **answer) { \
        return dyadic(APLI_OP_##id, env, left, right, axis, answer); \
    }
#include "prim/scalar/scalar.def"
#undef MONADIC
#undef DYADIC

AplScalarOp apli_scalar_monadic_op(const AplPrim *prim) {
#define MONADIC(id, function, result) \
    if (prim->monadic == function) return APLI_OP_##id;
#define DYADIC(id, function, result, identity)
#include "prim/scalar/scalar.def"
#undef MONADIC
#undef DYADIC
    return APLI_OP_NONE;
}

AplScalarOp apli_scalar_dyadic_op(const AplPrim *prim) {
#define MONADIC(id, function, result)
#define DYADIC(id, function, result, identity) \
    if (prim->dyadic == function) return APLI_OP_##id;
#include "prim/scalar/scalar.def"
#undef MONADIC
#undef DYADIC
    return APLI_OP_NONE;
}

double apli_scalar_identity(AplScalarOp op) {
    switch (op) {
#define MONADIC(id, function, result)
#define DYADIC(id, function, result, identity) \
    case APLI_OP_##id: \
        return identity;
#include "prim/scalar/scalar.def"
#undef MONADIC
#undef DYADIC
    default: return (double)NAN;
    }
}

/* ---- errors -------------------------------------------------------------------------------------------- */

static const AplPrim *prim_of(AplScalarOp op) {
    for (int i = 0; i < apli_prim_count; i++)
        if (apli_scalar_monadic_op(&apli_prims[i]) == op || apli_scalar_dyadic_op(&apli_prims[i]) == op)
            return &apli_prims[i];
    return NULL;
}

/* A number as APL writes it, into text of 32 bytes. */
static const char *number_text(double value, char *text) {
    char plain[32];
    snprintf(plain, sizeof plain, "%.10g", value);
    size_t used = 0;
    for (const char *c = plain; *c && used < 28; c++) {
        if (*c == '-') used += (size_t)snprintf(text + used, 4, "¯");
        else if (*c != '+') text[used++] = *c == 'e' ? 'E' : *c;
    }
    text[used] = 0;
    return text;
}

static double element(const AplArray *array, int64_t index) {
    return apli_f64_at(array, array->count == 1 ? 0 : index);
}

/* Which element failed, among those from `from` on: the first that fails alone. */
static AplErr report(AplEnv *env, AplScalarOp op, const AplArray *left, const AplArray *right, int64_t from) {
    const AplScalarKernels *kernels = apli_scalar_kernels();
    const AplPrim *prim = prim_of(op);
    char glyph[8] = "", left_text[32] = "", right_text[32];
    glyph[prim ? apli_utf8_put(prim->glyph, glyph) : 0] = 0;
    int64_t count = left && right->count == 1 ? left->count : right->count;
    for (int64_t i = from; i < count; i++) {
        double a = left ? element(left, i) : 0, b = element(right, i), result[2];
        int status =
            kernels->op[op][APLI_LANE_DOUBLE](result, left ? &a : NULL, &b, 1, env->comparison_tolerance);
        bool past = !status && apli_scalar_results[op] == APLI_RESULT_SAME && !isfinite(result[0]);
        if (!status && !past) continue;
        if (left) number_text(a, left_text);
        number_text(b, right_text);
        FAIL_IF(status & APLI_SCALAR_COMPLEX, APL_NONCE, "complex numbers: the result of %s%s%s is one",
                left_text, glyph, right_text);
        FAIL_IF(past, APL_DOMAIN, "the result of %s%s%s is too large", left_text, glyph, right_text);
        FAIL_IF(count == 1, APL_DOMAIN, "%s%s%s", left_text, glyph, right_text);
        FAIL_IF(true, APL_DOMAIN, "%s%s%s, at element %" PRId64, left_text, glyph, right_text,
                i + env->index_origin);
    }
    FAIL_IF(true, APL_DOMAIN, "an argument of %s is outside its domain", glyph);
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

/* ⌊ and ⌈ where 64 bits do not hold all results: reals past 2^53 are whole already. */
static AplErr round_reals(AplEnv *env, AplScalarOp op, AplArray *right, AplArray **result) {
    AplType type = (AplType)right->type;
    TRY(apli_array_new_like(type, right, result));
    (*result)->weak = right->weak;
    for (int64_t i = 0; i < right->count; i++) {
        double value = apli_f64_at(right, i);
        int64_t whole;
        if (fabs(value) < 0x1p53) {
            apli_scalar_kernels()->op[op][APLI_LANE_DOUBLE](&whole, NULL, &value, 1,
                                                            env->comparison_tolerance);
            value = (double)whole;
        }
        apli_elem_convert(type, (*result)->data, i, APLI_F64, &value, 0, 1);
    }
    return APL_OK;
}

/* Numbers that conform. */
static AplErr numbers(AplScalarOp op, AplEnv *env, AplArray *left, AplArray *right, AplArray **result) {
    int status;
    int64_t failed = 0;
    TRY(apli_scalar_apply(env, op, left, right, false, result, &status, &failed));
    if (__builtin_expect(!status, 1)) return APL_OK;
    if (status == APLI_SCALAR_OVERFLOW) {
        if (apli_type_is_real((AplType)right->type)) return round_reals(env, op, right, result);
        TRY(apli_scalar_apply(env, op, left, right, true, result, &status, &failed));
        if (!status) return APL_OK;
    }
    return report(env, op, left, right, failed);
}

/* Counting and comparing integers of at most 32 bits, which nothing can make fail. `done` is false when it is another function. */
static AplErr two_integers(AplScalarOp op, const AplArray *left, const AplArray *right, bool *done, AplArray **result) {
    const int64_t a = apli_i64_at(left, 0), b = apli_i64_at(right, 0);
    *done = true;
    switch (op) {
    case APLI_OP_ADD: return apli_scalar_i64(a + b, result);
    case APLI_OP_SUBTRACT: return apli_scalar_i64(a - b, result);
    case APLI_OP_MULTIPLY: return apli_scalar_i64(a * b, result);
    case APLI_OP_LESS: return apli_scalar_bool(a < b, result);
    case APLI_OP_LESS_EQUAL: return apli_scalar_bool(a <= b, result);
    case APLI_OP_EQUAL: return apli_scalar_bool(a == b, result);
    case APLI_OP_GREATER_EQUAL: return apli_scalar_bool(a >= b, result);
    case APLI_OP_GREATER: return apli_scalar_bool(a > b, result);
    case APLI_OP_NOT_EQUAL: return apli_scalar_bool(a != b, result);
    default: *done = false; return APL_OK;
    }
}

/* Scalars of numbers, without the machine. `done` is false when the general way must decide. */
static AplErr two_scalars(AplScalarOp op, AplEnv *env, const AplArray *left, const AplArray *right,
                          bool *done, AplArray **result) {
    AplType left_type = left ? (AplType)left->type : APLI_BOOL, right_type = (AplType)right->type;
    *done = false;
    if (left && left_type <= APLI_I32 && right_type <= APLI_I32) {
        TRY(two_integers(op, left, right, done, result));
        if (*done) return APL_OK;
    }
    AplScalarPlan plan = apli_scalar_plan(op, left_type, left && left->weak, right_type, right->weak, false);
    if (plan.lane == APLI_LANE_SINGLE) return APL_OK;
    const AplScalarKernels *kernels = apli_scalar_kernels();
    uint64_t a = 0, b = 0;
    union {
        int64_t integer;
        double real;
    } value = {0};
    if (left) kernels->load[left_type][plan.lane](&a, left->data, 1);
    kernels->load[right_type][plan.lane](&b, right->data, 1);
    if (plan.kernel(&value, left ? &a : NULL, &b, 1, env->comparison_tolerance)) return APL_OK;
    if (plan.type == APLI_F64 && !isfinite(value.real)) return APL_OK;
    *done = true;
    if (plan.type == APLI_BOOL) return apli_scalar_bool(value.integer & 1, result);
    if (plan.type == APLI_I64) return apli_scalar_i64(value.integer, result);
    TRY(apli_scalar_f64(value.real, result));
    (*result)->weak = plan.weak;
    return APL_OK;
}

enum { FEW = 1 << 13 }; /* elements that are not worth a loop over blocks, nor a second thread */

/* Sums, differences and products of f32 of one shape, which no argument can make fail, without the machine. `done` is false when
   the general way must decide. */
static AplErr few_singles(AplScalarOp op, AplEnv *env, AplArray *left, AplArray *right, bool *done, AplArray **result) {
    const bool safe = op == APLI_OP_ADD || op == APLI_OP_SUBTRACT || op == APLI_OP_MULTIPLY;
    *done = safe && left->type == APLI_F32 && right->type == APLI_F32 && right->count <= FEW && right->count > 0 &&
            apli_same_shape(left, right);
    if (!*done) return APL_OK;
    const AplScalarPlan plan = apli_scalar_plan(op, APLI_F32, false, APLI_F32, false, false);
    if (apli_may_overwrite(left)) *result = apli_array_retain(left);
    else if (apli_may_overwrite(right)) *result = apli_array_retain(right);
    else TRY(apli_array_new_like(APLI_F32, right, result));
    plan.kernel((*result)->data, left->data, right->data, right->count, env->comparison_tolerance);
    return APL_OK;
}

/* ---- shapes -------------------------------------------------------------------------------------------- */

/* The argument that has the result's shape. */
static AplErr conform(AplArray *left, AplArray *right, AplArray **like) {
    if (left->count == 1 && right->count == 1) {
        *like = left->rank > right->rank ? left : right;
        return APL_OK;
    }
    if (left->count == 1 || right->count == 1) {
        *like = left->count == 1 ? right : left;
        return APL_OK;
    }
    FAIL_IF(left->rank != right->rank, APL_RANK, "ranks %d and %d (shapes %s and %s)", left->rank,
            right->rank, apli_shape_text(left), apli_shape_text(right));
    FAIL_IF(!apli_same_shape(left, right), APL_LENGTH,
            left->rank == 1 ? "lengths %s and %s" : "shapes %s and %s", apli_shape_text(left),
            apli_shape_text(right));
    *like = left;
    return APL_OK;
}

/* Whether axis is one integer that names an axis of an array of `rank`: then *which is it, from 0. */
static bool single_axis(const AplEnv *env, const AplArray *axis, int rank, int64_t *which) {
    if (axis->count != 1 || axis->rank > 1 || axis->form != APLI_PLAIN || axis->type > APLI_I32) return false;
    *which = apli_i64_at(axis, 0) - env->index_origin;
    return *which >= 0 && *which < rank;
}

/* The argument of lower rank (or of the same), repeated along the axes of `larger` that `axis` does not name. Where it has
   more elements than one and they are the last axes, and nothing is asked for but whether they are, *last says so and nothing
   is repeated. */
static AplErr spread_along(AplEnv *env, AplArray *smaller, AplArray *larger, AplArray *axis, bool *last,
                           AplArray **result) {
    APLI_AUTO AplArray *integers = NULL, *indices = NULL, *repeated = NULL;
    TRY(apli_integers(axis, "axes", &integers));
    FAIL_IF(integers->rank > 1, APL_RANK, "axes of rank %d", integers->rank);
    FAIL_IF(integers->count != smaller->rank, APL_LENGTH, "%" PRId64 " axes for an argument of rank %d",
            integers->count, smaller->rank);
    int64_t strides[APLI_MAX_RANK] = {0}, step = 1, next = larger->rank;
    bool named[APLI_MAX_RANK] = {false};
    bool ordered = true; /* the axes named follow one another as in larger */
    for (int i = smaller->rank - 1; i >= 0; i--) {
        int64_t which = ((const int64_t *)integers->data)[i] - env->index_origin;
        FAIL_IF(which < 0 || which >= larger->rank, APL_INDEX, "axis %" PRId64 " of an array of rank %d",
                which + env->index_origin, larger->rank);
        FAIL_IF(named[which], APL_DOMAIN, "axis %" PRId64 " is named twice", which + env->index_origin);
        FAIL_IF(smaller->shape[i] != larger->shape[which], APL_LENGTH,
                "axis %" PRId64 " has %" PRId64 " elements, the argument along it %" PRId64,
                which + env->index_origin, larger->shape[which], smaller->shape[i]);
        named[which] = true;
        strides[which] = step;
        step *= smaller->shape[i];
        ordered &= which < next;
        next = which;
    }
    if (ordered && step == larger->count) return apli_reshape_view(smaller, larger->rank, larger->shape, result);
    if (ordered && next == larger->rank - smaller->rank && larger->count) { /* the last axes: the whole, again and again */
        if (last && step > 1) {
            *last = true;
            return APL_OK;
        }
        TRY(apli_array_new_like((AplType)smaller->type, larger, &repeated));
        repeated->weak = smaller->weak;
        for (int64_t i = 0; i < larger->count; i += step) apli_copy(repeated, i, smaller, 0, step);
        *result = apli_move(&repeated);
        return APL_OK;
    }
    TRY(apli_array_new_like(APLI_I64, larger, &indices));
    int64_t coordinates[APLI_MAX_RANK] = {0}, at = 0;
    for (int64_t i = 0; i < larger->count; i++) {
        ((int64_t *)indices->data)[i] = at;
        for (int k = larger->rank - 1; k >= 0; k--) {
            at += strides[k];
            if (++coordinates[k] < larger->shape[k]) break;
            at -= strides[k] * larger->shape[k];
            coordinates[k] = 0;
        }
    }
    TRY(apli_array_new_like((AplType)smaller->type, larger, &repeated));
    repeated->weak = smaller->weak;
    if (larger->count == 0 && smaller->type == APLI_NESTED)
        apli_items(repeated)[0] = apli_array_retain(apli_items(smaller)[0]);
    apli_gather(repeated, smaller, (const int64_t *)indices->data, larger->count, NULL);
    *result = apli_move(&repeated);
    return APL_OK;
}

/* ---- characters and nested arrays ---------------------------------------------------------------------- */

static AplErr codes(const AplArray *characters, AplArray **result) {
    TRY(apli_array_new_like(APLI_I32, characters, result));
    for (int64_t i = 0; i < characters->count; i++)
        ((int32_t *)(*result)->data)[i] = (int32_t)apli_char_at(characters, i);
    return APL_OK;
}

static AplErr no_characters(AplScalarOp op) {
    const AplPrim *prim = prim_of(op);
    apli_fail(APL_DOMAIN, "%s of characters", prim ? prim->name : "a scalar function");
    return APL_DOMAIN;
}

/* = and ≠ compare characters; a character is never a number. Other functions take only empty ones, as no
   numbers. */
static AplErr with_characters(AplScalarOp op, AplEnv *env, AplArray *left, AplArray *right, AplArray *like,
                              AplArray **result) {
    bool left_is = apli_type_is_character((AplType)left->type),
         right_is = apli_type_is_character((AplType)right->type);
    if (op == APLI_OP_EQUAL || op == APLI_OP_NOT_EQUAL) {
        if (!left_is || !right_is) {
            TRY(apli_array_new_like(APLI_BOOL, like, result));
            memset((*result)->data, op == APLI_OP_EQUAL ? 0 : 0xFF, apli_type_bytes(APLI_BOOL, like->count));
            return APL_OK;
        }
        APLI_AUTO AplArray *left_codes = NULL, *right_codes = NULL;
        TRY(codes(left, &left_codes));
        TRY(codes(right, &right_codes));
        return numbers(op, env, left_codes, right_codes, result);
    }
    if (like->count) return no_characters(op);
    return apli_array_new_like(APLI_BOOL, like, result);
}

/* Items may be views of any form. */
static AplErr item_of(AplArray *array, int64_t index, AplArray **result) {
    APLI_AUTO AplArray *item = NULL;
    TRY(apli_item(array, array->count == 1 ? 0 : index, &item));
    return apli_plain(item, result);
}

static AplErr pervade(AplScalarOp op, AplEnv *env, AplArray *left, AplArray *right, AplArray *like,
                      AplArray **result) {
    TRY(apli_check(env));
    APLI_AUTO AplArray *nested = NULL;
    TRY(apli_array_new_like(APLI_NESTED, like, &nested));
    for (int64_t i = 0; i < like->count; i++) {
        APLI_AUTO AplArray *a = NULL, *b = NULL;
        if (left) TRY(item_of(left, i, &a));
        TRY(item_of(right, i, &b));
        TRY(left ? dyadic(op, env, a, b, NULL, &apli_items(nested)[i])
                 : monadic(op, env, b, &apli_items(nested)[i]));
    }
    if (like->count == 0) {
        AplArray *first = left && left->type == APLI_NESTED && left->count == 0 ? left : right;
        AplArray *prototype = first->type == APLI_NESTED ? apli_items(first)[0] : apli_items(left)[0];
        TRY(apli_prototype(prototype, &apli_items(nested)[0]));
    }
    TRY(apli_simplify(&nested));
    *result = apli_move(&nested);
    return APL_OK;
}

/* ---- the two valences ---------------------------------------------------------------------------------- */

static AplErr monadic(AplScalarOp op, AplEnv *env, AplArray *right, AplArray **result) {
    AplType type = (AplType)right->type;
    if (type == APLI_NESTED) return pervade(op, env, NULL, right, right, result);
    if (!apli_type_is_number(type)) {
        if (op == APLI_OP_CONJUGATE) {
            *result = apli_array_retain(right);
            return APL_OK;
        }
        if (right->count) return no_characters(op);
        return apli_array_new_like(APLI_BOOL, right, result);
    }
    if (right->rank == 0) {
        bool done;
        TRY(two_scalars(op, env, NULL, right, &done, result));
        if (done) return APL_OK;
    }
    return numbers(op, env, NULL, right, result);
}

static AplErr dyadic(AplScalarOp op, AplEnv *env, AplArray *left, AplArray *right, AplArray *axis,
                     AplArray **result) {
    bool plain_numbers =
        apli_type_is_number((AplType)left->type) && apli_type_is_number((AplType)right->type);
    if (plain_numbers && left->rank == 0 && right->rank == 0 && !axis) {
        bool done;
        TRY(two_scalars(op, env, left, right, &done, result));
        if (done) return APL_OK;
    }
    if (axis && left->rank && right->rank) {
        int64_t along; /* a vector along an axis where each other axis has one element: one row, most often */
        AplArray *vector = left->rank == 1 ? left : right, *table = left->rank == 1 ? right : left;
        if (vector->rank == 1 && vector->count == table->count && single_axis(env, axis, table->rank, &along) &&
            table->shape[along] == vector->count) {
            APLI_AUTO AplArray *view = NULL;
            TRY(apli_reshape_view(vector, table->rank, table->shape, &view));
            return vector == left ? dyadic(op, env, view, right, NULL, result) : dyadic(op, env, left, view, NULL, result);
        }
        APLI_AUTO AplArray *repeated = NULL;
        const bool left_smaller = left->rank < right->rank;
        AplArray *smaller = left_smaller ? left : right, *larger = left_smaller ? right : left;
        bool last = false;
        TRY(spread_along(env, smaller, larger, axis, plain_numbers && smaller->type != APLI_BOOL ? &last : NULL, &repeated));
        if (last) {
            int status = 0;
            TRY(apli_scalar_along(env, op, left, right, result, &status));
            if (!status) return APL_OK;
            TRY(spread_along(env, smaller, larger, axis, NULL, &repeated));
        }
        return left_smaller ? dyadic(op, env, repeated, right, NULL, result)
                            : dyadic(op, env, left, repeated, NULL, result);
    }
    AplArray *like;
    if (plain_numbers) {
        bool done;
        TRY(few_singles(op, env, left, right, &done, result));
        if (done) return APL_OK;
    }
    TRY(conform(left, right, &like));
    if (plain_numbers) return numbers(op, env, left, right, result);
    if (left->type == APLI_NESTED || right->type == APLI_NESTED)
        return pervade(op, env, left, right, like, result);
    return with_characters(op, env, left, right, like, result);
}
