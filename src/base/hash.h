/* Hashing of bytes and numbers that an adversary may choose: seeded once a process from the system's
   random source, so that no file can be made whose entries collide. Results must not depend on a hash's
   value or order. */
#ifndef APLI_BASE_HASH_H
#define APLI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012) of `length` bytes. */
uint64_t apli_hash_bytes(const void *bytes, size_t length);
/* Multiply-shift (Dietzfelbinger 1996) of one number: pairwise independent, two multiplications. */
uint64_t apli_hash_u64(uint64_t value);

#endif
