/* What `aplaca run` does once (run.c) and turn by turn (chat_loop.c). */
#ifndef APLI_CLI_RUN_H
#define APLI_CLI_RUN_H

#include "cli/default_model.h"
#include "generate/chat.h"

typedef struct AplRun {
    AplModelOptions model;
    AplGenerateOptions generate;
    AplEngine *engine;
    double read_rate;   /* bytes a second at which the weights can be read; 0: not measured yet */
    const char *system; /* the system message, or NULL */
} AplRun;

/* Ctrl-C sets the engine's session's `interrupted`, on whichever thread it arrives; NULL: Ctrl-C ends the
   program again. */
void apli_catch_interrupts(AplEngine *engine);
/* Says on stderr how fast the answer came, and why it ended where that needs saying. */
void apli_print_speed(const AplRun *run, const AplAnswer *answer);
/* AplReceive: writes to stdout at once; user is an int * that keeps the last byte. */
bool apli_print_piece(void *user, const char *bytes, size_t length);

/* The conversation on a terminal; returns the exit status. */
int apli_chat_loop(AplRun *run, AplChat *chat);

#endif
