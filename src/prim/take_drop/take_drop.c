/* N↑X takes N positions of each leading axis, from the end where N is negative, with fills past the end; N↓X leaves them out.
   A scalar X has as many axes as N has numbers; f[axes] names the axes. Whole leading cells are views. */
#include "prim/structure.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* For each axis of the argument: where the kept part begins, its length, and the axis' length in the result. */
typedef struct Box {
    int64_t shape[APLI_MAX_RANK], to[APLI_MAX_RANK], from[APLI_MAX_RANK], extent[APLI_MAX_RANK];
} Box;

static void whole_axis(Box *box, int axis, int64_t length) {
    box->shape[axis] = box->extent[axis] = length;
    box->to[axis] = box->from[axis] = 0;
}

static void take_axis(Box *box, int axis, int64_t length, int64_t number) {
    int64_t wanted = llabs(number), kept = wanted < length ? wanted : length;
    box->shape[axis] = wanted;
    box->extent[axis] = kept;
    box->to[axis] = number < 0 ? wanted - kept : 0;
    box->from[axis] = number < 0 ? length - kept : 0;
}

static void drop_axis(Box *box, int axis, int64_t length, int64_t number) {
    int64_t dropped = llabs(number) < length ? llabs(number) : length;
    box->shape[axis] = box->extent[axis] = length - dropped;
    box->to[axis] = 0;
    box->from[axis] = number < 0 ? 0 : dropped;
}

/* Which axes the numbers speak of. */
static AplErr axes_of(const AplEnv *env, AplArray *axis, int rank, int64_t numbers, int *axes) {
    if (!axis) {
        FAIL_IF(numbers > rank, APL_LENGTH, "%" PRId64 " numbers for an array of rank %d", numbers, rank);
        for (int64_t i = 0; i < numbers; i++) axes[i] = (int)i;
        return APL_OK;
    }
    APLI_AUTO AplArray *integers = NULL;
    TRY(apli_vector_argument(axis, "an axis"));
    TRY(apli_integers(axis, "an axis", &integers));
    FAIL_IF(integers->count != numbers, APL_LENGTH, "%" PRId64 " numbers for %" PRId64 " axes", numbers, integers->count);
    bool used[APLI_MAX_RANK] = {false};
    for (int64_t i = 0; i < numbers; i++) {
        int64_t number = apli_integer_data(integers)[i], zero_based = number - env->index_origin;
        FAIL_IF(zero_based < 0 || zero_based >= rank, APL_INDEX, "axis %" PRId64 " of an array of rank %d (⎕IO is %" PRId64 ")",
                number, rank, env->index_origin);
        FAIL_IF(used[zero_based], APL_DOMAIN, "axis %" PRId64 " is named twice", number);
        used[zero_based] = true;
        axes[i] = (int)zero_based;
    }
    return APL_OK;
}

static bool is_whole(const Box *box, const AplArray *array, int axis) {
    return box->shape[axis] == array->shape[axis] && box->extent[axis] == array->shape[axis];
}

static AplErr box_of(AplArray *array, const Box *box, AplArray **result) {
    int partial = 0; /* axes 0..partial-1 are cut or padded */
    for (int axis = 0; axis < array->rank; axis++)
        if (!is_whole(box, array, axis)) partial = axis + 1;
    if (partial == 0) {
        *result = apli_array_retain(array);
        return APL_OK;
    }
    APLI_AUTO AplArray *plain = NULL, *taken = NULL, *fill = NULL;
    bool leading = partial == 1 && box->extent[0] == box->shape[0];
    if (leading && array->form != APLI_PLAIN) return apli_cells(array, box->from[0], box->extent[0], result);
    TRY(apli_plain(array, &plain));
    if (leading) return apli_range(plain, 0, box->from[0], box->extent[0], result);
    TRY(apli_result_new(plain, plain->rank, box->shape, &taken));
    if (taken->count && apli_product(box->extent, plain->rank) != taken->count) {
        TRY(apli_fill(plain, &fill));
        apli_fill_run(taken, 0, taken->count, fill);
    }
    if (taken->count) apli_copy_box(taken, 0, box->shape, box->to, plain, box->from, box->extent);
    *result = apli_move(&taken);
    return APL_OK;
}

static AplErr take_or_drop(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis,
                           void (*one_axis)(Box *, int, int64_t, int64_t), AplArray **result) {
    APLI_AUTO AplArray *numbers = NULL, *array = apli_array_retain(right);
    TRY(apli_vector_argument(left, "the left argument of ↑ and ↓"));
    TRY(apli_integers(left, "the left argument of ↑ and ↓", &numbers));
    if (right->rank == 0 && numbers->count) {
        static const int64_t ones[APLI_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
        FAIL_IF(numbers->count > APLI_MAX_RANK, APL_LIMIT, "rank %" PRId64 " is more than %d", numbers->count,
                APLI_MAX_RANK);
        apli_array_release(apli_move(&array));
        TRY(apli_reshape_view(right, (int)numbers->count, ones, &array));
    }
    int axes[APLI_MAX_RANK];
    Box box;
    TRY(axes_of(env, axis, array->rank, numbers->count, axes));
    for (int i = 0; i < array->rank; i++) whole_axis(&box, i, array->shape[i]);
    for (int64_t i = 0; i < numbers->count; i++)
        one_axis(&box, axes[i], array->shape[axes[i]], apli_integer_data(numbers)[i]);
    return box_of(array, &box, result);
}

AplErr apli_take(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    return take_or_drop(env, left, right, axis, take_axis, result);
}

AplErr apli_drop(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    return take_or_drop(env, left, right, axis, drop_axis, result);
}
