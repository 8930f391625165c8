/* The filters behind `|`: those on texts and single values here, those on sequences in
   template_sequences.c. */
#include "model/template_internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Jinja's filters on texts take any value by its str(). */
static AplErr text_of(JinjaEvaluator *evaluator, const JinjaValue *value, JinjaValue *string) {
    return apli_jinja_to_string(evaluator, value, string);
}

JINJA_BUILTIN(trim) {
    JinjaValue string;
    TRY(text_of(evaluator, subject, &string));
    return apli_jinja_strip(evaluator, &string, &bound[0], JINJA_BOTH, result);
}

JINJA_BUILTIN(upper) {
    JinjaValue string;
    TRY(text_of(evaluator, subject, &string));
    return apli_jinja_change_case(evaluator, &string, true, result);
}

JINJA_BUILTIN(lower) {
    JinjaValue string;
    TRY(text_of(evaluator, subject, &string));
    return apli_jinja_change_case(evaluator, &string, false, result);
}

JINJA_BUILTIN(title) {
    JinjaValue string;
    TRY(text_of(evaluator, subject, &string));
    return apli_jinja_title(evaluator, &string, false, result);
}

JINJA_BUILTIN(capitalize) {
    JinjaValue string;
    TRY(text_of(evaluator, subject, &string));
    return apli_jinja_capitalize(evaluator, &string, result);
}

JINJA_BUILTIN(replace) {
    JinjaValue string, old, with;
    TRY(text_of(evaluator, subject, &string));
    TRY(text_of(evaluator, &bound[0], &old));
    TRY(text_of(evaluator, &bound[1], &with));
    return apli_jinja_replace(evaluator, &string, &old, &with, &bound[2], result);
}

JINJA_BUILTIN(to_string) { return apli_jinja_to_string(evaluator, subject, result); }

JINJA_BUILTIN(safe) { return apli_jinja_to_string(evaluator, subject, result); }

JINJA_BUILTIN(escape) {
    JinjaValue string;
    APLI_AUTO_TEXT text = {0};
    TRY(text_of(evaluator, subject, &string));
    for (size_t i = 0; i < string.length; i++) {
        switch (string.bytes[i]) {
        case '&': apli_text_append_string(&text, "&amp;"); break;
        case '<': apli_text_append_string(&text, "&lt;"); break;
        case '>': apli_text_append_string(&text, "&gt;"); break;
        case '"': apli_text_append_string(&text, "&#34;"); break;
        case '\'': apli_text_append_string(&text, "&#39;"); break;
        default: apli_text_append(&text, &string.bytes[i], 1);
        }
    }
    return apli_jinja_take_text(evaluator, &text, result);
}

JINJA_BUILTIN(default_value) {
    bool keep =
        subject->kind != JINJA_UNDEFINED && (!apli_jinja_truth(&bound[1]) || apli_jinja_truth(subject));
    *result = keep ? *subject : bound[0].kind == JINJA_ABSENT ? apli_jinja_string("", 0) : bound[0];
    return APL_OK;
}

/* A number from the beginning to the end of a text, blanks around it; false when it is none. */
static bool read_number(const JinjaValue *string, int64_t base, bool real, JinjaValue *number) {
    char digits[80];
    size_t begin = 0, end = string->length;
    while (begin < end && apli_jinja_is_space((unsigned char)string->bytes[begin])) begin++;
    while (end > begin && apli_jinja_is_space((unsigned char)string->bytes[end - 1])) end--;
    if (begin == end || end - begin >= sizeof digits) return false;
    memcpy(digits, string->bytes + begin, end - begin);
    digits[end - begin] = 0;
    /* Python reads neither 0x1p3 nor, without a base of 16, 0x1f. */
    if (real && strpbrk(digits, "xXpP")) return false;
    if (!real && base != 16 && base != 0 && strpbrk(digits, "xX")) return false;
    char *stop;
    errno = 0;
    *number =
        real ? apli_jinja_real(strtod(digits, &stop)) : apli_jinja_integer(strtoll(digits, &stop, (int)base));
    return *stop == 0 && stop != digits && (real || errno == 0);
}

JINJA_BUILTIN(to_integer) {
    int64_t base = 10;
    JinjaValue real;
    if (bound[1].kind != JINJA_ABSENT) TRY(apli_jinja_need_integer("int", &bound[1], &base));
    FAIL_IF(base != 0 && (base < 2 || base > 36), APL_DOMAIN, "int() base must be 2 to 36, or 0");
    *result = bound[0].kind == JINJA_ABSENT ? apli_jinja_integer(0) : bound[0];
    if (apli_jinja_is_integral(subject)) *result = apli_jinja_integer(apli_jinja_to_integer(subject));
    if (subject->kind == JINJA_STRING && !read_number(subject, base, false, result)) {
        *result = bound[0].kind == JINJA_ABSENT ? apli_jinja_integer(0) : bound[0];
        if (read_number(subject, 10, true, &real) && fabs(real.real) < 9e18)
            *result = apli_jinja_integer((int64_t)real.real);
    }
    if (subject->kind == JINJA_REAL && fabs(subject->real) < 9e18)
        *result = apli_jinja_integer((int64_t)subject->real);
    return APL_OK;
}

