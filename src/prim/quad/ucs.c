/* ⎕UCS: characters and the numbers that stand for them (Unicode code points, UTF-8, UTF-16 and UTF-32 code
   units). */
#include "prim/quad/quad_functions.h"

#include <inttypes.h>
#include <string.h>

enum { LAST_CODE_POINT = 0x10FFFF };

static bool is_character(const AplArray *array) { return apli_type_is_character((AplType)array->type); }

AplErr apli_utf8_of(const AplArray *array, const char *what, AplText *text) {
    FAIL_IF(array->rank > 1, APL_RANK, "%s has rank %d", what, array->rank);
    FAIL_IF(!is_character(array) && array->count, APL_DOMAIN, "%s must be characters", what);
    for (int64_t i = 0; i < array->count; i++) apli_text_append_codepoint(text, apli_char_at(array, i));
    return apli_text_status(text);
}

/* Numbers of `array`'s shape from an array of I64 or a character array from code points; squeezed. */
static AplErr numbers_of(const AplArray *characters, AplArray **result) {
    APLI_AUTO AplArray *numbers = NULL;
    TRY(apli_array_new_like(APLI_I32, characters, &numbers));
    for (int64_t i = 0; i < characters->count; i++)
        ((int32_t *)numbers->data)[i] = (int32_t)apli_char_at(characters, i);
    TRY(apli_squeeze(&numbers));
    *result = apli_move(&numbers);
    return APL_OK;
}

static AplErr characters_of(const AplArray *numbers, AplArray **result) {
    APLI_AUTO AplArray *characters = NULL;
    TRY(apli_array_new_like(APLI_CHAR32, numbers, &characters));
    for (int64_t i = 0; i < numbers->count; i++) {
        int64_t number = apli_i64_at(numbers, i);
        FAIL_IF(number < 0 || number > LAST_CODE_POINT, APL_DOMAIN, "%" PRId64 " is not a Unicode code point",
                number);
        ((uint32_t *)characters->data)[i] = (uint32_t)number;
    }
    TRY(apli_squeeze(&characters));
    *result = apli_move(&characters);
    return APL_OK;
}

AplErr apli_quad_ucs(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    if (is_character(right)) return numbers_of(right, result);
    APLI_AUTO AplArray *numbers = NULL;
    TRY(apli_integers(right, "what ⎕UCS converts", &numbers));
    return characters_of(numbers, result);
}

/* ---- encodings ---------------------------------------------------- */

static AplErr to_utf8(const AplArray *characters, bool as_bytes, AplArray **result) {
    APLI_AUTO_TEXT text = {0};
    for (int64_t i = 0; i < characters->count; i++)
        apli_text_append_codepoint(&text, apli_char_at(characters, i));
    TRY(apli_text_status(&text));
    APLI_AUTO AplArray *numbers = NULL;
    TRY(apli_vector_new(as_bytes ? APLI_I8 : APLI_I16, (int64_t)text.length, &numbers));
    for (size_t i = 0; i < text.length; i++) {
        if (as_bytes) ((int8_t *)numbers->data)[i] = (int8_t)text.bytes[i];
        else ((int16_t *)numbers->data)[i] = (unsigned char)text.bytes[i];
    }
    if (!as_bytes) TRY(apli_squeeze(&numbers));
    *result = apli_move(&numbers);
    return APL_OK;
}

static AplErr from_utf8(const AplArray *numbers, bool as_bytes, AplArray **result) {
    APLI_AUTO_TEXT text = {0};
    for (int64_t i = 0; i < numbers->count; i++) {
        int64_t number = apli_i64_at(numbers, i);
        FAIL_IF(number < (as_bytes ? -128 : 0) || number > (as_bytes ? 127 : 255), APL_DOMAIN,
                "%" PRId64 " is not a byte", number);
        char byte = (char)number;
        apli_text_append(&text, &byte, 1);
    }
    TRY(apli_text_status(&text));
    size_t position;
    FAIL_IF(!apli_utf8_valid(apli_text_string(&text), text.length, &position), APL_DOMAIN,
            "not UTF-8 from byte %zu on", position);
    return apli_string(apli_text_string(&text), text.length, result);
}

