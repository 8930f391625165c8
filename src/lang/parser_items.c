/* The parser's first step: every token, bracketed part or literal becomes a node with its class (value, function, operator,
   ←). What names mean is looked up now, and remembered as an assumption of the statement. */
#include "lang/parser_internal.h"
#include "lang/quad.h"

#include <stdlib.h>

static AplErr add_item(Items *items, Item item) {
    if (items->count == items->capacity) {
        int capacity = items->capacity * 2 + 16;
        Item *more = realloc(items->items, (size_t)capacity * sizeof *more);
        FAIL_IF(!more, APL_WS_FULL, "no memory for %d items of an expression", capacity);
        items->items = more;
        items->capacity = capacity;
    }
    items->items[items->count++] = item;
    return APL_OK;
}

static AplErr assume(Parser *parser, AplSymbol *symbol, int32_t slot, int32_t depth, AplClass class) {
    AplStatement *statement = parser->statement;
    AplAssumption *more = realloc(statement->assumptions, (size_t)(statement->assumption_count + 1) * sizeof *more);
    FAIL_IF(!more, APL_WS_FULL, "no memory for a parsed expression");
    statement->assumptions = more;
    more[statement->assumption_count++] = (AplAssumption){symbol, slot, depth, class};
    statement->by_slots |= slot >= 0 || depth != 0;
    return APL_OK;
}

/* Where a name lives: a slot of this dfn or of a lexically enclosing one (depth levels up), or, with slot -1, its symbol. */
static void resolve(const AplBody *body, const AplSymbol *symbol, int32_t *slot, int32_t *depth) {
    *depth = 0;
    for (; body; body = body->enclosing, ++*depth) {
        if (body->kind != BODY_DFN) continue;
        for (int32_t i = 0; i < body->local_count; i++) {
            if (body->locals[i] == symbol) {
                *slot = i;
                return;
            }
        }
    }
    *slot = -1;
}

static AplErr name_item(Parser *parser, int32_t index, Item *item) {
    const AplToken *token = &parser->source->tokens[index];
    AplSymbol *symbol = token->symbol;
    int32_t slot, depth;
    resolve(parser->body, symbol, &slot, &depth);
    AplNode lookup = {.slot = slot, .depth = depth, .symbol = symbol};
    AplClass class = slot < 0 ? symbol->value.class : apli_local(parser->frame, &lookup)->class;
    if (slot < 0) TRY(assume(parser, symbol, -1, 0, class > CLASS_VALUE ? class : CLASS_VALUE));
    else TRY(assume(parser, symbol, slot, depth, class > CLASS_VALUE ? class : CLASS_VALUE));
    /* a name before ← is a target, whatever it means now, unless it is the function of a modified assignment */
    bool assigned = token[1].kind == TOKEN_ASSIGN;
    AplTokenKind before = index > parser->statement->first ? (AplTokenKind)token[-1].kind : TOKEN_END;
    bool modifies = class == CLASS_FUNCTION && (before == TOKEN_NAME || before == TOKEN_RIGHT_BRACKET || before == TOKEN_RIGHT_PAREN);
    AplNodeKind kind = slot < 0 ? NODE_SYMBOL : NODE_LOCAL;
    item->class = ITEM_VALUE;
    if (!assigned || modifies) {
        switch (class) {
        case CLASS_FUNCTION:
            item->class = ITEM_FUNCTION;
            kind = slot < 0 ? NODE_FUNCTION_SYMBOL : NODE_FUNCTION_LOCAL;
            break;
        case CLASS_MONADIC_OPERATOR:
        case CLASS_DYADIC_OPERATOR:
            item->class = class == CLASS_MONADIC_OPERATOR ? ITEM_MONADIC_OPERATOR : ITEM_DYADIC_OPERATOR;
            kind = slot < 0 ? NODE_FUNCTION_SYMBOL : NODE_FUNCTION_LOCAL;
            break;
        case CLASS_NILADIC: kind = NODE_NILADIC; break;
        default: break;
        }
    }
    TRY(apli_node_new(parser, kind, token->offset, 0, &item->node));
    item->node->symbol = symbol;
    item->node->slot = slot;
    item->node->depth = depth;
    return APL_OK;
}

static AplErr glyph_item(Parser *parser, const AplToken *token, Item *item) {
    uint32_t glyph = token->codepoint;
    const AplPrim *prim = apli_prim_of(glyph);
    const AplOperator *operator_ = apli_operator_of(glyph);
    if (prim && !operator_) {
        item->class = ITEM_FUNCTION;
        TRY(apli_node_new(parser, NODE_FUNCTION, token->offset, 0, &item->node));
        item->node->function = apli_function_of_prim(prim);
        return APL_OK;
    }
    item->class = prim ? ITEM_SLASH : operator_->flags & APLI_DYADIC_OPERATOR ? ITEM_DYADIC_OPERATOR : ITEM_MONADIC_OPERATOR;
    TRY(apli_node_new(parser, NODE_JOT, token->offset, 0, &item->node));
    item->node->operator_ = operator_;
    item->node->slot = (int32_t)glyph;
    return APL_OK;
}

