/* A tokenizer from a hostile vocabulary, used on hostile text. The input: a byte of flags, then fields
   that end with a 0xFE byte: first the token count, tokens and merges alternately, last the text. */
#include "model/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ITEMS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static AplTokenString next_field(const uint8_t **data, size_t *size) {
    const uint8_t *end = *size ? memchr(*data, 0xFE, *size) : NULL;
    size_t length = end ? (size_t)(end - *data) : *size;
    AplTokenString field = {(const char *)*data, length};
    *data += end ? length + 1 : length;
    *size -= end ? length + 1 : length;
    return field;
}

static void use(const AplTokenizer *tokenizer, AplTokenString text, unsigned flags) {
    APLI_AUTO_TOKENS ids = {0};
    APLI_AUTO_TEXT back = {0}, streamed = {0};
    if (apli_tokenizer_encode(tokenizer, text.bytes, text.length, flags, &ids)) return;
    if (apli_tokenizer_decode(tokenizer, ids.ids, ids.length, &back)) abort();
    /* With a special prefix, blank or end the text is longer; without, only counted bytes may be missing. */
    if (flags == 0 && back.length + ids.dropped != text.length) abort();
    if (flags == 0 && ids.dropped == 0 && text.length && memcmp(back.bytes, text.bytes, text.length) != 0)
        abort();
    AplTokenStream stream = {0};
    for (size_t i = 0; i < ids.length; i++)
        if (apli_token_stream_push(&stream, tokenizer, ids.ids[i], &streamed)) abort();
    if (apli_token_stream_finish(&stream, &streamed)) abort();
    if (!apli_utf8_valid(apli_text_string(&streamed), streamed.length, NULL)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const pretokenizers[] = {"gpt-2",  "smollm",       "llama-bpe", "qwen2",
                                                "tekken", "deepseek-llm", "falcon",    "no such"};
    if (size < 4) return 0;
    AplTokenString tokens[MAX_ITEMS], merges[MAX_ITEMS];
    int32_t types[MAX_ITEMS];
    size_t token_count = data[0] % MAX_ITEMS, merge_count = data[1] % MAX_ITEMS;
    AplTokenizerSpec spec = {.source = "fuzz",
                             .model = "gpt2",
                             .pre = pretokenizers[data[2] & 7],
                             .token_count = token_count,
                             .tokens = tokens,
                             .types = data[2] & 8 ? types : NULL,
                             .merge_count = merge_count,
                             .merges = merges,
                             .bos = (int8_t)data[3],
                             .eos = -1,
                             .unk = -1,
                             .pad = -1,
                             .end_of_turn = -1,
                             .add_bos = data[2] & 16,
                             .add_space_prefix = false};
    unsigned flags = data[2] >> 6;
    data += 4;
    size -= 4;
    for (size_t i = 0; i < token_count; i++) {
        tokens[i] = next_field(&data, &size);
        types[i] = tokens[i].length ? (uint8_t)tokens[i].bytes[tokens[i].length - 1] % 7 : 1;
        if (types[i] == 0) types[i] = 1;
    }
    for (size_t i = 0; i < merge_count; i++) merges[i] = next_field(&data, &size);
    AplTokenString text = {(const char *)data, size};
    AplTokenizer *tokenizer;
    if (apli_tokenizer_new(&spec, &tokenizer) != APL_OK) return 0;
    use(tokenizer, text, flags);
    apli_tokenizer_free(tokenizer);
    return 0;
}
