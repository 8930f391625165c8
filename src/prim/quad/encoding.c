/* UTF-8, UTF-16 and UTF-32 in both byte orders, ASCII and Windows-1252. */
#include "prim/quad/encoding.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *mark;
    size_t mark_length;
    bool marked; /* unless the name says otherwise */
} encodings[APLI_ENCODING_COUNT] = {
    [APLI_UTF8] = {"UTF-8", "\xEF\xBB\xBF", 3, false},
    [APLI_UTF16LE] = {"UTF-16LE", "\xFF\xFE", 2, true},
    [APLI_UTF16BE] = {"UTF-16BE", "\xFE\xFF", 2, true},
    [APLI_UTF32LE] = {"UTF-32LE", "\xFF\xFE\0\0", 4, true},
    [APLI_UTF32BE] = {"UTF-32BE", "\0\0\xFE\xFF", 4, true},
    [APLI_ASCII] = {"ASCII", "", 0, false},
    [APLI_WINDOWS1252] = {"Windows-1252", "", 0, false},
};

/* Bytes 0x80 to 0x9F of Windows-1252 (Unicode's mapping table CP1252.TXT); 0 where it has none. */
static const uint16_t windows_1252[32] = {0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                          0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017D, 0,
                                          0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                          0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

const char *apli_encoding_name(AplEncoding encoding) { return encodings[encoding].name; }

static bool is_name(const char *name, size_t length, const char *other) {
    return strlen(other) == length && strncmp(name, other, length) == 0;
}

AplErr apli_encoding_named(const char *name, AplEncoding *encoding, bool *mark) {
    size_t length = strlen(name);
    int said = -1;
    if (length > 6 && strcmp(name + length - 6, "-NOBOM") == 0) {
        said = 0;
        length -= 6;
    } else if (length > 4 && strcmp(name + length - 4, "-BOM") == 0) {
        said = 1;
        length -= 4;
    }
    int found = is_name(name, length, "UTF-16")   ? APLI_UTF16LE
                : is_name(name, length, "UTF-32") ? APLI_UTF32LE
                : is_name(name, length, "ANSI")   ? APLI_WINDOWS1252
                                                  : -1;
    for (int i = 0; i < APLI_ENCODING_COUNT; i++)
        if (is_name(name, length, encodings[i].name)) found = i;
    FAIL_IF(found < 0 || (said >= 0 && !encodings[found].mark_length), APL_DOMAIN, "%s is not an encoding",
            name);
    *encoding = (AplEncoding)found;
    *mark = said >= 0 ? said : encodings[found].marked;
    return APL_OK;
}

size_t apli_encoding_mark(AplEncoding encoding, const char **bytes) {
    *bytes = encodings[encoding].mark;
    return encodings[encoding].mark_length;
}

bool apli_encoding_marked(const char *bytes, size_t length, AplEncoding *encoding) {
    bool found = false;
    size_t longest = 0; /* UTF-32LE's mark begins with UTF-16LE's */
    for (int i = 0; i < APLI_ENCODING_COUNT; i++) {
        size_t mark = encodings[i].mark_length;
        if (mark <= longest || mark > length || memcmp(bytes, encodings[i].mark, mark) != 0) continue;
        longest = mark;
        *encoding = (AplEncoding)i;
        found = true;
    }
    return found;
}

static uint32_t unit_at(const char *bytes, size_t size, bool big) {
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++) value = value << 8 | (unsigned char)bytes[big ? i : size - 1 - i];
    return value;
}

static bool is_surrogate(uint32_t unit) { return unit >= 0xD800 && unit < 0xE000; }

static AplErr not_of(const char *source, AplEncoding encoding, size_t position) {
    apli_fail(APL_FILE_DATA, "%s: not %s at byte %zu", source, encodings[encoding].name, position);
    return APL_FILE_DATA;
}

AplErr apli_text_decode(const char *source, AplEncoding encoding, const char *bytes, size_t length,
                        AplText *utf8) {
    size_t position;
    if (encoding == APLI_UTF8) {
        if (!apli_utf8_valid(bytes, length, &position)) return not_of(source, encoding, position);
        apli_text_append(utf8, bytes, length);
        return apli_text_status(utf8);
    }
    bool wide = encoding == APLI_UTF32LE || encoding == APLI_UTF32BE, narrow = encoding >= APLI_ASCII;
    bool big = encoding == APLI_UTF16BE || encoding == APLI_UTF32BE;
    size_t size = narrow ? 1 : wide ? 4 : 2;
    if (length % size) return not_of(source, encoding, length - length % size);
    for (size_t at = 0; at < length; at += size) {
        uint32_t character = unit_at(bytes + at, size, big);
        bool bad = character > 0x10FFFF;
        if (encoding == APLI_ASCII) bad = character > 0x7F;
        if (encoding == APLI_WINDOWS1252 && character >= 0x80 && character < 0xA0) {
            character = windows_1252[character - 0x80];
            bad = character == 0;
        }
        if (size == 2 && is_surrogate(character)) {
            uint32_t second = at + 4 <= length ? unit_at(bytes + at + 2, 2, big) : 0;
            bad = character >= 0xDC00 || second < 0xDC00 || second > 0xDFFF;
            character = 0x10000 + ((character - 0xD800) << 10) + (second - 0xDC00);
            if (!bad) at += 2;
        } else if (is_surrogate(character)) {
            bad = true;
        }
        if (bad) return not_of(source, encoding, at);
        apli_text_append_codepoint(utf8, character);
    }
    return apli_text_status(utf8);
}

static void append_unit(AplText *bytes, uint32_t unit, int size, bool big) {
    for (int i = 0; i < size; i++) {
        char byte = (char)(unit >> 8 * (big ? size - 1 - i : i));
        apli_text_append(bytes, &byte, 1);
    }
}

AplErr apli_text_encode(AplEncoding encoding, uint32_t character, AplText *bytes) {
    bool big = encoding == APLI_UTF16BE || encoding == APLI_UTF32BE, found = character < 0x80;
    switch (encoding) {
    case APLI_UTF8: apli_text_append_codepoint(bytes, character); return APL_OK;
    case APLI_UTF32LE:
    case APLI_UTF32BE: append_unit(bytes, character, 4, big); return APL_OK;
    case APLI_UTF16LE:
    case APLI_UTF16BE:
        if (character > 0xFFFF) {
            append_unit(bytes, 0xD800 + ((character - 0x10000) >> 10), 2, big);
            character = 0xDC00 + ((character - 0x10000) & 0x3FF);
        }
        append_unit(bytes, character, 2, big);
        return APL_OK;
    default: break;
    }
    if (encoding == APLI_WINDOWS1252) {
        found |= character >= 0xA0 && character < 0x100;
        for (uint32_t i = 0; i < 32 && !found; i++) {
            if (windows_1252[i] != character) continue;
            character = 0x80 + i;
            found = true;
        }
    }
    FAIL_IF(!found, APL_DOMAIN, "%s has no character U+%04" PRIX32, encodings[encoding].name, character);
    append_unit(bytes, character, 1, false);
    return APL_OK;
}
