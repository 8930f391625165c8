/* B⊂X begins a new item of the result wherever B is not 0 (K times where B is K, all but the last of them empty) and leaves
   out what comes before the first; G⊆X begins one wherever G grows and leaves out where G is 0. Along the last axis, or [k]. */
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

/* The marks of the left argument as I64, a scalar repeated for each position. */
static AplErr marks_of(AplArray *left, int64_t length, AplArray **result) {
    APLI_AUTO AplArray *integers = NULL;
    TRY(apli_vector_argument(left, "the left argument of a partition"));
    TRY(apli_integers(left, "the left argument of a partition", &integers));
    for (int64_t i = 0; i < integers->count; i++)
        FAIL_IF(apli_integer_data(integers)[i] < 0, APL_DOMAIN, "%" PRId64 " in the left argument of a partition",
                apli_integer_data(integers)[i]);
    if (left->rank == 0) return apli_reshape_to(integers, 1, &length, result);
    *result = apli_move(&integers);
    return APL_OK;
}

static AplErr no_pieces(AplArray *array, int axis, AplArray **result) {
    APLI_AUTO AplArray *empty = NULL, *item = NULL;
    TRY(apli_vector_new(APLI_NESTED, 0, &empty));
    TRY(apli_range(array, axis, 0, 0, &item));
    TRY(apli_prototype(item, &apli_items(empty)[0]));
    *result = apli_move(&empty);
    return APL_OK;
}

AplErr apli_partitioned_enclose(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    APLI_AUTO AplArray *marks = NULL, *array = NULL, *plain = NULL, *pieces = NULL;
    TRY(apli_plain(right, &plain));
    if (plain->rank == 0) TRY(apli_reshape_view(plain, 1, &(int64_t){1}, &array));
    else array = apli_move(&plain);
    int along;
    TRY(apli_axis(env, axis, array->rank, array->rank - 1, &along));
    int64_t length = array->shape[along], count = 0;
    TRY(marks_of(left, length, &marks));
    FAIL_IF(marks->count > length + 1, APL_LENGTH, "%" PRId64 " marks for %" PRId64 " positions", marks->count, length);
    const int64_t *mark = apli_integer_data(marks);
    for (int64_t i = 0; i < marks->count; i++)
        FAIL_IF(__builtin_add_overflow(count, mark[i], &count), APL_LIMIT, "too many partitions");
    if (count == 0) return no_pieces(array, along, result);
    TRY(apli_vector_new(APLI_NESTED, count, &pieces));
    int64_t piece = -1, first = 0;
    for (int64_t i = 0; i < marks->count; i++) {
        for (int64_t begun = mark[i]; begun > 0; begun--) {
            if (piece >= 0) TRY(apli_range(array, along, first, i - first, &apli_items(pieces)[piece]));
            first = i;
            piece++;
        }
    }
    TRY(apli_range(array, along, first, length - first, &apli_items(pieces)[piece]));
    *result = apli_move(&pieces);
    return APL_OK;
}

AplErr apli_partition(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    APLI_AUTO AplArray *marks = NULL, *array = NULL, *pieces = NULL;
    FAIL_IF(right->rank == 0, APL_RANK, "a scalar cannot be partitioned");
    int along, rank = right->rank;
    TRY(apli_axis(env, axis, rank, rank - 1, &along));
    TRY(apli_axis_last(right, along, &array));
    int64_t shape[APLI_MAX_RANK], groups = 0, length = apli_last_axis(array);
    TRY(marks_of(left, length, &marks));
    FAIL_IF(marks->count != length, APL_LENGTH, "%" PRId64 " groups for %" PRId64 " positions", marks->count, length);
    const int64_t *mark = apli_integer_data(marks);
    for (int64_t i = 0; i < length; i++) groups += mark[i] > (i ? mark[i - 1] : 0);
    memcpy(shape, array->shape, (size_t)rank * sizeof *shape);
    shape[rank - 1] = groups;
    TRY(apli_array_new(APLI_NESTED, rank, shape, &pieces));
    if (pieces->count == 0) TRY(apli_cell_prototype(array, 1, &(int64_t){0}, &apli_items(pieces)[0]));
    for (int64_t outer = 0, piece = 0; groups && outer < pieces->count / groups; outer++) {
        for (int64_t i = 0, end; i < length; i = end) {
            for (end = i + 1; end < length && mark[end] && mark[end] <= mark[end - 1];) end++;
            if (mark[i] == 0) continue;
            TRY(apli_part(array, outer * length + i, 1, &(int64_t){end - i}, &apli_items(pieces)[piece++]));
        }
    }
    *result = apli_move(&pieces);
    /* the group axis goes back to where the partitioned axis was */
    if (along == rank - 1) return APL_OK;
    APLI_AUTO AplArray *moved = *result;
    int axes[APLI_MAX_RANK];
    for (int i = 0; i < rank; i++) axes[i] = i == along ? rank - 1 : i < along ? i : i - 1;
    *result = NULL;
    return apli_transpose_view(moved, axes, result);
}
