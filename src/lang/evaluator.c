/* Evaluation of expression trees. Every evaluated value is owned by its evaluator for the length of one call: a variable's
   value then has two references, a temporary one, which is how primitives know what they may overwrite. */
#include "lang/frame.h"
#include "lang/quad.h"
#include "prim/index/index.h"
#include "prim/train/train.h"

#include <stdlib.h>
#include <string.h>

#define AUTO_FUNCTION __attribute__((cleanup(release_function))) AplFunction
static void release_function(AplFunction **function) { apli_function_release(*function); }

AplValue *apli_local(AplFrame *frame, const AplNode *node) {
    AplFrame *owner = frame;
    for (int32_t i = 0; i < node->depth && owner; i++) owner = owner->lexical;
    if (owner && owner->slots[node->slot].class != CLASS_NONE) return &owner->slots[node->slot];
    /* not assigned yet: an outer meaning of the name */
    for (owner = owner ? owner->lexical : NULL; owner; owner = owner->lexical) {
        if (owner->body->kind != BODY_DFN) break;
        for (int32_t i = 0; i < owner->body->local_count; i++)
            if (owner->body->locals[i] == node->symbol && owner->slots[i].class != CLASS_NONE) return &owner->slots[i];
    }
    return &node->symbol->value;
}

static AplErr undefined(AplFrame *frame, const AplNode *node, const char *name) {
    apli_fail(APL_VALUE, "%s has no value", name);
    return apli_at(frame, APL_VALUE, node);
}

/* Calls a function without arguments; *result may be NULL. The function is held: it may erase its own name. */
static AplErr call_niladic(AplFrame *frame, const AplNode *node, const AplValue *value, AplArray **result) {
    AUTO_FUNCTION *function = apli_function_retain(value->function);
    *result = NULL;
    return apli_at(frame, apli_call(&frame->session->env, function, NULL, NULL, result), node);
}

