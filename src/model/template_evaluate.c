/* Evaluating expressions: names, literals, calls and the logical operators. Arithmetic, comparison and
   access are in template_operators.c. */
#include "model/template_internal.h"

#include <string.h>

static AplErr evaluate_name(JinjaEvaluator *evaluator, JinjaString name, JinjaValue *result) {
    for (const JinjaFrame *frame = evaluator->frame; frame; frame = frame->outer) {
        TRY(apli_jinja_spend(evaluator, 1));
        for (const JinjaBinding *binding = frame->bindings; binding; binding = binding->next) {
            if (!apli_jinja_same_string(binding->name, name)) continue;
            *result = binding->value;
            return APL_OK;
        }
    }
    const JinjaRow *row = apli_jinja_find_function(name);
    if (!row)
        return apli_jinja_undefined(evaluator, result, "'%.*s' is undefined",
                                    (int)(name.length < 100 ? name.length : 100), name.bytes);
    void *memory;
    TRY(apli_arena_zeroed(&evaluator->arena, sizeof(JinjaFunction), &memory));
    *result = (JinjaValue){.kind = JINJA_FUNCTION, .function = memory};
    result->function->row = row;
    return APL_OK;
}

static AplErr evaluate_list(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    JinjaValue list;
    TRY(apli_jinja_new_list(evaluator, node->kind == JINJA_MAKE_TUPLE ? JINJA_TUPLE : JINJA_LIST, node->count,
                            &list));
    for (size_t i = 0; i < node->count; i++)
        TRY(apli_jinja_evaluate(evaluator, node->items[i], &list.items[i]));
    *result = list;
    return APL_OK;
}

static AplErr evaluate_dict(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    JinjaValue dict;
    TRY(apli_jinja_new_dict(evaluator, JINJA_DICT, node->count / 2, &dict));
    for (size_t i = 0; i + 1 < node->count; i += 2) {
        JinjaValue key, value;
        TRY(apli_jinja_evaluate(evaluator, node->items[i], &key));
        TRY(apli_jinja_evaluate(evaluator, node->items[i + 1], &value));
        TRY(apli_jinja_dict_put(evaluator, dict.dict, &key, &value));
    }
    *result = dict;
    return APL_OK;
}

static AplErr evaluate_arguments(JinjaEvaluator *evaluator, const JinjaNode *node,
                                 JinjaArguments *arguments) {
    size_t count = node->count + node->named_count;
    JinjaValue values;
    TRY(apli_jinja_new_list(evaluator, JINJA_LIST, count, &values));
    for (size_t i = 0; i < count; i++) TRY(apli_jinja_evaluate(evaluator, node->items[i], &values.items[i]));
    *arguments = (JinjaArguments){.items = values.items,
                                  .count = node->count,
                                  .names = node->names,
                                  .named = values.items + node->count,
                                  .named_count = node->named_count};
    return APL_OK;
}

/* The place of `name` in "first,second,...", -1 when it is not there. */
static int parameter_place(const char *parameters, JinjaString name) {
    for (int place = 0;; place++) {
        size_t length = strcspn(parameters, ",");
        if (length == name.length && memcmp(parameters, name.bytes, length) == 0) return place;
        if (!parameters[length]) return -1;
        parameters += length + 1;
    }
}

static size_t parameter_count(const char *parameters) {
    size_t count = *parameters != 0;
    for (; *parameters; parameters++) count += *parameters == ',';
    return count;
}

AplErr apli_jinja_call_row(JinjaEvaluator *evaluator, const JinjaRow *row, const JinjaValue *subject,
                           const JinjaArguments *arguments, JinjaValue *result) {
    JinjaValue bound[JINJA_MAX_PARAMETERS] = {0};
    if (row->parameters) {
        FAIL_IF(arguments->count > parameter_count(row->parameters), APL_DOMAIN,
                "%s takes %zu argument(s), not %zu", row->name, parameter_count(row->parameters),
                arguments->count);
        for (size_t i = 0; i < arguments->count; i++) bound[i] = arguments->items[i];
        for (size_t i = 0; i < arguments->named_count; i++) {
            int place = parameter_place(row->parameters, arguments->names[i]);
            FAIL_IF(place < 0 || bound[place].kind != JINJA_ABSENT, APL_DOMAIN,
                    "%s takes no argument \"%.*s\" here", row->name,
                    (int)(arguments->names[i].length < 60 ? arguments->names[i].length : 60),
                    arguments->names[i].bytes);
            bound[place] = arguments->named[i];
        }
        for (int i = 0; i < row->required; i++)
            FAIL_IF(bound[i].kind == JINJA_ABSENT, APL_DOMAIN, "%s needs %d argument(s): %s", row->name,
                    row->required, row->parameters);
    }
    return row->call(evaluator, subject, bound, arguments, result);
}

AplErr apli_jinja_call(JinjaEvaluator *evaluator, const JinjaValue *function, const JinjaArguments *arguments,
                       JinjaValue *result) {
    FAIL_IF(function->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)function->length, function->bytes);
    FAIL_IF(function->kind != JINJA_FUNCTION, APL_DOMAIN, "'%s' object is not callable",
            apli_jinja_type_name(function));
    if (!function->function->row)
        return apli_jinja_call_macro(evaluator, function->function, arguments, result);
    return apli_jinja_call_row(evaluator, function->function->row, &function->function->subject, arguments,
                               result);
}

static AplErr evaluate_call(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    JinjaValue function;
    JinjaArguments arguments;
    TRY(apli_jinja_evaluate(evaluator, node->first, &function));
    TRY(evaluate_arguments(evaluator, node, &arguments));
    evaluator->line = node->line;
    return apli_jinja_call(evaluator, &function, &arguments, result);
}

