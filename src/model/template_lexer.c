/* Tokens of a template: the text between tags, with the whitespace control of Jinja ("-", "+", trim_blocks,
   lstrip_blocks), and the names, numbers, strings and operators inside tags. */
#include "model/template_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct Scanner {
    const char *source;
    const char *text;
    size_t length;
    size_t at;
    int line;
    bool line_starting; /* the last token ended a line, or nothing came before */
    AplArena *arena;
    JinjaToken *tokens;
    size_t count;
    size_t capacity;
} Scanner;

static AplErr add_token(Scanner *scanner, JinjaTokenKind kind, int line, const char *bytes, size_t length) {
    if (scanner->count == scanner->capacity) {
        size_t capacity = scanner->capacity * 2 + 64;
        void *tokens;
        TRY(apli_arena_allocate(scanner->arena, capacity * sizeof *scanner->tokens, &tokens));
        if (scanner->count) memcpy(tokens, scanner->tokens, scanner->count * sizeof *scanner->tokens);
        scanner->tokens = tokens;
        scanner->capacity = capacity;
    }
    scanner->tokens[scanner->count++] = (JinjaToken){.kind = kind, .line = line, .text = {bytes, length}};
    return APL_OK;
}

static AplErr wrong(const Scanner *scanner, const char *what) {
    return apli_fail(APL_SYNTAX, "%s, line %d: %s", scanner->source, scanner->line, what);
}

static bool looking_at(const Scanner *scanner, size_t at, const char *what) {
    size_t length = strlen(what);
    return at <= scanner->length && length <= scanner->length - at &&
           memcmp(scanner->text + at, what, length) == 0;
}

static size_t skip_spaces(const Scanner *scanner, size_t at) {
    while (at < scanner->length) {
        size_t next = at;
        if (!apli_jinja_is_space(apli_utf8_next(scanner->text, scanner->length, &next))) break;
        at = next;
    }
    return at;
}

/* Moves on to `at`, counting lines. */
static void move_to(Scanner *scanner, size_t at) {
    for (; scanner->at < at; scanner->at++) scanner->line += scanner->text[scanner->at] == '\n';
}

/* The length of text[begin, end) without trailing whitespace. */
static size_t without_trailing_space(const Scanner *scanner, size_t begin, size_t end) {
    size_t kept = begin;
    for (size_t at = begin; at < end;)
        if (!apli_jinja_is_space(apli_utf8_next(scanner->text, end, &at))) kept = at;
    return kept;
}

/* The text before a tag: "-" takes all space from its end; unless "+" stands there, a tag that is not
   output takes the blanks between it and the start of its line. */
static AplErr add_data(Scanner *scanner, size_t end, char sign, bool output) {
    size_t begin = scanner->at, kept = end;
    if (sign == '-') {
        kept = without_trailing_space(scanner, begin, end);
    } else if (sign != '+' && !output) {
        size_t line_start = end;
        while (line_start > begin && scanner->text[line_start - 1] != '\n') line_start--;
        if ((line_start > begin || scanner->line_starting) && skip_spaces(scanner, line_start) >= end)
            kept = line_start;
    }
    if (kept > begin)
        TRY(add_token(scanner, JINJA_TOKEN_DATA, scanner->line, scanner->text + begin, kept - begin));
    move_to(scanner, end);
    return APL_OK;
}

/* Whether a tag ends at `at` with these two characters; then *next is behind it and the space that it
   takes. */
static bool tag_ends(const Scanner *scanner, size_t at, const char *closing, bool trims, size_t *next) {
    bool minus = looking_at(scanner, at, "-"), plus = trims && looking_at(scanner, at, "+");
    if (!looking_at(scanner, at + (minus || plus), closing)) return false;
    *next = at + (minus || plus) + 2;
    if (minus) *next = skip_spaces(scanner, *next);
    else if (trims && !plus && *next < scanner->length && scanner->text[*next] == '\n') ++*next;
    return true;
}

static AplErr scan_comment(Scanner *scanner, size_t at) {
    for (; at < scanner->length; at++) {
        size_t next;
        if (!tag_ends(scanner, at, "#}", true, &next)) continue;
        move_to(scanner, next);
        return APL_OK;
    }
    return wrong(scanner, "a comment does not end: expected #}");
}

/* After "{%" and a sign: whether it is {% raw %}; then *content is where its text begins. */
static bool begins_raw(const Scanner *scanner, size_t at, const char *word, bool trims, size_t *content) {
    at = skip_spaces(scanner, at);
    if (!looking_at(scanner, at, word)) return false;
    at = skip_spaces(scanner, at + strlen(word));
    if (!trims && looking_at(scanner, at, "%}")) {
        *content = at + 2;
        return true;
    }
    return tag_ends(scanner, at, "%}", true, content);
}

