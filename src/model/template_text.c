/* Values as text: Python's str(), repr(), "%" formatting, and changes of case. */
#include "model/template_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* The shortest digits that read back as the same number, with an exponent below 1e-4 and from 1e16. */
void apli_jinja_append_real(double value, AplText *text) {
    if (isnan(value) || isinf(value)) {
        apli_text_append_string(text, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    char buffer[40];
    int precision = 0;
    do snprintf(buffer, sizeof buffer, "%.*e", precision, value);
    while (strtod(buffer, NULL) != value && ++precision < 17);
    int exponent = atoi(strchr(buffer, 'e') + 1);
    if (exponent < -4 || exponent >= 16) {
        apli_text_append_string(text, buffer);
    } else {
        int decimals = precision > exponent ? precision - exponent : 1;
        apli_text_printf(text, "%.*f", decimals, value);
    }
}

static void append_quoted(const JinjaValue *value, AplText *text) {
    bool single = value->length && memchr(value->bytes, '\'', value->length);
    char quote = single && !memchr(value->bytes, '"', value->length) ? '"' : '\'';
    apli_text_append(text, &quote, 1);
    for (size_t at = 0; at < value->length;) {
        size_t begin = at;
        uint32_t c = apli_utf8_next(value->bytes, value->length, &at);
        utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
        bool hidden = c != ' ' && (category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF ||
                                   category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CO ||
                                   category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP ||
                                   category == UTF8PROC_CATEGORY_ZS);
        if (c == (uint32_t)quote || c == '\\') apli_text_printf(text, "\\%c", (char)c);
        else if (c == '\n') apli_text_append_string(text, "\\n");
        else if (c == '\r') apli_text_append_string(text, "\\r");
        else if (c == '\t') apli_text_append_string(text, "\\t");
        else if (hidden)
            apli_text_printf(text, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
        else apli_text_append(text, value->bytes + begin, at - begin);
    }
    apli_text_append(text, &quote, 1);
}

static AplErr append_list(JinjaEvaluator *evaluator, const JinjaValue *value, AplText *text) {
    apli_text_append_string(text, value->kind == JINJA_LIST ? "[" : "(");
    for (uint32_t i = 0; i < value->length; i++) {
        if (i) apli_text_append_string(text, ", ");
        TRY(apli_jinja_append_repr(evaluator, &value->items[i], text));
    }
    apli_text_append_string(text, value->kind == JINJA_LIST ? "]" : value->length == 1 ? ",)" : ")");
    return APL_OK;
}

static AplErr append_dict(JinjaEvaluator *evaluator, const JinjaValue *value, AplText *text) {
    apli_text_append_string(text, value->kind == JINJA_NAMESPACE ? "<Namespace {" : "{");
    for (size_t i = 0; i < value->dict->count; i++) {
        if (i) apli_text_append_string(text, ", ");
        TRY(apli_jinja_append_repr(evaluator, &value->dict->keys[i], text));
        apli_text_append_string(text, ": ");
        TRY(apli_jinja_append_repr(evaluator, &value->dict->values[i], text));
    }
    apli_text_append_string(text, value->kind == JINJA_NAMESPACE ? "}>" : "}");
    return APL_OK;
}

AplErr apli_jinja_append_repr(JinjaEvaluator *evaluator, const JinjaValue *value, AplText *text) {
    TRY(apli_jinja_spend(evaluator, 1));
    FAIL_IF(text->length > JINJA_MAX_OUTPUT, APL_LIMIT, "a text of more than %d bytes", JINJA_MAX_OUTPUT);
    if (value->kind == JINJA_STRING) {
        append_quoted(value, text);
    } else if (value->kind == JINJA_UNDEFINED) {
        apli_text_append_string(text, "Undefined");
    } else if (apli_jinja_is_list(value) || value->kind == JINJA_DICT || value->kind == JINJA_NAMESPACE) {
        TRY(apli_jinja_enter(evaluator));
        if (apli_jinja_is_list(value)) TRY(append_list(evaluator, value, text));
        else TRY(append_dict(evaluator, value, text));
        evaluator->depth--;
    } else {
        return apli_jinja_append(evaluator, value, text);
    }
    return APL_OK;
}

AplErr apli_jinja_append(JinjaEvaluator *evaluator, const JinjaValue *value, AplText *text) {
    switch (value->kind) {
    case JINJA_ABSENT:
    case JINJA_UNDEFINED: break;
    case JINJA_NONE: apli_text_append_string(text, "None"); break;
    case JINJA_BOOLEAN: apli_text_append_string(text, value->boolean ? "True" : "False"); break;
    case JINJA_INTEGER: apli_text_printf(text, "%" PRId64, value->integer); break;
    case JINJA_REAL: apli_jinja_append_real(value->real, text); break;
    case JINJA_STRING: apli_text_append(text, value->bytes, value->length); break;
    case JINJA_LIST:
    case JINJA_TUPLE:
    case JINJA_DICT:
    case JINJA_NAMESPACE: return apli_jinja_append_repr(evaluator, value, text);
    case JINJA_FUNCTION:
        apli_text_append_string(text, value->function->row ? "<function>" : "<Macro>");
        break;
    case JINJA_LOOP:
        apli_text_printf(text, "<LoopContext %zu/%zu>", value->loop->index + 1, value->loop->count);
        break;
    }
    return APL_OK;
}

AplErr apli_jinja_to_string(JinjaEvaluator *evaluator, const JinjaValue *value, JinjaValue *string) {
    if (value->kind == JINJA_STRING) {
        *string = *value;
        return APL_OK;
    }
    APLI_AUTO_TEXT text = {0};
    TRY(apli_jinja_append(evaluator, value, &text));
    return apli_jinja_take_text(evaluator, &text, string);
}

AplErr apli_jinja_change_case(JinjaEvaluator *evaluator, const JinjaValue *value, bool upper,
                              JinjaValue *result) {
    APLI_AUTO_TEXT text = {0};
    TRY(apli_jinja_spend(evaluator, value->length / 8));
    for (size_t at = 0; at < value->length;) {
        utf8proc_int32_t c = (utf8proc_int32_t)apli_utf8_next(value->bytes, value->length, &at);
        if (upper && c == 0xDF)
            apli_text_append_string(&text, "SS"); /* ß, the one common letter that grows */
        else apli_text_append_codepoint(&text, (uint32_t)(upper ? utf8proc_toupper(c) : utf8proc_tolower(c)));
    }
    return apli_jinja_take_text(evaluator, &text, result);
}

static bool is_cased(utf8proc_int32_t c) { return utf8proc_toupper(c) != c || utf8proc_tolower(c) != c; }

/* Python's str.title begins a word at each cased letter that follows none; Jinja's filter begins one
   behind blanks and -({[< alone. */
AplErr apli_jinja_title(JinjaEvaluator *evaluator, const JinjaValue *value, bool python, JinjaValue *result) {
    APLI_AUTO_TEXT text = {0};
    TRY(apli_jinja_spend(evaluator, value->length / 8));
    bool starting = true;
    for (size_t at = 0; at < value->length;) {
        utf8proc_int32_t c = (utf8proc_int32_t)apli_utf8_next(value->bytes, value->length, &at);
        apli_text_append_codepoint(&text, (uint32_t)(starting ? utf8proc_totitle(c) : utf8proc_tolower(c)));
        if (python) starting = !is_cased(c);
        else starting = apli_jinja_is_space((uint32_t)c) || (c < 128 && c > 0 && strchr("-({[<", (char)c));
    }
    return apli_jinja_take_text(evaluator, &text, result);
}

AplErr apli_jinja_capitalize(JinjaEvaluator *evaluator, const JinjaValue *value, JinjaValue *result) {
    APLI_AUTO_TEXT text = {0};
    TRY(apli_jinja_spend(evaluator, value->length / 8));
    for (size_t at = 0; at < value->length;) {
        bool first = at == 0;
        utf8proc_int32_t c = (utf8proc_int32_t)apli_utf8_next(value->bytes, value->length, &at);
        apli_text_append_codepoint(&text, (uint32_t)(first ? utf8proc_totitle(c) : utf8proc_tolower(c)));
    }
    return apli_jinja_take_text(evaluator, &text, result);
}

/* Blanks or zeros that bring `piece` to `width` characters. */
static void append_padded(AplText *text, const AplText *piece, int width, bool left, bool zeros) {
    const char *bytes = apli_text_string(piece);
    size_t length = piece->length, characters = apli_jinja_characters(bytes, length);
    size_t padding = (size_t)width > characters ? (size_t)width - characters : 0;
    if (zeros && !left && length && (*bytes == '-' || *bytes == '+')) {
        apli_text_append(text, bytes++, 1);
        length--;
    }
    for (size_t i = 0; !left && i < padding; i++) apli_text_append(text, zeros ? "0" : " ", 1);
    apli_text_append(text, bytes, length);
    for (size_t i = 0; left && i < padding; i++) apli_text_append(text, " ", 1);
}

/* One conversion: its letter, and a precision of -1 for none. */
static AplErr convert(JinjaEvaluator *evaluator, char letter, int precision, bool plus,
                      const JinjaValue *value, AplText *piece) {
    if (letter == 's' || letter == 'r') {
        if (letter == 's') TRY(apli_jinja_append(evaluator, value, piece));
        else TRY(apli_jinja_append_repr(evaluator, value, piece));
        if (precision < 0) return APL_OK;
        size_t at = 0;
        for (int i = 0; i < precision && at < piece->length; i++)
            apli_utf8_next(piece->bytes, piece->length, &at);
        if (at < piece->length) piece->bytes[piece->length = at] = 0;
        return APL_OK;
    }
    FAIL_IF(!apli_jinja_is_number(value), APL_DOMAIN, "%%%c format: a number is required, not %s", letter,
            apli_jinja_type_name(value));
    double real = apli_jinja_to_real(value);
    if (letter == 'f' || letter == 'e' || letter == 'g') {
        char format[] = {'%', plus ? '+' : '-', '.', '*', letter, 0};
        char buffer[400];
        snprintf(buffer, sizeof buffer, format, precision < 0 ? 6 : precision, real);
        apli_text_append_string(piece, buffer);
        return APL_OK;
    }
    FAIL_IF(value->kind == JINJA_REAL && !(fabs(real) < 9e18), APL_DOMAIN,
            "%%%c format: %g is no integer in range", letter, real);
    int64_t integer = value->kind == JINJA_REAL ? (int64_t)real : apli_jinja_to_integer(value);
    uint64_t magnitude = integer < 0 ? -(uint64_t)integer : (uint64_t)integer;
    if (integer < 0 || plus) apli_text_append_string(piece, integer < 0 ? "-" : "+");
    apli_text_printf(piece,
                     letter == 'x'   ? "%" PRIx64
                     : letter == 'X' ? "%" PRIX64
                     : letter == 'o' ? "%" PRIo64
                                     : "%" PRIu64,
                     magnitude);
    return APL_OK;
}

/* A width or precision; LIMIT ERROR past 300. */
static AplErr read_width(const JinjaValue *format, size_t *at, int *width) {
    for (*width = 0; *at < format->length && format->bytes[*at] >= '0' && format->bytes[*at] <= '9'; ++*at) {
        *width = *width * 10 + format->bytes[*at] - '0';
        FAIL_IF(*width > 300, APL_LIMIT, "a format's width of more than 300");
    }
    return APL_OK;
}

AplErr apli_jinja_percent(JinjaEvaluator *evaluator, const JinjaValue *format, const JinjaValue *values,
                          JinjaValue *result) {
    const JinjaValue *items = values->kind == JINJA_TUPLE ? values->items : values;
    size_t count = values->kind == JINJA_TUPLE ? values->length : 1, used = 0;
    APLI_AUTO_TEXT text = {0};
    for (size_t at = 0; at < format->length;) {
        const char *percent = memchr(format->bytes + at, '%', format->length - at);
        size_t plain = percent ? (size_t)(percent - format->bytes) - at : format->length - at;
        apli_text_append(&text, format->bytes + at, plain);
        at += plain;
        if (!percent) break;
        bool left = false, zeros = false, plus = false;
        int width, precision = -1;
        for (at++; at < format->length && strchr("-0+ ", format->bytes[at]) && format->bytes[at]; at++) {
            left |= format->bytes[at] == '-';
            zeros |= format->bytes[at] == '0';
            plus |= format->bytes[at] == '+';
        }
        TRY(read_width(format, &at, &width));
        if (at < format->length && format->bytes[at] == '.') {
            at++;
            TRY(read_width(format, &at, &precision));
        }
        FAIL_IF(at >= format->length, APL_DOMAIN, "incomplete format");
        char letter = format->bytes[at++];
        if (letter == '%') {
            apli_text_append(&text, "%", 1);
            continue;
        }
        if (letter == 'i' || letter == 'u') letter = 'd';
        FAIL_IF(!letter || !strchr("srdfegxXo", letter), APL_DOMAIN,
                "unsupported format character with code %d", (unsigned char)letter);
        FAIL_IF(used == count, APL_DOMAIN, "not enough arguments for format string");
        APLI_AUTO_TEXT piece = {0};
        TRY(convert(evaluator, letter, precision, plus, &items[used++], &piece));
        append_padded(&text, &piece, width, left, zeros && letter != 's' && letter != 'r');
        FAIL_IF(text.length > JINJA_MAX_OUTPUT, APL_LIMIT, "a text of more than %d bytes", JINJA_MAX_OUTPUT);
    }
    FAIL_IF(used < count && values->kind != JINJA_DICT, APL_DOMAIN,
            "not all arguments converted during string formatting");
    return apli_jinja_take_text(evaluator, &text, result);
}
