/* Reading a GGUF file: its header, its table of tensors, and where their data lie. No count is believed before the bytes it
   would take are known to be there, so that what is allocated stays within a small multiple of the file's own tables. */
#include "model/gguf_internal.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const AplGgufTensorType tensor_types[] = {
#define GGUF_TENSOR_TYPE(number, name, elements, bytes, row_bytes) {number, name, elements, bytes, row_bytes},
#include "model/gguf_tensor_type.def"
#undef GGUF_TENSOR_TYPE
};

const AplGgufTensorType *apli_gguf_tensor_type(const char *name) {
    for (size_t i = 0; i < sizeof tensor_types / sizeof *tensor_types; i++)
        if (strcmp(tensor_types[i].name, name) == 0) return &tensor_types[i];
    return NULL;
}

enum {
    DEFAULT_ALIGNMENT = 32,
    SMALLEST_ENTRY = 8 + 4 + 1, /* an empty key would be refused, but is counted */
    SMALLEST_TENSOR = 8 + 4 + 8 + 4 + 8,
    LONGEST_NAME = 65535
};

/* Reads a key or a tensor's name into a string of its own. Control characters are refused: names are printed. */
static AplErr read_name(AplReader *reader, const char *field, char **name) {
    const uint64_t at = reader->offset;
    uint64_t length;
    const uint8_t *bytes;
    TRY(apli_read_u64(reader, field, &length));
    FAIL_IF(length == 0 || length > LONGEST_NAME, APL_FILE_DATA,
            "%s: %s at offset %" PRIu64 " has %" PRIu64 " bytes, not 1 to %d", reader->source, field, at, length,
            LONGEST_NAME);
    TRY(apli_read_bytes(reader, field, length, &bytes));
    bool printable = apli_utf8_valid((const char *)bytes, length, NULL);
    for (uint64_t i = 0; i < length; i++) printable &= bytes[i] >= ' ' && bytes[i] != 127;
    FAIL_IF(!printable, APL_FILE_DATA, "%s: %s at offset %" PRIu64 " is not printable text", reader->source, field, at);
    *name = strndup((const char *)bytes, length);
    FAIL_IF(!*name, APL_WS_FULL, "%s: no memory for %s of %" PRIu64 " bytes", reader->source, field, length);
    return APL_OK;
}

static int by_key(const void *a, const void *b) {
    return strcmp((*(const AplGgufEntry *const *)a)->key, (*(const AplGgufEntry *const *)b)->key);
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(const AplGgufTensor *const *)a)->name, (*(const AplGgufTensor *const *)b)->name);
}

static int by_offset(const void *a, const void *b) {
    uint64_t left = (*(const AplGgufTensor *const *)a)->offset, right = (*(const AplGgufTensor *const *)b)->offset;
    return (left > right) - (left < right);
}

/* ---- metadata ------------------------------------------------------------------------------------------------ */

static AplErr read_entries(AplGguf *gguf, uint64_t count) {
    AplReader *reader = &gguf->reader;
    FAIL_IF(count > apli_reader_left(reader) / SMALLEST_ENTRY, APL_FILE_DATA,
            "%s: the header claims %" PRIu64 " metadata entries, the file has %" PRIu64 " bytes left", gguf->source, count,
            apli_reader_left(reader));
    gguf->entries = calloc(count + 1, sizeof *gguf->entries);
    gguf->entries_by_key = calloc(count + 1, sizeof *gguf->entries_by_key);
    FAIL_IF(!gguf->entries || !gguf->entries_by_key, APL_WS_FULL, "%s: no memory for %" PRIu64 " metadata entries",
            gguf->source, count);
    for (uint64_t i = 0; i < count; i++) {
        AplGgufEntry *entry = &gguf->entries[i];
        uint32_t type;
        TRY(read_name(reader, "a metadata key", &entry->key));
        gguf->entry_count = i + 1;
        TRY(apli_read_u32(reader, entry->key, &type));
        TRY(apli_gguf_read_value(reader, type, entry));
        gguf->entries_by_key[i] = entry;
    }
    qsort(gguf->entries_by_key, count, sizeof *gguf->entries_by_key, by_key);
    for (uint64_t i = 1; i < count; i++)
        FAIL_IF(by_key(&gguf->entries_by_key[i - 1], &gguf->entries_by_key[i]) == 0, APL_FILE_DATA,
                "%s: the metadata has %s twice", gguf->source, gguf->entries_by_key[i]->key);
    return APL_OK;
}

