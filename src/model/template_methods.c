/* The methods of strings, lists, dicts and loops. Values are immutable, as in Jinja's immutable sandbox:
   methods that would change one are refused by name. */
#include "model/template_internal.h"

#include <string.h>

AplErr apli_jinja_need_string(const char *function, const JinjaValue *value) {
    FAIL_IF(value->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)value->length, value->bytes);
    FAIL_IF(value->kind != JINJA_STRING, APL_DOMAIN, "%s needs a str, not %s", function,
            apli_jinja_type_name(value));
    return APL_OK;
}

AplErr apli_jinja_need_integer(const char *function, const JinjaValue *value, int64_t *integer) {
    FAIL_IF(value->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)value->length, value->bytes);
    FAIL_IF(!apli_jinja_is_integral(value), APL_DOMAIN, "%s needs an int, not %s", function,
            apli_jinja_type_name(value));
    *integer = apli_jinja_to_integer(value);
    return APL_OK;
}

/* Whether the character belongs to those to strip: blanks when none are named. */
static bool strips(const JinjaValue *characters, uint32_t c) {
    if (characters->kind != JINJA_STRING) return apli_jinja_is_space(c);
    for (size_t at = 0; at < characters->length;)
        if (apli_utf8_next(characters->bytes, characters->length, &at) == c) return true;
    return false;
}

AplErr apli_jinja_strip(JinjaEvaluator *evaluator, const JinjaValue *string, const JinjaValue *characters,
                        JinjaSide side, JinjaValue *result) {
    TRY(apli_jinja_need_string("strip", string));
    if (characters->kind != JINJA_ABSENT && characters->kind != JINJA_NONE)
        TRY(apli_jinja_need_string("strip", characters));
    uint64_t set = characters->kind == JINJA_STRING ? characters->length : 1;
    size_t begin = 0, end = 0, at = 0;
    for (bool leading = side & JINJA_LEFT; at < string->length;) {
        TRY(apli_jinja_spend(evaluator, set / 16));
        bool stripped = strips(characters, apli_utf8_next(string->bytes, string->length, &at));
        leading &= stripped;
        if (leading) begin = at;
        if (!stripped || !(side & JINJA_RIGHT)) end = at;
    }
    TRY(apli_jinja_spend(evaluator, string->length / 16));
    *result = apli_jinja_string(string->bytes + begin, end > begin ? end - begin : 0);
    return APL_OK;
}

JINJA_BUILTIN(strip) { return apli_jinja_strip(evaluator, subject, &bound[0], JINJA_BOTH, result); }
JINJA_BUILTIN(lstrip) { return apli_jinja_strip(evaluator, subject, &bound[0], JINJA_LEFT, result); }
JINJA_BUILTIN(rstrip) { return apli_jinja_strip(evaluator, subject, &bound[0], JINJA_RIGHT, result); }

static AplErr add_piece(JinjaEvaluator *evaluator, JinjaValue *list, size_t *capacity, const char *bytes,
                        size_t length) {
    if (list->length == *capacity) {
        JinjaValue longer;
        *capacity = *capacity * 2 + 8;
        TRY(apli_jinja_new_list(evaluator, JINJA_LIST, *capacity, &longer));
        if (list->length) memcpy(longer.items, list->items, list->length * sizeof *list->items);
        list->items = longer.items;
    }
    list->items[list->length++] = apli_jinja_string(bytes, length);
    return APL_OK;
}

/* Python's split() without a separator: runs of blanks part words. */
static AplErr split_words(JinjaEvaluator *evaluator, const JinjaValue *string, int64_t most,
                          JinjaValue *list) {
    size_t capacity = 0, at = 0, word = 0;
    bool inside = false;
    while (at < string->length) {
        size_t next = at;
        bool space = apli_jinja_is_space(apli_utf8_next(string->bytes, string->length, &next));
        if (inside && space && (most < 0 || list->length < (uint64_t)most)) {
            TRY(add_piece(evaluator, list, &capacity, string->bytes + word, at - word));
            inside = false;
        } else if (!inside && !space) {
            inside = true;
            word = at;
        }
        at = next;
    }
    if (!inside) return APL_OK;
    size_t end = string->length;
    JinjaValue rest = apli_jinja_string(string->bytes + word, end - word), kept, blanks = apli_jinja_none();
    TRY(apli_jinja_strip(evaluator, &rest, &blanks, JINJA_RIGHT, &kept));
    bool limited = most >= 0 && list->length >= (uint64_t)most;
    return add_piece(evaluator, list, &capacity, rest.bytes, limited ? rest.length : kept.length);
}

