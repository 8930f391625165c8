/* e^x of f32 and f64 numbers and tanh of f32, of operations that compilers turn into vectors. */
#ifndef APLI_PRIM_SCALAR_EXPONENTIAL_H
#define APLI_PRIM_SCALAR_EXPONENTIAL_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* e^b: b = n ln 2 + r, |r| ≤ (ln 2)/2, with ln 2 in two parts of which the first has 15 bits, so that n times
   it is exact; e^r = 1 + r + r² Q(r), Q the interpolation of degree 4 at Chebyshev nodes (relative error
   8e-9); 2^n in two factors, so that subnormal and infinite results come out by themselves. Within 1 ulp
   (checked against long arithmetic). */
static inline float apli_exp_single(float b) {
    const float rounder = 0x1.8p23f;
    b = b > 89.0f ? 89.0f : b;
    b = b < -104.0f ? -104.0f : b;
    float shifted = b * 0x1.715476p0f + rounder, n = shifted - rounder;
    uint32_t bits, low, high;
    memcpy(&bits, &shifted, 4);
    float r = b - n * 0x1.62e4p-1f - n * 0x1.7f7d1cp-20f;
    float q =
        0.5f + r * (0.16666576666119928f +
                    r * (0.04166655421298415f + r * (0.008363232883682618f + r * 0.0013926250831497611f)));
    float p = 1.0f + (r + r * r * q);
    uint32_t exponent = bits - 0x4B400000u + 512; /* n + 512 */
    low = (exponent >> 1) - 256 + 127;
    high = exponent - (exponent >> 1) - 256 + 127;
    low <<= 23;
    high <<= 23;
    float first, second;
    memcpy(&first, &low, 4);
    memcpy(&second, &high, 4);
    return p * first * second;
}
/* The same in f64: ln 2 in two parts of which the first has 33 bits; e^r = 1 + r + r² Q(r), Q the Taylor
   polynomial of degree 11 (what is left out is below 5e-18); what the subtractions and 1 + r round off is
   added to the smaller terms. Within 0.7 ulp (checked against long arithmetic). */
static inline double apli_exp_double(double b) {
    const double rounder = 0x1.8p52;
    double shifted = b * 0x1.71547652b82fep0 + rounder, n = shifted - rounder;
    double near = b - n * 0x1.62e42feep-1, far = n * 0x1.a39ef35793c76p-33, r = near - far, rest = (near - r) - far;
    double q = 1.0 / 6227020800;
    q = q * r + 1.0 / 479001600;
    q = q * r + 1.0 / 39916800;
    q = q * r + 1.0 / 3628800;
    q = q * r + 1.0 / 362880;
    q = q * r + 1.0 / 40320;
    q = q * r + 1.0 / 5040;
    q = q * r + 1.0 / 720;
    q = q * r + 1.0 / 120;
    q = q * r + 1.0 / 24;
    q = q * r + 1.0 / 6;
    q = q * r + 0.5;
    double whole = 1.0 + r, part = (1.0 - whole) + r, p = whole + (part + (r * r * q + rest));
    uint64_t bits, low, high;
    memcpy(&bits, &shifted, 8);
    uint64_t exponent = bits - 0x4338000000000000u + 4096; /* n + 4096 */
    low = (exponent >> 1) - 2048 + 1023;
    high = exponent - (exponent >> 1) - 2048 + 1023;
    low <<= 52;
    high <<= 52;
    double first, second;
    memcpy(&first, &low, 8);
    memcpy(&second, &high, 8);
    double value = p * first * second;
    value = b > 710.0 ? (double)INFINITY : value; /* chosen last: a clamp of b makes compilers branch */
    return b < -746.0 ? 0.0 : value;
}
/* Below 0.625 an odd polynomial (relative error 2e-8), above it 1 - 2÷(e^2|b|)+1. Within 2 ulp. */
static inline float apli_tanh_single(float b) {
    float size = fabsf(b), z = b * b;
    float near =
        b +
        b * (z * (-0.33333328944134255f +
                  z * (0.1333276973697631f + z * (-0.05385090957851203f +
                                                  z * (0.0209971789990695f + z * -0.006096714165902247f)))));
    float far = 1.0f - 2.0f / (apli_exp_single(2.0f * size) + 1.0f);
    float value = size < 0.625f ? fabsf(near) : far;
    return copysignf(value, b);
}

#endif
