/* Encoding: special tokens are found first, leftmost and longest; what lies between them is split and
   merged. */
#include "model/tokenizer_internal.h"

#include <string.h>

static const size_t MAX_TEXT = (size_t)1 << 28;

typedef struct Encoder {
    const AplTokenizer *tokenizer;
    AplTokens *tokens;
    AplPieces pieces;
    AplMerger merger;
} Encoder;

/* The longest special token that begins at text[0]; -1 when none does. */
static int32_t special_at(const AplTokenizer *tokenizer, const char *text, size_t length, unsigned flags,
                          size_t *used) {
    int wanted = flags & APLI_PARSE_SPECIAL ? 3 : 1;
    int32_t best = -1;
    if (!(tokenizer->special_starts[(uint8_t)text[0]] & wanted)) return best;
    uint32_t node = 0;
    for (size_t i = 0; i < length; i++) {
        const AplPairSlot *slot = apli_pair_table_get(&tokenizer->special_trie, node, (uint8_t)text[i]);
        if (!slot) break;
        node = slot->product;
        if (slot->rank == 0) continue;
        int32_t id = (int32_t)(slot->rank - 1);
        if (!(flags & APLI_PARSE_SPECIAL) && tokenizer->types[id] != APLI_TOKEN_USER_DEFINED) continue;
        best = id;
        *used = i + 1;
    }
    return best;
}

/* Text without special tokens. Bytes that are not UTF-8 are pieces of their own, as long as they stand
   together. */
static AplErr encode_plain(Encoder *encoder, const char *text, size_t length) {
    while (length) {
        size_t valid;
        apli_utf8_valid(text, length, &valid);
        TRY(apli_pretokenize(encoder->tokenizer->pretokenizer, text, valid, &encoder->pieces));
        size_t begin = 0;
        for (size_t i = 0; i < encoder->pieces.count; begin = encoder->pieces.ends[i++])
            TRY(apli_bpe_piece(encoder->tokenizer, text + begin, encoder->pieces.ends[i] - begin,
                               &encoder->merger, encoder->tokens));
        text += valid;
        length -= valid;
        size_t invalid = 0;
        while (invalid < length) {
            size_t next = invalid;
            if (apli_utf8_next(text, length, &next) != 0xFFFD || next != invalid + 1) break;
            invalid = next;
        }
        if (invalid)
            TRY(apli_bpe_piece(encoder->tokenizer, text, invalid, &encoder->merger, encoder->tokens));
        text += invalid;
        length -= invalid;
    }
    return APL_OK;
}

static AplErr encode_text(Encoder *encoder, const char *text, size_t length, unsigned flags) {
    size_t begin = 0, at = 0;
    while (at < length) {
        size_t used = 0;
        int32_t id = special_at(encoder->tokenizer, text + at, length - at, flags, &used);
        if (id < 0) {
            at++;
            continue;
        }
        TRY(encode_plain(encoder, text + begin, at - begin));
        TRY(apli_tokens_append(encoder->tokens, id));
        begin = at += used;
    }
    return encode_plain(encoder, text + begin, length - begin);
}

AplErr apli_tokenizer_encode(const AplTokenizer *tokenizer, const char *text, size_t length, unsigned flags,
                             AplTokens *tokens) {
    FAIL_IF(length > MAX_TEXT, APL_LIMIT, "a text of %zu bytes to encode, the limit is %zu", length,
            MAX_TEXT);
    if (flags & APLI_ADD_SPECIAL && tokenizer->add_bos) TRY(apli_tokens_append(tokens, tokenizer->bos));
    APLI_AUTO_TEXT prefixed = {0};
    if (tokenizer->add_space_prefix && length && text[0] != ' ') {
        apli_text_append(&prefixed, " ", 1);
        apli_text_append(&prefixed, text, length);
        TRY(apli_text_status(&prefixed));
        text = prefixed.bytes;
        length = prefixed.length;
    }
    Encoder encoder = {.tokenizer = tokenizer, .tokens = tokens};
    AplErr error = encode_text(&encoder, text, length, flags);
    apli_pieces_free(&encoder.pieces);
    apli_merger_free(&encoder.merger);
    TRY(error);
    if (flags & APLI_ADD_SPECIAL && tokenizer->add_eos) TRY(apli_tokens_append(tokens, tokenizer->eos));
    return APL_OK;
}
