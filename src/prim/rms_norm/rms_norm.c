/* Fused rms_norm: EPSILON rms_norm X is X ÷ √(EPSILON + mean X²) along the last axis (Zhang, Sennrich, "Root mean square layer
   normalization", 2019). X: f32 of rank 1 or more. */
#include "isa/isa.h"
#include "os/parallel_ranges.h"
#include "prim/fused/fused.h"

typedef struct Norm {
    const float *x;
    float *result;
    int64_t width;
    double epsilon;
} Norm;

static void norm_rows(void *context, int64_t begin, int64_t end) {
    const Norm *norm = context;
    for (int64_t at = begin * norm->width; at < end * norm->width; at += norm->width)
        apli_kernels()->rms_norm_row(norm->x + at, norm->width, norm->epsilon, norm->result + at);
}

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
    Norm norm = {(const float *)right->data, (float *)(*result)->data, width, epsilon};
    apli_parallel_ranges(right->count / width, width, norm_rows, &norm);
    return APL_OK;
}
