/* Calls of defined functions, and the run of their statements. */
#include "lang/frame.h"
#include "lang/quad.h"
#include "lang/report.h"
#include "os/small_block.h"
#include "prim/format/format.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- frames ------------------------------------------------------------------------------------------------------ */

/* Of a frame with the slots of a dfn's locals. */
static size_t frame_bytes(const AplBody *body) {
    return sizeof(AplFrame) + (body->kind == BODY_DFN ? (size_t)body->local_count * sizeof(AplValue) : 0);
}

AplErr apli_frame_new(AplSession *session, AplBody *body, AplFrame *lexical, AplFrame **result) {
    const size_t bytes = frame_bytes(body);
    AplFrame *frame = apli_small_block_take(bytes);
    FAIL_IF(!frame, APL_WS_FULL, "no memory for a call");
    memset(frame, 0, bytes);
    frame->references = 1;
    frame->session = session;
    frame->body = apli_body_retain(body);
    frame->slots = (AplValue *)(frame + 1);
    frame->lexical = lexical;
    if (lexical) lexical->references++;
    *result = frame;
    return APL_OK;
}

/* What a call holds is let go when it ends, also when a function value keeps the frame itself: that breaks the cycle of a
   local function and its frame. */
static void empty_frame(AplFrame *frame) {
    if (frame->body->kind == BODY_DFN)
        for (int32_t i = 0; i < frame->body->local_count; i++) apli_value_release(&frame->slots[i]);
    for (int32_t i = 0; i < frame->open_count; i++) apli_array_release(frame->open[i].array);
    frame->open_count = 0;
    apli_array_release(frame->alpha);
    apli_array_release(frame->omega);
    frame->alpha = frame->omega = NULL;
}

void apli_frame_release(AplFrame *frame) {
    if (!frame || --frame->references > 0) return;
    empty_frame(frame);
    free(frame->open);
    apli_frame_release(frame->lexical);
    const size_t bytes = frame_bytes(frame->body);
    apli_body_release(frame->body);
    apli_small_block_give(frame, bytes);
}

/* ---- function values ----------------------------------------------------------------------------------------------- */

static AplOperatorCall call_dfn, call_tradfn;

static void release_body(AplFunction *function) {
    apli_body_release(function->body);
    apli_frame_release(function->scope);
}

static AplErr defined_new(AplBody *body, AplFrame *scope, AplFunction **result) {
    TRY(apli_function_new(APLI_FUNCTION_DEFINED, result));
    AplFunction *function = *result;
    function->release = release_body;
    function->call = body->kind == BODY_DFN ? call_dfn : call_tradfn;
    function->body = apli_body_retain(body);
    if (scope) {
        function->scope = scope;
        scope->references++;
    }
    return APL_OK;
}

AplErr apli_function_of_body(AplFrame *frame, AplBody *body, AplFunction **result) {
    return defined_new(body, body->enclosing ? frame : NULL, result);
}

AplBody *apli_body_of_function(const AplFunction *function) {
    return function->release == release_body ? function->body : NULL;
}

AplErr apli_function_apply_operator(AplFunction *operator_, AplOperand left, AplOperand right, AplFunction **result) {
    const AplBody *body = apli_body_of_function(operator_);
    FAIL_IF(!body || !body->takes_left_operand, APL_SYNTAX, "a function where an operator is needed");
    TRY(defined_new(operator_->body, operator_->scope, result));
    AplFunction *function = *result;
    if (left.function) function->left.function = apli_function_retain(left.function);
    if (left.array) function->left.array = apli_array_retain(left.array);
    if (right.function) function->right.function = apli_function_retain(right.function);
    if (right.array) function->right.array = apli_array_retain(right.array);
    return APL_OK;
}

AplErr apli_function_without_operands(const AplFunction *derived, AplFunction **result) {
    return defined_new(derived->body, derived->scope, result);
}