static AplErr read_alignment(AplGguf *gguf) {
    int64_t alignment;
    TRY(apli_gguf_integer_or(gguf, "general.alignment", DEFAULT_ALIGNMENT, &alignment));
    FAIL_IF(alignment <= 0 || (alignment & (alignment - 1)) || alignment > 1 << 30, APL_FILE_DATA,
            "%s: general.alignment is %" PRId64 ", not a power of two up to 2 to the 30th", gguf->source, alignment);
    gguf->alignment = (uint64_t)alignment;
    return APL_OK;
}

/* ---- tensors ------------------------------------------------------------------------------------------------- */

static AplErr read_tensor_type(const AplGguf *gguf, const AplGgufTensor *tensor, uint32_t number,
                               const AplGgufTensorType **type) {
    for (size_t i = 0; i < sizeof tensor_types / sizeof *tensor_types; i++) {
        if (tensor_types[i].number != (int64_t)number) continue;
        *type = &tensor_types[i];
        return APL_OK;
    }
    return apli_fail(APL_FILE_DATA, "%s: tensor %s has the unknown type %" PRIu32, gguf->source, tensor->name, number);
}

/* Elements and bytes from lengths and type; 2 to the 62nd elements is the most that is counted. */
static AplErr size_tensor(const AplGguf *gguf, AplGgufTensor *tensor) {
    tensor->count = 1;
    for (int axis = 0; axis < tensor->rank; axis++) {
        FAIL_IF(tensor->lengths[axis] == 0, APL_FILE_DATA, "%s: tensor %s has length 0 on axis %d", gguf->source,
                tensor->name, axis);
        TRY(apli_checked_product(gguf->source, tensor->name, tensor->count, tensor->lengths[axis], UINT64_C(1) << 62,
                                 &tensor->count));
    }
    FAIL_IF(tensor->lengths[0] % tensor->type->block_elements, APL_FILE_DATA,
            "%s: rows of tensor %s have %" PRIu64 " elements, which blocks of %" PRIu64 " (%s) do not divide", gguf->source,
            tensor->name, tensor->lengths[0], tensor->type->block_elements, tensor->type->name);
    uint64_t blocks, rows;
    TRY(apli_checked_product(gguf->source, tensor->name, tensor->count / tensor->type->block_elements,
                             tensor->type->block_bytes, UINT64_C(1) << 61, &blocks));
    TRY(apli_checked_product(gguf->source, tensor->name, tensor->count / tensor->lengths[0], tensor->type->row_bytes,
                             UINT64_C(1) << 61, &rows));
    tensor->size = blocks + rows;
    return APL_OK;
}

static AplErr read_tensor(AplGguf *gguf, AplGgufTensor *tensor) {
    AplReader *reader = &gguf->reader;
    uint32_t rank, type;
    TRY(apli_read_u32(reader, tensor->name, &rank));
    FAIL_IF(rank < 1 || rank > APLI_GGUF_MAX_RANK, APL_FILE_DATA, "%s: tensor %s has rank %" PRIu32 ", not 1 to %d",
            gguf->source, tensor->name, rank, APLI_GGUF_MAX_RANK);
    tensor->rank = (int)rank;
    for (int axis = 0; axis < tensor->rank; axis++) TRY(apli_read_u64(reader, tensor->name, &tensor->lengths[axis]));
    TRY(apli_read_u32(reader, tensor->name, &type));
    TRY(read_tensor_type(gguf, tensor, type, &tensor->type));
    TRY(apli_read_u64(reader, tensor->name, &tensor->offset));
    FAIL_IF(tensor->offset % gguf->alignment, APL_FILE_DATA,
            "%s: tensor %s begins at offset %" PRIu64 ", not a multiple of the alignment %" PRIu64, gguf->source,
            tensor->name, tensor->offset, gguf->alignment);
    return size_tensor(gguf, tensor);
}

