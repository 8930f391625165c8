/* Sessions: the execution of texts, ∇ definitions among their lines, and access to variables from outside. */
#include "lang/session.h"

#include "lang/frame.h"
#include "lang/report.h"
#include "prim/format/format.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What a call must leave of the stack for the primitive it ends in. */
enum { STACK_RESERVE = 256 * 1024 };

/* The lowest address that calls on this thread's stack may reach. */
static const char *stack_limit(void) {
    static _Thread_local const char *limit;
    if (limit) return limit;
    pthread_attr_t attributes;
    void *lowest = NULL;
    size_t size = 0;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
        pthread_attr_getstack(&attributes, &lowest, &size);
        pthread_attr_destroy(&attributes);
    }
    if (lowest && size > 2 * STACK_RESERVE) limit = (const char *)lowest + STACK_RESERVE;
    return limit;
}

static AplErr execute_here(AplEnv *env, const char *text, size_t length, AplArray **result);

static void set_variables(AplEnv *env) {
    env->index_origin = 1;
    env->comparison_tolerance = 1e-14;
    env->migration_level = 1;
    env->print_precision = 10;
    env->print_width = 80;
    env->random_state = 16807;
}

AplErr apli_session_new(AplSession **result) {
    AplSession *session = calloc(1, sizeof *session);
    FAIL_IF(!session, APL_WS_FULL, "no memory for a session");
    session->env = (AplEnv){.fused = true, .session = session, .execute = execute_here};
    set_variables(&session->env);
    session->fault_offset = -1;
    AplErr error = apli_workspace_init(&session->workspace);
    if (error) {
        free(session);
        return error;
    }
    *result = session;
    return APL_OK;
}

void apli_session_free(AplSession *session) {
    if (!session) return;
    apli_workspace_free(&session->workspace);
    apli_array_release(session->arguments);
    apli_text_free(&session->report);
    apli_text_free(&session->last_diagnostic);
    free(session);
}

void apli_session_clear(AplSession *session) {
    apli_workspace_clear(&session->workspace);
    apli_report_clear(session);
    apli_text_clear(&session->last_diagnostic);
    session->last_error = APL_OK;
    set_variables(&session->env);
}

void apli_session_write(AplSession *session, const char *bytes, size_t length) {
    if (session->write) session->write(session->user, bytes, length);
    else fwrite(bytes, 1, length, stdout);
}

static AplErr run_lines(AplSession *session, AplSource *source, AplFrame *lexical, AplArray **result, bool *shy) {
    AplBody *body;
    TRY(apli_body_of_lines(session, source, 0, source->token_count, &body));
    body->enclosing = lexical ? lexical->body : NULL;
    AplFrame *frame;
    AplErr error = apli_frame_new(session, body, lexical, &frame);
    if (!error) {
        if (lexical) {
            frame->alpha = lexical->alpha ? apli_array_retain(lexical->alpha) : NULL;
            frame->omega = lexical->omega ? apli_array_retain(lexical->omega) : NULL;
            frame->left_operand = lexical->left_operand;
            frame->right_operand = lexical->right_operand;
            frame->self = lexical->self;
        }
        error = apli_run_body(frame, result, shy);
        if (frame->alpha) apli_array_release(frame->alpha);
        if (frame->omega) apli_array_release(frame->omega);
        frame->alpha = frame->omega = NULL;
        apli_frame_release(frame);
    }
    apli_body_release(body);
    if (error && *result) {
        apli_array_release(*result);
        *result = NULL;
    }
    return error;
}

static AplErr execute_here(AplEnv *env, const char *text, size_t length, AplArray **result) {
    AplSession *session = env->session;
    AplSource *source;
    int32_t offset;
    *result = NULL;
    AplErr error = apli_scan(&session->workspace, text, length, &source, &offset);
    if (error) {
        apli_report_source(session, NULL, text, length, offset, error);
        return error;
    }
    bool shy = false;
    error = run_lines(session, source, session->frame, result, &shy);
    if (error && session->report.length == 0)
        apli_report_source(session, NULL, text, length, session->fault_offset < 0 ? 0 : session->fault_offset, error);
    session->fault_offset = -1;
    session->last_was_shy = shy;
    apli_source_release(source);
    return error;
}

