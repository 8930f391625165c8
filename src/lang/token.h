/* The scanner's result: the tokens of a source text, and the text they point into. */
#ifndef APLI_LANG_TOKEN_H
#define APLI_LANG_TOKEN_H

#include "array/array.h"
#include "base/error.h"
#include "lang/workspace.h"

#include <stdint.h>




typedef enum AplTokenKind {
    TOKEN_END,
    TOKEN_ARRAY, /* a number, a run of numbers, a string, ⍬: `array` */
    TOKEN_NAME, /* `symbol` */
    TOKEN_SYSTEM, /* ⎕NAME: `system` is its row in quad.def */
    TOKEN_QUAD, /* ⎕ alone */
    TOKEN_QUOTE_QUAD, /* ⍞ */
    TOKEN_GLYPH, /* a primitive function or operator: `codepoint` */
    TOKEN_ALPHA,
    TOKEN_OMEGA,
    TOKEN_ALPHA_ALPHA,
    TOKEN_OMEGA_OMEGA,
    TOKEN_DEL,
    TOKEN_DEL_DEL,
    TOKEN_LEFT_PAREN,
    TOKEN_RIGHT_PAREN,
    TOKEN_LEFT_BRACKET,
    TOKEN_RIGHT_BRACKET,
    TOKEN_LEFT_BRACE,
    TOKEN_RIGHT_BRACE,
    TOKEN_ASSIGN,
    TOKEN_BRANCH,
    TOKEN_DIAMOND,
    TOKEN_COLON,
    TOKEN_SEMICOLON,
    TOKEN_NEWLINE,
    TOKEN_KEYWORD /* :If and its kind: `keyword` */
} AplTokenKind;

typedef enum AplKeyword {
#define KEYWORD(id, text) KEYWORD_##id,
#include "lang/keyword.def"
#undef KEYWORD
    KEYWORD_COUNT
} AplKeyword;

typedef struct AplToken {
    uint8_t kind; /* AplTokenKind */
    int32_t offset; /* bytes from the source's beginning */
    int32_t match; /* of an opening bracket: its closing one's index, and the other way round */
    union {
        uint32_t codepoint;
        AplArray *array;
        AplSymbol *symbol;
        int system;
        AplKeyword keyword;
    };
} AplToken;

/* A text and its tokens, shared by all functions written in it. */
typedef struct AplSource {
    int32_t references;
    char *text;
    int32_t length;
    AplToken *tokens; /* ends with TOKEN_END */
    int32_t token_count; /* without it */
} AplSource;

/* Scans UTF-8 text. SYNTAX ERROR with the place for what is no APL; NONCE ERROR for complex numbers. On an error
   *error_offset is the byte it stands at. */
AplErr apli_scan(AplWorkspace *workspace, const char *text, size_t length, AplSource **result, int32_t *error_offset);
AplSource *apli_source_retain(AplSource *source);
void apli_source_release(AplSource *source);

#endif
