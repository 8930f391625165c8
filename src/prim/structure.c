/* Selection along an axis, boxes, and the meeting of types. */
#include "prim/structure.h"

#include "os/parallel.h"

#include <string.h>

typedef struct Parts {
    int64_t count, part;
    AplPartRun *run;
    void *context;
} Parts;

static void run_part(void *context, int64_t unit, int thread) {
    (void)thread;
    const Parts *parts = context;
    const int64_t first = unit * parts->part, left = parts->count - first;
    parts->run(parts->context, first, left < parts->part ? left : parts->part);
}

void apli_in_parts(int64_t count, int64_t part, AplPartRun *run, void *context) {
    if (count <= part) {
        if (count > 0) run(context, 0, count);
        return;
    }
    apli_parallel((count + part - 1) / part, apli_parallel_threads(), run_part, &(Parts){count, part, run, context});
}

AplErr apli_result_new(const AplArray *like, int rank, const int64_t *shape, AplArray **result) {
    APLI_AUTO AplArray *array = NULL;
    TRY(apli_array_new((AplType)like->type, rank, shape, &array));
    array->weak = like->weak;
    if (like->type == APLI_NESTED && array->count == 0)
        TRY(apli_prototype(apli_items(like)[0], &apli_items(array)[0]));
    *result = apli_move(&array);
    return APL_OK;
}

#define FILL(TYPE, VALUE) \
    for (int64_t i = 0; i < count; i++) ((TYPE *)to->data)[index + i] = (TYPE)(VALUE);

void apli_fill_run(AplArray *to, int64_t index, int64_t count, AplArray *fill) {
    switch ((AplType)to->type) {
    case APLI_NESTED:
        for (int64_t i = 0; i < count; i++) apli_items(to)[index + i] = apli_array_retain(fill);
        return;
    case APLI_BOOL:
        for (; count > 0 && (index & 7); count--) apli_bit_set(to->data, index++, false);
        memset(to->data + (index >> 3), 0, (size_t)(count >> 3));
        for (index += count & ~7, count &= 7; count > 0; count--) apli_bit_set(to->data, index++, false);
        return;
    case APLI_CHAR8: FILL(uint8_t, ' ') return;
    case APLI_CHAR16: FILL(uint16_t, ' ') return;
    case APLI_CHAR32: FILL(uint32_t, ' ') return;
    default: {
        size_t size = apli_type_bytes((AplType)to->type, 1);
        memset(to->data + (size_t)index * size, 0, (size_t)count * size);
    }
    }
}

#define GATHER(TYPE) \
    { \
        const TYPE *source = (const TYPE *)from->data + from_index; \
        TYPE *target = (TYPE *)to->data + to_index; \
        const TYPE filling = characters ? (TYPE)' ' : 0; \
        for (int64_t i = 0; i < count; i++) target[i] = indices[i] < 0 ? filling : source[indices[i]]; \
        return; \
    }

static void gather_bits(uint8_t *to, int64_t to_index, const uint8_t *from, int64_t from_index, const int64_t *indices,
                        int64_t count) {
    for (int64_t i = 0; i < count; i++)
        apli_bit_set(to, to_index + i, indices[i] >= 0 && apli_bit_get(from, from_index + indices[i]));
}

void apli_gather_runs(AplArray *to, int64_t to_index, const AplArray *from, int64_t from_index, const int64_t *indices,
                      int64_t count, int64_t inner, AplArray *fill) {
    bool characters = apli_type_is_character((AplType)to->type), nested = to->type == APLI_NESTED;
    if (inner == 1 && !nested) {
        switch (apli_types[to->type].bits) {
        case 1: gather_bits(to->data, to_index, from->data, from_index, indices, count); return;
        case 8: GATHER(uint8_t)
        case 16: GATHER(uint16_t)
        case 32: GATHER(uint32_t)
        default: GATHER(uint64_t)
        }
    }
    for (int64_t i = 0; i < count; i++) {
        int64_t target = to_index + i * inner;
        if (indices[i] < 0) apli_fill_run(to, target, inner, fill);
        else apli_copy(to, target, from, from_index + indices[i] * inner, inner);
    }
}

