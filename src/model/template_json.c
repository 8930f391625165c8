/* JSON in, from the caller's context, and out, as Python's json.dumps with ensure_ascii=False writes it. */
#include "model/template_internal.h"

#include <math.h>
#include <string.h>

AplErr apli_jinja_from_json(JinjaEvaluator *evaluator, const json_t *json, JinjaValue *result) {
    TRY(apli_jinja_spend(evaluator, 1));
    switch (json_typeof(json)) {
    case JSON_STRING:
        /* The context outlives the rendering. */
        FAIL_IF(json_string_length(json) > UINT32_MAX, APL_LIMIT, "a string of %zu bytes",
                json_string_length(json));
        *result = apli_jinja_string(json_string_value(json), json_string_length(json));
        return APL_OK;
    case JSON_INTEGER: *result = apli_jinja_integer(json_integer_value(json)); return APL_OK;
    case JSON_REAL: *result = apli_jinja_real(json_real_value(json)); return APL_OK;
    case JSON_TRUE:
    case JSON_FALSE: *result = apli_jinja_boolean(json_is_true(json)); return APL_OK;
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    default: *result = apli_jinja_none(); return APL_OK;
    }
    TRY(apli_jinja_enter(evaluator));
    if (json_is_array(json)) {
        TRY(apli_jinja_new_list(evaluator, JINJA_LIST, json_array_size(json), result));
        for (uint32_t i = 0; i < result->length; i++)
            TRY(apli_jinja_from_json(evaluator, json_array_get(json, i), &result->items[i]));
    } else {
        TRY(apli_jinja_new_dict(evaluator, JINJA_DICT, json_object_size(json), result));
        JinjaDict *dict = result->dict; /* its keys are different, so they need not be looked up */
        for (void *at = json_object_iter((json_t *)(uintptr_t)json); at;
             at = json_object_iter_next((json_t *)(uintptr_t)json, at)) {
            dict->keys[dict->count] =
                apli_jinja_string(json_object_iter_key(at), json_object_iter_key_len(at));
            TRY(apli_jinja_from_json(evaluator, json_object_iter_value(at), &dict->values[dict->count]));
            dict->count++;
        }
    }
    evaluator->depth--;
    return APL_OK;
}

static void append_json_string(const JinjaValue *value, AplText *text) {
    apli_text_append(text, "\"", 1);
    for (size_t at = 0; at < value->length; at++) {
        unsigned char c = (unsigned char)value->bytes[at];
        static const char escaped[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
        const char *found = c ? memchr(escaped, c, sizeof escaped - 1) : NULL;
        if (found) apli_text_printf(text, "\\%c", letters[found - escaped]);
        else if (c < 0x20) apli_text_printf(text, "\\u%04x", c);
        else apli_text_append(text, value->bytes + at, 1);
    }
    apli_text_append(text, "\"", 1);
}

static void append_line(const JinjaJsonStyle *style, int level, AplText *text) {
    if (!style->indent) return;
    apli_text_append(text, "\n", 1);
    for (int i = 0; i < level; i++) apli_text_append_string(text, style->indent);
}

static AplErr append_json(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaJsonStyle *style,
                          int level, AplText *text);

static AplErr append_json_list(JinjaEvaluator *evaluator, const JinjaValue *value,
                               const JinjaJsonStyle *style, int level, AplText *text) {
    apli_text_append(text, "[", 1);
    for (uint32_t i = 0; i < value->length; i++) {
        if (i) apli_text_append(text, style->between_items.bytes, style->between_items.length);
        append_line(style, level + 1, text);
        TRY(append_json(evaluator, &value->items[i], style, level + 1, text));
    }
    if (value->length) append_line(style, level, text);
    apli_text_append(text, "]", 1);
    return APL_OK;
}

/* A key: numbers and the like as a string. */
static AplErr append_json_key(JinjaEvaluator *evaluator, const JinjaValue *key, const JinjaJsonStyle *style,
                              AplText *text) {
    if (key->kind == JINJA_STRING) {
        append_json_string(key, text);
        return APL_OK;
    }
    FAIL_IF(!apli_jinja_is_number(key) && key->kind != JINJA_NONE, APL_DOMAIN,
            "keys must be str, int, float, bool or None, not %s", apli_jinja_type_name(key));
    apli_text_append(text, "\"", 1);
    TRY(append_json(evaluator, key, style, 0, text));
    apli_text_append(text, "\"", 1);
    return APL_OK;
}

static AplErr append_json_dict(JinjaEvaluator *evaluator, const JinjaValue *value,
                               const JinjaJsonStyle *style, int level, AplText *text) {
    size_t count = value->dict->count;
    JinjaValue keys = {.items = value->dict->keys}, values = {.items = value->dict->values};
    if (style->sorted) {
        TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, &keys));
        TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, &values));
        memcpy(keys.items, value->dict->keys, count * sizeof *keys.items);
        memcpy(values.items, value->dict->values, count * sizeof *values.items);
        TRY(apli_jinja_sort(evaluator, keys.items, values.items, count, false));
    }
    apli_text_append(text, "{", 1);
    for (size_t i = 0; i < count; i++) {
        if (i) apli_text_append(text, style->between_items.bytes, style->between_items.length);
        append_line(style, level + 1, text);
        TRY(append_json_key(evaluator, &keys.items[i], style, text));
        apli_text_append(text, style->between_key_and_value.bytes, style->between_key_and_value.length);
        TRY(append_json(evaluator, &values.items[i], style, level + 1, text));
    }
    if (count) append_line(style, level, text);
    apli_text_append(text, "}", 1);
    return APL_OK;
}

static AplErr append_json(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaJsonStyle *style,
                          int level, AplText *text) {
    TRY(apli_jinja_spend(evaluator, 1 + (uint64_t)level / 16));
    FAIL_IF(text->length > JINJA_MAX_OUTPUT, APL_LIMIT, "a text of more than %d bytes", JINJA_MAX_OUTPUT);
    switch (value->kind) {
    case JINJA_NONE: apli_text_append_string(text, "null"); return APL_OK;
    case JINJA_BOOLEAN: apli_text_append_string(text, value->boolean ? "true" : "false"); return APL_OK;
    case JINJA_INTEGER: return apli_jinja_append(evaluator, value, text);
    case JINJA_REAL:
        if (isnan(value->real)) apli_text_append_string(text, "NaN");
        else if (isinf(value->real))
            apli_text_append_string(text, value->real < 0 ? "-Infinity" : "Infinity");
        else apli_jinja_append_real(value->real, text);
        return APL_OK;
    case JINJA_STRING: append_json_string(value, text); return APL_OK;
    case JINJA_LIST:
    case JINJA_TUPLE:
    case JINJA_DICT: break;
    default:
        return apli_fail(APL_DOMAIN, "Object of type %s is not JSON serializable",
                         apli_jinja_type_name(value));
    }
    TRY(apli_jinja_enter(evaluator));
    if (value->kind == JINJA_DICT) TRY(append_json_dict(evaluator, value, style, level, text));
    else TRY(append_json_list(evaluator, value, style, level, text));
    evaluator->depth--;
    return APL_OK;
}

AplErr apli_jinja_to_json(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaJsonStyle *style,
                          AplText *text) {
    return append_json(evaluator, value, style, 0, text);
}
