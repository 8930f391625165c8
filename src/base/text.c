/* A growable byte string, and UTF-8 (RFC 3629). */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(AplText *text, size_t more) {
    if (text->failed) return false;
    if (more < SIZE_MAX - text->length - 1 && text->length + more + 1 <= text->capacity) return true;
    if (more > SIZE_MAX / 2 - text->length - 64) {
        text->failed = true;
        return false;
    }
    size_t capacity = (text->length + more + 1) * 3 / 2 + 32;
    char *bytes = realloc(text->bytes, capacity);
    if (!bytes) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void apli_text_append(AplText *text, const char *bytes, size_t length) {
    if (!reserve(text, length)) return;
    if (length) memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = 0;
}

void apli_text_append_string(AplText *text, const char *string) { apli_text_append(text, string, strlen(string)); }

void apli_text_printf(AplText *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length >= 0 && reserve(text, (size_t)length)) {
        vsnprintf(text->bytes + text->length, (size_t)length + 1, format, again);
        text->length += (size_t)length;
    }
    va_end(again);
}

void apli_text_append_codepoint(AplText *text, uint32_t codepoint) {
    char bytes[4];
    apli_text_append(text, bytes, apli_utf8_put(codepoint, bytes));
}

void apli_text_clear(AplText *text) {
    text->length = 0;
    text->failed = false;
    if (text->bytes) text->bytes[0] = 0;
}

void apli_text_free(AplText *text) {
    free(text->bytes);
    *text = (AplText){0};
}

const char *apli_text_string(const AplText *text) { return text->bytes ? text->bytes : ""; }

AplErr apli_text_status(const AplText *text) {
    FAIL_IF(text->failed, APL_WS_FULL, "no memory for a text of %zu bytes", text->length);
    return APL_OK;
}

static bool continues(const char *bytes, size_t length, size_t position) {
    return position < length && ((unsigned char)bytes[position] & 0xC0) == 0x80;
}

/* The length of the well-formed sequence at position, 0 when there is none; its value in *codepoint. */
static size_t decode(const char *bytes, size_t length, size_t position, uint32_t *codepoint) {
    unsigned char lead = (unsigned char)bytes[position];
    if (lead < 0x80) {
        *codepoint = lead;
        return 1;
    }
    size_t extra = lead >= 0xF0 && lead <= 0xF4 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC2 ? 1 : 0;
    if (extra == 0 || lead > 0xF4) return 0;
    uint32_t value = lead & (0x3Fu >> extra);
    for (size_t i = 1; i <= extra; i++) {
        if (!continues(bytes, length, position + i)) return 0;
        value = value << 6 | ((unsigned char)bytes[position + i] & 0x3F);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (value < least[extra] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000)) return 0;
    *codepoint = value;
    return extra + 1;
}

uint32_t apli_utf8_next(const char *bytes, size_t length, size_t *position) {
    uint32_t codepoint = 0xFFFD;
    size_t used = decode(bytes, length, *position, &codepoint);
    *position += used ? used : 1;
    return used ? codepoint : 0xFFFD;
}

size_t apli_utf8_put(uint32_t codepoint, char *bytes) {
    if (codepoint > 0x10FFFF || (codepoint >= 0xD800 && codepoint < 0xE000)) codepoint = 0xFFFD;
    if (codepoint < 0x80) {
        bytes[0] = (char)codepoint;
        return 1;
    }
    if (codepoint < 0x800) {
        bytes[0] = (char)(0xC0 | codepoint >> 6);
        bytes[1] = (char)(0x80 | (codepoint & 0x3F));
        return 2;
    }
    if (codepoint < 0x10000) {
        bytes[0] = (char)(0xE0 | codepoint >> 12);
        bytes[1] = (char)(0x80 | (codepoint >> 6 & 0x3F));
        bytes[2] = (char)(0x80 | (codepoint & 0x3F));
        return 3;
    }
    bytes[0] = (char)(0xF0 | codepoint >> 18);
    bytes[1] = (char)(0x80 | (codepoint >> 12 & 0x3F));
    bytes[2] = (char)(0x80 | (codepoint >> 6 & 0x3F));
    bytes[3] = (char)(0x80 | (codepoint & 0x3F));
    return 4;
}

bool apli_utf8_valid(const char *bytes, size_t length, size_t *position) {
    size_t at = 0;
    while (at < length) {
        uint32_t codepoint;
        size_t used = decode(bytes, length, at, &codepoint);
        if (used == 0) break;
        at += used;
    }
    if (position) *position = at;
    return at == length;
}
