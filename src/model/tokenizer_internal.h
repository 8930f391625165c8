/* What the files of the tokenizer share. */
#ifndef APLI_MODEL_TOKENIZER_INTERNAL_H
#define APLI_MODEL_TOKENIZER_INTERNAL_H

#include "model/tokenizer.h"
#include "model/tokenizer_pretokens.h"
#include "model/tokenizer_tables.h"

enum { APLI_MAX_ENDS = 16 };

struct AplTokenizer {
    int32_t count;
    AplTokenString *written; /* as the model file writes them: byte-level tokens by GPT-2's letters */
    AplTokenString *tokens;  /* the bytes that they stand for */
    uint8_t *types;
    char *blob;             /* the bytes of both */
    AplStringTable by_text; /* written → id */
    AplPairTable merges;    /* ids of two neighbours → rank, and id of their union */
    int32_t byte_ids[256];  /* the token of a single byte, -1 where the vocabulary has none */
    AplPairTable
        special_trie; /* (node, byte) → node; its rank is the id + 1 of the token that ends there, or 0 */
    uint8_t
        special_starts[256]; /* 1: a user-defined token begins with this byte; 2: a control token; 3: both */
    AplPretokenizer *pretokenizer;
    int32_t bos, eos, unk, pad;
    int32_t ends[APLI_MAX_ENDS]; /* the tokens that end an answer */
    int end_count;
    bool add_bos, add_eos, add_space_prefix;
};

/* Room for merging; starts as {0}. */
typedef struct AplMerger {
    struct AplSymbol *symbols;
    uint64_t *heap;
    size_t capacity; /* of symbols; the heap holds twice as many */
} AplMerger;

/* Appends the ids of one piece. */
AplErr apli_bpe_piece(const AplTokenizer *tokenizer, const char *piece, size_t length, AplMerger *merger,
                      AplTokens *tokens);
void apli_merger_free(AplMerger *merger);

/* GPT-2's letter for a byte: the printable characters of Latin-1 stand for themselves, the other 68 bytes
   for U+0100 to U+0143 in order. */
uint32_t apli_byte_letter(uint8_t byte);
/* The byte of a letter, -1 for a character that is none. */
int apli_letter_byte(uint32_t codepoint);

/* `length` bytes in GPT-2's letters, at most twice as many bytes; returns how many. */
size_t apli_write_letters(const char *bytes, size_t length, char *letters);

#endif
