/* The metadata of a GGUF file: reading values, and values by key. */
#include "model/gguf_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    uint64_t bytes;
} value_types[APLI_GGUF_TYPE_COUNT] = {
    [APLI_GGUF_U8] = {"uint8", 1},     [APLI_GGUF_I8] = {"int8", 1},      [APLI_GGUF_U16] = {"uint16", 2},
    [APLI_GGUF_I16] = {"int16", 2},    [APLI_GGUF_U32] = {"uint32", 4},   [APLI_GGUF_I32] = {"int32", 4},
    [APLI_GGUF_F32] = {"float32", 4},  [APLI_GGUF_BOOL] = {"bool", 1},    [APLI_GGUF_STRING] = {"string", 0},
    [APLI_GGUF_ARRAY] = {"array", 0},  [APLI_GGUF_U64] = {"uint64", 8},   [APLI_GGUF_I64] = {"int64", 8},
    [APLI_GGUF_F64] = {"float64", 8},
};

const char *apli_gguf_type_name(AplGgufType type) { return value_types[type].name; }
uint64_t apli_gguf_type_bytes(AplGgufType type) { return value_types[type].bytes; }

/* ---- reading ------------------------------------------------------------------------------------------------- */

static AplErr read_strings(AplReader *reader, AplGgufEntry *entry) {
    FAIL_IF(entry->count > apli_reader_left(reader) / 8, APL_FILE_DATA,
            "%s: %s claims %" PRIu64 " strings, the file has %" PRIu64 " bytes left", reader->source, entry->key,
            entry->count, apli_reader_left(reader));
    entry->bytes = reader->bytes + reader->offset;
    entry->offsets = malloc((entry->count + 1) * sizeof *entry->offsets);
    FAIL_IF(!entry->offsets, APL_WS_FULL, "%s: no memory for the %" PRIu64 " strings of %s", reader->source, entry->count,
            entry->key);
    const uint64_t start = reader->offset;
    for (uint64_t i = 0; i < entry->count; i++) {
        uint64_t length;
        const uint8_t *bytes;
        entry->offsets[i] = reader->offset - start;
        TRY(apli_read_u64(reader, entry->key, &length));
        TRY(apli_read_bytes(reader, entry->key, length, &bytes));
    }
    return APL_OK;
}

static AplErr check_booleans(const AplReader *reader, const AplGgufEntry *entry) {
    for (uint64_t i = 0; i < entry->count; i++)
        FAIL_IF(entry->bytes[i] > 1, APL_FILE_DATA, "%s: %s holds the bool %d, which is neither 0 nor 1", reader->source,
                entry->key, entry->bytes[i]);
    return APL_OK;
}

AplErr apli_gguf_read_value(AplReader *reader, uint32_t type, AplGgufEntry *entry) {
    FAIL_IF(type >= APLI_GGUF_TYPE_COUNT, APL_FILE_DATA, "%s: %s has the unknown value type %" PRIu32, reader->source,
            entry->key, type);
    entry->count = 1;
    entry->is_array = type == APLI_GGUF_ARRAY;
    if (entry->is_array) {
        TRY(apli_read_u32(reader, entry->key, &type));
        TRY(apli_read_u64(reader, entry->key, &entry->count));
        FAIL_IF(type >= APLI_GGUF_TYPE_COUNT, APL_FILE_DATA, "%s: the array %s has the unknown item type %" PRIu32,
                reader->source, entry->key, type);
        FAIL_IF(type == APLI_GGUF_ARRAY, APL_NONCE, "%s: %s is an array of arrays", reader->source, entry->key);
    }
    entry->type = (AplGgufType)type;
    if (type == APLI_GGUF_STRING) return read_strings(reader, entry);
    uint64_t size, item = value_types[type].bytes;
    FAIL_IF(entry->count > apli_reader_left(reader) / item, APL_FILE_DATA,
            "%s: %s claims %" PRIu64 " items of %" PRIu64 " bytes, the file has %" PRIu64 " bytes left", reader->source,
            entry->key, entry->count, item, apli_reader_left(reader));
    size = entry->count * item;
    TRY(apli_read_bytes(reader, entry->key, size, &entry->bytes));
    return type == APLI_GGUF_BOOL ? check_booleans(reader, entry) : APL_OK;
}

/* ---- items --------------------------------------------------------------------------------------------------- */

uint64_t apli_gguf_entry_count(const AplGguf *gguf) { return gguf->entry_count; }
const AplGgufEntry *apli_gguf_entry(const AplGguf *gguf, uint64_t index) { return &gguf->entries[index]; }

const AplGgufEntry *apli_gguf_find(const AplGguf *gguf, const char *key) {
    uint64_t low = 0, high = gguf->entry_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = strcmp(key, gguf->entries_by_key[middle]->key);
        if (order == 0) return gguf->entries_by_key[middle];
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}

const char *apli_gguf_string_at(const AplGgufEntry *entry, uint64_t index, size_t *length) {
    const uint8_t *string = entry->bytes + entry->offsets[index];
    uint64_t count;
    memcpy(&count, string, sizeof count);
    *length = (size_t)count;
    return (const char *)string + sizeof count;
}

bool apli_gguf_is_integer(AplGgufType type) {
    return type <= APLI_GGUF_I32 || type == APLI_GGUF_U64 || type == APLI_GGUF_I64;
}