static AplErr split_at(JinjaEvaluator *evaluator, const JinjaValue *string, const JinjaValue *separator,
                       int64_t most, JinjaValue *list) {
    size_t capacity = 0, at = 0;
    while (most < 0 || list->length < (uint64_t)most) {
        const char *found =
            apli_jinja_search(string->bytes + at, string->length - at, separator->bytes, separator->length);
        if (!found) break;
        TRY(add_piece(evaluator, list, &capacity, string->bytes + at, (size_t)(found - string->bytes) - at));
        at = (size_t)(found - string->bytes) + separator->length;
    }
    return add_piece(evaluator, list, &capacity, string->bytes + at, string->length - at);
}

JINJA_BUILTIN(split) {
    int64_t most = -1;
    if (bound[1].kind != JINJA_ABSENT) TRY(apli_jinja_need_integer("split", &bound[1], &most));
    JinjaValue list = {.kind = JINJA_LIST};
    TRY(apli_jinja_spend(evaluator, subject->length / 16));
    if (bound[0].kind == JINJA_ABSENT || bound[0].kind == JINJA_NONE) {
        TRY(split_words(evaluator, subject, most, &list));
    } else {
        TRY(apli_jinja_need_string("split", &bound[0]));
        FAIL_IF(bound[0].length == 0, APL_DOMAIN, "empty separator");
        TRY(split_at(evaluator, subject, &bound[0], most, &list));
    }
    *result = list;
    return APL_OK;
}

/* From the right, which differs from split only where there is a limit. */
JINJA_BUILTIN(rsplit) {
    int64_t most = -1;
    if (bound[1].kind != JINJA_ABSENT) TRY(apli_jinja_need_integer("rsplit", &bound[1], &most));
    TRY(apli_jinja_need_string("rsplit with a limit", &bound[0]));
    FAIL_IF(bound[0].length == 0, APL_DOMAIN, "empty separator");
    JinjaValue list = {.kind = JINJA_LIST};
    TRY(apli_jinja_spend(evaluator, subject->length / 16));
    TRY(split_at(evaluator, subject, &bound[0], -1, &list));
    if (most >= 0 && list.length > (uint64_t)most + 1) {
        uint32_t joined = list.length - (uint32_t)most - 1; /* so many separators remain in the first piece */
        const JinjaValue *last = &list.items[joined];
        list.items[joined] =
            apli_jinja_string(subject->bytes, (size_t)(last->bytes - subject->bytes) + last->length);
        list.items += joined;
        list.length -= joined;
    }
    *result = list;
    return APL_OK;
}

