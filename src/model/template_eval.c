/* Running statements: output, scopes, loops, macros, and the bounds on all of them.

   Scopes are frames. A loop has a new frame for each turn, a macro one whose outer frame is where it was
   defined; `if` has none of its own. A name is looked for from the inside out, then among the built-in
   functions. */
#include "model/template_internal.h"

#include <string.h>

AplErr apli_jinja_spend(JinjaEvaluator *evaluator, uint64_t steps) {
    evaluator->steps += steps;
    FAIL_IF(evaluator->steps > JINJA_MAX_STEPS, APL_LIMIT, "more than %d steps", JINJA_MAX_STEPS);
    return APL_OK;
}

AplErr apli_jinja_enter(JinjaEvaluator *evaluator) {
    FAIL_IF(++evaluator->depth > JINJA_MAX_DEPTH, APL_LIMIT, "nested more than %d deep", JINJA_MAX_DEPTH);
    return APL_OK;
}

AplErr apli_jinja_write(JinjaEvaluator *evaluator, const char *bytes, size_t length) {
    FAIL_IF(length > JINJA_MAX_OUTPUT - evaluator->written, APL_LIMIT, "more than %d bytes of output",
            JINJA_MAX_OUTPUT);
    evaluator->written += length;
    apli_text_append(evaluator->output, bytes, length);
    return apli_text_status(evaluator->output);
}

AplErr apli_jinja_new_frame(JinjaEvaluator *evaluator, JinjaFrame *outer, JinjaFrame **frame) {
    void *memory;
    TRY(apli_arena_zeroed(&evaluator->arena, sizeof **frame, &memory));
    *frame = memory;
    (*frame)->outer = outer;
    return APL_OK;
}

AplErr apli_jinja_assign(JinjaEvaluator *evaluator, JinjaString name, const JinjaValue *value) {
    for (JinjaBinding *binding = evaluator->frame->bindings; binding; binding = binding->next) {
        TRY(apli_jinja_spend(evaluator, 1));
        if (!apli_jinja_same_string(binding->name, name)) continue;
        binding->value = *value;
        return APL_OK;
    }
    void *memory;
    TRY(apli_arena_allocate(&evaluator->arena, sizeof(JinjaBinding), &memory));
    JinjaBinding *binding = memory;
    *binding = (JinjaBinding){.name = name, .value = *value, .next = evaluator->frame->bindings};
    evaluator->frame->bindings = binding;
    return APL_OK;
}

static AplErr assign_namespace(JinjaEvaluator *evaluator, const JinjaNode *target, const JinjaValue *value) {
    JinjaValue namespace, name = apli_jinja_string(target->name.bytes, target->name.length);
    TRY(apli_jinja_evaluate(evaluator, target->first, &namespace));
    FAIL_IF(namespace.kind != JINJA_NAMESPACE, APL_DOMAIN,
            "cannot assign attribute on non-namespace object \"%.*s\"",
            (int)(target->first->name.length < 60 ? target->first->name.length : 60),
            target->first->name.bytes);
    return apli_jinja_dict_put(evaluator, namespace.dict, &name, value);
}

static AplErr assign_target(JinjaEvaluator *evaluator, const JinjaNode *target, const JinjaValue *value) {
    if (target->kind == JINJA_NAME) return apli_jinja_assign(evaluator, target->name, value);
    if (target->kind == JINJA_NAMESPACE_TARGET) return assign_namespace(evaluator, target, value);
    const JinjaValue *items;
    size_t count;
    TRY(apli_jinja_items(evaluator, value, &items, &count));
    FAIL_IF(count != target->count, APL_LENGTH, "%zu values to unpack into %zu names", count, target->count);
    for (size_t i = 0; i < count; i++) TRY(assign_target(evaluator, target->items[i], &items[i]));
    return APL_OK;
}

/* The body in a frame of its own. */
static AplErr run_scoped(JinjaEvaluator *evaluator, const JinjaNode *body, JinjaFrame *outer) {
    JinjaFrame *saved = evaluator->frame;
    TRY(apli_jinja_new_frame(evaluator, outer, &evaluator->frame));
    TRY(apli_jinja_run(evaluator, body));
    evaluator->frame = saved;
    return APL_OK;
}

/* What the body writes, as a string. */
static AplErr capture(JinjaEvaluator *evaluator, const JinjaNode *body, JinjaValue *result) {
    APLI_AUTO_TEXT text = {0};
    AplText *saved = evaluator->output;
    evaluator->output = &text;
    AplErr error = run_scoped(evaluator, body, evaluator->frame);
    evaluator->output = saved;
    TRY(error);
    return apli_jinja_take_text(evaluator, &text, result);
}

/* The body's text through the filters of `expression`. */
static AplErr capture_and_filter(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    JinjaValue text, saved = evaluator->captured;
    TRY(capture(evaluator, node->body, &text));
    evaluator->captured = text;
    TRY(apli_jinja_evaluate(evaluator, node->first, result));
    evaluator->captured = saved;
    return APL_OK;
}

