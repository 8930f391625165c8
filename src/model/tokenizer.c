/* A tokenizer's birth from what a model file says, checked field by field, and what can be asked of one
   token. */
#include "model/tokenizer.h"

#include "model/tokenizer_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_TOKENS = 1 << 24,
    MAX_MERGES = 1 << 24,
    MAX_SPECIAL_LENGTH = 256 /* bounds the search for special tokens at each byte of a text */
};
static const size_t MAX_VOCABULARY_BYTES = (size_t)1 << 30;

/* Texts that, as control tokens, end an answer in one family or another, whatever the file calls its end. */
static const char *const ending_texts[] = {
    "<|endoftext|>", "<|im_end|>",    "<|eot_id|>",           "<|eom_id|>",
    "<|end|>",       "<|return|>",    "<end_of_turn>",        "<EOT>",
    "</s>",          "<|endofturn|>", "<｜end▁of▁sentence｜>"};

void apli_tokenizer_free(AplTokenizer *tokenizer) {
    if (!tokenizer) return;
    free(tokenizer->written);
    free(tokenizer->tokens);
    free(tokenizer->types);
    free(tokenizer->blob);
    apli_string_table_free(&tokenizer->by_text);
    apli_pair_table_free(&tokenizer->merges);
    apli_pair_table_free(&tokenizer->special_trie);
    apli_pretokenizer_free(tokenizer->pretokenizer);
    free(tokenizer);
}

static bool is_special(int type) {
    return type == APLI_TOKEN_CONTROL || type == APLI_TOKEN_USER_DEFINED || type == APLI_TOKEN_UNKNOWN;
}

/* "<0xAB>" → 0xAB, -1 for anything else. */
static int byte_token(const AplTokenString *written) {
    static const char digits[] = "0123456789ABCDEF";
    if (written->length != 6 || memcmp(written->bytes, "<0x", 3) != 0 || written->bytes[5] != '>') return -1;
    const char *high = memchr(digits, written->bytes[3], 16), *low = memchr(digits, written->bytes[4], 16);
    return high && low ? (int)(high - digits) * 16 + (int)(low - digits) : -1;
}

/* The bytes that a token stands for, written to `bytes` (at most as many as the token has); returns how
   many. */
static size_t spell(const AplTokenString *written, int type, char *bytes) {
    if (type == APLI_TOKEN_BYTE) {
        bytes[0] = (char)byte_token(written);
        return 1;
    }
    size_t used = 0, position = 0;
    bool letters = !is_special(type);
    while (letters && position < written->length) {
        int byte = apli_letter_byte(apli_utf8_next(written->bytes, written->length, &position));
        letters = byte >= 0;
        if (letters) bytes[used++] = (char)byte;
    }
    if (letters) return used;
    if (written->length) memcpy(bytes, written->bytes, written->length);
    return written->length;
}

static AplErr check_types(const AplTokenizerSpec *spec) {
    if (!spec->types) return APL_OK;
    for (size_t i = 0; i < spec->token_count; i++) {
        FAIL_IF(spec->types[i] < APLI_TOKEN_NORMAL || spec->types[i] > APLI_TOKEN_BYTE, APL_FILE_DATA,
                "%s: tokenizer.ggml.token_type[%zu] is %d, not 1 to 6", spec->source, i, spec->types[i]);
        FAIL_IF(spec->types[i] == APLI_TOKEN_BYTE && byte_token(&spec->tokens[i]) < 0, APL_FILE_DATA,
                "%s: tokenizer.ggml.tokens[%zu] is a byte token, but is not written <0x00> to <0xFF>",
                spec->source, i);
        FAIL_IF(is_special(spec->types[i]) && spec->tokens[i].length > MAX_SPECIAL_LENGTH, APL_LIMIT,
                "%s: tokenizer.ggml.tokens[%zu] is a special token of %zu bytes, the limit is %d",
                spec->source, i, spec->tokens[i].length, MAX_SPECIAL_LENGTH);
    }
    return APL_OK;
}

