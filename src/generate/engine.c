/* The engine: the model's arrays in a workspace, apl/ loaded over them, and calls of `llama`. */
#include "generate/engine.h"

#include "elem/packed.h"
#include "lang/embedded.h"
#include "prim/fused/fused_kernels.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_DEFAULT_CONTEXT = 2048, CHUNK = 256 };

static AplErr define(void *user, const char *name, AplArray *value) { return apli_session_set(user, name, value); }

static AplErr load_page(AplSession *session) {
    for (const AplEmbeddedFile *file = apli_embedded_files; file->name; file++) {
        AplErr error = apli_session_execute(session, file->name, file->text, file->length, false, NULL);
        if (error) return apli_fail_within(error, "%s", file->name);
    }
    return APL_OK;
}

/* Zeros for the keys or the values of a cache type. Packed rows (a head's elements) are in groups of 32, or one group where that
   does not divide them or the codes have 12 bits. Keys do not go below 8 bits: a few of their elements are far larger than the
   rest, and 4 bits cost ten times what they cost for values (bench/SPEED.md). */
static AplErr zeros(AplCacheType type, bool keys, const int64_t *shape, AplArray **result) {
    const AplPackedLayout *layout;
    if (type == APLI_CACHE_F16 || type == APLI_CACHE_F32)
        return apli_array_zero(type == APLI_CACHE_F16 ? APLI_F16 : APLI_F32, 4, shape, result);
    const int representation = type == APLI_CACHE_Q12 ? 123 : type == APLI_CACHE_Q8 || keys ? 83 : 43;
    TRY(apli_packed_layout(representation, shape[3] % 32 || type == APLI_CACHE_Q12 ? 0 : 32, shape[3], &layout));
    return apli_packed_zero(layout, 4, shape, result);
}

/* Heads of 80 or 96 elements take half as long again with 12 bits as with f16 (bench/SPEED.md). */
static AplErr choose_cache(AplCacheType *type, int64_t head_dim) {
    const AplPackedLayout *layout;
    if (*type != APLI_CACHE_AUTO) return APL_OK;
    TRY(apli_packed_layout(123, 0, head_dim, &layout));
    *type = apli_kept_in_words(layout, head_dim) ? APLI_CACHE_Q12 : APLI_CACHE_F16;
    return APL_OK;
}

/* The cache, as `allocate` of llama.apl makes it, but of its type from the start and of pages that exist only once used. */
static AplErr allocate_cache(AplEngine *engine, AplCacheType type) {
    const AplModelConfig *config = apli_model_config(engine->model);
    int64_t layers;
    TRY(choose_cache(&type, config->head_dim));
    APLI_AUTO AplArray *number = NULL, *capacity = NULL, *none = NULL;
    TRY(apli_session_get(engine->session, "NUM_LAYERS", &number));
    TRY(apli_integer(number, "NUM_LAYERS", &layers));
    TRY(apli_scalar_i64(engine->context, &capacity));
    TRY(apli_session_call(engine->session, "allocate", NULL, capacity, &none));
    const int64_t shape[] = {layers, engine->context, config->kv_heads, config->head_dim};
    static const char *const caches[] = {"KEYS", "VALUES"};
    for (int i = 0; i < 2; i++) {
        APLI_AUTO AplArray *cache = NULL;
        TRY(zeros(type, i == 0, shape, &cache));
        TRY(apli_session_set(engine->session, caches[i], cache));
    }
    static const char *const columns[] = {"CACHE_POS", "CACHE_SEQ"};
    for (int i = 0; i < 2; i++) { /* wide enough for every position: filling them never makes them anew */
        APLI_AUTO AplArray *narrow = NULL, *wide = NULL;
        TRY(apli_session_get(engine->session, columns[i], &narrow));
        TRY(apli_convert(narrow, APLI_I32, &wide));
        TRY(apli_session_set(engine->session, columns[i], wide));
    }
    return APL_OK;
}

static AplErr fill(AplEngine *engine, const AplEngineOptions *options) {
    const AplModelConfig *config = apli_model_config(engine->model);
    TRY(apli_session_new(&engine->session));
    engine->session->env.fused = !options->plain;
    engine->session->env.rounded = !options->exact && !options->plain;
    TRY(apli_model_tokenizer(engine->model, &engine->tokenizer));
    if (engine->session->env.rounded) TRY(apli_model_prepare(engine->model, options->progress));
    TRY(apli_model_define(engine->model, define, engine->session));
    TRY(load_page(engine->session));
    engine->vocabulary = config->vocab;
    FAIL_IF(options->layers < 0 || options->layers > config->layers, APL_DOMAIN,
            "%" PRId64 " layers of a model that has %" PRId64, options->layers, (int64_t)config->layers);
    if (options->layers) {
        APLI_AUTO AplArray *layers = NULL;
        TRY(apli_scalar_i64(options->layers, &layers));
        TRY(apli_session_set(engine->session, "NUM_LAYERS", layers));
    }
    FAIL_IF(options->context < 0 || options->context > config->context, APL_DOMAIN,
            "a context of %" PRId64 " tokens, where the model was trained for %" PRId64, options->context,
            (int64_t)config->context);
    engine->context = options->context ? options->context
                      : config->context < MOST_DEFAULT_CONTEXT ? config->context : MOST_DEFAULT_CONTEXT;
    return allocate_cache(engine, options->kv);
}