static AplErr write_value(JinjaEvaluator *evaluator, const JinjaValue *value) {
    JinjaValue string;
    TRY(apli_jinja_to_string(evaluator, value, &string));
    return apli_jinja_write(evaluator, string.bytes, string.length);
}

/* The items for which the loop's condition holds. */
static AplErr filter_items(JinjaEvaluator *evaluator, const JinjaNode *node, const JinjaValue **items,
                           size_t *count) {
    JinjaValue kept;
    JinjaFrame *saved = evaluator->frame;
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, *count, &kept));
    kept.length = 0;
    for (size_t i = 0; i < *count; i++) {
        JinjaValue holds;
        TRY(apli_jinja_new_frame(evaluator, saved, &evaluator->frame));
        TRY(assign_target(evaluator, node->target, &(*items)[i]));
        TRY(apli_jinja_evaluate(evaluator, node->second, &holds));
        if (apli_jinja_truth(&holds)) kept.items[kept.length++] = (*items)[i];
    }
    evaluator->frame = saved;
    *items = kept.items;
    *count = kept.length;
    return APL_OK;
}

static AplErr run_for(JinjaEvaluator *evaluator, const JinjaNode *node) {
    JinjaValue iterable;
    const JinjaValue *items;
    size_t count;
    TRY(apli_jinja_evaluate(evaluator, node->first, &iterable));
    TRY(apli_jinja_items(evaluator, &iterable, &items, &count));
    if (node->second) TRY(filter_items(evaluator, node, &items, &count));
    if (count == 0) return node->other ? run_scoped(evaluator, node->other, evaluator->frame) : APL_OK;
    void *memory;
    TRY(apli_arena_zeroed(&evaluator->arena, sizeof(JinjaLoop), &memory));
    JinjaLoop *loop = memory;
    *loop = (JinjaLoop){.items = items, .count = count};
    JinjaValue loop_value = {.kind = JINJA_LOOP, .loop = loop};
    JinjaFrame *saved = evaluator->frame;
    for (; loop->index < count; loop->index++) {
        TRY(apli_jinja_spend(evaluator, 1));
        TRY(apli_jinja_new_frame(evaluator, saved, &evaluator->frame));
        TRY(apli_jinja_assign(evaluator, (JinjaString){"loop", 4}, &loop_value));
        TRY(assign_target(evaluator, node->target, &items[loop->index]));
        TRY(apli_jinja_run(evaluator, node->body));
        JinjaSignal signal = evaluator->signal;
        evaluator->signal = JINJA_RUN_ON;
        if (signal == JINJA_BREAKING) break;
    }
    evaluator->frame = saved;
    return APL_OK;
}

static AplErr run_if(JinjaEvaluator *evaluator, const JinjaNode *node) {
    for (;;) {
        JinjaValue condition;
        TRY(apli_jinja_evaluate(evaluator, node->first, &condition));
        if (apli_jinja_truth(&condition)) return apli_jinja_run(evaluator, node->body);
        if (!node->flag) return apli_jinja_run(evaluator, node->other);
        node = node->other;
    }
}

static AplErr make_macro(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    void *memory;
    TRY(apli_arena_zeroed(&evaluator->arena, sizeof(JinjaFunction), &memory));
    *result = (JinjaValue){.kind = JINJA_FUNCTION, .function = memory};
    result->function->macro = node;
    result->function->frame = evaluator->frame;
    return APL_OK;
}

/* {% call f(...) %}: f gets the body as its keyword argument `caller`. */
static AplErr run_call_block(JinjaEvaluator *evaluator, const JinjaNode *node) {
    JinjaValue caller, result, saved = evaluator->captured;
    TRY(make_macro(evaluator, node, &caller));
    JinjaNode call = *node->first,
              constant = {.kind = JINJA_CONSTANT, .line = node->line, .constant = caller};
    size_t count = call.count + call.named_count;
    void *items, *names;
    TRY(apli_arena_allocate(&evaluator->arena, (count + 1) * sizeof *call.items, &items));
    TRY(apli_arena_allocate(&evaluator->arena, (call.named_count + 1) * sizeof *call.names, &names));
    if (count) memcpy(items, call.items, count * sizeof *call.items);
    if (call.named_count) memcpy(names, call.names, call.named_count * sizeof *call.names);
    call.items = items;
    call.names = names;
    call.items[count] = &constant;
    call.names[call.named_count++] = (JinjaString){"caller", 6};
    TRY(apli_jinja_evaluate(evaluator, &call, &result));
    evaluator->captured = saved;
    return write_value(evaluator, &result);
}

static AplErr run_with(JinjaEvaluator *evaluator, const JinjaNode *node) {
    JinjaFrame *saved = evaluator->frame, *inner;
    TRY(apli_jinja_new_frame(evaluator, saved, &inner));
    for (size_t i = 0; i < node->count; i++) {
        JinjaValue value;
        TRY(apli_jinja_evaluate(evaluator, node->items[i]->first,
                                &value)); /* names are not yet visible here */
        evaluator->frame = inner;
        TRY(assign_target(evaluator, node->items[i]->target, &value));
        evaluator->frame = saved;
    }
    evaluator->frame = inner;
    TRY(apli_jinja_run(evaluator, node->body));
    evaluator->frame = saved;
    return APL_OK;
}

