/* Subscripts become positions, checked once. */
#include "prim/index/index.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

bool apli_single_position(const AplEnv *env, const AplArray *array, AplArray *const *subscripts, int count,
                          int64_t *position) {
    if (count != array->rank) return false;
    *position = 0;
    for (int axis = 0; axis < count; axis++) {
        const AplArray *subscript = subscripts[axis];
        bool integer = subscript && subscript->rank == 0 && subscript->form == APLI_PLAIN &&
                       apli_type_is_integer((AplType)subscript->type);
        if (!integer) return false;
        int64_t number = apli_i64_at(subscript, 0), length = array->shape[axis];
        if (number < env->index_origin || number - env->index_origin >= length) return false;
        *position = *position * length + number - env->index_origin;
    }
    return true;
}

/* The subscript's numbers counted from 0, in range. */
static AplErr positions_of(const AplEnv *env, AplArray *subscript, int axis, int64_t length, AplArray **result) {
    APLI_AUTO AplArray *integers = NULL, *positions = NULL;
    TRY(apli_integers(subscript, "an index", &integers));
    if (apli_may_overwrite(integers)) {
        positions = apli_move(&integers);
    } else {
        TRY(apli_array_new_like(APLI_I64, integers, &positions));
        memcpy(positions->data, integers->data, (size_t)integers->count * sizeof(int64_t));
    }
    int64_t *position = apli_integer_data(positions), origin = env->index_origin;
    for (int64_t i = 0; i < positions->count; i++) {
        position[i] -= origin;
        FAIL_IF(position[i] < 0 || position[i] >= length, APL_INDEX,
                "index %" PRId64 " of axis %" PRId64 ", whose length is %" PRId64 " (⎕IO is %" PRId64 ")",
                position[i] + origin, axis + origin, length, origin);
    }
    *result = apli_move(&positions);
    return APL_OK;
}

AplErr apli_selection(const AplEnv *env, const AplArray *array, AplArray *const *subscripts, int count,
                      AplSelection *selection) {
    *selection = (AplSelection){.inner = 1, .count = 1};
    FAIL_IF(count != array->rank, APL_RANK, "%d subscripts for an array of rank %d", count, array->rank);
    for (int axis = 0; axis < count; axis++)
        if (subscripts[axis]) selection->axes = axis + 1;
    selection->inner = apli_product(array->shape + selection->axes, count - selection->axes);
    int64_t stride = selection->inner;
    for (int axis = selection->axes - 1; axis >= 0; axis--) {
        selection->strides[axis] = stride;
        stride *= array->shape[axis];
    }
    for (int axis = 0; axis < count; axis++) {
        AplArray *subscript = subscripts[axis];
        const int64_t *shape = subscript ? subscript->shape : &array->shape[axis];
        int rank = subscript ? subscript->rank : 1;
        FAIL_IF(selection->rank + rank > APLI_MAX_RANK, APL_LIMIT, "what is selected has a rank of more than %d",
                APLI_MAX_RANK);
        memcpy(selection->shape + selection->rank, shape, (size_t)rank * sizeof *shape);
        selection->rank += rank;
        if (subscript) TRY(positions_of(env, subscript, axis, array->shape[axis], &selection->positions[axis]));
        selection->lengths[axis] = subscript ? subscript->count : array->shape[axis];
    }
    for (int axis = 0; axis < count; axis++)
        FAIL_IF(__builtin_mul_overflow(selection->count, selection->lengths[axis], &selection->count), APL_WS_FULL,
                "the subscripts select more elements than an array can have");
    return APL_OK;
}

void apli_selection_free(AplSelection *selection) {
    for (int axis = 0; axis < selection->axes; axis++) apli_array_release(selection->positions[axis]);
}

void apli_selection_each(const AplSelection *selection,
                         void (*run)(void *context, int64_t base, const int64_t *positions, int64_t count, int64_t done),
                         void *context) {
    if (selection->count == 0) return;
    static const int64_t zero;
    if (selection->axes == 0) {
        run(context, 0, &zero, 1, 0);
        return;
    }
    int last = selection->axes - 1;
    const AplArray *last_positions = selection->positions[last];
    int64_t index[APLI_MAX_RANK] = {0}, combinations = apli_product(selection->lengths, last);
    int64_t part = selection->lengths[last] * selection->inner;
    for (int64_t i = 0; i < combinations; i++) {
        int64_t base = 0;
        for (int axis = 0; axis < last; axis++) {
            const AplArray *positions = selection->positions[axis];
            base += (positions ? apli_integer_data(positions)[index[axis]] : index[axis]) * selection->strides[axis];
        }
        run(context, base, apli_integer_data(last_positions), selection->lengths[last], i * part);
        for (int axis = last - 1; axis >= 0 && ++index[axis] == selection->lengths[axis]; axis--) index[axis] = 0;
    }
}

typedef struct Elements {
    int64_t *positions, inner;
} Elements;

static void put_elements(void *context, int64_t base, const int64_t *positions, int64_t count, int64_t done) {
    const Elements *elements = context;
    for (int64_t i = 0; i < count; i++)
        for (int64_t j = 0; j < elements->inner; j++)
            elements->positions[done++] = base + positions[i] * elements->inner + j;
}

AplErr apli_selection_elements(const AplSelection *selection, AplArray **result) {
    TRY(apli_vector_new(APLI_I64, selection->count, result));
    Elements elements = {apli_integer_data(*result), selection->inner};
    apli_selection_each(selection, put_elements, &elements);
    return APL_OK;
}
