/* ⎕JSON: values ←→ JSON text (parsed and quoted by jansson). true, false and null are the enclosed words. */
#include "prim/format/numeral.h"
#include "prim/quad/quad_functions.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

enum { IMPORT = 0, EXPORT = 1 };

static bool is_character(const AplArray *array) { return apli_type_is_character((AplType)array->type); }

/* ---- import ---------------------------------------------------- */

static AplErr value_of(AplEnv *env, const json_t *json, AplArray **result);

static AplErr enclosed_word(const char *word, AplArray **result) {
    APLI_AUTO AplArray *characters = NULL;
    TRY(apli_string(word, strlen(word), &characters));
    return apli_enclose(characters, result);
}

static AplErr vector_of(AplEnv *env, const json_t *json, AplArray **result) {
    APLI_AUTO AplArray *items = NULL;
    size_t count = json_array_size(json);
    TRY(apli_vector_new(count ? APLI_NESTED : APLI_BOOL, (int64_t)count, &items));
    for (size_t i = 0; i < count; i++) TRY(value_of(env, json_array_get(json, i), &apli_items(items)[i]));
    if (count) TRY(apli_simplify(&items));
    *result = apli_move(&items);
    return APL_OK;
}

/* Names and values in two columns, in the order of the text. */
static AplErr matrix_of(AplEnv *env, json_t *json, AplArray **result) {
    APLI_AUTO AplArray *matrix = NULL;
    int64_t shape[] = {(int64_t)json_object_size(json), 2}, i = 0;
    TRY(apli_array_new(APLI_NESTED, 2, shape, &matrix));
    if (shape[0] == 0) TRY(apli_string("", 0, &apli_items(matrix)[0]));
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value) {
        TRY(apli_string(name, strlen(name), &apli_items(matrix)[2 * i]));
        TRY(value_of(env, value, &apli_items(matrix)[2 * i + 1]));
        i++;
    }
    *result = apli_move(&matrix);
    return APL_OK;
}

static AplErr value_of(AplEnv *env, const json_t *json, AplArray **result) {
    TRY(apli_check(env));
    switch (json_typeof(json)) {
    case JSON_OBJECT: return matrix_of(env, (json_t *)json, result);
    case JSON_ARRAY: return vector_of(env, json, result);
    case JSON_STRING: return apli_string(json_string_value(json), json_string_length(json), result);
    case JSON_INTEGER: return apli_scalar_i64(json_integer_value(json), result);
    case JSON_REAL: return apli_scalar_f64(json_real_value(json), result);
    case JSON_TRUE: return enclosed_word("true", result);
    case JSON_FALSE: return enclosed_word("false", result);
    case JSON_NULL: return enclosed_word("null", result);
    }
    return APL_OK;
}

