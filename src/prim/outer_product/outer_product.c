/* A∘.f B: f between every item of A and every item of B; the result's shape is A's before B's. A scalar
   function runs over blocks of the table (prim/scalar), comparisons over whole rows (compare.c); any other is
   called for each pair. */
#include "prim/inner_product/inner_product.h"
#include "prim/operand.h"
#include "prim/outer_product/compare.h"

#include <string.h>

#define REPEAT(TYPE) \
    { \
        const TYPE *from = (const TYPE *)array->data; \
        TYPE *to = (TYPE *)repeated->data; \
        for (int64_t i = 0; i < array->count; i++) \
            for (int64_t j = 0; j < times; j++) *to++ = from[i]; \
        break; \
    }

AplErr apli_repeat_each(AplArray *array, int64_t times, AplArray **result) {
    APLI_AUTO AplArray *repeated = NULL;
    TRY(apli_result_new(array, 1, &(int64_t){array->count * times}, &repeated));
    if (repeated->count == 0) {
        *result = apli_move(&repeated);
        return APL_OK;
    }
    if (array->type == APLI_NESTED) {
        for (int64_t i = 0; i < repeated->count; i++)
            apli_items(repeated)[i] = apli_array_retain(apli_items(array)[i / times]);
    } else {
        switch (apli_types[array->type].bits) {
        case 1:
            for (int64_t i = 0; i < repeated->count; i++)
                apli_bit_set(repeated->data, i, apli_bit_get(array->data, i / times));
            break;
        case 8: REPEAT(uint8_t)
        case 16: REPEAT(uint16_t)
        case 32: REPEAT(uint32_t)
        default: REPEAT(uint64_t)
        }
    }
    *result = apli_move(&repeated);
    return APL_OK;
}

/* No pairs: the function says what its result would be. */
static AplErr no_pairs(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right, int rank,
                       const int64_t *shape, AplArray **result) {
    APLI_AUTO AplArray *a = NULL, *b = NULL, *table = NULL;
    const int64_t count = 0;
    TRY(apli_repeat_each(left, right->count, &a));
    TRY(apli_reshape_to(right, 1, &count, &b));
    TRY(apli_call_operand(env, function, a, b, &table));
    return apli_reshape_view(table, rank, shape, result);
}

/* The error of the first pair from `failed` on that has one. */
static AplErr report(AplEnv *env, const AplFunction *function, const AplArray *left, const AplArray *right, int64_t failed) {
    for (int64_t i = failed; i < left->count * right->count; i++) {
        APLI_AUTO AplArray *x = NULL, *y = NULL, *value = NULL;
        TRY(apli_item(left, i / right->count, &x));
        TRY(apli_item(right, i % right->count, &y));
        TRY(apli_call_operand(env, function, x, y, &value));
    }
    FAIL_IF(true, APL_DOMAIN, "an argument is outside the function's domain");
}

/* A scalar function of numbers, or a comparison of characters. *done is false where it must be called for each pair. */
static AplErr scalar_function(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right, int rank,
                              const int64_t *shape, AplArray **result, bool *done) {
    const AplScalarOp op = apli_function_op(function);
    TRY(apli_compare_table(env, op, left, right, rank, shape, result, done));
    if (*done || !apli_type_is_number((AplType)left->type) || !apli_type_is_number((AplType)right->type)) return APL_OK;
    int status;
    int64_t failed = 0;
    *done = true;
    TRY(apli_scalar_table(env, op, left, right, rank, shape, false, result, &status, &failed));
    if (status == APLI_SCALAR_OVERFLOW)
        TRY(apli_scalar_table(env, op, left, right, rank, shape, true, result, &status, &failed));
    return status ? report(env, function, left, right, failed) : APL_OK;
}

AplErr apli_outer_product(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right,
                          AplArray **result) {
    APLI_AUTO AplArray *a = NULL, *b = NULL, *table = NULL;
    int rank = left->rank + right->rank;
    FAIL_IF(rank > APLI_MAX_RANK, APL_LIMIT, "the result's rank would be %d", rank);
    int64_t shape[2 * APLI_MAX_RANK], count;
    memcpy(shape, left->shape, left->rank * sizeof *shape);
    memcpy(shape + left->rank, right->shape, right->rank * sizeof *shape);
    FAIL_IF(__builtin_mul_overflow(left->count, right->count, &count), APL_WS_FULL,
            "the table would have more elements than an array can have");
    TRY(apli_plain(left, &a));
    TRY(apli_plain(right, &b));
    if (apli_function_op(function) != APLI_OP_NONE) {
        bool done;
        if (count == 0) return no_pairs(env, function, a, b, rank, shape, result);
        TRY(scalar_function(env, function, a, b, rank, shape, result, &done));
        if (done) return APL_OK;
    }
    TRY(apli_array_new(APLI_NESTED, rank, shape, &table));
    AplErr error = APL_OK;
    for (int64_t i = 0; i < count && !error; i++) {
        APLI_AUTO AplArray *x = NULL, *y = NULL;
        error = apli_item(a, i / right->count, &x);
        if (!error) error = apli_item(b, i % right->count, &y);
        if (!error) error = apli_call_operand(env, function, x, y, &apli_items(table)[i]);
    }
    if (count == 0) error = apli_fill(right, &apli_items(table)[0]);
    TRY(error);
    TRY(apli_simplify(&table));
    *result = apli_move(&table);
    return APL_OK;
}