#define ITEM(ctype) \
    ({ \
        ctype item_; \
        memcpy(&item_, entry->bytes + index * sizeof item_, sizeof item_); \
        item_; \
    })

int64_t apli_gguf_integer_at(const AplGgufEntry *entry, uint64_t index) {
    switch (entry->type) {
    case APLI_GGUF_U8:
    case APLI_GGUF_BOOL: return ITEM(uint8_t);
    case APLI_GGUF_I8: return ITEM(int8_t);
    case APLI_GGUF_U16: return ITEM(uint16_t);
    case APLI_GGUF_I16: return ITEM(int16_t);
    case APLI_GGUF_U32: return ITEM(uint32_t);
    case APLI_GGUF_I32: return ITEM(int32_t);
    case APLI_GGUF_U64:
    case APLI_GGUF_I64: return ITEM(int64_t);
    default: return 0;
    }
}

double apli_gguf_real_at(const AplGgufEntry *entry, uint64_t index) {
    switch (entry->type) {
    case APLI_GGUF_F32: return (double)ITEM(float);
    case APLI_GGUF_F64: return ITEM(double);
    case APLI_GGUF_U64: return (double)ITEM(uint64_t);
    default: return (double)apli_gguf_integer_at(entry, index);
    }
}

/* ---- values by key ------------------------------------------------------------------------------------------- */

static AplErr wrong_type(const AplGguf *gguf, const AplGgufEntry *entry, const char *expected) {
    return apli_fail(APL_FILE_DATA, "%s: %s should be %s, the file has %s%s", gguf->source, entry->key, expected,
                     entry->is_array ? "an array of " : "", apli_gguf_type_name(entry->type));
}

static AplErr missing(const AplGguf *gguf, const char *key) {
    return apli_fail(APL_FILE_DATA, "%s: the metadata has no %s", gguf->source, key);
}

AplErr apli_gguf_integer_or(const AplGguf *gguf, const char *key, int64_t absent, int64_t *value) {
    const AplGgufEntry *entry = apli_gguf_find(gguf, key);
    *value = absent;
    if (!entry) return APL_OK;
    if (entry->is_array || !apli_gguf_is_integer(entry->type)) return wrong_type(gguf, entry, "an integer");
    *value = apli_gguf_integer_at(entry, 0);
    FAIL_IF(entry->type == APLI_GGUF_U64 && *value < 0, APL_FILE_DATA, "%s: %s is %" PRIu64 ", too large", gguf->source, key,
            (uint64_t)*value);
    return APL_OK;
}

AplErr apli_gguf_integer(const AplGguf *gguf, const char *key, int64_t *value) {
    if (!apli_gguf_find(gguf, key)) return missing(gguf, key);
    return apli_gguf_integer_or(gguf, key, 0, value);
}

AplErr apli_gguf_real_or(const AplGguf *gguf, const char *key, double absent, double *value) {
    const AplGgufEntry *entry = apli_gguf_find(gguf, key);
    *value = absent;
    if (!entry) return APL_OK;
    if (entry->is_array || entry->type == APLI_GGUF_STRING || entry->type == APLI_GGUF_BOOL)
        return wrong_type(gguf, entry, "a number");
    *value = apli_gguf_real_at(entry, 0);
    return APL_OK;
}

AplErr apli_gguf_real(const AplGguf *gguf, const char *key, double *value) {
    if (!apli_gguf_find(gguf, key)) return missing(gguf, key);
    return apli_gguf_real_or(gguf, key, 0, value);
}

AplErr apli_gguf_boolean_or(const AplGguf *gguf, const char *key, bool absent, bool *value) {
    const AplGgufEntry *entry = apli_gguf_find(gguf, key);
    *value = absent;
    if (!entry) return APL_OK;
    if (entry->is_array || entry->type != APLI_GGUF_BOOL) return wrong_type(gguf, entry, "a bool");
    *value = entry->bytes[0];
    return APL_OK;
}

AplErr apli_gguf_string_optional(const AplGguf *gguf, const char *key, const char **bytes, size_t *length) {
    const AplGgufEntry *entry = apli_gguf_find(gguf, key);
    *bytes = NULL;
    *length = 0;
    if (!entry) return APL_OK;
    if (entry->is_array || entry->type != APLI_GGUF_STRING) return wrong_type(gguf, entry, "a string");
    *bytes = apli_gguf_string_at(entry, 0, length);
    return APL_OK;
}

AplErr apli_gguf_string(const AplGguf *gguf, const char *key, const char **bytes, size_t *length) {
    TRY(apli_gguf_string_optional(gguf, key, bytes, length));
    return *bytes ? APL_OK : missing(gguf, key);
}

AplErr apli_gguf_strings(const AplGguf *gguf, const char *key, const AplGgufEntry **entry) {
    *entry = apli_gguf_find(gguf, key);
    if (*entry && (!(*entry)->is_array || (*entry)->type != APLI_GGUF_STRING))
        return wrong_type(gguf, *entry, "an array of string");
    return APL_OK;
}

AplErr apli_gguf_integers(const AplGguf *gguf, const char *key, const AplGgufEntry **entry) {
    *entry = apli_gguf_find(gguf, key);
    if (*entry && (!(*entry)->is_array || !apli_gguf_is_integer((*entry)->type)))
        return wrong_type(gguf, *entry, "an array of integers");
    return APL_OK;
}