AplErr apli_session_define(AplSession *session, const char *text, size_t length, AplSymbol **symbol) {
    AplSource *source;
    AplBody *body;
    AplFunction *function;
    int32_t offset;
    AplErr error = apli_scan(&session->workspace, text, length, &source, &offset);
    if (error) {
        session->fault_offset = offset;
        return error;
    }
    error = apli_body_of_tradfn(session, source, 0, source->token_count, &body);
    apli_source_release(source);
    TRY(error);
    error = apli_function_of_body(NULL, body, &function);
    if (!error) {
        *symbol = body->name;
        apli_symbol_set(&session->workspace, body->name, (AplValue){.class = apli_class_of_body(body), .function = function});
    }
    apli_body_release(body);
    return error;
}

/* ---- texts with ∇ definitions ----------------------------------------------------------------------------------------- */

static const char nabla[] = "∇";

static size_t line_end(const char *text, size_t length, size_t at) {
    const char *end = memchr(text + at, '\n', length - at);
    return end ? (size_t)(end - text) : length;
}

/* Whether a line begins with ∇; *after is what follows it. */
static bool begins_with_nabla(const char *text, size_t begin, size_t end, size_t *after) {
    while (begin < end && (text[begin] == ' ' || text[begin] == '\t')) begin++;
    size_t size = strlen(nabla);
    if (end - begin < size || memcmp(text + begin, nabla, size) != 0) return false;
    *after = begin + size;
    return true;
}

static bool only_space(const char *text, size_t begin, size_t end) {
    while (begin < end && (text[begin] == ' ' || text[begin] == '\t' || text[begin] == '\r')) begin++;
    return begin == end || (end - begin >= strlen("⍝") && memcmp(text + begin, "⍝", strlen("⍝")) == 0);
}

/* A ∇ that closes the definition at the end of a line. */
static bool ends_with_nabla(const char *text, size_t begin, size_t *end) {
    size_t size = strlen(nabla), at = *end;
    while (at > begin && (text[at - 1] == ' ' || text[at - 1] == '\r' || text[at - 1] == '\t')) at--;
    if (at - begin < size || memcmp(text + at - size, nabla, size) != 0 || memmem(text + begin, at - begin, "⍝", 3)) return false;
    *end = at - size;
    return true;
}

typedef struct Text {
    AplSession *session;
    const char *name;
    const char *text;
    size_t length;
    bool display;
} Text;

static AplErr run_segment(const Text *whole, size_t begin, size_t end, AplArray **result) {
    AplSession *session = whole->session;
    AplSource *source;
    int32_t offset;
    bool shy = false;
    AplErr error = apli_scan(&session->workspace, whole->text + begin, end - begin, &source, &offset);
    if (error) {
        apli_report_source(session, whole->name, whole->text, whole->length, (int32_t)begin + offset, error);
        return error;
    }
    AplArray *value = NULL;
    session->text_name = whole->name;
    session->text_line = 1;
    for (size_t i = 0; i < begin; i++) session->text_line += whole->text[i] == '\n';
    error = run_lines(session, source, NULL, &value, &shy);
    if (error && session->report.length == 0)
        apli_report_source(session, whole->name, whole->text, whole->length,
                           (int32_t)begin + (session->fault_offset < 0 ? 0 : session->fault_offset), error);
    apli_source_release(source);
    TRY(error);
    if (value && whole->display) {
        APLI_AUTO_TEXT text = {0};
        if (!shy) error = apli_display(&session->env, value, &text);
        if (!error && !shy) apli_session_write(session, apli_text_string(&text), text.length);
        apli_array_release(value);
        return error;
    }
    if (value && result) {
        apli_array_release(*result);
        *result = value;
    } else {
        apli_array_release(value);
    }
    return APL_OK;
}

static AplErr define_segment(const Text *whole, size_t begin, size_t end) {
    AplSymbol *symbol;
    AplErr error = apli_session_define(whole->session, whole->text + begin, end - begin, &symbol);
    if (error)
        apli_report_source(whole->session, whole->name, whole->text, whole->length,
                           (int32_t)begin + (whole->session->fault_offset < 0 ? 0 : whole->session->fault_offset), error);
    return error;
}

