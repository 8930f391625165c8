/* Filters on sequences. Where Jinja gives a generator, these give a list. */
#include "model/template_internal.h"

#include <string.h>

JINJA_BUILTIN(length) {
    size_t count;
    TRY(apli_jinja_length(evaluator, subject, &count));
    *result = apli_jinja_integer((int64_t)count);
    return APL_OK;
}

JINJA_BUILTIN(list) {
    const JinjaValue *items;
    size_t count;
    TRY(apli_jinja_items(evaluator, subject, &items, &count));
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, result));
    if (count) memcpy(result->items, items, count * sizeof *items);
    return APL_OK;
}

JINJA_BUILTIN(first) {
    const JinjaValue *items;
    size_t count;
    TRY(apli_jinja_items(evaluator, subject, &items, &count));
    if (count == 0) return apli_jinja_undefined(evaluator, result, "No first item, sequence was empty.");
    *result = items[0];
    return APL_OK;
}

JINJA_BUILTIN(last) {
    const JinjaValue *items;
    size_t count;
    TRY(apli_jinja_items(evaluator, subject, &items, &count));
    if (count == 0) return apli_jinja_undefined(evaluator, result, "No last item, sequence was empty.");
    *result = items[count - 1];
    return APL_OK;
}

JINJA_BUILTIN(join) {
    const JinjaValue *items;
    size_t count;
    JinjaValue separator = apli_jinja_string("", 0);
    APLI_AUTO_TEXT text = {0};
    TRY(apli_jinja_items(evaluator, subject, &items, &count));
    if (bound[0].kind != JINJA_ABSENT) TRY(apli_jinja_to_string(evaluator, &bound[0], &separator));
    for (size_t i = 0; i < count; i++) {
        JinjaValue item = items[i];
        if (bound[1].kind != JINJA_ABSENT) TRY(apli_jinja_path(evaluator, &items[i], &bound[1], &item));
        if (i) apli_text_append(&text, separator.bytes, separator.length);
        TRY(apli_jinja_append(evaluator, &item, &text));
        TRY(apli_jinja_spend(evaluator, 1 + (separator.length + item.length) / 64));
        FAIL_IF(text.length > JINJA_MAX_OUTPUT, APL_LIMIT, "a text of more than %d bytes", JINJA_MAX_OUTPUT);
    }
    return apli_jinja_take_text(evaluator, &text, result);
}

JINJA_BUILTIN(items) {
    if (subject->kind == JINJA_UNDEFINED) return apli_jinja_new_list(evaluator, JINJA_LIST, 0, result);
    FAIL_IF(subject->kind != JINJA_DICT, APL_DOMAIN, "Can only get item pairs from a mapping.");
    return apli_jinja_dict_items(evaluator, subject->dict, result);
}

JINJA_BUILTIN(reverse) {
    JinjaValue list;
    const JinjaValue *items, minus[3] = {apli_jinja_none(), apli_jinja_none(), apli_jinja_integer(-1)};
    size_t count;
    if (subject->kind == JINJA_STRING) return apli_jinja_slice(evaluator, subject, minus, result);
    TRY(apli_jinja_items(evaluator, subject, &items, &count));
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, &list));
    for (size_t i = 0; i < count; i++) list.items[i] = items[count - 1 - i];
    *result = list;
    return APL_OK;
}

/* What to sort or compare an item by: its attribute, in lower case unless case counts. */
static AplErr key_of(JinjaEvaluator *evaluator, const JinjaValue *item, const JinjaValue *attribute,
                     const JinjaValue *case_sensitive, JinjaValue *key) {
    *key = *item;
    if (attribute->kind != JINJA_ABSENT && attribute->kind != JINJA_NONE)
        TRY(apli_jinja_path(evaluator, item, attribute, key));
    if (key->kind != JINJA_STRING || apli_jinja_truth(case_sensitive)) return APL_OK;
    JinjaValue string = *key;
    return apli_jinja_change_case(evaluator, &string, false, key);
}

static AplErr keys_of(JinjaEvaluator *evaluator, const JinjaValue *items, size_t count,
                      const JinjaValue *attribute, const JinjaValue *case_sensitive, JinjaValue *keys) {
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, keys));
    for (size_t i = 0; i < count; i++)
        TRY(key_of(evaluator, &items[i], attribute, case_sensitive, &keys->items[i]));
    return APL_OK;
}

JINJA_BUILTIN(sort) {
    JinjaValue keys, sorted;
    const JinjaValue *values;
    size_t count;
    TRY(apli_jinja_items(evaluator, subject, &values, &count));
    TRY(keys_of(evaluator, values, count, &bound[2], &bound[1], &keys));
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, &sorted));
    if (count) memcpy(sorted.items, values, count * sizeof *values);
    TRY(apli_jinja_sort(evaluator, keys.items, sorted.items, count, apli_jinja_truth(&bound[0])));
    *result = sorted;
    return APL_OK;
}

