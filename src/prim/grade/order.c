/* The total order of arrays. */
#include "prim/grade/order.h"

#include <string.h>

static int compare_numbers(double a, double b) { return a < b ? -1 : a > b ? 1 : a != a ? (b != b ? 0 : -1) : b != b; }

static int compare_elements(const AplArray *a, int64_t i, const AplArray *b, int64_t j) {
    AplType x = (AplType)a->type, y = (AplType)b->type;
    if (x == APLI_NESTED || y == APLI_NESTED) {
        APLI_AUTO AplArray *left = NULL, *right = NULL;
        if (apli_item(a, i, &left) || apli_item(b, j, &right)) return 0;
        return apli_compare(left, right);
    }
    bool left_character = apli_type_is_character(x), right_character = apli_type_is_character(y);
    if (left_character != right_character) return left_character ? 1 : -1;
    if (left_character) {
        uint32_t left = apli_char_at(a, i), right = apli_char_at(b, j);
        return left < right ? -1 : left > right;
    }
    if (apli_type_is_integer(x) && apli_type_is_integer(y)) {
        int64_t left = apli_i64_at(a, i), right = apli_i64_at(b, j);
        return left < right ? -1 : left > right;
    }
    return compare_numbers(apli_f64_at(a, i), apli_f64_at(b, j));
}

int apli_compare_cells(const AplArray *a, int64_t i, const AplArray *b, int64_t j, int64_t cell) {
    for (int64_t k = 0; k < cell; k++) {
        int order = compare_elements(a, i * cell + k, b, j * cell + k);
        if (order) return order;
    }
    return 0;
}

/* Element of `array` at `index` of a shape of `rank` axes in which it is seen with leading axes of length 1; -1 outside. */
static int64_t seen_at(const AplArray *array, int rank, const int64_t *index) {
    int missing = rank - array->rank;
    int64_t position = 0;
    for (int i = 0; i < rank; i++) {
        int64_t length = i < missing ? 1 : array->shape[i - missing];
        if (index[i] >= length) return -1;
        position = position * length + index[i];
    }
    return position;
}

static int compare_plain(const AplArray *a, const AplArray *b) {
    int rank = a->rank > b->rank ? a->rank : b->rank;
    int64_t shape[APLI_MAX_RANK], index[APLI_MAX_RANK] = {0}, count = 1;
    for (int i = 0; i < rank; i++) {
        int64_t x = i < rank - a->rank ? 1 : a->shape[i - (rank - a->rank)];
        int64_t y = i < rank - b->rank ? 1 : b->shape[i - (rank - b->rank)];
        shape[i] = x > y ? x : y;
        count *= shape[i];
    }
    for (int64_t n = 0; n < count; n++) {
        int64_t i = seen_at(a, rank, index), j = seen_at(b, rank, index);
        int order = i < 0 || j < 0 ? (i >= 0) - (j >= 0) : compare_elements(a, i, b, j);
        if (order) return order;
        for (int k = rank - 1; k >= 0 && ++index[k] == shape[k]; k--) index[k] = 0;
    }
    if (a->rank != b->rank) return a->rank < b->rank ? -1 : 1;
    for (int i = 0; i < rank; i++)
        if (a->shape[i] != b->shape[i]) return a->shape[i] < b->shape[i] ? -1 : 1;
    if (a->count) return 0;
    return apli_type_is_character((AplType)a->type) - apli_type_is_character((AplType)b->type);
}

int apli_compare(const AplArray *a, const AplArray *b) {
    APLI_AUTO AplArray *x = NULL, *y = NULL;
    if (apli_plain((AplArray *)a, &x) || apli_plain((AplArray *)b, &y)) return 0;
    return compare_plain(x, y);
}
