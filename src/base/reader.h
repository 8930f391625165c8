/* A bounded reader over bytes that no one vouches for. Every read checks what is left before it reads; every error
   names the source, the offset and the numbers. */
#ifndef APLI_BASE_READER_H
#define APLI_BASE_READER_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct AplReader {
    const char *source; /* what the errors call it, usually a file's path */
    const uint8_t *bytes;
    uint64_t size;
    uint64_t offset;
} AplReader;

/* Reads little-endian numbers; `field` names the value in the error. */
AplErr apli_read_u8(AplReader *reader, const char *field, uint8_t *value);
AplErr apli_read_u16(AplReader *reader, const char *field, uint16_t *value);
AplErr apli_read_u32(AplReader *reader, const char *field, uint32_t *value);
AplErr apli_read_u64(AplReader *reader, const char *field, uint64_t *value);
AplErr apli_read_f32(AplReader *reader, const char *field, float *value);
AplErr apli_read_f64(AplReader *reader, const char *field, double *value);
/* A view of the next `length` bytes, which stay the source's. */
AplErr apli_read_bytes(AplReader *reader, const char *field, uint64_t length, const uint8_t **bytes);
AplErr apli_reader_seek(AplReader *reader, const char *field, uint64_t offset);
static inline uint64_t apli_reader_left(const AplReader *reader) { return reader->size - reader->offset; }

/* a × b in *product; LIMIT ERROR that names the field when it exceeds `limit`. */
AplErr apli_checked_product(const char *source, const char *field, uint64_t a, uint64_t b, uint64_t limit,
                            uint64_t *product);

#endif
