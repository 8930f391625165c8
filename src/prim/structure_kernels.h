/* The loops of the structural rooms over raw elements, by their width in bytes (index 0 to 3: 1, 2, 4, 8), and over bits.
   prim/structure_cpu.inc has them for each instruction set. */
#ifndef APLI_PRIM_STRUCTURE_KERNELS_H
#define APLI_PRIM_STRUCTURE_KERNELS_H

#include "elem/elem.h"

#include <stdint.h>

typedef struct AplStructureKernels {
    /* to[i] ← from[count-1-i] */
    void (*reverse[4])(void *to, const void *from, int64_t count);
    void (*reverse_bits)(uint8_t *to, const uint8_t *from, int64_t count);
    /* to ← the elements whose bit of mask is 1; `ones` bits of the first `count` are */
    void (*compress[4])(void *to, const void *from, const uint8_t *mask, int64_t count, int64_t ones);
    void (*compress_bits)(uint8_t *to, const uint8_t *from, const uint8_t *mask, int64_t count);
    /* to[i] ← the next of `from` where bit i of mask is 1, else `fill`. from is read one element past what is used. */
    void (*expand[4])(void *to, const void *from, const uint8_t *mask, int64_t count, uint64_t fill);
    void (*expand_bits)(uint8_t *to, const uint8_t *from, const uint8_t *mask, int64_t count); /* fills with 0 */
} AplStructureKernels;

/* Which of four kernels an element of a plain type takes that is no bit. */
static inline int apli_width_of(AplType type) { return __builtin_ctz((unsigned)apli_types[type].bits) - 3; }

#endif
