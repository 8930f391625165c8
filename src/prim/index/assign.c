/* A[I;J;...]←V in place where A is nobody else's, and A[I] f← V, which applies a scalar function to repeated indices one after
   another: in rounds, each of which has every position at most once. A packed array takes whole rows of its last axis, which
   are packed as ⎕DR packs them. */
#include "isa/isa.h"
#include "prim/index/index.h"
#include "prim/operand.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- the value --------------------------------------------------------------------------------------------------- */

/* How many axes of the shape are not of length 1: those are put into `wide`. */
static int wide_axes(int rank, const int64_t *shape, int64_t *wide) {
    int axes = 0;
    for (int i = 0; i < rank; i++)
        if (shape[i] != 1) wide[axes++] = shape[i];
    return axes;
}

/* A value conforms when it has one element, or the selection's shape but for axes of length 1. */
static AplErr conforms(const AplArray *value, int rank, const int64_t *shape) {
    if (value->count == 1) return APL_OK;
    int64_t wide[2][APLI_MAX_RANK];
    const int ranks[2] = {wide_axes(value->rank, value->shape, wide[0]), wide_axes(rank, shape, wide[1])};
    bool same = ranks[0] == ranks[1] && memcmp(wide[0], wide[1], (size_t)ranks[0] * sizeof **wide) == 0;
    if (same) return APL_OK;
    AplArray selected = {.rank = (uint8_t)rank, .shape = (int64_t *)shape};
    AplErr kind = ranks[0] == ranks[1] ? APL_LENGTH : APL_RANK;
    apli_fail(kind, "a value of shape %s for elements of shape %s", apli_shape_text(value), apli_shape_text(&selected));
    return kind;
}

/* The array's type after the assignment: an array of reals keeps its own when numbers come in. */
static AplType type_after(const AplArray *array, const AplArray *value, bool *weak) {
    AplType type = array->type == APLI_PACKED ? APLI_F32 : (AplType)array->type;
    bool number = apli_type_is_number((AplType)value->type);
    *weak = array->weak && number && !(value->type == APLI_F64 && !value->weak);
    if (apli_type_is_real(type) && number) return type;
    if (array->type == value->type) return type;
    AplArray both = *array; /* an array without elements keeps its say here */
    both.count = 1;
    type = apli_meet(&both, value, weak);
    return type;
}

/* Makes *array PLAIN, of the type after the assignment, and nobody else's. A packed array does not become plain for numbers:
   its elements share scales, so that only whole rows can be put (put_packed). */
static AplErr make_room(AplArray **array, const AplArray *value) {
    bool weak;
    AplType type = type_after(*array, value, &weak);
    FAIL_IF((*array)->form == APLI_FORM_PACKED && type == APLI_F32, APL_DOMAIN,
            "the elements of a packed row share scales: assign whole rows of its last axis (%" PRId64
            " elements), or make the array f32 first (325 ⎕DR)", apli_last_axis(*array));
    if ((*array)->type != type && (*array)->type != APLI_PACKED) {
        AplArray *converted;
        TRY(apli_convert(*array, type, &converted));
        apli_array_release(*array);
        *array = converted;
    }
    TRY(apli_own(array));
    (*array)->weak = weak;
    return APL_OK;
}

/* ---- scattering -------------------------------------------------------------------------------------------------- */

typedef struct Scattering {
    AplArray *to, *from;
    int64_t inner;
    bool one_value; /* from has one run, which every position gets */
} Scattering;

#define SCATTER(TYPE) \
    { \
        TYPE *target = (TYPE *)to->data + base; \
        const TYPE *source = (const TYPE *)from->data; \
        if (one) for (int64_t i = 0; i < count; i++) target[positions[i]] = source[0]; \
        else for (int64_t i = 0; i < count; i++) target[positions[i]] = source[done + i]; \
        return; \
    }

