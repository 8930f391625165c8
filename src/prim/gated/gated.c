/* Fused gate: X gated GATE UP is (X+.×⍉UP)×G×σ(G) with G←X+.×⍉GATE, the SwiGLU activation (Shazeer, "GLU variants
   improve transformer", 2020); rows of both matrices are multiplied and gated together. X: f32, (tokens width); GATE
   and UP: (rows width). */
#include "prim/fused/fused.h"
#include "prim/inner_product/matmul.h"

AplErr apli_gated(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined) {
    *declined = !left || right->type != APLI_NESTED || right->form != APLI_PLAIN || right->rank != 1 || right->count != 2 ||
                !apli_matmul_takes(left, apli_items(right), 2) || !apli_same_shape(apli_items(right)[0], apli_items(right)[1]);
    if (*declined) return APL_OK;
    APLI_AUTO AplArray *gate = NULL, *up = NULL;
    AplArray *products[2] = {NULL, NULL};
    AplErr error = apli_matmul_each(left, apli_items(right), 2, env->rounded, true, products);
    gate = products[0];
    up = products[1];
    TRY(error);
    *result = apli_move(&up);
    return APL_OK;
}
