/* The table of element types, half-precision numbers, and conversion of runs of plain elements. */
#include "elem/elem.h"

const AplTypeInfo apli_types[APLI_TYPE_COUNT] = {
#define ELEM(id, ctype, bits, kind, dr, name) [APLI_##id] = {name, bits, dr, APLI_KIND_##kind},
#include "elem/elem.def"
#undef ELEM
};

AplType apli_type_join(AplType a, AplType b) {
    if (a == b) return a;
    if (a == APLI_NESTED || b == APLI_NESTED) return APLI_NESTED;
    if (apli_type_is_character(a) != apli_type_is_character(b)) return APLI_NESTED;
    if (a == APLI_PACKED || b == APLI_PACKED) return a == APLI_F64 || b == APLI_F64 ? APLI_F64 : APLI_F32;
    if ((a == APLI_F16 && b == APLI_BF16) || (a == APLI_BF16 && b == APLI_F16)) return APLI_F32;
    return a > b ? a : b;
}

AplType apli_type_for_range(int64_t low, int64_t high) {
    if (low >= 0 && high <= 1) return APLI_BOOL;
    if (low >= INT8_MIN && high <= INT8_MAX) return APLI_I8;
    if (low >= INT16_MIN && high <= INT16_MAX) return APLI_I16;
    if (low >= INT32_MIN && high <= INT32_MAX) return APLI_I32;
    return APLI_I64;
}