JINJA_BUILTIN(to_real) {
    *result = bound[0].kind == JINJA_ABSENT ? apli_jinja_real(0) : bound[0];
    JinjaValue number;
    if (apli_jinja_is_number(subject)) *result = apli_jinja_real(apli_jinja_to_real(subject));
    else if (subject->kind == JINJA_STRING && read_number(subject, 10, true, &number)) *result = number;
    return APL_OK;
}

JINJA_BUILTIN(absolute) {
    FAIL_IF(!apli_jinja_is_number(subject), APL_DOMAIN, "bad operand type for abs(): '%s'",
            apli_jinja_type_name(subject));
    if (subject->kind == JINJA_REAL) {
        *result = apli_jinja_real(fabs(subject->real));
        return APL_OK;
    }
    JinjaValue zero = apli_jinja_integer(0), value = apli_jinja_integer(apli_jinja_to_integer(subject));
    return apli_jinja_binary(evaluator, value.integer < 0 ? '-' : '+', &zero, &value, result);
}

JINJA_BUILTIN(round_number) {
    int64_t digits = 0;
    if (bound[0].kind != JINJA_ABSENT) TRY(apli_jinja_need_integer("round", &bound[0], &digits));
    FAIL_IF(!apli_jinja_is_number(subject), APL_DOMAIN, "round needs a number, not %s",
            apli_jinja_type_name(subject));
    FAIL_IF(digits < -18 || digits > 18, APL_LIMIT, "round to %lld digits", (long long)digits);
    double scale = pow(10, (double)digits), value = apli_jinja_to_real(subject), rounded;
    JinjaString method = {"common", 6};
    if (bound[1].kind == JINJA_STRING) method = (JinjaString){bound[1].bytes, bound[1].length};
    if (apli_jinja_equals_text(method, "ceil")) {
        rounded = ceil(value * scale) / scale;
    } else if (apli_jinja_equals_text(method, "floor")) {
        rounded = floor(value * scale) / scale;
    } else {
        FAIL_IF(!apli_jinja_equals_text(method, "common"), APL_DOMAIN,
                "method must be common, ceil or floor");
        char text[400]; /* decimal digits round the exact value, as Python does */
        snprintf(text, sizeof text, "%.*f", digits > 0 ? (int)digits : 0,
                 digits < 0 ? rint(value * scale) / scale : value);
        rounded = strtod(text, NULL);
    }
    /* Python rounds an integer to an integer. */
    bool integer =
        apli_jinja_is_integral(subject) && apli_jinja_equals_text(method, "common") && fabs(rounded) < 9e15;
    *result = integer ? apli_jinja_integer((int64_t)rounded) : apli_jinja_real(rounded);
    return APL_OK;
}

JINJA_BUILTIN(indent) {
    JinjaValue string, lines, width = apli_jinja_integer(4);
    TRY(text_of(evaluator, subject, &string));
    TRY(apli_jinja_splitlines(evaluator, &string, &lines));
    if (bound[0].kind != JINJA_ABSENT) width = bound[0];
    if (width.kind != JINJA_STRING) {
        JinjaValue blank = apli_jinja_string(" ", 1), count = width;
        TRY(apli_jinja_binary(evaluator, '*', &blank, &count, &width));
    }
    bool first = apli_jinja_truth(&bound[1]), blank_too = apli_jinja_truth(&bound[2]);
    APLI_AUTO_TEXT text = {0};
    /* A line end is added before lines are counted, so one at the end leaves an empty line. */
    bool ends_with_line = string.length && lines.length &&
                          lines.items[lines.length - 1].bytes + lines.items[lines.length - 1].length <
                              string.bytes + string.length;
    uint32_t count = lines.length + (ends_with_line || string.length == 0);
    for (uint32_t i = 0; i < count; i++) {
        JinjaValue line = i < lines.length ? lines.items[i] : apli_jinja_string("", 0);
        TRY(apli_jinja_spend(evaluator, 1 + (width.length + line.length) / 64));
        if (i) apli_text_append(&text, "\n", 1);
        if (i == 0 ? first : blank_too || line.length) apli_text_append(&text, width.bytes, width.length);
        apli_text_append(&text, line.bytes, line.length);
        FAIL_IF(text.length > JINJA_MAX_OUTPUT, APL_LIMIT, "a text of more than %d bytes", JINJA_MAX_OUTPUT);
    }
    return apli_jinja_take_text(evaluator, &text, result);
}

