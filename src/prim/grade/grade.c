/* ⍋X and ⍒X: the order of the major cells, equal ones as they stand. Single numbers and characters are sorted by their bytes
   (radix sort, the least significant first); longer cells and nested items by merging in the total order of arrays. A⍋X
   orders characters by the alphabet A: a vector, or an array whose last axis matters most. */
#include "prim/grade/order.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

typedef struct Keyed {
    uint64_t key;
    int64_t index;
} Keyed;

/* ---- single elements ------------------------------------------------------------------------------------------------ */

/* An unsigned number that orders as the element does. */
static uint64_t key_of(const AplArray *array, int64_t i) {
    AplType type = (AplType)array->type;
    if (apli_type_is_character(type)) return apli_char_at(array, i);
    if (apli_type_is_integer(type)) return (uint64_t)apli_i64_at(array, i) ^ 1ull << 63;
    double value = apli_f64_at(array, i);
    value = value == 0 ? 0 : value;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | 1ull << 63;
}

static void insertion_sort(Keyed *items, int64_t count) {
    for (int64_t i = 1; i < count; i++) {
        Keyed item = items[i];
        int64_t j = i;
        for (; j > 0 && items[j - 1].key > item.key; j--) items[j] = items[j - 1];
        items[j] = item;
    }
}

/* Sorts by one byte of the key after another, and skips bytes that are the same everywhere. Answers where the result lies. */
static AplErr radix_sort(AplEnv *env, Keyed *items, Keyed *other, int64_t count, Keyed **sorted) {
    enum { AT_ONCE = 1 << 20 };
    uint64_t differ = 0;
    for (int64_t i = 1; i < count; i++) differ |= items[i].key ^ items[0].key;
    for (int shift = 0; shift < 64; shift += 8) {
        if (!(differ >> shift & 0xFF)) continue;
        int64_t start[257] = {0};
        for (int64_t i = 0; i < count; i++) start[(items[i].key >> shift & 0xFF) + 1]++;
        for (int i = 0; i < 256; i++) start[i + 1] += start[i];
        for (int64_t begin = 0; begin < count; begin += AT_ONCE) {
            int64_t end = count - begin < AT_ONCE ? count : begin + AT_ONCE;
            TRY(apli_check(env));
            for (int64_t i = begin; i < end; i++) other[start[items[i].key >> shift & 0xFF]++] = items[i];
        }
        Keyed *swap = items;
        items = other;
        other = swap;
    }
    *sorted = items;
    return APL_OK;
}

static AplErr grade_elements(AplEnv *env, const AplArray *array, bool down, int64_t *order) {
    enum { FEW = 24 };
    int64_t count = array->count;
    Keyed few[FEW], *items = few;
    APLI_AUTO AplArray *room = NULL;
    if (count > FEW) {
        TRY(apli_vector_new(APLI_I64, 4 * count, &room));
        items = (Keyed *)room->data;
    }
    for (int64_t i = 0; i < count; i++) {
        uint64_t key = key_of(array, i);
        items[i] = (Keyed){down ? ~key : key, i};
    }
    if (count <= FEW) insertion_sort(items, count);
    else TRY(radix_sort(env, items, items + count, count, &items));
    for (int64_t i = 0; i < count; i++) order[i] = items[i].index;
    return APL_OK;
}

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

static AplErr grade_cells(AplEnv *env, const AplArray *array, int64_t count, int64_t cell, bool down, int64_t *order) {
    if (cell == 1 && array->type != APLI_NESTED) return grade_elements(env, array, down, order);
    APLI_AUTO AplArray *room = NULL;
    TRY(apli_vector_new(APLI_I64, count, &room));
    for (int64_t i = 0; i < count; i++) order[i] = i;
    return merge_sort(&(Sorting){env, array, cell, down ? -1 : 1}, order, apli_integer_data(room), count);
}

static AplErr finish(const AplEnv *env, AplArray **order, AplArray **result) {
    for (int64_t i = 0; i < (*order)->count; i++) apli_integer_data(*order)[i] += env->index_origin;
    TRY(apli_squeeze(order));
    *result = apli_move(order);
    return APL_OK;
}

static AplErr grade(AplEnv *env, AplArray *right, bool down, AplArray **result) {
    APLI_AUTO AplArray *order = NULL;
    FAIL_IF(right->rank == 0, APL_RANK, "a scalar has no order");
    TRY(apli_vector_new(APLI_I64, right->shape[0], &order));
    TRY(grade_cells(env, right, right->shape[0], apli_product(right->shape + 1, right->rank - 1), down,
                    apli_integer_data(order)));
    return finish(env, &order, result);
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
    APLI_AUTO AplArray *keys = NULL, *order = NULL;
    FAIL_IF(left->rank == 0 || right->rank == 0, APL_RANK, "%s of ⍋ is a scalar", left->rank ? "the right argument" : "the alphabet");
    FAIL_IF(!apli_type_is_character((AplType)left->type) && left->count, APL_DOMAIN, "the alphabet of ⍋ must be characters");
    FAIL_IF(!apli_type_is_character((AplType)right->type) && right->count, APL_DOMAIN,
            "only characters can be ordered by an alphabet");
    int64_t rows = right->shape[0], cell = apli_product(right->shape + 1, right->rank - 1);
    TRY(apli_vector_new(APLI_I64, rows, &order));
    if (right->count == 0 || left->count == 0) {
        for (int64_t i = 0; i < rows; i++) apli_integer_data(order)[i] = i;
        return finish(env, &order, result);
    }
    TRY(places(left, right, rows, cell, &keys));
    TRY(grade_cells(env, keys, rows, keys->shape[1], down, apli_integer_data(order)));
    return finish(env, &order, result);
}

AplErr apli_grade_up_by(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return grade_by(env, left, right, false, result);
}

AplErr apli_grade_down_by(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return grade_by(env, left, right, true, result);
}
