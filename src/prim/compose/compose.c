/* f∘g (beside): f g Y, X f g Y. A∘g and f∘B (bind): A g Y, Y f B. f⍥g (over): f g Y, (g X) f g Y.
   f⍤g (atop) is in prim/rank. */
#include "prim/operand.h"

AplErr apli_beside(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, AplArray **result) {
    const AplOperand *f = &self->left, *g = &self->right;
    if (f->function && g->function) {
        APLI_AUTO AplArray *inner = NULL;
        TRY(apli_call_operand(env, g->function, NULL, right, &inner));
        return apli_call_operand(env, f->function, left, inner, result);
    }
    FAIL_IF(left, APL_SYNTAX, "a function bound to an argument by ∘ takes no left argument");
    FAIL_IF(!f->function && !g->function, APL_SYNTAX, "∘ needs a function operand");
    /* the bound array belongs to the function: it must not be overwritten */
    if (f->function) {
        APLI_AUTO AplArray *bound = apli_array_retain(g->array);
        return apli_call_operand(env, f->function, right, bound, result);
    }
    APLI_AUTO AplArray *bound = apli_array_retain(f->array);
    return apli_call_operand(env, g->function, bound, right, result);
}

AplErr apli_over(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, AplArray **result) {
    TRY(apli_need_function(&self->left, "⍥", "left"));
    TRY(apli_need_function(&self->right, "⍥", "right"));
    APLI_AUTO AplArray *inner_right = NULL, *inner_left = NULL;
    const AplFunction *inner = self->right.function;
    if (left) {
        TRY(apli_call_keeping(env, inner, NULL, right, &inner_right)); /* both arguments may be one array */
        TRY(apli_call_operand(env, inner, NULL, left, &inner_left));
    } else {
        TRY(apli_call_operand(env, inner, NULL, right, &inner_right));
    }
    return apli_call_operand(env, self->left.function, inner_left, inner_right, result);
}