static AplErr import(AplEnv *env, const AplArray *right, AplArray **result) {
    APLI_AUTO_TEXT text = {0};
    TRY(apli_utf8_of(right, "JSON text", &text));
    json_error_t error;
    json_t *json = json_loadb(apli_text_string(&text), text.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    FAIL_IF(!json, APL_DOMAIN, "JSON, line %d, column %d: %s", error.line, error.column, error.text);
    AplErr status = value_of(env, json, result);
    json_decref(json);
    return status;
}

/* ---- export ---------------------------------------------------- */

static AplErr write_value(AplEnv *env, AplArray *value, AplText *out);

static AplErr write_string(const AplArray *characters, int64_t from, int64_t count, AplText *out) {
    APLI_AUTO_TEXT text = {0};
    for (int64_t i = from; i < from + count; i++)
        apli_text_append_codepoint(&text, apli_char_at(characters, i));
    TRY(apli_text_status(&text));
    json_t *json = json_stringn(apli_text_string(&text), text.length);
    char *quoted = json ? json_dumps(json, JSON_ENCODE_ANY) : NULL;
    json_decref(json);
    FAIL_IF(!quoted, APL_WS_FULL, "no memory for a JSON string of %" PRId64 " characters", count);
    apli_text_append_string(out, quoted);
    free(quoted);
    return APL_OK;
}

/* The fewest digits that read back as the same number. */
static AplErr write_number(const AplArray *array, int64_t index, AplText *out) {
    if (apli_type_is_integer((AplType)array->type)) {
        apli_text_printf(out, "%" PRId64, apli_i64_at(array, index));
        return APL_OK;
    }
    double value = apli_f64_at(array, index);
    FAIL_IF(!isfinite(value), APL_DOMAIN, "JSON has no %s", isnan(value) ? "NaN" : "∞");
    char digits[40];
    bool single = array->type != APLI_F64;
    for (int precision = single ? 6 : 15; precision <= APLI_MOST_PRECISION; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (single ? strtof(digits, NULL) == (float)value : strtod(digits, NULL) == value) break;
    }
    apli_text_append_string(out, digits);
    return APL_OK;
}

/* A matrix of names and values. */
static bool is_object(const AplArray *value) {
    if (value->type != APLI_NESTED || value->rank != 2 || value->shape[1] != 2) return false;
    for (int64_t row = 0; row < value->shape[0]; row++) {
        const AplArray *name = apli_items(value)[2 * row];
        if (name->rank > 1 || !is_character(name)) return false;
    }
    return true;
}

static AplErr write_object(AplEnv *env, const AplArray *value, AplText *out) {
    apli_text_append_string(out, "{");
    for (int64_t row = 0; row < value->shape[0]; row++) {
        AplArray **pair = apli_items(value) + 2 * row;
        if (row) apli_text_append_string(out, ",");
        TRY(write_string(pair[0], 0, pair[0]->count, out));
        apli_text_append_string(out, ":");
        TRY(write_value(env, pair[1], out));
    }
    apli_text_append_string(out, "}");
    return APL_OK;
}

/* ⊂'true' and the like. */
static AplErr write_word(const AplArray *word, AplText *out) {
    APLI_AUTO_TEXT text = {0};
    TRY(apli_utf8_of(word, "what is enclosed for JSON", &text));
    const char *string = apli_text_string(&text);
    FAIL_IF(strcmp(string, "true") != 0 && strcmp(string, "false") != 0 && strcmp(string, "null") != 0,
            APL_DOMAIN, "JSON has no word %s", string);
    apli_text_append_string(out, string);
    return APL_OK;
}

static AplErr write_value(AplEnv *env, AplArray *value, AplText *out) {
    TRY(apli_check(env));
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(value, &plain));
    if (is_character(plain) && plain->rank < 2) return write_string(plain, 0, plain->count, out);
    if (plain->rank == 0)
        return plain->type == APLI_NESTED ? write_word(apli_items(plain)[0], out)
                                          : write_number(plain, 0, out);
    if (is_object(plain)) return write_object(env, plain, out);
    apli_text_append_string(out, "[");
    for (int64_t i = 0; i < plain->shape[0]; i++) {
        if (i) apli_text_append_string(out, ",");
        APLI_AUTO AplArray *cell = NULL;
        if (plain->rank > 1) TRY(apli_cell(plain, i, &cell));
        else TRY(apli_item(plain, i, &cell));
        TRY(write_value(env, cell, out));
    }
    apli_text_append_string(out, "]");
    return apli_text_status(out);
}

static AplErr export(AplEnv *env, AplArray *right, AplArray **result) {
    APLI_AUTO_TEXT text = {0};
    TRY(write_value(env, right, &text));
    TRY(apli_text_status(&text));
    return apli_string(apli_text_string(&text), text.length, result);
}

AplErr apli_quad_json(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return is_character(right) && right->rank < 2 ? import(env, right, result) : export(env, right, result);
}

AplErr apli_quad_json_to(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    int64_t direction;
    TRY(apli_integer(left, "the left argument of ⎕JSON", &direction));
    FAIL_IF(direction != IMPORT && direction != EXPORT, APL_DOMAIN,
            "⎕JSON takes 0 (import) or 1 (export), not %" PRId64, direction);
    return direction == IMPORT ? import(env, right, result) : export(env, right, result);
}
