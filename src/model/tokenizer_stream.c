/* The streaming decoder: bytes go out as soon as they are characters. */
#include "model/tokenizer.h"

#include <string.h>

/* How many bytes a character that begins with `lead` has; 1 also for bytes that cannot begin one. */
static size_t character_length(unsigned char lead) {
    return lead >= 0xF0 && lead <= 0xF4  ? 4
           : lead >= 0xE0 && lead < 0xF0 ? 3
           : lead >= 0xC2 && lead < 0xE0 ? 2
                                         : 1;
}

/* Whether bytes[at..length) could become a character with more bytes to come. */
static bool may_become_character(const char *bytes, size_t length, size_t at) {
    size_t have = length - at;
    if (have >= character_length((unsigned char)bytes[at])) return false;
    for (size_t i = 1; i < have; i++)
        if (((unsigned char)bytes[at + i] & 0xC0) != 0x80) return false;
    return true;
}

AplErr apli_token_stream_push(AplTokenStream *stream, const AplTokenizer *tokenizer, int32_t id,
                              AplText *text) {
    AplTokenString token;
    TRY(apli_tokenizer_token(tokenizer, id, &token));
    APLI_AUTO_TEXT bytes = {0};
    apli_text_append(&bytes, stream->held, stream->held_length);
    apli_text_append(&bytes, token.bytes, token.length);
    TRY(apli_text_status(&bytes));
    stream->held_length = 0;
    for (size_t at = 0; at < bytes.length;) {
        if (may_become_character(bytes.bytes, bytes.length, at)) {
            stream->held_length = bytes.length - at;
            memcpy(stream->held, bytes.bytes + at, stream->held_length);
            break;
        }
        apli_text_append_codepoint(text, apli_utf8_next(bytes.bytes, bytes.length, &at));
    }
    return apli_text_status(text);
}

AplErr apli_token_stream_finish(AplTokenStream *stream, AplText *text) {
    if (stream->held_length) apli_text_append_codepoint(text, 0xFFFD);
    stream->held_length = 0;
    return apli_text_status(text);
}