static AplErr scan_raw(Scanner *scanner, size_t content) {
    move_to(scanner, content);
    scanner->line_starting = content && scanner->text[content - 1] == '\n';
    for (size_t at = content; at < scanner->length; at++) {
        if (!looking_at(scanner, at, "{%")) continue;
        char sign = at + 2 < scanner->length ? scanner->text[at + 2] : 0;
        size_t next, inside = at + 2 + (sign == '-' || sign == '+');
        if (!begins_raw(scanner, inside, "endraw", true, &next)) continue;
        TRY(add_data(scanner, at, sign, false));
        move_to(scanner, next);
        return APL_OK;
    }
    return wrong(scanner, "a raw block does not end: expected {% endraw %}");
}

static int digit_value(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 99;
}

/* Up to `most` digits of a base; returns how many. */
static size_t read_digits(const char *bytes, size_t length, size_t most, int base, uint32_t *value) {
    size_t used = 0;
    for (*value = 0; used < length && used < most && digit_value(bytes[used]) < base; used++)
        *value = *value * (uint32_t)base + (uint32_t)digit_value(bytes[used]);
    return used;
}

/* What the escapes of a string literal mean, as Python's unicode-escape has it. */
static AplErr decode_string(Scanner *scanner, const char *bytes, size_t length, JinjaString *result) {
    void *memory;
    TRY(apli_arena_allocate(scanner->arena, length + 4, &memory));
    char *out = memory;
    size_t used = 0;
    static const char simple[] = "\\'\"abfnrtv", meaning[] = "\\'\"\a\b\f\n\r\t\v";
    for (size_t i = 0; i < length;) {
        if (bytes[i] != '\\' || i + 1 == length) {
            out[used++] = bytes[i++];
            continue;
        }
        char c = bytes[i + 1];
        const char *found = memchr(simple, c, sizeof simple - 1);
        uint32_t value;
        size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
        if (found) {
            out[used++] = meaning[found - simple];
            i += 2;
        } else if (c == '\n') {
            i += 2;
        } else if (c >= '0' && c <= '7') {
            i += 1 + read_digits(bytes + i + 1, length - i - 1, 3, 8, &value);
            used += apli_utf8_put(value, out + used);
        } else if (digits) {
            if (read_digits(bytes + i + 2, length - i - 2, digits, 16, &value) != digits)
                return wrong(scanner, "a \\x, \\u or \\U escape needs 2, 4 or 8 hexadecimal digits");
            used += apli_utf8_put(value, out + used);
            i += 2 + digits;
        } else {
            out[used++] = bytes[i++];
        }
    }
    *result = (JinjaString){out, used};
    return APL_OK;
}

static AplErr scan_string(Scanner *scanner) {
    char quote = scanner->text[scanner->at];
    size_t begin = scanner->at + 1, end = begin;
    while (end < scanner->length && scanner->text[end] != quote) end += scanner->text[end] == '\\' ? 2 : 1;
    if (end >= scanner->length) return wrong(scanner, "a string does not end: expected its closing quote");
    JinjaString decoded = {0};
    TRY(decode_string(scanner, scanner->text + begin, end - begin, &decoded));
    TRY(add_token(scanner, JINJA_TOKEN_STRING, scanner->line, decoded.bytes, decoded.length));
    move_to(scanner, end + 1);
    return APL_OK;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}

static AplErr scan_number(Scanner *scanner) {
    enum { LONGEST = 64 };
    char digits[LONGEST + 1];
    size_t used = 0, at = scanner->at;
    bool real = false;
    int base = 10;
    if (looking_at(scanner, at, "0x") || looking_at(scanner, at, "0X")) base = 16;
    if (looking_at(scanner, at, "0o") || looking_at(scanner, at, "0O")) base = 8;
    if (looking_at(scanner, at, "0b") || looking_at(scanner, at, "0B")) base = 2;
    if (base != 10) at += 2;
    for (; at < scanner->length && used < LONGEST; at++) {
        char c = scanner->text[at], next = at + 1 < scanner->length ? scanner->text[at + 1] : 0;
        char after = at + 2 < scanner->length ? scanner->text[at + 2] : 0;
        if (c == '_') continue;
        bool fraction = base == 10 && c == '.' && !real && is_digit(next);
        bool exponent = base == 10 && (c == 'e' || c == 'E') && !memchr(digits, 'e', used) &&
                        (is_digit(next) || ((next == '+' || next == '-') && is_digit(after)));
        if (exponent) {
            digits[used++] = 'e';
            if (!is_digit(next) && used < LONGEST) digits[used++] = scanner->text[++at];
            real = true;
        } else if (fraction || digit_value(c) < base) {
            digits[used++] = c;
            real |= fraction;
        } else {
            break;
        }
    }
    digits[used] = 0;
    TRY(add_token(scanner, JINJA_TOKEN_NUMBER, scanner->line, scanner->text + scanner->at, at - scanner->at));
    JinjaToken *token = &scanner->tokens[scanner->count - 1];
    errno = 0;
    token->number =
        real ? apli_jinja_real(strtod(digits, NULL)) : apli_jinja_integer(strtoll(digits, NULL, base));
    if (used == 0 || used == LONGEST || (!real && errno == ERANGE))
        return wrong(scanner, "a number that is not in range");
    move_to(scanner, at);
    return APL_OK;
}