static AplErr read_tensors(AplGguf *gguf, uint64_t count) {
    AplReader *reader = &gguf->reader;
    FAIL_IF(count > apli_reader_left(reader) / SMALLEST_TENSOR, APL_FILE_DATA,
            "%s: the header claims %" PRIu64 " tensors, the file has %" PRIu64 " bytes left", gguf->source, count,
            apli_reader_left(reader));
    gguf->tensors = calloc(count + 1, sizeof *gguf->tensors);
    gguf->tensors_by_name = calloc(count + 1, sizeof *gguf->tensors_by_name);
    FAIL_IF(!gguf->tensors || !gguf->tensors_by_name, APL_WS_FULL, "%s: no memory for %" PRIu64 " tensors", gguf->source,
            count);
    for (uint64_t i = 0; i < count; i++) {
        TRY(read_name(reader, "a tensor's name", &gguf->tensors[i].name));
        gguf->tensor_count = i + 1;
        TRY(read_tensor(gguf, &gguf->tensors[i]));
        gguf->tensors_by_name[i] = &gguf->tensors[i];
    }
    return APL_OK;
}

/* Finds each tensor's bytes: inside the file, and none over another. */
static AplErr place_tensors(AplGguf *gguf) {
    const AplReader *reader = &gguf->reader;
    const uint64_t count = gguf->tensor_count;
    const uint64_t start = (reader->offset + gguf->alignment - 1) / gguf->alignment * gguf->alignment;
    for (uint64_t i = 0; i < count; i++) {
        AplGgufTensor *tensor = &gguf->tensors[i];
        FAIL_IF(start > reader->size || tensor->offset > reader->size - start ||
                    tensor->size > reader->size - start - tensor->offset,
                APL_FILE_DATA,
                "%s: tensor %s needs %" PRIu64 " bytes at offset %" PRIu64 " + %" PRIu64 ", the file has %" PRIu64 " bytes",
                gguf->source, tensor->name, tensor->size, start, tensor->offset, reader->size);
        tensor->offset += start;
        tensor->bytes = reader->bytes + tensor->offset;
    }
    qsort(gguf->tensors_by_name, count, sizeof *gguf->tensors_by_name, by_offset);
    for (uint64_t i = 1; i < count; i++) {
        const AplGgufTensor *first = gguf->tensors_by_name[i - 1], *second = gguf->tensors_by_name[i];
        FAIL_IF(first->offset + first->size > second->offset, APL_FILE_DATA,
                "%s: tensors %s (%" PRIu64 " bytes at offset %" PRIu64 ") and %s (at offset %" PRIu64 ") overlap",
                gguf->source, first->name, first->size, first->offset, second->name, second->offset);
    }
    qsort(gguf->tensors_by_name, count, sizeof *gguf->tensors_by_name, by_name);
    for (uint64_t i = 1; i < count; i++)
        FAIL_IF(by_name(&gguf->tensors_by_name[i - 1], &gguf->tensors_by_name[i]) == 0, APL_FILE_DATA,
                "%s: the file has tensor %s twice", gguf->source, gguf->tensors_by_name[i]->name);
    return APL_OK;
}

/* ---- the file ------------------------------------------------------------------------------------------------ */

