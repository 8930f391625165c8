/* The process's hash seed, SipHash-1-3 and multiply-shift. */
#include "base/hash.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static uint64_t seed[4];
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void draw_seed(void) {
    if (getrandom(seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed) return;
    /* Early in a boot the pool may be empty: the clock and where the loader put us must do. */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (int i = 0; i < 4; i++)
        seed[i] = ((uint64_t)now.tv_nsec + (uint64_t)(uintptr_t)&seed + (uint64_t)i) * 0x9E3779B97F4A7C15u;
}

static inline uint64_t rotate(uint64_t value, int bits) { return value << bits | value >> (64 - bits); }

static void sip_round(uint64_t v[4]) {
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t apli_hash_bytes(const void *bytes, size_t length) {
    pthread_once(&seeded, draw_seed);
    uint64_t v[4] = {seed[0] ^ 0x736F6D6570736575u, seed[1] ^ 0x646F72616E646F6Du,
                     seed[0] ^ 0x6C7967656E657261u, seed[1] ^ 0x7465646279746573u};
    const uint8_t *at = bytes;
    size_t left = length;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)length << 56;
    for (size_t i = 0; i < left; i++) last |= (uint64_t)at[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xFF;
    for (int i = 0; i < 3; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t apli_hash_u64(uint64_t value) {
    pthread_once(&seeded, draw_seed);
    unsigned __int128 factor = (unsigned __int128)seed[2] << 64 | seed[3];
    return (uint64_t)((factor * value + ((unsigned __int128)seed[0] << 64 | seed[1])) >> 64);
}
