/* ⎕C ⎕VFI: case, and numbers in text. */
#include "prim/quad/quad_functions.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- ⎕C ---------------------------------------------------- */

enum { UPPER = 1, LOWER = -1, FOLDED = -3 };

/* The simple mapping: one character to one. */
static uint32_t map_case(uint32_t character, int64_t to) {
    if (character > 0x10FFFF) return character;
    if (to == UPPER) return (uint32_t)utf8proc_toupper((utf8proc_int32_t)character);
    if (to == LOWER) return (uint32_t)utf8proc_tolower((utf8proc_int32_t)character);
    utf8proc_int32_t folded[4];
    int boundary = 0;
    utf8proc_ssize_t count =
        utf8proc_decompose_char((utf8proc_int32_t)character, folded, 4, UTF8PROC_CASEFOLD, &boundary);
    return count == 1 ? (uint32_t)folded[0] : (uint32_t)utf8proc_tolower((utf8proc_int32_t)character);
}

static AplErr convert_case(AplEnv *env, AplArray *array, int64_t to, AplArray **result) {
    TRY(apli_check(env));
    APLI_AUTO AplArray *plain = NULL, *mapped = NULL;
    TRY(apli_plain(array, &plain));
    if (plain->type == APLI_NESTED) {
        int64_t stored = plain->count ? plain->count : 1;
        TRY(apli_array_new_like(APLI_NESTED, plain, &mapped));
        for (int64_t i = 0; i < stored; i++)
            TRY(convert_case(env, apli_items(plain)[i], to, &apli_items(mapped)[i]));
    } else if (apli_type_is_character((AplType)plain->type)) {
        TRY(apli_array_new_like(APLI_CHAR32, plain, &mapped));
        for (int64_t i = 0; i < plain->count; i++)
            ((uint32_t *)mapped->data)[i] = map_case(apli_char_at(plain, i), to);
        TRY(apli_squeeze(&mapped));
    } else {
        mapped = apli_array_retain(array);
    }
    *result = apli_move(&mapped);
    return APL_OK;
}

AplErr apli_quad_c(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return convert_case(env, right, FOLDED, result);
}

AplErr apli_quad_c_to(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    int64_t to;
    TRY(apli_integer(left, "the left argument of ⎕C", &to));
    FAIL_IF(to != UPPER && to != LOWER && to != FOLDED, APL_DOMAIN, "⎕C maps to 1, ¯1 or ¯3, not %" PRId64,
            to);
    return convert_case(env, right, to, result);
}

/* ---- ⎕VFI ---------------------------------------------------- */

enum { MACRON = 0xAF, LONGEST_NUMBER = 512 };

/* Digits at *at, copied to text; how many. */
static int take_digits(const AplArray *array, int64_t end, int64_t *at, char **text) {
    int count = 0;
    for (; *at < end && apli_char_at(array, *at) >= '0' && apli_char_at(array, *at) <= '9'; count++)
        *(*text)++ = (char)apli_char_at(array, (*at)++);
    return count;
}

static bool take_character(const AplArray *array, int64_t end, int64_t *at, uint32_t character) {
    if (*at >= end || apli_char_at(array, *at) != character) return false;
    ++*at;
    return true;
}

/* Characters from..end-1 as an APL number: ¯12.5E¯3. */
static bool parse_number(const AplArray *array, int64_t from, int64_t end, double *value) {
    char text[LONGEST_NUMBER + 2], *to = text;
    if (end - from > LONGEST_NUMBER) return false;
    if (take_character(array, end, &from, MACRON)) *to++ = '-';
    int digits = take_digits(array, end, &from, &to);
    if (take_character(array, end, &from, '.')) {
        *to++ = '.';
        digits += take_digits(array, end, &from, &to);
    }
    if (digits == 0) return false;
    if (take_character(array, end, &from, 'E') || take_character(array, end, &from, 'e')) {
        *to++ = 'e';
        if (take_character(array, end, &from, MACRON)) *to++ = '-';
        if (take_digits(array, end, &from, &to) == 0) return false;
    }
    *to = 0;
    *value = strtod(text, NULL);
    return from == end && isfinite(*value);
}

typedef struct Fields {
    AplArray *valid, *values;
    int64_t count;
    bool whole;
} Fields;

static void add_field(Fields *fields, const AplArray *array, int64_t from, int64_t end) {
    while (from < end && apli_char_at(array, from) == ' ') from++;
    while (end > from && apli_char_at(array, end - 1) == ' ') end--;
    double value = 0;
    bool valid = from == end || parse_number(array, from, end, &value);
    if (!valid) value = 0;
    apli_bit_set(fields->valid->data, fields->count, valid);
    ((double *)fields->values->data)[fields->count++] = value;
    if (value != floor(value) || fabs(value) > 0x1p53) fields->whole = false;
}

static bool is_among(uint32_t character, const AplArray *characters) {
    for (int64_t i = 0; i < characters->count; i++)
        if (apli_char_at(characters, i) == character) return true;
    return false;
}

/* Fields between separators, empty ones 0; with blanks alone (separators NULL), the words. */
static AplErr verify(const AplArray *separators, AplArray *right, AplArray **result) {
    FAIL_IF(right->rank > 1, APL_RANK, "⎕VFI takes a vector, not rank %d", right->rank);
    FAIL_IF(!apli_type_is_character((AplType)right->type) && right->count, APL_DOMAIN,
            "⎕VFI takes characters");
    APLI_AUTO AplArray *valid = NULL, *values = NULL, *pair = NULL, *valid_part = NULL, *values_part = NULL;
    int64_t most = right->count + 1;
    TRY(apli_vector_new(APLI_BOOL, most, &valid));
    TRY(apli_vector_new(APLI_F64, most, &values));
    Fields fields = {valid, values, 0, true};
    int64_t from = 0;
    for (int64_t i = 0; i <= right->count; i++) {
        bool end = i == right->count || (separators ? is_among(apli_char_at(right, i), separators)
                                                    : apli_char_at(right, i) == ' ');
        if (!end) continue;
        if (separators ? right->count > 0 : i > from) add_field(&fields, right, from, i);
        from = i + 1;
    }
    TRY(apli_view(valid, 0, 1, &fields.count, &valid_part));
    TRY(apli_view(values, 0, 1, &fields.count, &values_part));
    values_part->weak = true;
    if (fields.whole) {
        APLI_AUTO AplArray *integers = NULL;
        TRY(apli_convert(values_part, APLI_I64, &integers));
        TRY(apli_squeeze(&integers));
        apli_array_release(values_part);
        values_part = apli_move(&integers);
    }
    TRY(apli_vector_new(APLI_NESTED, 2, &pair));
    apli_items(pair)[0] = apli_move(&valid_part);
    apli_items(pair)[1] = apli_move(&values_part);
    *result = apli_move(&pair);
    return APL_OK;
}

AplErr apli_quad_vfi(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    return verify(NULL, right, result);
}

AplErr apli_quad_vfi_between(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis,
                             AplArray **result) {
    (void)env, (void)axis;
    FAIL_IF(!apli_type_is_character((AplType)left->type), APL_DOMAIN,
            "the separators of ⎕VFI must be characters");
    return verify(left, right, result);
}
