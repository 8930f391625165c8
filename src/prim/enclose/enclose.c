/* ⊂X: X as one item; ⊂[axes]X encloses the cells along these axes. ⊆X encloses a simple array only. */
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

static AplErr enclose_axes(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    APLI_AUTO AplArray *numbers = NULL, *view = NULL, *plain = NULL, *enclosed = NULL;
    TRY(apli_vector_argument(axis, "an axis"));
    TRY(apli_integers(axis, "an axis", &numbers));
    int axes[APLI_MAX_RANK], rank = right->rank, cell_rank = (int)numbers->count, frame_rank = 0;
    bool used[APLI_MAX_RANK] = {false};
    FAIL_IF(numbers->count > rank, APL_LENGTH, "%" PRId64 " axes of an array of rank %d", numbers->count, rank);
    for (int i = 0; i < cell_rank; i++) {
        int64_t number = apli_integer_data(numbers)[i], zero_based = number - env->index_origin;
        FAIL_IF(zero_based < 0 || zero_based >= rank, APL_INDEX,
                "axis %" PRId64 " of an array of rank %d (⎕IO is %" PRId64 ")", number, rank, env->index_origin);
        FAIL_IF(used[zero_based], APL_DOMAIN, "axis %" PRId64 " is named twice", number);
        used[zero_based] = true;
        axes[rank - cell_rank + i] = (int)zero_based;
    }
    for (int i = 0; i < rank; i++)
        if (!used[i]) axes[frame_rank++] = i;
    TRY(apli_transpose_view(right, axes, &view));
    TRY(apli_plain(view, &plain));
    const int64_t *cell_shape = plain->shape + frame_rank;
    int64_t cell_count = apli_product(cell_shape, cell_rank);
    TRY(apli_array_new(APLI_NESTED, frame_rank, plain->shape, &enclosed));
    for (int64_t i = 0; i < enclosed->count; i++)
        TRY(apli_part(plain, i * cell_count, cell_rank, cell_shape, &apli_items(enclosed)[i]));
    if (enclosed->count == 0) TRY(apli_cell_prototype(plain, cell_rank, cell_shape, &apli_items(enclosed)[0]));
    *result = apli_move(&enclosed);
    return cell_rank ? APL_OK : apli_simplify(result);
}

AplErr apli_enclose_function(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    return axis ? enclose_axes(env, right, axis, result) : apli_enclose(right, result);
}

AplErr apli_nest(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env;
    FAIL_IF(axis, APL_SYNTAX, "monadic ⊆ takes no axis");
    if (right->rank && apli_is_flat(right)) return apli_enclose(right, result);
    *result = apli_array_retain(right);
    return APL_OK;
}
