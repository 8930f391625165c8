/* Fused gate: G gated U is U×G×σ(G), the SwiGLU activation (Shazeer, "GLU variants improve transformer", 2020). G and U: f32
   of one shape. */
#include "isa/isa.h"
#include "prim/fused/fused.h"

AplErr apli_gated(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined) {
    (void)env;
    *declined = !left || left->type != APLI_F32 || right->type != APLI_F32 || left->form != APLI_PLAIN ||
                right->form != APLI_PLAIN || !apli_same_shape(left, right);
    if (*declined) return APL_OK;
    if (apli_may_overwrite(right)) *result = apli_array_retain(right);
    else TRY(apli_array_new_like(APLI_F32, right, result));
    apli_kernels()->gated((const float *)left->data, (const float *)right->data, right->count, (float *)(*result)->data);
    return APL_OK;
}
