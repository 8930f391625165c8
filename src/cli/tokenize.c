/* aplaca tokenize: how a text is split, and what ids mean. */
#include "cli/command.h"
#include "cli/default_model.h"
#include "cli/option.h"
#include "cli/terminal.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char about[] =
    "Shows the tokens of a text, one a line: id and piece. The TEXTs are joined by blanks; \"-\", or no\n"
    "TEXT, is standard input. A first argument that ends in .gguf is the model.";

typedef struct Tokenize {
    bool ids, json, count, plain;
    const char *decode;
    AplTokenizer *tokenizer;
} Tokenize;

static AplErr print_json(const Tokenize *tokenize, const AplTokens *tokens) {
    json_t *list = json_array(), *pieces = json_array();
    AplErr error = APL_OK;
    for (size_t i = 0; i < tokens->length && !error; i++) {
        AplTokenString piece;
        APLI_AUTO_TEXT visible = {0};
        error = apli_tokenizer_token(tokenize->tokenizer, tokens->ids[i], &piece);
        if (error) break;
        json_array_append_new(list, json_integer(tokens->ids[i]));
        json_t *text = json_stringn(piece.bytes, piece.length); /* NULL for part of a character */
        if (!text) {
            apli_text_append_visible(&visible, piece.bytes, piece.length);
            text = json_string(apli_text_string(&visible));
        }
        json_array_append_new(pieces, text);
    }
    json_t *object = error ? NULL
                           : json_pack("{s:I, s:O, s:O}", "count", (json_int_t)tokens->length, "ids", list,
                                       "pieces", pieces);
    json_decref(list);
    json_decref(pieces);
    TRY(error);
    FAIL_IF(!object, APL_WS_FULL, "no memory for the JSON of %zu tokens", tokens->length);
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(object);
    return APL_OK;
}

static AplErr print_tokens(const Tokenize *tokenize, const AplTokens *tokens) {
    if (tokenize->json) return print_json(tokenize, tokens);
    if (tokenize->count) {
        printf("%zu\n", tokens->length);
        return APL_OK;
    }
    for (size_t i = 0; i < tokens->length; i++) {
        if (tokenize->ids) {
            printf("%s%" PRId32, i ? " " : "", tokens->ids[i]);
            continue;
        }
        AplTokenString piece;
        APLI_AUTO_TEXT visible = {0};
        TRY(apli_tokenizer_token(tokenize->tokenizer, tokens->ids[i], &piece));
        apli_text_append_visible(&visible, piece.bytes, piece.length);
        printf("%7" PRId32 "  \"%s\"\n", tokens->ids[i], apli_text_string(&visible));
    }
    if (tokenize->ids) putchar('\n');
    return APL_OK;
}

/* Ids separated by blanks, commas or brackets. */
static AplErr decode(const Tokenize *tokenize) {
    APLI_AUTO_TOKENS tokens = {0};
    APLI_AUTO_TEXT text = {0};
    static const char separators[] = " \t\n,[]";
    for (const char *at = tokenize->decode + strspn(tokenize->decode, separators); *at;
         at += strspn(at, separators)) {
        char *end;
        errno = 0;
        const long long id = strtoll(at, &end, 10);
        FAIL_IF(end == at || (*end && !strchr(separators, *end)), APL_DOMAIN,
                "'%.*s' is not the id of a token", (int)strcspn(at, separators), at);
        FAIL_IF(errno || id < 0 || id > INT32_MAX, APL_INDEX, "there is no token %.*s", (int)(end - at), at);
        TRY(apli_tokens_append(&tokens, (int32_t)id));
        at = end;
    }
    TRY(apli_tokenizer_decode(tokenize->tokenizer, tokens.ids, tokens.length, &text));
    fwrite(apli_text_string(&text), 1, text.length, stdout);
    if (text.length && text.bytes[text.length - 1] != '\n') putchar('\n');
    return APL_OK;
}

static AplErr tokenize_texts(const Tokenize *tokenize, char **texts, int count) {
    APLI_AUTO_TEXT text = {0};
    APLI_AUTO_TOKENS tokens = {0};
    if (count == 0 || (count == 1 && strcmp(texts[0], "-") == 0)) TRY(apli_read_file("-", &text));
    else
        for (int i = 0; i < count; i++) apli_text_printf(&text, "%s%s", i ? " " : "", texts[i]);
    TRY(apli_text_status(&text));
    TRY(apli_tokenizer_encode(tokenize->tokenizer, apli_text_string(&text), text.length,
                              tokenize->plain ? 0 : APLI_ADD_SPECIAL | APLI_PARSE_SPECIAL, &tokens));
    if (tokens.dropped)
        fprintf(stderr, "aplaca: %zu bytes of the text are left out: the vocabulary cannot express them\n",
                tokens.dropped);
    return print_tokens(tokenize, &tokens);
}

static AplErr open_tokenizer(const char *named, AplTokenizer **tokenizer) {
    APLI_AUTO_TEXT path = {0};
    AplModel *model;
    TRY(apli_model_path(named, &path));
    TRY(apli_model_open(path.bytes, &model));
    AplErr error = apli_model_tokenizer(model, tokenizer);
    apli_model_close(model);
    return error;
}

int command_tokenize(int count, char **arguments) {
    Tokenize tokenize = {0};
    const AplOption options[] = {
        {"--ids", APLI_OPTION_FLAG, &tokenize.ids, NULL, "print the ids only, in a line", 0, 0},
        {"--count", APLI_OPTION_FLAG, &tokenize.count, NULL, "print how many tokens there are", 0, 0},
        {"--no-special", APLI_OPTION_FLAG, &tokenize.plain, NULL,
         "control tokens in the text are text; no begin or end token", 0, 0},
        {"--decode", APLI_OPTION_TEXT, &tokenize.decode, "IDS",
         "print the text of these ids (\"18 4 7\") instead", 0, 0},
        {"--json", APLI_OPTION_FLAG, &tokenize.json, NULL, "print one JSON object: count, ids, pieces", 0, 0},
    };
    const AplSyntax syntax = {"tokenize",
                              "aplaca tokenize [MODEL.gguf] [OPTIONS] [TEXT...|-]",
                              about,
                              options,
                              sizeof options / sizeof *options,
                              0,
                              -1,
                              "text"};
    int operands, status = apli_options_parse(&syntax, count, arguments, &operands);
    if (status >= 0) return status;
    const size_t length = operands ? strlen(arguments[0]) : 0;
    const bool named = length > 5 && strcmp(arguments[0] + length - 5, ".gguf") == 0;
    if (tokenize.decode && operands > named)
        return apli_complain_usage("tokenize", "--decode takes no text, not '%s'", arguments[named]);
    if (!tokenize.decode && operands == named && isatty(STDIN_FILENO))
        return apli_complain_usage("tokenize", "no text is given");
    AplErr error = open_tokenizer(named ? arguments[0] : NULL, &tokenize.tokenizer);
    if (!error)
        error = tokenize.decode ? decode(&tokenize)
                                : tokenize_texts(&tokenize, arguments + named, operands - named);
    apli_tokenizer_free(tokenize.tokenizer);
    return error ? apli_complain(error) : 0;
}