/* Copies the tokens, as written and as spelled, and finds doubles. */
static AplErr take_tokens(const AplTokenizerSpec *spec, AplTokenizer *tokenizer) {
    FAIL_IF(spec->token_count == 0 || spec->token_count > MAX_TOKENS, APL_FILE_DATA,
            "%s: tokenizer.ggml.tokens has %zu entries, not 1 to %d", spec->source, spec->token_count,
            MAX_TOKENS);
    TRY(check_types(spec));
    size_t count = spec->token_count, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        FAIL_IF(spec->tokens[i].length > MAX_VOCABULARY_BYTES - bytes, APL_LIMIT,
                "%s: tokenizer.ggml.tokens has more than %zu bytes at entry %zu", spec->source,
                MAX_VOCABULARY_BYTES, i);
        bytes += spec->tokens[i].length;
    }
    tokenizer->count = (int32_t)count;
    tokenizer->written = calloc(count, sizeof *tokenizer->written);
    tokenizer->tokens = calloc(count, sizeof *tokenizer->tokens);
    tokenizer->types = calloc(count, 1);
    tokenizer->blob = malloc(2 * bytes + 1);
    FAIL_IF(!tokenizer->written || !tokenizer->tokens || !tokenizer->types || !tokenizer->blob, APL_WS_FULL,
            "%s: no memory for a vocabulary of %zu bytes", spec->source, bytes);
    TRY(apli_string_table_new(tokenizer->written, count, &tokenizer->by_text));
    char *at = tokenizer->blob;
    for (size_t i = 0; i < count; i++) {
        const AplTokenString *given = &spec->tokens[i];
        tokenizer->types[i] = (uint8_t)(spec->types ? spec->types[i] : APLI_TOKEN_NORMAL);
        if (given->length) memcpy(at, given->bytes, given->length);
        tokenizer->written[i] = (AplTokenString){at, given->length};
        at += given->length;
        tokenizer->tokens[i] = (AplTokenString){at, spell(given, tokenizer->types[i], at)};
        at += tokenizer->tokens[i].length;
        int32_t other;
        apli_string_table_add(&tokenizer->by_text, (int32_t)i, &other);
        FAIL_IF(other >= 0, APL_FILE_DATA, "%s: tokenizer.ggml.tokens[%zu] is the same as [%d], \"%.*s\"",
                spec->source, i, other, (int)(given->length < 64 ? given->length : 64),
                given->length ? given->bytes : "");
    }
    return APL_OK;
}

/* byte_ids: single-letter tokens, or else byte tokens. */
static void find_bytes(AplTokenizer *tokenizer) {
    for (int byte = 0; byte < 256; byte++) {
        char letter[4];
        size_t length = apli_utf8_put(apli_byte_letter((uint8_t)byte), letter);
        int32_t id = apli_string_table_get(&tokenizer->by_text, letter, length);
        /* A special token is written as it is: there the letter means itself, not the byte. */
        if (id >= 0 && (tokenizer->types[id] == APLI_TOKEN_CONTROL || tokenizer->tokens[id].length != 1))
            id = -1;
        tokenizer->byte_ids[byte] = id;
    }
    for (int32_t id = 0; id < tokenizer->count; id++) {
        if (tokenizer->types[id] != APLI_TOKEN_BYTE) continue;
        int32_t *byte_id = &tokenizer->byte_ids[(uint8_t)tokenizer->tokens[id].bytes[0]];
        if (*byte_id < 0) *byte_id = id;
    }
}

static AplErr find_part(const AplTokenizerSpec *spec, const AplTokenizer *tokenizer, size_t merge,
                        const char *part, const char *bytes, size_t length, int32_t *id) {
    *id = apli_string_table_get(&tokenizer->by_text, bytes, length);
    FAIL_IF(*id < 0, APL_FILE_DATA,
            "%s: tokenizer.ggml.merges[%zu]: its %s \"%.*s\" is not in the vocabulary of %d tokens",
            spec->source, merge, part, (int)(length < 64 ? length : 64), bytes, tokenizer->count);
    return APL_OK;
}

