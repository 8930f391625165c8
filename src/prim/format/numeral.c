/* Numbers to decimal digits. */
#include "prim/format/numeral.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXACT_REAL_DIGITS = 16, SAFE_DIGITS = 15, MOST_ZEROS = 5 };

static void strip_zeros(AplNumeral *numeral) {
    while (numeral->digit_count > 1 && numeral->digits[numeral->digit_count - 1] == '0')
        numeral->digit_count--;
    if (numeral->digits[0] == '0') *numeral = (AplNumeral){.digit_count = 1, .digits = "0"};
}

void apli_numeral_round(AplNumeral *numeral, int count) {
    if (numeral->infinite || count >= numeral->digit_count) return;
    bool up = count >= 0 && numeral->digits[count] >= '5';
    numeral->digit_count = count > 0 ? count : 0;
    int i = numeral->digit_count - 1;
    for (; up && i >= 0 && numeral->digits[i] == '9'; i--) numeral->digit_count--;
    if (up && i >= 0) numeral->digits[i]++;
    if (up && i < 0) {
        numeral->digits[0] = '1';
        numeral->digit_count = 1;
        numeral->exponent++;
    }
    if (numeral->digit_count == 0) *numeral = (AplNumeral){.digit_count = 1, .digits = "0"};
    strip_zeros(numeral);
}

/* From the text of %e. */
static void from_text(const char *text, AplNumeral *numeral) {
    int count = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && count < APLI_NUMERAL_DIGITS) numeral->digits[count++] = *text;
    numeral->digit_count = count;
    numeral->exponent = *text ? atoi(text + 1) : 0;
    strip_zeros(numeral);
}

static void from_real(double value, int digits, AplNumeral *numeral) {
    char text[48];
    snprintf(text, sizeof text, "%.*e", digits - 1, fabs(value));
    from_text(text, numeral);
    numeral->negative = value < 0;
}

/* Fewest digits that tell a number of a narrow type from its neighbours: 6 to 9 for f32, 3 to 5 for f16, 2
   to 4 for bf16. */
static void from_narrow(AplType type, double value, AplNumeral *numeral) {
    int digits = type == APLI_F32 ? 6 : type == APLI_F16 ? 3 : 2;
    for (int last = digits + (type == APLI_F32 ? 3 : 2); digits < last; digits++) {
        char text[48];
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        float read = strtof(text, NULL);
        if (type == APLI_F16) read = apli_f16_to_f32(apli_f32_to_f16(read));
        if (type == APLI_BF16) read = apli_bf16_to_f32(apli_f32_to_bf16(read));
        if (read == (float)value) break;
    }
    from_real(value, digits, numeral);
}

static void from_integer(int64_t value, AplNumeral *numeral) {
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char reversed[24];
    int count = 0;
    do reversed[count++] = (char)('0' + left % 10);
    while (left /= 10);
    for (int i = 0; i < count; i++) numeral->digits[i] = reversed[count - 1 - i];
    numeral->digit_count = count;
    numeral->exponent = count - 1;
    strip_zeros(numeral);
    numeral->negative = value < 0;
}

/* All the digits of the element: `real_digits` of an f64. */
static void take(const AplArray *array, int64_t index, int real_digits, AplNumeral *numeral) {
    memset(numeral, 0, sizeof *numeral);
    AplType type = (AplType)array->type;
    if (apli_type_is_integer(type)) {
        from_integer(apli_i64_at(array, index), numeral);
        return;
    }
    double value = apli_f64_at(array, index);
    if (isnan(value) || isinf(value)) {
        numeral->infinite = isnan(value) ? 'n' : 'i';
        numeral->negative = isinf(value) && value < 0;
        numeral->digit_count = 1;
    } else if (type == APLI_F64) {
        from_real(value, real_digits, numeral);
    } else {
        from_narrow(type, value, numeral);
    }
}

void apli_numeral_exact(const AplArray *array, int64_t index, AplNumeral *numeral) {
    take(array, index, EXACT_REAL_DIGITS, numeral);
    /* 8.45 is 8.449999999999999 in 16 digits: 15 say what was meant */
    AplNumeral shorter = *numeral;
    apli_numeral_round(&shorter, SAFE_DIGITS);
    if (array->type == APLI_F64 && shorter.digit_count < SAFE_DIGITS) *numeral = shorter;
}

void apli_numeral(const AplArray *array, int64_t index, int precision, AplNumeral *numeral) {
    if (precision > APLI_MOST_PRECISION) precision = APLI_MOST_PRECISION;
    /* through 15 digits, so that what was written 0.125 rounds as 0.125 and not as its binary neighbour */
    take(array, index, precision < SAFE_DIGITS ? SAFE_DIGITS : precision, numeral);
    if (numeral->infinite) return;
    bool small_integer = apli_type_is_integer((AplType)array->type) &&
                         (array->type != APLI_I64 || llabs(apli_i64_at(array, index) / 2) < INT64_C(1) << 30);
    if (small_integer) return;
    apli_numeral_round(numeral, precision);
    numeral->scaled = numeral->exponent >= precision || numeral->exponent < -1 - MOST_ZEROS;
}

int apli_numeral_whole(const AplNumeral *numeral) {
    if (numeral->infinite) return numeral->negative + (numeral->infinite == 'n' ? 3 : 1);
    return numeral->negative + (numeral->exponent > 0 ? numeral->exponent + 1 : 1);
}

int apli_numeral_fraction(const AplNumeral *numeral) {
    int behind = numeral->digit_count - 1 - numeral->exponent;
    return numeral->infinite || behind < 0 ? 0 : behind;
}

int apli_numeral_exponent_width(const AplNumeral *numeral) {
    int magnitude = numeral->exponent < 0 ? -numeral->exponent : numeral->exponent;
    return (numeral->exponent < 0) + (magnitude > 99 ? 3 : magnitude > 9 ? 2 : 1);
}
