/* f⍨: Y f Y, and X f⍨ Y is Y f X. A⍨ is the constant A. */
#include "prim/operand.h"

AplErr apli_commute(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right,
                    AplArray **result) {
    if (self->left.array) {
        *result = apli_array_retain(self->left.array);
        return APL_OK;
    }
    TRY(apli_need_function(&self->left, "⍨", "left"));
    if (!left) return apli_call_keeping(env, self->left.function, right, right, result);
    return apli_call_operand(env, self->left.function, right, left, result);
}
