/* X⊥Y: the numbers whose digits lie along Y's first axis, in the radices along X's last. X⊤Y: the digits of Y in the radices
   along X's first axis; a radix of 0 takes what is left. Integers exactly, where 64 bits hold them; reals with the tolerant
   residue. */
#include "prim/structure.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static AplErr numbers_only(const AplArray *array, const char *what) {
    FAIL_IF(array->count && !apli_type_is_number((AplType)array->type), APL_DOMAIN, "%s must be numbers, not %s", what,
            apli_types[array->type].kind == APLI_KIND_CHARACTER ? "characters" : "nested");
    return APL_OK;
}

static bool both_integers(const AplArray *a, const AplArray *b) {
    return (a->count == 0 || apli_type_is_integer((AplType)a->type)) &&
           (b->count == 0 || apli_type_is_integer((AplType)b->type));
}

/* Computed in f64: gives it the type in which the arguments meet. */
static AplErr in_type(const AplArray *left, const AplArray *right, AplArray **computed, AplArray **result) {
    bool weak;
    AplType type = apli_meet(left, right, &weak);
    if (!apli_type_is_real(type)) {
        type = APLI_F64;
        weak = true;
    }
    (*computed)->weak = weak;
    if (type == APLI_F64) {
        *result = apli_move(computed);
        return APL_OK;
    }
    return apli_convert(*computed, type, result);
}

/* ---- ⊥ ----------------------------------------------------------------------------------------------------------- */

/* rows × length radices (or one for all), length × columns digits (or one row for all). */
typedef struct Digits {
    int64_t rows, columns, length, radices, digits;
} Digits;

static bool decode_integers(const Digits *d, const int64_t *x, const int64_t *y, int64_t *to) {
    bool overflow = false;
    for (int64_t row = 0; row < d->rows; row++) {
        for (int64_t column = 0; column < d->columns; column++) {
            int64_t value = 0;
            for (int64_t i = 0; i < d->length; i++) {
                int64_t radix = x[row * d->radices + (d->radices == 1 ? 0 : i)];
                overflow |= __builtin_mul_overflow(value, radix, &value);
                overflow |= __builtin_add_overflow(value, y[(d->digits == 1 ? 0 : i) * d->columns + column], &value);
            }
            to[row * d->columns + column] = value;
        }
    }
    return !overflow;
}

static void decode_reals(const Digits *d, const double *x, const double *y, double *to) {
    for (int64_t row = 0; row < d->rows; row++) {
        for (int64_t column = 0; column < d->columns; column++) {
            double value = 0;
            for (int64_t i = 0; i < d->length; i++)
                value = value * x[row * d->radices + (d->radices == 1 ? 0 : i)] +
                        y[(d->digits == 1 ? 0 : i) * d->columns + column];
            to[row * d->columns + column] = value;
        }
    }
}

AplErr apli_decode(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    TRY(numbers_only(left, "the radices of ⊥"));
    TRY(numbers_only(right, "the digits of ⊥"));
    int left_rank = left->rank ? left->rank - 1 : 0, right_rank = right->rank ? right->rank - 1 : 0;
    Digits d = {.radices = apli_last_axis(left), .digits = right->rank ? right->shape[0] : 1};
    FAIL_IF(d.radices != d.digits && d.radices != 1 && d.digits != 1, APL_LENGTH,
            "last axis of ⍺ is %" PRId64 ", first axis of ⍵ is %" PRId64, d.radices, d.digits);
    FAIL_IF(left_rank + right_rank > APLI_MAX_RANK, APL_LIMIT, "rank %d is more than %d", left_rank + right_rank,
            APLI_MAX_RANK);
    d.length = d.radices == 1 ? d.digits : d.radices;
    d.rows = apli_product(left->shape, left_rank);
    d.columns = right->rank ? apli_product(right->shape + 1, right_rank) : 1;
    int64_t shape[2 * APLI_MAX_RANK];
    memcpy(shape, left->shape, (size_t)left_rank * sizeof *shape);
    if (right_rank) memcpy(shape + left_rank, right->shape + 1, (size_t)right_rank * sizeof *shape);
    APLI_AUTO AplArray *x = NULL, *y = NULL, *decoded = NULL;
    if (both_integers(left, right)) {
        APLI_AUTO AplArray *whole_x = NULL, *whole_y = NULL, *whole = NULL;
        TRY(apli_convert(left, APLI_I64, &whole_x));
        TRY(apli_convert(right, APLI_I64, &whole_y));
        TRY(apli_array_new(APLI_I64, left_rank + right_rank, shape, &whole));
        if (decode_integers(&d, apli_integer_data(whole_x), apli_integer_data(whole_y), apli_integer_data(whole))) {
            TRY(apli_squeeze(&whole));
            *result = apli_move(&whole);
            return APL_OK;
        }
    }
    TRY(apli_convert(left, APLI_F64, &x));
    TRY(apli_convert(right, APLI_F64, &y));
    TRY(apli_array_new(APLI_F64, left_rank + right_rank, shape, &decoded));
    decode_reals(&d, (const double *)x->data, (const double *)y->data, (double *)decoded->data);
    for (int64_t i = 0; i < decoded->count; i++)
        FAIL_IF(!isfinite(((const double *)decoded->data)[i]), APL_DOMAIN, "the number is too large");
    return in_type(left, right, &decoded, result);
}

