/* Writing GGUF files, version 3 (model/gguf.h has the form). The metadata and the table of tensors are told first; then the
   tensors' bytes are streamed, in the order of the table, into a file that appears whole or not at all.

       apli_gguf_writer_new(&writer);
       apli_gguf_put_string(writer, "general.architecture", "llama");
       apli_gguf_put_tensor(writer, "output_norm.weight", "f32", 1, &width);
       apli_gguf_begin(writer, file);
       apli_gguf_write(writer, norm, width * sizeof *norm);
       apli_gguf_finish(writer);

   The put functions remember a lack of memory, which apli_gguf_begin reports. */
#ifndef APLI_MODEL_GGUF_WRITER_H
#define APLI_MODEL_GGUF_WRITER_H

#include "base/error.h"
#include "model/gguf.h"
#include "os/new_file.h"

typedef struct AplGgufWriter AplGgufWriter;

AplErr apli_gguf_writer_new(AplGgufWriter **result);
void apli_gguf_writer_free(AplGgufWriter *writer); /* NULL is allowed */

/* Metadata, in the order of the calls. */
void apli_gguf_put_u32(AplGgufWriter *writer, const char *key, uint32_t value);
void apli_gguf_put_f32(AplGgufWriter *writer, const char *key, float value);
void apli_gguf_put_boolean(AplGgufWriter *writer, const char *key, bool value);
void apli_gguf_put_string(AplGgufWriter *writer, const char *key, const char *value);
void apli_gguf_put_strings(AplGgufWriter *writer, const char *key, const char *const *values, uint64_t count);
void apli_gguf_put_i32s(AplGgufWriter *writer, const char *key, const int32_t *values, uint64_t count);

/* A tensor of type "q4_0" (model/gguf_tensor_type.def); lengths with the fastest-moving axis first, none of them 0. DOMAIN
   ERROR for a type that is not known or a row that its blocks do not divide. */
AplErr apli_gguf_put_tensor(AplGgufWriter *writer, const char *name, const char *type, int rank, const uint64_t *lengths);
/* Bytes of the tensors put so far, padding included. */
uint64_t apli_gguf_tensor_bytes(const AplGgufWriter *writer);

/* Writes header, metadata and table. `file` is borrowed, and committed by apli_gguf_finish. */
AplErr apli_gguf_begin(AplGgufWriter *writer, AplNewFile *file);
/* The next bytes of the tensors' data; padding between tensors is put in where it belongs. LENGTH ERROR for more than the
   table says. */
AplErr apli_gguf_write(AplGgufWriter *writer, const void *bytes, size_t size);
/* LENGTH ERROR, with the tensor and the numbers, when bytes are missing. */
AplErr apli_gguf_finish(AplGgufWriter *writer);

#endif
