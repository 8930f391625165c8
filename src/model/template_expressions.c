/* Expressions of a template, by recursive descent in Jinja's order of precedence:
   conditional; or; and; not; comparisons, in; + -; ~; * / // %; **; unary + -; . [] (); | is. */
#include "model/template_internal.h"

#include <inttypes.h>
#include <string.h>

AplErr apli_jinja_node(JinjaParser *parser, JinjaNodeKind kind, JinjaNode **node) {
    void *memory;
    TRY(apli_arena_zeroed(parser->arena, sizeof **node, &memory));
    *node = memory;
    (*node)->kind = kind;
    (*node)->line = parser->token->line;
    return APL_OK;
}

AplErr apli_jinja_push(JinjaParser *parser, JinjaNode ***items, size_t *count, JinjaNode *node) {
    /* The room doubles at each power of two. */
    if ((*count & (*count - 1)) == 0) {
        void *memory;
        TRY(apli_arena_allocate(parser->arena, 2 * (*count + 1) * sizeof **items, &memory));
        if (*count) memcpy(memory, *items, *count * sizeof **items);
        *items = memory;
    }
    (*items)[(*count)++] = node;
    return APL_OK;
}

bool apli_jinja_at(const JinjaParser *parser, JinjaTokenKind kind, const char *text) {
    return parser->token->kind == kind && (!text || apli_jinja_equals_text(parser->token->text, text));
}

bool apli_jinja_skip(JinjaParser *parser, JinjaTokenKind kind, const char *text) {
    if (!apli_jinja_at(parser, kind, text)) return false;
    parser->token++;
    return true;
}

AplErr apli_jinja_expected(const JinjaParser *parser, const char *what) {
    const JinjaToken *token = parser->token;
    static const char *const names[] = {"the end of the template", "text", "{{", "}}", "{%", "%}", NULL};
    int shown = (int)(token->text.length < 40 ? token->text.length : 40);
    if (token->kind <= JINJA_TOKEN_BLOCK_END)
        return apli_fail(APL_SYNTAX, "%s, line %d: expected %s, found %s", parser->source, token->line, what,
                         names[token->kind]);
    return apli_fail(APL_SYNTAX, "%s, line %d: expected %s, found \"%.*s\"", parser->source, token->line,
                     what, shown, token->text.bytes);
}

AplErr apli_jinja_expect(JinjaParser *parser, JinjaTokenKind kind, const char *text) {
    if (apli_jinja_skip(parser, kind, text)) return APL_OK;
    return apli_jinja_expected(parser, text ? text : kind == JINJA_TOKEN_BLOCK_END ? "%}" : "}}");
}

AplErr apli_jinja_expect_name(JinjaParser *parser, JinjaString *name) {
    if (parser->token->kind != JINJA_TOKEN_NAME) return apli_jinja_expected(parser, "a name");
    *name = parser->token++->text;
    return APL_OK;
}

static bool at_operator(const JinjaParser *parser, int operation) {
    return parser->token->kind == JINJA_TOKEN_OPERATOR && parser->token->operation == operation;
}

static bool skip_operator(JinjaParser *parser, int operation) {
    if (!at_operator(parser, operation)) return false;
    parser->token++;
    return true;
}

static bool at_name(const JinjaParser *parser, const char *name) {
    return apli_jinja_at(parser, JINJA_TOKEN_NAME, name);
}
static bool skip_name(JinjaParser *parser, const char *name) {
    return apli_jinja_skip(parser, JINJA_TOKEN_NAME, name);
}

static AplErr deeper(JinjaParser *parser) {
    FAIL_IF(++parser->depth > JINJA_MAX_DEPTH, APL_LIMIT, "%s, line %d: nested more than %d deep",
            parser->source, parser->token->line, JINJA_MAX_DEPTH);
    return APL_OK;
}

static AplErr parse_constant(JinjaParser *parser, JinjaValue value, JinjaNode **node) {
    TRY(apli_jinja_node(parser, JINJA_CONSTANT, node));
    (*node)->constant = value;
    return APL_OK;
}

