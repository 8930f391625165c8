/* A running function. */
#ifndef APLI_LANG_FRAME_H
#define APLI_LANG_FRAME_H

#include "lang/node.h"
#include "lang/session.h"
#include "prim/profile.h"

/* An open :For, :Select or :Trap. */
typedef struct AplOpen {
    AplArray *array; /* items, subject, or trapped numbers */
    int64_t next;
    int32_t trap_target; /* -1 unless a :Trap */
} AplOpen;

struct AplFrame {
    int32_t references;
    AplSession *session;
    AplBody *body;
    AplFrame *lexical; /* the frame in which the dfn was written; retained */
    AplFrame *caller; /* borrowed: outlives this frame */
    AplArray *alpha, *omega;
    AplOperand left_operand, right_operand; /* borrowed from the function called, which the caller holds */
    AplFunction *self; /* what ∇ calls; borrowed from the call */
    AplValue *slots;
    int32_t statement; /* running now */
    AplOpen *open;
    int32_t open_count, open_capacity;
};

/* Evaluates; *result is owned, never NULL. */
AplErr apli_eval_any(AplFrame *frame, AplNode *node, AplArray **result);
static inline AplErr apli_eval(AplFrame *frame, AplNode *node, AplArray **result) {
    const bool variable = node->kind == NODE_SYMBOL && node->symbol->value.class == CLASS_VALUE;
    if (!variable && node->kind != NODE_CONSTANT) return apli_eval_any(frame, node, result);
    *result = apli_array_retain(variable ? node->symbol->value.array : node->array);
    return APL_OK;
}
/* As a whole statement: *result is NULL when a function gave none; *shy: an assignment, or a shy function's result. */
AplErr apli_eval_statement(AplFrame *frame, AplNode *node, AplArray **result, bool *shy);
AplErr apli_eval_function(AplFrame *frame, AplNode *node, AplFunction **result);
AplErr apli_assign(AplFrame *frame, AplNode *target, AplNode *function, AplArray *value);
/* The value of a slot, wherever it is now: its frame, a lexical parent, or the symbol. */
AplValue *apli_local(AplFrame *frame, const AplNode *node);

/* Runs the statements of frame->body. *result may be NULL when there is none. *shy: not to be displayed. */
AplErr apli_run_body(AplFrame *frame, AplArray **result, bool *shy);
AplErr apli_frame_new(AplSession *session, AplBody *body, AplFrame *lexical, AplFrame **result);
void apli_frame_release(AplFrame *frame);

/* Makes sure that a statement is parsed for the classes that its names have now. */
AplErr apli_parse_statement(AplFrame *frame, AplStatement *statement);
/* The body of a dfn whose opening brace is token `open`. */
AplErr apli_body_of_dfn(AplSource *source, int32_t open, AplBody *enclosing, AplBody **result);
/* A body that runs [first, last) of the source as immediate lines. */
AplErr apli_body_of_lines(AplSession *session, AplSource *source, int32_t first, int32_t last, AplBody **result);
/* A tradfn from its header and lines, without the ∇s. */
AplErr apli_body_of_tradfn(AplSession *session, AplSource *source, int32_t first, int32_t last, AplBody **result);
/* A function value of a body: closes over frame when the body is a dfn with a lexical parent. */
AplErr apli_function_of_body(AplFrame *frame, AplBody *body, AplFunction **result);
/* The body of a tradfn, a dfn or a defined operator; NULL for any other function. */
AplBody *apli_body_of_function(const AplFunction *function);
/* A defined operator with its operands (retained). SYNTAX ERROR when the function is no operator. */
AplErr apli_function_apply_operator(AplFunction *operator_, AplOperand left, AplOperand right, AplFunction **result);
/* The operator of a function that apli_function_apply_operator made. */
AplErr apli_function_without_operands(const AplFunction *derived, AplFunction **result);
/* What a name defined as this body is. */
AplClass apli_class_of_body(const AplBody *body);

/* Around what is measured as the primitive `name`, a constant. */
static inline void apli_begin_primitive(AplFrame *frame, const char *name) {
    AplProfile *profile = frame->session->env.profile;
    if (__builtin_expect(profile != NULL, 0)) apli_profile_enter(profile, name, name, APLI_PROFILE_PRIMITIVE);
}
static inline void apli_end_primitive(AplFrame *frame) {
    AplProfile *profile = frame->session->env.profile;
    if (__builtin_expect(profile != NULL, 0)) apli_profile_leave(profile);
}

/* Remembers where in the running body an error arose, unless an inner place is known already. */
static inline AplErr apli_at(AplFrame *frame, AplErr error, const AplNode *node) {
    if (__builtin_expect(error != APL_OK, 0) && frame->session->fault_offset < 0)
        frame->session->fault_offset = node->offset;
    return error;
}

#endif
