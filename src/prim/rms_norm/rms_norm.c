/* Fused rms_norm: (GAIN EPSILON) rms_norm X is GAIN times X ÷ √(EPSILON + mean X²) along the last axis (Zhang, Sennrich, "Root
   mean square layer normalization", 2019). X: f32 of rank 1 or more; GAIN: reals of at most 32 bits, one for each element of the
   last axis. */
#include "isa/isa.h"
#include "os/parallel_ranges.h"
#include "prim/fused/fused.h"

typedef struct Norm {
    const float *x, *gain;
    float *result;
    int64_t width;
    double epsilon;
} Norm;

static void norm_rows(void *context, int64_t begin, int64_t end) {
    const Norm *norm = context;
    for (int64_t at = begin * norm->width; at < end * norm->width; at += norm->width)
        apli_kernels()->rms_norm_row(norm->x + at, norm->gain, norm->width, norm->epsilon, norm->result + at);
}

AplErr apli_rms_norm(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined) {
    (void)env;
    *declined = !left || left->type != APLI_NESTED || left->rank != 1 || left->count != 2 || right->type != APLI_F32 ||
                right->form != APLI_PLAIN || right->rank < 1 || apli_last_axis(right) == 0;
    if (*declined) return APL_OK;
    AplArray *gain = apli_items(left)[0], *small = apli_items(left)[1];
    const int64_t width = apli_last_axis(right);
    *declined = gain->rank != 1 || gain->count != width || small->rank || !apli_type_is_number((AplType)small->type) ||
                (small->type == APLI_F64 && !small->weak) ||
                (gain->type != APLI_F32 && gain->type != APLI_F16 && gain->type != APLI_BF16);
    if (*declined) return APL_OK;
    const double epsilon = apli_f64_at(small, 0);
    *declined = !(epsilon > 0);
    if (*declined) return APL_OK;
    APLI_AUTO AplArray *gain_single = NULL;
    TRY(apli_convert(gain, APLI_F32, &gain_single));
    if (apli_may_overwrite(right)) *result = apli_array_retain(right);
    else TRY(apli_array_new_like(APLI_F32, right, result));
    Norm norm = {(const float *)right->data, (const float *)gain_single->data, (float *)(*result)->data, width, epsilon};
    apli_parallel_ranges(right->count / width, width, norm_rows, &norm);
    return APL_OK;
}
