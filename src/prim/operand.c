/* Calls of operands. */
#include "prim/operand.h"

AplErr apli_call_operand(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right,
                         AplArray **result) {
    *result = NULL;
    TRY(apli_call(env, function, left, right, result));
    FAIL_IF(!*result, APL_VALUE, "the operand function gave no result");
    return APL_OK;
}

AplErr apli_call_keeping(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right,
                         AplArray **result) {
    APLI_AUTO AplArray *kept_left = left ? apli_array_retain(left) : NULL,
                       *kept_right = apli_array_retain(right);
    return apli_call_operand(env, function, kept_left, kept_right, result);
}

AplErr apli_need_function(const AplOperand *operand, const char *operator_name, const char *side) {
    FAIL_IF(!operand->function, APL_SYNTAX, "the %s operand of %s must be a function", side, operator_name);
    return APL_OK;
}

bool apli_has_defined(const AplFunction *function) {
    if (!function) return false;
    return function->kind == APLI_FUNCTION_DEFINED || apli_has_defined(function->left.function) ||
           apli_has_defined(function->middle) || apli_has_defined(function->right.function);
}
