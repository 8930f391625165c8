/* ⊣ and ⊢: one of the arguments as it is, in any form. */
#include "prim/prim.h"

AplErr apli_same(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    *result = apli_array_retain(right);
    return APL_OK;
}

AplErr apli_left(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)right, (void)axis;
    *result = apli_array_retain(left);
    return APL_OK;
}

AplErr apli_right(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)left, (void)axis;
    *result = apli_array_retain(right);
    return APL_OK;
}
