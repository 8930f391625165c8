/* Reading a configuration: each field checked against its range, so that products of two of them fit 64 bits. */
#include "model/model_config.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const AplFamily families[] = {
#define FAMILY(architecture, activation, norm, pairing) {architecture, activation, norm, pairing},
#include "model/family.def"
#undef FAMILY
};

enum { FAMILY_COUNT = sizeof families / sizeof *families, LARGEST_LAYERS = 1 << 16, LARGEST_LENGTH = 1 << 28 };

static AplErr find_family(const AplGguf *gguf, const AplFamily **family) {
    const char *name;
    size_t length;
    TRY(apli_gguf_string(gguf, "general.architecture", &name, &length));
    for (int i = 0; i < FAMILY_COUNT; i++) {
        if (strlen(families[i].name) != length || memcmp(families[i].name, name, length) != 0) continue;
        *family = &families[i];
        return APL_OK;
    }
    APLI_AUTO_TEXT known = {0};
    for (int i = 0; i < FAMILY_COUNT; i++) apli_text_printf(&known, "%s%s", i ? ", " : "", families[i].name);
    bool valid = apli_utf8_valid(name, length, NULL);
    return apli_fail(APL_NONCE, "%s: the architecture \"%.*s\" is not known; known are: %s", apli_gguf_source(gguf),
                     valid && length < 80 ? (int)length : 0, name, apli_text_string(&known));
}

/* Where keys are looked up: those of a family begin with its name. */
typedef struct Keys {
    const AplGguf *gguf;
    const char *family;
    char key[160];
} Keys;

static const char *family_key(Keys *keys, const char *name) {
    snprintf(keys->key, sizeof keys->key, "%s.%s", keys->family, name);
    return keys->key;
}

static AplErr check_range(const Keys *keys, int64_t value, int64_t low, int64_t high) {
    FAIL_IF(value < low || value > high, APL_FILE_DATA, "%s: %s is %" PRId64 ", not %" PRId64 " to %" PRId64,
            apli_gguf_source(keys->gguf), keys->key, value, low, high);
    return APL_OK;
}

static AplErr size_field(Keys *keys, const char *name, int64_t high, int64_t *value) {
    TRY(apli_gguf_integer(keys->gguf, family_key(keys, name), value));
    return check_range(keys, *value, 1, high);
}

static AplErr size_field_or(Keys *keys, const char *name, int64_t absent, int64_t low, int64_t high, int64_t *value) {
    TRY(apli_gguf_integer_or(keys->gguf, family_key(keys, name), absent, value));
    return check_range(keys, *value, low, high);
}

static AplErr positive_field_or(Keys *keys, const char *name, double absent, double *value) {
    TRY(apli_gguf_real_or(keys->gguf, family_key(keys, name), absent, value));
    FAIL_IF(!isfinite(*value) || *value <= 0, APL_FILE_DATA, "%s: %s is %g, not a positive number",
            apli_gguf_source(keys->gguf), keys->key, *value);
    return APL_OK;
}

static AplErr read_heads(Keys *keys, AplModelConfig *config) {
    const char *source = apli_gguf_source(keys->gguf);
    int64_t value_length;
    TRY(size_field(keys, "attention.head_count", LARGEST_LENGTH, &config->heads));
    TRY(size_field_or(keys, "attention.head_count_kv", config->heads, 1, config->heads, &config->kv_heads));
    FAIL_IF(config->heads % config->kv_heads, APL_FILE_DATA, "%s: %" PRId64 " heads do not share %" PRId64 " key/value heads",
            source, config->heads, config->kv_heads);
    bool has_length = apli_gguf_find(keys->gguf, family_key(keys, "attention.key_length"));
    FAIL_IF(!has_length && config->width % config->heads, APL_FILE_DATA,
            "%s: %" PRId64 " heads do not divide the width %" PRId64, source, config->heads, config->width);
    TRY(size_field_or(keys, "attention.key_length", config->width / config->heads, 1, LARGEST_LENGTH, &config->head_dim));
    TRY(size_field_or(keys, "attention.value_length", config->head_dim, 1, LARGEST_LENGTH, &value_length));
    FAIL_IF(value_length != config->head_dim, APL_NONCE, "%s: keys of %" PRId64 " elements and values of %" PRId64, source,
            config->head_dim, value_length);
    return size_field_or(keys, "attention.sliding_window", 0, 0, INT64_MAX, &config->window);
}