AplErr apli_jinja_splitlines(JinjaEvaluator *evaluator, const JinjaValue *string, JinjaValue *result) {
    JinjaValue list = {.kind = JINJA_LIST};
    size_t capacity = 0, begin = 0;
    TRY(apli_jinja_spend(evaluator, string->length / 16));
    for (size_t at = 0; at < string->length;) {
        size_t end = at;
        uint32_t c = apli_utf8_next(string->bytes, string->length, &at);
        bool breaks = (c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0x85 || c == 0x2028 || c == 0x2029;
        if (!breaks) continue;
        if (c == '\r' && at < string->length && string->bytes[at] == '\n') at++;
        TRY(add_piece(evaluator, &list, &capacity, string->bytes + begin, end - begin));
        begin = at;
    }
    if (begin < string->length)
        TRY(add_piece(evaluator, &list, &capacity, string->bytes + begin, string->length - begin));
    *result = list;
    return APL_OK;
}

JINJA_BUILTIN(splitlines) { return apli_jinja_splitlines(evaluator, subject, result); }

/* Whether the string begins (or ends) with the affix, or with one of a tuple of them. */
static AplErr has_affix(const JinjaValue *string, const JinjaValue *affix, bool at_end, bool *result) {
    *result = false;
    if (affix->kind == JINJA_TUPLE) {
        for (uint32_t i = 0; !*result && i < affix->length; i++) {
            TRY(apli_jinja_need_string("startswith or endswith", &affix->items[i]));
            TRY(has_affix(string, &affix->items[i], at_end, result));
        }
        return APL_OK;
    }
    TRY(apli_jinja_need_string("startswith or endswith", affix));
    if (affix->length > string->length) return APL_OK;
    const char *at = string->bytes + (at_end ? string->length - affix->length : 0);
    *result = affix->length == 0 || memcmp(at, affix->bytes, affix->length) == 0;
    return APL_OK;
}

JINJA_BUILTIN(startswith) {
    bool has;
    TRY(has_affix(subject, &bound[0], false, &has));
    *result = apli_jinja_boolean(has);
    return APL_OK;
}

JINJA_BUILTIN(endswith) {
    bool has;
    TRY(has_affix(subject, &bound[0], true, &has));
    *result = apli_jinja_boolean(has);
    return APL_OK;
}

JINJA_BUILTIN(removeprefix) {
    bool has;
    TRY(apli_jinja_need_string("removeprefix", &bound[0]));
    TRY(has_affix(subject, &bound[0], false, &has));
    uint32_t cut = has ? bound[0].length : 0;
    *result = apli_jinja_string(subject->bytes + cut, subject->length - cut);
    return APL_OK;
}

JINJA_BUILTIN(removesuffix) {
    bool has;
    TRY(apli_jinja_need_string("removesuffix", &bound[0]));
    TRY(has_affix(subject, &bound[0], true, &has));
    *result = apli_jinja_string(subject->bytes, subject->length - (has ? bound[0].length : 0));
    return APL_OK;
}

JINJA_BUILTIN(upper) { return apli_jinja_change_case(evaluator, subject, true, result); }
JINJA_BUILTIN(lower) { return apli_jinja_change_case(evaluator, subject, false, result); }
JINJA_BUILTIN(title) { return apli_jinja_title(evaluator, subject, true, result); }
JINJA_BUILTIN(capitalize) { return apli_jinja_capitalize(evaluator, subject, result); }

AplErr apli_jinja_replace(JinjaEvaluator *evaluator, const JinjaValue *string, const JinjaValue *old,
                          const JinjaValue *with, const JinjaValue *count, JinjaValue *result) {
    int64_t most = -1;
    TRY(apli_jinja_need_string("replace", old));
    TRY(apli_jinja_need_string("replace", with));
    if (count->kind != JINJA_ABSENT && count->kind != JINJA_NONE)
        TRY(apli_jinja_need_integer("replace", count, &most));
    APLI_AUTO_TEXT text = {0};
    size_t at = 0, next = 0;
    for (; most != 0; most--) {
        /* An empty string is found before each character and at the end. */
        if (old->length == 0 && next > string->length) break;
        const char *found = old->length == 0 ? string->bytes + next
                                             : apli_jinja_search(string->bytes + at, string->length - at,
                                                                 old->bytes, old->length);
        if (!found) break;
        apli_text_append(&text, string->bytes + at, (size_t)(found - string->bytes) - at);
        apli_text_append(&text, with->bytes, with->length);
        FAIL_IF(text.length > JINJA_MAX_OUTPUT, APL_LIMIT, "a text of more than %d bytes", JINJA_MAX_OUTPUT);
        at = (size_t)(found - string->bytes) + old->length;
        next = at;
        if (old->length == 0 && next < string->length) apli_utf8_next(string->bytes, string->length, &next);
        else if (old->length == 0) next = string->length + 1u;
    }
    apli_text_append(&text, string->bytes + at, string->length - at);
    TRY(apli_jinja_spend(evaluator, string->length / 16));
    return apli_jinja_take_text(evaluator, &text, result);
}

JINJA_BUILTIN(replace) {
    return apli_jinja_replace(evaluator, subject, &bound[0], &bound[1], &bound[2], result);
}

JINJA_BUILTIN(find) {
    TRY(apli_jinja_need_string("find", &bound[0]));
    TRY(apli_jinja_spend(evaluator, subject->length / 16));
    const char *found =
        bound[0].length ? apli_jinja_search(subject->bytes, subject->length, bound[0].bytes, bound[0].length)
                        : subject->bytes;
    *result = apli_jinja_integer(
        found ? (int64_t)apli_jinja_characters(subject->bytes, (size_t)(found - subject->bytes)) : -1);
    return APL_OK;
}

JINJA_BUILTIN(rfind) {
    TRY(apli_jinja_need_string("rfind", &bound[0]));
    TRY(apli_jinja_spend(evaluator, 1 + (uint64_t)subject->length * (1 + bound[0].length) / 16));
    int64_t place = -1;
    for (size_t at = subject->length + 1u -
                     (bound[0].length <= subject->length ? bound[0].length : subject->length + 1u);
         place < 0 && at-- > 0;)
        if (bound[0].length == 0 || memcmp(subject->bytes + at, bound[0].bytes, bound[0].length) == 0)
            place = (int64_t)apli_jinja_characters(subject->bytes, at);
    *result = apli_jinja_integer(place);
    return APL_OK;
}

JINJA_BUILTIN(count_in_string) {
    TRY(apli_jinja_need_string("count", &bound[0]));
    TRY(apli_jinja_spend(evaluator, subject->length / 16));
    int64_t count = bound[0].length ? 0 : (int64_t)apli_jinja_characters(subject->bytes, subject->length) + 1;
    for (size_t at = 0; bound[0].length;) {
        const char *found =
            apli_jinja_search(subject->bytes + at, subject->length - at, bound[0].bytes, bound[0].length);
        if (!found) break;
        count++;
        at = (size_t)(found - subject->bytes) + bound[0].length;
    }
    *result = apli_jinja_integer(count);
    return APL_OK;
}

JINJA_BUILTIN(join) {
    const JinjaValue *items;
    size_t count;
    APLI_AUTO_TEXT text = {0};
    TRY(apli_jinja_items(evaluator, &bound[0], &items, &count));
    for (size_t i = 0; i < count; i++) {
        TRY(apli_jinja_need_string("join", &items[i]));
        TRY(apli_jinja_spend(evaluator, 1 + (items[i].length + subject->length) / 64));
        if (i) apli_text_append(&text, subject->bytes, subject->length);
        apli_text_append(&text, items[i].bytes, items[i].length);
        FAIL_IF(text.length > JINJA_MAX_OUTPUT, APL_LIMIT, "a text of more than %d bytes", JINJA_MAX_OUTPUT);
    }
    return apli_jinja_take_text(evaluator, &text, result);
}

static bool all_characters(const JinjaValue *string, bool (*holds)(uint32_t)) {
    for (size_t at = 0; at < string->length;)
        if (!holds(apli_utf8_next(string->bytes, string->length, &at))) return false;
    return string->length != 0;
}

static bool is_ascii_digit(uint32_t c) { return c >= '0' && c <= '9'; }

JINJA_BUILTIN(isdigit_method) {
    *result = apli_jinja_boolean(all_characters(subject, is_ascii_digit));
    return APL_OK;
}

JINJA_BUILTIN(isspace_method) {
    *result = apli_jinja_boolean(all_characters(subject, apli_jinja_is_space));
    return APL_OK;
}

/* The value that a field "{}", "{0}" or "{name}" stands for. */
static AplErr format_field(const JinjaValue *format, size_t begin, size_t end, size_t *automatic,
                           const JinjaArguments *all, const JinjaValue **value) {
    JinjaString name = {format->bytes + begin, end - begin};
    size_t place = 0;
    bool number = true;
    for (size_t i = 0; i < name.length && i < 6; i++) {
        number &= name.bytes[i] >= '0' && name.bytes[i] <= '9';
        place = place * 10 + (size_t)(unsigned char)name.bytes[i] - '0';
    }
    if (name.length == 0) place = (*automatic)++;
    if (number && name.length < 6) {
        FAIL_IF(place >= all->count, APL_INDEX, "format needs argument %zu, there are %zu", place,
                all->count);
        *value = &all->items[place];
        return APL_OK;
    }
    for (size_t i = 0; i < all->named_count; i++) {
        if (!apli_jinja_same_string(all->names[i], name)) continue;
        *value = &all->named[i];
        return APL_OK;
    }
    return apli_fail(APL_DOMAIN, "format has no argument \"%.*s\" (a field is {}, {0} or {name} here)",
                     (int)(name.length < 60 ? name.length : 60), name.bytes);
}

JINJA_BUILTIN(format_method) {
    APLI_AUTO_TEXT text = {0};
    size_t automatic = 0;
    for (size_t at = 0; at < subject->length; at++) {
        char c = subject->bytes[at];
        bool doubled = at + 1 < subject->length && subject->bytes[at + 1] == c;
        if ((c == '{' || c == '}') && doubled) {
            apli_text_append(&text, &c, 1);
            at++;
        } else if (c == '{') {
            const char *close = memchr(subject->bytes + at, '}', subject->length - at);
            FAIL_IF(!close, APL_DOMAIN, "expected '}' before end of string");
            const JinjaValue *value = NULL;
            size_t end = (size_t)(close - subject->bytes);
            TRY(format_field(subject, at + 1, end, &automatic, all, &value));
            TRY(apli_jinja_append(evaluator, value, &text));
            FAIL_IF(text.length > JINJA_MAX_OUTPUT, APL_LIMIT, "a text of more than %d bytes",
                    JINJA_MAX_OUTPUT);
            at = end;
        } else {
            FAIL_IF(c == '}', APL_DOMAIN, "single '}' encountered in format string");
            apli_text_append(&text, &c, 1);
        }
    }
    return apli_jinja_take_text(evaluator, &text, result);
}

JINJA_BUILTIN(index_in_list) {
    for (uint32_t i = 0; i < subject->length; i++) {
        bool equal;
        TRY(apli_jinja_equal(evaluator, &subject->items[i], &bound[0], &equal));
        *result = apli_jinja_integer(i);
        if (equal) return APL_OK;
    }
    return apli_fail(APL_DOMAIN, "the value is not in the list");
}

JINJA_BUILTIN(count_in_list) {
    int64_t count = 0;
    for (uint32_t i = 0; i < subject->length; i++) {
        bool equal;
        TRY(apli_jinja_equal(evaluator, &subject->items[i], &bound[0], &equal));
        count += equal;
    }
    *result = apli_jinja_integer(count);
    return APL_OK;
}

AplErr apli_jinja_dict_items(JinjaEvaluator *evaluator, const JinjaDict *dict, JinjaValue *result) {
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, dict->count, result));
    for (size_t i = 0; i < dict->count; i++) {
        JinjaValue *pair = &result->items[i];
        TRY(apli_jinja_new_list(evaluator, JINJA_TUPLE, 2, pair));
        pair->items[0] = dict->keys[i];
        pair->items[1] = dict->values[i];
    }
    return APL_OK;
}

