/* Elements: conversion with its checks, copies, gathers, fills, and integers from arguments. */
#include "array/array.h"
#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

int64_t apli_product(const int64_t *shape, int rank) {
    uint64_t product = 1; /* beside an axis of length 0 the others may be of any length: let it wrap */
    for (int i = 0; i < rank; i++) product *= (uint64_t)shape[i];
    return (int64_t)product;
}

bool apli_same_shape(const AplArray *a, const AplArray *b) {
    return a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

const char *apli_shape_text(const AplArray *array) {
    static _Thread_local char texts[4][160];
    static _Thread_local unsigned next;
    char *text = texts[next++ % 4];
    size_t used = 0;
    text[0] = 0;
    if (array->rank == 0) return "a scalar";
    for (int i = 0; i < array->rank && used < sizeof texts[0] - 24; i++)
        used += (size_t)snprintf(text + used, sizeof texts[0] - used, i ? " %" PRId64 : "%" PRId64, array->shape[i]);
    return text;
}

int64_t apli_i64_at(const AplArray *array, int64_t index) {
    switch ((AplType)array->type) {
    case APLI_BOOL: return apli_bit_get(array->data, index);
    case APLI_I8: return ((const int8_t *)array->data)[index];
    case APLI_I16: return ((const int16_t *)array->data)[index];
    case APLI_I32: return ((const int32_t *)array->data)[index];
    case APLI_I64: return ((const int64_t *)array->data)[index];
    default: return (int64_t)apli_f64_at(array, index);
    }
}

uint32_t apli_char_at(const AplArray *array, int64_t index) {
    switch ((AplType)array->type) {
    case APLI_CHAR8: return array->data[index];
    case APLI_CHAR16: return ((const uint16_t *)array->data)[index];
    default: return ((const uint32_t *)array->data)[index];
    }
}

AplErr apli_item(const AplArray *array, int64_t index, AplArray **result) {
    if (array->type == APLI_NESTED) {
        *result = apli_array_retain(apli_items(array)[index]);
        return APL_OK;
    }
    TRY(apli_array_new((AplType)array->type, 0, NULL, result));
    (*result)->weak = array->weak;
    apli_elem_convert((AplType)array->type, (*result)->data, 0, (AplType)array->type, array->data, index, 1);
    return APL_OK;
}

void apli_copy(AplArray *to, int64_t to_index, const AplArray *from, int64_t from_index, int64_t count) {
    if (to->type != APLI_NESTED) {
        apli_elem_convert((AplType)to->type, to->data, to_index, (AplType)from->type, from->data, from_index, count);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        AplArray **slot = apli_items(to) + to_index + i, *old = *slot;
        *slot = apli_array_retain(apli_items(from)[from_index + i]);
        apli_array_release(old);
    }
}

#define GATHER(TYPE, FILL) \
    { \
        const TYPE *source = (const TYPE *)from->data; \
        TYPE *target = (TYPE *)to->data; \
        const TYPE filling = (TYPE)(FILL); \
        for (int64_t i = 0; i < count; i++) target[i] = indices[i] < 0 ? filling : source[indices[i]]; \
    }

void apli_gather(AplArray *to, const AplArray *from, const int64_t *indices, int64_t count, AplArray *fill) {
    bool characters = apli_type_is_character((AplType)to->type);
    switch (apli_types[to->type].bits) {
    case 1:
        for (int64_t i = 0; i < count; i++)
            apli_bit_set(to->data, i, indices[i] >= 0 && apli_bit_get(from->data, indices[i]));
        return;
    case 8: GATHER(uint8_t, characters ? ' ' : 0) return;
    case 16: GATHER(uint16_t, characters ? ' ' : 0) return;
    case 32: GATHER(uint32_t, characters ? ' ' : 0) return;
    default: break;
    }
    if (to->type != APLI_NESTED) {
        GATHER(uint64_t, 0)
        return;
    }
    for (int64_t i = 0; i < count; i++)
        apli_items(to)[i] = apli_array_retain(indices[i] < 0 ? fill : apli_items(from)[indices[i]]);
}

AplErr apli_prototype(AplArray *item, AplArray **result) {
    APLI_AUTO AplArray *copy = NULL;
    AplType type = (AplType)item->type;
    if (type == APLI_NESTED) {
        TRY(apli_array_new_like(APLI_NESTED, item, &copy));
        int64_t count = item->count ? item->count : 1;
        for (int64_t i = 0; i < count; i++) TRY(apli_prototype(apli_items(item)[i], &apli_items(copy)[i]));
    } else if (apli_type_is_character(type)) {
        TRY(apli_array_new_like(APLI_CHAR8, item, &copy));
        memset(copy->data, ' ', (size_t)copy->count);
    } else {
        TRY(apli_array_new_like(APLI_BOOL, item, &copy));
        memset(copy->data, 0, apli_type_bytes(APLI_BOOL, copy->count));
    }
    *result = apli_move(&copy);
    return APL_OK;
}

AplErr apli_fill(const AplArray *array, AplArray **result) {
    if (array->type == APLI_NESTED) return apli_prototype(apli_items(array)[0], result);
    if (apli_type_is_character((AplType)array->type)) return apli_scalar_char(' ', result);
    return apli_scalar_bool(false, result);
}

/* ---- conversion ---------------------------------------------------------------------------------------------- */

static AplErr fits(const AplArray *array, AplType type) {
    AplType from = (AplType)array->type;
    bool real = apli_type_is_real(from);
    if (apli_type_is_character(from) || !apli_type_is_integer(type) || (from <= type && !real)) return APL_OK;
    static const double least[] = {0, INT8_MIN, INT16_MIN, INT32_MIN, -0x1p63};
    static const double most[] = {1, INT8_MAX, INT16_MAX, INT32_MAX, 0x1.fffffffffffffp62};
    for (int64_t i = 0; i < array->count; i++) {
        double value = apli_f64_at(array, i);
        FAIL_IF(!(value >= least[type] && value <= most[type]) || (real && value != floor(value)), APL_DOMAIN,
                "%.17g is not of type %s", value, apli_types[type].name);
    }
    return APL_OK;
}

AplErr apli_convert(AplArray *array, AplType type, AplArray **result) {
    AplType from = (AplType)array->type;
    if (from == type && array->form == APLI_PLAIN) {
        *result = apli_array_retain(array);
        return APL_OK;
    }
    APLI_AUTO AplArray *plain = NULL, *converted = NULL;
    TRY(apli_plain(array, &plain));
    from = (AplType)plain->type;
    if (from == type) {
        *result = apli_move(&plain);
        return APL_OK;
    }
    if (type == APLI_NESTED) {
        TRY(apli_array_new_like(APLI_NESTED, plain, &converted));
        int64_t count = plain->count;
        for (int64_t i = 0; i < count; i++) TRY(apli_item(plain, i, &apli_items(converted)[i]));
        if (count == 0) TRY(apli_fill(plain, &apli_items(converted)[0]));
        *result = apli_move(&converted);
        return APL_OK;
    }
    FAIL_IF(from == APLI_NESTED, APL_DOMAIN, "a nested array where %s is needed", apli_types[type].name);
    FAIL_IF(apli_type_is_character(from) != apli_type_is_character(type) && plain->count, APL_DOMAIN,
            "%s where %s is needed", apli_type_is_character(from) ? "characters" : "numbers", apli_types[type].name);
    TRY(fits(plain, type));
    TRY(apli_array_new_like(type, plain, &converted));
    if (plain->count) apli_elem_convert(type, converted->data, 0, from, plain->data, 0, plain->count);
    *result = apli_move(&converted);
    return APL_OK;
}

AplErr apli_own(AplArray **array) {
    AplStorage *storage = (*array)->storage;
    if (storage && storage->rounded && (*array)->references == 1 && storage->references == 1) apli_keep_rounded(storage, NULL);
    if (apli_may_overwrite(*array)) return APL_OK;
    APLI_AUTO AplArray *plain = NULL, *copy = NULL;
    TRY(apli_plain(*array, &plain));
    if (plain != *array) { /* already a copy */
        apli_array_release(*array);
        *array = apli_move(&plain);
        return APL_OK;
    }
    TRY(apli_array_new_like((AplType)plain->type, plain, &copy));
    copy->weak = plain->weak;
    apli_copy(copy, 0, plain, 0, plain->type == APLI_NESTED && !plain->count ? 1 : plain->count);
    apli_array_release(*array);
    *array = apli_move(&copy);
    return APL_OK;
}

#define RANGE(TYPE) \
    { \
        const TYPE *values = (const TYPE *)a->data; \
        TYPE least = values[0], most = values[0]; \
        for (int64_t i = 1; i < a->count; i++) { \
            least = values[i] < least ? values[i] : least; \
            most = values[i] > most ? values[i] : most; \
        } \
        low = (int64_t)least; \
        high = (int64_t)most; \
        break; \
    }

AplErr apli_squeeze(AplArray **array) {
    AplArray *a = *array;
    AplType type = (AplType)a->type;
    bool character = apli_type_is_character(type);
    if (a->form != APLI_PLAIN || a->count == 0 || type == APLI_BOOL || type == APLI_CHAR8) return APL_OK;
    int64_t low = 0, high = 0;
    switch (type) {
    case APLI_I8: RANGE(int8_t)
    case APLI_I16: RANGE(int16_t)
    case APLI_I32: RANGE(int32_t)
    case APLI_I64: RANGE(int64_t)
    case APLI_CHAR16: RANGE(uint16_t)
    case APLI_CHAR32: RANGE(uint32_t)
    default: return APL_OK;
    }
    AplType smallest = character ? apli_type_for_codepoint((uint32_t)high) : apli_type_for_range(low, high);
    if (smallest == type) return APL_OK;
    AplArray *smaller;
    TRY(apli_array_new_like(smallest, a, &smaller));
    apli_elem_convert(smallest, smaller->data, 0, type, a->data, 0, a->count);
    apli_array_release(a);
    *array = smaller;
    return APL_OK;
}

AplErr apli_string(const char *utf8, size_t length, AplArray **result) {
    int64_t count = 0;
    uint32_t largest = 0;
    for (size_t at = 0; at < length; count++) {
        uint32_t codepoint = apli_utf8_next(utf8, length, &at);
        if (codepoint > largest) largest = codepoint;
    }
    AplType type = apli_type_for_codepoint(largest);
    TRY(apli_vector_new(type, count, result));
    size_t at = 0;
    for (int64_t i = 0; i < count; i++) {
        uint32_t codepoint = apli_utf8_next(utf8, length, &at);
        apli_elem_convert(type, (*result)->data, i, APLI_CHAR32, &codepoint, 0, 1);
    }
    return APL_OK;
}

/* ---- integers from arguments ----------------------------------------------------------------------------------- */

AplErr apli_integers(AplArray *array, const char *what, AplArray **result) {
    if (array->count == 1 && array->form == APLI_PLAIN && array->type < APLI_I64) { /* what most axes and indices are */
        TRY(apli_array_new_like(APLI_I64, array, result));
        *(int64_t *)(*result)->data = apli_i64_at(array, 0);
        return APL_OK;
    }
    APLI_AUTO AplArray *plain = NULL, *integers = NULL;
    TRY(apli_plain(array, &plain));
    AplType type = (AplType)plain->type;
    if (plain->count == 0) return apli_array_new_like(APLI_I64, plain, result);
    FAIL_IF(!apli_type_is_number(type), APL_DOMAIN, "%s must be integers, not %s", what,
            apli_types[type].kind == APLI_KIND_CHARACTER ? "characters" : "nested");
    for (int64_t i = 0; type == APLI_I64 && i < plain->count; i++) { /* sums of two of them must not overflow */
        int64_t value = ((const int64_t *)plain->data)[i];
        FAIL_IF(value > (int64_t)1 << 62 || value < -((int64_t)1 << 62), APL_DOMAIN, "%s cannot be as large as %" PRId64, what,
                value);
    }
    if (apli_type_is_integer(type)) return apli_convert(plain, APLI_I64, result);
    TRY(apli_array_new_like(APLI_I64, plain, &integers));
    for (int64_t i = 0; i < plain->count; i++) {
        double value = apli_f64_at(plain, i), nearest = round(value);
        FAIL_IF(!(fabs(value - nearest) <= 1e-10 * fmax(1, fabs(value))) || fabs(nearest) > 0x1p62, APL_DOMAIN,
                "%s must be integers, not %.17g", what, value);
        ((int64_t *)integers->data)[i] = (int64_t)nearest;
    }
    *result = apli_move(&integers);
    return APL_OK;
}

AplErr apli_integer(AplArray *array, const char *what, int64_t *value) {
    APLI_AUTO AplArray *integers = NULL;
    FAIL_IF(array->count != 1, array->rank > 1 ? APL_RANK : APL_LENGTH, "%s must be one integer, its shape is %s", what,
            apli_shape_text(array));
    if (array->form == APLI_PLAIN && array->type < APLI_I64) {
        *value = apli_i64_at(array, 0);
        return APL_OK;
    }
    TRY(apli_integers(array, what, &integers));
    *value = ((int64_t *)integers->data)[0];
    return APL_OK;
}