/* The end of the definition that begins at `at`; *next is the line after it. */
static AplErr definition_end(const Text *whole, size_t at, size_t *end, size_t *next) {
    size_t begin = at;
    for (size_t line = at; line < whole->length || line == at;) {
        size_t stop = line_end(whole->text, whole->length, line), after, cut = stop;
        if (line != at && begins_with_nabla(whole->text, line, stop, &after) && only_space(whole->text, after, stop)) {
            *end = line ? line - 1 : 0;
            *next = stop + 1;
            return APL_OK;
        }
        if (line != at && ends_with_nabla(whole->text, line, &cut)) {
            *end = cut;
            *next = stop + 1;
            return APL_OK;
        }
        line = stop + 1;
    }
    apli_fail(APL_DEFN, "a definition has no closing ∇");
    apli_report_source(whole->session, whole->name, whole->text, whole->length, (int32_t)begin, APL_DEFN);
    return APL_DEFN;
}

AplErr apli_session_execute(AplSession *session, const char *name, const char *text, size_t length, bool display,
                            AplArray **result) {
    Text whole = {session, name, text, length, display};
    apli_report_clear(session);
    const char *limit = session->env.stack_limit;
    session->env.stack_limit = stack_limit();
    if (result) *result = NULL;
    AplErr error = APL_OK;
    size_t begin = 0, at = 0, after;
    if (length > 2 && memcmp(text, "#!", 2) == 0) begin = at = line_end(text, length, 0);
    while (!error && at < length) {
        size_t stop = line_end(text, length, at);
        if (!begins_with_nabla(text, at, stop, &after)) {
            at = stop + 1;
            continue;
        }
        size_t end = 0, next = 0;
        if (at > begin) error = run_segment(&whole, begin, at, result);
        if (!error) error = definition_end(&whole, after, &end, &next);
        if (!error) error = define_segment(&whole, after, end);
        begin = at = next;
    }
    if (!error && begin < length) error = run_segment(&whole, begin, length, result);
    session->env.stack_limit = limit;
    if (error) {
        session->frame = NULL;
        if (result && *result) {
            apli_array_release(*result);
            *result = NULL;
        }
    }
    return error;
}

/* ---- variables ----------------------------------------------------------------------------------------------------------- */

AplErr apli_session_get(AplSession *session, const char *name, AplArray **result) {
    AplSymbol *symbol;
    TRY(apli_symbol(&session->workspace, name, strlen(name), &symbol));
    FAIL_IF(symbol->value.class != CLASS_VALUE, APL_VALUE, "%s has no value", name);
    *result = apli_array_retain(symbol->value.array);
    return APL_OK;
}

AplErr apli_session_set(AplSession *session, const char *name, AplArray *value) {
    AplSymbol *symbol;
    TRY(apli_symbol(&session->workspace, name, strlen(name), &symbol));
    apli_symbol_set(&session->workspace, symbol, (AplValue){.class = CLASS_VALUE, .array = apli_array_retain(value)});
    return APL_OK;
}

AplErr apli_session_call(AplSession *session, const char *name, AplArray *left, AplArray *right, AplArray **result) {
    AplSymbol *symbol;
    apli_report_clear(session);
    TRY(apli_symbol(&session->workspace, name, strlen(name), &symbol));
    FAIL_IF(symbol->value.class != CLASS_FUNCTION, APL_VALUE, "%s is no defined function", name);
    FAIL_IF(!right, APL_SYNTAX, "%s needs an argument", name);
    const char *limit = session->env.stack_limit;
    session->env.stack_limit = stack_limit();
    AplFunction *function = apli_function_retain(symbol->value.function);
    AplErr error = apli_call(&session->env, function, left, right, result);
    apli_function_release(function);
    session->env.stack_limit = limit;
    session->fault_offset = -1;
    if (error) {
        session->frame = NULL;
        apli_report_source(session, NULL, name, strlen(name), 0, error); /* unless a line of the function is reported */
    }
    return error;
}
