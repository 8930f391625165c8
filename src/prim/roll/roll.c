/* ?X: a random number for each item, from ⍳N, or between 0 and 1 for 0. K?N: K different numbers from ⍳N in
   random order. */
#include "prim/structure.h"

#include <inttypes.h>
#include <math.h>

AplMonadic apli_roll;
AplDyadic apli_deal;

enum { BETWEEN_CHECKS = 1 << 18 }; /* numbers drawn */

static int64_t below(AplEnv *env, int64_t limit) {
    int64_t number = (int64_t)(apli_random(env) * (double)limit);
    return number < limit ? number : limit - 1;
}

static AplErr roll_nested(AplEnv *env, AplArray *right, AplArray **result) {
    APLI_AUTO AplArray *nested = NULL;
    TRY(apli_check(env));
    TRY(apli_array_new_like(APLI_NESTED, right, &nested));
    for (int64_t i = 0; i < right->count; i++)
        TRY(apli_roll(env, apli_items(right)[i], NULL, &apli_items(nested)[i]));
    if (right->count == 0) TRY(apli_fill(right, &apli_items(nested)[0]));
    TRY(apli_simplify(&nested));
    *result = apli_move(&nested);
    return APL_OK;
}

AplErr apli_roll(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    if (right->type == APLI_NESTED) return roll_nested(env, right, result);
    APLI_AUTO AplArray *limits = NULL, *numbers = NULL;
    TRY(apli_integers(right, "the argument of ?", &limits));
    bool fractions = false;
    for (int64_t i = 0; i < limits->count; i++) {
        int64_t limit = apli_integer_data(limits)[i];
        FAIL_IF(limit < 0, APL_DOMAIN, "a random number below %" PRId64, limit);
        fractions |= limit == 0;
    }
    TRY(apli_array_new_like(fractions ? APLI_F64 : APLI_I64, right, &numbers));
    for (int64_t i = 0; i < limits->count; i++) {
        if (i % BETWEEN_CHECKS == 0) TRY(apli_check(env));
        int64_t limit = apli_integer_data(limits)[i];
        if (!fractions) apli_integer_data(numbers)[i] = below(env, limit) + env->index_origin;
        else if (limit) ((double *)numbers->data)[i] = (double)(below(env, limit) + env->index_origin);
        else ((double *)numbers->data)[i] = fmax(apli_random(env), 0x1p-54);
    }
    numbers->weak = fractions;
    TRY(apli_squeeze(&numbers));
    *result = apli_move(&numbers);
    return APL_OK;
}

/* Fisher and Yates' shuffle of 0..limit-1, stopped after `count` exchanges. */
static AplErr shuffle(AplEnv *env, int64_t count, int64_t limit, int64_t *numbers) {
    APLI_AUTO AplArray *room = NULL;
    TRY(apli_vector_new(APLI_I64, limit, &room));
    int64_t *deck = apli_integer_data(room);
    for (int64_t i = 0; i < limit; i++) deck[i] = i;
    for (int64_t i = 0; i < count; i++) {
        if (i % BETWEEN_CHECKS == 0) TRY(apli_check(env));
        int64_t chosen = i + below(env, limit - i);
        numbers[i] = deck[chosen];
        deck[chosen] = deck[i];
    }
    return APL_OK;
}

/* Few of many: drawn again until new, remembered in an open-addressed table of at least twice the count. */
static AplErr draw(AplEnv *env, int64_t count, int64_t limit, int64_t *numbers) {
    uint64_t slots = 16;
    while (slots < 2 * (uint64_t)count) slots *= 2;
    APLI_AUTO AplArray *room = NULL;
    TRY(apli_array_zero(APLI_I64, 1, &(int64_t){(int64_t)slots}, &room));
    int64_t *table = apli_integer_data(room); /* number + 1; 0 is free */
    for (int64_t i = 0; i < count;) {
        if (i % BETWEEN_CHECKS == 0) TRY(apli_check(env));
        int64_t number = below(env, limit);
        uint64_t slot = (uint64_t)number * 0x9E3779B97F4A7C15u & (slots - 1);
        while (table[slot] && table[slot] != number + 1) slot = (slot + 1) & (slots - 1);
        if (table[slot]) continue;
        table[slot] = number + 1;
        numbers[i++] = number;
    }
    return APL_OK;
}

AplErr apli_deal(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    int64_t count, limit;
    APLI_AUTO AplArray *numbers = NULL;
    TRY(apli_integer(left, "the left argument of ?", &count));
    TRY(apli_integer(right, "the right argument of ?", &limit));
    FAIL_IF(count < 0 || count > limit, APL_DOMAIN, "%" PRId64 " different numbers of %" PRId64, count,
            limit);
    TRY(apli_vector_new(APLI_I64, count, &numbers));
    int64_t *data = apli_integer_data(numbers);
    TRY(count > limit / 8 ? shuffle(env, count, limit, data) : draw(env, count, limit, data));
    for (int64_t i = 0; i < count; i++) data[i] += env->index_origin;
    TRY(apli_squeeze(&numbers));
    *result = apli_move(&numbers);
    return APL_OK;
}
