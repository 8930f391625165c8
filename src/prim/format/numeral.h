/* A number as decimal digits, and its two written forms: fixed (¯12.5) and scaled (1.25E¯7). */
#ifndef APLI_PRIM_FORMAT_NUMERAL_H
#define APLI_PRIM_FORMAT_NUMERAL_H

#include "array/array.h"

#include <stdbool.h>
#include <stdint.h>

enum { APLI_NUMERAL_DIGITS = 24, APLI_MOST_PRECISION = 17 };

/* digits[0].digits[1]digits[2]... × 10^exponent, without trailing zeros; zero is "0" with exponent 0. */
typedef struct AplNumeral {
    bool negative;
    bool scaled;   /* display needs the scaled form */
    char infinite; /* 'i' for ∞, 'n' for NaN, 0 for numbers that have digits */
    int digit_count;
    int exponent;
    char digits[APLI_NUMERAL_DIGITS];
} AplNumeral;

/* Element `index` of a PLAIN number array in at most `precision` significant digits (⎕PP). Integers below
   2*31 keep all theirs; f32, f16 and bf16 get no more than tell them from their neighbours. Ties round away
   from zero. */
void apli_numeral(const AplArray *array, int64_t index, int precision, AplNumeral *numeral);
/* The same number with every digit that it has (16 at most for a real). */
void apli_numeral_exact(const AplArray *array, int64_t index, AplNumeral *numeral);
/* Rounds to `count` digits, ties away from zero; count may be 0 or less, which gives 0 or one digit of 1. */
void apli_numeral_round(AplNumeral *numeral, int count);

/* Characters before the point, sign included, and digits behind it. */
int apli_numeral_whole(const AplNumeral *numeral);
int apli_numeral_fraction(const AplNumeral *numeral);
/* Characters of the exponent, sign included: 2 for ¯7. */
int apli_numeral_exponent_width(const AplNumeral *numeral);
/* The n-th digit behind the first; '0' past the last. */
static inline char apli_numeral_digit(const AplNumeral *numeral, int n) {
    return n >= 0 && n < numeral->digit_count ? numeral->digits[n] : '0';
}

#endif
