/* A GGUF file of hostile bytes: read, questioned, imported as a model; every array is unpacked. */
#include "model/gguf.h"
#include "model/import.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile double sink;

/* Everything that a reader of the metadata may ask. */
static void question(const AplGguf *gguf) {
    int64_t integer;
    double real;
    bool boolean;
    const char *bytes;
    size_t length;
    const AplGgufEntry *array;
    for (uint64_t i = 0; i < apli_gguf_entry_count(gguf); i++) {
        const AplGgufEntry *entry = apli_gguf_entry(gguf, i);
        if (apli_gguf_find(gguf, entry->key) != entry) abort();
        for (uint64_t item = 0; item < entry->count; item++) {
            if (entry->type == APLI_GGUF_STRING) {
                bytes = apli_gguf_string_at(entry, item, &length);
                sink = length ? bytes[length - 1] : 0;
            } else {
                sink = apli_gguf_real_at(entry, item) + (double)apli_gguf_integer_at(entry, item);
            }
        }
        if (apli_gguf_integer(gguf, entry->key, &integer) == APL_OK && !apli_gguf_is_integer(entry->type)) abort();
        if (apli_gguf_real(gguf, entry->key, &real) == APL_OK && entry->is_array) abort();
        if (apli_gguf_boolean_or(gguf, entry->key, true, &boolean) == APL_OK && entry->type != APLI_GGUF_BOOL) abort();
        if (apli_gguf_string(gguf, entry->key, &bytes, &length) == APL_OK && entry->type != APLI_GGUF_STRING) abort();
        if (apli_gguf_strings(gguf, entry->key, &array) == APL_OK && !entry->is_array) abort();
        if (apli_gguf_integers(gguf, entry->key, &array) == APL_OK && !entry->is_array) abort();
    }
    for (uint64_t i = 0; i < apli_gguf_tensor_count(gguf); i++) {
        const AplGgufTensor *tensor = apli_gguf_tensor(gguf, i);
        if (apli_gguf_find_tensor(gguf, tensor->name) != tensor) abort();
        sink = tensor->bytes[0] + tensor->bytes[tensor->size - 1];
    }
}

static AplErr unpack(void *user, const char *name, AplArray *value) {
    APLI_AUTO AplArray *plain = NULL;
    (void)user;
    if (!*name || apli_plain(value, &plain) != APL_OK) abort();
    if (plain->count && apli_type_is_number((AplType)plain->type)) sink = apli_f64_at(plain, plain->count - 1);
    return APL_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    AplGguf *gguf;
    AplModel *model;
    AplTokenizer *tokenizer;
    if (apli_gguf_open_memory("fuzz", data, size, &gguf) != APL_OK) return 0;
    question(gguf);
    apli_gguf_close(gguf);
    if (apli_model_open_memory("fuzz", data, size, &model) != APL_OK) return 0;
    if (apli_model_define(model, unpack, NULL) != APL_OK) abort();
    sink = apli_model_bits_per_weight(model) + (double)apli_model_memory_need(model, apli_model_config(model)->context);
    if (apli_model_tokenizer(model, &tokenizer) == APL_OK) apli_tokenizer_free(tokenizer);
    apli_model_close(model);
    if (apli_memory_used() != 0) abort();
    return 0;
}
