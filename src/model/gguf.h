/* GGUF files, versions 2 and 3, little-endian: metadata (typed values by key) and a table of tensors whose data stay where
   the file has them. Everything is checked when the file is opened: what the functions below return lies inside the file.

   Form: "GGUF", version u32, tensor count u64, entry count u64; the entries (key, type u32, value); the tensors (name, rank
   u32, lengths u64 each, type u32, offset u64); padding to the alignment; the tensors' data, each at its offset from there.
   A string is its length u64 and its bytes; an array is its items' type u32, its length u64 and the items. */
#ifndef APLI_MODEL_GGUF_H
#define APLI_MODEL_GGUF_H

#include "base/error.h"
#include "os/map.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AplGguf AplGguf;

typedef enum AplGgufType {
    APLI_GGUF_U8,
    APLI_GGUF_I8,
    APLI_GGUF_U16,
    APLI_GGUF_I16,
    APLI_GGUF_U32,
    APLI_GGUF_I32,
    APLI_GGUF_F32,
    APLI_GGUF_BOOL,
    APLI_GGUF_STRING,
    APLI_GGUF_ARRAY,
    APLI_GGUF_U64,
    APLI_GGUF_I64,
    APLI_GGUF_F64,
    APLI_GGUF_TYPE_COUNT
} AplGgufType;

/* One metadata entry. A single value is an array of one item whose is_array is false. */
typedef struct AplGgufEntry {
    char *key; /* printable, NUL-terminated */
    AplGgufType type; /* of the value, or of an array's items; never ARRAY */
    bool is_array;
    uint64_t count;
    const uint8_t *bytes;
    uint64_t *offsets; /* of each string's length, from bytes; NULL for other types */
} AplGgufEntry;

enum { APLI_GGUF_MAX_RANK = 4 };

typedef struct AplGgufTensorType {
    int number;
    const char *name; /* "q4_1" */
    uint64_t block_elements;
    uint64_t block_bytes;
    uint64_t row_bytes; /* before the blocks of each row */
} AplGgufTensorType;

/* The tensor type with this name, NULL when there is none. */
const AplGgufTensorType *apli_gguf_tensor_type(const char *name);

typedef struct AplGgufTensor {
    char *name; /* printable, NUL-terminated */
    const AplGgufTensorType *type;
    int rank;
    uint64_t lengths[APLI_GGUF_MAX_RANK]; /* as the file has them: the fastest-moving axis first */
    uint64_t count; /* elements */
    uint64_t offset; /* in the file */
    uint64_t size; /* bytes */
    const uint8_t *bytes;
} AplGgufTensor;

/* FILE ... ERROR that names the file, the field and the numbers. */
AplErr apli_gguf_open(const char *path, AplGguf **result);
/* Reads `size` bytes that outlive the result; `source` is what errors call them. */
AplErr apli_gguf_open_memory(const char *source, const void *bytes, size_t size, AplGguf **result);
void apli_gguf_close(AplGguf *gguf); /* NULL is allowed */

const char *apli_gguf_source(const AplGguf *gguf);
uint32_t apli_gguf_version(const AplGguf *gguf);
uint64_t apli_gguf_file_size(const AplGguf *gguf);
AplMap *apli_gguf_map(const AplGguf *gguf); /* borrowed; NULL when opened from memory */

/* ---- metadata ------------------------------------------------------------------------------------------------ */

const char *apli_gguf_type_name(AplGgufType type); /* "uint32" */
uint64_t apli_gguf_entry_count(const AplGguf *gguf);
const AplGgufEntry *apli_gguf_entry(const AplGguf *gguf, uint64_t index); /* in the order of the file */
const AplGgufEntry *apli_gguf_find(const AplGguf *gguf, const char *key); /* NULL when absent */

/* Item `index` of an entry, index below its count; the caller has looked at its type. Booleans are integers 0 and 1. */
const char *apli_gguf_string_at(const AplGgufEntry *entry, uint64_t index, size_t *length);
bool apli_gguf_is_integer(AplGgufType type); /* Boolean excluded */
int64_t apli_gguf_integer_at(const AplGgufEntry *entry, uint64_t index); /* a uint64 past 2 to the 63rd wraps */
double apli_gguf_real_at(const AplGgufEntry *entry, uint64_t index); /* of any number */

/* Values by key. FILE DATA ERROR that names the file, the key, the type expected and the type found; a key that is absent is
   an error only where there is no default. Any integer type serves as an integer, any number as a real. */
AplErr apli_gguf_integer(const AplGguf *gguf, const char *key, int64_t *value);
AplErr apli_gguf_integer_or(const AplGguf *gguf, const char *key, int64_t absent, int64_t *value);
AplErr apli_gguf_real(const AplGguf *gguf, const char *key, double *value);
AplErr apli_gguf_real_or(const AplGguf *gguf, const char *key, double absent, double *value);
AplErr apli_gguf_boolean_or(const AplGguf *gguf, const char *key, bool absent, bool *value);
/* The bytes stay the file's and are not NUL-terminated. */
AplErr apli_gguf_string(const AplGguf *gguf, const char *key, const char **bytes, size_t *length);
/* Absent: *bytes is NULL. */
AplErr apli_gguf_string_optional(const AplGguf *gguf, const char *key, const char **bytes, size_t *length);
/* An array of strings, or of integers of any width; *entry is NULL when it is absent. */
AplErr apli_gguf_strings(const AplGguf *gguf, const char *key, const AplGgufEntry **entry);
AplErr apli_gguf_integers(const AplGguf *gguf, const char *key, const AplGgufEntry **entry);

/* ---- tensors ------------------------------------------------------------------------------------------------- */

uint64_t apli_gguf_tensor_count(const AplGguf *gguf);
const AplGgufTensor *apli_gguf_tensor(const AplGguf *gguf, uint64_t index); /* in the order of the file */
const AplGgufTensor *apli_gguf_find_tensor(const AplGguf *gguf, const char *name); /* NULL when absent */

#endif
