/* System variables and functions that need the workspace or the session; pure ones live in prim/quad. */
#include "lang/quad.h"

#include "lang/frame.h"
#include "lang/report.h"
#include "prim/quad/quad_functions.h"
#include "prim/representation/representation.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static AplSession *session_of(AplEnv *env) { return env->session; }

/* ---- variables --------------------------------------------------------------------------------------------------- */

#define INTEGER_VARIABLE(name, field, low, high) \
    static AplErr get_##name(AplSession *session, AplArray **result) { \
        return apli_scalar_i64((int64_t)session->env.field, result); \
    } \
    static AplErr set_##name(AplSession *session, AplArray *value) { \
        int64_t number; \
        TRY(apli_integer(value, "a system variable's value", &number)); \
        FAIL_IF(number < (low) || number > (high), APL_DOMAIN, "%" PRId64 " is not between %d and %d", number, (int)(low), \
                (int)(high)); \
        session->env.field = (__typeof__(session->env.field))number; \
        return APL_OK; \
    }
INTEGER_VARIABLE(io, index_origin, 0, 1)
INTEGER_VARIABLE(ml, migration_level, 0, 3)
INTEGER_VARIABLE(pp, print_precision, 1, 34)
INTEGER_VARIABLE(pw, print_width, 30, 32767)
INTEGER_VARIABLE(rl, random_state, 0, INT32_MAX)

static AplErr get_ct(AplSession *session, AplArray **result) {
    return apli_scalar_f64(session->env.comparison_tolerance, result);
}

static AplErr set_ct(AplSession *session, AplArray *value) {
    APLI_AUTO AplArray *number = NULL;
    FAIL_IF(value->count != 1, APL_LENGTH, "⎕CT is one number, not %s", apli_shape_text(value));
    TRY(apli_convert(value, APLI_F64, &number));
    double tolerance = *(double *)number->data;
    FAIL_IF(!(tolerance >= 0 && tolerance <= 0x1p-32), APL_DOMAIN, "%g is not between 0 and 2*¯32", tolerance);
    session->env.comparison_tolerance = tolerance;
    return APL_OK;
}

/* ---- niladic functions --------------------------------------------------------------------------------------------- */

static AplErr get_alphabet(AplSession *session, AplArray **result) {
    (void)session;
    return apli_string("ABCDEFGHIJKLMNOPQRSTUVWXYZ", 26, result);
}

static AplErr get_digits(AplSession *session, AplArray **result) {
    (void)session;
    return apli_string("0123456789", 10, result);
}

static AplErr get_ts(AplSession *session, AplArray **result) { return apli_quad_ts(&session->env, result); }
static AplErr get_ai(AplSession *session, AplArray **result) { return apli_quad_ai(&session->env, result); }

static AplErr get_en(AplSession *session, AplArray **result) { return apli_scalar_i64(session->last_error, result); }

/* Lines of UTF-8 text as a vector of character vectors. */
static AplErr lines_of(const char *text, size_t length, AplArray **result) {
    APLI_AUTO AplArray *lines = NULL;
    int64_t count = 0;
    for (size_t i = 0; i < length; i++) count += text[i] == '\n';
    count += length && text[length - 1] != '\n';
    TRY(apli_vector_new(APLI_NESTED, count, &lines));
    if (count == 0) TRY(apli_string("", 0, &apli_items(lines)[0]));
    for (int64_t i = 0; i < count; i++) {
        const char *end = memchr(text, '\n', length);
        size_t size = end ? (size_t)(end - text) : length;
        TRY(apli_string(text, size, &apli_items(lines)[i]));
        text += size + 1;
        length -= size < length ? size + 1 : size;
    }
    *result = apli_move(&lines);
    return APL_OK;
}

static AplErr get_dm(AplSession *session, AplArray **result) {
    return lines_of(apli_text_string(&session->last_diagnostic), session->last_diagnostic.length, result);
}

static AplErr get_lc(AplSession *session, AplArray **result) {
    int64_t count = 0;
    for (AplFrame *frame = session->frame; frame; frame = frame->caller) count += frame->body->kind != BODY_IMMEDIATE;
    TRY(apli_vector_new(APLI_I64, count, result));
    int64_t *lines = (int64_t *)(*result)->data;
    for (AplFrame *frame = session->frame; frame; frame = frame->caller)
        if (frame->body->kind != BODY_IMMEDIATE) *lines++ = frame->body->statements[frame->statement - 1].line;
    return apli_squeeze(result);
}