/* Neighbouring string literals are one. */
static AplErr parse_string(JinjaParser *parser, JinjaNode **node) {
    const JinjaToken *first = parser->token;
    size_t length = 0, used = 0;
    for (; parser->token->kind == JINJA_TOKEN_STRING; parser->token++) length += parser->token->text.length;
    void *memory;
    TRY(apli_arena_allocate(parser->arena, length, &memory));
    for (const JinjaToken *token = first; token < parser->token; used += token++->text.length)
        if (token->text.length) memcpy((char *)memory + used, token->text.bytes, token->text.length);
    return parse_constant(parser, apli_jinja_string(memory, length), node);
}

static AplErr parse_list(JinjaParser *parser, JinjaNode **node) {
    TRY(apli_jinja_node(parser, JINJA_MAKE_LIST, node));
    while (!skip_operator(parser, ']')) {
        JinjaNode *item;
        TRY(apli_jinja_parse_expression(parser, &item));
        TRY(apli_jinja_push(parser, &(*node)->items, &(*node)->count, item));
        if (!skip_operator(parser, ',') && !at_operator(parser, ']'))
            return apli_jinja_expected(parser, "',' or ']'");
    }
    return APL_OK;
}

static AplErr parse_dict(JinjaParser *parser, JinjaNode **node) {
    TRY(apli_jinja_node(parser, JINJA_MAKE_DICT, node));
    while (!skip_operator(parser, '}')) {
        JinjaNode *key, *value;
        TRY(apli_jinja_parse_expression(parser, &key));
        if (!skip_operator(parser, ':')) return apli_jinja_expected(parser, "':' behind a key");
        TRY(apli_jinja_parse_expression(parser, &value));
        TRY(apli_jinja_push(parser, &(*node)->items, &(*node)->count, key));
        TRY(apli_jinja_push(parser, &(*node)->items, &(*node)->count, value));
        if (!skip_operator(parser, ',') && !at_operator(parser, '}'))
            return apli_jinja_expected(parser, "',' or '}'");
    }
    return APL_OK;
}

static AplErr parse_name(JinjaParser *parser, JinjaNode **node) {
    JinjaString name = parser->token++->text;
    bool is_true = apli_jinja_equals_text(name, "true") || apli_jinja_equals_text(name, "True");
    if (is_true || apli_jinja_equals_text(name, "false") || apli_jinja_equals_text(name, "False"))
        return parse_constant(parser, apli_jinja_boolean(is_true), node);
    if (apli_jinja_equals_text(name, "none") || apli_jinja_equals_text(name, "None"))
        return parse_constant(parser, apli_jinja_none(), node);
    TRY(apli_jinja_node(parser, JINJA_NAME, node));
    (*node)->name = name;
    return APL_OK;
}

static AplErr parse_primary(JinjaParser *parser, JinjaNode **node) {
    const JinjaToken *token = parser->token;
    if (token->kind == JINJA_TOKEN_NAME) return parse_name(parser, node);
    if (token->kind == JINJA_TOKEN_STRING) return parse_string(parser, node);
    if (token->kind == JINJA_TOKEN_NUMBER) {
        parser->token++;
        return parse_constant(parser, token->number, node);
    }
    if (skip_operator(parser, '[')) return parse_list(parser, node);
    if (skip_operator(parser, '{')) return parse_dict(parser, node);
    if (!skip_operator(parser, '(')) return apli_jinja_expected(parser, "an expression");
    if (skip_operator(parser, ')')) return apli_jinja_node(parser, JINJA_MAKE_TUPLE, node);
    TRY(apli_jinja_parse_tuple(parser, node));
    return skip_operator(parser, ')') ? APL_OK : apli_jinja_expected(parser, "')'");
}

static AplErr name_keyword(JinjaParser *parser, JinjaNode *call, JinjaString name) {
    if ((call->named_count & (call->named_count - 1)) == 0) {
        void *memory;
        TRY(apli_arena_allocate(parser->arena, 2 * (call->named_count + 1) * sizeof *call->names, &memory));
        if (call->named_count) memcpy(memory, call->names, call->named_count * sizeof *call->names);
        call->names = memory;
    }
    call->names[call->named_count++] = name;
    return APL_OK;
}

