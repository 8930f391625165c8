/* Tokenizers: text to token ids and back. The kind at hand is byte-level BPE, the GPT-2 family
   (`tokenizer.ggml.model` is "gpt2"): text is split into pieces by regular expressions, each piece begins as
   its bytes, and the pair of neighbours with the lowest merge rank is joined until none is left.

   Any bytes can be encoded. Bytes that are not UTF-8 form pieces of their own, so decode(encode(x)) is x
   for every x, with one exception: a vocabulary may lack some bytes (SmolLM2's lacks 21, control
   characters and bytes of unassigned planes); those are left out, as other implementations do, and counted
   in AplTokens.dropped. */
#ifndef APLI_MODEL_TOKENIZER_H
#define APLI_MODEL_TOKENIZER_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AplTokenizer AplTokenizer;

/* Token types, numbered as GGUF numbers them. */
typedef enum AplTokenType {
    APLI_TOKEN_NORMAL = 1,
    APLI_TOKEN_UNKNOWN = 2,
    APLI_TOKEN_CONTROL = 3,
    APLI_TOKEN_USER_DEFINED = 4,
    APLI_TOKEN_UNUSED = 5,
    APLI_TOKEN_BYTE = 6
} AplTokenType;

typedef struct AplTokenString {
    const char *bytes;
    size_t length;
} AplTokenString;

/* What a model file says about its tokenizer. Nothing of it needs to live on after apli_tokenizer_new. */
typedef struct AplTokenizerSpec {
    const char *source; /* what errors call it, usually a file's path */
    const char *model;  /* "gpt2" */
    const char *pre;    /* "smollm", "llama-bpe", ...: how text is split */
    size_t token_count;
    const AplTokenString *tokens;
    const int32_t *types; /* AplTokenType a token; NULL: all normal */
    size_t merge_count;
    const AplTokenString *merges; /* "left right", best first */
    int64_t bos, eos, unk, pad;   /* ids, -1 where there is none */
    int64_t end_of_turn;          /* tokenizer.ggml.eot_token_id, -1 where there is none */
    bool add_bos, add_eos, add_space_prefix;
} AplTokenizerSpec;

/* FILE DATA ERROR that names the field and the numbers; NONCE ERROR for a model or splitting that is not
   known. */
AplErr apli_tokenizer_new(const AplTokenizerSpec *spec, AplTokenizer **result);
void apli_tokenizer_free(AplTokenizer *tokenizer);

/* Growable vector of ids; starts as {0}. */
typedef struct AplTokens {
    int32_t *ids;
    size_t length;
    size_t capacity;
    size_t dropped; /* bytes that the vocabulary cannot express, left out by apli_tokenizer_encode */
} AplTokens;

AplErr apli_tokens_append(AplTokens *tokens, int32_t id);
void apli_tokens_free(AplTokens *tokens);
#define APLI_AUTO_TOKENS __attribute__((cleanup(apli_tokens_free))) AplTokens

enum {
    APLI_ADD_SPECIAL = 1, /* begin and end as the model asks (add_bos, add_eos) */
    APLI_PARSE_SPECIAL = 2 /* control tokens are recognised in the text, as user-defined ones always are */
};

/* Appends the ids of `length` bytes of text. A tokenizer may be used by many threads at once. */
AplErr apli_tokenizer_encode(const AplTokenizer *tokenizer, const char *text, size_t length, unsigned flags,
                             AplTokens *tokens);
/* Appends the bytes of `count` ids. INDEX ERROR for an id that is not in the vocabulary. */
AplErr apli_tokenizer_decode(const AplTokenizer *tokenizer, const int32_t *ids, size_t count, AplText *text);
/* The bytes of one token, which stay the tokenizer's. */
AplErr apli_tokenizer_token(const AplTokenizer *tokenizer, int64_t id, AplTokenString *token);
/* The id of the token written `text`, in the way of the model file for control tokens and as plain bytes
   for others; -1 when there is none. */
int32_t apli_tokenizer_find(const AplTokenizer *tokenizer, const char *text, size_t length);
AplTokenType apli_tokenizer_type(const AplTokenizer *tokenizer, int32_t id); /* of an id in range */

int32_t apli_tokenizer_count(const AplTokenizer *tokenizer);
int32_t apli_tokenizer_bos(const AplTokenizer *tokenizer); /* -1 where there is none, as for the next two */
int32_t apli_tokenizer_eos(const AplTokenizer *tokenizer);
int32_t apli_tokenizer_pad(const AplTokenizer *tokenizer);
/* Whether the model says with this token that its answer is complete. */
bool apli_tokenizer_ends(const AplTokenizer *tokenizer, int32_t id);

/* Text while it is generated: a token may end inside a character, whose bytes wait here for the next
   token. What comes out is always UTF-8; bytes that cannot become a character come out as U+FFFD. Starts
   as {0}. */
typedef struct AplTokenStream {
    char held[4];
    size_t held_length;
} AplTokenStream;

AplErr apli_token_stream_push(AplTokenStream *stream, const AplTokenizer *tokenizer, int32_t id,
                              AplText *text);
/* The end: a character that never became complete comes out as U+FFFD. */
AplErr apli_token_stream_finish(AplTokenStream *stream, AplText *text);

#endif
