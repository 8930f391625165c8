/* Scalar functions of doubles that are more than an expression, with the domains of ISO 13751. A status bit
   says why a result does not exist; the value is then of no use. */
#include "prim/scalar/scalar.h"

#include <float.h>
#include <math.h>

static bool is_integer(double value) { return value == floor(value); }

double apli_power_of(double base, double exponent, int *status) {
    if (base == 0) {
        if (exponent < 0) *status |= APLI_SCALAR_DOMAIN;
        return exponent == 0 ? 1 : 0;
    }
    if (base < 0 && !is_integer(exponent)) *status |= APLI_SCALAR_COMPLEX;
    return exponent == 2 ? base * base : exponent == 0.5 ? sqrt(base) : pow(base, exponent);
}

double apli_log_of(double base, double value, int *status) {
    if (value == 0 || base == 0) *status |= APLI_SCALAR_DOMAIN;
    else if (value < 0 || base < 0) *status |= APLI_SCALAR_COMPLEX;
    else if (base == 1) {
        if (value != 1) *status |= APLI_SCALAR_DOMAIN;
        return 1; /* 0÷0 */
    }
    return base == 10 ? log10(value) : base == 2 ? log2(value) : log(value) / log(base);
}

double apli_factorial_of(double value, int *status) {
    if (value < 0 && is_integer(value)) *status |= APLI_SCALAR_DOMAIN;
    if (value >= 0 && value <= 22 && is_integer(value)) { /* exact: below 2^53 times a power of two */
        double product = 1;
        for (int i = 2; i <= (int)value; i++) product *= i;
        return product;
    }
    return tgamma(value + 1);
}

/* n ≥ k ≥ 0, integers: each partial product is itself a binomial coefficient, so it is exact while
   it fits. */
static double choose(double k, double n) {
    if (k > n - k) k = n - k;
    if (k > 1100) return INFINITY; /* past the largest double: 2200 choose 1100 is */
    double result = 1;
    for (double i = 1; i <= k; i++) result = result * (n - k + i) / i;
    return result < 0x1p53 ? round(result) : result;
}

static double sign_of_power(double exponent) { return fmod(exponent, 2) == 0 ? 1 : -1; }

/* k!n = (!n) ÷ (!k) × !n-k, its limits where arguments are negative integers (ISO 13751, binomial). */
double apli_binomial_of(double k, double n, int *status) {
    if (is_integer(k) && is_integer(n)) {
        if (n >= 0) return k < 0 || k > n ? 0 : choose(k, n);
        if (k >= 0) return sign_of_power(k) * choose(k, k - n - 1);
        return k > n ? 0 : sign_of_power(n - k) * choose(n - k, -k - 1);
    }
    if (is_integer(n) && n < 0) *status |= APLI_SCALAR_DOMAIN;
    if ((is_integer(k) && k < 0) || (is_integer(n - k) && n - k < 0)) return 0;
    if (fabs(n) < 160 && fabs(k) < 160 && fabs(n - k) < 160)
        return tgamma(n + 1) / (tgamma(k + 1) * tgamma(n - k + 1));
    int sign_n, sign_k, sign_rest;
    double logarithm = lgamma_r(n + 1, &sign_n) - lgamma_r(k + 1, &sign_k) - lgamma_r(n - k + 1, &sign_rest);
    return sign_n * sign_k * sign_rest * exp(logarithm);
}

double apli_circle_of(double which, double value, int *status) {
    if (!is_integer(which) || which < -12 || which > 12) {
        *status |= APLI_SCALAR_DOMAIN;
        return 0;
    }
    double size = fabs(value);
    switch ((int)which) {
    case 0:
        if (size > 1) *status |= APLI_SCALAR_COMPLEX;
        return sqrt((1 - value) * (1 + value));
    case 1: return sin(value);
    case 2: return cos(value);
    case 3: return tan(value);
    case 4: return hypot(1, value);
    case 5: return sinh(value);
    case 6: return cosh(value);
    case 7: return tanh(value);
    case 9: return value;
    case 10: return size;
    case 11: return 0;
    case 12: return value < 0 ? M_PI : 0;
    case -1:
        if (size > 1) *status |= APLI_SCALAR_COMPLEX;
        return asin(value);
    case -2:
        if (size > 1) *status |= APLI_SCALAR_COMPLEX;
        return acos(value);
    case -3: return atan(value);
    case -4:
        if (size < 1) *status |= APLI_SCALAR_COMPLEX;
        return copysign(sqrt((size - 1) * (size + 1)), value);
    case -5: return asinh(value);
    case -6:
        if (value < 1) *status |= APLI_SCALAR_COMPLEX;
        return acosh(value);
    case -7:
        if (size == 1) *status |= APLI_SCALAR_DOMAIN;
        else if (size > 1) *status |= APLI_SCALAR_COMPLEX;
        return atanh(value);
    case -9:
    case -10: return value;
    default: *status |= APLI_SCALAR_COMPLEX; return 0; /* 8, ¯8, ¯11 and ¯12 of a real are complex */
    }
}

double apli_residue_of(double divisor, double value, double tolerance) {
    if (divisor == 0) return value;
    if (isinf(divisor)) return value == 0 || (value < 0) == (divisor < 0) ? value : divisor;
    double quotient = value / divisor, nearest = rint(quotient);
    if (tolerance > 0 && nearest != 0 && fabs(quotient - nearest) <= tolerance * fmax(1, fabs(quotient)))
        return 0;
    double rest = fmod(value, divisor);
    if (rest == 0 || (rest < 0) == (divisor < 0)) return rest;
    return rest + divisor == divisor ? 0 : rest + divisor; /* a residue is less than its divisor */
}

/* Euclid's, until the rest is nothing beside the arguments. Of reals, the larger argument is then divided by the whole
   number of times that it holds the result: the errors of the rests are gone. */
double apli_gcd_of(double a, double b, double tolerance) {
    a = fabs(a);
    b = fabs(b);
    if (isinf(a) || isinf(b)) return NAN;
    double largest = fmax(a, b), least = fmax(tolerance, DBL_EPSILON) * largest;
    if (is_integer(a) && is_integer(b)) least = 0;
    while (b > least) {
        double rest = fmod(a, b);
        if (least > 0 && b - rest <= least) rest = 0;
        a = b;
        b = rest;
    }
    return least > 0 && a > 0 ? largest / rint(largest / a) : a;
}

double apli_lcm_of(double a, double b, double tolerance) {
    double divisor = apli_gcd_of(a, b, tolerance);
    return divisor == 0 ? 0 : a * (b / divisor);
}