JINJA_BUILTIN(items) { return apli_jinja_dict_items(evaluator, subject->dict, result); }

static AplErr copy_list(JinjaEvaluator *evaluator, const JinjaValue *values, size_t count,
                        JinjaValue *result) {
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, result));
    if (count) memcpy(result->items, values, count * sizeof *values);
    return APL_OK;
}

JINJA_BUILTIN(keys) { return copy_list(evaluator, subject->dict->keys, subject->dict->count, result); }
JINJA_BUILTIN(values) { return copy_list(evaluator, subject->dict->values, subject->dict->count, result); }

JINJA_BUILTIN(get) {
    JinjaValue *found;
    TRY(apli_jinja_dict_get(evaluator, subject->dict, &bound[0], &found));
    *result = found ? *found : bound[1].kind == JINJA_ABSENT ? apli_jinja_none() : bound[1];
    return APL_OK;
}

JINJA_BUILTIN(cycle) {
    FAIL_IF(all->count == 0, APL_DOMAIN, "no items for cycling given");
    *result = all->items[subject->loop->index % all->count];
    return APL_OK;
}

JINJA_BUILTIN(changed) {
    bool same = false;
    JinjaValue seen;
    TRY(apli_jinja_new_list(evaluator, JINJA_TUPLE, all->count, &seen));
    if (all->count) memcpy(seen.items, all->items, all->count * sizeof *seen.items);
    if (subject->loop->changed.kind == JINJA_TUPLE)
        TRY(apli_jinja_equal(evaluator, &seen, &subject->loop->changed, &same));
    subject->loop->changed = seen;
    *result = apli_jinja_boolean(!same);
    return APL_OK;
}

