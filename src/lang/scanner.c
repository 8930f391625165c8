/* From text to tokens. Adjacent numbers become one array; brackets are matched here, so that the parser need not. */
#include "lang/token.h"

#include "base/text.h"
#include "lang/quad.h"
#include "lang/workspace.h"
#include "prim/prim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Scanner {
    AplWorkspace *workspace;
    AplSource *source;
    const char *text;
    size_t length;
    size_t at;
    int32_t capacity;
    int32_t *open; /* indices of open brackets */
    int32_t open_count, open_capacity;
} Scanner;

AplSource *apli_source_retain(AplSource *source) {
    source->references++;
    return source;
}

void apli_source_release(AplSource *source) {
    if (!source || --source->references > 0) return;
    for (int32_t i = 0; i < source->token_count; i++)
        if (source->tokens[i].kind == TOKEN_ARRAY) apli_array_release(source->tokens[i].array);
    free(source->tokens);
    free(source->text);
    free(source);
}

static uint32_t peek(const Scanner *scanner, size_t at) {
    if (at >= scanner->length) return 0;
    return apli_utf8_next(scanner->text, scanner->length, &at);
}

static AplErr push(Scanner *scanner, AplTokenKind kind, size_t offset, AplToken **token) {
    AplSource *source = scanner->source;
    if (source->token_count + 2 > scanner->capacity) {
        int32_t capacity = scanner->capacity * 2 + 16;
        AplToken *tokens = realloc(source->tokens, (size_t)capacity * sizeof *tokens);
        FAIL_IF(!tokens, APL_WS_FULL, "no memory for %d tokens", capacity);
        source->tokens = tokens;
        scanner->capacity = capacity;
    }
    *token = &source->tokens[source->token_count++];
    **token = (AplToken){.kind = (uint8_t)kind, .offset = (int32_t)offset, .match = -1};
    source->tokens[source->token_count] = (AplToken){.kind = TOKEN_END, .offset = (int32_t)scanner->length};
    return APL_OK;
}

static bool is_digit(uint32_t c) { return c >= '0' && c <= '9'; }
static bool is_name_start(uint32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == 0x2206 /* ∆ */ || c == 0x2359 /* ⍙ */ ||
           (c >= 0xC0 && c < 0x250 && c != 0xD7 && c != 0xF7);
}
static bool starts_number(const Scanner *scanner, size_t at) {
    uint32_t c = peek(scanner, at);
    if (c == 0xAF) c = peek(scanner, at + 2); /* ¯ is two bytes */
    if (is_digit(c) || c == 0x221E) return true;
    if (c != '.') return false;
    size_t after = at + (peek(scanner, at) == 0xAF ? 3 : 1);
    return is_digit(peek(scanner, after));
}

/* Reads digits and ¯ into ASCII; returns how many characters were taken. */
static AplErr read_number(Scanner *scanner, bool *integer, int64_t *whole, double *real) {
    char digits[512];
    size_t used = 0;
    *integer = true;
    bool after_exponent = false;
    while (scanner->at < scanner->length) {
        uint32_t c = peek(scanner, scanner->at);
        if (is_digit(c)) {
        } else if (c == 0xAF && (used == 0 || digits[used - 1] == 'e')) {
            c = '-';
            scanner->at++;
        } else if (c == '.' && !after_exponent && !memchr(digits, '.', used)) {
            *integer = false;
        } else if ((c == 'E' || c == 'e') && used && !after_exponent) {
            c = 'e';
            after_exponent = true;
            *integer = false;
        } else if (c == 0x221E && (used == 0 || (used == 1 && digits[0] == '-'))) {
            scanner->at += 3;
            *integer = false;
            *real = used ? -INFINITY : INFINITY;
            return APL_OK;
        } else {
            FAIL_IF(c == 'J' || c == 'j', APL_NONCE, "complex numbers");
            break;
        }
        FAIL_IF(used + 2 > sizeof digits, APL_LIMIT, "a number of more than %zu digits", sizeof digits - 2);
        digits[used++] = (char)c;
        scanner->at++;
    }
    digits[used] = 0;
    FAIL_IF(used == 0 || digits[used - 1] == 'e' || digits[used - 1] == '-', APL_SYNTAX, "a number breaks off after %s", digits);
    if (*integer) {
        uint64_t value = 0;
        bool overflow = false;
        for (const char *d = digits + (digits[0] == '-'); *d; d++)
            overflow |= __builtin_mul_overflow(value, (uint64_t)10, &value) ||
                        __builtin_add_overflow(value, (uint64_t)(*d - '0'), &value);
        if (!overflow && value <= INT64_MAX) {
            *whole = digits[0] == '-' ? -(int64_t)value : (int64_t)value;
            *real = (double)*whole;
            return APL_OK;
        }
        *integer = false;
    }
    *real = strtod(digits, NULL);
    FAIL_IF(!isfinite(*real), APL_DOMAIN, "%s is too large a number", digits);
    return APL_OK;
}

