/* ⍸X: the index of each 1 of X, as often as X says. X⍸Y: how many major cells of the ascending X come before or at each cell
   of Y, in the total order of arrays. */
#include "prim/grade/order.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

AplErr apli_where(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO AplArray *numbers = NULL, *where = NULL;
    TRY(apli_integers(right, "the argument of ⍸", &numbers));
    const int64_t *number = apli_integer_data(numbers);
    int64_t count = 0, at = 0;
    for (int64_t i = 0; i < numbers->count; i++) {
        FAIL_IF(number[i] < 0, APL_DOMAIN, "⍸ of %" PRId64, number[i]);
        FAIL_IF(__builtin_add_overflow(count, number[i], &count), APL_WS_FULL, "⍸ has more indices than an array can have");
    }
    if (right->rank == 1) {
        TRY(apli_vector_new(APLI_I64, count, &where));
        for (int64_t i = 0; i < numbers->count; i++)
            for (int64_t j = 0; j < number[i]; j++) apli_integer_data(where)[at++] = i + env->index_origin;
        TRY(apli_squeeze(&where));
        *result = apli_move(&where);
        return APL_OK;
    }
    int rank = right->rank;
    int64_t index[APLI_MAX_RANK] = {0};
    TRY(apli_vector_new(APLI_NESTED, count, &where));
    for (int64_t i = 0; i < numbers->count; i++) {
        for (int64_t j = 0; j < number[i]; j++) {
            if (j == 0) TRY(apli_index_vector(index, rank, env->index_origin, &apli_items(where)[at]));
            else apli_items(where)[at] = apli_array_retain(apli_items(where)[at - 1]);
            at++;
        }
        for (int k = rank - 1; k >= 0 && ++index[k] == right->shape[k]; k--) index[k] = 0;
    }
    if (count == 0) {
        TRY(apli_vector_new(APLI_BOOL, rank, &apli_items(where)[0]));
        memset(apli_items(where)[0]->data, 0, 8);
    }
    *result = apli_move(&where);
    return APL_OK;
}

AplErr apli_interval_index(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    FAIL_IF(left->rank == 0, APL_RANK, "the left argument of ⍸ is a scalar");
    int cell_rank = left->rank - 1, rank = right->rank - cell_rank;
    FAIL_IF(rank < 0, APL_RANK, "cells of rank %d are looked for in an array of rank %d", cell_rank, right->rank);
    FAIL_IF(memcmp(left->shape + 1, right->shape + rank, (size_t)cell_rank * sizeof *left->shape), APL_LENGTH,
            "cells of shape %s are looked for in an array of shape %s", apli_shape_text(left), apli_shape_text(right));
    int64_t cell = apli_product(left->shape + 1, cell_rank), length = left->shape[0];
    for (int64_t i = 1; i < length; i++)
        FAIL_IF(apli_compare_cells(left, i - 1, left, i, cell) > 0, APL_DOMAIN,
                "the left argument of ⍸ does not ascend at cell %" PRId64, i + env->index_origin);
    APLI_AUTO AplArray *found = NULL;
    TRY(apli_array_new(APLI_I64, rank, right->shape, &found));
    for (int64_t i = 0; i < found->count; i++) {
        int64_t low = 0, high = length; /* cells before low are not after the one that is looked for; those from high on are */
        while (low < high) {
            int64_t middle = (low + high) / 2;
            if (apli_compare_cells(left, middle, right, i, cell) > 0) high = middle;
            else low = middle + 1;
        }
        apli_integer_data(found)[i] = low - 1 + env->index_origin;
    }
    TRY(apli_squeeze(&found));
    *result = apli_move(&found);
    return APL_OK;
}
