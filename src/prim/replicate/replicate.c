/* N/X repeats each position of an axis N times; where N is negative come as many fills instead. N\X spreads the positions of
   an axis: each positive number repeats the next position, 0 is one fill, a negative number as many. */
#include "prim/structure.h"

#include "isa/isa.h"
#include "prim/structure_kernels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The positions of the ones, by words of 64 bits. */
static AplErr ones(const AplArray *mask, AplArray **result) {
    TRY(apli_vector_new(APLI_I64, apli_bits_count(mask->data, mask->count), result));
    int64_t *indices = apli_integer_data(*result), at = 0;
    for (int64_t first = 0; first < mask->count; first += 64) {
        uint64_t word = 0;
        int64_t rest = mask->count - first;
        memcpy(&word, mask->data + first / 8, rest < 64 ? (size_t)(rest + 7) / 8 : 8);
        if (rest < 64) word &= (1ull << rest) - 1;
        for (; word; word &= word - 1) indices[at++] = first + __builtin_ctzll(word);
    }
    return APL_OK;
}

/* ---- masks along the last axis --------------------------------------------------------------------------------------- */

enum { PART = 1 << 17 }; /* elements that one thread selects at a time; whole bytes of the mask */

/* One row under a mask; kept[p]: the ones before part p. */
typedef struct Masked {
    const uint8_t *mask;
    const uint8_t *from;
    uint8_t *to;
    const int64_t *kept;
    int width; /* of an element: 1 << width bytes */
    uint64_t fill;
} Masked;

static void compress_part(void *context, int64_t first, int64_t count) {
    const Masked *row = context;
    const int64_t *kept = row->kept + first / PART;
    apli_kernels()->structure->compress[row->width](row->to + (kept[0] << row->width), row->from + (first << row->width),
                                                    row->mask + first / 8, count, kept[1] - kept[0]);
}

static void expand_part(void *context, int64_t first, int64_t count) {
    const Masked *row = context;
    const int64_t *kept = row->kept + first / PART;
    apli_kernels()->structure->expand[row->width](row->to + (first << row->width), row->from + (kept[0] << row->width),
                                                  row->mask + first / 8, count, row->fill);
}

/* The ones before each part of a mask, and of all of it. */
static AplErr count_ones(const AplArray *mask, AplArray **result) {
    const int64_t parts = (mask->count + PART - 1) / PART;
    TRY(apli_vector_new(APLI_I64, parts + 1, result));
    int64_t *kept = apli_integer_data(*result);
    kept[0] = 0;
    for (int64_t i = 0; i < parts; i++) {
        const int64_t first = i * PART, count = mask->count - first < PART ? mask->count - first : PART;
        kept[i + 1] = kept[i] + apli_bits_count(mask->data + first / 8, count);
    }
    return APL_OK;
}

/* B/X or B\X of Booleans B, rows of `array` without boxes. *done is false where the general way must decide: more than one row
   of bits; and for \ where the ones are not as many as the positions. */
static AplErr by_mask(const AplArray *mask, const AplArray *array, bool expand, AplArray **result, bool *done) {
    APLI_AUTO AplArray *ones = NULL, *selected = NULL;
    const int64_t length = apli_last_axis(array), rows = length ? array->count / length : 0;
    *done = false;
    if (rows == 0 || array->type == APLI_NESTED || (array->type == APLI_BOOL && rows > 1)) return APL_OK;
    TRY(count_ones(mask, &ones));
    const int64_t *kept = apli_integer_data(ones), total = kept[ones->count - 1];
    if (expand && total != length) return APL_OK;
    int64_t shape[APLI_MAX_RANK], now = expand ? mask->count : total;
    memcpy(shape, array->shape, array->rank * sizeof *shape);
    shape[array->rank - 1] = now;
    TRY(apli_result_new(array, array->rank, shape, &selected));
    *done = true;
    if (array->type == APLI_BOOL) {
        const AplStructureKernels *kernels = apli_kernels()->structure;
        if (expand) kernels->expand_bits(selected->data, array->data, mask->data, mask->count);
        else kernels->compress_bits(selected->data, array->data, mask->data, mask->count);
    } else {
        Masked row = {mask->data, array->data, selected->data, kept, apli_width_of((AplType)array->type),
                      apli_type_is_character((AplType)array->type) ? ' ' : 0};
        for (int64_t i = 0; i < rows; i++, row.from += length << row.width, row.to += now << row.width)
            apli_in_parts(mask->count, PART, expand ? expand_part : compress_part, &row);
    }
    *result = apli_move(&selected);
    return APL_OK;
}

/* ---- any numbers -------------------------------------------------------------------------------------------------- */