static AplErr value_of(AplFrame *frame, const AplNode *node, const AplValue *value, AplArray **result) {
    if (value->class == CLASS_VALUE) {
        *result = apli_array_retain(value->array);
        return APL_OK;
    }
    if (value->class == CLASS_NILADIC) {
        TRY(call_niladic(frame, node, value, result));
        if (*result) return APL_OK;
        return apli_at(frame, apli_fail(APL_VALUE, "%s gave no result", node->symbol->name), node);
    }
    if (value->class == CLASS_NONE) return undefined(frame, node, node->symbol->name);
    apli_fail(APL_SYNTAX, "%s is a function where a value is needed", node->symbol->name);
    return apli_at(frame, APL_SYNTAX, node);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

static AplErr eval_strand(AplFrame *frame, AplNode *node, AplArray **result) {
    APLI_AUTO AplArray *strand = NULL;
    TRY(apli_vector_new(APLI_NESTED, node->child_count, &strand));
    AplArray **items = apli_items(strand);
    AplType type = APLI_BOOL;
    bool simple = true;
    for (int i = node->child_count - 1; i >= 0; i--) {
        TRY(apli_eval(frame, node->children[i], &items[i]));
        simple &= items[i]->rank == 0 && items[i]->type != APLI_NESTED && items[i]->form == APLI_PLAIN;
    }
    for (int i = 0; i < node->child_count && simple; i++)
        type = i ? apli_type_join(type, (AplType)items[i]->type) : (AplType)items[i]->type;
    if (!simple || type == APLI_NESTED) {
        *result = apli_move(&strand);
        return APL_OK;
    }
    /* simple scalars of one kind: a simple vector */
    AplArray *vector;
    TRY(apli_vector_new(type, node->child_count, &vector));
    vector->weak = type == APLI_F64;
    for (int i = 0; i < node->child_count; i++) {
        apli_elem_convert(type, vector->data, i, (AplType)items[i]->type, items[i]->data, 0, 1);
        vector->weak &= items[i]->weak || apli_type_is_integer((AplType)items[i]->type);
    }
    *result = vector;
    return APL_OK;
}

static AplErr eval_index(AplFrame *frame, AplNode *node, AplArray **result) {
    APLI_AUTO AplArray *array = NULL;
    int count = node->child_count - 1;
    AplArray *subscripts[256];
    memset(subscripts, 0, (size_t)count * sizeof *subscripts);
    AplErr error = APL_OK;
    for (int i = count; i > 0 && !error; i--)
        if (node->children[i]) error = apli_eval(frame, node->children[i], &subscripts[i - 1]);
    if (!error) error = apli_eval(frame, node->children[0], &array);
    if (!error) {
        apli_begin_primitive(frame, "index");
        error = apli_at(frame, apli_index(&frame->session->env, array, subscripts, count, result), node);
        apli_end_primitive(frame);
    }
    for (int i = 0; i < count; i++) apli_array_release(subscripts[i]);
    return error;
}

/* A function node that needs no evaluation gives its function borrowed; *owned is to be released. */
static AplErr function_at(AplFrame *frame, AplNode *node, const AplFunction **function, AplFunction **owned) {
    *owned = NULL;
    if (node->kind == NODE_FUNCTION) {
        *function = node->function;
        return APL_OK;
    }
    TRY(apli_eval_function(frame, node, owned));
    *function = *owned;
    return APL_OK;
}

static AplErr needs_result(AplFrame *frame, const AplNode *node, AplArray *result) {
    if (__builtin_expect(result != NULL, 1)) return APL_OK;
    apli_fail(APL_VALUE, "the function gave no result");
    return apli_at(frame, APL_VALUE, node);
}

/* *result is NULL when the function gave none. */
static AplErr eval_monadic(AplFrame *frame, AplNode *node, AplArray **result) {
    APLI_AUTO AplArray *right = NULL;
    AUTO_FUNCTION *owned = NULL;
    const AplFunction *function;
    *result = NULL;
    TRY(apli_eval(frame, node->children[1], &right));
    TRY(function_at(frame, node->children[0], &function, &owned));
    return apli_at(frame, apli_call(&frame->session->env, function, NULL, right, result), node);
}

static AplErr eval_dyadic(AplFrame *frame, AplNode *node, AplArray **result) {
    APLI_AUTO AplArray *right = NULL, *left = NULL;
    AUTO_FUNCTION *owned = NULL;
    const AplFunction *function;
    *result = NULL;
    TRY(apli_eval(frame, node->children[2], &right));
    if (node->children[1]->kind == NODE_ALPHA && !frame->alpha) { /* an ambivalent function called monadically: ⍺ f ⍵ fails */
        return undefined(frame, node->children[1], "⍺");
    }
    TRY(apli_eval(frame, node->children[1], &left));
    TRY(function_at(frame, node->children[0], &function, &owned));
    return apli_at(frame, apli_call(&frame->session->env, function, left, right, result), node);
}

/* The steps of a run one after another: what the loop must equal, and what reports the errors. */
static AplErr eval_steps(AplFrame *frame, const AplScalarRun *run, AplArray **leaves, AplArray **result) {
    AplArray *stack[APLI_SCALAR_RUN_MOST_STEPS];
    int top = 0;
    AplErr error = APL_OK;
    for (int i = 0; i < run->step_count && !error; i++) {
        const AplScalarStep *step = &run->steps[i];
        if (step->kind == APLI_STEP_LEAF) {
            stack[top++] = leaves[step->leaf];
            leaves[step->leaf] = NULL;
            continue;
        }
        AplArray *left = step->kind == APLI_STEP_DYADIC ? stack[--top] : NULL, *right = stack[--top], *value = NULL;
        error = apli_at(frame, apli_call(&frame->session->env, apli_function_of_prim(step->prim), left, right, &value),
                        run->nodes[i]);
        apli_array_release(left);
        apli_array_release(right);
        if (!error) stack[top++] = value;
    }
    if (!error) {
        *result = stack[0];
        return APL_OK;
    }
    while (top > 0) apli_array_release(stack[--top]);
    return error;
}

static AplErr eval_run(AplFrame *frame, AplNode *node, AplArray **result) {
    const AplScalarRun *run = node->run;
    AplArray *leaves[APLI_SCALAR_RUN_MOST_STEPS];
    memset(leaves, 0, (size_t)run->leaf_count * sizeof *leaves);
    AplErr error = APL_OK;
    bool declined = !frame->session->env.fused;
    for (int i = 0; i < run->leaf_count && !error; i++) error = apli_eval(frame, run->leaves[i], &leaves[i]);
    if (!error && !declined) {
        apli_begin_primitive(frame, "scalar run");
        error = apli_at(frame, apli_scalar_run(&frame->session->env, run->steps, run->step_count, leaves, run->leaf_count, result,
                                               &declined), node);
        apli_end_primitive(frame);
    }
    if (!error && declined) error = eval_steps(frame, run, leaves, result);
    for (int i = 0; i < run->leaf_count; i++) apli_array_release(leaves[i]);
    return error;
}

/* Reports call a dfn by the first name that it gets. */
static void name_body(AplFunction *function, AplSymbol *name) {
    AplBody *body = apli_body_of_function(function);
    if (body && body->kind == BODY_DFN && !body->name) body->name = name;
}

static AplErr eval_assign(AplFrame *frame, AplNode *node, AplArray **result) {
    if (node->slot) { /* a function or an operator gets a name */
        AUTO_FUNCTION *function = NULL;
        const AplNode *target = node->children[0];
        TRY(apli_eval_function(frame, node->children[1], &function));
        AplClass class = CLASS_FUNCTION;
        if (node->slot == 2) class = apli_class_of_body(apli_body_of_function(function));
        if (target->kind == NODE_SYMBOL || target->kind == NODE_LOCAL) name_body(function, target->symbol);
        AplValue value = {.class = class, .function = apli_function_retain(function)};
        if (target->kind == NODE_LOCAL && target->depth == 0) {
            AplValue old = frame->slots[target->slot];
            frame->slots[target->slot] = value;
            apli_value_release(&old);
        } else {
            apli_symbol_set(&frame->session->workspace, target->symbol, value);
        }
        *result = NULL;
        return APL_OK;
    }
    APLI_AUTO AplArray *value = NULL;
    TRY(apli_eval(frame, node->children[1], &value));
    TRY(apli_at(frame, apli_assign(frame, node->children[0], node->children[2], value), node));
    *result = apli_move(&value);
    return APL_OK;
}

/* An expression may be as deep as its text is long. */
static AplErr check_stack(AplFrame *frame, const AplNode *node) {
    const char *limit = frame->session->env.stack_limit;
    if (__builtin_expect(!limit || (const char *)__builtin_frame_address(0) >= limit, 1)) return APL_OK;
    apli_fail(APL_LIMIT, "the stack is used up: the expression is too deep");
    return apli_at(frame, APL_LIMIT, node);
}

AplErr apli_eval_any(AplFrame *frame, AplNode *node, AplArray **result) {
    if (node->child_count) TRY(check_stack(frame, node));
    switch ((AplNodeKind)node->kind) {
    case NODE_CONSTANT: *result = apli_array_retain(node->array); return APL_OK;
    case NODE_SYMBOL:
    case NODE_NILADIC: return value_of(frame, node, &node->symbol->value, result);
    case NODE_LOCAL: return value_of(frame, node, apli_local(frame, node), result);
    case NODE_ALPHA:
        if (!frame->alpha) return undefined(frame, node, "⍺");
        *result = apli_array_retain(frame->alpha);
        return APL_OK;
    case NODE_OMEGA:
        if (!frame->omega) return undefined(frame, node, "⍵");
        *result = apli_array_retain(frame->omega);
        return APL_OK;
    case NODE_OPERAND_VALUE: {
        const AplOperand *operand = node->slot ? &frame->right_operand : &frame->left_operand;
        if (!operand->array) return undefined(frame, node, node->slot ? "⍵⍵" : "⍺⍺");
        *result = apli_array_retain(operand->array);
        return APL_OK;
    }
    case NODE_SYSTEM: return apli_at(frame, apli_quad_get(frame->session, node->slot, result), node);
    case NODE_QUAD_INPUT:
    case NODE_QUOTE_QUAD_INPUT:
        return apli_at(frame, apli_quad_input(frame->session, node->kind == NODE_QUOTE_QUAD_INPUT, result), node);
    case NODE_STRAND: return eval_strand(frame, node, result);
    case NODE_INDEX: return eval_index(frame, node, result);
    case NODE_MONADIC:
        TRY(eval_monadic(frame, node, result));
        return needs_result(frame, node, *result);
    case NODE_DYADIC:
        TRY(eval_dyadic(frame, node, result));
        return needs_result(frame, node, *result);
    case NODE_SCALAR_RUN: return eval_run(frame, node, result);
    case NODE_ASSIGN:
        TRY(eval_assign(frame, node, result));
        return needs_result(frame, node, *result);
    default: break;
    }
    apli_fail(APL_SYNTAX, "a function where a value is needed");
    return apli_at(frame, APL_SYNTAX, node);
}

AplErr apli_eval_statement(AplFrame *frame, AplNode *node, AplArray **result, bool *shy) {
    *shy = false;
    *result = NULL;
    switch ((AplNodeKind)node->kind) {
    case NODE_MONADIC:
    case NODE_DYADIC: {
        frame->session->last_was_shy = false;
        TRY(node->kind == NODE_MONADIC ? eval_monadic(frame, node, result) : eval_dyadic(frame, node, result));
        *shy = frame->session->last_was_shy;
        return APL_OK;
    }
    case NODE_ASSIGN: *shy = !node->parenthesised; return eval_assign(frame, node, result);
    case NODE_NILADIC: /* unless a guard's condition has given the name another meaning */
        if (node->symbol->value.class != CLASS_NILADIC) return apli_eval(frame, node, result);
        frame->session->last_was_shy = false;
        TRY(call_niladic(frame, node, &node->symbol->value, result));
        *shy = frame->session->last_was_shy;
        return APL_OK;
    default: return apli_eval(frame, node, result);
    }
}

/* ---- functions ---------------------------------------------------------------------------------------------------- */

static AplErr operand_of(AplFrame *frame, AplNode *node, AplOperand *operand) {
    *operand = (AplOperand){0};
    if (!node) return APL_OK;
    switch ((AplNodeKind)node->kind) {
    case NODE_JOT: return APL_OK;
    case NODE_FUNCTION: case NODE_FUNCTION_SYMBOL: case NODE_FUNCTION_LOCAL: case NODE_FUNCTION_OPERAND: case NODE_SELF:
    case NODE_SYSTEM_FUNCTION: case NODE_DFN: case NODE_DERIVE: case NODE_DERIVE_DEFINED: case NODE_AXIS: case NODE_TRAIN:
        return apli_eval_function(frame, node, &operand->function);
    default: return apli_eval(frame, node, &operand->array);
    }
}

static void release_operand(AplOperand *operand) {
    apli_function_release(operand->function);
    apli_array_release(operand->array);
}

static AplErr eval_derive(AplFrame *frame, AplNode *node, AplFunction **result) {
    __attribute__((cleanup(release_operand))) AplOperand left = {0}, right = {0};
    APLI_AUTO AplArray *axis = NULL;
    bool defined = node->kind == NODE_DERIVE_DEFINED;
    TRY(operand_of(frame, node->children[defined ? 2 : 1], &right));
    TRY(operand_of(frame, node->children[defined ? 1 : 0], &left));
    if (defined) {
        AUTO_FUNCTION *operator_ = NULL;
        TRY(apli_eval_function(frame, node->children[0], &operator_));
        return apli_at(frame, apli_function_apply_operator(operator_, left, right, result), node);
    }
    if (node->children[2]) TRY(apli_eval(frame, node->children[2], &axis));
    return apli_at(frame, apli_function_derive(node->operator_, left, right, axis, result), node);
}

/* f g h: a fork from the right, three at a time; the leftmost alone is an atop. */
static AplErr eval_train(AplFrame *frame, AplNode *node, AplFunction **result) {
    AUTO_FUNCTION *right = NULL;
    int i = node->child_count - 1;
    TRY(apli_eval_function(frame, node->children[i--], &right));
    while (i >= 0) {
        AUTO_FUNCTION *middle = NULL, *joined = NULL;
        TRY(apli_eval_function(frame, node->children[i--], &middle));
        if (i < 0) {
            TRY(apli_train_atop(middle, right, &joined));
        } else {
            __attribute__((cleanup(release_operand))) AplOperand left = {0};
            TRY(operand_of(frame, node->children[i--], &left));
            TRY(apli_train_fork(left, middle, right, &joined));
        }
        apli_function_release(right);
        right = joined;
        joined = NULL;
    }
    *result = right;
    right = NULL;
    return APL_OK;
}

AplErr apli_eval_function(AplFrame *frame, AplNode *node, AplFunction **result) {
    switch ((AplNodeKind)node->kind) {
    case NODE_FUNCTION: *result = apli_function_retain(node->function); return APL_OK;
    case NODE_FUNCTION_SYMBOL:
    case NODE_FUNCTION_LOCAL: {
        const AplValue *value = node->kind == NODE_FUNCTION_LOCAL ? apli_local(frame, node) : &node->symbol->value;
        if (value->class <= CLASS_VALUE) return undefined(frame, node, node->symbol->name);
        *result = apli_function_retain(value->function);
        return APL_OK;
    }
    case NODE_FUNCTION_OPERAND:
        *result = apli_function_retain(node->slot ? frame->right_operand.function : frame->left_operand.function);
        return APL_OK;
    case NODE_SELF:
        if (!frame->self) return undefined(frame, node, "∇");
        if (node->slot) return apli_function_without_operands(frame->self, result);
        *result = apli_function_retain(frame->self);
        return APL_OK;
    case NODE_SYSTEM_FUNCTION: *result = apli_quad_function(node->slot); return APL_OK;
    case NODE_DFN: return apli_function_of_body(frame, node->body, result);
    case NODE_DERIVE:
    case NODE_DERIVE_DEFINED: return eval_derive(frame, node, result);
    case NODE_AXIS: {
        APLI_AUTO AplArray *axis = NULL;
        TRY(apli_eval(frame, node->children[0], &axis));
        return apli_at(frame, apli_function_with_axis(node->prim, axis, result), node);
    }
    case NODE_TRAIN: return eval_train(frame, node, result);
    default: break;
    }
    apli_fail(APL_SYNTAX, "a value where a function is needed");
    return apli_at(frame, APL_SYNTAX, node);
}
