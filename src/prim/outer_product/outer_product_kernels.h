/* Comparisons of many elements with one, to bits; prim/outer_product/outer_product_cpu.inc has them for each instruction set. */
#ifndef APLI_PRIM_OUTER_PRODUCT_KERNELS_H
#define APLI_PRIM_OUTER_PRODUCT_KERNELS_H

#include "elem/elem.h"

/* What is asked of an element x; [low, high] are the numbers that equal the one within ⎕CT. */
typedef enum AplCompareForm {
    APLI_COMPARE_SAME,      /* x = low, where low is high */
    APLI_COMPARE_DIFFERENT, /* its opposite */
    APLI_COMPARE_WITHIN,    /* low ≤ x ≤ high */
    APLI_COMPARE_OUTSIDE,   /* its opposite */
    APLI_COMPARE_ABOVE,     /* x > high */
    APLI_COMPARE_FROM,      /* x ≥ low */
    APLI_COMPARE_BELOW,     /* x < low */
    APLI_COMPARE_TO,        /* x ≤ high */
    APLI_COMPARE_FORMS
} AplCompareForm;

/* Bit i of `to` ← the answer for element i; the rest of the last byte is 0. low and high are of the elements' type. */
typedef void AplCompare(uint8_t *to, const void *values, int64_t count, const void *low, const void *high);

enum { APLI_COMPARED_TYPES = APLI_F64 + 1 };

typedef struct AplOuterProductKernels {
    AplCompare *compare[APLI_COMPARED_TYPES][APLI_COMPARE_FORMS]; /* of I8 to I64, F32 and F64 */
} AplOuterProductKernels;

#endif