static AplErr scan_numbers(Scanner *scanner) {
    size_t begin = scanner->at, count = 0, capacity = 0;
    struct { int64_t whole; double real; } *values = NULL;
    bool all_integers = true;
    AplErr error = APL_OK;
    for (;;) {
        if (count == capacity) {
            capacity = capacity * 2 + 8;
            void *more = realloc(values, capacity * sizeof *values);
            if (!more) {
                error = apli_fail(APL_WS_FULL, "no memory for %zu numbers", capacity);
                break;
            }
            values = more;
        }
        bool integer;
        error = read_number(scanner, &integer, &values[count].whole, &values[count].real);
        if (error) break;
        count++;
        all_integers &= integer;
        size_t after = scanner->at;
        while (peek(scanner, after) == ' ' || peek(scanner, after) == '\t') after++;
        if (after == scanner->at || !starts_number(scanner, after)) break;
        scanner->at = after;
    }
    APLI_AUTO AplArray *array = NULL;
    if (!error) {
        int64_t length = (int64_t)count;
        error = apli_array_new(all_integers ? APLI_I64 : APLI_F64, count > 1, &length, &array);
    }
    if (!error) {
        for (size_t i = 0; i < count; i++) {
            if (all_integers) ((int64_t *)array->data)[i] = values[i].whole;
            else ((double *)array->data)[i] = values[i].real;
        }
        array->weak = !all_integers;
        error = apli_squeeze(&array);
    }
    free(values);
    TRY(error);
    AplToken *token;
    TRY(push(scanner, TOKEN_ARRAY, begin, &token));
    token->array = apli_move(&array);
    return APL_OK;
}

/* 'it''s': a scalar when it holds one character; "..." is always a vector. */
static AplErr scan_string(Scanner *scanner) {
    size_t begin = scanner->at;
    char quote = scanner->text[scanner->at++];
    APLI_AUTO_TEXT bytes = {0};
    for (;;) {
        FAIL_IF(scanner->at >= scanner->length || scanner->text[scanner->at] == '\n', APL_SYNTAX, "a string has no closing %c",
                quote);
        char c = scanner->text[scanner->at++];
        if (c == quote) {
            if (scanner->at >= scanner->length || scanner->text[scanner->at] != quote) break;
            scanner->at++;
        }
        apli_text_append(&bytes, &c, 1);
    }
    TRY(apli_text_status(&bytes));
    APLI_AUTO AplArray *array = NULL;
    TRY(apli_string(apli_text_string(&bytes), bytes.length, &array));
    if (array->count == 1 && quote == '\'') {
        APLI_AUTO AplArray *scalar = NULL;
        TRY(apli_item(array, 0, &scalar));
        apli_array_release(array);
        array = apli_move(&scalar);
    }
    AplToken *token;
    TRY(push(scanner, TOKEN_ARRAY, begin, &token));
    token->array = apli_move(&array);
    return APL_OK;
}

static size_t name_length(const Scanner *scanner, size_t at) {
    size_t begin = at;
    for (;;) {
        uint32_t c = peek(scanner, at);
        if (!is_name_start(c) && !(is_digit(c) && at > begin)) return at - begin;
        apli_utf8_next(scanner->text, scanner->length, &at);
    }
}

static AplErr scan_system_name(Scanner *scanner) {
    size_t begin = scanner->at;
    scanner->at += strlen("⎕");
    size_t length = name_length(scanner, scanner->at);
    AplToken *token;
    if (length == 0) return push(scanner, TOKEN_QUAD, begin, &token);
    int system = apli_quad_find(scanner->text + scanner->at, length);
    FAIL_IF(system < 0, APL_NONCE, "⎕%.*s", (int)length, scanner->text + scanner->at);
    scanner->at += length;
    TRY(push(scanner, TOKEN_SYSTEM, begin, &token));
    token->system = system;
    return APL_OK;
}