/* transformers' tojson: json.dumps(value, ensure_ascii=False, indent, separators, sort_keys). */
JINJA_BUILTIN(to_json) {
    char indent[64];
    JinjaJsonStyle style = {.between_items = {", ", 2},
                            .between_key_and_value = {": ", 2},
                            .sorted = apli_jinja_truth(&bound[3])};
    if (bound[0].kind == JINJA_STRING) {
        FAIL_IF(bound[0].length >= sizeof indent, APL_LIMIT, "an indent of %u bytes", bound[0].length);
        memcpy(indent, bound[0].bytes, bound[0].length);
        indent[bound[0].length] = 0;
        style.indent = indent;
    } else if (bound[0].kind != JINJA_ABSENT && bound[0].kind != JINJA_NONE) {
        int64_t width;
        TRY(apli_jinja_need_integer("tojson's indent", &bound[0], &width));
        FAIL_IF(width >= (int64_t)sizeof indent, APL_LIMIT, "an indent of %lld blanks", (long long)width);
        memset(indent, ' ', sizeof indent);
        indent[width > 0 ? width : 0] = 0;
        style.indent = indent;
    }
    if (style.indent) style.between_items.length = 1;
    if (bound[2].kind != JINJA_ABSENT && bound[2].kind != JINJA_NONE) {
        FAIL_IF(!apli_jinja_is_list(&bound[2]) || bound[2].length != 2, APL_DOMAIN,
                "separators are two strings");
        TRY(apli_jinja_need_string("tojson's separators", &bound[2].items[0]));
        TRY(apli_jinja_need_string("tojson's separators", &bound[2].items[1]));
        style.between_items = (JinjaString){bound[2].items[0].bytes, bound[2].items[0].length};
        style.between_key_and_value = (JinjaString){bound[2].items[1].bytes, bound[2].items[1].length};
    }
    FAIL_IF(apli_jinja_truth(&bound[1]), APL_DOMAIN,
            "tojson with ensure_ascii=true is not part of this Jinja");
    APLI_AUTO_TEXT text = {0};
    TRY(apli_jinja_to_json(evaluator, subject, &style, &text));
    return apli_jinja_take_text(evaluator, &text, result);
}

JINJA_BUILTIN(format) {
    JinjaValue string, values;
    TRY(text_of(evaluator, subject, &string));
    TRY(apli_jinja_new_list(evaluator, JINJA_TUPLE, all->count, &values));
    if (all->count) memcpy(values.items, all->items, all->count * sizeof *values.items);
    return apli_jinja_percent(evaluator, &string, &values, result);
}

JINJA_BUILTIN(wordcount) {
    JinjaValue string;
    TRY(text_of(evaluator, subject, &string));
    TRY(apli_jinja_spend(evaluator, string.length / 16));
    int64_t words = 0;
    bool inside = false;
    for (size_t at = 0; at < string.length;) {
        bool space = apli_jinja_is_space(apli_utf8_next(string.bytes, string.length, &at));
        words += !space && !inside;
        inside = !space;
    }
    *result = apli_jinja_integer(words);
    return APL_OK;
}

JINJA_BUILTIN(attribute) {
    TRY(apli_jinja_need_string("attr", &bound[0]));
    /* Unlike the dot, it does not look among a dict's keys. */
    if (subject->kind == JINJA_DICT &&
        !apli_jinja_find_method(JINJA_DICT, (JinjaString){bound[0].bytes, bound[0].length}))
        return apli_jinja_undefined(evaluator, result, "'dict object' has no such attribute");
    return apli_jinja_attribute(evaluator, subject, (JinjaString){bound[0].bytes, bound[0].length}, result);
}

static const JinjaRow text_filters[] = {
    {"trim", trim, "chars", 0},
    {"upper", upper, "", 0},
    {"lower", lower, "", 0},
    {"title", title, "", 0},
    {"capitalize", capitalize, "", 0},
    {"replace", replace, "old,new,count", 2},
    {"string", to_string, "", 0},
    {"safe", safe, "", 0},
    {"escape", escape, "", 0},
    {"e", escape, "", 0},
    {"default", default_value, "default_value,boolean", 0},
    {"d", default_value, "default_value,boolean", 0},
    {"int", to_integer, "default,base", 0},
    {"float", to_real, "default", 0},
    {"abs", absolute, "", 0},
    {"round", round_number, "precision,method", 0},
    {"indent", indent, "width,first,blank", 0},
    {"tojson", to_json, "indent,ensure_ascii,separators,sort_keys", 0},
    {"format", format, NULL, 0},
    {"wordcount", wordcount, "", 0},
    {"attr", attribute, "name", 1},
};

const JinjaRow *apli_jinja_find_text_filter(JinjaString name) {
    return apli_jinja_find_row(JINJA_ROWS(text_filters), name);
}
