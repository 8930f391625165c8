/* An engine: a session whose workspace holds a model, the page of APL that computes it, and a cache of keys and values. */
#ifndef APLI_GENERATE_ENGINE_H
#define APLI_GENERATE_ENGINE_H

#include "lang/session.h"
#include "model/import.h"
#include "model/tokenizer.h"

/* What the cache holds keys and values in (AUTO: Q12 where attention takes such rows as they are, otherwise F16; Q4: values in 4
   bits, keys in 8); options name them so, in this order. */
typedef enum AplCacheType {
    APLI_CACHE_AUTO, APLI_CACHE_Q12, APLI_CACHE_F16, APLI_CACHE_F32, APLI_CACHE_Q8, APLI_CACHE_Q4,
} AplCacheType;
#define APLI_CACHE_TYPES "auto|q12|f16|f32|q8|q4"
#define APLI_CACHE_HELP "what keys and values are kept in (auto: q12 for heads of 64, 128, ..., otherwise f16)"

typedef struct AplEngineOptions {
    int64_t context; /* rows of the cache; 0: the model's context length, at most 2048 */
    int64_t layers; /* how many layers to run; 0: all */
    bool exact; /* products take activations in f32, not rounded to 8 bits in groups of 16, and attention none in 16 bits */
    bool plain; /* fused functions and runs off: the APL text itself */
    AplCacheType kv;
    const AplPanelProgress *progress; /* of laying out a new model's weights; NULL: nobody asks */
} AplEngineOptions;

typedef struct AplEngine {
    AplSession *session;
    AplModel *model; /* owned */
    AplTokenizer *tokenizer; /* owned */
    int64_t context;
    int64_t vocabulary;
} AplEngine;

/* Takes the model, also when it fails. */
AplErr apli_engine_new(AplModel *model, const AplEngineOptions *options, AplEngine **result);
void apli_engine_free(AplEngine *engine);

/* Tokens with the position and the sequence of each; those at `wanted` get logits. */
typedef struct AplBatch {
    const int32_t *tokens, *positions, *sequences;
    int64_t count;
    const int32_t *wanted; /* indices into the batch */
    int64_t wanted_count;
} AplBatch;

/* Runs the page on the batch: *logits is f32 (wanted_count, vocabulary). LIMIT ERROR when the cache has no room. Tokens of
   any ids in the vocabulary; INDEX ERROR otherwise. */
AplErr apli_engine_forward(AplEngine *engine, const AplBatch *batch, AplArray **logits);
/* Tokens of one sequence at consecutive positions from `position`, `chunk` at a time (0: a good size); the last one's logits. */
AplErr apli_engine_prompt(AplEngine *engine, const int32_t *tokens, int64_t count, int64_t position, int32_t sequence,
                          int64_t chunk, AplArray **logits);
/* Frees the cache's rows of a sequence from a position on. */
AplErr apli_engine_forget(AplEngine *engine, int32_t sequence, int64_t from_position);
/* Rows in use. */
AplErr apli_engine_used(AplEngine *engine, int64_t *rows);

#endif