static AplErr scan_keyword(Scanner *scanner, bool *found) {
    char word[16] = ":";
    size_t length = name_length(scanner, scanner->at + 1);
    *found = false;
    if (length == 0 || length + 2 > sizeof word) return APL_OK;
    for (size_t i = 1; i <= length; i++) word[i] = (char)(scanner->text[scanner->at + i] | 0x20);
    static const char *const words[] = {
#define KEYWORD(id, text) text,
#include "lang/keyword.def"
#undef KEYWORD
    };
    for (int i = 0; i < KEYWORD_COUNT; i++) {
        if (strcmp(words[i], word) != 0) continue;
        AplToken *token;
        TRY(push(scanner, TOKEN_KEYWORD, scanner->at, &token));
        token->keyword = (AplKeyword)i;
        scanner->at += length + 1;
        *found = true;
    }
    return APL_OK;
}

static AplErr open_bracket(Scanner *scanner, AplTokenKind kind) {
    AplToken *token;
    if (scanner->open_count == scanner->open_capacity) {
        int32_t capacity = scanner->open_capacity * 2 + 16;
        int32_t *open = realloc(scanner->open, (size_t)capacity * sizeof *open);
        FAIL_IF(!open, APL_WS_FULL, "no memory for %d open brackets", capacity);
        scanner->open = open;
        scanner->open_capacity = capacity;
    }
    TRY(push(scanner, kind, scanner->at, &token));
    scanner->open[scanner->open_count++] = scanner->source->token_count - 1;
    return APL_OK;
}

static const char *bracket_text(AplTokenKind kind) {
    static const char *const texts[] = {"(", ")", "[", "]", "{", "}"};
    return texts[kind - TOKEN_LEFT_PAREN];
}

static AplErr close_bracket(Scanner *scanner, AplTokenKind kind) {
    FAIL_IF(scanner->open_count == 0, APL_SYNTAX, "%s closes nothing", bracket_text(kind));
    int32_t opening = scanner->open[--scanner->open_count];
    AplTokenKind opened = (AplTokenKind)scanner->source->tokens[opening].kind;
    FAIL_IF(opened + 1 != kind, APL_SYNTAX, "%s closes %s", bracket_text(kind), bracket_text(opened));
    AplToken *token;
    TRY(push(scanner, kind, scanner->at, &token));
    token->match = opening;
    scanner->source->tokens[opening].match = scanner->source->token_count - 1;
    return APL_OK;
}

/* Signs that are a token of their own. */
static AplTokenKind sign(uint32_t c) {
    switch (c) {
    case '(': return TOKEN_LEFT_PAREN;
    case ')': return TOKEN_RIGHT_PAREN;
    case '[': return TOKEN_LEFT_BRACKET;
    case ']': return TOKEN_RIGHT_BRACKET;
    case '{': return TOKEN_LEFT_BRACE;
    case '}': return TOKEN_RIGHT_BRACE;
    case 0x2190: return TOKEN_ASSIGN;
    case 0x2192: return TOKEN_BRANCH;
    case 0x22C4: case 0x25CA: return TOKEN_DIAMOND;
    case ':': return TOKEN_COLON;
    case ';': return TOKEN_SEMICOLON;
    case '\n': return TOKEN_NEWLINE;
    case 0x235E: return TOKEN_QUOTE_QUAD;
    default: return TOKEN_END;
    }
}

/* ⍺ ⍵ ∇ and their doubles. */
static AplErr scan_doubled(Scanner *scanner, uint32_t c, AplTokenKind single, AplTokenKind doubled) {
    AplToken *token;
    size_t begin = scanner->at;
    bool twice = peek(scanner, begin + 3) == c;
    scanner->at += twice ? 6 : 3;
    return push(scanner, twice ? doubled : single, begin, &token);
}

/* Control words begin a statement, or follow the names of :For; cond:name in a dfn is a guard. */
static bool keyword_may_stand(const Scanner *scanner) {
    if (scanner->source->token_count == 0) return true;
    const AplToken *before = &scanner->source->tokens[scanner->source->token_count - 1];
    bool begins = before->kind == TOKEN_NEWLINE || before->kind == TOKEN_DIAMOND || before->kind == TOKEN_COLON;
    bool spaced = scanner->text[scanner->at - 1] == ' ' || scanner->text[scanner->at - 1] == '\t';
    return before->kind == TOKEN_COLON ? spaced : begins || (spaced && before->kind == TOKEN_NAME);
}