float apli_f16_to_f32(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023, bits;
    if (exponent == 31) {
        bits = sign | 0x7F800000 | fraction << 13;
    } else if (exponent) {
        bits = sign | (exponent + 112) << 23 | fraction << 13;
    } else {
        float value = (float)fraction * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint16_t apli_f32_to_f16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7FFFFFFF;
    if (bits >= 0x7F800000) return (uint16_t)(sign | 0x7C00 | (bits > 0x7F800000 ? 0x200 | (bits >> 13 & 0x1FF) : 0));
    if (bits >= 0x477FF000) return sign | 0x7C00; /* rounds to 65536 or more */
    if (bits < 0x38800000) { /* below the smallest normal, 2^-14: add a number whose last place is 2^-24 */
        float magnitude;
        memcpy(&magnitude, &bits, sizeof magnitude);
        magnitude += 0.5f;
        uint32_t sum;
        memcpy(&sum, &magnitude, sizeof sum);
        return (uint16_t)(sign | (sum - 0x3F000000));
    }
    uint32_t rounded = bits + 0xFFF + (bits >> 13 & 1);
    return (uint16_t)(sign | (rounded - 0x38000000) >> 13);
}

uint16_t apli_f32_to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if ((bits & 0x7FFFFFFF) > 0x7F800000) return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

double apli_elem_f64(AplType type, const void *data, int64_t index) {
    switch (type) {
    case APLI_BOOL: return apli_bit_get(data, index);
    case APLI_I8: return ((const int8_t *)data)[index];
    case APLI_I16: return ((const int16_t *)data)[index];
    case APLI_I32: return ((const int32_t *)data)[index];
    case APLI_I64: return (double)((const int64_t *)data)[index];
    case APLI_F16: return (double)apli_f16_to_f32(((const uint16_t *)data)[index]);
    case APLI_BF16: return (double)apli_bf16_to_f32(((const uint16_t *)data)[index]);
    case APLI_F32: return (double)((const float *)data)[index];
    case APLI_F64: return ((const double *)data)[index];
    case APLI_CHAR8: return ((const uint8_t *)data)[index];
    case APLI_CHAR16: return ((const uint16_t *)data)[index];
    case APLI_CHAR32: return ((const uint32_t *)data)[index];
    default: return 0;
    }
}

/* One loop for each pair of types. Boolean and half-precision ends go through a block of int8 or f32. */
#define LOOP(TO, FROM) \
    { \
        TO *t = (TO *)target + target_index; \
        const FROM *s = (const FROM *)source + source_index; \
        for (int64_t i = 0; i < count; i++) t[i] = (TO)s[i]; \
        return; \
    }
#define LOOPS_FROM(FROM) \
    switch (to) { \
    case APLI_I8: LOOP(int8_t, FROM) \
    case APLI_I16: LOOP(int16_t, FROM) \
    case APLI_I32: LOOP(int32_t, FROM) \
    case APLI_I64: LOOP(int64_t, FROM) \
    case APLI_F32: LOOP(float, FROM) \
    case APLI_F64: LOOP(double, FROM) \
    default: return; \
    }
#define LOOPS_FROM_CHARACTER(FROM) \
    switch (to) { \
    case APLI_CHAR8: LOOP(uint8_t, FROM) \
    case APLI_CHAR16: LOOP(uint16_t, FROM) \
    case APLI_CHAR32: LOOP(uint32_t, FROM) \
    default: return; \
    }

enum { BLOCK = 512 };

static void convert_in_blocks(AplType to, void *target, int64_t target_index, AplType from, const void *source,
                              int64_t source_index, int64_t count, AplType middle) {
    double block[BLOCK]; /* as large as the largest middle type */
    for (int64_t done = 0; done < count; done += BLOCK) {
        int64_t part = count - done < BLOCK ? count - done : BLOCK;
        apli_elem_convert(middle, block, 0, from, source, source_index + done, part);
        apli_elem_convert(to, target, target_index + done, middle, block, 0, part);
    }
}

void apli_elem_convert(AplType to, void *target, int64_t target_index, AplType from, const void *source,
                       int64_t source_index, int64_t count) {
    if (to == from) {
        if (to == APLI_BOOL) {
            apli_bits_copy(target, target_index, source, source_index, count);
        } else {
            size_t size = apli_type_bytes(to, 1);
            memmove((char *)target + (size_t)target_index * size, (const char *)source + (size_t)source_index * size,
                    (size_t)count * size);
        }
        return;
    }
    bool half_from = from == APLI_F16 || from == APLI_BF16, half_to = to == APLI_F16 || to == APLI_BF16;
    if (from == APLI_BOOL) {
        if (to != APLI_I8) {
            convert_in_blocks(to, target, target_index, from, source, source_index, count, APLI_I8);
            return;
        }
        for (int64_t i = 0; i < count; i++)
            ((int8_t *)target)[target_index + i] = apli_bit_get(source, source_index + i);
        return;
    }
    if (to == APLI_BOOL) {
        for (int64_t i = 0; i < count; i++)
            apli_bit_set(target, target_index + i, apli_elem_f64(from, source, source_index + i) != 0);
        return;
    }
    if (half_from) {
        if (to != APLI_F32) {
            convert_in_blocks(to, target, target_index, from, source, source_index, count, APLI_F32);
            return;
        }
        const uint16_t *s = (const uint16_t *)source + source_index;
        float *t = (float *)target + target_index;
        for (int64_t i = 0; i < count; i++) t[i] = from == APLI_F16 ? apli_f16_to_f32(s[i]) : apli_bf16_to_f32(s[i]);
        return;
    }
    if (half_to) {
        if (from != APLI_F32) {
            convert_in_blocks(to, target, target_index, from, source, source_index, count, APLI_F32);
            return;
        }
        const float *s = (const float *)source + source_index;
        uint16_t *t = (uint16_t *)target + target_index;
        for (int64_t i = 0; i < count; i++) t[i] = to == APLI_F16 ? apli_f32_to_f16(s[i]) : apli_f32_to_bf16(s[i]);
        return;
    }
    switch (from) {
    case APLI_I8: LOOPS_FROM(int8_t)
    case APLI_I16: LOOPS_FROM(int16_t)
    case APLI_I32: LOOPS_FROM(int32_t)
    case APLI_I64: LOOPS_FROM(int64_t)
    case APLI_F32: LOOPS_FROM(float)
    case APLI_F64: LOOPS_FROM(double)
    case APLI_CHAR8: LOOPS_FROM_CHARACTER(uint8_t)
    case APLI_CHAR16: LOOPS_FROM_CHARACTER(uint16_t)
    case APLI_CHAR32: LOOPS_FROM_CHARACTER(uint32_t)
    default: return;
    }
}
