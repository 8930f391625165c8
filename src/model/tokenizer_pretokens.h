/* Splitting text into the pieces inside which a byte-level BPE merges. */
#ifndef APLI_MODEL_TOKENIZER_PRETOKENS_H
#define APLI_MODEL_TOKENIZER_PRETOKENS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AplPretokenizer AplPretokenizer; /* compiled patterns; used by many threads at once */

/* NONCE ERROR for a name that no row of tokenizer_pretokens.def has. */
AplErr apli_pretokenizer_new(const char *source, const char *name, AplPretokenizer **result);
void apli_pretokenizer_free(AplPretokenizer *pretokenizer);
/* Whether a piece that is a token is taken as it is, without merging. */
bool apli_pretokenizer_takes_whole(const AplPretokenizer *pretokenizer);

/* One caller's room to work in; starts as {0}. */
typedef struct AplPieces {
    uint32_t *ends; /* where each piece ends; the first begins at 0 */
    size_t count;
    size_t capacity;
    uint32_t *next_ends; /* what the pattern at work leaves */
    size_t next_count;
    size_t next_capacity;
    struct pcre2_real_match_data_8 *match;
    struct pcre2_real_match_context_8 *context;
    struct pcre2_real_jit_stack_8 *stack;
} AplPieces;

/* Splits `length` bytes of valid UTF-8, less than 4 GiB, into pieces->ends. LIMIT ERROR when a pattern
   exceeds its steps. */
AplErr apli_pretokenize(const AplPretokenizer *pretokenizer, const char *text, size_t length,
                        AplPieces *pieces);
void apli_pieces_free(AplPieces *pieces);

#endif