static AplErr get_si(AplSession *session, AplArray **result) {
    APLI_AUTO_TEXT text = {0};
    for (AplFrame *frame = session->frame; frame; frame = frame->caller) {
        if (frame->body->kind != BODY_IMMEDIATE)
            apli_text_printf(&text, "%s\n", frame->body->name ? frame->body->name->name : "{}");
    }
    return lines_of(apli_text_string(&text), text.length, result);
}

static AplErr get_wa(AplSession *session, AplArray **result) {
    (void)session;
    size_t limit = apli_memory_limit(), used = apli_memory_used();
    return apli_scalar_i64((int64_t)((limit > INT64_MAX ? INT64_MAX : limit) - used), result);
}

static AplErr get_tc(AplSession *session, AplArray **result) {
    (void)session;
    return apli_string("\b\n\r", 3, result);
}

static AplErr get_arg(AplSession *session, AplArray **result) {
    if (!session->arguments) return lines_of("", 0, result);
    *result = apli_array_retain(session->arguments);
    return APL_OK;
}

/* ---- names ----------------------------------------------------------------------------------------------------------- */

/* Calls `each` for every name in a character vector, a matrix of names, or a vector of character vectors. */
static AplErr each_name(AplEnv *env, AplArray *names,
                        AplErr (*each)(AplSession *session, const char *name, int64_t *result), AplArray **result) {
    APLI_AUTO AplArray *answers = NULL;
    bool nested = names->type == APLI_NESTED, matrix = names->rank == 2;
    FAIL_IF(names->rank > 2, APL_RANK, "names of shape %s", apli_shape_text(names));
    int64_t count = nested ? names->count : matrix ? names->shape[0] : 1;
    TRY(apli_array_new(APLI_I64, nested || matrix, &count, &answers));
    for (int64_t i = 0; i < count; i++) {
        APLI_AUTO AplArray *name = NULL;
        APLI_AUTO_TEXT text = {0};
        if (nested) name = apli_array_retain(apli_items(names)[i]);
        else if (matrix) TRY(apli_cell(names, i, &name));
        else name = apli_array_retain(names);
        TRY(apli_text_of(name, "a name", &text));
        while (text.length && text.bytes[text.length - 1] == ' ') text.bytes[--text.length] = 0;
        TRY(each(session_of(env), apli_text_string(&text), &((int64_t *)answers->data)[i]));
    }
    TRY(apli_squeeze(&answers));
    *result = apli_move(&answers);
    return APL_OK;
}

static AplErr class_of_name(AplSession *session, const char *name, int64_t *result) {
    AplSymbol *symbol;
    AplFrame *frame = session->frame;
    TRY(apli_symbol(&session->workspace, name, strlen(name), &symbol));
    AplClass class = CLASS_NONE;
    for (; frame && class == CLASS_NONE; frame = frame->lexical)
        for (int32_t i = 0; frame->body->kind == BODY_DFN && i < frame->body->local_count; i++)
            if (frame->body->locals[i] == symbol) class = frame->slots[i].class;
    if (class == CLASS_NONE) class = symbol->value.class;
    static const int64_t numbers[] = {[CLASS_NONE] = 0, [CLASS_VALUE] = 2, [CLASS_FUNCTION] = 3, [CLASS_NILADIC] = 3,
                                      [CLASS_MONADIC_OPERATOR] = 4, [CLASS_DYADIC_OPERATOR] = 4};
    *result = symbol->value.label ? 1 : numbers[class];
    return APL_OK;
}

static AplErr name_class(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return each_name(env, right, class_of_name, result);
}

static AplErr expunge_name(AplSession *session, const char *name, int64_t *result) {
    AplSymbol *symbol;
    TRY(apli_symbol(&session->workspace, name, strlen(name), &symbol));
    *result = !symbol->value.label && symbol->name[0] != 0;
    if (*result) apli_symbol_set(&session->workspace, symbol, (AplValue){0});
    return APL_OK;
}

static AplErr expunge(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return each_name(env, right, expunge_name, result);
}