AplClass apli_class_of_body(const AplBody *body) {
    if (body->takes_right_operand) return CLASS_DYADIC_OPERATOR;
    if (body->takes_left_operand) return CLASS_MONADIC_OPERATOR;
    return body->kind == BODY_TRADFN && !body->right ? CLASS_NILADIC : CLASS_FUNCTION;
}

/* ---- statements ---------------------------------------------------------------------------------------------------- */

/* A condition: one number, 0 or 1. */
static AplErr truth(AplArray *value, bool *result) {
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(value, &plain));
    FAIL_IF(plain->count != 1, plain->rank > 1 ? APL_RANK : APL_LENGTH, "a condition must be one number, its shape is %s",
            apli_shape_text(plain));
    FAIL_IF(!apli_type_is_number((AplType)plain->type), APL_DOMAIN, "a condition must be 0 or 1, not %s",
            apli_types[plain->type].name);
    double number = apli_f64_at(plain, 0);
    FAIL_IF(number != 0 && number != 1, APL_DOMAIN, "a condition must be 0 or 1, not %.10g", number);
    *result = number != 0;
    return APL_OK;
}

static void close_to(AplFrame *frame, int32_t depth) {
    while (frame->open_count > depth) apli_array_release(frame->open[--frame->open_count].array);
}

static AplErr open_one(AplFrame *frame, AplArray *array, int32_t trap_target) {
    if (frame->open_count == frame->open_capacity) {
        int32_t capacity = frame->open_capacity * 2 + 4;
        AplOpen *open = realloc(frame->open, (size_t)capacity * sizeof *open);
        FAIL_IF(!open, APL_WS_FULL, "no memory for a control structure");
        frame->open = open;
        frame->open_capacity = capacity;
    }
    frame->open[frame->open_count++] = (AplOpen){.array = apli_array_retain(array), .trap_target = trap_target};
    return APL_OK;
}

/* :InEach: from an array of items for each name, the values that the names have in each turn. */
static AplErr turns_of(const AplArray *lists, int32_t names, AplArray **result) {
    FAIL_IF(lists->count != 1 && lists->count != names, APL_LENGTH, "%d names of :For for %" PRId64 " lists of values", names,
            lists->count);
    APLI_AUTO AplArray *turns = NULL;
    int64_t count = -1;
    for (int32_t name = 0; name < names; name++) {
        APLI_AUTO AplArray *list = NULL, *plain = NULL;
        TRY(apli_item(lists, lists->count == 1 ? 0 : name, &list));
        TRY(apli_plain(list, &plain));
        if (names == 1) {
            *result = apli_move(&plain);
            return APL_OK;
        }
        if (count < 0) {
            count = plain->count;
            TRY(apli_vector_new(APLI_NESTED, count, &turns));
            for (int64_t i = 0; i < count || i == 0; i++) {
                TRY(apli_vector_new(APLI_NESTED, names, &apli_items(turns)[i]));
            }
        }
        FAIL_IF(plain->count != count, APL_LENGTH, ":InEach goes through %" PRId64 " values and through %" PRId64, count,
                plain->count);
        for (int64_t i = 0; i < count; i++) TRY(apli_item(plain, i, &apli_items(apli_items(turns)[i])[name]));
    }
    for (int32_t name = 0; count == 0 && name < names; name++)
        TRY(apli_scalar_bool(false, &apli_items(apli_items(turns)[0])[name]));
    *result = apli_move(&turns);
    return APL_OK;
}

