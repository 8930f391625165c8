/* The public functions of language models. */
#include "generate/chat.h"

#include "aplaca.h"
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

struct AplLanguageModel {
    AplEngine *engine;
    AplChat chat;
    AplGenerator raw;
    bool has_chat; /* the model has a template */
};

/* ---- options ---------------------------------------------------------------------------------------------------- */

/* A caller's structure may be of an older, shorter or of a newer, longer kind. */
static void copy_sized(void *to, size_t to_size, const void *from, size_t from_size) {
    memcpy(to, from, to_size < from_size ? to_size : from_size);
}

void apl_model_options_init(AplModelOptions *options, size_t size) {
    const AplModelOptions defaults = {.size = size};
    memset(options, 0, size);
    copy_sized(options, size, &defaults, sizeof defaults);
}

void apl_ask_options_init(AplAskOptions *options, size_t size) {
    const AplSamplerOptions sampler = APLI_SAMPLER_DEFAULTS;
    const AplAskOptions defaults = {.size = size, .temperature = sampler.temperature, .top_p = sampler.top_p,
                                    .min_p = sampler.min_p, .repeat_penalty = sampler.repeat_penalty, .top_k = sampler.top_k};
    memset(options, 0, size);
    copy_sized(options, size, &defaults, sizeof defaults);
}

/* ---- opening ------------------------------------------------------------------------------------------------------ */

AplErr apl_model_open(const char *path, const AplModelOptions *given, AplLanguageModel **result) {
    AplModelOptions options;
    AplModel *file;
    size_t length;
    apl_model_options_init(&options, sizeof options);
    if (given) copy_sized(&options, sizeof options, given, given->size);
    AplLanguageModel *model = calloc(1, sizeof *model);
    FAIL_IF(!model, APL_WS_FULL, "no memory for a model");
    AplErr error = apli_model_open(path, &file);
    if (!error) {
        model->has_chat = apli_model_chat_template(file, &length) != NULL;
        error = apli_engine_new(file, &(AplEngineOptions){.context = options.context, .layers = options.layers,
                                                          .exact = options.exact != 0, .plain = options.plain != 0}, &model->engine);
    }
    if (!error && model->has_chat) error = apli_chat_init(&model->chat, model->engine);
    if (error) {
        apl_model_close(model);
        return error;
    }
    model->raw = (AplGenerator){.engine = model->engine, .sequence = 1};
    *result = model;
    return APL_OK;
}

void apl_model_close(AplLanguageModel *model) {
    if (!model) return;
    apli_chat_free(&model->chat);
    apli_generator_free(&model->raw);
    apli_engine_free(model->engine);
    free(model);
}

AplSession *apl_model_session(AplLanguageModel *model) { return model->engine->session; }
int64_t apl_model_context(const AplLanguageModel *model) { return model->engine->context; }
int64_t apl_model_vocabulary(const AplLanguageModel *model) { return model->engine->vocabulary; }

/* ---- tokens --------------------------------------------------------------------------------------------------------- */

AplErr apl_model_encode(const AplLanguageModel *model, const char *text, size_t length, int special, int32_t *tokens,
                        size_t capacity, size_t *count) {
    APLI_AUTO_TOKENS ids = {0};
    unsigned flags = special ? APLI_ADD_SPECIAL | APLI_PARSE_SPECIAL : 0;
    TRY(apli_tokenizer_encode(model->engine->tokenizer, text, length, flags, &ids));
    size_t given = ids.length < capacity ? ids.length : capacity;
    if (given) memcpy(tokens, ids.ids, given * sizeof *tokens);
    *count = ids.length;
    return APL_OK;
}

AplErr apl_model_decode(const AplLanguageModel *model, const int32_t *tokens, size_t count, char *bytes, size_t capacity,
                        size_t *length) {
    APLI_AUTO_TEXT text = {0};
    TRY(apli_tokenizer_decode(model->engine->tokenizer, tokens, count, &text));
    return apli_api_give_text(&text, bytes, capacity, length);
}

/* ---- asking --------------------------------------------------------------------------------------------------------- */

static AplErr needs_chat(const AplLanguageModel *model) {
    FAIL_IF(!model->has_chat, APL_NONCE, "the model has no chat template: it can only continue a text (raw)");
    return APL_OK;
}

AplErr apl_model_say(AplLanguageModel *model, const char *role, const char *text) {
    size_t wrong, length = strlen(text);
    TRY(needs_chat(model));
    FAIL_IF(!apli_utf8_valid(text, length, &wrong), APL_DOMAIN, "byte %zu is no UTF-8", wrong);
    return apli_chat_add(&model->chat, role, text, length);
}

void apl_model_forget(AplLanguageModel *model) {
    if (!model->has_chat) return;
    apli_chat_free(&model->chat);
    apli_engine_forget(model->engine, 0, 0);
    model->has_chat = apli_chat_init(&model->chat, model->engine) == APL_OK;
}

typedef struct Listener {
    int (*receive)(void *user, const char *bytes, size_t length);
    void *user;
} Listener;

static bool pass_on(void *user, const char *bytes, size_t length) {
    const Listener *listener = user;
    return listener->receive(listener->user, bytes, length) != 0;
}

/* The answer to a text that stands alone; the cache forgets it afterwards. */
static AplErr ask_raw(AplLanguageModel *model, const char *prompt, const AplGenerateOptions *options, AplAnswer *answer) {
    APLI_AUTO_TOKENS ids = {0};
    TRY(apli_tokenizer_encode(model->engine->tokenizer, prompt, strlen(prompt), APLI_ADD_SPECIAL | APLI_PARSE_SPECIAL, &ids));
    AplErr error = apli_generate(&model->raw, ids.ids, ids.length, options, answer);
    model->raw.held.length = 0;
    AplErr forgotten = apli_engine_forget(model->engine, model->raw.sequence, 0);
    return error ? error : forgotten;
}

/* A question whose answer failed is taken back. */
static AplErr ask_in_conversation(AplLanguageModel *model, const char *prompt, const AplGenerateOptions *options,
                                  AplAnswer *answer) {
    TRY(apl_model_say(model, "user", prompt));
    AplErr error = apli_chat_answer(&model->chat, options, answer);
    if (error) apli_chat_take_back(&model->chat);
    return error;
}

AplErr apl_model_ask(AplLanguageModel *model, const char *prompt, const AplAskOptions *given, AplAskResult *result) {
    AplAskOptions asked;
    apl_ask_options_init(&asked, sizeof asked);
    if (given) copy_sized(&asked, sizeof asked, given, given->size);
    Listener listener = {asked.receive, asked.user};
    const AplGenerateOptions options = {
        .sampler = {.temperature = asked.temperature, .top_k = asked.top_k, .top_p = asked.top_p, .min_p = asked.min_p,
                    .repeat_penalty = asked.repeat_penalty, .seed = asked.seed},
        .limit = asked.limit, .stops = asked.stops, .stop_count = asked.stop_count,
        .receive = asked.receive ? pass_on : NULL, .user = &listener};
    APLI_AUTO_ANSWER answer = {0};
    TRY(asked.raw ? ask_raw(model, prompt, &options, &answer) : ask_in_conversation(model, prompt, &options, &answer));
    if (result) {
        const AplAskResult told = {.size = result->size, .prompt_tokens = answer.prompt_tokens,
                                   .answer_tokens = (int64_t)answer.tokens.length, .prompt_seconds = answer.prompt_seconds,
                                   .answer_seconds = answer.answer_seconds, .ending = (int32_t)answer.ending};
        copy_sized(result, result->size, &told, sizeof told);
    }
    return APL_OK;
}