/* The fill element of `from` when some index asks for it and it is not a constant of the type. */
static AplErr fill_if_asked(const AplArray *from, const int64_t *indices, int64_t count, AplArray **fill) {
    if (from->type != APLI_NESTED) return APL_OK;
    for (int64_t i = 0; i < count; i++)
        if (indices[i] < 0) return apli_fill(from, fill);
    return APL_OK;
}

AplErr apli_select(AplArray *from, int axis, const int64_t *indices, int64_t count, AplArray **result) {
    APLI_AUTO AplArray *selected = NULL, *fill = NULL;
    AplAround around = apli_around(from, axis);
    int64_t shape[APLI_MAX_RANK];
    memcpy(shape, from->shape, from->rank * sizeof *shape);
    shape[axis] = count;
    TRY(apli_result_new(from, from->rank, shape, &selected));
    if (selected->count) {
        TRY(fill_if_asked(from, indices, count, &fill));
        for (int64_t outer = 0; outer < around.outer; outer++)
            apli_gather_runs(selected, outer * count * around.inner, from, outer * around.length * around.inner, indices,
                             count, around.inner, fill);
    }
    *result = apli_move(&selected);
    return APL_OK;
}

AplErr apli_select_elements(AplArray *from, const int64_t *positions, int rank, const int64_t *shape, AplArray **result) {
    APLI_AUTO AplArray *selected = NULL, *fill = NULL;
    TRY(apli_result_new(from, rank, shape, &selected));
    if (selected->count) {
        TRY(fill_if_asked(from, positions, selected->count, &fill));
        apli_gather_runs(selected, 0, from, 0, positions, selected->count, 1, fill);
    }
    *result = apli_move(&selected);
    return APL_OK;
}

AplErr apli_part(AplArray *from, int64_t offset, int rank, const int64_t *shape, AplArray **result) {
    enum { WORTH_SHARING = 1024 }; /* bytes */
    int64_t count = apli_product(shape, rank);
    if (apli_type_bytes((AplType)from->type, count) >= WORTH_SHARING) return apli_view(from, offset, rank, shape, result);
    TRY(apli_result_new(from, rank, shape, result));
    if (count) apli_copy(*result, 0, from, offset, count);
    return APL_OK;
}

AplErr apli_range(AplArray *from, int axis, int64_t first, int64_t count, AplArray **result) {
    AplAround around = apli_around(from, axis);
    int64_t shape[APLI_MAX_RANK];
    memcpy(shape, from->shape, from->rank * sizeof *shape);
    shape[axis] = count;
    if (around.outer == 1) return apli_part(from, first * around.inner, from->rank, shape, result);
    TRY(apli_result_new(from, from->rank, shape, result));
    int64_t run = count * around.inner;
    for (int64_t outer = 0; run && outer < around.outer; outer++)
        apli_copy(*result, outer * run, from, (outer * around.length + first) * around.inner, run);
    return APL_OK;
}

void apli_copy_box(AplArray *to, int64_t to_base, const int64_t *to_shape, const int64_t *to_start, const AplArray *from,
                   const int64_t *from_start, const int64_t *extent) {
    int rank = from->rank, run_axis = rank; /* axes from run_axis on are whole on both sides: one run */
    int64_t run = 1;
    while (run_axis > 0) {
        run *= extent[--run_axis];
        if (extent[run_axis] != to_shape[run_axis] || extent[run_axis] != from->shape[run_axis]) break;
    }
    int64_t index[APLI_MAX_RANK] = {0}, runs = apli_product(extent, run_axis);
    if (run == 0) return;
    for (int64_t i = 0; i < runs; i++) {
        int64_t target = 0, source = 0;
        for (int axis = 0; axis < rank; axis++) {
            int64_t at = axis < run_axis ? index[axis] : 0;
            target = target * to_shape[axis] + to_start[axis] + at;
            source = source * from->shape[axis] + from_start[axis] + at;
        }
        apli_copy(to, to_base + target, from, source, run);
        for (int axis = run_axis - 1; axis >= 0 && ++index[axis] == extent[axis]; axis--) index[axis] = 0;
    }
}

