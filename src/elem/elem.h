/* The element types, their one table, and conversion of single numbers. */
#ifndef APLI_ELEM_ELEM_H
#define APLI_ELEM_ELEM_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct AplArray AplArray;

typedef enum AplType {
#define ELEM(id, ctype, bits, kind, dr, name) APLI_##id,
#include "elem/elem.def"
#undef ELEM
    APLI_TYPE_COUNT
} AplType;

typedef enum AplKind {
    APLI_KIND_BOOLEAN,
    APLI_KIND_INTEGER,
    APLI_KIND_REAL,
    APLI_KIND_CHARACTER,
    APLI_KIND_MIXED,
    APLI_KIND_REDUCED
} AplKind;

typedef struct AplTypeInfo {
    const char *name;
    int bits; /* of one element */
    int representation; /* ⎕DR number */
    AplKind kind;
} AplTypeInfo;

extern const AplTypeInfo apli_types[APLI_TYPE_COUNT];

static inline bool apli_type_is_integer(AplType type) { return type <= APLI_I64; } /* Boolean included */
static inline bool apli_type_is_real(AplType type) { return type >= APLI_F16 && type <= APLI_F64; }
static inline bool apli_type_is_number(AplType type) { return type <= APLI_F64; } /* plain numbers: not packed */
static inline bool apli_type_is_character(AplType type) { return type >= APLI_CHAR8 && type <= APLI_CHAR32; }

/* Bytes that `count` elements occupy, without padding. */
static inline size_t apli_type_bytes(AplType type, int64_t count) {
    return type == APLI_BOOL ? ((size_t)count + 7) / 8 : (size_t)count * (size_t)(apli_types[type].bits / 8);
}

/* The type that holds both exactly, or as exactly as the wider does: f16 and bf16 meet in f32; characters and numbers
   meet in NESTED. */
AplType apli_type_join(AplType a, AplType b);

/* The smallest integer type that holds every integer from low to high. */
AplType apli_type_for_range(int64_t low, int64_t high);
/* The smallest character type that holds a code point. */
static inline AplType apli_type_for_codepoint(uint32_t codepoint) {
    return codepoint < 0x100 ? APLI_CHAR8 : codepoint < 0x10000 ? APLI_CHAR16 : APLI_CHAR32;
}

static inline bool apli_bit_get(const uint8_t *bits, int64_t index) { return bits[index >> 3] >> (index & 7) & 1; }
static inline void apli_bit_set(uint8_t *bits, int64_t index, bool value) {
    uint8_t mask = (uint8_t)(1u << (index & 7));
    bits[index >> 3] = (uint8_t)(value ? bits[index >> 3] | mask : bits[index >> 3] & ~mask);
}
/* Copies `count` bits from any bit offset to any bit offset; bits outside the destination range keep their value. */
void apli_bits_copy(uint8_t *to, int64_t to_index, const uint8_t *from, int64_t from_index, int64_t count);
int64_t apli_bits_count(const uint8_t *bits, int64_t count);
/* How many bits from bit `from` on come before the first that is `wanted`; `count` when none of so many is. */
int64_t apli_bits_before(const uint8_t *bits, int64_t from, int64_t count, bool wanted);
/* to: (columns, rows) bits ← from: (rows, columns) bits. */
void apli_bits_transpose(uint8_t *to, const uint8_t *from, int64_t rows, int64_t columns);

/* IEEE binary16 and bfloat16, rounding to nearest, ties to even. */
float apli_f16_to_f32(uint16_t half);
uint16_t apli_f32_to_f16(float value);
static inline float apli_bf16_to_f32(uint16_t half) {
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
uint16_t apli_f32_to_bf16(float value);

/* The value of element `index`, whatever the plain numeric or character type. */
double apli_elem_f64(AplType type, const void *data, int64_t index);
/* Converts `count` elements between plain numeric types, or between character types. Reals to integers truncate, wider to
   narrower wraps: the caller has made sure that the values fit. */
void apli_elem_convert(AplType to, void *target, int64_t target_index, AplType from, const void *source,
                       int64_t source_index, int64_t count);

#endif