JINJA_BUILTIN(refused) {
    *result = apli_jinja_none();
    return apli_fail(APL_DOMAIN, "a %s cannot be changed in a template", apli_jinja_type_name(subject));
}

static const JinjaRow string_methods[] = {
    {"split", split, "sep,maxsplit", 0},
    {"rsplit", rsplit, "sep,maxsplit", 1},
    {"splitlines", splitlines, "", 0},
    {"strip", strip, "chars", 0},
    {"lstrip", lstrip, "chars", 0},
    {"rstrip", rstrip, "chars", 0},
    {"startswith", startswith, "prefix", 1},
    {"endswith", endswith, "suffix", 1},
    {"removeprefix", removeprefix, "prefix", 1},
    {"removesuffix", removesuffix, "suffix", 1},
    {"upper", upper, "", 0},
    {"lower", lower, "", 0},
    {"title", title, "", 0},
    {"capitalize", capitalize, "", 0},
    {"replace", replace, "old,new,count", 2},
    {"find", find, "sub", 1},
    {"rfind", rfind, "sub", 1},
    {"count", count_in_string, "sub", 1},
    {"join", join, "iterable", 1},
    {"isdigit", isdigit_method, "", 0},
    {"isspace", isspace_method, "", 0},
    {"format", format_method, NULL, 0},
};
static const JinjaRow list_methods[] = {
    {"index", index_in_list, "value", 1}, {"count", count_in_list, "value", 1}, {"append", refused, NULL, 0},
    {"extend", refused, NULL, 0},         {"insert", refused, NULL, 0},         {"pop", refused, NULL, 0},
    {"remove", refused, NULL, 0},         {"clear", refused, NULL, 0},          {"sort", refused, NULL, 0},
    {"reverse", refused, NULL, 0},
};
static const JinjaRow dict_methods[] = {
    {"items", items, "", 0},        {"keys", keys, "", 0},        {"values", values, "", 0},
    {"get", get, "key,default", 1}, {"update", refused, NULL, 0}, {"pop", refused, NULL, 0},
    {"popitem", refused, NULL, 0},  {"clear", refused, NULL, 0},  {"setdefault", refused, NULL, 0},
};
static const JinjaRow loop_methods[] = {{"cycle", cycle, NULL, 0}, {"changed", changed, NULL, 0}};

const JinjaRow *apli_jinja_find_method(JinjaKind kind, JinjaString name) {
    switch (kind) {
    case JINJA_STRING: return apli_jinja_find_row(JINJA_ROWS(string_methods), name);
    case JINJA_LIST: return apli_jinja_find_row(JINJA_ROWS(list_methods), name);
    case JINJA_TUPLE: return apli_jinja_find_row(list_methods, 2, name);
    case JINJA_DICT: return apli_jinja_find_row(JINJA_ROWS(dict_methods), name);
    case JINJA_LOOP: return apli_jinja_find_row(JINJA_ROWS(loop_methods), name);
    default: return NULL;
    }
}
