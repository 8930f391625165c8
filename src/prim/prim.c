/* The tables of primitives and operators, function values, and the call of any of them. */
#include "prim/prim.h"

#include "base/random.h"
#include "os/small_block.h"
#include "prim/profile.h"
#include "prim/structure.h"

#include <inttypes.h>

const AplPrim apli_prims[] = {
#define PRIM(name, glyph, flags, monadic, dyadic) {name, glyph, flags, monadic, dyadic},
#include "prim/prim.def"
#undef PRIM
};
const int apli_prim_count = (int)(sizeof apli_prims / sizeof *apli_prims);

const AplOperator apli_operators[] = {
#define OPERATOR(name, glyph, flags, call) {name, glyph, flags, call},
#include "prim/operator.def"
#undef OPERATOR
};
const int apli_operator_count = (int)(sizeof apli_operators / sizeof *apli_operators);

const AplPrim *apli_prim_of(uint32_t glyph) {
    for (int i = 0; i < apli_prim_count; i++)
        if (apli_prims[i].glyph == glyph) return &apli_prims[i];
    return NULL;
}

const AplOperator *apli_operator_of(uint32_t glyph) {
    for (int i = 0; i < apli_operator_count; i++)
        if (apli_operators[i].glyph == glyph) return &apli_operators[i];
    return NULL;
}

AplErr apli_no_monadic(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)right, (void)axis, (void)result;
    apli_fail(APL_SYNTAX, "the function has no monadic form: it needs a left argument");
    return APL_SYNTAX;
}

AplErr apli_no_dyadic(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)left, (void)right, (void)axis, (void)result;
    apli_fail(APL_SYNTAX, "the function has no dyadic form: it takes no left argument");
    return APL_SYNTAX;
}

/* ---- function values ------------------------------------------------------------------------------------------ */

enum { PERMANENT = 1 << 30, MOST_PRIMS = 256 };

AplFunction *apli_function_of_prim(const AplPrim *prim) {
    static AplFunction functions[MOST_PRIMS];
    AplFunction *function = &functions[prim - apli_prims];
    function->references = PERMANENT;
    function->prim = prim;
    return function;
}

AplFunction *apli_function_retain(AplFunction *function) {
    if (function->references < PERMANENT) function->references++;
    return function;
}

static void let_go(AplFunction *function) {
    if (function->release) function->release(function);
    apli_function_release(function->left.function);
    apli_function_release(function->right.function);
    apli_function_release(function->middle);
    apli_array_release(function->left.array);
    apli_array_release(function->right.array);
    apli_array_release(function->axis);
    apli_small_block_give(function, sizeof *function);
}

void apli_function_release(AplFunction *function) {
    /* what goes while another function is being let go waits: a chain of operands may be longer than the stack is deep */
    static _Thread_local AplFunction *waiting;
    static _Thread_local bool letting_go;
    if (!function || function->references >= PERMANENT || --function->references > 0) return;
    function->next_waiting = waiting;
    waiting = function;
    if (letting_go) return;
    letting_go = true;
    while ((function = waiting)) {
        waiting = function->next_waiting;
        let_go(function);
    }
    letting_go = false;
}

AplErr apli_function_new(AplFunctionKind kind, AplFunction **result) {
    *result = apli_small_block_take(sizeof **result);
    FAIL_IF(!*result, APL_WS_FULL, "no memory for a function");
    **result = (AplFunction){.references = 1, .kind = kind};
    return APL_OK;
}

AplErr apli_function_with_axis(const AplPrim *prim, AplArray *axis, AplFunction **result) {
    FAIL_IF(!(prim->flags & APLI_TAKES_AXIS), APL_SYNTAX, "%s takes no axis", prim->name);
    TRY(apli_function_new(APLI_FUNCTION_PRIM, result));
    (*result)->prim = prim;
    (*result)->axis = apli_array_retain(axis);
    return APL_OK;
}

