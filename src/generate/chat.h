/* A conversation: messages with a role and a content, rendered by the model's own template. Each answer
   evaluates only what the conversation has gained since the last one. */
#ifndef APLI_GENERATE_CHAT_H
#define APLI_GENERATE_CHAT_H

#include "generate/generate.h"
#include "model/template.h"

#include <jansson.h>

typedef struct AplChat {
    AplGenerator generator;
    AplTemplate *template;
    json_t *messages; /* [{"role": "user", "content": "..."}, ...] */
} AplChat;

/* For sequence 0 of the engine, which is borrowed. NONCE ERROR when the model has no chat template. */
AplErr apli_chat_init(AplChat *chat, AplEngine *engine);
void apli_chat_free(AplChat *chat);

/* Adds a message; the text must be UTF-8. */
AplErr apli_chat_add(AplChat *chat, const char *role, const char *text, size_t length);
/* Generates the assistant's next message and adds it, also when it was cut short. After an error there is
   no such message. LIMIT ERROR when the conversation is longer than the context. */
AplErr apli_chat_answer(AplChat *chat, const AplGenerateOptions *options, AplAnswer *answer);
/* Takes the last message back. */
void apli_chat_take_back(AplChat *chat);
/* Forgets all messages but a system message at the beginning. */
void apli_chat_reset(AplChat *chat);

/* The messages as a JSON array in a file, which appears complete or not at all. */
AplErr apli_chat_save(const AplChat *chat, const char *path);
/* Replaces the messages by a file's. FILE DATA ERROR, with the line or the message's number, for one that is
   none. */
AplErr apli_chat_load(AplChat *chat, const char *path);

#endif
