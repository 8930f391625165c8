/* The tokenizer that a model's file describes: the tokenizer.ggml.* entries, gathered into a specification. */
#include "model/import.h"

#include "model/gguf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What the specification points to and the file does not already hold. */
typedef struct Gathered {
    char *model, *pre;
    AplTokenString *tokens, *merges;
    int32_t *types;
} Gathered;

static void release(Gathered *gathered) {
    free(gathered->model);
    free(gathered->pre);
    free(gathered->tokens);
    free(gathered->merges);
    free(gathered->types);
}

static AplErr no_memory(const AplGguf *gguf, const char *key) {
    return apli_fail(APL_WS_FULL, "%s: no memory for %s", apli_gguf_source(gguf), key);
}

/* A NUL-terminated copy of a string entry, NULL when absent. */
static AplErr copy_string(const AplGguf *gguf, const char *key, char **copy) {
    const char *bytes;
    size_t length;
    TRY(apli_gguf_string_optional(gguf, key, &bytes, &length));
    if (!bytes) return APL_OK;
    FAIL_IF(memchr(bytes, 0, length), APL_FILE_DATA, "%s: %s holds a NUL", apli_gguf_source(gguf), key);
    *copy = strndup(bytes, length);
    return *copy ? APL_OK : no_memory(gguf, key);
}

/* An array of strings as views of the file; none when absent. */
static AplErr view_strings(const AplGguf *gguf, const char *key, AplTokenString **strings, size_t *count) {
    const AplGgufEntry *entry;
    TRY(apli_gguf_strings(gguf, key, &entry));
    *count = 0;
    if (!entry) return APL_OK;
    *strings = calloc((size_t)entry->count + 1, sizeof **strings);
    if (!*strings) return no_memory(gguf, key);
    *count = (size_t)entry->count;
    for (size_t i = 0; i < *count; i++) (*strings)[i].bytes = apli_gguf_string_at(entry, i, &(*strings)[i].length);
    return APL_OK;
}

static AplErr copy_types(const AplGguf *gguf, size_t token_count, int32_t **types) {
    const char *key = "tokenizer.ggml.token_type";
    const AplGgufEntry *entry;
    TRY(apli_gguf_integers(gguf, key, &entry));
    if (!entry) return APL_OK;
    FAIL_IF(entry->count != token_count, APL_FILE_DATA, "%s: %s has %" PRIu64 " items for %zu tokens", apli_gguf_source(gguf),
            key, entry->count, token_count);
    *types = calloc(token_count + 1, sizeof **types);
    if (!*types) return no_memory(gguf, key);
    for (size_t i = 0; i < token_count; i++) (*types)[i] = (int32_t)apli_gguf_integer_at(entry, i);
    return APL_OK;
}

static AplErr gather(const AplGguf *gguf, Gathered *gathered, AplTokenizerSpec *spec) {
    FAIL_IF(!apli_gguf_find(gguf, "tokenizer.ggml.tokens"), APL_FILE_DATA, "%s: the metadata has no tokenizer.ggml.tokens",
            apli_gguf_source(gguf));
    TRY(copy_string(gguf, "tokenizer.ggml.model", &gathered->model));
    TRY(copy_string(gguf, "tokenizer.ggml.pre", &gathered->pre));
    TRY(view_strings(gguf, "tokenizer.ggml.tokens", &gathered->tokens, &spec->token_count));
    TRY(view_strings(gguf, "tokenizer.ggml.merges", &gathered->merges, &spec->merge_count));
    TRY(copy_types(gguf, spec->token_count, &gathered->types));
    spec->model = gathered->model ? gathered->model : "";
    spec->pre = gathered->pre ? gathered->pre : "default";
    spec->tokens = gathered->tokens;
    spec->merges = gathered->merges;
    spec->types = gathered->types;
    TRY(apli_gguf_integer_or(gguf, "tokenizer.ggml.bos_token_id", -1, &spec->bos));
    TRY(apli_gguf_integer_or(gguf, "tokenizer.ggml.eos_token_id", -1, &spec->eos));
    TRY(apli_gguf_integer_or(gguf, "tokenizer.ggml.unknown_token_id", -1, &spec->unk));
    TRY(apli_gguf_integer_or(gguf, "tokenizer.ggml.padding_token_id", -1, &spec->pad));
    TRY(apli_gguf_integer_or(gguf, "tokenizer.ggml.eot_token_id", -1, &spec->end_of_turn));
    TRY(apli_gguf_boolean_or(gguf, "tokenizer.ggml.add_bos_token", false, &spec->add_bos));
    TRY(apli_gguf_boolean_or(gguf, "tokenizer.ggml.add_eos_token", false, &spec->add_eos));
    return apli_gguf_boolean_or(gguf, "tokenizer.ggml.add_space_prefix", false, &spec->add_space_prefix);
}

AplErr apli_model_tokenizer(const AplModel *model, AplTokenizer **result) {
    const AplGguf *gguf = apli_model_gguf(model);
    Gathered gathered = {0};
    AplTokenizerSpec spec = {.source = apli_gguf_source(gguf)};
    AplErr outcome = gather(gguf, &gathered, &spec);
    if (outcome == APL_OK) outcome = apli_tokenizer_new(&spec, result);
    release(&gathered);
    return outcome;
}