/* Binds the next item to the names; *done at the end. Names with one variable: the items; with several: their parts. */
static AplErr for_next(AplFrame *frame, AplStatement *statement, bool *done) {
    AplOpen *open = &frame->open[frame->open_count - 1];
    const AplToken *tokens = frame->body->source->tokens;
    *done = open->next >= open->array->count;
    if (*done) return APL_OK;
    APLI_AUTO AplArray *item = NULL, *parts = NULL;
    TRY(apli_item(open->array, open->next++, &item));
    int32_t names = statement->last - statement->first;
    FAIL_IF(names > 1 && item->count != names, APL_LENGTH, "%d names of :For for %" PRId64 " values", names, item->count);
    TRY(apli_plain(item, &parts));
    for (int32_t i = 0; i < names; i++) {
        AplSymbol *symbol = tokens[statement->first + i].symbol;
        APLI_AUTO AplArray *part = NULL;
        if (names > 1) TRY(apli_item(parts, i, &part));
        else part = apli_array_retain(item);
        apli_symbol_set(&frame->session->workspace, symbol,
                        (AplValue){.class = CLASS_VALUE, .array = apli_array_retain(part)});
    }
    return APL_OK;
}

static AplErr case_matches(AplFrame *frame, AplStatement *statement, AplArray *value, bool *matches) {
    const AplEnv *env = &frame->session->env;
    AplArray *subject = frame->open[frame->open_count - 1].array;
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(value, &plain));
    if (frame->open[frame->open_count - 1].trap_target >= 0) { /* :Case of a :Trap: the error's number */
        *matches = false;
        for (int64_t i = 0; i < plain->count && !*matches; i++)
            *matches = apli_type_is_number((AplType)plain->type) &&
                       (apli_f64_at(plain, i) == frame->session->last_error || apli_f64_at(plain, i) == 0);
        return APL_OK;
    }
    *matches = apli_match(env, subject, plain);
    for (int64_t i = 0; statement->slot && !*matches && i < plain->count; i++) {
        APLI_AUTO AplArray *item = NULL;
        TRY(apli_item(plain, i, &item));
        *matches = apli_match(env, subject, item);
    }
    return APL_OK;
}

/* →value: nothing for an empty vector; otherwise the line of its first number; out of the function for no such line. */
static AplErr branch(AplFrame *frame, AplArray *value, bool *leaves) {
    APLI_AUTO AplArray *plain = NULL;
    *leaves = false;
    if (value->count == 0) return APL_OK;
    FAIL_IF(value->rank > 1, APL_RANK, "a branch to an array of shape %s", apli_shape_text(value));
    int64_t line;
    TRY(apli_plain(value, &plain));
    APLI_AUTO AplArray *first = NULL;
    TRY(apli_item(plain, 0, &first));
    TRY(apli_integer(first, "a branch's line", &line));
    const AplBody *body = frame->body;
    if (line <= 0 || line >= body->line_count) {
        *leaves = true;
        return APL_OK;
    }
    frame->statement = body->line_statement[line];
    int32_t depth = frame->statement < body->statement_count ? body->statements[frame->statement].depth : 0;
    FAIL_IF(depth > frame->open_count, APL_SYNTAX, "a branch into a control structure");
    close_to(frame, depth);
    return APL_OK;
}

static void jump(AplFrame *frame, int32_t target) {
    frame->statement = target;
    if (target < frame->body->statement_count) close_to(frame, frame->body->statements[target].depth);
}

/* Displays what an immediate line or a tradfn's line leaves. */
static AplErr display(AplFrame *frame, AplArray *value) {
    APLI_AUTO_TEXT text = {0};
    TRY(apli_display(&frame->session->env, value, &text));
    TRY(apli_text_status(&text));
    apli_session_write(frame->session, apli_text_string(&text), text.length);
    return APL_OK;
}