/* ---- ⊤ ----------------------------------------------------------------------------------------------------------- */

/* The digit of *value in `radix`; what is left to the digits before it stays in *value. */
static int64_t take_digit(int64_t *value, int64_t radix) {
    int64_t whole = *value;
    if (radix == 0) {
        *value = 0;
        return whole;
    }
    if (radix == -1) { /* the only quotient that may overflow */
        *value = whole == INT64_MIN ? INT64_MAX : -whole;
        return 0;
    }
    int64_t digit = whole % radix;
    if (digit && (digit < 0) != (radix < 0)) digit += radix;
    *value = whole / radix - (whole % radix && (whole % radix < 0) != (radix < 0));
    return digit;
}

static double take_real_digit(double *value, double radix, double tolerance) {
    double whole = *value;
    if (radix == 0) {
        *value = 0;
        return whole;
    }
    double quotient = whole / radix, nearest = round(quotient);
    if (tolerance > 0 && apli_tolerant_equal(quotient, nearest, tolerance)) {
        *value = nearest;
        return 0;
    }
    *value = floor(quotient);
    return whole - *value * radix;
}

AplErr apli_encode(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    TRY(numbers_only(left, "the radices of ⊤"));
    TRY(numbers_only(right, "the right argument of ⊤"));
    FAIL_IF(left->rank + right->rank > APLI_MAX_RANK, APL_LIMIT, "rank %d is more than %d", left->rank + right->rank,
            APLI_MAX_RANK);
    int64_t length = left->rank ? left->shape[0] : 1, sets = length ? left->count / length : 0, count = right->count;
    int64_t shape[2 * APLI_MAX_RANK];
    memcpy(shape, left->shape, left->rank * sizeof *shape);
    memcpy(shape + left->rank, right->shape, right->rank * sizeof *shape);
    bool integers = both_integers(left, right);
    APLI_AUTO AplArray *x = NULL, *y = NULL, *digits = NULL;
    AplType type = integers ? APLI_I64 : APLI_F64;
    TRY(apli_convert(left, left->count ? type : (AplType)left->type, &x));
    TRY(apli_convert(right, right->count ? type : (AplType)right->type, &y));
    TRY(apli_array_new(type, left->rank + right->rank, shape, &digits));
    for (int64_t set = 0; digits->count && set < sets; set++) {
        for (int64_t i = 0; i < count; i++) {
            int64_t value = integers ? apli_integer_data(y)[i] : 0;
            double real = integers ? 0 : ((const double *)y->data)[i];
            for (int64_t k = length - 1; k >= 0; k--) {
                int64_t at = (k * sets + set) * count + i, radix = k * sets + set;
                if (integers) apli_integer_data(digits)[at] = take_digit(&value, apli_integer_data(x)[radix]);
                else ((double *)digits->data)[at] =
                    take_real_digit(&real, ((const double *)x->data)[radix], env->comparison_tolerance);
            }
        }
    }
    if (!integers) return in_type(left, right, &digits, result);
    TRY(apli_squeeze(&digits));
    *result = apli_move(&digits);
    return APL_OK;
}
