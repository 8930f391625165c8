/* Values of the template language: making, comparing, ordering, iterating them as Python does. */
#include "model/template_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool apli_jinja_equals_text(JinjaString string, const char *text) {
    return string.length == strlen(text) && memcmp(string.bytes, text, string.length) == 0;
}

bool apli_jinja_same_string(JinjaString a, JinjaString b) {
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

const char *apli_jinja_search(const char *bytes, size_t length, const char *what, size_t what_length) {
    /* In windows that double: sanitizers look at all that memmem could read, and many short searches in
       one long string would take them time without end. */
    for (size_t window = what_length + 256;; window *= 2) {
        const char *found = memmem(bytes, window < length ? window : length, what, what_length);
        if (found || window >= length) return found;
    }
}

bool apli_jinja_is_space(uint32_t c) {
    return (c >= 9 && c <= 13) || (c >= 28 && c <= 32) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
           c == 0x3000;
}

AplErr apli_jinja_copy_string(JinjaEvaluator *evaluator, const char *bytes, size_t length,
                              JinjaValue *result) {
    FAIL_IF(length > UINT32_MAX, APL_LIMIT, "a string of %zu bytes", length);
    TRY(apli_jinja_spend(evaluator, length / 64));
    void *memory;
    TRY(apli_arena_allocate(&evaluator->arena, length, &memory));
    if (length) memcpy(memory, bytes, length);
    *result = apli_jinja_string(memory, length);
    return APL_OK;
}

AplErr apli_jinja_take_text(JinjaEvaluator *evaluator, const AplText *text, JinjaValue *result) {
    TRY(apli_text_status(text));
    return apli_jinja_copy_string(evaluator, text->bytes, text->length, result);
}

AplErr apli_jinja_undefined(JinjaEvaluator *evaluator, JinjaValue *result, const char *format, ...) {
    char message[160];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (length < 0) length = 0;
    if (length >= (int)sizeof message) length = (int)sizeof message - 1;
    TRY(apli_jinja_copy_string(evaluator, message, (size_t)length, result));
    result->kind = JINJA_UNDEFINED;
    return APL_OK;
}

AplErr apli_jinja_new_list(JinjaEvaluator *evaluator, JinjaKind kind, size_t count, JinjaValue *result) {
    FAIL_IF(count > JINJA_MAX_MEMORY / sizeof(JinjaValue), APL_LIMIT, "a list of %zu items", count);
    TRY(apli_jinja_spend(evaluator, count / 4));
    void *memory;
    TRY(apli_arena_allocate(&evaluator->arena, count * sizeof(JinjaValue), &memory));
    *result = (JinjaValue){.kind = kind, .length = (uint32_t)count, .items = memory};
    for (size_t i = 0; i < count; i++) result->items[i] = apli_jinja_none();
    return APL_OK;
}

static AplErr grow_dict(JinjaEvaluator *evaluator, JinjaDict *dict, size_t capacity) {
    FAIL_IF(capacity > JINJA_MAX_MEMORY / sizeof(JinjaValue), APL_LIMIT, "a dict of %zu items", capacity);
    void *keys, *values;
    TRY(apli_arena_allocate(&evaluator->arena, capacity * sizeof(JinjaValue), &keys));
    TRY(apli_arena_allocate(&evaluator->arena, capacity * sizeof(JinjaValue), &values));
    if (dict->count) {
        memcpy(keys, dict->keys, dict->count * sizeof(JinjaValue));
        memcpy(values, dict->values, dict->count * sizeof(JinjaValue));
    }
    dict->keys = keys;
    dict->values = values;
    dict->capacity = capacity;
    return APL_OK;
}

AplErr apli_jinja_new_dict(JinjaEvaluator *evaluator, JinjaKind kind, size_t capacity, JinjaValue *result) {
    void *memory;
    TRY(apli_arena_zeroed(&evaluator->arena, sizeof(JinjaDict), &memory));
    *result = (JinjaValue){.kind = kind, .dict = memory};
    return grow_dict(evaluator, result->dict, capacity + 2);
}

AplErr apli_jinja_dict_get(JinjaEvaluator *evaluator, const JinjaDict *dict, const JinjaValue *key,
                           JinjaValue **value) {
    TRY(apli_jinja_spend(evaluator, dict->count / 8));
    FAIL_IF(key->kind == JINJA_LIST || key->kind == JINJA_DICT, APL_DOMAIN, "unhashable type: '%s'",
            apli_jinja_type_name(key));
    *value = NULL;
    for (size_t i = 0; i < dict->count; i++) {
        bool equal = false;
        if (key->kind == JINJA_STRING && dict->keys[i].kind == JINJA_STRING) /* nearly always */
            equal = apli_jinja_same_string((JinjaString){key->bytes, key->length},
                                           (JinjaString){dict->keys[i].bytes, dict->keys[i].length});
        else if (key->kind != JINJA_STRING) TRY(apli_jinja_equal(evaluator, key, &dict->keys[i], &equal));
        if (!equal) continue;
        *value = &dict->values[i];
        return APL_OK;
    }
    return APL_OK;
}

AplErr apli_jinja_dict_put(JinjaEvaluator *evaluator, JinjaDict *dict, const JinjaValue *key,
                           const JinjaValue *value) {
    JinjaValue *present;
    TRY(apli_jinja_dict_get(evaluator, dict, key, &present));
    if (present) {
        *present = *value;
        return APL_OK;
    }
    if (dict->count == dict->capacity) TRY(grow_dict(evaluator, dict, 2 * dict->capacity));
    dict->keys[dict->count] = *key;
    dict->values[dict->count++] = *value;
    return APL_OK;
}

const char *apli_jinja_type_name(const JinjaValue *value) {
    static const char *const names[] = {"absent",    "Undefined", "NoneType",   "bool",  "int",
                                        "float",     "str",       "list",       "tuple", "dict",
                                        "Namespace", "function",  "LoopContext"};
    return names[value->kind];
}

bool apli_jinja_truth(const JinjaValue *value) {
    switch (value->kind) {
    case JINJA_ABSENT:
    case JINJA_UNDEFINED:
    case JINJA_NONE: return false;
    case JINJA_BOOLEAN: return value->boolean;
    case JINJA_INTEGER: return value->integer != 0;
    case JINJA_REAL: return value->real != 0;
    case JINJA_STRING:
    case JINJA_LIST:
    case JINJA_TUPLE: return value->length != 0;
    case JINJA_DICT: return value->dict->count != 0;
    default: return true;
    }
}

static AplErr equal_items(JinjaEvaluator *evaluator, const JinjaValue *a, const JinjaValue *b, bool *result) {
    *result = a->length == b->length;
    for (uint32_t i = 0; *result && i < a->length; i++)
        TRY(apli_jinja_equal(evaluator, &a->items[i], &b->items[i], result));
    return APL_OK;
}

static AplErr equal_dicts(JinjaEvaluator *evaluator, const JinjaDict *a, const JinjaDict *b, bool *result) {
    *result = a->count == b->count;
    for (size_t i = 0; *result && i < a->count; i++) {
        JinjaValue *other;
        TRY(apli_jinja_dict_get(evaluator, b, &a->keys[i], &other));
        *result = other != NULL;
        if (other) TRY(apli_jinja_equal(evaluator, &a->values[i], other, result));
    }
    return APL_OK;
}

AplErr apli_jinja_equal(JinjaEvaluator *evaluator, const JinjaValue *a, const JinjaValue *b, bool *result) {
    TRY(apli_jinja_spend(evaluator, 1));
    *result = false;
    if (apli_jinja_is_integral(a) && apli_jinja_is_integral(b)) {
        *result = apli_jinja_to_integer(a) == apli_jinja_to_integer(b);
    } else if (apli_jinja_is_number(a) && apli_jinja_is_number(b)) {
        *result = apli_jinja_to_real(a) == apli_jinja_to_real(b);
    } else if (a->kind == b->kind) {
        switch (a->kind) {
        case JINJA_UNDEFINED:
        case JINJA_NONE: *result = true; break;
        case JINJA_STRING:
            TRY(apli_jinja_spend(evaluator, a->length / 64));
            *result = apli_jinja_same_string((JinjaString){a->bytes, a->length},
                                             (JinjaString){b->bytes, b->length});
            break;
        case JINJA_LIST:
        case JINJA_TUPLE:
        case JINJA_DICT:
            TRY(apli_jinja_enter(evaluator));
            if (a->kind == JINJA_DICT) TRY(equal_dicts(evaluator, a->dict, b->dict, result));
            else TRY(equal_items(evaluator, a, b, result));
            evaluator->depth--;
            break;
        default: *result = a->dict == b->dict; /* the same thing */
        }
    }
    return APL_OK;
}

AplErr apli_jinja_order(JinjaEvaluator *evaluator, const JinjaValue *a, const JinjaValue *b, int *result) {
    TRY(apli_jinja_spend(evaluator, 1));
    if (apli_jinja_is_integral(a) && apli_jinja_is_integral(b)) {
        int64_t x = apli_jinja_to_integer(a), y = apli_jinja_to_integer(b);
        *result = (x > y) - (x < y);
        return APL_OK;
    }
    if (apli_jinja_is_number(a) && apli_jinja_is_number(b)) {
        double x = apli_jinja_to_real(a), y = apli_jinja_to_real(b);
        *result = (x > y) - (x < y);
        return APL_OK;
    }
    FAIL_IF(a->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)a->length, a->bytes);
    FAIL_IF(b->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)b->length, b->bytes);
    FAIL_IF(a->kind != b->kind || (a->kind != JINJA_STRING && !apli_jinja_is_list(a)), APL_DOMAIN,
            "'<' not supported between instances of '%s' and '%s'", apli_jinja_type_name(a),
            apli_jinja_type_name(b));
    if (a->kind == JINJA_STRING) {
        uint32_t shared = a->length < b->length ? a->length : b->length;
        TRY(apli_jinja_spend(evaluator, shared / 64));
        int difference =
            shared ? memcmp(a->bytes, b->bytes, shared) : 0; /* UTF-8 sorts as its code points do */
        *result = difference ? difference : (a->length > b->length) - (a->length < b->length);
        return APL_OK;
    }
    TRY(apli_jinja_enter(evaluator));
    *result = 0;
    for (uint32_t i = 0; *result == 0 && i < a->length && i < b->length; i++) {
        bool equal;
        TRY(apli_jinja_equal(evaluator, &a->items[i], &b->items[i], &equal));
        if (!equal) TRY(apli_jinja_order(evaluator, &a->items[i], &b->items[i], result));
    }
    if (*result == 0) *result = (a->length > b->length) - (a->length < b->length);
    evaluator->depth--;
    return APL_OK;
}

