/* A model's configuration, from the metadata of its file. */
#ifndef APLI_MODEL_MODEL_CONFIG_H
#define APLI_MODEL_MODEL_CONFIG_H

#include "model/gguf.h"

typedef struct AplFamily {
    const char *name; /* "llama" */
    const char *activation; /* "silu" */
    const char *norm; /* "rms" */
    const char *rope_pairing; /* "interleaved": elements 2i and 2i+1 turn together; "halves": i and i + dims÷2 */
} AplFamily;

typedef struct AplModelConfig {
    const AplFamily *family;
    int64_t layers, width, heads, kv_heads, head_dim, ffn_width, vocab, context;
    int64_t rope_dims; /* elements of a head that turn, from the first */
    double rope_base;
    double rope_scale; /* positions are divided by it */
    int64_t window; /* 0: attention sees the whole past */
    double norm_epsilon;
} AplModelConfig;

/* NONCE ERROR for an architecture, or a feature of one, that is not known; FILE DATA ERROR for a field that is missing, of
   another type or out of range. */
AplErr apli_model_config_read(const AplGguf *gguf, AplModelConfig *config);

#endif