/* The position that each position of the result comes from, -1 for a fill. `length` positions; one number serves all. */
static AplErr repeated(AplArray *left, int64_t length, AplArray **result) {
    APLI_AUTO AplArray *numbers = NULL;
    if (left->type == APLI_BOOL && left->count == length) return ones(left, result);
    TRY(apli_integers(left, "the left argument of /", &numbers));
    const int64_t *number = apli_integer_data(numbers);
    bool single = numbers->count == 1;
    int64_t count = 0;
    for (int64_t i = 0; i < length; i++)
        FAIL_IF(__builtin_add_overflow(count, llabs(number[single ? 0 : i]), &count), APL_WS_FULL,
                "the result of / has more positions than an array can have");
    TRY(apli_vector_new(APLI_I64, count, result));
    int64_t *indices = apli_integer_data(*result), at = 0;
    for (int64_t i = 0; i < length; i++) {
        int64_t times = number[single ? 0 : i];
        for (int64_t j = llabs(times); j > 0; j--) indices[at++] = times < 0 ? -1 : i;
    }
    return APL_OK;
}

/* The same for \: `length` positions are there, or a single one that serves all. */
static AplErr expanded(AplArray *left, int64_t length, AplArray **result) {
    APLI_AUTO AplArray *numbers = NULL;
    TRY(apli_integers(left, "the left argument of \\", &numbers));
    const int64_t *number = apli_integer_data(numbers);
    int64_t count = 0, used = 0;
    for (int64_t i = 0; i < numbers->count; i++) {
        used += number[i] > 0;
        FAIL_IF(__builtin_add_overflow(count, number[i] ? llabs(number[i]) : 1, &count), APL_WS_FULL,
                "the result of \\ has more positions than an array can have");
    }
    FAIL_IF(length != 1 && used != length, APL_LENGTH,
            "%" PRId64 " positive numbers on the left of \\ for %" PRId64 " positions", used, length);
    TRY(apli_vector_new(APLI_I64, count, result));
    int64_t *indices = apli_integer_data(*result), at = 0, next = 0;
    for (int64_t i = 0; i < numbers->count; i++) {
        int64_t times = number[i] ? llabs(number[i]) : 1;
        for (int64_t j = 0; j < times; j++) indices[at++] = number[i] > 0 ? (length == 1 ? 0 : next) : -1;
        next += number[i] > 0;
    }
    return APL_OK;
}

static AplErr replicate(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, bool first, AplArray **result) {
    APLI_AUTO AplArray *array = NULL, *indices = NULL, *spread = NULL;
    if (left->type == APLI_BOOL && left->rank == 0 && right->rank == 0 && !axis) { /* the condition of a branch */
        const int64_t count = left->data[0] & 1;
        return apli_reshape_to(right, 1, &count, result);
    }
    TRY(apli_vector_argument(left, "the left argument of /"));
    if (right->rank == 0) TRY(apli_reshape_view(right, 1, &(int64_t){1}, &array));
    else array = apli_array_retain(right);
    int along;
    TRY(apli_axis(env, axis, array->rank, first ? 0 : array->rank - 1, &along));
    int64_t length = array->shape[along];
    FAIL_IF(left->count != 1 && length != 1 && left->count != length, APL_LENGTH,
            "%" PRId64 " numbers on the left of /, axis %" PRId64 " of the right argument has length %" PRId64, left->count,
            along + env->index_origin, length);
    if (length == 1 && left->count != 1) { /* the one position serves every number */
        APLI_AUTO AplArray *zeros = NULL;
        TRY(apli_vector_new(APLI_I64, left->count, &zeros));
        memset(zeros->data, 0, (size_t)left->count * sizeof(int64_t));
        TRY(apli_select(array, along, apli_integer_data(zeros), left->count, &spread));
        apli_array_release(array);
        array = apli_move(&spread);
        length = left->count;
    }
    if (left->type == APLI_BOOL && left->count == length && along == array->rank - 1) {
        bool done;
        TRY(by_mask(left, array, false, result, &done));
        if (done) return APL_OK;
    }
    TRY(repeated(left, length, &indices));
    return apli_select(array, along, apli_integer_data(indices), indices->count, result);
}

AplErr apli_replicate(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    return replicate(env, left, right, axis, false, result);
}

AplErr apli_replicate_first(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    return replicate(env, left, right, axis, true, result);
}

static AplErr expand(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, bool first, AplArray **result) {
    APLI_AUTO AplArray *array = NULL, *indices = NULL;
    TRY(apli_vector_argument(left, "the left argument of \\"));
    if (right->rank == 0) TRY(apli_reshape_view(right, 1, &(int64_t){1}, &array));
    else array = apli_array_retain(right);
    int along;
    TRY(apli_axis(env, axis, array->rank, first ? 0 : array->rank - 1, &along));
    if (left->type == APLI_BOOL && along == array->rank - 1) {
        bool done;
        TRY(by_mask(left, array, true, result, &done));
        if (done) return APL_OK;
    }
    TRY(expanded(left, array->shape[along], &indices));
    return apli_select(array, along, apli_integer_data(indices), indices->count, result);
}

AplErr apli_expand(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    return expand(env, left, right, axis, false, result);
}

AplErr apli_expand_first(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    return expand(env, left, right, axis, true, result);
}