/* One statement; frame->statement is already the next. *leaves: the function ends, with *result when it is a dfn's. */
static AplErr run_statement(AplFrame *frame, AplStatement *statement, AplArray **result, bool *shy, bool *leaves) {
    APLI_AUTO AplArray *value = NULL;
    bool flag;
    *leaves = false;
    AplStatementKind kind = (AplStatementKind)statement->kind;
    if (kind == STATEMENT_DEFAULT_ALPHA && frame->alpha) return APL_OK;
    TRY(apli_parse_statement(frame, statement));
    switch (kind) {
    case STATEMENT_EMPTY: return APL_OK;
    case STATEMENT_EXPRESSION: {
        bool silent;
        TRY(apli_eval_statement(frame, statement->tree, &value, &silent));
        bool dfn = frame->body->kind == BODY_DFN;
        if (dfn && (!silent || frame->statement == frame->body->statement_count)) {
            /* a dfn ends with its first expression that is no assignment, or with its last one */
            *result = apli_move(&value);
            *shy = silent;
            *leaves = true;
            return APL_OK;
        }
        if (frame->body->kind == BODY_IMMEDIATE && frame->statement == frame->body->statement_count) {
            *result = apli_move(&value); /* the caller decides what to do with the last value */
            *shy = silent;
            return APL_OK;
        }
        return dfn || !value || silent ? APL_OK : display(frame, value);
    }
    case STATEMENT_DEFAULT_ALPHA: return apli_eval_statement(frame, statement->tree, &value, &flag);
    case STATEMENT_BRANCH:
        if (!statement->tree) {
            *leaves = true;
            return APL_OK;
        }
        TRY(apli_eval(frame, statement->tree, &value));
        return apli_at(frame, branch(frame, value, leaves), statement->tree);
    case STATEMENT_GUARD:
        TRY(apli_eval(frame, statement->tree, &value));
        TRY(apli_at(frame, truth(value, &flag), statement->tree));
        if (!flag) return APL_OK;
        *leaves = true;
        return statement->second ? apli_eval_statement(frame, statement->second, result, shy) : APL_OK;
    case STATEMENT_ERROR_GUARD: {
        APLI_AUTO AplArray *plain = NULL;
        TRY(apli_eval(frame, statement->tree, &value));
        TRY(apli_plain(value, &plain));
        frame->statement++; /* past the handler */
        return open_one(frame, plain, frame->statement - 1);
    }
    case STATEMENT_HANDLER:
        *leaves = true;
        return statement->tree ? apli_eval_statement(frame, statement->tree, result, shy) : APL_OK;
    case STATEMENT_JUMP: jump(frame, statement->target); return APL_OK;
    case STATEMENT_TEST:
    case STATEMENT_TEST_NOT:
        TRY(apli_eval(frame, statement->tree, &value));
        TRY(apli_at(frame, truth(value, &flag), statement->tree));
        if (flag == (kind == STATEMENT_TEST_NOT)) jump(frame, statement->target);
        return APL_OK;
    case STATEMENT_RETURN: *leaves = true; return APL_OK;
    case STATEMENT_FOR:
    case STATEMENT_SELECT:
    case STATEMENT_TRAP: {
        TRY(apli_eval(frame, statement->tree, &value));
        APLI_AUTO AplArray *plain = NULL;
        TRY(apli_plain(value, &plain));
        if (statement->slot) { /* :InEach */
            const AplStatement *next = &frame->body->statements[frame->statement];
            APLI_AUTO AplArray *turns = NULL;
            TRY(apli_at(frame, turns_of(plain, next->last - next->first, &turns), statement->tree));
            return open_one(frame, turns, -1);
        }
        return open_one(frame, plain, kind == STATEMENT_TRAP ? statement->target : -1);
    }
    case STATEMENT_FOR_NEXT:
        TRY(for_next(frame, statement, &flag));
        if (flag) jump(frame, statement->target);
        return APL_OK;
    case STATEMENT_CASE:
        TRY(apli_eval(frame, statement->tree, &value));
        TRY(case_matches(frame, statement, value, &flag));
        if (!flag) jump(frame, statement->target);
        return APL_OK;
    case STATEMENT_POP: close_to(frame, frame->open_count - 1); return APL_OK;
    }
    return APL_OK;
}

