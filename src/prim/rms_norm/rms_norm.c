/* Fused rms_norm: EPSILON rms_norm X is X ÷ √(EPSILON + mean X²) along the last axis (Zhang, Sennrich, "Root mean square layer
   normalization", 2019). X: f32 of rank 1 or more. */
#include "isa/isa.h"
#include "prim/fused/fused.h"

AplErr apli_rms_norm(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined) {
    (void)env;
    *declined = !left || left->count != 1 || left->rank || !apli_type_is_number((AplType)left->type) ||
                (left->type == APLI_F64 && !left->weak) || right->type != APLI_F32 ||
                right->form != APLI_PLAIN || right->rank < 1 || right->count == 0;
    if (*declined) return APL_OK;
    const double epsilon = apli_f64_at(left, 0);
    *declined = !(epsilon > 0);
    if (*declined) return APL_OK;
    if (apli_may_overwrite(right)) *result = apli_array_retain(right);
    else TRY(apli_array_new_like(APLI_F32, right, result));
    const int64_t width = apli_last_axis(right);
    for (int64_t row = 0; row < right->count; row += width)
        apli_kernels()->rms_norm_row((const float *)right->data + row, width, epsilon, (float *)(*result)->data + row);
    return APL_OK;
}