static AplErr run_set(JinjaEvaluator *evaluator, const JinjaNode *node) {
    JinjaValue value;
    if (node->flag) TRY(capture_and_filter(evaluator, node, &value));
    else TRY(apli_jinja_evaluate(evaluator, node->first, &value));
    return assign_target(evaluator, node->target, &value);
}

static AplErr run_statement(JinjaEvaluator *evaluator, const JinjaNode *node) {
    JinjaValue value;
    switch (node->kind) {
    case JINJA_TEXT: return apli_jinja_write(evaluator, node->name.bytes, node->name.length);
    case JINJA_OUTPUT:
        TRY(apli_jinja_evaluate(evaluator, node->first, &value));
        return write_value(evaluator, &value);
    case JINJA_IF: return run_if(evaluator, node);
    case JINJA_FOR: return run_for(evaluator, node);
    case JINJA_SET: return run_set(evaluator, node);
    case JINJA_MACRO:
        TRY(make_macro(evaluator, node, &value));
        return apli_jinja_assign(evaluator, node->name, &value);
    case JINJA_CALL_BLOCK: return run_call_block(evaluator, node);
    case JINJA_FILTER_BLOCK:
        TRY(capture_and_filter(evaluator, node, &value));
        return write_value(evaluator, &value);
    case JINJA_WITH: return run_with(evaluator, node);
    case JINJA_SCOPE: return run_scoped(evaluator, node->body, evaluator->frame);
    case JINJA_BREAK: evaluator->signal = JINJA_BREAKING; return APL_OK;
    default: evaluator->signal = JINJA_CONTINUING; return APL_OK;
    }
}

AplErr apli_jinja_run(JinjaEvaluator *evaluator, const JinjaNode *body) {
    TRY(apli_jinja_enter(evaluator));
    for (const JinjaNode *node = body; node && evaluator->signal == JINJA_RUN_ON; node = node->next) {
        evaluator->line = node->line;
        TRY(apli_jinja_spend(evaluator, 1));
        TRY(run_statement(evaluator, node));
    }
    evaluator->depth--;
    return APL_OK;
}

/* A macro's parameters, in its own frame: given by place, by name, by default, or undefined. */
static AplErr bind_parameters(JinjaEvaluator *evaluator, const JinjaNode *macro,
                              const JinjaArguments *arguments) {
    FAIL_IF(arguments->count > macro->count, APL_DOMAIN,
            "macro \"%.*s\" takes not more than %zu argument(s), not %zu",
            (int)(macro->name.length < 60 ? macro->name.length : 60), macro->name.bytes, macro->count,
            arguments->count);
    size_t used = 0;
    for (size_t i = 0; i < macro->count; i++) {
        JinjaString name = macro->items[i]->name;
        JinjaValue value = {.kind = JINJA_ABSENT};
        if (i < arguments->count) value = arguments->items[i];
        for (size_t k = 0; k < arguments->named_count; k++) {
            if (!apli_jinja_same_string(arguments->names[k], name)) continue;
            FAIL_IF(value.kind != JINJA_ABSENT, APL_DOMAIN, "the argument \"%.*s\" is given twice",
                    (int)(name.length < 60 ? name.length : 60), name.bytes);
            value = arguments->named[k];
            used++;
        }
        if (value.kind == JINJA_ABSENT && macro->items[i]->first)
            TRY(apli_jinja_evaluate(evaluator, macro->items[i]->first, &value));
        if (value.kind == JINJA_ABSENT)
            TRY(apli_jinja_undefined(evaluator, &value, "parameter '%.*s' was not provided",
                                     (int)(name.length < 60 ? name.length : 60), name.bytes));
        TRY(apli_jinja_assign(evaluator, name, &value));
    }
    for (size_t k = 0; k < arguments->named_count; k++) {
        if (!apli_jinja_equals_text(arguments->names[k], "caller")) continue;
        TRY(apli_jinja_assign(evaluator, arguments->names[k], &arguments->named[k]));
        used++;
    }
    FAIL_IF(used < arguments->named_count, APL_DOMAIN, "macro \"%.*s\" takes no such keyword argument",
            (int)(macro->name.length < 60 ? macro->name.length : 60), macro->name.bytes);
    return APL_OK;
}

AplErr apli_jinja_call_macro(JinjaEvaluator *evaluator, const JinjaFunction *function,
                             const JinjaArguments *arguments, JinjaValue *result) {
    JinjaFrame *saved = evaluator->frame;
    TRY(apli_jinja_enter(evaluator));
    TRY(apli_jinja_new_frame(evaluator, function->frame, &evaluator->frame));
    TRY(bind_parameters(evaluator, function->macro, arguments));
    TRY(capture(evaluator, function->macro->body, result));
    evaluator->frame = saved;
    evaluator->depth--;
    return APL_OK;
}