/* After "(": arguments into call->items, keyword arguments last. */
static AplErr parse_arguments(JinjaParser *parser, JinjaNode *call) {
    size_t all = 0;
    while (!skip_operator(parser, ')')) {
        JinjaNode *item;
        if (at_operator(parser, '*') || at_operator(parser, JINJA_PAIR('*', '*')))
            return apli_jinja_expected(parser, "an argument (unpacking by * is not part of this Jinja)");
        bool keyword = parser->token->kind == JINJA_TOKEN_NAME &&
                       parser->token[1].kind == JINJA_TOKEN_OPERATOR && parser->token[1].operation == '=';
        if (keyword) {
            TRY(name_keyword(parser, call, parser->token->text));
            parser->token += 2;
        } else if (call->named_count) {
            return apli_jinja_expected(parser, "a keyword argument, as after another one");
        }
        TRY(apli_jinja_parse_expression(parser, &item));
        TRY(apli_jinja_push(parser, &call->items, &all, item));
        if (!skip_operator(parser, ',') && !at_operator(parser, ')'))
            return apli_jinja_expected(parser, "',' or ')'");
    }
    call->count = all - call->named_count;
    return APL_OK;
}

static AplErr parse_call(JinjaParser *parser, JinjaNode *function, JinjaNode **node) {
    TRY(apli_jinja_node(parser, JINJA_CALL, node));
    (*node)->first = function;
    return parse_arguments(parser, *node);
}

static bool slice_part_ends(const JinjaParser *parser) {
    return at_operator(parser, ':') || at_operator(parser, ']');
}

/* After "[": an item or a slice. */
static AplErr parse_subscript(JinjaParser *parser, JinjaNode *value, JinjaNode **node) {
    TRY(apli_jinja_node(parser, JINJA_ITEM, node));
    (*node)->first = value;
    JinjaNode *parts[3] = {NULL};
    int part = 0;
    for (;; part++) {
        if (!slice_part_ends(parser)) TRY(apli_jinja_parse_tuple(parser, &parts[part]));
        if (part == 2 || !skip_operator(parser, ':')) break;
    }
    if (!skip_operator(parser, ']')) return apli_jinja_expected(parser, "']'");
    if (part == 0) {
        (*node)->second = parts[0];
        return parts[0] ? APL_OK : apli_jinja_expected(parser, "an index before this");
    }
    JinjaNode *slice;
    TRY(apli_jinja_node(parser, JINJA_SLICE, &slice));
    slice->first = parts[0];
    slice->second = parts[1];
    slice->third = parts[2];
    (*node)->second = slice;
    return APL_OK;
}

static AplErr parse_attribute(JinjaParser *parser, JinjaNode *value, JinjaNode **node) {
    if (parser->token->kind == JINJA_TOKEN_NUMBER && parser->token->number.kind == JINJA_INTEGER) {
        TRY(apli_jinja_node(parser, JINJA_ITEM, node));
        (*node)->first = value;
        return parse_constant(parser, parser->token++->number, &(*node)->second);
    }
    TRY(apli_jinja_node(parser, JINJA_ATTRIBUTE, node));
    (*node)->first = value;
    return apli_jinja_expect_name(parser, &(*node)->name);
}

/* Each link makes the tree one deeper for whoever walks it. */
static AplErr chain_link(JinjaParser *parser, int *links) {
    FAIL_IF(++*links > 4 * JINJA_MAX_DEPTH, APL_LIMIT, "%s, line %d: a chain of more than %d parts",
            parser->source, parser->token->line, 4 * JINJA_MAX_DEPTH);
    return APL_OK;
}

