/* The patterns of tokenizer_pretokens.def, compiled by PCRE2's JIT and run one after the other. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "model/tokenizer_pretokens.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_PATTERNS = 8,
    MATCH_LIMIT = 50 * 1000 * 1000, /* steps of one match; a megabyte of blanks needs a few millions */
    HEAP_LIMIT_KIB = 64 * 1024,
    JIT_STACK_START = 32 * 1024,
    JIT_STACK_LIMIT = 8 * 1024 * 1024
};

#define SPLITTING(id, ...) static const char *const id##_patterns[] = {__VA_ARGS__, NULL};
#include "model/tokenizer_pretokens.def"

static const struct {
    const char *name;
    const char *const *patterns;
    bool takes_whole;
} table[] = {
#define PRETOKENIZER(name, id, whole) {name, id##_patterns, whole},
#include "model/tokenizer_pretokens.def"
};

struct AplPretokenizer {
    pcre2_code *codes[MAX_PATTERNS];
    int count;
    bool takes_whole;
};

void apli_pretokenizer_free(AplPretokenizer *pretokenizer) {
    if (!pretokenizer) return;
    for (int i = 0; i < pretokenizer->count; i++) pcre2_code_free(pretokenizer->codes[i]);
    free(pretokenizer);
}

static AplErr pcre_error(AplErr kind, const char *what, int code) {
    PCRE2_UCHAR text[128];
    if (pcre2_get_error_message(code, text, sizeof text) < 0) strcpy((char *)text, "unknown");
    return apli_fail(kind, "%s: %s (PCRE2 error %d)", what, (const char *)text, code);
}

static AplErr compile(AplPretokenizer *pretokenizer, const char *const *patterns) {
    for (; *patterns; patterns++) {
        FAIL_IF(pretokenizer->count == MAX_PATTERNS, APL_LIMIT, "a pre-tokenizer of more than %d patterns",
                MAX_PATTERNS);
        int code;
        PCRE2_SIZE offset;
        pcre2_code *compiled = pcre2_compile((PCRE2_SPTR)*patterns, PCRE2_ZERO_TERMINATED,
                                             PCRE2_UTF | PCRE2_UCP, &code, &offset, NULL);
        if (!compiled) return pcre_error(APL_NONCE, "a pre-tokenizer's pattern", code);
        pretokenizer->codes[pretokenizer->count++] = compiled;
        /* Where the JIT is missing the interpreter of PCRE2 does the same, more slowly. */
        code = pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
        if (code < 0 && code != PCRE2_ERROR_JIT_BADOPTION)
            return pcre_error(APL_WS_FULL, "a pre-tokenizer's pattern", code);
    }
    return APL_OK;
}

AplErr apli_pretokenizer_new(const char *source, const char *name, AplPretokenizer **result) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(table[i].name, name) != 0) continue;
        AplPretokenizer *pretokenizer = calloc(1, sizeof *pretokenizer);
        FAIL_IF(!pretokenizer, APL_WS_FULL, "no memory for a pre-tokenizer");
        pretokenizer->takes_whole = table[i].takes_whole;
        AplErr error = compile(pretokenizer, table[i].patterns);
        if (error) {
            apli_pretokenizer_free(pretokenizer);
            return apli_fail_within(error, "%s: tokenizer.ggml.pre \"%s\"", source, name);
        }
        *result = pretokenizer;
        return APL_OK;
    }
    return apli_fail(APL_NONCE,
                     "%s: tokenizer.ggml.pre is \"%.80s\", a way of splitting text that is not known", source,
                     name);
}

bool apli_pretokenizer_takes_whole(const AplPretokenizer *pretokenizer) { return pretokenizer->takes_whole; }

void apli_pieces_free(AplPieces *pieces) {
    free(pieces->ends);
    free(pieces->next_ends);
    pcre2_match_data_free(pieces->match);
    pcre2_match_context_free(pieces->context);
    pcre2_jit_stack_free(pieces->stack);
    *pieces = (AplPieces){0};
}

static AplErr prepare(AplPieces *pieces) {
    if (pieces->stack) return APL_OK;
    pieces->match = pcre2_match_data_create(1, NULL);
    pieces->context = pcre2_match_context_create(NULL);
    pieces->stack = pcre2_jit_stack_create(JIT_STACK_START, JIT_STACK_LIMIT, NULL);
    FAIL_IF(!pieces->match || !pieces->context || !pieces->stack, APL_WS_FULL, "no memory to split text");
    pcre2_set_match_limit(pieces->context, MATCH_LIMIT);
    pcre2_set_heap_limit(pieces->context, HEAP_LIMIT_KIB);
    pcre2_jit_stack_assign(pieces->context, NULL, pieces->stack);
    return APL_OK;
}

static AplErr add_end(AplPieces *pieces, size_t end) {
    if (pieces->next_count == pieces->next_capacity) {
        size_t capacity = pieces->next_capacity * 2 + 64;
        uint32_t *ends = realloc(pieces->next_ends, capacity * sizeof *ends);
        FAIL_IF(!ends, APL_WS_FULL, "no memory for %zu pieces of text", capacity);
        pieces->next_ends = ends;
        pieces->next_capacity = capacity;
    }
    pieces->next_ends[pieces->next_count++] = (uint32_t)end;
    return APL_OK;
}

/* The new list becomes the current one. */
static void exchange(AplPieces *pieces) {
    uint32_t *ends = pieces->ends;
    size_t capacity = pieces->capacity;
    pieces->ends = pieces->next_ends;
    pieces->capacity = pieces->next_capacity;
    pieces->count = pieces->next_count;
    pieces->next_ends = ends;
    pieces->next_capacity = capacity;
    pieces->next_count = 0;
}

/* One pattern over text[begin, end): its lookaheads see the piece alone, as if there were no other text. */
static AplErr split_piece(const pcre2_code *code, const char *text, size_t begin, size_t end,
                          AplPieces *pieces) {
    const char *piece = text + begin;
    size_t length = end - begin, at = 0, kept = 0;
    while (at < length) {
        int count = pcre2_match(code, (PCRE2_SPTR)piece, length, at, PCRE2_NO_UTF_CHECK | PCRE2_NOTEMPTY,
                                pieces->match, pieces->context);
        if (count == PCRE2_ERROR_NOMATCH) break;
        if (count < 0) {
            pcre_error(APL_LIMIT, "splitting text", count);
            return apli_fail_within(APL_LIMIT, "a piece of %zu bytes at offset %zu", length, begin);
        }
        const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(pieces->match);
        if (bounds[0] > kept) TRY(add_end(pieces, begin + bounds[0]));
        TRY(add_end(pieces, begin + bounds[1]));
        at = kept = bounds[1];
    }
    if (length > kept) TRY(add_end(pieces, end));
    return APL_OK;
}

AplErr apli_pretokenize(const AplPretokenizer *pretokenizer, const char *text, size_t length,
                        AplPieces *pieces) {
    FAIL_IF(length > UINT32_MAX, APL_LIMIT, "a text of %zu bytes to split", length);
    TRY(prepare(pieces));
    pieces->count = pieces->next_count = 0;
    if (length == 0) return APL_OK;
    TRY(add_end(pieces, length));
    exchange(pieces);
    for (int i = 0; i < pretokenizer->count; i++) {
        pieces->next_count = 0;
        size_t begin = 0;
        for (size_t p = 0; p < pieces->count; begin = pieces->ends[p++])
            TRY(split_piece(pretokenizer->codes[i], text, begin, pieces->ends[p], pieces));
        exchange(pieces);
    }
    return APL_OK;
}
