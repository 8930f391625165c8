/* ,X as a vector; ,[axes]X joins neighbouring axes; ,[0.5]X makes an axis of length 1; ⍪X as a table of its major cells. All
   are views. */
#include "prim/structure.h"

#include <math.h>
#include <string.h>

/* A new axis of length 1 before axis `position`. */
static AplErr insert_axis(AplArray *right, int position, AplArray **result) {
    FAIL_IF(right->rank >= APLI_MAX_RANK, APL_LIMIT, "rank %d is more than %d", right->rank + 1, APLI_MAX_RANK);
    int64_t shape[APLI_MAX_RANK];
    for (int i = 0; i <= right->rank; i++)
        shape[i] = i < position ? right->shape[i] : i == position ? 1 : right->shape[i - 1];
    return apli_reshape_view(right, right->rank + 1, shape, result);
}

static AplErr ravel_axes(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    TRY(apli_vector_argument(axis, "an axis"));
    FAIL_IF(axis->count && !apli_type_is_number((AplType)axis->type), APL_DOMAIN, "an axis must be a number");
    if (axis->count == 0) return insert_axis(right, right->rank, result);
    double first = apli_f64_at(axis, 0) - (double)env->index_origin;
    if (axis->count == 1 && first != floor(first)) {
        FAIL_IF(!(first > -1 && first < right->rank), APL_INDEX, "axis %g of an array of rank %d",
                apli_f64_at(axis, 0), right->rank);
        return insert_axis(right, (int)floor(first) + 1, result);
    }
    FAIL_IF(!(first >= 0 && first + (double)axis->count <= right->rank), APL_INDEX,
            "axes %g to %g of an array of rank %d", apli_f64_at(axis, 0), apli_f64_at(axis, axis->count - 1),
            right->rank);
    for (int64_t i = 1; i < axis->count; i++)
        FAIL_IF(apli_f64_at(axis, i) != apli_f64_at(axis, 0) + (double)i, APL_DOMAIN,
                "the axes that are joined must follow one another");
    int from = (int)first, joined = (int)axis->count, rank = right->rank - joined + 1;
    int64_t shape[APLI_MAX_RANK];
    memcpy(shape, right->shape, (size_t)from * sizeof *shape);
    shape[from] = apli_product(right->shape + from, joined);
    for (int i = from + 1; i < rank; i++) shape[i] = right->shape[i + joined - 1];
    return apli_reshape_view(right, rank, shape, result);
}

AplErr apli_ravel(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    if (axis) return ravel_axes(env, right, axis, result);
    return apli_reshape_view(right, 1, &right->count, result);
}

AplErr apli_table(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env;
    FAIL_IF(axis, APL_SYNTAX, "monadic ⍪ takes no axis");
    int64_t rows = right->rank ? right->shape[0] : 1;
    int64_t columns = right->rank ? apli_product(right->shape + 1, right->rank - 1) : 1;
    return apli_reshape_view(right, 2, (int64_t[]){rows, columns}, result);
}
