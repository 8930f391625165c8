/* Random numbers that a seed determines: splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
   generators", OOPSLA 2014). */
#ifndef APLI_BASE_RANDOM_H
#define APLI_BASE_RANDOM_H

#include <stdint.h>

static inline uint64_t apli_random_u64(uint64_t *state) {
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* In [0,1), a multiple of 2 to the -53rd. */
static inline double apli_random_unit(uint64_t *state) {
    return (double)(apli_random_u64(state) >> 11) * 0x1p-53;
}

#endif