static AplErr operand_item(Parser *parser, const AplToken *token, int which, Item *item) {
    const AplOperand *operand = which ? &parser->frame->right_operand : &parser->frame->left_operand;
    if (!operand->function && !operand->array)
        return fail_at(parser, token->offset, APL_SYNTAX, which ? "⍵⍵ outside a dyadic operator" : "⍺⍺ outside an operator");
    AplClass class = operand->function ? CLASS_FUNCTION : CLASS_VALUE;
    TRY(assume(parser, NULL, which, -1, class));
    item->class = class == CLASS_FUNCTION ? ITEM_FUNCTION : ITEM_VALUE;
    TRY(apli_node_new(parser, class == CLASS_FUNCTION ? NODE_FUNCTION_OPERAND : NODE_OPERAND_VALUE, token->offset, 0, &item->node));
    item->node->slot = which;
    return APL_OK;
}

static AplErr system_item(Parser *parser, const AplToken *token, Item *item) {
    bool function = apli_quads[token->system].kind == QUAD_FUNCTION;
    item->class = function ? ITEM_FUNCTION : ITEM_VALUE;
    TRY(apli_node_new(parser, function ? NODE_SYSTEM_FUNCTION : NODE_SYSTEM, token->offset, 0, &item->node));
    item->node->slot = token->system;
    return APL_OK;
}

static AplErr simple_value(Parser *parser, AplNodeKind kind, const AplToken *token, Item *item) {
    item->class = ITEM_VALUE;
    return apli_node_new(parser, kind, token->offset, 0, &item->node);
}

/* [a;b;...]: the parts between semicolons, NULL where there is nothing. children[0] is left for what is indexed. */
static AplErr subscripts(Parser *parser, int32_t open, AplNode **result) {
    const AplToken *tokens = parser->source->tokens;
    int32_t close = tokens[open].match;
    int parts = 1;
    for (int32_t i = open + 1; i < close; i++) {
        if (tokens[i].match > i) i = tokens[i].match;
        else if (tokens[i].kind == TOKEN_SEMICOLON) parts++;
    }
    if (parts >= MOST_CHILDREN) return fail_at(parser, tokens[open].offset, APL_LIMIT, "too many subscripts");
    AplNode *node;
    TRY(apli_node_new(parser, NODE_INDEX, tokens[open].offset, parts + 1, &node));
    int part = 1;
    for (int32_t first = open + 1, i = first; i <= close; i++) {
        if (i < close && tokens[i].match > i) {
            i = tokens[i].match;
        } else if (i == close || tokens[i].kind == TOKEN_SEMICOLON) {
            if (i > first) {
                ItemClass class;
                TRY(apli_parse_range(parser, first, i, &node->children[part], &class));
                if (class != ITEM_VALUE) return fail_at(parser, tokens[first].offset, APL_SYNTAX, "a subscript is a function");
            }
            part++;
            first = i + 1;
        }
    }
    *result = node;
    return APL_OK;
}

/* A bracket binds to what stands before it: an index of a value, an axis of a function or an operator. */
static AplErr apply_bracket(Parser *parser, Items *items, int32_t open) {
    int32_t offset = parser->source->tokens[open].offset;
    if (items->count == 0) return fail_at(parser, offset, APL_SYNTAX, "a bracket with nothing before it");
    Item *item = &items->items[items->count - 1];
    AplNode *brackets;
    TRY(apli_parser_count_call(parser, offset));
    TRY(subscripts(parser, open, &brackets));
    if (item->class == ITEM_VALUE) {
        brackets->children[0] = item->node;
        item->node = brackets;
        return APL_OK;
    }
    if (item->class == ITEM_ASSIGN) return fail_at(parser, offset, APL_SYNTAX, "a bracket after ←");
    if (brackets->child_count != 2 || !brackets->children[1])
        return fail_at(parser, offset, APL_SYNTAX, "an axis must be one value");
    if (item->class != ITEM_FUNCTION) {
        item->axis = brackets->children[1];
        return APL_OK;
    }
    if (item->node->kind != NODE_FUNCTION || item->node->function->kind != APLI_FUNCTION_PRIM)
        return fail_at(parser, offset, APL_SYNTAX, "only primitive functions and operators take an axis");
    AplNode *node;
    TRY(apli_node_new(parser, NODE_AXIS, item->node->offset, 1, &node));
    node->prim = item->node->function->prim;
    node->children[0] = brackets->children[1];
    item->node = node;
    return APL_OK;
}