/* Whether a running :Trap takes the error; if so the frame goes on at its handler. */
static bool trapped(AplFrame *frame, AplErr error) {
    for (int32_t i = frame->open_count - 1; i >= 0; i--) {
        const AplOpen *open = &frame->open[i];
        if (open->trap_target < 0 || open->next) continue;
        bool takes = false;
        for (int64_t k = 0; k < open->array->count && !takes; k++) {
            double number = apli_type_is_number((AplType)open->array->type) ? apli_f64_at(open->array, k) : -1;
            /* 0 takes every error below 1000, 1000 every interrupt */
            takes = number == error || (number == 0 && error < 1000) || (number == 1000 && error >= 1000);
        }
        if (!takes) continue;
        frame->statement = open->trap_target;
        if (frame->body->kind == BODY_DFN) { /* a guard ends with its error */
            close_to(frame, i);
            return true;
        }
        close_to(frame, i + 1);
        frame->open[i].next = 1; /* an error inside the handler is not for this :Trap */
        return true;
    }
    return false;
}

AplErr apli_run_body(AplFrame *frame, AplArray **result, bool *shy) {
    AplSession *session = frame->session;
    AplBody *body = frame->body;
    frame->caller = session->frame;
    session->frame = frame;
    AplErr error = APL_OK;
    bool leaves = false;
    *result = NULL;
    frame->statement = 0;
    body->running++;
    while (!leaves && frame->statement < body->statement_count) {
        AplStatement *statement = &body->statements[frame->statement++];
        error = apli_check(&session->env);
        AplProfile *profile = body->kind == BODY_TRADFN ? session->env.profile : NULL;
        if (__builtin_expect(profile != NULL, 0)) apli_profile_enter(profile, body, body->name->name, statement->line);
        if (!error) error = run_statement(frame, statement, result, shy, &leaves);
        if (__builtin_expect(profile != NULL, 0)) apli_profile_leave(profile);
        if (__builtin_expect(error != APL_OK, 0)) {
            apli_report_frame(frame, statement, error);
            session->fault_offset = -1;
            if (!trapped(frame, error)) break;
            apli_report_clear(session);
            error = APL_OK;
            leaves = false;
        }
    }
    body->running--;
    session->frame = frame->caller;
    return error;
}

/* ---- calls ----------------------------------------------------------------------------------------------------------- */

static void set_operands(AplFrame *frame, const AplFunction *self) {
    frame->left_operand = self->left; /* borrowed: self outlives the call */
    frame->right_operand = self->right;
    frame->self = (AplFunction *)self;
}

static AplErr call_dfn(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, AplArray **result) {
    AplSession *session = env->session;
    AplFrame *frame;
    bool shy = false;
    TRY(apli_frame_new(session, self->body, self->scope, &frame));
    frame->alpha = left ? apli_array_retain(left) : NULL;
    frame->omega = right ? apli_array_retain(right) : NULL;
    set_operands(frame, self);
    AplErr error = apli_run_body(frame, result, &shy);
    session->last_was_shy = shy;
    if (error && *result) {
        apli_array_release(*result);
        *result = NULL;
    }
    empty_frame(frame);
    apli_frame_release(frame);
    return error;
}

/* Localises the body's names: their values wait in `saved`. */
static void localise(AplSession *session, AplBody *body, AplValue *saved) {
    for (int32_t i = 0; i < body->local_count; i++) {
        AplSymbol *symbol = body->locals[i];
        saved[i] = symbol->value;
        if (symbol->value.class > CLASS_VALUE) session->workspace.class_epoch++;
        symbol->value = (AplValue){0};
    }
}

static void delocalise(AplSession *session, AplBody *body, AplValue *saved) {
    for (int32_t i = 0; i < body->local_count; i++) apli_symbol_set(&session->workspace, body->locals[i], saved[i]);
}

static void bind_array(AplSession *session, AplSymbol *symbol, AplArray *array) {
    if (symbol && array)
        apli_symbol_set(&session->workspace, symbol, (AplValue){.class = CLASS_VALUE, .array = apli_array_retain(array)});
}