static AplErr parse_postfix(JinjaParser *parser, JinjaNode **node) {
    for (int links = 0;;) {
        TRY(chain_link(parser, &links));
        if (skip_operator(parser, '.')) TRY(parse_attribute(parser, *node, node));
        else if (skip_operator(parser, '[')) TRY(parse_subscript(parser, *node, node));
        else if (skip_operator(parser, '(')) TRY(parse_call(parser, *node, node));
        else return APL_OK;
    }
}

static AplErr unknown(const JinjaParser *parser, const char *what, JinjaString name) {
    return apli_fail(APL_SYNTAX, "%s, line %d: there is no %s \"%.*s\"", parser->source, parser->token->line,
                     what, (int)(name.length < 40 ? name.length : 40), name.bytes);
}

static AplErr parse_filter(JinjaParser *parser, JinjaNode **node) {
    JinjaNode *filter;
    JinjaString name;
    TRY(apli_jinja_node(parser, JINJA_FILTER, &filter));
    TRY(apli_jinja_expect_name(parser, &name));
    filter->first = *node;
    filter->row = apli_jinja_find_filter(name);
    if (!filter->row) return unknown(parser, "filter", name);
    if (skip_operator(parser, '(')) TRY(parse_arguments(parser, filter));
    *node = filter;
    return APL_OK;
}

static bool at_test_argument(const JinjaParser *parser) {
    if (parser->token->kind == JINJA_TOKEN_NAME)
        return !at_name(parser, "else") && !at_name(parser, "or") && !at_name(parser, "and") &&
               !at_name(parser, "is") && !at_name(parser, "if") && !at_name(parser, "not") &&
               !at_name(parser, "in");
    return parser->token->kind == JINJA_TOKEN_STRING || parser->token->kind == JINJA_TOKEN_NUMBER ||
           at_operator(parser, '[') || at_operator(parser, '{');
}

static AplErr parse_test(JinjaParser *parser, JinjaNode **node) {
    bool negated = skip_name(parser, "not");
    JinjaNode *test;
    JinjaString name;
    TRY(apli_jinja_node(parser, JINJA_TEST, &test));
    TRY(apli_jinja_expect_name(parser, &name));
    test->first = *node;
    test->row = apli_jinja_find_test(name);
    if (!test->row) return unknown(parser, "test", name);
    if (skip_operator(parser, '(')) {
        TRY(parse_arguments(parser, test));
    } else if (at_test_argument(parser)) {
        JinjaNode *argument;
        TRY(parse_primary(parser, &argument));
        TRY(parse_postfix(parser, &argument));
        TRY(apli_jinja_push(parser, &test->items, &test->count, argument));
    }
    *node = test;
    if (!negated) return APL_OK;
    TRY(apli_jinja_node(parser, JINJA_NOT, node));
    (*node)->first = test;
    return APL_OK;
}

AplErr apli_jinja_parse_filters(JinjaParser *parser, bool bare, JinjaNode *subject, JinjaNode **node) {
    *node = subject;
    if (bare) TRY(parse_filter(parser, node));
    for (int links = 0;;) {
        TRY(chain_link(parser, &links));
        if (skip_operator(parser, '|')) TRY(parse_filter(parser, node));
        else if (skip_name(parser, "is")) TRY(parse_test(parser, node));
        else if (skip_operator(parser, '(')) TRY(parse_call(parser, *node, node));
        else return APL_OK;
    }
}

static AplErr parse_unary(JinjaParser *parser, bool with_filters, JinjaNode **node) {
    TRY(deeper(parser));
    if (at_operator(parser, '-') || at_operator(parser, '+')) {
        JinjaNode *unary;
        TRY(apli_jinja_node(parser, JINJA_UNARY, &unary));
        unary->operation = parser->token++->operation;
        TRY(parse_unary(parser, false, &unary->first));
        *node = unary;
    } else {
        TRY(parse_primary(parser, node));
    }
    TRY(parse_postfix(parser, node));
    if (with_filters) TRY(apli_jinja_parse_filters(parser, false, *node, node));
    parser->depth--;
    return APL_OK;
}

AplErr apli_jinja_parse_primary_call(JinjaParser *parser, JinjaNode **node) {
    return parse_unary(parser, false, node);
}

