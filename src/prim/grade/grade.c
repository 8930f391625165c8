/* ⍋X and ⍒X: the order of the major cells, equal ones as they stand. Single numbers and characters are sorted by
   digits (radix.c), longer cells and nested items by merging in the total order of arrays. A⍋X
   orders characters by the alphabet A: a vector, or an array whose last axis matters most. */
#include "prim/grade/order.h"
#include "prim/grade/radix.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

/* ---- cells ------------------------------------------------------------------------------------------------------------ */

typedef struct Sorting {
    AplEnv *env;
    const AplArray *array;
    int64_t cell;
    int sign; /* -1: descending */
} Sorting;

static AplErr merge_sort(const Sorting *sorting, int64_t *order, int64_t *room, int64_t count) {
    if (count < 2) return APL_OK;
    int64_t half = count / 2;
    TRY(apli_check(sorting->env));
    TRY(merge_sort(sorting, order, room, half));
    TRY(merge_sort(sorting, order + half, room, count - half));
    memcpy(room, order, (size_t)half * sizeof *room);
    for (int64_t i = 0, j = half, at = 0; i < half; at++) {
        bool take_left = j == count || sorting->sign * apli_compare_cells(sorting->array, room[i], sorting->array, order[j],
                                                                         sorting->cell) <= 0;
        order[at] = take_left ? room[i++] : order[j++];
    }
    return APL_OK;
}

static AplErr grade_cells(AplEnv *env, AplArray *array, int64_t count, int64_t cell, bool down, AplArray **result) {
    if (cell == 1 && array->type != APLI_NESTED) return apli_order_elements(env, array, down, result);
    APLI_AUTO AplArray *order = NULL, *room = NULL;
    TRY(apli_vector_new(APLI_I64, count, &order));
    TRY(apli_vector_new(APLI_I64, count, &room));
    int64_t *positions = apli_integer_data(order);
    for (int64_t i = 0; i < count; i++) positions[i] = i;
    TRY(merge_sort(&(Sorting){env, array, cell, down ? -1 : 1}, positions, apli_integer_data(room), count));
    for (int64_t i = 0; i < count; i++) positions[i] += env->index_origin;
    TRY(apli_squeeze(&order));
    *result = apli_move(&order);
    return APL_OK;
}

static AplErr grade(AplEnv *env, AplArray *right, bool down, AplArray **result) {
    FAIL_IF(right->rank == 0, APL_RANK, "a scalar has no order");
    return grade_cells(env, right, right->shape[0], apli_product(right->shape + 1, right->rank - 1), down, result);
}

AplErr apli_grade_up(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return grade(env, right, false, result);
}

AplErr apli_grade_down(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return grade(env, right, true, result);
}

/* ---- by an alphabet ----------------------------------------------------------------------------------------------------- */

/* Cells of places in the alphabet: for each axis of it, the last first, the coordinate of every character of the cell. A
   character that is not there comes last. */
static AplErr places(const AplArray *alphabet, const AplArray *text, int64_t rows, int64_t cell, AplArray **result) {
    int rank = alphabet->rank;
    APLI_AUTO AplArray *table = NULL, *keys = NULL;
    TRY(apli_array_new(APLI_I64, 2, (int64_t[]){rows, rank * cell}, &keys));
    uint32_t most = 0;
    for (int64_t i = 0; i < alphabet->count; i++) most = apli_char_at(alphabet, i) > most ? apli_char_at(alphabet, i) : most;
    /* for each character and axis its least coordinate, as each axis is looked at by itself */
    TRY(apli_array_new(APLI_I64, 2, (int64_t[]){(int64_t)most + 1, rank}, &table));
    int64_t *coordinate = apli_integer_data(table);
    for (int64_t i = 0; i <= (int64_t)most; i++)
        for (int axis = 0; axis < rank; axis++) coordinate[i * rank + axis] = alphabet->shape[axis];
    for (int64_t i = 0; i < alphabet->count; i++) {
        int64_t rest = i, *of = coordinate + (int64_t)apli_char_at(alphabet, i) * rank;
        for (int axis = rank - 1; axis >= 0; axis--) {
            int64_t here = rest % alphabet->shape[axis];
            rest /= alphabet->shape[axis];
            if (here < of[axis]) of[axis] = here;
        }
    }
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t k = 0; k < cell; k++) {
            uint32_t character = apli_char_at(text, row * cell + k);
            for (int axis = 0; axis < rank; axis++)
                apli_integer_data(keys)[(row * rank + rank - 1 - axis) * cell + k] =
                    character <= most ? coordinate[(int64_t)character * rank + axis] : alphabet->shape[axis];
        }
    }
    *result = apli_move(&keys);
    return APL_OK;
}

static AplErr grade_by(AplEnv *env, AplArray *left, AplArray *right, bool down, AplArray **result) {
    APLI_AUTO AplArray *keys = NULL;
    FAIL_IF(left->rank == 0 || right->rank == 0, APL_RANK, "%s of ⍋ is a scalar", left->rank ? "the right argument" : "the alphabet");
    FAIL_IF(!apli_type_is_character((AplType)left->type) && left->count, APL_DOMAIN, "the alphabet of ⍋ must be characters");
    FAIL_IF(!apli_type_is_character((AplType)right->type) && right->count, APL_DOMAIN,
            "only characters can be ordered by an alphabet");
    int64_t rows = right->shape[0], cell = apli_product(right->shape + 1, right->rank - 1);
    if (right->count == 0 || left->count == 0) { /* all rows are equal */
        TRY(apli_array_zero(APLI_I8, 1, &rows, &keys));
        return grade_cells(env, keys, rows, 1, down, result);
    }
    TRY(places(left, right, rows, cell, &keys));
    return grade_cells(env, keys, rows, keys->shape[1], down, result);
}

AplErr apli_grade_up_by(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return grade_by(env, left, right, false, result);
}

AplErr apli_grade_down_by(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return grade_by(env, left, right, true, result);
}