static AplErr scan_operator(Scanner *scanner, int *open) {
    static const char *const pairs[] = {"//", "**", "==", "!=", "<=", ">="};
    char c = scanner->text[scanner->at];
    size_t length = 1;
    int operation = c;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!looking_at(scanner, scanner->at, pairs[i])) continue;
        length = 2;
        operation = JINJA_PAIR(pairs[i][0], pairs[i][1]);
    }
    if (length == 1 && !memchr("+-/*%~[](){}><=.:|,;", c, 20))
        return apli_fail(APL_SYNTAX, "%s, line %d: the character with code %d has no place in a tag",
                         scanner->source, scanner->line, (unsigned char)c);
    if (c == '(' || c == '[' || c == '{') ++*open;
    if (c == ')' || c == ']' || c == '}') --*open;
    if (*open < 0) return wrong(scanner, "a closing bracket without its opening one");
    TRY(add_token(scanner, JINJA_TOKEN_OPERATOR, scanner->line, scanner->text + scanner->at, length));
    scanner->tokens[scanner->count - 1].operation = operation;
    move_to(scanner, scanner->at + length);
    return APL_OK;
}

/* The inside of a tag, to its end; brackets that are open hide the end. */
static AplErr scan_tag(Scanner *scanner, bool output) {
    int open = 0, begin_line = scanner->line;
    while (scanner->at < scanner->length) {
        size_t next;
        if (open == 0 && tag_ends(scanner, scanner->at, output ? "}}" : "%}", !output, &next)) {
            TRY(add_token(scanner, output ? JINJA_TOKEN_OUTPUT_END : JINJA_TOKEN_BLOCK_END, scanner->line, "",
                          0));
            move_to(scanner, next);
            return APL_OK;
        }
        next = skip_spaces(scanner, scanner->at);
        if (next > scanner->at) {
            move_to(scanner, next);
            continue;
        }
        char c = scanner->text[scanner->at];
        if (c == '"' || c == '\'') {
            TRY(scan_string(scanner));
        } else if (is_digit(c)) {
            TRY(scan_number(scanner));
        } else if (begins_name(c)) {
            while (next < scanner->length &&
                   (begins_name(scanner->text[next]) || is_digit(scanner->text[next])))
                next++;
            TRY(add_token(scanner, JINJA_TOKEN_NAME, scanner->line, scanner->text + scanner->at,
                          next - scanner->at));
            move_to(scanner, next);
        } else {
            TRY(scan_operator(scanner, &open));
        }
    }
    scanner->line = begin_line;
    return wrong(scanner, output ? "a tag does not end: expected }}" : "a tag does not end: expected %}");
}

AplErr apli_jinja_scan(const char *source, const char *text, size_t length, AplArena *arena,
                       JinjaToken **tokens) {
    Scanner scanner = {
        .source = source, .text = text, .length = length, .line = 1, .line_starting = true, .arena = arena};
    while (scanner.at < length) {
        size_t tag = scanner.at;
        while (tag < length && !(text[tag] == '{' && tag + 1 < length && memchr("{%#", text[tag + 1], 3)))
            tag++;
        if (tag == length) {
            TRY(add_token(&scanner, JINJA_TOKEN_DATA, scanner.line, text + scanner.at, length - scanner.at));
            move_to(&scanner, length);
            break;
        }
        char kind = text[tag + 1], sign = tag + 2 < length ? text[tag + 2] : 0;
        size_t inside = tag + 2 + (sign == '-' || sign == '+'), content;
        TRY(add_data(&scanner, tag, sign, kind == '{'));
        if (kind == '#') {
            TRY(scan_comment(&scanner, inside));
        } else if (kind == '%' && begins_raw(&scanner, inside, "raw", false, &content)) {
            TRY(scan_raw(&scanner, content));
        } else {
            TRY(add_token(&scanner, kind == '{' ? JINJA_TOKEN_OUTPUT_BEGIN : JINJA_TOKEN_BLOCK_BEGIN,
                          scanner.line, "", 0));
            move_to(&scanner, inside);
            TRY(scan_tag(&scanner, kind == '{'));
        }
        scanner.line_starting = scanner.at && text[scanner.at - 1] == '\n';
    }
    TRY(add_token(&scanner, JINJA_TOKEN_END, scanner.line, "", 0));
    *tokens = scanner.tokens;
    return APL_OK;
}
