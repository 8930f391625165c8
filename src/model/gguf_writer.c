/* Writing GGUF files: metadata and table gather in memory, tensors' data are streamed. */
#include "model/gguf_writer.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 32, VERSION = 3 }; /* what readers assume where general.alignment is absent */

typedef struct Tensor {
    char *name;
    uint64_t offset, size; /* bytes of the data section */
} Tensor;

struct AplGgufWriter {
    AplText entries, table; /* as the file will have them */
    uint64_t entry_count, tensor_count, capacity;
    Tensor *tensors;
    uint64_t data_size; /* of all tensors, each padded */
    AplNewFile *file;
    uint64_t current, written; /* the tensor being written, and how many of its bytes are */
};

AplErr apli_gguf_writer_new(AplGgufWriter **result) {
    *result = calloc(1, sizeof **result);
    FAIL_IF(!*result, APL_WS_FULL, "no memory to write a GGUF file");
    return APL_OK;
}

void apli_gguf_writer_free(AplGgufWriter *writer) {
    if (!writer) return;
    for (uint64_t i = 0; i < writer->tensor_count; i++) free(writer->tensors[i].name);
    free(writer->tensors);
    apli_text_free(&writer->entries);
    apli_text_free(&writer->table);
    free(writer);
}

/* ---- metadata ------------------------------------------------------------------------------------------------ */

/* Numbers are appended as this machine has them: the format is little-endian, as every machine is that the program
   is built for (a big-endian reader refuses the file by its version number). */
static void append_number(AplText *text, const void *number, size_t size) { apli_text_append(text, number, size); }
static void append_u32(AplText *text, uint32_t value) { append_number(text, &value, sizeof value); }
static void append_u64(AplText *text, uint64_t value) { append_number(text, &value, sizeof value); }

static void append_string(AplText *text, const char *string) {
    append_u64(text, strlen(string));
    apli_text_append_string(text, string);
}

static void begin_entry(AplGgufWriter *writer, const char *key, AplGgufType type) {
    writer->entry_count++;
    append_string(&writer->entries, key);
    append_u32(&writer->entries, type);
}

static void begin_array(AplGgufWriter *writer, const char *key, AplGgufType type, uint64_t count) {
    begin_entry(writer, key, APLI_GGUF_ARRAY);
    append_u32(&writer->entries, type);
    append_u64(&writer->entries, count);
}

void apli_gguf_put_u32(AplGgufWriter *writer, const char *key, uint32_t value) {
    begin_entry(writer, key, APLI_GGUF_U32);
    append_u32(&writer->entries, value);
}

void apli_gguf_put_f32(AplGgufWriter *writer, const char *key, float value) {
    begin_entry(writer, key, APLI_GGUF_F32);
    append_number(&writer->entries, &value, sizeof value);
}

void apli_gguf_put_boolean(AplGgufWriter *writer, const char *key, bool value) {
    begin_entry(writer, key, APLI_GGUF_BOOL);
    apli_text_append(&writer->entries, value ? "\1" : "\0", 1);
}

void apli_gguf_put_string(AplGgufWriter *writer, const char *key, const char *value) {
    begin_entry(writer, key, APLI_GGUF_STRING);
    append_string(&writer->entries, value);
}

void apli_gguf_put_strings(AplGgufWriter *writer, const char *key, const char *const *values, uint64_t count) {
    begin_array(writer, key, APLI_GGUF_STRING, count);
    for (uint64_t i = 0; i < count; i++) append_string(&writer->entries, values[i]);
}

void apli_gguf_put_i32s(AplGgufWriter *writer, const char *key, const int32_t *values, uint64_t count) {
    begin_array(writer, key, APLI_GGUF_I32, count);
    append_number(&writer->entries, values, count * sizeof *values);
}

/* ---- tensors ------------------------------------------------------------------------------------------------- */

