/* A bounded reader: no byte is read that was not first counted. */
#include "base/reader.h"

#include <inttypes.h>
#include <string.h>

AplErr apli_read_bytes(AplReader *reader, const char *field, uint64_t length, const uint8_t **bytes) {
    FAIL_IF(length > apli_reader_left(reader), APL_FILE_DATA,
            "%s: %s at offset %" PRIu64 " needs %" PRIu64 " bytes, the file has %" PRIu64 " left", reader->source, field,
            reader->offset, length, apli_reader_left(reader));
    *bytes = reader->bytes + reader->offset;
    reader->offset += length;
    return APL_OK;
}

#define READ_NUMBER(name, type) \
    AplErr apli_read_##name(AplReader *reader, const char *field, type *value) { \
        const uint8_t *bytes; \
        TRY(apli_read_bytes(reader, field, sizeof *value, &bytes)); \
        memcpy(value, bytes, sizeof *value); \
        return APL_OK; \
    }
READ_NUMBER(u8, uint8_t)
READ_NUMBER(u16, uint16_t)
READ_NUMBER(u32, uint32_t)
READ_NUMBER(u64, uint64_t)
READ_NUMBER(f32, float)
READ_NUMBER(f64, double)

AplErr apli_reader_seek(AplReader *reader, const char *field, uint64_t offset) {
    FAIL_IF(offset > reader->size, APL_FILE_DATA, "%s: %s points to offset %" PRIu64 ", the file has %" PRIu64 " bytes",
            reader->source, field, offset, reader->size);
    reader->offset = offset;
    return APL_OK;
}

AplErr apli_checked_product(const char *source, const char *field, uint64_t a, uint64_t b, uint64_t limit,
                            uint64_t *product) {
    uint64_t result;
    FAIL_IF(__builtin_mul_overflow(a, b, &result) || result > limit, APL_LIMIT,
            "%s: %s is %" PRIu64 " × %" PRIu64 ", more than the limit of %" PRIu64, source, field, a, b, limit);
    *product = result;
    return APL_OK;
}
