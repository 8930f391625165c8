/* A growable byte string, always followed by a NUL, and UTF-8 in both directions. Growth that the memory does not allow
   is remembered: appends then do nothing, and text_status says so once at the end. */
#ifndef APLI_BASE_TEXT_H
#define APLI_BASE_TEXT_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct AplText {
    char *bytes;
    size_t length;
    size_t capacity;
    bool failed;
} AplText;

void apli_text_append(AplText *text, const char *bytes, size_t length);
void apli_text_append_string(AplText *text, const char *string);
__attribute__((format(printf, 2, 3))) void apli_text_printf(AplText *text, const char *format, ...);
void apli_text_append_codepoint(AplText *text, uint32_t codepoint);
void apli_text_clear(AplText *text);
void apli_text_free(AplText *text);
/* The bytes, "" when nothing was ever appended. */
const char *apli_text_string(const AplText *text);
/* APL_WS_FULL when an append found no memory. */
AplErr apli_text_status(const AplText *text);

#define APLI_AUTO_TEXT __attribute__((cleanup(apli_text_free))) AplText

/* Reads one code point at *position (which moves past it). An invalid byte gives U+FFFD and moves by one. */
uint32_t apli_utf8_next(const char *bytes, size_t length, size_t *position);
/* Writes 1 to 4 bytes, returns how many. A surrogate or a number past U+10FFFF is written as U+FFFD. */
size_t apli_utf8_put(uint32_t codepoint, char *bytes);
/* Whether all of it is well-formed UTF-8; *position is the first byte that is not. */
bool apli_utf8_valid(const char *bytes, size_t length, size_t *position);

#endif