static AplErr scan_one(Scanner *scanner) {
    uint32_t c = peek(scanner, scanner->at);
    AplToken *token;
    if (c == ' ' || c == '\t' || c == '\r' || c == 0xFEFF) {
        apli_utf8_next(scanner->text, scanner->length, &scanner->at);
        return APL_OK;
    }
    if (c == 0x235D /* ⍝ */ || c == '#') {
        while (scanner->at < scanner->length && scanner->text[scanner->at] != '\n') scanner->at++;
        return APL_OK;
    }
    if (starts_number(scanner, scanner->at)) return scan_numbers(scanner);
    if (c == '\'' || c == '"') return scan_string(scanner);
    if (is_name_start(c)) {
        size_t length = name_length(scanner, scanner->at);
        AplSymbol *symbol;
        TRY(apli_symbol(scanner->workspace, scanner->text + scanner->at, length, &symbol));
        TRY(push(scanner, TOKEN_NAME, scanner->at, &token));
        token->symbol = symbol;
        scanner->at += length;
        return APL_OK;
    }
    if (c == 0x2395) return scan_system_name(scanner);
    if (c == 0x237A) return scan_doubled(scanner, c, TOKEN_ALPHA, TOKEN_ALPHA_ALPHA);
    if (c == 0x2375) return scan_doubled(scanner, c, TOKEN_OMEGA, TOKEN_OMEGA_OMEGA);
    if (c == 0x2207) return scan_doubled(scanner, c, TOKEN_DEL, TOKEN_DEL_DEL);
    if (c == 0x236C) { /* ⍬ */
        TRY(push(scanner, TOKEN_ARRAY, scanner->at, &token));
        token->array = NULL;
        TRY(apli_vector_new(APLI_BOOL, 0, &token->array));
        scanner->at += 3;
        return APL_OK;
    }
    if (c == ':' && keyword_may_stand(scanner)) {
        bool found;
        TRY(scan_keyword(scanner, &found));
        if (found) return APL_OK;
    }
    AplTokenKind kind = sign(c);
    if (kind >= TOKEN_LEFT_PAREN && kind <= TOKEN_RIGHT_BRACE) {
        bool opens = (kind - TOKEN_LEFT_PAREN) % 2 == 0;
        TRY(opens ? open_bracket(scanner, kind) : close_bracket(scanner, kind));
    } else if (kind != TOKEN_END) {
        TRY(push(scanner, kind, scanner->at, &token));
    } else {
        FAIL_IF(!apli_prim_of(c) && !apli_operator_of(c), APL_SYNTAX, "U+%04X is no APL character", c);
        TRY(push(scanner, TOKEN_GLYPH, scanner->at, &token));
        token->codepoint = c;
    }
    apli_utf8_next(scanner->text, scanner->length, &scanner->at);
    return APL_OK;
}

AplErr apli_scan(AplWorkspace *workspace, const char *text, size_t length, AplSource **result, int32_t *error_offset) {
    Scanner scanner = {.workspace = workspace, .length = length};
    size_t wrong;
    *error_offset = 0;
    FAIL_IF(length > INT32_MAX / 2, APL_LIMIT, "a source text of %zu bytes", length);
    if (!apli_utf8_valid(text, length, &wrong)) {
        *error_offset = (int32_t)wrong;
        apli_fail(APL_SYNTAX, "byte %zu is no UTF-8", wrong);
        return APL_SYNTAX;
    }
    AplSource *source = calloc(1, sizeof *source);
    char *copy = malloc(length + 1);
    AplToken *tokens = malloc(16 * sizeof *tokens);
    if (!source || !copy || !tokens) {
        free(source);
        free(copy);
        free(tokens);
        apli_fail(APL_WS_FULL, "no memory for a source text of %zu bytes", length);
        return APL_WS_FULL;
    }
    memcpy(copy, text, length);
    copy[length] = 0;
    tokens[0] = (AplToken){.kind = TOKEN_END, .offset = (int32_t)length};
    *source = (AplSource){.references = 1, .text = copy, .length = (int32_t)length, .tokens = tokens};
    scanner.capacity = 16;
    scanner.source = source;
    scanner.text = copy;
    AplErr error = APL_OK;
    while (!error && scanner.at < length) {
        *error_offset = (int32_t)scanner.at;
        error = scan_one(&scanner);
    }
    if (!error && scanner.open_count > 0) {
        const AplToken *opening = &source->tokens[scanner.open[scanner.open_count - 1]];
        *error_offset = opening->offset;
        error = apli_fail(APL_SYNTAX, "%s is never closed", bracket_text((AplTokenKind)opening->kind));
    }
    free(scanner.open);
    if (error) {
        apli_source_release(source);
        return error;
    }
    *result = source;
    return APL_OK;
}