static AplErr to_utf16(const AplArray *characters, AplArray **result) {
    int64_t units = 0, at = 0;
    for (int64_t i = 0; i < characters->count; i++) units += apli_char_at(characters, i) > 0xFFFF ? 2 : 1;
    APLI_AUTO AplArray *numbers = NULL;
    TRY(apli_vector_new(APLI_I32, units, &numbers));
    int32_t *to = (int32_t *)numbers->data;
    for (int64_t i = 0; i < characters->count; i++) {
        uint32_t character = apli_char_at(characters, i);
        if (character > 0xFFFF) {
            to[at++] = (int32_t)(0xD800 + ((character - 0x10000) >> 10));
            character = 0xDC00 + ((character - 0x10000) & 0x3FF);
        }
        to[at++] = (int32_t)character;
    }
    TRY(apli_squeeze(&numbers));
    *result = apli_move(&numbers);
    return APL_OK;
}

static AplErr from_utf16(const AplArray *numbers, AplArray **result) {
    APLI_AUTO_TEXT text = {0};
    for (int64_t i = 0; i < numbers->count; i++) {
        int64_t unit = apli_i64_at(numbers, i);
        FAIL_IF(unit < 0 || unit > 0xFFFF, APL_DOMAIN, "%" PRId64 " is not a UTF-16 code unit", unit);
        if (unit >= 0xD800 && unit < 0xE000) {
            int64_t second = i + 1 < numbers->count ? apli_i64_at(numbers, i + 1) : 0;
            FAIL_IF(unit >= 0xDC00 || second < 0xDC00 || second > 0xDFFF, APL_DOMAIN,
                    "not UTF-16: %" PRId64 " at %" PRId64 " is half a pair", unit, i);
            unit = 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
            i++;
        }
        apli_text_append_codepoint(&text, (uint32_t)unit);
    }
    TRY(apli_text_status(&text));
    return apli_string(apli_text_string(&text), text.length, result);
}

AplErr apli_quad_ucs_as(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    APLI_AUTO_TEXT name = {0};
    const AplArray *encoding = left;
    bool as_bytes = false;
    if (left->type == APLI_NESTED && left->count == 2) {
        int64_t type;
        encoding = apli_items(left)[0];
        TRY(apli_integer(apli_items(left)[1], "the type in ⎕UCS's left argument", &type));
        FAIL_IF(type != 83, APL_DOMAIN, "⎕UCS gives bytes of type 83, not %" PRId64, type);
        as_bytes = true;
    }
    TRY(apli_utf8_of(encoding, "the encoding", &name));
    FAIL_IF(right->rank > 1, APL_RANK, "⎕UCS with an encoding takes a vector, not rank %d", right->rank);
    APLI_AUTO AplArray *numbers = NULL;
    bool characters = is_character(right);
    if (!characters) TRY(apli_integers(right, "what ⎕UCS converts", &numbers));
    const char *text = apli_text_string(&name);
    FAIL_IF(as_bytes && strcmp(text, "UTF-8") != 0, APL_DOMAIN, "⎕UCS gives bytes of UTF-8, not of %s", text);
    if (strcmp(text, "UTF-8") == 0)
        return characters ? to_utf8(right, as_bytes, result) : from_utf8(numbers, as_bytes, result);
    if (strcmp(text, "UTF-16") == 0)
        return characters ? to_utf16(right, result) : from_utf16(numbers, result);
    FAIL_IF(strcmp(text, "UTF-32") != 0, APL_DOMAIN, "⎕UCS knows UTF-8, UTF-16 and UTF-32, not %s", text);
    return characters ? numbers_of(right, result) : characters_of(numbers, result);
}
