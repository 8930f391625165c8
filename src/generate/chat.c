/* Conversations. */
#include "generate/chat.h"

#include "os/new_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

AplErr apli_chat_init(AplChat *chat, AplEngine *engine) {
    size_t length;
    const char *text = apli_model_chat_template(engine->model, &length);
    *chat = (AplChat){.generator.engine = engine, .messages = json_array()};
    FAIL_IF(!chat->messages, APL_WS_FULL, "no memory for a conversation");
    FAIL_IF(!text, APL_NONCE, "the model has no chat template");
    return apli_template_new("tokenizer.chat_template", text, length, &chat->template);
}

void apli_chat_free(AplChat *chat) {
    apli_generator_free(&chat->generator);
    apli_template_free(chat->template);
    json_decref(chat->messages);
}

AplErr apli_chat_add(AplChat *chat, const char *role, const char *text, size_t length) {
    size_t wrong;
    FAIL_IF(!apli_utf8_valid(text, length, &wrong), APL_DOMAIN, "the text is not UTF-8 at byte %zu", wrong);
    json_t *content = json_stringn(text, length);
    json_t *message = content ? json_pack("{s:s, s:o}", "role", role, "content", content) : NULL;
    FAIL_IF(!message || json_array_append_new(chat->messages, message), APL_WS_FULL,
            "no memory for a message of %zu bytes", length);
    return APL_OK;
}

void apli_chat_take_back(AplChat *chat) {
    if (json_array_size(chat->messages))
        json_array_remove(chat->messages, json_array_size(chat->messages) - 1);
}

void apli_chat_reset(AplChat *chat) {
    const char *role = json_string_value(json_object_get(json_array_get(chat->messages, 0), "role"));
    size_t kept = role && strcmp(role, "system") == 0 ? 1 : 0;
    while (json_array_size(chat->messages) > kept) apli_chat_take_back(chat);
}

/* A special token as the file writes it, or an empty string. */
static json_t *token_text(const AplTokenizer *tokenizer, int32_t id) {
    AplTokenString token;
    if (id < 0 || apli_tokenizer_token(tokenizer, id, &token) != APL_OK) return json_string("");
    return json_stringn(token.bytes, token.length);
}

/* The tokens of the conversation, up to where the assistant begins to speak. */
static AplErr render(const AplChat *chat, AplTokens *tokens) {
    const AplTokenizer *tokenizer = chat->generator.engine->tokenizer;
    json_t *context = json_pack("{s:O, s:b, s:o, s:o}", "messages", chat->messages, "add_generation_prompt",
                                1, "bos_token", token_text(tokenizer, apli_tokenizer_bos(tokenizer)),
                                "eos_token", token_text(tokenizer, apli_tokenizer_eos(tokenizer)));
    FAIL_IF(!context, APL_WS_FULL, "no memory for the template's context");
    APLI_AUTO_TEXT text = {0};
    AplErr error = apli_template_render(chat->template, context, &text);
    json_decref(context);
    TRY(error);
    return apli_tokenizer_encode(tokenizer, apli_text_string(&text), text.length, APLI_PARSE_SPECIAL, tokens);
}

AplErr apli_chat_answer(AplChat *chat, const AplGenerateOptions *options, AplAnswer *answer) {
    APLI_AUTO_TOKENS tokens = {0};
    *answer = (AplAnswer){0};
    TRY(render(chat, &tokens));
    TRY(apli_generate(&chat->generator, tokens.ids, tokens.length, options, answer));
    return apli_chat_add(chat, "assistant", apli_text_string(&answer->text), answer->text.length);
}

/* ---- files
   ------------------------------------------------------------------------------------------------------- */

AplErr apli_chat_save(const AplChat *chat, const char *path) {
    AplNewFile *file;
    char *text = json_dumps(chat->messages, JSON_INDENT(2));
    FAIL_IF(!text, APL_WS_FULL, "%s: no memory to write it", path);
    AplErr error = apli_new_file(path, &file);
    if (!error) {
        error = apli_new_file_write(file, text, strlen(text));
        if (!error) error = apli_new_file_write(file, "\n", 1);
        if (!error) error = apli_new_file_commit(file);
        apli_new_file_free(file);
    }
    free(text);
    return error;
}

static AplErr check_messages(const json_t *messages, const char *path) {
    FAIL_IF(!json_is_array(messages), APL_FILE_DATA, "%s: is not a JSON array of messages", path);
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        FAIL_IF(!json_is_string(json_object_get(message, "role")) ||
                    !json_is_string(json_object_get(message, "content")),
                APL_FILE_DATA, "%s: message %zu of %zu has no text as its \"role\" or \"content\"", path,
                i + 1, json_array_size(messages));
    }
    return APL_OK;
}

AplErr apli_chat_load(AplChat *chat, const char *path) {
    json_error_t problem;
    FILE *file = fopen(path, "re");
    FAIL_IF(!file, errno == ENOENT ? APL_FILE_NAME : APL_FILE_ACCESS, "%s: %s", path, strerror(errno));
    json_t *messages = json_loadf(file, JSON_REJECT_DUPLICATES, &problem);
    fclose(file);
    FAIL_IF(!messages, APL_FILE_DATA, "%s: line %d: %s", path, problem.line, problem.text);
    AplErr error = check_messages(messages, path);
    if (error) {
        json_decref(messages);
        return error;
    }
    json_decref(chat->messages);
    chat->messages = messages;
    return APL_OK;
}
