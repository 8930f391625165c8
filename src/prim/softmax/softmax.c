/* Fused softmax: e*X ÷ its sum, along the last axis, shifted by the maximum. X: f32 of rank 1 or more. */
#include "isa/isa.h"
#include "prim/fused/fused.h"

AplErr apli_softmax(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined) {
    (void)env;
    *declined = left || right->type != APLI_F32 || right->form != APLI_PLAIN || right->rank < 1 || right->count == 0;
    if (*declined) return APL_OK;
    if (apli_may_overwrite(right)) *result = apli_array_retain(right);
    else TRY(apli_array_new_like(APLI_F32, right, result));
    const int64_t width = apli_last_axis(right);
    for (int64_t row = 0; row < right->count; row += width)
        apli_kernels()->softmax_row((const float *)right->data + row, width, (float *)(*result)->data + row);
    return APL_OK;
}