size_t apli_jinja_characters(const char *bytes, size_t length) {
    size_t count = 0;
    for (size_t at = 0; at < length; count++) apli_utf8_next(bytes, length, &at);
    return count;
}

AplErr apli_jinja_length(JinjaEvaluator *evaluator, const JinjaValue *value, size_t *length) {
    switch (value->kind) {
    case JINJA_UNDEFINED: *length = 0; return APL_OK;
    case JINJA_STRING:
        TRY(apli_jinja_spend(evaluator, value->length / 16));
        *length = apli_jinja_characters(value->bytes, value->length);
        return APL_OK;
    case JINJA_LIST:
    case JINJA_TUPLE: *length = value->length; return APL_OK;
    case JINJA_DICT: *length = value->dict->count; return APL_OK;
    case JINJA_LOOP: *length = value->loop->count; return APL_OK;
    default: return apli_fail(APL_DOMAIN, "object of type '%s' has no len()", apli_jinja_type_name(value));
    }
}

AplErr apli_jinja_items(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaValue **items,
                        size_t *count) {
    *items = NULL;
    *count = 0;
    if (value->kind == JINJA_UNDEFINED) return APL_OK;
    FAIL_IF(value->kind != JINJA_STRING && value->kind != JINJA_DICT && !apli_jinja_is_list(value),
            APL_DOMAIN, "'%s' object is not iterable", apli_jinja_type_name(value));
    if (apli_jinja_is_list(value)) {
        *items = value->items;
        *count = value->length;
        return APL_OK;
    }
    if (value->kind == JINJA_DICT) {
        *items = value->dict->keys;
        *count = value->dict->count;
        return APL_OK;
    }
    JinjaValue list;
    TRY(apli_jinja_length(evaluator, value, count));
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, *count, &list));
    size_t at = 0;
    for (size_t i = 0; i < *count; i++) {
        size_t begin = at;
        apli_utf8_next(value->bytes, value->length, &at);
        list.items[i] = apli_jinja_string(value->bytes + begin, at - begin);
    }
    *items = list.items;
    return APL_OK;
}

/* Bottom-up merging of (key, item) pairs. */
AplErr apli_jinja_sort(JinjaEvaluator *evaluator, JinjaValue *keys, JinjaValue *items, size_t count,
                       bool descending) {
    JinjaValue spare;
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, 2 * count, &spare));
    JinjaValue *other_keys = spare.items, *other_items = spare.items + count;
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            size_t middle = begin + width < count ? begin + width : count;
            size_t end = begin + 2 * width < count ? begin + 2 * width : count, left = begin, right = middle;
            for (size_t to = begin; to < end; to++) {
                bool take_left = right == end;
                if (!take_left && left < middle) {
                    int order;
                    TRY(apli_jinja_order(evaluator, &keys[left], &keys[right], &order));
                    take_left = descending ? order >= 0 : order <= 0;
                }
                size_t from = take_left ? left++ : right++;
                other_keys[to] = keys[from];
                other_items[to] = items[from];
            }
        }
        memcpy(keys, other_keys, count * sizeof *keys);
        memcpy(items, other_items, count * sizeof *items);
    }
    return APL_OK;
}
