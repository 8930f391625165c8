/* A[I;J;...] and I⌷A. Leading scalars step into cells, which are views of every form. Leading vectors into packed or stacked
   arrays take only the cells that they name. The rest gathers runs of elements. */
#include "prim/index/index.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

typedef struct Gathering {
    AplArray *to, *from;
    int64_t inner;
} Gathering;

static void gather(void *context, int64_t base, const int64_t *positions, int64_t count, int64_t done) {
    const Gathering *gathering = context;
    apli_gather_runs(gathering->to, done, gathering->from, base, positions, count, gathering->inner, NULL);
}

static AplErr index_plain(const AplEnv *env, AplArray *array, AplArray *const *subscripts, int count, AplArray **result) {
    __attribute__((cleanup(apli_selection_free))) AplSelection selection;
    TRY(apli_selection(env, array, subscripts, count, &selection));
    bool one_run = true; /* one position on each axis: the elements lie together */
    int64_t offset = 0;
    for (int axis = 0; axis < selection.axes && one_run; axis++) {
        one_run = selection.positions[axis] && selection.lengths[axis] == 1;
        if (one_run) offset += apli_integer_data(selection.positions[axis])[0] * selection.strides[axis];
    }
    if (one_run && selection.count) {
        TRY(apli_part(array, offset, selection.rank, selection.shape, result));
        return apli_simplify(result);
    }
    APLI_AUTO AplArray *selected = NULL;
    TRY(apli_result_new(array, selection.rank, selection.shape, &selected));
    apli_selection_each(&selection, gather, &(Gathering){selected, array, selection.inner});
    *result = apli_move(&selected);
    return apli_simplify(result);
}

/* The leading cells that `subscript` names, one after another: packed ones unpacked, so that the result is plain. */
static AplErr index_cells(const AplEnv *env, AplArray *array, AplArray *subscript, AplArray **result) {
    __attribute__((cleanup(apli_selection_free))) AplSelection selection = {0};
    AplArray *subscripts[APLI_MAX_RANK] = {subscript};
    TRY(apli_selection(env, array, subscripts, array->rank, &selection));
    APLI_AUTO AplArray *cells = NULL;
    AplType type = array->type == APLI_PACKED ? APLI_F32 : (AplType)array->type;
    TRY(apli_array_new(type, selection.rank, selection.shape, &cells));
    for (int64_t i = 0; i < subscript->count; i++) {
        APLI_AUTO AplArray *cell = NULL, *plain = NULL;
        TRY(apli_cell(array, apli_integer_data(selection.positions[0])[i], &cell));
        TRY(apli_plain(cell, &plain));
        if (plain->count) apli_copy(cells, i * plain->count, plain, 0, plain->count);
    }
    *result = apli_move(&cells);
    return APL_OK;
}

/* ---- a nested subscript ------------------------------------------------------------------------------------------ */

/* An item of a nested subscript: an index of the array, or a path, each item of which is an index into what was reached. A
   simple item is a path where the array is a vector and the item more than one number. */
static AplErr reach(AplEnv *env, AplArray *array, AplArray *item, AplArray **result) {
    APLI_AUTO AplArray *plain = NULL;
    int64_t position;
    TRY(apli_plain(item, &plain));
    bool path = plain->type == APLI_NESTED || (array->rank == 1 && plain->rank == 1 && plain->count > 1);
    if (path) return apli_pick(env, plain, array, NULL, result);
    TRY(apli_position_of(env, array, plain, &position));
    return apli_item(array, position, result);
}

static AplErr choose(AplEnv *env, AplArray *array, AplArray *subscript, AplArray **result) {
    APLI_AUTO AplArray *chosen = NULL;
    if (subscript->count == 0) return apli_result_new(array, subscript->rank, subscript->shape, result);
    TRY(apli_array_new_like(APLI_NESTED, subscript, &chosen));
    for (int64_t i = 0; i < subscript->count; i++)
        TRY(reach(env, array, apli_items(subscript)[i], &apli_items(chosen)[i]));
    TRY(apli_simplify(&chosen));
    *result = apli_move(&chosen);
    return APL_OK;
}

/* ---- any array --------------------------------------------------------------------------------------------------- */