/* The binary operators by level, loosest first; all associate to the left, ** too. */
static const int levels[][5] = {
    {'+', '-', 0}, {'~', 0}, {'*', '/', JINJA_PAIR('/', '/'), '%', 0}, {JINJA_PAIR('*', '*'), 0}};
enum { LEVELS = sizeof levels / sizeof *levels };

static int operator_of_level(const JinjaParser *parser, int level) {
    for (const int *operation = levels[level]; *operation; operation++)
        if (at_operator(parser, *operation)) return *operation;
    return 0;
}

static AplErr parse_binary(JinjaParser *parser, int level, JinjaNode **node) {
    if (level == LEVELS) return parse_unary(parser, true, node);
    TRY(parse_binary(parser, level + 1, node));
    for (int operation, links = 0; (operation = operator_of_level(parser, level));) {
        JinjaNode *left = *node;
        if (operation == '~' && left->kind == JINJA_CONCATENATE) {
            /* one node for a whole chain of ~ */
        } else {
            TRY(chain_link(parser, &links));
            TRY(apli_jinja_node(parser, operation == '~' ? JINJA_CONCATENATE : JINJA_BINARY, node));
            (*node)->operation = operation;
            (*node)->first = left;
            if (operation == '~') TRY(apli_jinja_push(parser, &(*node)->items, &(*node)->count, left));
        }
        parser->token++;
        JinjaNode *right;
        TRY(parse_binary(parser, level + 1, &right));
        if (operation == '~') TRY(apli_jinja_push(parser, &(*node)->items, &(*node)->count, right));
        else (*node)->second = right;
    }
    return APL_OK;
}

static int comparison(JinjaParser *parser) {
    static const int operations[] = {JINJA_PAIR('=', '='), JINJA_PAIR('!', '='), '<', '>',
                                     JINJA_PAIR('<', '='), JINJA_PAIR('>', '=')};
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++)
        if (skip_operator(parser, operations[i])) return operations[i];
    if (skip_name(parser, "in")) return JINJA_IN;
    if (at_name(parser, "not") && parser->token[1].kind == JINJA_TOKEN_NAME &&
        apli_jinja_equals_text(parser->token[1].text, "in")) {
        parser->token += 2;
        return JINJA_NOT_IN;
    }
    return 0;
}

static AplErr parse_comparison(JinjaParser *parser, JinjaNode **node) {
    TRY(parse_binary(parser, 0, node));
    JinjaNode *compare = NULL;
    for (int operation; (operation = comparison(parser));) {
        JinjaNode *operand;
        if (!compare) {
            TRY(apli_jinja_node(parser, JINJA_COMPARE, &compare));
            compare->first = *node;
            *node = compare;
        }
        TRY(apli_jinja_node(parser, JINJA_OPERAND, &operand));
        operand->operation = operation;
        TRY(parse_binary(parser, 0, &operand->first));
        TRY(apli_jinja_push(parser, &compare->items, &compare->count, operand));
    }
    return APL_OK;
}

static AplErr parse_not(JinjaParser *parser, JinjaNode **node) {
    if (!skip_name(parser, "not")) return parse_comparison(parser, node);
    TRY(deeper(parser));
    JinjaNode * not ;
    TRY(apli_jinja_node(parser, JINJA_NOT, &not ));
    TRY(parse_not(parser, &not ->first));
    *node = not ;
    parser->depth--;
    return APL_OK;
}

/* "and" and "or" are one node for a whole chain. */
static AplErr parse_chain(JinjaParser *parser, const char *word, JinjaNodeKind kind,
                          AplErr (*part)(JinjaParser *, JinjaNode **), JinjaNode **node) {
    TRY(part(parser, node));
    JinjaNode *chain = NULL;
    while (skip_name(parser, word)) {
        JinjaNode *next;
        if (!chain) {
            TRY(apli_jinja_node(parser, kind, &chain));
            TRY(apli_jinja_push(parser, &chain->items, &chain->count, *node));
            *node = chain;
        }
        TRY(part(parser, &next));
        TRY(apli_jinja_push(parser, &chain->items, &chain->count, next));
    }
    return APL_OK;
}