static AplErr read_rope(Keys *keys, AplModelConfig *config) {
    const char *source = apli_gguf_source(keys->gguf), *scaling;
    size_t length;
    config->rope_scale = 1;
    TRY(size_field_or(keys, "rope.dimension_count", config->head_dim, 2, config->head_dim, &config->rope_dims));
    FAIL_IF(config->rope_dims % 2, APL_FILE_DATA, "%s: %s is %" PRId64 ", which is odd", source, keys->key, config->rope_dims);
    TRY(positive_field_or(keys, "rope.freq_base", 10000, &config->rope_base));
    TRY(apli_gguf_string_optional(keys->gguf, family_key(keys, "rope.scaling.type"), &scaling, &length));
    if (!scaling) return positive_field_or(keys, "rope.scale_linear", 1, &config->rope_scale);
    if (length == 4 && memcmp(scaling, "none", 4) == 0) return APL_OK;
    FAIL_IF(length != 6 || memcmp(scaling, "linear", 6) != 0, APL_NONCE, "%s: rope scaling \"%.*s\"", source,
            length < 40 && apli_utf8_valid(scaling, length, NULL) ? (int)length : 0, scaling);
    return positive_field_or(keys, "rope.scaling.factor", 1, &config->rope_scale);
}

/* The vocabulary: as many as the embedding has rows. */
static AplErr read_vocabulary(Keys *keys, AplModelConfig *config) {
    const char *source = apli_gguf_source(keys->gguf);
    const AplGgufTensor *embedding = apli_gguf_find_tensor(keys->gguf, "token_embd.weight");
    const AplGgufEntry *tokens;
    FAIL_IF(!embedding, APL_FILE_DATA, "%s: tensor token_embd.weight is missing", source);
    FAIL_IF(embedding->rank != 2 || embedding->lengths[1] > LARGEST_LENGTH, APL_FILE_DATA,
            "%s: tensor token_embd.weight has rank %d and %" PRIu64 " rows", source, embedding->rank, embedding->lengths[1]);
    TRY(size_field_or(keys, "vocab_size", (int64_t)embedding->lengths[1], 1, LARGEST_LENGTH, &config->vocab));
    TRY(apli_gguf_strings(keys->gguf, "tokenizer.ggml.tokens", &tokens));
    FAIL_IF(tokens && tokens->count > (uint64_t)config->vocab, APL_FILE_DATA,
            "%s: the tokenizer has %" PRIu64 " tokens, the model %" PRId64, source, tokens->count, config->vocab);
    return APL_OK;
}

AplErr apli_model_config_read(const AplGguf *gguf, AplModelConfig *config) {
    int64_t experts;
    TRY(find_family(gguf, &config->family));
    FAIL_IF(apli_gguf_tensor_count(gguf) == 0, APL_FILE_DATA, "%s: the file has no tensors", apli_gguf_source(gguf));
    Keys keys = {.gguf = gguf, .family = config->family->name};
    TRY(apli_gguf_integer_or(gguf, family_key(&keys, "expert_count"), 0, &experts));
    FAIL_IF(experts > 0, APL_NONCE, "%s: a mixture of %" PRId64 " experts", apli_gguf_source(gguf), experts);
    TRY(size_field(&keys, "block_count", LARGEST_LAYERS, &config->layers));
    TRY(size_field(&keys, "embedding_length", LARGEST_LENGTH, &config->width));
    TRY(size_field(&keys, "feed_forward_length", LARGEST_LENGTH, &config->ffn_width));
    TRY(size_field(&keys, "context_length", INT32_MAX, &config->context));
    TRY(read_heads(&keys, config));
    TRY(read_rope(&keys, config));
    TRY(read_vocabulary(&keys, config));
    TRY(apli_gguf_real(gguf, family_key(&keys, "attention.layer_norm_rms_epsilon"), &config->norm_epsilon));
    FAIL_IF(!isfinite(config->norm_epsilon) || config->norm_epsilon < 0, APL_FILE_DATA, "%s: %s is %g", apli_gguf_source(gguf),
            keys.key, config->norm_epsilon);
    return APL_OK;
}