JINJA_BUILTIN(dictsort) {
    FAIL_IF(subject->kind != JINJA_DICT, APL_DOMAIN, "dictsort needs a dict, not %s",
            apli_jinja_type_name(subject));
    bool by_value = false;
    if (bound[1].kind != JINJA_ABSENT) {
        TRY(apli_jinja_need_string("dictsort", &bound[1]));
        by_value = apli_jinja_equals_text((JinjaString){bound[1].bytes, bound[1].length}, "value");
        FAIL_IF(!by_value && !apli_jinja_equals_text((JinjaString){bound[1].bytes, bound[1].length}, "key"),
                APL_DOMAIN, "You can only sort by either \"key\" or \"value\"");
    }
    JinjaValue pairs, keys, place = apli_jinja_integer(by_value);
    TRY(apli_jinja_dict_items(evaluator, subject->dict, &pairs));
    TRY(keys_of(evaluator, pairs.items, pairs.length, &place, &bound[0], &keys));
    TRY(apli_jinja_sort(evaluator, keys.items, pairs.items, pairs.length, apli_jinja_truth(&bound[2])));
    *result = pairs;
    return APL_OK;
}

JINJA_BUILTIN(unique) {
    JinjaValue keys, kept;
    const JinjaValue *values;
    size_t count;
    TRY(apli_jinja_items(evaluator, subject, &values, &count));
    TRY(keys_of(evaluator, values, count, &bound[1], &bound[0], &keys));
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, &kept));
    kept.length = 0;
    for (size_t i = 0; i < count; i++) {
        bool seen = false;
        for (size_t k = 0; !seen && k < kept.length; k++)
            TRY(apli_jinja_equal(evaluator, &keys.items[k], &keys.items[i], &seen));
        if (seen) continue;
        keys.items[kept.length] = keys.items[i];
        kept.items[kept.length++] = values[i];
    }
    *result = kept;
    return APL_OK;
}

/* The first of the items with the least key, or the greatest. */
static AplErr extreme(JinjaEvaluator *evaluator, const JinjaValue *subject, const JinjaValue *bound, int sign,
                      JinjaValue *result) {
    JinjaValue keys;
    const JinjaValue *values;
    size_t count, best = 0;
    TRY(apli_jinja_items(evaluator, subject, &values, &count));
    if (count == 0) return apli_jinja_undefined(evaluator, result, "No aggregated item, sequence was empty.");
    TRY(keys_of(evaluator, values, count, &bound[1], &bound[0], &keys));
    for (size_t i = 1; i < count; i++) {
        int order;
        TRY(apli_jinja_order(evaluator, &keys.items[i], &keys.items[best], &order));
        if (order * sign > 0) best = i;
    }
    *result = values[best];
    return APL_OK;
}

JINJA_BUILTIN(least) { return extreme(evaluator, subject, bound, -1, result); }
JINJA_BUILTIN(greatest) { return extreme(evaluator, subject, bound, 1, result); }

JINJA_BUILTIN(sum) {
    const JinjaValue *values;
    size_t count;
    TRY(apli_jinja_items(evaluator, subject, &values, &count));
    JinjaValue total = bound[1].kind == JINJA_ABSENT ? apli_jinja_integer(0) : bound[1];
    for (size_t i = 0; i < count; i++) {
        JinjaValue item = values[i], before = total;
        if (bound[0].kind != JINJA_ABSENT && bound[0].kind != JINJA_NONE)
            TRY(apli_jinja_path(evaluator, &values[i], &bound[0], &item));
        TRY(apli_jinja_binary(evaluator, '+', &before, &item, &total));
    }
    *result = total;
    return APL_OK;
}

/* The arguments behind the first `skipped`. */
static JinjaArguments rest_of(const JinjaArguments *all, size_t skipped) {
    JinjaArguments rest = *all;
    rest.items += skipped;
    rest.count -= skipped;
    return rest;
}

static const JinjaValue *keyword(const JinjaArguments *all, const char *name) {
    for (size_t i = 0; i < all->named_count; i++)
        if (apli_jinja_equals_text(all->names[i], name)) return &all->named[i];
    return NULL;
}

/* map(attribute="a", default=d), or map("filter", its arguments). */
JINJA_BUILTIN(map) {
    const JinjaValue *values, *attribute = keyword(all, "attribute"), *otherwise = keyword(all, "default");
    size_t count;
    const JinjaRow *row = NULL;
    JinjaArguments rest = *all;
    JinjaValue mapped;
    TRY(apli_jinja_items(evaluator, subject, &values, &count));
    if (!attribute) {
        FAIL_IF(all->count == 0, APL_DOMAIN, "map requires a filter argument");
        TRY(apli_jinja_need_string("map", &all->items[0]));
        row = apli_jinja_find_filter((JinjaString){all->items[0].bytes, all->items[0].length});
        FAIL_IF(!row, APL_DOMAIN, "No filter named '%.*s'",
                (int)(all->items[0].length < 60 ? all->items[0].length : 60), all->items[0].bytes);
        rest = rest_of(all, 1);
    }
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, &mapped));
    for (size_t i = 0; i < count; i++) {
        TRY(apli_jinja_enter(evaluator));
        if (row) TRY(apli_jinja_call_row(evaluator, row, &values[i], &rest, &mapped.items[i]));
        else TRY(apli_jinja_path(evaluator, &values[i], attribute, &mapped.items[i]));
        if (otherwise && !row && mapped.items[i].kind == JINJA_UNDEFINED) mapped.items[i] = *otherwise;
        evaluator->depth--;
    }
    *result = mapped;
    return APL_OK;
}