static AplErr parse_and(JinjaParser *parser, JinjaNode **node) {
    return parse_chain(parser, "and", JINJA_AND, parse_not, node);
}

AplErr apli_jinja_parse_or(JinjaParser *parser, JinjaNode **node) {
    TRY(deeper(parser));
    TRY(parse_chain(parser, "or", JINJA_OR, parse_and, node));
    parser->depth--;
    return APL_OK;
}

AplErr apli_jinja_parse_expression(JinjaParser *parser, JinjaNode **node) {
    TRY(deeper(parser));
    TRY(apli_jinja_parse_or(parser, node));
    for (int links = 0; skip_name(parser, "if");) {
        TRY(chain_link(parser, &links));
        JinjaNode *conditional;
        TRY(apli_jinja_node(parser, JINJA_CONDITIONAL, &conditional));
        conditional->first = *node;
        TRY(apli_jinja_parse_or(parser, &conditional->second));
        if (skip_name(parser, "else")) TRY(apli_jinja_parse_expression(parser, &conditional->third));
        *node = conditional;
    }
    parser->depth--;
    return APL_OK;
}

static bool at_tuple_end(const JinjaParser *parser) {
    return parser->token->kind == JINJA_TOKEN_OUTPUT_END || parser->token->kind == JINJA_TOKEN_BLOCK_END ||
           at_operator(parser, ')') || at_operator(parser, ']');
}

AplErr apli_jinja_parse_tuple(JinjaParser *parser, JinjaNode **node) {
    TRY(apli_jinja_parse_expression(parser, node));
    if (!at_operator(parser, ',')) return APL_OK;
    JinjaNode *tuple;
    TRY(apli_jinja_node(parser, JINJA_MAKE_TUPLE, &tuple));
    TRY(apli_jinja_push(parser, &tuple->items, &tuple->count, *node));
    while (skip_operator(parser, ',') && !at_tuple_end(parser)) {
        JinjaNode *item;
        TRY(apli_jinja_parse_expression(parser, &item));
        TRY(apli_jinja_push(parser, &tuple->items, &tuple->count, item));
    }
    *node = tuple;
    return APL_OK;
}

static AplErr parse_one_target(JinjaParser *parser, bool with_namespace, JinjaNode **node) {
    if (skip_operator(parser, '(')) {
        TRY(deeper(parser));
        TRY(apli_jinja_parse_target(parser, false, node));
        parser->depth--;
        return skip_operator(parser, ')') ? APL_OK : apli_jinja_expected(parser, "')'");
    }
    TRY(apli_jinja_node(parser, JINJA_NAME, node));
    TRY(apli_jinja_expect_name(parser, &(*node)->name));
    if (!with_namespace || !skip_operator(parser, '.')) return APL_OK;
    JinjaNode *name = *node;
    TRY(apli_jinja_node(parser, JINJA_NAMESPACE_TARGET, node));
    (*node)->first = name;
    return apli_jinja_expect_name(parser, &(*node)->name);
}

AplErr apli_jinja_parse_target(JinjaParser *parser, bool with_namespace, JinjaNode **node) {
    TRY(parse_one_target(parser, with_namespace, node));
    if (!at_operator(parser, ',')) return APL_OK;
    JinjaNode *tuple;
    TRY(apli_jinja_node(parser, JINJA_MAKE_TUPLE, &tuple));
    TRY(apli_jinja_push(parser, &tuple->items, &tuple->count, *node));
    while (
        skip_operator(parser, ',') &&
        (at_operator(parser, '(') || (parser->token->kind == JINJA_TOKEN_NAME && !at_name(parser, "in")))) {
        JinjaNode *item;
        TRY(parse_one_target(parser, with_namespace, &item));
        TRY(apli_jinja_push(parser, &tuple->items, &tuple->count, item));
    }
    *node = tuple;
    return APL_OK;
}