static AplErr dfn_item(Parser *parser, int32_t open, Item *item) {
    AplBody *body;
    TRY(apli_body_of_dfn(parser->source, open, parser->body, &body));
    AplErr error = apli_node_new(parser, NODE_DFN, parser->source->tokens[open].offset, 0, &item->node);
    if (error) {
        apli_body_release(body);
        return error;
    }
    item->node->body = body;
    item->class = body->takes_right_operand ? ITEM_DYADIC_OPERATOR
                : body->takes_left_operand ? ITEM_MONADIC_OPERATOR : ITEM_FUNCTION;
    return APL_OK;
}

static AplErr operator_self_item(Parser *parser, const AplToken *token, Item *item) {
    const AplBody *body = parser->frame->self ? parser->frame->self->body : NULL;
    if (!body || !body->takes_left_operand) return fail_at(parser, token->offset, APL_SYNTAX, "∇∇ outside an operator");
    item->class = body->takes_right_operand ? ITEM_DYADIC_OPERATOR : ITEM_MONADIC_OPERATOR;
    TRY(apli_node_new(parser, NODE_SELF, token->offset, 0, &item->node));
    item->node->slot = 1;
    return APL_OK;
}

static AplErr item_of(Parser *parser, int32_t index, Item *item) {
    const AplToken *token = &parser->source->tokens[index];
    *item = (Item){0};
    switch ((AplTokenKind)token->kind) {
    case TOKEN_ARRAY:
        TRY(simple_value(parser, NODE_CONSTANT, token, item));
        item->node->array = apli_array_retain(token->array);
        return APL_OK;
    case TOKEN_NAME: return name_item(parser, index, item);
    case TOKEN_SYSTEM: return system_item(parser, token, item);
    case TOKEN_GLYPH: return glyph_item(parser, token, item);
    case TOKEN_ALPHA: return simple_value(parser, NODE_ALPHA, token, item);
    case TOKEN_OMEGA: return simple_value(parser, NODE_OMEGA, token, item);
    case TOKEN_ALPHA_ALPHA: return operand_item(parser, token, 0, item);
    case TOKEN_OMEGA_OMEGA: return operand_item(parser, token, 1, item);
    case TOKEN_DEL:
        item->class = ITEM_FUNCTION;
        return apli_node_new(parser, NODE_SELF, token->offset, 0, &item->node);
    case TOKEN_QUAD:
    case TOKEN_QUOTE_QUAD: {
        bool output = token[1].kind == TOKEN_ASSIGN, quote = token->kind == TOKEN_QUOTE_QUAD;
        TRY(simple_value(parser, output ? NODE_QUAD_OUTPUT : quote ? NODE_QUOTE_QUAD_INPUT : NODE_QUAD_INPUT, token, item));
        item->node->slot = quote;
        return APL_OK;
    }
    case TOKEN_LEFT_PAREN:
        TRY(apli_parse_range(parser, index + 1, token->match, &item->node, &item->class));
        item->node->parenthesised = true;
        return APL_OK;
    case TOKEN_LEFT_BRACE: return dfn_item(parser, index, item);
    case TOKEN_ASSIGN:
        item->class = ITEM_ASSIGN;
        return apli_node_new(parser, NODE_JOT, token->offset, 0, &item->node);
    case TOKEN_DEL_DEL: return operator_self_item(parser, token, item);
    case TOKEN_BRANCH: return fail_at(parser, token->offset, APL_SYNTAX, "→ stands at the beginning of a statement");
    case TOKEN_SEMICOLON: return fail_at(parser, token->offset, APL_SYNTAX, "; outside brackets");
    case TOKEN_COLON: return fail_at(parser, token->offset, APL_SYNTAX, ": where no guard or label can stand");
    case TOKEN_KEYWORD: return fail_at(parser, token->offset, APL_SYNTAX, "a control word inside an expression");
    case TOKEN_NEWLINE: return fail_at(parser, token->offset, APL_SYNTAX, "a line ends inside brackets");
    case TOKEN_DIAMOND: return fail_at(parser, token->offset, APL_SYNTAX, "⋄ inside brackets");
    default: return fail_at(parser, token->offset, APL_SYNTAX, "an expression breaks off");
    }
}

AplErr apli_parse_items(Parser *parser, int32_t first, int32_t last, Items *items) {
    for (int32_t i = first; i < last; i++) {
        const AplToken *token = &parser->source->tokens[i];
        if (token->kind == TOKEN_LEFT_BRACKET) {
            TRY(apply_bracket(parser, items, i));
        } else {
            Item item;
            TRY(item_of(parser, i, &item));
            TRY(add_item(items, item));
        }
        if (token->match > i) i = token->match;
    }
    return APL_OK;
}
