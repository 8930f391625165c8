/* Fused project: X project WEIGHTS is X+.×⍉W for each matrix W of a vector of them; in one loop, so that threads
   are woken and waited for once. X: f32, (tokens width); each W: (rows width). */
#include "prim/fused/fused.h"
#include "prim/inner_product/matmul.h"
#include "prim/inner_product/panel_product.h"

AplErr apli_project(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined) {
    *declined = !left || right->type != APLI_NESTED || right->form != APLI_PLAIN || right->rank != 1 || right->count < 1 ||
                right->count > APLI_MOST_FACTORS || !apli_matmul_takes(left, apli_items(right), (int)right->count);
    if (*declined) return APL_OK;
    APLI_AUTO AplArray *products = NULL;
    TRY(apli_vector_new(APLI_NESTED, right->count, &products));
    TRY(apli_matmul_each(left, apli_items(right), (int)right->count, env->rounded, false, apli_items(products)));
    *result = apli_move(&products);
    return APL_OK;
}
