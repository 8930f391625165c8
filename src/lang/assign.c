/* Assignment: to a name, to indexed elements, through a function, to a list of names, to ⎕. */
#include "lang/frame.h"
#include "lang/quad.h"
#include "prim/format/format.h"
#include "prim/index/index.h"

#include <inttypes.h>
#include <string.h>

/* The place a target name has: a slot of the dfn that assigns, or for a name that is not local, wherever it is. */
static AplErr place_of(AplFrame *frame, const AplNode *target, bool modified, AplValue **place) {
    if (target->kind == NODE_LOCAL) {
        *place = modified || target->depth ? apli_local(frame, target) : &frame->slots[target->slot];
        return APL_OK;
    }
    FAIL_IF(target->symbol->value.label, APL_SYNTAX, "%s is a label", target->symbol->name);
    *place = &target->symbol->value;
    return APL_OK;
}

static void set_place(AplFrame *frame, const AplNode *target, AplValue *place, AplArray *value) {
    AplValue fresh = {.class = CLASS_VALUE, .array = apli_array_retain(value)};
    if (place == &target->symbol->value) {
        apli_symbol_set(&frame->session->workspace, target->symbol, fresh);
    } else {
        AplValue old = *place;
        *place = fresh;
        apli_value_release(&old);
    }
}

static AplErr assign_name(AplFrame *frame, AplNode *target, AplNode *function, AplArray *value) {
    AplValue *place;
    TRY(place_of(frame, target, function != NULL, &place));
    if (!function) {
        set_place(frame, target, place, value);
        return APL_OK;
    }
    FAIL_IF(place->class != CLASS_VALUE, APL_VALUE, "%s has no value", target->symbol->name);
    APLI_AUTO AplArray *old = apli_array_retain(place->array), *fresh = NULL;
    AplFunction *modifier;
    TRY(apli_eval_function(frame, function, &modifier));
    /* `old` is held twice, so that an error halfway leaves the variable as it was */
    AplErr error = apli_call(&frame->session->env, modifier, old, value, &fresh);
    apli_function_release(modifier);
    TRY(place_of(frame, target, true, &place));
    TRY(error);
    FAIL_IF(!fresh, APL_VALUE, "the function gave no result");
    set_place(frame, target, place, fresh);
    return APL_OK;
}

/* name[subscripts] f← value for a function that may run the program's own text: the array is held meanwhile, whatever
   becomes of its name, and the name takes the result. */
static AplErr modify_index(AplFrame *frame, AplNode *name, AplArray **subscripts, int count, AplFunction *modifier,
                           AplArray *value) {
    AplValue *place;
    TRY(place_of(frame, name, true, &place));
    APLI_AUTO AplArray *array = apli_array_retain(place->array);
    TRY(apli_index_assign(&frame->session->env, &array, subscripts, count, modifier, value));
    TRY(place_of(frame, name, true, &place));
    set_place(frame, name, place, array);
    return APL_OK;
}

static AplErr assign_index(AplFrame *frame, AplNode *target, AplNode *function, AplArray *value) {
    AplNode *name = target->children[0];
    FAIL_IF(name->kind != NODE_SYMBOL && name->kind != NODE_LOCAL, APL_NONCE, "an indexed assignment to what is not a name");
    int count = target->child_count - 1;
    AplArray *subscripts[256];
    memset(subscripts, 0, (size_t)count * sizeof *subscripts);
    AplErr error = APL_OK;
    AplFunction *modifier = NULL;
    for (int i = count; i > 0 && !error; i--)
        if (target->children[i]) error = apli_eval(frame, target->children[i], &subscripts[i - 1]);
    if (!error && function) error = apli_eval_function(frame, function, &modifier);
    AplValue *place = NULL;
    if (!error) error = place_of(frame, name, true, &place);
    if (!error && place->class != CLASS_VALUE) {
        error = apli_fail(APL_VALUE, "%s has no value", name->symbol->name);
    }
    if (!error) apli_begin_primitive(frame, "indexed assignment");
    const bool begun = !error;
    if (!error && modifier && modifier->kind != APLI_FUNCTION_PRIM)
        error = modify_index(frame, name, subscripts, count, modifier, value);
    else if (!error) error = apli_index_assign(&frame->session->env, &place->array, subscripts, count, modifier, value);
    if (begun) apli_end_primitive(frame);
    apli_function_release(modifier);
    for (int i = 0; i < count; i++) apli_array_release(subscripts[i]);
    return error;
}

/* (A B)←value: item by item; a scalar goes to each. */
static AplErr assign_list(AplFrame *frame, AplNode *target, AplNode *function, AplArray *value) {
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(value, &plain));
    FAIL_IF(plain->rank > 1, APL_RANK, "an array of shape %s for a list of names", apli_shape_text(plain));
    FAIL_IF(plain->count != 1 && plain->count != target->child_count, APL_LENGTH, "%d names for %" PRId64 " values",
            target->child_count, plain->count);
    for (int i = 0; i < target->child_count; i++) {
        APLI_AUTO AplArray *item = NULL;
        TRY(apli_item(plain, plain->count == 1 ? 0 : i, &item));
        TRY(apli_assign(frame, target->children[i], function, item));
    }
    return APL_OK;
}

static AplErr output(AplFrame *frame, bool bare, AplArray *value) {
    APLI_AUTO_TEXT text = {0};
    TRY(apli_display(&frame->session->env, value, &text));
    if (bare && text.length && text.bytes[text.length - 1] == '\n') text.length--;
    TRY(apli_text_status(&text));
    apli_session_write(frame->session, apli_text_string(&text), text.length);
    return APL_OK;
}

AplErr apli_assign(AplFrame *frame, AplNode *target, AplNode *function, AplArray *value) {
    switch ((AplNodeKind)target->kind) {
    case NODE_SYMBOL:
    case NODE_LOCAL: return assign_name(frame, target, function, value);
    case NODE_INDEX: return assign_index(frame, target, function, value);
    case NODE_STRAND: return assign_list(frame, target, function, value);
    case NODE_ALPHA:
        FAIL_IF(function, APL_SYNTAX, "⍺ is not to be modified");
        apli_array_release(frame->alpha);
        frame->alpha = apli_array_retain(value);
        return APL_OK;
    case NODE_SYSTEM: {
        FAIL_IF(function, APL_NONCE, "modified assignment of a system variable");
        return apli_quad_set(frame->session, target->slot, value);
    }
    case NODE_QUAD_OUTPUT: return output(frame, target->slot, value);
    default: break;
    }
    apli_fail(APL_SYNTAX, "a value cannot be assigned to");
    return APL_SYNTAX;
}