static uint64_t padded(uint64_t size) { return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static AplErr add_tensor(AplGgufWriter *writer, const char *name, uint64_t size) {
    if (writer->tensor_count == writer->capacity) {
        const uint64_t capacity = writer->capacity ? 2 * writer->capacity : 64;
        Tensor *tensors = realloc(writer->tensors, capacity * sizeof *tensors);
        FAIL_IF(!tensors, APL_WS_FULL, "no memory for %" PRIu64 " tensors", capacity);
        writer->tensors = tensors;
        writer->capacity = capacity;
    }
    char *copy = strdup(name);
    FAIL_IF(!copy, APL_WS_FULL, "no memory for the name of a tensor");
    writer->tensors[writer->tensor_count++] = (Tensor){copy, writer->data_size, size};
    writer->data_size += padded(size);
    return APL_OK;
}

AplErr apli_gguf_put_tensor(AplGgufWriter *writer, const char *name, const char *type_name, int rank,
                            const uint64_t *lengths) {
    const AplGgufTensorType *type = apli_gguf_tensor_type(type_name);
    FAIL_IF(!type, APL_DOMAIN, "tensor %s: \"%s\" is no tensor type", name, type_name);
    FAIL_IF(rank < 1 || rank > APLI_GGUF_MAX_RANK, APL_RANK, "tensor %s: rank %d, not 1 to %d", name, rank,
            APLI_GGUF_MAX_RANK);
    FAIL_IF(lengths[0] % type->block_elements, APL_DOMAIN,
            "tensor %s: rows of %" PRIu64 " elements, which blocks of %" PRIu64 " (%s) do not divide", name, lengths[0],
            type->block_elements, type->name);
    uint64_t count = 1;
    for (int axis = 0; axis < rank; axis++) {
        FAIL_IF(lengths[axis] == 0 || lengths[axis] > (UINT64_C(1) << 50) / count, APL_LIMIT,
                "tensor %s: %" PRIu64 " × %" PRIu64 " elements", name, count, lengths[axis]);
        count *= lengths[axis];
    }
    append_string(&writer->table, name);
    append_u32(&writer->table, (uint32_t)rank);
    for (int axis = 0; axis < rank; axis++) append_u64(&writer->table, lengths[axis]);
    append_u32(&writer->table, (uint32_t)type->number);
    append_u64(&writer->table, writer->data_size);
    return add_tensor(writer, name, count / type->block_elements * type->block_bytes + count / lengths[0] * type->row_bytes);
}

uint64_t apli_gguf_tensor_bytes(const AplGgufWriter *writer) { return writer->data_size; }

/* ---- the file ------------------------------------------------------------------------------------------------ */

static AplErr write_padding(AplGgufWriter *writer, uint64_t size) {
    static const char zeros[ALIGNMENT];
    return apli_new_file_write(writer->file, zeros, padded(size) - size);
}

AplErr apli_gguf_begin(AplGgufWriter *writer, AplNewFile *file) {
    APLI_AUTO_TEXT header = {0};
    TRY(apli_text_status(&writer->entries));
    TRY(apli_text_status(&writer->table));
    apli_text_append_string(&header, "GGUF");
    append_u32(&header, VERSION);
    append_u64(&header, writer->tensor_count);
    append_u64(&header, writer->entry_count);
    TRY(apli_text_status(&header));
    writer->file = file;
    TRY(apli_new_file_write(file, header.bytes, header.length));
    TRY(apli_new_file_write(file, apli_text_string(&writer->entries), writer->entries.length));
    TRY(apli_new_file_write(file, apli_text_string(&writer->table), writer->table.length));
    return write_padding(writer, header.length + writer->entries.length + writer->table.length);
}

AplErr apli_gguf_write(AplGgufWriter *writer, const void *bytes, size_t size) {
    for (const char *next = bytes; size;) {
        FAIL_IF(writer->current == writer->tensor_count, APL_LENGTH,
                "%zu bytes more than the %" PRIu64 " tensors of the file hold", size, writer->tensor_count);
        const Tensor *tensor = &writer->tensors[writer->current];
        const uint64_t left = tensor->size - writer->written, part = size < left ? size : left;
        TRY(apli_new_file_write(writer->file, next, part));
        next += part;
        size -= part;
        writer->written += part;
        if (writer->written < tensor->size) continue;
        TRY(write_padding(writer, tensor->size));
        writer->current++;
        writer->written = 0;
    }
    return APL_OK;
}

AplErr apli_gguf_finish(AplGgufWriter *writer) {
    FAIL_IF(writer->current < writer->tensor_count, APL_LENGTH, "tensor %s has %" PRIu64 " of its %" PRIu64 " bytes",
            writer->tensors[writer->current].name, writer->written, writer->tensors[writer->current].size);
    return apli_new_file_commit(writer->file);
}
