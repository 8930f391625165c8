/* Runs of bits that begin anywhere: copied and counted by words of 64, and tables of bits transposed in squares of 64 by 64.
   A word is read only where all of its bytes belong to the run, so that a run may end where its memory does. */
#include "elem/elem.h"

/* 64 bits from any bit on; reads 9 bytes when they begin inside one. */
static inline uint64_t load_bits(const uint8_t *bits, int64_t index) {
    uint64_t word;
    int shift = (int)(index & 7);
    memcpy(&word, bits + (index >> 3), 8);
    return shift ? word >> shift | (uint64_t)bits[(index >> 3) + 8] << (64 - shift) : word;
}

void apli_bits_copy(uint8_t *to, int64_t to_index, const uint8_t *from, int64_t from_index, int64_t count) {
    for (; count > 0 && (to_index & 7); count--) apli_bit_set(to, to_index++, apli_bit_get(from, from_index++));
    int64_t whole = count >> 3;
    uint8_t *target = to + (to_index >> 3);
    if ((from_index & 7) == 0) {
        memmove(target, from + (from_index >> 3), (size_t)whole);
    } else {
        const uint8_t *source = from + (from_index >> 3);
        int shift = (int)(from_index & 7);
        int64_t i = 0;
        for (; i + 8 <= whole; i += 8) {
            uint64_t low, word;
            memcpy(&low, source + i, 8);
            word = low >> shift | (uint64_t)source[i + 8] << (64 - shift);
            memcpy(target + i, &word, 8);
        }
        for (; i < whole; i++) target[i] = (uint8_t)(source[i] >> shift | source[i + 1] << (8 - shift));
    }
    to_index += whole * 8;
    from_index += whole * 8;
    for (count &= 7; count > 0; count--) apli_bit_set(to, to_index++, apli_bit_get(from, from_index++));
}

int64_t apli_bits_count(const uint8_t *bits, int64_t count) {
    int64_t total = 0, byte = 0;
    for (; (byte + 8) * 8 <= count; byte += 8) {
        uint64_t word;
        memcpy(&word, bits + byte, sizeof word);
        total += __builtin_popcountll(word);
    }
    for (int64_t i = byte * 8; i < count; i++) total += apli_bit_get(bits, i);
    return total;
}

int64_t apli_bits_before(const uint8_t *bits, int64_t from, int64_t count, bool wanted) {
    enum { AT_ONCE = 512 };
    const uint64_t flip = wanted ? 0 : UINT64_MAX;
    int64_t i = 0;
    for (; i < count && ((from + i) & 7); i++)
        if (apli_bit_get(bits, from + i) == wanted) return i;
    for (; i + AT_ONCE <= count; i += AT_ONCE) {
        uint64_t words[AT_ONCE / 64], found = 0;
        memcpy(words, bits + (from + i) / 8, sizeof words);
        for (int k = 0; k < AT_ONCE / 64; k++) found |= words[k] ^ flip;
        if (found) break;
    }
    for (; i + 64 <= count; i += 64) {
        uint64_t word;
        memcpy(&word, bits + (from + i) / 8, 8);
        if (word ^ flip) return i + __builtin_ctzll(word ^ flip);
    }
    for (; i < count; i++)
        if (apli_bit_get(bits, from + i) == wanted) return i;
    return count;
}

/* ---- transposition ------------------------------------------------------------------------------------------------ */

/* Bit c of word r goes to bit r of word c: halves that lie across the diagonal are exchanged, then quarters, ... (Warren,
   "Hacker's Delight", 7-3). */
static void transpose_square(uint64_t *words) {
    uint64_t mask = 0x00000000FFFFFFFF;
    for (int apart = 32; apart; apart >>= 1, mask ^= mask << apart) {
        for (int base = 0; base < 64; base += 2 * apart) {
            for (int k = base; k < base + apart; k++) {
                uint64_t exchanged = (words[k] >> apart ^ words[k + apart]) & mask;
                words[k] ^= exchanged << apart;
                words[k + apart] ^= exchanged;
            }
        }
    }
}

/* The first `count` bits of a word over bits that are 0. */
static inline void put_bits(uint8_t *bits, int64_t index, uint64_t word, int64_t count, int64_t total) {
    if (count < 64) word &= (UINT64_C(1) << count) - 1;
    uint8_t *at = bits + (index >> 3);
    int shift = (int)(index & 7);
    if ((index >> 3) + 9 <= total >> 3) {
        uint64_t old;
        memcpy(&old, at, 8);
        old |= word << shift;
        memcpy(at, &old, 8);
        if (shift) at[8] |= (uint8_t)(word >> (64 - shift));
        return;
    }
    for (int64_t i = 0; i < count; i++) apli_bit_set(bits, index + i, word >> i & 1);
}

static inline uint64_t take_bits(const uint8_t *bits, int64_t index, int64_t count, int64_t total) {
    if ((index >> 3) + 9 <= total >> 3) return load_bits(bits, index);
    uint64_t word = 0;
    for (int64_t i = 0; i < count; i++) word |= (uint64_t)apli_bit_get(bits, index + i) << i;
    return word;
}

void apli_bits_transpose(uint8_t *to, const uint8_t *from, int64_t rows, int64_t columns) {
    const int64_t total = rows * columns;
    memset(to, 0, (size_t)(total + 7) / 8);
    for (int64_t column = 0; column < columns; column += 64) {
        const int64_t width = columns - column < 64 ? columns - column : 64;
        for (int64_t row = 0; row < rows; row += 64) {
            const int64_t height = rows - row < 64 ? rows - row : 64;
            uint64_t words[64] = {0};
            for (int64_t i = 0; i < height; i++) words[i] = take_bits(from, (row + i) * columns + column, width, total);
            transpose_square(words);
            for (int64_t i = 0; i < width; i++) put_bits(to, (column + i) * rows + row, words[i], height, total);
        }
    }
}