static AplErr index_any(AplEnv *env, AplArray *array, AplArray *const *subscripts, int count, AplArray **result) {
    AplArray *first = count ? subscripts[0] : NULL;
    bool others = false;
    for (int i = 1; i < count; i++) others |= subscripts[i] != NULL;
    bool form = array->form == APLI_STACKED || array->form == APLI_FORM_PACKED;
    if (form && first && count == array->rank && count > 1) {
        APLI_AUTO AplArray *cells = NULL;
        if (first->rank == 0) {
            int64_t number, position;
            TRY(apli_integer(first, "an index", &number));
            position = number - env->index_origin;
            FAIL_IF(position < 0 || position >= array->shape[0], APL_INDEX,
                    "index %" PRId64 " of axis %" PRId64 ", whose length is %" PRId64 " (⎕IO is %" PRId64 ")", number,
                    env->index_origin, array->shape[0], env->index_origin);
            TRY(apli_cell(array, position, &cells));
            return others ? index_any(env, cells, subscripts + 1, count - 1, result)
                          : (*result = apli_move(&cells), APL_OK);
        }
        TRY(index_cells(env, array, first, &cells));
        if (!others) {
            *result = apli_move(&cells);
            return APL_OK;
        }
        AplArray *rest[2 * APLI_MAX_RANK] = {NULL};
        for (int i = 1; i < count; i++) rest[first->rank + i - 1] = subscripts[i];
        return index_plain(env, cells, rest, first->rank + count - 1, result);
    }
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(array, &plain));
    return index_plain(env, plain, subscripts, count, result);
}

/* Leading subscripts that are integers in range, the others elided: how many, and where the cell begins that they name. 0 where
   the subscripts are others. */
static int leading_cell(const AplEnv *env, const AplArray *array, AplArray *const *subscripts, int count, int64_t *offset) {
    int axes = 0, axis = 0;
    if (count != array->rank) return 0;
    *offset = 0;
    for (; axis < count && subscripts[axis]; axes = ++axis) {
        const AplArray *subscript = subscripts[axis];
        if (subscript->rank || subscript->form != APLI_PLAIN || !apli_type_is_integer((AplType)subscript->type)) return 0;
        const int64_t number = apli_i64_at(subscript, 0), origin = env->index_origin;
        if (number < origin || number - origin >= array->shape[axis]) return 0;
        *offset = *offset * array->shape[axis] + number - origin;
    }
    for (; axis < count; axis++) {
        if (subscripts[axis]) return 0;
        *offset *= array->shape[axis];
    }
    return axes;
}

AplErr apli_index(AplEnv *env, AplArray *array, AplArray *const *subscripts, int count, AplArray **result) {
    AplArray *only = count == 1 ? subscripts[0] : NULL;
    int64_t offset;
    const int axes = array->form == APLI_PLAIN || array->form == APLI_STACKED ? leading_cell(env, array, subscripts, count, &offset) : 0;
    if (axes && axes == count && array->form == APLI_PLAIN)
        return array->type == APLI_NESTED ? apli_enclose(apli_items(array)[offset], result) : apli_item(array, offset, result);
    if (axes && array->type != APLI_NESTED && array->form == APLI_PLAIN)
        return apli_part(array, offset, count - axes, array->shape + axes, result);
    if (axes == 1 && count > 1 && array->form == APLI_STACKED) return apli_cell(array, apli_i64_at(subscripts[0], 0) - env->index_origin, result);
    if (only && only->type == APLI_NESTED) {
        APLI_AUTO AplArray *plain = NULL, *simple = apli_array_retain(only);
        TRY(apli_simplify(&simple));
        TRY(apli_plain(array, &plain));
        return simple->type == APLI_NESTED ? choose(env, plain, simple, result)
                                           : index_plain(env, plain, &simple, 1, result);
    }
    return index_any(env, array, subscripts, count, result);
}

/* ---- ⌷ ------------------------------------------------------------------------------------------------------------- */

AplErr apli_squad(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    APLI_AUTO AplArray *plain = NULL, *axes = NULL, *items = NULL;
    AplArray *subscripts[APLI_MAX_RANK] = {NULL};
    TRY(apli_vector_argument(left, "the left argument of ⌷"));
    TRY(apli_plain(left, &plain));
    FAIL_IF(left->count > right->rank, APL_RANK, "%" PRId64 " indices for an array of rank %d", left->count, right->rank);
    TRY(apli_vector_new(APLI_NESTED, left->count, &items));
    if (axis) {
        TRY(apli_vector_argument(axis, "an axis"));
        TRY(apli_integers(axis, "an axis", &axes));
        FAIL_IF(axes->count != left->count, APL_LENGTH, "%" PRId64 " indices for %" PRId64 " axes", left->count, axes->count);
    }
    for (int64_t i = 0; i < left->count; i++) {
        int64_t at = axes ? apli_integer_data(axes)[i] - env->index_origin : i;
        FAIL_IF(at < 0 || at >= right->rank, APL_INDEX, "axis %" PRId64 " of an array of rank %d (⎕IO is %" PRId64 ")",
                at + env->index_origin, right->rank, env->index_origin);
        FAIL_IF(subscripts[at], APL_DOMAIN, "axis %" PRId64 " is named twice", at + env->index_origin);
        TRY(apli_item(plain, i, &apli_items(items)[i]));
        subscripts[at] = apli_items(items)[i];
    }
    if (left->count == 0) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    return index_any(env, right, subscripts, right->rank, result);
}
