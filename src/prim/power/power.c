/* f⍣n: f applied n times. f⍣g: f applied until (f Y) g Y is 1, Y being the value before. A left argument is
   f's each time. */
#include "prim/operand.h"

#include <inttypes.h>

/* *value ← f *value. A value that `keep`s is not overwritten by f, so that the old one can still be
   compared. */
static AplErr step(AplEnv *env, const AplFunction *f, AplArray *left, AplArray *value, bool keep,
                   AplArray **result) {
    APLI_AUTO AplArray *kept_left = left ? apli_array_retain(left) : NULL;
    return keep ? apli_call_keeping(env, f, kept_left, value, result)
                : apli_call_operand(env, f, kept_left, value, result);
}

static AplErr power_until(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right,
                          AplArray **result) {
    APLI_AUTO AplArray *value = apli_array_retain(right);
    for (;;) {
        APLI_AUTO AplArray *next = NULL, *verdict = NULL;
        int64_t stop;
        TRY(step(env, self->left.function, left, value, true, &next));
        TRY(apli_call_keeping(env, self->right.function, next, value, &verdict));
        TRY(apli_integer(verdict, "what the right operand of ⍣ says", &stop));
        FAIL_IF(stop != 0 && stop != 1, APL_DOMAIN, "the right operand of ⍣ must say 0 or 1, not %" PRId64,
                stop);
        apli_array_release(value);
        value = apli_move(&next);
        if (stop) break;
    }
    *result = apli_move(&value);
    return APL_OK;
}

AplErr apli_power_operator(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right,
                           AplArray **result) {
    TRY(apli_need_function(&self->left, "⍣", "left"));
    if (self->right.function) return power_until(env, self, left, right, result);
    FAIL_IF(!self->right.array, APL_SYNTAX, "⍣ has no right operand");
    FAIL_IF(self->right.array->count != 1, APL_NONCE, "⍣ with %" PRId64 " counts", self->right.array->count);
    int64_t count;
    TRY(apli_integer(self->right.array, "the right operand of ⍣", &count));
    FAIL_IF(count < 0, APL_NONCE, "inverse of a function (⍣ with %" PRId64 ")", count);
    if (count == 0) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    APLI_AUTO AplArray *value = NULL;
    for (int64_t i = 0; i < count; i++) {
        APLI_AUTO AplArray *next = NULL;
        TRY(step(env, self->left.function, left, i ? value : right, i == 0 && left == right, &next));
        apli_array_release(value);
        value = apli_move(&next);
    }
    *result = apli_move(&value);
    return APL_OK;
}