static AplErr take_merges(const AplTokenizerSpec *spec, AplTokenizer *tokenizer) {
    FAIL_IF(spec->merge_count > MAX_MERGES, APL_LIMIT,
            "%s: tokenizer.ggml.merges has %zu entries, the limit is %d", spec->source, spec->merge_count,
            MAX_MERGES);
    TRY(apli_pair_table_new(spec->merge_count, &tokenizer->merges));
    APLI_AUTO_TEXT joined = {0};
    for (size_t i = 0; i < spec->merge_count; i++) {
        const AplTokenString *merge = &spec->merges[i];
        /* A part is never empty, so a blank in the first place is a letter. */
        const char *blank = merge->length > 2 ? memchr(merge->bytes + 1, ' ', merge->length - 2) : NULL;
        FAIL_IF(!blank, APL_FILE_DATA,
                "%s: tokenizer.ggml.merges[%zu] is not two parts with a blank between them", spec->source, i);
        size_t left_length = (size_t)(blank - merge->bytes), right_length = merge->length - left_length - 1;
        int32_t left, right, product;
        TRY(find_part(spec, tokenizer, i, "first part", merge->bytes, left_length, &left));
        TRY(find_part(spec, tokenizer, i, "second part", blank + 1, right_length, &right));
        apli_text_clear(&joined);
        apli_text_append(&joined, merge->bytes, left_length);
        apli_text_append(&joined, blank + 1, right_length);
        TRY(apli_text_status(&joined));
        TRY(find_part(spec, tokenizer, i, "product", joined.bytes, joined.length, &product));
        FAIL_IF(
            tokenizer->tokens[product].length !=
                tokenizer->tokens[left].length + tokenizer->tokens[right].length,
            APL_FILE_DATA,
            "%s: tokenizer.ggml.merges[%zu] joins tokens %d and %d of %zu and %zu bytes to token %d of %zu",
            spec->source, i, left, right, tokenizer->tokens[left].length, tokenizer->tokens[right].length,
            product, tokenizer->tokens[product].length);
        apli_pair_table_add(&tokenizer->merges, (uint32_t)left, (uint32_t)right, (uint32_t)i,
                            (uint32_t)product);
    }
    return APL_OK;
}

static AplErr take_specials(AplTokenizer *tokenizer) {
    size_t nodes = 0;
    for (int32_t id = 0; id < tokenizer->count; id++)
        if (is_special(tokenizer->types[id])) nodes += tokenizer->tokens[id].length;
    TRY(apli_pair_table_new(nodes, &tokenizer->special_trie));
    uint32_t last_node = 0;
    for (int32_t id = 0; id < tokenizer->count; id++) {
        const AplTokenString *token = &tokenizer->tokens[id];
        if (!is_special(tokenizer->types[id]) || token->length == 0) continue;
        tokenizer->special_starts[(uint8_t)token->bytes[0]] |=
            tokenizer->types[id] == APLI_TOKEN_USER_DEFINED ? 1 : 2;
        AplPairSlot *slot = NULL;
        for (size_t i = 0; i < token->length; i++) {
            slot = apli_pair_table_add(&tokenizer->special_trie, slot ? slot->product : 0,
                                       (uint8_t)token->bytes[i], 0, last_node + 1);
            if (slot->product == last_node + 1) last_node++;
        }
        slot->rank = (uint32_t)id + 1;
    }
    return APL_OK;
}

static AplErr take_id(const AplTokenizerSpec *spec, const char *field, int64_t given, int32_t *id) {
    FAIL_IF(given < -1 || given >= (int64_t)spec->token_count, APL_FILE_DATA,
            "%s: tokenizer.ggml.%s is %" PRId64 ", the vocabulary has %zu tokens", spec->source, field, given,
            spec->token_count);
    *id = (int32_t)given;
    return APL_OK;
}

static void add_end(AplTokenizer *tokenizer, int32_t id) {
    if (id < 0 || apli_tokenizer_ends(tokenizer, id) || tokenizer->end_count == APLI_MAX_ENDS) return;
    tokenizer->ends[tokenizer->end_count++] = id;
}

static AplErr take_ids(const AplTokenizerSpec *spec, AplTokenizer *tokenizer) {
    int32_t end_of_turn = -1;
    TRY(take_id(spec, "bos_token_id", spec->bos, &tokenizer->bos));
    TRY(take_id(spec, "eos_token_id", spec->eos, &tokenizer->eos));
    TRY(take_id(spec, "unknown_token_id", spec->unk, &tokenizer->unk));
    TRY(take_id(spec, "padding_token_id", spec->pad, &tokenizer->pad));
    TRY(take_id(spec, "eot_token_id", spec->end_of_turn, &end_of_turn));
    FAIL_IF(spec->add_bos && tokenizer->bos < 0, APL_FILE_DATA,
            "%s: tokenizer.ggml.add_bos_token is true, and there is no bos_token_id", spec->source);
    FAIL_IF(spec->add_eos && tokenizer->eos < 0, APL_FILE_DATA,
            "%s: tokenizer.ggml.add_eos_token is true, and there is no eos_token_id", spec->source);
    tokenizer->add_bos = spec->add_bos;
    tokenizer->add_eos = spec->add_eos;
    tokenizer->add_space_prefix = spec->add_space_prefix;
    add_end(tokenizer, tokenizer->eos);
    add_end(tokenizer, end_of_turn);
    for (size_t i = 0; i < sizeof ending_texts / sizeof *ending_texts; i++) {
        int32_t id = apli_string_table_get(&tokenizer->by_text, ending_texts[i], strlen(ending_texts[i]));
        if (id >= 0 && is_special(tokenizer->types[id])) add_end(tokenizer, id);
    }
    return APL_OK;
}

