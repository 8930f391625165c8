/* Forks and atops. The right tine is evaluated first. */
#include "prim/train/train.h"

#include "prim/operand.h"

static AplErr call_fork(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right,
                        AplArray **result) {
    APLI_AUTO AplArray *first = NULL, *second = NULL;
    TRY(apli_call_keeping(env, self->right.function, left, right, &second));
    if (self->left.array) first = apli_array_retain(self->left.array);
    else TRY(apli_call_operand(env, self->left.function, left, right, &first));
    return apli_call_operand(env, self->middle, first, second, result);
}

static AplErr call_atop(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right,
                        AplArray **result) {
    APLI_AUTO AplArray *second = NULL;
    TRY(apli_call_operand(env, self->right.function, left, right, &second));
    return apli_call_operand(env, self->middle, NULL, second, result);
}

AplErr apli_train_fork(AplOperand left, AplFunction *middle, AplFunction *right, AplFunction **result) {
    FAIL_IF(!left.function && !left.array, APL_SYNTAX, "a train has no left tine");
    AplFunction *train;
    TRY(apli_function_new(APLI_FUNCTION_TRAIN, &train));
    train->call = call_fork;
    if (left.function) train->left.function = apli_function_retain(left.function);
    if (left.array) train->left.array = apli_array_retain(left.array);
    train->middle = apli_function_retain(middle);
    train->right.function = apli_function_retain(right);
    *result = train;
    return APL_OK;
}

AplErr apli_train_atop(AplFunction *middle, AplFunction *right, AplFunction **result) {
    AplFunction *train;
    TRY(apli_function_new(APLI_FUNCTION_TRAIN, &train));
    train->call = call_atop;
    train->middle = apli_function_retain(middle);
    train->right.function = apli_function_retain(right);
    *result = train;
    return APL_OK;
}
