/* GPT-2's letters: a vocabulary file writes each byte of a token as one visible character. */
#include "model/tokenizer_internal.h"

uint32_t apli_byte_letter(uint8_t byte) {
    if (byte <= 32) return 0x100u + byte;
    if (byte >= 127 && byte <= 160) return 0x121u + (byte - 127u);
    return byte == 173 ? 0x143 : byte;
}

int apli_letter_byte(uint32_t codepoint) {
    if (codepoint >= 0x100 && codepoint <= 0x120) return (int)(codepoint - 0x100);
    if (codepoint >= 0x121 && codepoint <= 0x142) return (int)(codepoint - 0x121 + 127);
    if (codepoint == 0x143) return 173;
    return codepoint < 0x100 && apli_byte_letter((uint8_t)codepoint) == codepoint ? (int)codepoint : -1;
}

size_t apli_write_letters(const char *bytes, size_t length, char *letters) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++)
        used += apli_utf8_put(apli_byte_letter((uint8_t)bytes[i]), letters + used);
    return used;
}
