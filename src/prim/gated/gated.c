/* Fused gate: G gated U is U×G×σ(G), the SwiGLU activation (Shazeer, "GLU variants improve transformer", 2020). G and U: f32
   of one shape. */
#include "isa/isa.h"
#include "os/parallel_ranges.h"
#include "prim/fused/fused.h"

typedef struct Gate {
    const float *g, *u;
    float *result;
} Gate;

static void gate_range(void *context, int64_t begin, int64_t end) {
    const Gate *gate = context;
    apli_kernels()->gated(gate->g + begin, gate->u + begin, end - begin, gate->result + begin);
}

AplErr apli_gated(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined) {
    (void)env;
    *declined = !left || left->type != APLI_F32 || right->type != APLI_F32 || left->form != APLI_PLAIN ||
                right->form != APLI_PLAIN || !apli_same_shape(left, right);
    if (*declined) return APL_OK;
    if (apli_may_overwrite(right)) *result = apli_array_retain(right);
    else TRY(apli_array_new_like(APLI_F32, right, result));
    Gate gate = {(const float *)left->data, (const float *)right->data, (float *)(*result)->data};
    apli_parallel_ranges(right->count, 1, gate_range, &gate);
    return APL_OK;
}