static AplErr evaluate_filter(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    JinjaValue subject;
    JinjaArguments arguments;
    TRY(apli_jinja_evaluate(evaluator, node->first, &subject));
    TRY(evaluate_arguments(evaluator, node, &arguments));
    evaluator->line = node->line;
    return apli_jinja_call_row(evaluator, node->row, &subject, &arguments, result);
}

static AplErr evaluate_comparison(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    JinjaValue left, right;
    bool holds = true;
    TRY(apli_jinja_evaluate(evaluator, node->first, &left));
    for (size_t i = 0; holds && i < node->count; i++, left = right) {
        TRY(apli_jinja_evaluate(evaluator, node->items[i]->first, &right));
        TRY(apli_jinja_compare(evaluator, node->items[i]->operation, &left, &right, &holds));
    }
    *result = apli_jinja_boolean(holds);
    return APL_OK;
}

/* The first item that decides, or the last. */
static AplErr evaluate_logic(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    for (size_t i = 0; i < node->count; i++) {
        TRY(apli_jinja_evaluate(evaluator, node->items[i], result));
        if (apli_jinja_truth(result) == (node->kind == JINJA_OR)) break;
    }
    return APL_OK;
}

static AplErr evaluate_concatenation(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    APLI_AUTO_TEXT text = {0};
    for (size_t i = 0; i < node->count; i++) {
        JinjaValue value;
        TRY(apli_jinja_evaluate(evaluator, node->items[i], &value));
        TRY(apli_jinja_append(evaluator, &value, &text));
    }
    return apli_jinja_take_text(evaluator, &text, result);
}

static AplErr evaluate_unary(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    TRY(apli_jinja_evaluate(evaluator, node->first, result));
    FAIL_IF(result->kind == JINJA_UNDEFINED, APL_VALUE, "%.*s", (int)result->length, result->bytes);
    FAIL_IF(!apli_jinja_is_number(result), APL_DOMAIN, "bad operand type for unary %c: '%s'", node->operation,
            apli_jinja_type_name(result));
    if (result->kind == JINJA_REAL) {
        if (node->operation == '-') result->real = -result->real;
        return APL_OK;
    }
    JinjaValue zero = apli_jinja_integer(0), value = *result;
    return apli_jinja_binary(evaluator, node->operation, &zero, &value, result);
}

static AplErr evaluate_item(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    JinjaValue value, key, parts[3] = {0};
    TRY(apli_jinja_evaluate(evaluator, node->first, &value));
    if (node->second->kind != JINJA_SLICE) {
        TRY(apli_jinja_evaluate(evaluator, node->second, &key));
        return apli_jinja_subscript(evaluator, &value, &key, result);
    }
    const JinjaNode *slice = node->second, *nodes[] = {slice->first, slice->second, slice->third};
    for (int i = 0; i < 3; i++)
        if (nodes[i]) TRY(apli_jinja_evaluate(evaluator, nodes[i], &parts[i]));
    return apli_jinja_slice(evaluator, &value, parts, result);
}

static AplErr evaluate_conditional(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    JinjaValue condition;
    TRY(apli_jinja_evaluate(evaluator, node->second, &condition));
    if (apli_jinja_truth(&condition)) return apli_jinja_evaluate(evaluator, node->first, result);
    if (node->third) return apli_jinja_evaluate(evaluator, node->third, result);
    return apli_jinja_undefined(
        evaluator, result,
        "the inline if-expression on line %d evaluated to false and no else section was defined", node->line);
}

static AplErr evaluate(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    JinjaValue left, right;
    switch (node->kind) {
    case JINJA_CONSTANT: *result = node->constant; return APL_OK;
    case JINJA_CAPTURED: *result = evaluator->captured; return APL_OK;
    case JINJA_NAME: return evaluate_name(evaluator, node->name, result);
    case JINJA_MAKE_TUPLE:
    case JINJA_MAKE_LIST: return evaluate_list(evaluator, node, result);
    case JINJA_MAKE_DICT: return evaluate_dict(evaluator, node, result);
    case JINJA_ATTRIBUTE:
        TRY(apli_jinja_evaluate(evaluator, node->first, &left));
        return apli_jinja_attribute(evaluator, &left, node->name, result);
    case JINJA_ITEM: return evaluate_item(evaluator, node, result);
    case JINJA_CALL: return evaluate_call(evaluator, node, result);
    case JINJA_FILTER:
    case JINJA_TEST: return evaluate_filter(evaluator, node, result);
    case JINJA_NOT:
        TRY(apli_jinja_evaluate(evaluator, node->first, &left));
        *result = apli_jinja_boolean(!apli_jinja_truth(&left));
        return APL_OK;
    case JINJA_AND:
    case JINJA_OR: return evaluate_logic(evaluator, node, result);
    case JINJA_COMPARE: return evaluate_comparison(evaluator, node, result);
    case JINJA_UNARY: return evaluate_unary(evaluator, node, result);
    case JINJA_BINARY:
        TRY(apli_jinja_evaluate(evaluator, node->first, &left));
        TRY(apli_jinja_evaluate(evaluator, node->second, &right));
        return apli_jinja_binary(evaluator, node->operation, &left, &right, result);
    case JINJA_CONCATENATE: return evaluate_concatenation(evaluator, node, result);
    case JINJA_CONDITIONAL: return evaluate_conditional(evaluator, node, result);
    default: return apli_fail(APL_SYNTAX, "a node of kind %d is no expression", (int)node->kind);
    }
}

AplErr apli_jinja_evaluate(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result) {
    TRY(apli_jinja_enter(evaluator));
    TRY(apli_jinja_spend(evaluator, 1));
    evaluator->line = node->line;
    TRY(evaluate(evaluator, node, result));
    evaluator->depth--;
    return APL_OK;
}