AplType apli_meet(const AplArray *a, const AplArray *b, bool *weak) {
    AplType x = (AplType)a->type, y = (AplType)b->type;
    *weak = false;
    if (x == APLI_PACKED) x = APLI_F32;
    if (y == APLI_PACKED) y = APLI_F32;
    bool asked_a = apli_type_is_real(x) && !a->weak, asked_b = apli_type_is_real(y) && !b->weak;
    bool numbers = apli_type_is_number(x) && apli_type_is_number(y);
    if (b->count == 0 && !(numbers && asked_b && a->count)) {
        *weak = a->weak;
        return x;
    }
    if (a->count == 0 && !(numbers && asked_a)) {
        *weak = b->weak;
        return y;
    }
    if (a->weak && asked_b) return y;
    if (b->weak && asked_a) return x;
    AplType type = apli_type_join(x, y);
    *weak = type == APLI_F64 && !asked_a && !asked_b;
    return type;
}

AplType apli_meet_all(AplArray *const *items, int64_t count, bool *weak) {
    AplArray so_far = *items[0]; /* only its type, weakness and count are read */
    for (int64_t i = 0; i < count; i++) {
        if (items[i]->type == so_far.type && items[i]->weak == so_far.weak && so_far.count) continue;
        bool now_weak;
        so_far.type = (uint8_t)apli_meet(&so_far, items[i], &now_weak);
        so_far.weak = now_weak;
        so_far.count += items[i]->count;
    }
    *weak = so_far.weak;
    return (AplType)so_far.type;
}

AplErr apli_simplify(AplArray **array) {
    AplArray *nested = *array;
    if (nested->type != APLI_NESTED || nested->form != APLI_PLAIN || nested->count == 0) return APL_OK;
    AplArray *const *items = apli_items(nested);
    for (int64_t i = 0; i < nested->count; i++)
        if (items[i]->rank || items[i]->type == APLI_NESTED || items[i]->form != APLI_PLAIN) return APL_OK;
    bool weak;
    AplType type = apli_meet_all(items, nested->count, &weak);
    if (type == APLI_NESTED) return APL_OK;
    AplArray *simple;
    TRY(apli_array_new_like(type, nested, &simple));
    simple->weak = weak;
    for (int64_t i = 0; i < nested->count; i++) apli_copy(simple, i, items[i], 0, 1);
    apli_array_release(nested);
    *array = simple;
    return APL_OK;
}

AplErr apli_axis_last(AplArray *array, int axis, AplArray **result) {
    if (axis == array->rank - 1) return apli_plain(array, result);
    int axes[APLI_MAX_RANK], last = array->rank - 1;
    APLI_AUTO AplArray *view = NULL;
    for (int i = 0; i <= last; i++) axes[i] = i == last ? axis : i < axis ? i : i + 1;
    TRY(apli_transpose_view(array, axes, &view));
    return apli_plain(view, result);
}

AplErr apli_cell_prototype(const AplArray *array, int rank, const int64_t *shape, AplArray **result) {
    APLI_AUTO AplArray *empty = NULL, *cell = NULL;
    TRY(apli_result_new(array, 1, &(int64_t){0}, &empty));
    TRY(apli_reshape_to(empty, rank, shape, &cell));
    return apli_prototype(cell, result);
}

bool apli_is_flat(const AplArray *array) {
    if (array->type != APLI_NESTED) return true;
    for (int64_t i = 0; i < (array->count ? array->count : 1); i++)
        if (apli_items(array)[i]->rank || apli_items(array)[i]->type == APLI_NESTED) return false;
    return true;
}

AplErr apli_vector_argument(const AplArray *array, const char *what) {
    FAIL_IF(array->rank > 1, APL_RANK, "%s must be a scalar or a vector, its shape is %s", what, apli_shape_text(array));
    return APL_OK;
}