/* select and reject, on the items or on an attribute of theirs; without a test, by truth. */
static AplErr choose(JinjaEvaluator *evaluator, const JinjaValue *subject, const JinjaArguments *all,
                     bool wanted, bool by_attribute, JinjaValue *result) {
    const JinjaValue *values;
    size_t count, skipped = by_attribute;
    const JinjaRow *row = NULL;
    JinjaValue kept;
    TRY(apli_jinja_items(evaluator, subject, &values, &count));
    FAIL_IF(all->count < skipped, APL_DOMAIN, "Missing parameter for attribute name");
    if (all->count > skipped) {
        const JinjaValue *name = &all->items[skipped++];
        TRY(apli_jinja_need_string("a test's name", name));
        row = apli_jinja_find_test((JinjaString){name->bytes, name->length});
        FAIL_IF(!row, APL_DOMAIN, "No test named '%.*s'", (int)(name->length < 60 ? name->length : 60),
                name->bytes);
    }
    JinjaArguments rest = rest_of(all, skipped);
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, &kept));
    kept.length = 0;
    for (size_t i = 0; i < count; i++) {
        JinjaValue value = values[i], verdict;
        if (by_attribute) TRY(apli_jinja_path(evaluator, &values[i], &all->items[0], &value));
        verdict = value;
        if (row) TRY(apli_jinja_call_row(evaluator, row, &value, &rest, &verdict));
        if (apli_jinja_truth(&verdict) == wanted) kept.items[kept.length++] = values[i];
    }
    *result = kept;
    return APL_OK;
}

JINJA_BUILTIN(select_items) { return choose(evaluator, subject, all, true, false, result); }
JINJA_BUILTIN(reject_items) { return choose(evaluator, subject, all, false, false, result); }
JINJA_BUILTIN(selectattr) { return choose(evaluator, subject, all, true, true, result); }
JINJA_BUILTIN(rejectattr) { return choose(evaluator, subject, all, false, true, result); }

/* Lists of `linecount` items; the last is filled up where there is something to fill with. */
JINJA_BUILTIN(batch) {
    const JinjaValue *values;
    size_t count;
    int64_t width;
    TRY(apli_jinja_items(evaluator, subject, &values, &count));
    TRY(apli_jinja_need_integer("batch", &bound[0], &width));
    FAIL_IF(width < 1 || width > JINJA_MAX_RANGE, APL_DOMAIN, "batch needs 1 to %d items a line, not %lld",
            JINJA_MAX_RANGE, (long long)width);
    size_t lines = (count + (size_t)width - 1) / (size_t)width;
    JinjaValue made;
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, lines, &made));
    for (size_t i = 0; i < lines; i++) {
        size_t left = count - i * (size_t)width, here = left < (size_t)width ? left : (size_t)width;
        bool fills = bound[1].kind != JINJA_ABSENT && bound[1].kind != JINJA_NONE;
        TRY(apli_jinja_new_list(evaluator, JINJA_LIST, fills ? (size_t)width : here, &made.items[i]));
        for (size_t k = 0; k < made.items[i].length; k++)
            made.items[i].items[k] = k < here ? values[i * (size_t)width + k] : bound[1];
    }
    *result = made;
    return APL_OK;
}

static const JinjaRow sequence_filters[] = {
    {"length", length, "", 0},
    {"count", length, "", 0},
    {"list", list, "", 0},
    {"first", first, "", 0},
    {"last", last, "", 0},
    {"join", join, "d,attribute", 0},
    {"items", items, "", 0},
    {"reverse", reverse, "", 0},
    {"sort", sort, "reverse,case_sensitive,attribute", 0},
    {"dictsort", dictsort, "case_sensitive,by,reverse", 0},
    {"unique", unique, "case_sensitive,attribute", 0},
    {"min", least, "case_sensitive,attribute", 0},
    {"max", greatest, "case_sensitive,attribute", 0},
    {"sum", sum, "attribute,start", 0},
    {"map", map, NULL, 0},
    {"select", select_items, NULL, 0},
    {"reject", reject_items, NULL, 0},
    {"selectattr", selectattr, NULL, 0},
    {"rejectattr", rejectattr, NULL, 0},
    {"batch", batch, "linecount,fill_with", 1},
};

const JinjaRow *apli_jinja_find_filter(JinjaString name) {
    const JinjaRow *row = apli_jinja_find_row(JINJA_ROWS(sequence_filters), name);
    return row ? row : apli_jinja_find_text_filter(name);
}