static void scatter_elements(AplArray *to, const AplArray *from, int64_t base, const int64_t *positions, int64_t count,
                             int64_t done, bool one) {
    switch (apli_types[to->type].bits) {
    case 8: SCATTER(uint8_t)
    case 16: SCATTER(uint16_t)
    case 32: SCATTER(uint32_t)
    default: SCATTER(uint64_t)
    }
}

static void scatter(void *context, int64_t base, const int64_t *positions, int64_t count, int64_t done) {
    const Scattering *s = context;
    if (s->inner == 1 && s->to->type == s->from->type && s->to->type != APLI_NESTED && s->to->type != APLI_BOOL) {
        scatter_elements(s->to, s->from, base, positions, count, done, s->one_value);
        return;
    }
    if (s->to->type == APLI_F16 && s->from->type == APLI_F32 && s->inner > 1) {
        for (int64_t i = 0; i < count; i++)
            apli_kernels()->narrow_halves((const float *)s->from->data + (s->one_value ? 0 : done + i * s->inner), s->inner,
                                          (uint16_t *)s->to->data + base + positions[i] * s->inner);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        apli_copy(s->to, base + positions[i] * s->inner, s->from, s->one_value ? 0 : done + i * s->inner, s->inner);
}

/* value (PLAIN, conforming, not empty) into the selected elements of *array, which has made room. */
static AplErr put(AplArray *array, const AplSelection *selection, AplArray *value) {
    APLI_AUTO AplArray *source = NULL, *run = NULL;
    if (array->type == APLI_NESTED) TRY(apli_convert(value, APLI_NESTED, &source));
    else source = apli_array_retain(value);
    bool one_value = source->count == 1;
    if (one_value && selection->inner > 1) TRY(apli_reshape_to(source, 1, &selection->inner, &run));
    else run = apli_array_retain(source);
    apli_selection_each(selection, scatter, &(Scattering){array, run, selection->inner, one_value});
    return APL_OK;
}

/* ---- packed arrays ------------------------------------------------------------------------------------------------- */

/* Rows are packed into a copy at first, so that an error leaves the array as it was. */
typedef struct Packing {
    uint8_t *to;
    const uint8_t *from; /* packed rows of the value, in order */
    int64_t inner, row_bytes; /* rows of a run, bytes of a row */
    bool one_value;
} Packing;

static void put_rows(void *context, int64_t base, const int64_t *positions, int64_t count, int64_t done) {
    const Packing *p = context;
    const int64_t run = p->inner * p->row_bytes;
    for (int64_t i = 0; i < count; i++)
        memcpy(p->to + (base * p->row_bytes + positions[i] * run), p->from + (p->one_value ? 0 : done * p->row_bytes + i * run),
               (size_t)run);
}

/* Makes a packed array nobody else's. */
static AplErr own_packed(AplArray **array) {
    const AplArray *old = *array;
    const AplStorage *storage = old->storage;
    if (old->references == 1 && storage->references == 1 && storage->place == APLI_HEAP) return APL_OK;
    const int64_t columns = apli_last_axis(old), rows = columns ? old->count / columns : 0;
    AplArray *copy;
    TRY(apli_packed_zero(old->layout, old->rank, old->shape, &copy));
    memcpy(copy->data, old->data, (size_t)(rows * apli_packed_row_bytes(old->layout, columns)));
    apli_array_release(*array);
    *array = copy;
    return APL_OK;
}

/* Whether whole rows of a packed array are selected, for numbers. */
static bool selects_packed_rows(const AplArray *array, const AplSelection *selection, const AplArray *value) {
    return array->form == APLI_FORM_PACKED && apli_type_is_number((AplType)value->type) && selection->axes < array->rank;
}

/* As apli_packed_pack, which also says what is wrong; rows of a cache of 12 bits come by thousands. */
static AplErr pack_rows(const AplPackedLayout *layout, const float *values, int64_t rows, int64_t columns, uint8_t *bytes) {
    if (layout->codec == APLI_CODEC_INT12 && !layout->group && apli_kernels()->pack_int12(values, rows, columns, bytes))
        return APL_OK;
    return apli_packed_pack(layout, values, rows, columns, bytes);
}

/* value (PLAIN numbers, conforming, not empty) into whole rows of a packed array, which keeps its type. */
static AplErr put_packed(AplArray **array, const AplSelection *selection, AplArray *value) {
    const AplPackedLayout *layout = (*array)->layout;
    const int64_t columns = apli_last_axis(*array), row_bytes = apli_packed_row_bytes(layout, columns);
    const int64_t inner = selection->inner / columns;
    const bool one_value = value->count == 1;
    const int64_t rows = one_value ? inner : value->count / columns;
    APLI_AUTO AplArray *singles = NULL, *run = NULL, *bytes = NULL;
    TRY(apli_convert(value, APLI_F32, &singles));
    if (one_value) TRY(apli_reshape_to(singles, 1, &selection->inner, &run));
    else run = apli_array_retain(singles);
    TRY(apli_vector_new(APLI_I8, rows * row_bytes, &bytes));
    TRY(pack_rows(layout, (const float *)run->data, rows, columns, bytes->data));
    TRY(own_packed(array));
    apli_drop_panels(*array);
    AplSelection by_row = *selection;
    by_row.inner = inner;
    for (int axis = 0; axis < by_row.axes; axis++) by_row.strides[axis] /= columns;
    apli_selection_each(&by_row, put_rows, &(Packing){(*array)->data, bytes->data, inner, row_bytes, one_value});
    return APL_OK;
}

/* ---- modified assignment ------------------------------------------------------------------------------------------ */

typedef struct Occurrence {
    int64_t position, at; /* of the element, and its number in the selection */
} Occurrence;

static int by_position(const void *left, const void *right) {
    const Occurrence *a = left, *b = right;
    if (a->position != b->position) return a->position < b->position ? -1 : 1;
    return a->at < b->at ? -1 : a->at > b->at;
}

/* Sorts the selected elements into rounds: element `at` belongs to round rounds[at], which is how many times its position came
   before it. Answers how many rounds there are. */
static AplErr count_rounds(const AplArray *elements, int64_t *rounds, int64_t *count) {
    int64_t n = elements->count;
    APLI_AUTO AplArray *room = NULL;
    TRY(apli_vector_new(APLI_I64, 2 * n, &room));
    Occurrence *occurrences = (Occurrence *)room->data;
    for (int64_t i = 0; i < n; i++) occurrences[i] = (Occurrence){apli_integer_data(elements)[i], i};
    qsort(occurrences, (size_t)n, sizeof *occurrences, by_position);
    *count = n > 0;
    for (int64_t i = 0, round = 0; i < n; i++) {
        round = i && occurrences[i].position == occurrences[i - 1].position ? round + 1 : 0;
        rounds[occurrences[i].at] = round;
        if (round >= *count) *count = round + 1;
    }
    return APL_OK;
}

/* Whether some position of some axis is named twice. */
static bool has_repeats(const AplSelection *selection) {
    for (int axis = 0; axis < selection->axes; axis++) {
        const AplArray *positions = selection->positions[axis];
        if (!positions || positions->count < 2) continue;
        const int64_t *position = apli_integer_data(positions);
        bool ascending = true;
        for (int64_t i = 1; i < positions->count && ascending; i++) ascending = position[i - 1] < position[i];
        if (!ascending) return true; /* perhaps: the rounds will tell */
    }
    return false;
}

/* elements (positions, I64) of *array f← value, one value for all or one for each. */
static AplErr modify_elements(AplEnv *env, AplArray **array, AplArray *elements, const AplFunction *function,
                              AplArray *value) {
    APLI_AUTO AplArray *rounds = NULL, *members = NULL, *starts = NULL, *plain = NULL;
    int64_t round_count, n = elements->count;
    TRY(apli_vector_new(APLI_I64, n, &rounds));
    TRY(count_rounds(elements, apli_integer_data(rounds), &round_count));
    /* the members of each round, in order: a counting sort */
    TRY(apli_vector_new(APLI_I64, n, &members));
    TRY(apli_vector_new(APLI_I64, round_count + 1, &starts));
    int64_t *start = apli_integer_data(starts), *member = apli_integer_data(members), *round = apli_integer_data(rounds);
    memset(start, 0, (size_t)(round_count + 1) * sizeof *start);
    for (int64_t i = 0; i < n; i++) start[round[i] + 1]++;
    for (int64_t i = 0; i < round_count; i++) start[i + 1] += start[i];
    for (int64_t i = 0; i < n; i++) member[start[round[i]]++] = i;
    for (int64_t r = 0, first = 0; r < round_count; r++) {
        int64_t count = start[r] - first;
        APLI_AUTO AplArray *positions = NULL, *now = NULL, *with = NULL, *then = NULL, *plain_then = NULL;
        TRY(apli_vector_new(APLI_I64, count, &positions));
        for (int64_t i = 0; i < count; i++)
            apli_integer_data(positions)[i] = apli_integer_data(elements)[member[first + i]];
        apli_array_release(plain);
        plain = NULL;
        TRY(apli_plain(*array, &plain));
        TRY(apli_select_elements(plain, apli_integer_data(positions), 1, &count, &now));
        if (value->count == 1) TRY(apli_reshape_to(value, 0, NULL, &with));
        else TRY(apli_select_elements(value, member + first, 1, &count, &with));
        TRY(apli_call_operand(env, function, now, with, &then));
        TRY(apli_plain(then, &plain_then));
        TRY(conforms(plain_then, 1, &count));
        apli_array_release(apli_move(&plain));
        TRY(make_room(array, plain_then));
        AplSelection selection = {.axes = 1, .inner = 1, .lengths = {count}, .strides = {1}, .positions = {positions},
                                  .count = count};
        TRY(put(*array, &selection, plain_then));
        first += count;
    }
    return APL_OK;
}

/* ---- a nested subscript ------------------------------------------------------------------------------------------- */

/* Puts `item` where the path (items first.. of `path`) leads inside *array. */
static AplErr put_at_path(AplEnv *env, AplArray **array, AplArray *path, int64_t first, AplArray *item) {
    APLI_AUTO AplArray *index = NULL, *scalar = NULL;
    int64_t position;
    TRY(apli_check(env));
    TRY(apli_item(path, first, &index));
    TRY(apli_position_of(env, *array, index, &position));
    if (first + 1 < path->count) {
        APLI_AUTO AplArray *inside = NULL;
        TRY(apli_item(*array, position, &inside));
        TRY(put_at_path(env, &inside, path, first + 1, item));
        TRY(apli_enclose(inside, &scalar));
    } else {
        TRY(apli_enclose(item, &scalar));
    }
    TRY(make_room(array, scalar));
    APLI_AUTO AplArray *positions = NULL;
    TRY(apli_vector_new(APLI_I64, 1, &positions));
    apli_integer_data(positions)[0] = position;
    AplSelection selection = {.axes = 1, .inner = 1, .lengths = {1}, .strides = {1}, .positions = {positions}, .count = 1};
    return put(*array, &selection, scalar);
}

static AplErr assign_chosen(AplEnv *env, AplArray **array, AplArray *chosen, const AplFunction *function, AplArray *value) {
    TRY(conforms(value, chosen->rank, chosen->shape));
    for (int64_t i = 0; i < chosen->count; i++) {
        APLI_AUTO AplArray *item = NULL, *path = NULL, *now = NULL, *then = NULL;
        TRY(apli_item(value, value->count == 1 ? 0 : i, &item));
        TRY(apli_plain(apli_items(chosen)[i], &path));
        bool is_path = path->type == APLI_NESTED || ((*array)->rank == 1 && path->rank == 1 && path->count > 1);
        if (!is_path) { /* an index: a path of one step */
            APLI_AUTO AplArray *step = apli_move(&path);
            TRY(apli_vector_new(APLI_NESTED, 1, &path));
            apli_items(path)[0] = apli_move(&step);
        }
        if (function) {
            TRY(apli_pick(env, path, *array, NULL, &now));
            TRY(apli_call_operand(env, function, now, item, &then));
        } else {
            then = apli_move(&item);
        }
        apli_array_release(apli_move(&now));
        TRY(put_at_path(env, array, path, 0, then));
    }
    return APL_OK;
}

/* One number or character into a simple array that holds its type and may be overwritten: whether that was the case. */
static bool assign_element(const AplEnv *env, AplArray *array, AplArray *const *subscripts, int count,
                           const AplArray *value) {
    int64_t position;
    bool weak;
    if (value->rank || value->type == APLI_NESTED || array->type == APLI_NESTED || !apli_may_overwrite(array) ||
        !apli_single_position(env, array, subscripts, count, &position) ||
        type_after(array, value, &weak) != (AplType)array->type)
        return false;
    apli_copy(array, position, value, 0, 1);
    array->weak = weak;
    return true;
}

/* Leading subscripts of one integer each, in range, the others elided: how many, and where the cell begins that they name. 0 where
   the subscripts are others. */
static int one_cell(const AplEnv *env, const AplArray *array, AplArray *const *subscripts, int count, int64_t *offset) {
    int axes = 0, axis = 0;
    if (count != array->rank) return 0;
    *offset = 0;
    for (; axis < count && subscripts[axis]; axes = ++axis) {
        const AplArray *subscript = subscripts[axis];
        if (subscript->count != 1 || subscript->form != APLI_PLAIN || !apli_type_is_integer((AplType)subscript->type)) return 0;
        const int64_t position = apli_i64_at(subscript, 0) - env->index_origin;
        if (position < 0 || position >= array->shape[axis]) return 0;
        *offset = *offset * array->shape[axis] + position;
    }
    for (; axis < count; axis++) {
        if (subscripts[axis]) return 0;
        *offset *= array->shape[axis];
    }
    return axes;
}

/* f32 into rows of 12 bits from element `offset` on: a cache's, few and of finite numbers. Whether that was the case. */
static bool pack_cell(AplArray *array, int64_t offset, const AplArray *value) {
    enum { MOST_BYTES = 4096 };
    uint8_t bytes[MOST_BYTES];
    const AplPackedLayout *layout = array->layout;
    const int64_t columns = apli_last_axis(array), row_bytes = apli_packed_row_bytes(layout, columns), rows = value->count / columns;
    const bool ours = array->references == 1 && array->storage->references == 1 && array->storage->place == APLI_HEAP &&
                      !array->storage->panels;
    if (!ours || value->type != APLI_F32 || layout->codec != APLI_CODEC_INT12 || layout->group || rows * row_bytes > MOST_BYTES ||
        !apli_kernels()->pack_int12((const float *)value->data, rows, columns, bytes))
        return false;
    memcpy(array->data + offset / columns * row_bytes, bytes, (size_t)(rows * row_bytes));
    return true;
}

/* All elements of one cell into an array that may be overwritten, of the value's type, or f16 or 12 bits for f32: a token's keys into
   the cache. Whether that was the case. */
static bool assign_cell(const AplEnv *env, AplArray *array, AplArray *const *subscripts, int count, const AplArray *value) {
    int64_t offset, wide[2][APLI_MAX_RANK];
    bool weak;
    const bool narrows = array->type == APLI_F16 && value->type == APLI_F32, packs = array->form == APLI_FORM_PACKED;
    if (array->type == APLI_NESTED || array->type == APLI_BOOL || value->count < 2 ||
        (!packs && ((array->type != value->type && !narrows) || !apli_may_overwrite(array))))
        return false;
    const int axes = one_cell(env, array, subscripts, count, &offset);
    if (!axes || axes == count) return false;
    const int ranks[2] = {wide_axes(value->rank, value->shape, wide[0]), wide_axes(count - axes, array->shape + axes, wide[1])};
    if (ranks[0] != ranks[1] || memcmp(wide[0], wide[1], (size_t)ranks[0] * sizeof **wide) != 0) return false;
    if (packs) return pack_cell(array, offset, value);
    if (type_after(array, value, &weak) != (AplType)array->type) return false;
    if (narrows)
        apli_kernels()->narrow_halves((const float *)value->data, value->count, (uint16_t *)array->data + offset);
    else apli_copy(array, offset, value, 0, value->count);
    array->weak = weak;
    return true;
}

/* ---- any assignment ------------------------------------------------------------------------------------------------ */

static AplErr assign(AplEnv *env, AplArray **array, const AplSelection *selection, AplArray *const *subscripts, int count,
                     const AplFunction *function, AplArray *value) {
    APLI_AUTO AplArray *then = NULL, *now = NULL;
    if (!function) {
        TRY(conforms(value, selection->rank, selection->shape));
        if (selection->count == 0) return APL_OK;
        if (selects_packed_rows(*array, selection, value)) return put_packed(array, selection, value);
        TRY(make_room(array, value));
        return put(*array, selection, value);
    }
    bool scalar_function = function->kind == APLI_FUNCTION_PRIM && !function->axis &&
                           (function->prim->flags & (APLI_SCALAR | APLI_NOT_SCALAR_DYADIC)) == APLI_SCALAR;
    if (scalar_function && has_repeats(selection)) {
        APLI_AUTO AplArray *elements = NULL;
        TRY(conforms(value, selection->rank, selection->shape));
        TRY(apli_selection_elements(selection, &elements));
        return modify_elements(env, array, elements, function, value);
    }
    TRY(apli_index(env, *array, subscripts, count, &now));
    APLI_AUTO AplArray *result = NULL;
    AplArray before = **array; /* the function may be the program's own and assign to the same name */
    int64_t shape[APLI_MAX_RANK];
    memcpy(shape, before.shape, before.rank * sizeof *shape);
    TRY(apli_call_operand(env, function, now, value, &result));
    before.shape = shape;
    FAIL_IF(!apli_same_shape(&before, *array), APL_DOMAIN, "the function changed the shape of the array to %s",
            apli_shape_text(*array));
    apli_array_release(apli_move(&now)); /* it may be a view of the array that is about to be written */
    TRY(apli_plain(result, &then));
    return assign(env, array, selection, subscripts, count, NULL, then);
}

AplErr apli_index_assign(AplEnv *env, AplArray **array, AplArray *const *subscripts, int count,
                         const AplFunction *function, AplArray *value) {
    APLI_AUTO AplArray *plain = NULL, *chosen = NULL, *kept = NULL;
    TRY(apli_plain(value, &plain));
    if (!function && (assign_element(env, *array, subscripts, count, plain) || assign_cell(env, *array, subscripts, count, plain)))
        return APL_OK;
    if (count == 1 && subscripts[0] && subscripts[0]->type == APLI_NESTED) {
        chosen = apli_array_retain(subscripts[0]);
        TRY(apli_simplify(&chosen));
    }
    if (chosen && chosen->type == APLI_NESTED) {
        /* several steps, any of which may fail: the variable keeps the old array until all are done */
        kept = apli_array_retain(*array);
        AplErr error = assign_chosen(env, &kept, chosen, function, plain);
        TRY(error);
        apli_array_release(*array);
        *array = apli_move(&kept);
        return APL_OK;
    }
    __attribute__((cleanup(apli_selection_free))) AplSelection selection = {0};
    AplArray *const *used = chosen ? &chosen : subscripts;
    TRY(apli_selection(env, *array, used, count, &selection));
    return assign(env, array, &selection, used, count, function, plain);
}