AplErr apli_function_derive(const AplOperator *operator_, AplOperand left, AplOperand right, AplArray *axis,
                            AplFunction **result) {
    FAIL_IF(axis && !(operator_->flags & APLI_TAKES_AXIS), APL_SYNTAX, "%s takes no axis", operator_->name);
    TRY(apli_function_new(APLI_FUNCTION_DERIVED, result));
    AplFunction *function = *result;
    function->operator_ = operator_;
    if (left.function) function->left.function = apli_function_retain(left.function);
    if (left.array) function->left.array = apli_array_retain(left.array);
    if (right.function) function->right.function = apli_function_retain(right.function);
    if (right.array) function->right.array = apli_array_retain(right.array);
    if (axis) function->axis = apli_array_retain(axis);
    return APL_OK;
}

/* ---- calls ---------------------------------------------------------------------------------------------------- */

AplErr apli_check(AplEnv *env) {
    if (__builtin_expect(env->interrupted, 0)) {
        env->interrupted = 0;
        apli_fail(APL_INTERRUPT, "stopped by the user");
        return APL_INTERRUPT;
    }
    /* once past the limit every check fails, so that no handler goes on for ever */
    FAIL_IF(env->steps_most && ++env->steps > env->steps_most, APL_INTERRUPT, "more than %" PRId64 " steps", env->steps_most);
    FAIL_IF(env->stack_limit && (const char *)__builtin_frame_address(0) < env->stack_limit, APL_LIMIT,
            "the stack is used up: calls are nested too deeply");
    return APL_OK;
}

static AplErr call_prim(AplEnv *env, const AplPrim *prim, AplArray *axis, AplArray *left, AplArray *right,
                        AplArray **result) {
    APLI_AUTO AplArray *plain_left = NULL, *plain_right = NULL;
    if (!(prim->flags & APLI_TAKES_FORMS)) {
        if (right->form != APLI_PLAIN) {
            TRY(apli_plain(right, &plain_right));
            right = plain_right;
        }
        if (left && left->form != APLI_PLAIN) {
            TRY(apli_plain(left, &plain_left));
            left = plain_left;
        }
    }
    if (left) TRY(prim->dyadic(env, left, right, axis, result));
    else TRY(prim->monadic(env, right, axis, result));
    if (!*result) return APL_OK; /* ⍎ of a text that gives no value */
    /* numbers alone, or characters alone, are a simple array whatever stood beside them before */
    return (*result)->type == APLI_NESTED ? apli_simplify(result) : APL_OK;
}

static inline AplErr call_any(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right, AplArray **result) {
    switch (function->kind) {
    case APLI_FUNCTION_PRIM: return call_prim(env, function->prim, function->axis, left, right, result);
    case APLI_FUNCTION_DERIVED: return function->operator_->call(env, function, left, right, result);
    case APLI_FUNCTION_TRAIN:
    case APLI_FUNCTION_DEFINED: return function->call(env, function, left, right, result);
    }
    return APL_OK;
}

static AplErr call_profiled(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right, AplArray **result) {
    const char *name = function->kind == APLI_FUNCTION_PRIM      ? function->prim->name
                       : function->kind == APLI_FUNCTION_DERIVED ? function->operator_->name
                                                                 : NULL;
    if (function->kind == APLI_FUNCTION_DERIVED && function->operator_->call == apli_inner_product && !function->left.function)
        name = "outer product";
    if (name) apli_profile_enter(env->profile, name, name, APLI_PROFILE_PRIMITIVE);
    AplErr error = call_any(env, function, left, right, result);
    if (name) apli_profile_leave(env->profile);
    return error;
}

AplErr apli_call(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right, AplArray **result) {
    TRY(apli_check(env));
    if (__builtin_expect(env->profile != NULL, 0)) return call_profiled(env, function, left, right, result);
    return call_any(env, function, left, right, result);
}

/* ---- what rooms share ------------------------------------------------------------------------------------------- */

double apli_random(AplEnv *env) { return apli_random_unit(&env->random_state); }

AplErr apli_axis(const AplEnv *env, AplArray *axis, int rank, int otherwise, int *result) {
    if (!axis) {
        *result = otherwise;
        return APL_OK;
    }
    int64_t value;
    TRY(apli_integer(axis, "an axis", &value));
    FAIL_IF(value < env->index_origin || value - env->index_origin >= rank, APL_INDEX,
            "axis %" PRId64 " of an array of rank %d (⎕IO is %" PRId64 ")", value, rank, env->index_origin);
    *result = (int)(value - env->index_origin);
    return APL_OK;
}