static void bind_operand(AplSession *session, AplSymbol *symbol, AplOperand operand) {
    if (!symbol) return;
    AplValue value = {.class = CLASS_NONE};
    if (operand.array) value = (AplValue){.class = CLASS_VALUE, .array = apli_array_retain(operand.array)};
    if (operand.function) value = (AplValue){.class = CLASS_FUNCTION, .function = apli_function_retain(operand.function)};
    apli_symbol_set(&session->workspace, symbol, value);
}

/* Labels of a body are variables that hold their line and cannot be assigned. */
static AplErr bind_labels(AplSession *session, AplBody *body) {
    for (int32_t i = 0; i < body->label_count; i++) {
        AplArray *line;
        TRY(apli_scalar_i64(body->labels[i].line, &line));
        apli_symbol_set(&session->workspace, body->labels[i].symbol,
                        (AplValue){.class = CLASS_VALUE, .label = true, .array = line});
    }
    return APL_OK;
}

/* Localised system variables keep their values, and get them back at the end. */
static AplErr save_system(AplSession *session, const AplBody *body, AplArray **saved) {
    for (int32_t i = 0; i < body->system_local_count; i++) TRY(apli_quad_get(session, body->system_locals[i], &saved[i]));
    return APL_OK;
}

static void restore_system(AplSession *session, const AplBody *body, AplArray **saved) {
    for (int32_t i = 0; i < body->system_local_count; i++) {
        if (saved[i]) apli_quad_set(session, body->system_locals[i], saved[i]);
        apli_array_release(saved[i]);
    }
}

static AplErr run_tradfn(AplSession *session, AplFrame *frame, const AplFunction *self, AplArray *left, AplArray *right,
                         AplArray **result) {
    AplBody *body = self->body;
    enum { FEW = 32 };
    AplValue few[FEW], *saved = few;
    if (body->local_count > FEW) {
        saved = malloc((size_t)body->local_count * sizeof *saved);
        FAIL_IF(!saved, APL_WS_FULL, "no memory for %d locals", body->local_count);
    }
    localise(session, body, saved);
    bind_array(session, body->left, left);
    bind_array(session, body->right, right);
    bind_operand(session, body->left_operand, self->left);
    bind_operand(session, body->right_operand, self->right);
    bool shy = false;
    AplArray *ignored = NULL;
    AplArray *system[MOST_SYSTEM_LOCALS] = {0};
    AplErr error = bind_labels(session, body);
    if (!error) error = save_system(session, body, system);
    if (!error) error = apli_run_body(frame, &ignored, &shy);
    apli_array_release(ignored);
    *result = NULL;
    if (!error && body->result) {
        const AplValue *value = &body->result->value;
        if (value->class == CLASS_VALUE) *result = apli_array_retain(value->array);
    }
    restore_system(session, body, system);
    delocalise(session, body, saved);
    if (saved != few) free(saved);
    session->last_was_shy = body->shy;
    return error;
}

static AplErr call_tradfn(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, AplArray **result) {
    AplSession *session = env->session;
    AplBody *body = self->body;
    const char *name = body->name->name;
    FAIL_IF(left && !body->left, APL_SYNTAX, "%s takes no left argument", name);
    FAIL_IF(right && !body->right, APL_SYNTAX, "%s takes no argument", name);
    FAIL_IF(!left && body->left && !body->optional_left && body->kernel, APL_SYNTAX, "%s needs a left argument", name);
    if (body->kernel && env->fused) {
        bool declined = false;
        AplProfile *profile = env->profile;
        if (profile) apli_profile_enter(profile, body->kernel->name, body->kernel->name, APLI_PROFILE_PRIMITIVE);
        AplErr error = body->kernel->call(env, left, right, result, &declined);
        if (profile) apli_profile_leave(profile);
        TRY(error);
        session->last_was_shy = false;
        if (!declined) return APL_OK;
    }
    AplFrame *frame;
    TRY(apli_frame_new(session, body, NULL, &frame));
    set_operands(frame, self);
    AplErr error = run_tradfn(session, frame, self, left, right, result);
    apli_frame_release(frame);
    return error;
}
