/* ↑X mixes the items of X into one array of their common shape, each padded with its own fill; ↓X splits X into the vectors
   along an axis. */
#include "prim/structure.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Rank and shape that hold every item; lower ranks get leading ones. `*type` is where all elements meet. */
static void common_cell(AplArray *const *items, int64_t count, int *rank, int64_t *shape, AplType *type, bool *weak) {
    *rank = 0;
    for (int64_t i = 0; i < count; i++) *rank = items[i]->rank > *rank ? items[i]->rank : *rank;
    for (int i = 0; i < *rank; i++) shape[i] = 0;
    for (int64_t i = 0; i < count; i++) {
        int missing = *rank - items[i]->rank;
        for (int axis = 0; axis < *rank; axis++) {
            int64_t length = axis < missing ? 1 : items[i]->shape[axis - missing];
            shape[axis] = length > shape[axis] ? length : shape[axis];
        }
    }
    *type = apli_meet_all(items, count, weak);
}

/* The item into elements base..base+cell_count-1 of `to`, padded to the cell's shape. */
static AplErr put_padded(AplArray *item, AplArray *to, int64_t base, int rank, const int64_t *shape) {
    APLI_AUTO AplArray *converted = NULL, *seen = NULL, *fill = NULL;
    static const int64_t start[APLI_MAX_RANK];
    int64_t own[APLI_MAX_RANK], cell_count = apli_product(shape, rank);
    int missing = rank - item->rank;
    for (int axis = 0; axis < rank; axis++) own[axis] = axis < missing ? 1 : item->shape[axis - missing];
    if (to->type == APLI_NESTED) TRY(apli_convert(item, APLI_NESTED, &converted));
    else converted = apli_array_retain(item);
    if (converted->count != cell_count) {
        TRY(apli_fill(converted, &fill));
        apli_fill_run(to, base, cell_count, fill);
    }
    if (converted->count == 0) return APL_OK;
    TRY(apli_reshape_view(converted, rank, own, &seen));
    apli_copy_box(to, base, shape, start, seen, start, own);
    return APL_OK;
}

/* Moves the last `cell_rank` axes to `position`. */
static AplErr place_cell_axes(AplArray *mixed, int cell_rank, int position, AplArray **result) {
    int axes[APLI_MAX_RANK], frame_rank = mixed->rank - cell_rank;
    APLI_AUTO AplArray *view = NULL;
    for (int i = 0; i < mixed->rank; i++)
        axes[i] = i < position ? i : i < position + cell_rank ? frame_rank + i - position : i - cell_rank;
    TRY(apli_transpose_view(mixed, axes, &view));
    return apli_plain(view, result);
}

AplErr apli_mix(AplEnv *env, AplArray *argument, AplArray *axis, AplArray **result) {
    APLI_AUTO AplArray *right = NULL;
    if (apli_is_simple(argument)) right = apli_array_retain(argument);
    else TRY(apli_plain(argument, &right));
    int position = right->rank;
    if (axis) {
        FAIL_IF(axis->count != 1 || !apli_type_is_number((AplType)axis->type), APL_DOMAIN, "an axis must be one number");
        double value = ceil(apli_f64_at(axis, 0) - (double)env->index_origin);
        FAIL_IF(!(value >= 0 && value <= right->rank), APL_INDEX, "axis %g of an array of rank %d", apli_f64_at(axis, 0),
                right->rank);
        position = (int)value;
    }
    if (apli_is_flat(right)) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    /* the items, made plain; the prototype stands for them where there are none */
    APLI_AUTO AplArray *plain = NULL, *mixed = NULL;
    int64_t stored = right->count ? right->count : 1;
    TRY(apli_vector_new(APLI_NESTED, stored, &plain));
    for (int64_t i = 0; i < stored; i++) TRY(apli_plain(apli_items(right)[i], &apli_items(plain)[i]));
    int cell_rank;
    int64_t shape[2 * APLI_MAX_RANK];
    AplType type;
    bool weak;
    common_cell(apli_items(plain), stored, &cell_rank, shape + right->rank, &type, &weak);
    memcpy(shape, right->shape, right->rank * sizeof *shape);
    int64_t cell_count = apli_product(shape + right->rank, cell_rank);
    TRY(apli_array_new(type, right->rank + cell_rank, shape, &mixed));
    mixed->weak = weak;
    if (type == APLI_NESTED && mixed->count == 0) {
        APLI_AUTO AplArray *first = NULL;
        TRY(apli_convert(apli_items(plain)[0], APLI_NESTED, &first));
        TRY(apli_prototype(apli_items(first)[0], &apli_items(mixed)[0]));
    }
    for (int64_t i = 0; mixed->count && i < right->count; i++)
        TRY(put_padded(apli_items(plain)[i], mixed, i * cell_count, cell_rank, shape + right->rank));
    if (position != right->rank) return place_cell_axes(mixed, cell_rank, position, result);
    *result = apli_move(&mixed);
    return APL_OK;
}

AplErr apli_split(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    if (right->rank == 0 && !axis) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    int along, rank = right->rank;
    TRY(apli_axis(env, axis, rank, rank - 1, &along));
    APLI_AUTO AplArray *plain = NULL, *split = NULL;
    TRY(apli_axis_last(right, along, &plain));
    int64_t length = apli_last_axis(plain);
    TRY(apli_array_new(APLI_NESTED, rank - 1, plain->shape, &split));
    if (split->count == 0) TRY(apli_cell_prototype(plain, 1, &length, &apli_items(split)[0]));
    for (int64_t i = 0; i < split->count; i++)
        TRY(apli_part(plain, i * length, 1, &length, &apli_items(split)[i]));
    *result = apli_move(&split);
    return APL_OK;
}
