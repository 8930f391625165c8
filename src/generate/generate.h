/* Generation: token ids go in, text comes out piece by piece, until one of the stop rules holds. A generator
   owns one sequence of an engine's cache, remembers which tokens it holds, and evaluates only what a prompt
   adds to them. */
#ifndef APLI_GENERATE_GENERATE_H
#define APLI_GENERATE_GENERATE_H

#include "generate/engine.h"
#include "generate/sampler.h"

typedef struct AplGenerator {
    AplEngine *engine; /* borrowed */
    int32_t sequence;
    AplTokens held; /* what the cache holds of the sequence: the token at each position */
} AplGenerator;

/* Why an answer ended. */
typedef enum AplEnding {
    APLI_ENDED_BY_MODEL,   /* it said that the answer is complete */
    APLI_ENDED_BY_STOP,    /* a stop string appeared */
    APLI_ENDED_BY_LIMIT,   /* as many tokens as were asked for */
    APLI_ENDED_BY_CONTEXT, /* the cache has no room for more */
    APLI_ENDED_BY_USER     /* env.interrupted, or the receiver of the text had enough */
} AplEnding;

/* Receives the next piece of text, whole UTF-8 characters; false ends the answer. */
typedef bool AplReceive(void *user, const char *bytes, size_t length);

typedef struct AplGenerateOptions {
    AplSamplerOptions sampler;
    int64_t limit;            /* the most tokens to generate; 0: as many as the context has room for */
    int64_t chunk;            /* prompt tokens evaluated at once; 0: a good size */
    const char *const *stops; /* strings that end the answer and are not part of it */
    int stop_count;
    AplReceive *receive; /* NULL: only the result has the text */
    void *user;
} AplGenerateOptions;

typedef struct AplAnswer {
    AplText text;
    AplTokens tokens; /* an end token is not among them */
    AplEnding ending;
    int64_t prompt_tokens; /* of which kept_tokens lay in the cache already */
    int64_t kept_tokens;
    double prompt_seconds; /* evaluating what was not kept */
    double first_seconds;  /* from the call to the first token's choice */
    double product_seconds; /* of answer_seconds: matrix products and attention */
    double answer_seconds; /* choosing and evaluating answer_steps tokens after the first */
    int64_t answer_steps;
} AplAnswer;

void apli_answer_free(AplAnswer *answer);
#define APLI_AUTO_ANSWER __attribute__((cleanup(apli_answer_free))) AplAnswer

void apli_generator_free(AplGenerator *generator);
/* Generates after `count` tokens, at least one; *answer is set anew and freed by the caller, also after an
   error. LIMIT ERROR when the prompt is longer than the context. Whatever the outcome, generator->held is
   what the cache holds. */
AplErr apli_generate(AplGenerator *generator, const int32_t *tokens, size_t count,
                     const AplGenerateOptions *options, AplAnswer *answer);

/* "stop", "stop string", "limit", "context", "interrupt": what --json calls an ending. */
const char *apli_ending_name(AplEnding ending);

#endif
