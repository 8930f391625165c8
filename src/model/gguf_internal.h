/* What an open GGUF file holds; shared by gguf.c, which reads it, and gguf_metadata.c, which answers from it. */
#ifndef APLI_MODEL_GGUF_INTERNAL_H
#define APLI_MODEL_GGUF_INTERNAL_H

#include "base/reader.h"
#include "model/gguf.h"

struct AplGguf {
    char *source;
    AplMap *map;
    AplReader reader;
    uint32_t version;
    uint64_t alignment;
    uint64_t entry_count, tensor_count;
    AplGgufEntry *entries;
    AplGgufTensor *tensors;
    const AplGgufEntry **entries_by_key; /* sorted */
    const AplGgufTensor **tensors_by_name; /* sorted */
};

/* Bytes of one item; 0 for strings and arrays. */
uint64_t apli_gguf_type_bytes(AplGgufType type);
/* Reads the value that follows an entry's key and type, checking all of it. */
AplErr apli_gguf_read_value(AplReader *reader, uint32_t type, AplGgufEntry *entry);

#endif