AplErr apli_engine_new(AplModel *model, const AplEngineOptions *options, AplEngine **result) {
    AplEngine *engine = calloc(1, sizeof *engine);
    if (!engine) {
        apli_model_close(model);
        apli_fail(APL_WS_FULL, "no memory for an engine");
        return APL_WS_FULL;
    }
    engine->model = model;
    AplErr error = fill(engine, options);
    if (error) {
        apli_engine_free(engine);
        return error;
    }
    *result = engine;
    return APL_OK;
}

void apli_engine_free(AplEngine *engine) {
    if (!engine) return;
    apli_session_free(engine->session);
    apli_tokenizer_free(engine->tokenizer);
    apli_model_close(engine->model);
    free(engine);
}

static AplErr integers(const int32_t *values, int64_t count, AplArray **result) {
    TRY(apli_vector_new(APLI_I32, count, result));
    memcpy((*result)->data, values, (size_t)count * sizeof *values);
    return APL_OK;
}

AplErr apli_engine_used(AplEngine *engine, int64_t *rows) {
    APLI_AUTO AplArray *sequences = NULL;
    TRY(apli_session_get(engine->session, "CACHE_SEQ", &sequences));
    *rows = 0;
    if (sequences->type == APLI_I32 && sequences->form == APLI_PLAIN) { /* as the cache is allocated: looked at before each token */
        const int32_t *numbers = (const int32_t *)sequences->data;
        int64_t used = 0;
        _Pragma("omp simd reduction(+ : used)") for (int64_t i = 0; i < sequences->count; i++) used += numbers[i] >= 0;
        *rows = used;
        return APL_OK;
    }
    for (int64_t i = 0; i < sequences->count; i++) *rows += apli_i64_at(sequences, i) >= 0;
    return APL_OK;
}

AplErr apli_engine_forward(AplEngine *engine, const AplBatch *batch, AplArray **logits) {
    APLI_AUTO AplArray *argument = NULL;
    int64_t used;
    FAIL_IF(batch->count < 1, APL_LENGTH, "a batch of no tokens");
    for (int64_t i = 0; i < batch->count; i++)
        FAIL_IF(batch->tokens[i] < 0 || batch->tokens[i] >= engine->vocabulary, APL_INDEX,
                "token %" PRId32 " of a vocabulary of %" PRId64, batch->tokens[i], engine->vocabulary);
    TRY(apli_engine_used(engine, &used));
    FAIL_IF(batch->count > engine->context - used, APL_LIMIT,
            "the context is full: %" PRId64 " tokens more, where %" PRId64 " of %" PRId64 " are in use", batch->count, used,
            engine->context);
    TRY(apli_vector_new(APLI_NESTED, 4, &argument));
    TRY(integers(batch->tokens, batch->count, &apli_items(argument)[0]));
    TRY(integers(batch->positions, batch->count, &apli_items(argument)[1]));
    TRY(integers(batch->sequences, batch->count, &apli_items(argument)[2]));
    TRY(integers(batch->wanted, batch->wanted_count, &apli_items(argument)[3]));
    APLI_AUTO AplArray *answer = NULL;
    TRY(apli_session_call(engine->session, "llama", NULL, argument, &answer));
    FAIL_IF(!answer || answer->count != batch->wanted_count * engine->vocabulary, APL_LENGTH,
            "the page gave logits of shape %s", answer ? apli_shape_text(answer) : "nothing");
    return apli_convert(answer, APLI_F32, logits);
}

AplErr apli_engine_prompt(AplEngine *engine, const int32_t *tokens, int64_t count, int64_t position, int32_t sequence,
                          int64_t chunk, AplArray **logits) {
    if (chunk <= 0) chunk = CHUNK;
    int32_t positions[CHUNK], sequences[CHUNK];
    chunk = chunk > CHUNK ? CHUNK : chunk;
    FAIL_IF(count < 1, APL_LENGTH, "a prompt of no tokens");
    for (int64_t done = 0; done < count; done += chunk) {
        APLI_AUTO AplArray *part = NULL;
        int64_t size = count - done < chunk ? count - done : chunk;
        for (int64_t i = 0; i < size; i++) {
            positions[i] = (int32_t)(position + done + i);
            sequences[i] = sequence;
        }
        int32_t last = (int32_t)size - 1;
        bool ends = done + size == count;
        TRY(apli_engine_forward(engine, &(AplBatch){tokens + done, positions, sequences, size, &last, ends}, &part));
        if (ends) *logits = apli_move(&part);
    }
    return APL_OK;
}

AplErr apli_engine_forget(AplEngine *engine, int32_t sequence, int64_t from_position) {
    APLI_AUTO AplArray *sequences = NULL, *positions = NULL, *which = NULL, *none = NULL;
    TRY(apli_session_get(engine->session, "CACHE_SEQ", &sequences));
    TRY(apli_session_get(engine->session, "CACHE_POS", &positions));
    TRY(apli_array_new_like(APLI_BOOL, sequences, &which));
    for (int64_t i = 0; i < sequences->count; i++)
        apli_bit_set(which->data, i, apli_i64_at(sequences, i) == sequence && apli_i64_at(positions, i) >= from_position);
    return apli_session_call(engine->session, "forget", NULL, which, &none);
}