/* ⎕NL classes: a matrix of names for positive ones, a vector of vectors when one is negative. */
static AplErr name_list(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO AplArray *classes = NULL;
    TRY(apli_integers(right, "the argument of ⎕NL", &classes));
    unsigned mask = 0;
    bool nested = false;
    for (int64_t i = 0; i < classes->count; i++) {
        int64_t class = ((int64_t *)classes->data)[i];
        nested |= class < 0;
        if (class == 2 || class == -2) mask |= 1u << CLASS_VALUE;
        if (class == 3 || class == -3) mask |= 1u << CLASS_FUNCTION | 1u << CLASS_NILADIC;
        if (class == 4 || class == -4) mask |= 1u << CLASS_MONADIC_OPERATOR | 1u << CLASS_DYADIC_OPERATOR;
    }
    AplSymbol **list;
    size_t count, width = 0;
    TRY(apli_workspace_list(&session_of(env)->workspace, mask, &list, &count));
    APLI_AUTO_TEXT text = {0};
    for (size_t i = 0; i < count; i++) {
        apli_text_printf(&text, "%s\n", list[i]->name);
        width = strlen(list[i]->name) > width ? strlen(list[i]->name) : width;
    }
    free(list);
    APLI_AUTO AplArray *lines = NULL, *matrix = NULL;
    TRY(lines_of(apli_text_string(&text), text.length, &lines));
    if (nested) {
        *result = apli_move(&lines);
        return APL_OK;
    }
    int64_t shape[2] = {(int64_t)count, 0};
    for (size_t i = 0; i < count; i++)
        if (apli_items(lines)[i]->count > shape[1]) shape[1] = apli_items(lines)[i]->count;
    TRY(apli_array_new(APLI_CHAR32, 2, shape, &matrix));
    uint32_t *characters = (uint32_t *)matrix->data;
    for (int64_t i = 0; i < matrix->count; i++) characters[i] = ' ';
    for (size_t i = 0; i < count; i++) {
        const AplArray *name = apli_items(lines)[i];
        for (int64_t k = 0; k < name->count; k++) characters[(int64_t)i * shape[1] + k] = apli_char_at(name, k);
    }
    TRY(apli_squeeze(&matrix));
    *result = apli_move(&matrix);
    return APL_OK;
}

/* ---- definitions --------------------------------------------------------------------------------------------------------- */

/* ⎕FX: the function's name, or the number of the line (from 0) that is in error. */
static AplErr fix(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    AplSession *session = session_of(env);
    APLI_AUTO_TEXT text = {0};
    bool matrix = right->rank == 2;
    FAIL_IF(right->rank > 2, APL_RANK, "a function's text of shape %s", apli_shape_text(right));
    int64_t count = right->type == APLI_NESTED ? right->count : matrix ? right->shape[0] : 1;
    for (int64_t i = 0; i < count; i++) {
        APLI_AUTO AplArray *line = NULL;
        if (right->type == APLI_NESTED) line = apli_array_retain(apli_items(right)[i]);
        else if (matrix) TRY(apli_cell(right, i, &line));
        else line = apli_array_retain(right);
        if (i) apli_text_append_string(&text, "\n");
        TRY(apli_text_of(line, "a line of a function", &text));
    }
    AplSymbol *symbol;
    AplErr error = apli_session_define(session, apli_text_string(&text), text.length, &symbol);
    if (error == APL_WS_FULL) return error;
    if (error) {
        int64_t line = 0;
        for (int32_t i = 0; i < session->fault_offset && (size_t)i < text.length; i++) line += text.bytes[i] == '\n';
        session->fault_offset = -1;
        return apli_scalar_i64(line, result);
    }
    return apli_string(symbol->name, strlen(symbol->name), result);
}

/* The lines of a defined function's text: a character matrix. */
static AplErr canonical(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    AplSession *session = session_of(env);
    APLI_AUTO_TEXT name = {0};
    AplSymbol *symbol;
    TRY(apli_text_of(right, "a name", &name));
    TRY(apli_symbol(&session->workspace, apli_text_string(&name), name.length, &symbol));
    AplFunction *function = symbol->value.class > CLASS_VALUE ? symbol->value.function : NULL;
    int64_t none[2] = {0, 0};
    const AplBody *body = function ? apli_body_of_function(function) : NULL;
    if (!body) return apli_array_new(APLI_CHAR8, 2, none, result);
    const AplToken *tokens = body->source->tokens;
    APLI_AUTO_TEXT text = {0};
    if (body->kind == BODY_DFN) apli_text_printf(&text, "%s←", symbol->name);
    apli_text_append(&text, body->source->text + tokens[body->first].offset,
                     (size_t)(tokens[body->last].offset - tokens[body->first].offset));
    while (text.length && isspace((unsigned char)text.bytes[text.length - 1])) text.bytes[--text.length] = 0;
    APLI_AUTO AplArray *lines = NULL;
    TRY(lines_of(apli_text_string(&text), text.length, &lines));
    return apli_call(env, apli_function_of_prim(apli_prim_of(U'↑')), NULL, lines, result);
}