AplErr apli_tokenizer_new(const AplTokenizerSpec *spec, AplTokenizer **result) {
    FAIL_IF(!spec->model || strcmp(spec->model, "gpt2") != 0, APL_NONCE,
            "%s: tokenizer.ggml.model is \"%.80s\"; the kind known here is \"gpt2\"", spec->source,
            spec->model ? spec->model : "");
    FAIL_IF(!spec->pre, APL_FILE_DATA, "%s: tokenizer.ggml.pre is missing", spec->source);
    AplTokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    FAIL_IF(!tokenizer, APL_WS_FULL, "no memory for a tokenizer");
    AplErr error = take_tokens(spec, tokenizer);
    if (!error) error = take_ids(spec, tokenizer);
    if (!error) find_bytes(tokenizer);
    if (!error) error = take_merges(spec, tokenizer);
    if (!error) error = take_specials(tokenizer);
    if (!error) error = apli_pretokenizer_new(spec->source, spec->pre, &tokenizer->pretokenizer);
    if (error) {
        apli_tokenizer_free(tokenizer);
        return error;
    }
    *result = tokenizer;
    return APL_OK;
}

AplErr apli_tokens_append(AplTokens *tokens, int32_t id) {
    if (tokens->length == tokens->capacity) {
        size_t capacity = tokens->capacity * 2 + 64;
        int32_t *ids = realloc(tokens->ids, capacity * sizeof *ids);
        FAIL_IF(!ids, APL_WS_FULL, "no memory for %zu tokens", capacity);
        tokens->ids = ids;
        tokens->capacity = capacity;
    }
    tokens->ids[tokens->length++] = id;
    return APL_OK;
}

void apli_tokens_free(AplTokens *tokens) {
    free(tokens->ids);
    *tokens = (AplTokens){0};
}

AplErr apli_tokenizer_token(const AplTokenizer *tokenizer, int64_t id, AplTokenString *token) {
    FAIL_IF(id < 0 || id >= tokenizer->count, APL_INDEX,
            "token %" PRId64 " is not in the vocabulary of %d tokens", id, tokenizer->count);
    *token = tokenizer->tokens[id];
    return APL_OK;
}

AplErr apli_tokenizer_decode(const AplTokenizer *tokenizer, const int32_t *ids, size_t count, AplText *text) {
    for (size_t i = 0; i < count; i++) {
        AplTokenString token;
        TRY(apli_tokenizer_token(tokenizer, ids[i], &token));
        apli_text_append(text, token.bytes, token.length);
    }
    return apli_text_status(text);
}

int32_t apli_tokenizer_find(const AplTokenizer *tokenizer, const char *text, size_t length) {
    int32_t id = apli_string_table_get(&tokenizer->by_text, text, length);
    if (id >= 0 && is_special(tokenizer->types[id])) return id;
    enum { LONGEST = 1024 };
    char letters[2 * LONGEST];
    if (length > LONGEST) return -1;
    id = apli_string_table_get(&tokenizer->by_text, letters, apli_write_letters(text, length, letters));
    return id >= 0 && !is_special(tokenizer->types[id]) ? id : -1;
}

AplTokenType apli_tokenizer_type(const AplTokenizer *tokenizer, int32_t id) {
    return (AplTokenType)tokenizer->types[id];
}
int32_t apli_tokenizer_count(const AplTokenizer *tokenizer) { return tokenizer->count; }
int32_t apli_tokenizer_bos(const AplTokenizer *tokenizer) { return tokenizer->bos; }
int32_t apli_tokenizer_eos(const AplTokenizer *tokenizer) { return tokenizer->eos; }
int32_t apli_tokenizer_pad(const AplTokenizer *tokenizer) { return tokenizer->pad; }

bool apli_tokenizer_ends(const AplTokenizer *tokenizer, int32_t id) {
    for (int i = 0; i < tokenizer->end_count; i++)
        if (tokenizer->ends[i] == id) return true;
    return false;
}
