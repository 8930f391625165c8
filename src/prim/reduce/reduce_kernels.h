/* The loops of reduce and scan over raw integers and bits; prim/reduce/reduce_cpu.inc has them for each instruction set. */
#ifndef APLI_PRIM_REDUCE_KERNELS_H
#define APLI_PRIM_REDUCE_KERNELS_H

#include "elem/elem.h"

enum { APLI_NARROW_TYPES = APLI_I32 + 1 };

typedef struct AplReduceKernels {
    /* How many of the first words are surely `word`: looked at in large blocks, up to the first that has another. */
    int64_t (*equal_words)(const uint8_t *bits, int64_t words, uint64_t word);
    /* NULL for Booleans */
    int64_t (*sum[APLI_NARROW_TYPES])(const void *values, int64_t count);
    /* The greatest common divisor of `divisor` (0 or more) and the values; stops at 1. */
    int64_t (*divisor[APLI_NARROW_TYPES])(const void *values, int64_t count, int64_t divisor);
    /* The sum of the values, and the least and largest sum of their first 1, 2, ... count: count is 1 or more. */
    int64_t (*range_of_sums[APLI_NARROW_TYPES])(const void *values, int64_t count, int64_t *least, int64_t *most);
    /* to[i] ← before + the sum of the first i+1 values, in a signed type that holds it. Values: Booleans from a first bit of
       a byte on, or integers */
    void (*sums[APLI_NARROW_TYPES][APLI_I64 + 1])(void *to, const void *values, int64_t count, int64_t before);
} AplReduceKernels;

#endif