/* ⎕SIGNAL number: the error itself, with its own text or the one given. */
static AplErr signal_with(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis, (void)result;
    APLI_AUTO_TEXT text = {0};
    int64_t number;
    if (right->count == 0) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    TRY(apli_integer(right, "the argument of ⎕SIGNAL", &number));
    FAIL_IF(number < 1 || number > 999, APL_DOMAIN, "⎕SIGNAL %" PRId64 " is not between 1 and 999", number);
    if (left) TRY(apli_text_of(left, "the text of ⎕SIGNAL", &text));
    apli_fail((AplErr)number, "%s", apli_text_string(&text));
    return (AplErr)number;
}

static AplErr signal_(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    return signal_with(env, NULL, right, axis, result);
}

/* ⎕EM numbers: the names of the kinds of errors. */
static AplErr event_message(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    APLI_AUTO AplArray *numbers = NULL, *names = NULL;
    TRY(apli_integers(right, "the argument of ⎕EM", &numbers));
    TRY(apli_array_new_like(APLI_NESTED, numbers, &names));
    if (numbers->count == 0) TRY(apli_string("", 0, &apli_items(names)[0]));
    for (int64_t i = 0; i < numbers->count; i++) {
        const char *name = apli_error_name((AplErr)((int64_t *)numbers->data)[i]);
        TRY(apli_string(name, strlen(name), &apli_items(names)[i]));
    }
    *result = numbers->rank ? apli_move(&names) : apli_array_retain(apli_items(names)[0]);
    return APL_OK;
}

/* ---- the table -------------------------------------------------------------------------------------------------------------- */

const AplQuad apli_quads[] = {
#define QUAD_VAR(name, get, set) {name, QUAD_VARIABLE, get, set, apli_no_monadic, apli_no_dyadic, false},
#define QUAD_NILADIC(name, get) {name, QUAD_NILADIC, get, NULL, apli_no_monadic, apli_no_dyadic, false},
#define QUAD_FN(name, monadic, dyadic) {name, QUAD_FUNCTION, NULL, NULL, monadic, dyadic, false},
#define QUAD_FORMS_FN(name, monadic, dyadic) {name, QUAD_FUNCTION, NULL, NULL, monadic, dyadic, true},
#include "lang/quad.def"
#undef QUAD_VAR
#undef QUAD_NILADIC
#undef QUAD_FN
#undef QUAD_FORMS_FN
};
enum { QUAD_COUNT = sizeof apli_quads / sizeof *apli_quads };

int apli_quad_find(const char *name, size_t length) {
    for (int row = 0; row < QUAD_COUNT; row++)
        if (strlen(apli_quads[row].name) == length && strncasecmp(apli_quads[row].name, name, length) == 0) return row;
    return -1;
}

AplErr apli_quad_get(AplSession *session, int row, AplArray **result) { return apli_quads[row].get(session, result); }

AplErr apli_quad_set(AplSession *session, int row, AplArray *value) {
    FAIL_IF(apli_quads[row].kind != QUAD_VARIABLE, APL_SYNTAX, "⎕%s cannot be assigned", apli_quads[row].name);
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(value, &plain));
    return apli_quads[row].set(session, plain);
}

static AplErr call_quad(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, AplArray **result) {
    const AplQuad *quad = self->body;
    APLI_AUTO AplArray *plain_left = NULL, *plain_right = NULL;
    if (quad->takes_forms) plain_right = apli_array_retain(right);
    else TRY(apli_plain(right, &plain_right));
    if (left) TRY(apli_plain(left, &plain_left));
    return left ? quad->dyadic(env, plain_left, plain_right, NULL, result)
                : quad->monadic(env, plain_right, NULL, result);
}

AplFunction *apli_quad_function(int row) {
    static AplFunction functions[QUAD_COUNT];
    AplFunction *function = &functions[row];
    function->references = 1 << 30;
    function->kind = APLI_FUNCTION_DEFINED;
    function->call = call_quad;
    function->body = (void *)&apli_quads[row];
    return function;
}

AplErr apli_quad_input(AplSession *session, bool characters, AplArray **result) {
    APLI_AUTO_TEXT line = {0};
    FAIL_IF(!session->read_line, APL_NONCE, "input with ⎕ or ⍞: this session has no input");
    TRY(session->read_line(session->user, characters ? "" : "⎕:\n      ", &line));
    if (characters) return apli_string(apli_text_string(&line), line.length, result);
    TRY(session->env.execute(&session->env, apli_text_string(&line), line.length, result));
    FAIL_IF(!*result, APL_VALUE, "the line gave no value");
    return APL_OK;
}