static AplErr read_file(AplGguf *gguf) {
    AplReader *reader = &gguf->reader;
    const uint8_t *magic;
    uint64_t tensor_count, entry_count;
    FAIL_IF(reader->size < 4 || memcmp(reader->bytes, "GGUF", 4) != 0, APL_FILE_DATA,
            "%s: is not a GGUF file: it does not begin with \"GGUF\"", gguf->source);
    TRY(apli_read_bytes(reader, "the magic number", 4, &magic));
    TRY(apli_read_u32(reader, "the version", &gguf->version));
    FAIL_IF(gguf->version && (gguf->version & 0xFFFF) == 0, APL_NONCE,
            "%s: is a big-endian GGUF file; only little-endian ones can be read", gguf->source);
    FAIL_IF(gguf->version != 2 && gguf->version != 3, APL_NONCE,
            "%s: is GGUF version %" PRIu32 "; versions 2 and 3 can be read", gguf->source, gguf->version);
    TRY(apli_read_u64(reader, "the tensor count", &tensor_count));
    TRY(apli_read_u64(reader, "the metadata count", &entry_count));
    TRY(read_entries(gguf, entry_count));
    TRY(read_alignment(gguf));
    TRY(read_tensors(gguf, tensor_count));
    return place_tensors(gguf);
}

static AplErr open_bytes(const char *source, const void *bytes, uint64_t size, AplMap *map, AplGguf **result) {
    AplGguf *gguf = calloc(1, sizeof *gguf);
    char *name = strdup(source);
    if (!gguf || !name) {
        free(gguf);
        free(name);
        apli_map_release(map);
        return apli_fail(APL_WS_FULL, "%s: no memory to open it", source);
    }
    gguf->source = name;
    gguf->map = map;
    gguf->reader = (AplReader){.source = name, .bytes = bytes, .size = size};
    AplErr outcome = read_file(gguf);
    if (outcome != APL_OK) {
        apli_gguf_close(gguf);
        return outcome;
    }
    *result = gguf;
    return APL_OK;
}

AplErr apli_gguf_open(const char *path, AplGguf **result) {
    AplMap *map;
    TRY(apli_map_open(path, &map));
    return open_bytes(path, apli_map_bytes(map), apli_map_size(map), map, result);
}

AplErr apli_gguf_open_memory(const char *source, const void *bytes, size_t size, AplGguf **result) {
    return open_bytes(source, bytes, size, NULL, result);
}

void apli_gguf_close(AplGguf *gguf) {
    if (!gguf) return;
    for (uint64_t i = 0; i < gguf->entry_count; i++) {
        free(gguf->entries[i].key);
        free(gguf->entries[i].offsets);
    }
    for (uint64_t i = 0; i < gguf->tensor_count; i++) free(gguf->tensors[i].name);
    free(gguf->entries);
    free(gguf->entries_by_key);
    free(gguf->tensors);
    free(gguf->tensors_by_name);
    apli_map_release(gguf->map);
    free(gguf->source);
    free(gguf);
}

const char *apli_gguf_source(const AplGguf *gguf) { return gguf->source; }
uint32_t apli_gguf_version(const AplGguf *gguf) { return gguf->version; }
uint64_t apli_gguf_file_size(const AplGguf *gguf) { return gguf->reader.size; }
AplMap *apli_gguf_map(const AplGguf *gguf) { return gguf->map; }

uint64_t apli_gguf_tensor_count(const AplGguf *gguf) { return gguf->tensor_count; }
const AplGgufTensor *apli_gguf_tensor(const AplGguf *gguf, uint64_t index) { return &gguf->tensors[index]; }

const AplGgufTensor *apli_gguf_find_tensor(const AplGguf *gguf, const char *name) {
    uint64_t low = 0, high = gguf->tensor_count;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int order = strcmp(name, gguf->tensors_by_name[middle]->name);
        if (order == 0) return gguf->tensors_by_name[middle];
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return NULL;
}
