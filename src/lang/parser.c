/* From tokens to expression trees. One statement at a time, when it first runs: the classes of names are known then.

   1. items: every token, bracketed part or literal becomes a node with its class (value, function, operator, ←);
   2. strands: neighbouring values become one;
   3. binding, left to right: operators take their operands;
   4. the expression, right to left: functions take their arguments, ← its target.
   A last pass joins neighbouring scalar functions into runs. */
#include "lang/frame.h"
#include "lang/quad.h"

#include <stdlib.h>
#include <string.h>

typedef enum ItemClass {
    ITEM_VALUE,
    ITEM_FUNCTION,
    ITEM_SLASH, /* / ⌿ \ ⍀: function or monadic operator */
    ITEM_MONADIC_OPERATOR,
    ITEM_DYADIC_OPERATOR,
    ITEM_ASSIGN
} ItemClass;

typedef struct Item {
    AplNode *node; /* primitive operators and slashes: a NODE_JOT that carries the glyph in slot */
    ItemClass class;
    AplNode *axis; /* bracket axis of an operator or a slash */
} Item;

typedef struct Items {
    Item *items;
    int count, capacity;
} Items;

typedef struct Parser {
    AplFrame *frame;
    AplStatement *statement;
    AplSource *source;
    AplBody *body;
    int depth; /* of nesting, against the C stack */
    int calls; /* of functions, operators and brackets in the statement: its tree may be as deep */
} Parser;

enum { MOST_NESTING = 1000, MOST_CHILDREN = 255, MOST_CALLS = 20000 };

static AplErr parse_range(Parser *parser, int32_t first, int32_t last, AplNode **tree, ItemClass *class);

static void fault(Parser *parser, int32_t offset, AplErr kind, const char *text) {
    if (parser->frame->session->fault_offset < 0) parser->frame->session->fault_offset = offset;
    apli_fail(kind, "%s", text);
}
/* Raises at a place in the source; an expression whose value the compiler knows to be an error. */
#define fail_at(parser, offset, kind, text) (fault((parser), (offset), (kind), (text)), (kind))

/* Counts a node that may stand above all those before it: passes over the tree take as much stack as it is deep. */
static AplErr count_call(Parser *parser, int32_t offset) {
    if (++parser->calls <= MOST_CALLS) return APL_OK;
    return fail_at(parser, offset, APL_LIMIT, "a statement of more than 20000 calls, operators and brackets");
}

static AplErr make(Parser *parser, AplNodeKind kind, int32_t offset, int children, AplNode **result) {
    AplNode *node = calloc(1, sizeof *node + (size_t)children * sizeof(AplNode *));
    FAIL_IF(!node, APL_WS_FULL, "no memory for a parsed expression");
    node->kind = (uint8_t)kind;
    node->offset = offset;
    node->child_count = (uint8_t)children;
    node->children = (AplNode **)(node + 1);
    node->next_made = parser->statement->made;
    parser->statement->made = node;
    *result = node;
    return APL_OK;
}

void apli_nodes_free(AplNode *made) {
    while (made) {
        AplNode *next = made->next_made;
        switch ((AplNodeKind)made->kind) {
        case NODE_CONSTANT: apli_array_release(made->array); break;
        case NODE_FUNCTION: apli_function_release(made->function); break;
        case NODE_DFN: apli_body_release(made->body); break;
        case NODE_SCALAR_RUN:
            if (made->run) {
                free(made->run->steps);
                free(made->run->nodes);
                free(made->run->leaves);
                free(made->run);
            }
            break;
        default: break;
        }
        free(made);
        made = next;
    }
}

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

static void free_items(Items *items) { free(items->items); }

static AplErr assume(Parser *parser, AplSymbol *symbol, int32_t slot, int32_t depth, AplClass class) {
    AplStatement *statement = parser->statement;
    AplAssumption *more = realloc(statement->assumptions, (size_t)(statement->assumption_count + 1) * sizeof *more);
    FAIL_IF(!more, APL_WS_FULL, "no memory for a parsed expression");
    statement->assumptions = more;
    more[statement->assumption_count++] = (AplAssumption){symbol, slot, depth, class};
    return APL_OK;
}

/* ---- 1. items --------------------------------------------------------------------------------------------------- */

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
    TRY(make(parser, kind, token->offset, 0, &item->node));
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
        TRY(make(parser, NODE_FUNCTION, token->offset, 0, &item->node));
        item->node->function = apli_function_of_prim(prim);
        return APL_OK;
    }
    item->class = prim ? ITEM_SLASH : operator_->flags & APLI_DYADIC_OPERATOR ? ITEM_DYADIC_OPERATOR : ITEM_MONADIC_OPERATOR;
    TRY(make(parser, NODE_JOT, token->offset, 0, &item->node));
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
    TRY(make(parser, class == CLASS_FUNCTION ? NODE_FUNCTION_OPERAND : NODE_OPERAND_VALUE, token->offset, 0, &item->node));
    item->node->slot = which;
    return APL_OK;
}

static AplErr system_item(Parser *parser, const AplToken *token, Item *item) {
    bool function = apli_quads[token->system].kind == QUAD_FUNCTION;
    item->class = function ? ITEM_FUNCTION : ITEM_VALUE;
    TRY(make(parser, function ? NODE_SYSTEM_FUNCTION : NODE_SYSTEM, token->offset, 0, &item->node));
    item->node->slot = token->system;
    return APL_OK;
}

static AplErr simple_value(Parser *parser, AplNodeKind kind, const AplToken *token, Item *item) {
    item->class = ITEM_VALUE;
    return make(parser, kind, token->offset, 0, &item->node);
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
    TRY(make(parser, NODE_INDEX, tokens[open].offset, parts + 1, &node));
    int part = 1;
    for (int32_t first = open + 1, i = first; i <= close; i++) {
        if (i < close && tokens[i].match > i) {
            i = tokens[i].match;
        } else if (i == close || tokens[i].kind == TOKEN_SEMICOLON) {
            if (i > first) {
                ItemClass class;
                TRY(parse_range(parser, first, i, &node->children[part], &class));
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
    TRY(count_call(parser, offset));
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
    TRY(make(parser, NODE_AXIS, item->node->offset, 1, &node));
    node->prim = item->node->function->prim;
    node->children[0] = brackets->children[1];
    item->node = node;
    return APL_OK;
}

static AplErr dfn_item(Parser *parser, int32_t open, Item *item) {
    AplBody *body;
    TRY(apli_body_of_dfn(parser->source, open, parser->body, &body));
    AplErr error = make(parser, NODE_DFN, parser->source->tokens[open].offset, 0, &item->node);
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
    TRY(make(parser, NODE_SELF, token->offset, 0, &item->node));
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
        return make(parser, NODE_SELF, token->offset, 0, &item->node);
    case TOKEN_QUAD:
    case TOKEN_QUOTE_QUAD: {
        bool output = token[1].kind == TOKEN_ASSIGN, quote = token->kind == TOKEN_QUOTE_QUAD;
        TRY(simple_value(parser, output ? NODE_QUAD_OUTPUT : quote ? NODE_QUOTE_QUAD_INPUT : NODE_QUAD_INPUT, token, item));
        item->node->slot = quote;
        return APL_OK;
    }
    case TOKEN_LEFT_PAREN:
        TRY(parse_range(parser, index + 1, token->match, &item->node, &item->class));
        item->node->parenthesised = true;
        return APL_OK;
    case TOKEN_LEFT_BRACE: return dfn_item(parser, index, item);
    case TOKEN_ASSIGN:
        item->class = ITEM_ASSIGN;
        return make(parser, NODE_JOT, token->offset, 0, &item->node);
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

static AplErr collect(Parser *parser, int32_t first, int32_t last, Items *items) {
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

/* ---- 2. strands ------------------------------------------------------------------------------------------------- */

/* How many items a value contributes to a strand: a literal of several numbers as many. */
static int strand_width(const AplNode *node) {
    bool several = node->kind == NODE_CONSTANT && !node->parenthesised && node->array->rank == 1 &&
                   apli_type_is_number((AplType)node->array->type) && node->array->count > 1;
    return several ? (int)node->array->count : 1;
}

static AplErr strand(Parser *parser, const Item *items, int count, AplNode **result) {
    if (count == 1) {
        *result = items[0].node;
        return APL_OK;
    }
    int width = 0;
    for (int i = 0; i < count; i++) width += strand_width(items[i].node);
    if (width > MOST_CHILDREN) return fail_at(parser, items[0].node->offset, APL_LIMIT, "a strand of more than 255 items");
    AplNode *node;
    TRY(make(parser, NODE_STRAND, items[0].node->offset, width, &node));
    int child = 0;
    bool constant = true;
    for (int i = 0; i < count; i++) {
        AplNode *item = items[i].node;
        int parts = strand_width(item);
        constant &= item->kind == NODE_CONSTANT;
        for (int part = 0; part < parts; part++, child++) {
            if (parts == 1) {
                node->children[child] = item;
            } else {
                AplNode *number;
                TRY(make(parser, NODE_CONSTANT, item->offset, 0, &number));
                number->kind = NODE_JOT; /* until it holds an array */
                TRY(apli_item(item->array, part, &number->array));
                number->kind = NODE_CONSTANT;
                node->children[child] = number;
            }
        }
    }
    *result = node;
    if (constant) { /* evaluated once */
        AplNode *folded;
        AplArray *array;
        TRY(apli_eval(parser->frame, node, &array));
        AplErr error = make(parser, NODE_CONSTANT, node->offset, 0, &folded);
        if (error) {
            apli_array_release(array);
            return error;
        }
        folded->array = array;
        folded->parenthesised = true; /* its items stay together in a further strand */
        *result = folded;
    }
    return APL_OK;
}

static AplErr join_strands(Parser *parser, Items *items) {
    int kept = 0;
    for (int i = 0; i < items->count;) {
        int end = i;
        /* a target's name directly before ← may be a strand's last item: A B←1 2 */
        while (end < items->count && items->items[end].class == ITEM_VALUE) end++;
        if (end > i) {
            AplNode *node;
            TRY(strand(parser, items->items + i, end - i, &node));
            items->items[kept++] = (Item){.node = node, .class = ITEM_VALUE};
            i = end;
        } else {
            items->items[kept++] = items->items[i++];
        }
    }
    items->count = kept;
    return APL_OK;
}

/* ---- 3. binding --------------------------------------------------------------------------------------------------- */

static AplErr slash_function(Parser *parser, Item slash, Item *result) {
    const Item *item = &slash; /* a copy: result may be where it came from */
    const AplPrim *prim = apli_prim_of((uint32_t)item->node->slot);
    *result = (Item){.class = ITEM_FUNCTION};
    if (item->axis) {
        TRY(make(parser, NODE_AXIS, item->node->offset, 1, &result->node));
        result->node->prim = prim;
        result->node->children[0] = item->axis;
        return APL_OK;
    }
    TRY(make(parser, NODE_FUNCTION, item->node->offset, 0, &result->node));
    result->node->function = apli_function_of_prim(prim);
    return APL_OK;
}

/* Whether a node is the same at every evaluation, so that what is derived from it can be made once. */
static bool is_fixed(const AplNode *node) {
    return !node || node->kind == NODE_FUNCTION || node->kind == NODE_CONSTANT || node->kind == NODE_JOT;
}

static AplErr derive(Parser *parser, Item item, AplNode *left, AplNode *right, Item *result) {
    const Item *operator_ = &item; /* a copy: result may be where it came from */
    bool defined = operator_->node->kind != NODE_JOT;
    AplNode *node;
    TRY(count_call(parser, operator_->node->offset));
    TRY(make(parser, defined ? NODE_DERIVE_DEFINED : NODE_DERIVE, operator_->node->offset, 3, &node));
    if (defined) {
        if (operator_->axis) return fail_at(parser, operator_->node->offset, APL_NONCE, "a defined operator with an axis");
        node->children[0] = operator_->node;
        node->children[1] = left;
        node->children[2] = right;
    } else {
        node->operator_ = operator_->node->operator_;
        node->children[0] = left;
        node->children[1] = right;
        node->children[2] = operator_->axis;
    }
    *result = (Item){.node = node, .class = ITEM_FUNCTION};
    if (defined || !is_fixed(left) || !is_fixed(right) || !is_fixed(operator_->axis)) return APL_OK;
    AplFunction *function;
    TRY(apli_eval_function(parser->frame, node, &function));
    AplErr error = make(parser, NODE_FUNCTION, node->offset, 0, &result->node);
    if (error) {
        apli_function_release(function);
        return error;
    }
    result->node->function = function;
    return APL_OK;
}

static bool is_jot(const Item *item) {
    return item->class == ITEM_DYADIC_OPERATOR && item->node->kind == NODE_JOT && item->node->slot == 0x2218;
}
static bool is_dot(const Item *item) {
    return item->class == ITEM_DYADIC_OPERATOR && item->node->kind == NODE_JOT && item->node->slot == '.';
}

static AplErr bind(Parser *parser, Items *items) {
    int kept = 0;
    Item *list = items->items;
    for (int i = 0; i < items->count; i++) {
        Item item = list[i];
        Item *before = kept ? &list[kept - 1] : NULL;
        bool has_operand = before && (before->class == ITEM_FUNCTION || before->class == ITEM_VALUE);
        if (item.class == ITEM_SLASH) {
            bool operator_ = before && before->class == ITEM_FUNCTION;
            TRY(operator_ ? derive(parser, item, before->node, NULL, &item) : slash_function(parser, item, &item));
            kept -= operator_;
        } else if (item.node->kind != NODE_JOT && before && before->class == ITEM_ASSIGN && i + 1 == items->count) {
            /* name←operator: kept as it is */
        } else if (item.class == ITEM_MONADIC_OPERATOR) {
            if (!has_operand) return fail_at(parser, item.node->offset, APL_SYNTAX, "an operator with nothing to its left");
            TRY(derive(parser, item, before->node, NULL, &item));
            kept--;
        } else if (item.class == ITEM_DYADIC_OPERATOR) {
            bool outer = is_jot(&item) && i + 1 < items->count && is_dot(&list[i + 1]);
            Item left = outer ? (Item){.node = item.node} : has_operand ? *before : (Item){0};
            if (!left.node) return fail_at(parser, item.node->offset, APL_SYNTAX, "an operator with nothing to its left");
            if (outer) item = list[++i];
            else kept--;
            if (++i >= items->count) return fail_at(parser, item.node->offset, APL_SYNTAX, "an operator with nothing to its right");
            Item right = list[i];
            if (right.class == ITEM_SLASH) TRY(slash_function(parser, right, &right));
            if (right.class != ITEM_FUNCTION && right.class != ITEM_VALUE)
                return fail_at(parser, right.node->offset, APL_SYNTAX, "an operator's right operand is no function and no value");
            TRY(derive(parser, item, left.node, right.node, &item));
        }
        list[kept++] = item;
    }
    items->count = kept;
    return APL_OK;
}

/* ---- 4. the expression ---------------------------------------------------------------------------------------------- */

static bool is_target(const AplNode *node) {
    switch ((AplNodeKind)node->kind) {
    case NODE_SYMBOL: case NODE_LOCAL: case NODE_SYSTEM: case NODE_QUAD_OUTPUT: case NODE_ALPHA: return true;
    case NODE_INDEX: return is_target(node->children[0]) && node->children[0]->kind != NODE_STRAND;
    case NODE_STRAND:
        for (int i = 0; i < node->child_count; i++)
            if (!is_target(node->children[i])) return false;
        return true;
    default: return false;
    }
}

static AplErr train(Parser *parser, const Item *items, int count, AplNode **tree) {
    if (count == 1) {
        *tree = items[0].node;
        return APL_OK;
    }
    if (count > MOST_CHILDREN) return fail_at(parser, items[0].node->offset, APL_LIMIT, "a train of more than 255 functions");
    for (int i = 0; i < count; i++) {
        bool left_tine = (count - i) % 2 == 1 && i < count - 1;
        if (items[i].class == ITEM_ASSIGN || (items[i].class == ITEM_VALUE && !left_tine))
            return fail_at(parser, items[i].node->offset, APL_SYNTAX, "a function without a right argument");
    }
    TRY(make(parser, NODE_TRAIN, items[0].node->offset, count, tree));
    for (int i = 0; i < count; i++) (*tree)->children[i] = items[i].node;
    return APL_OK;
}

/* name←function expression. */
static AplErr assign_function(Parser *parser, const Item *items, int count, AplNode **tree) {
    AplNode *value;
    if (items[0].node->kind != NODE_SYMBOL && items[0].node->kind != NODE_LOCAL)
        return fail_at(parser, items[0].node->offset, APL_SYNTAX, "a function can be given only to a name");
    bool operator_ = count == 3 && (items[2].class == ITEM_MONADIC_OPERATOR || items[2].class == ITEM_DYADIC_OPERATOR);
    if (operator_) value = items[2].node;
    else TRY(train(parser, items + 2, count - 2, &value));
    if (operator_ && value->kind == NODE_JOT) return fail_at(parser, value->offset, APL_NONCE, "a name for a primitive operator");
    TRY(make(parser, NODE_ASSIGN, items[1].node->offset, 3, tree));
    (*tree)->children[0] = items[0].node;
    (*tree)->children[1] = value;
    (*tree)->slot = operator_ ? 2 : 1;
    return APL_OK;
}

static AplErr assignment(Parser *parser, const Item *items, int at, AplNode *value, AplNode **tree, int *next) {
    const Item *left = &items[at - 1];
    AplNode *function = NULL;
    int32_t offset = items[at].node->offset;
    if (at >= 1 && left->class == ITEM_FUNCTION && at >= 2 && items[at - 2].class == ITEM_VALUE) {
        function = left->node;
        left--;
    }
    if (at < 1 || left->class != ITEM_VALUE) return fail_at(parser, offset, APL_SYNTAX, "← has no name to its left");
    if (!is_target(left->node)) {
        bool selection = left->node->parenthesised && (left->node->kind == NODE_MONADIC || left->node->kind == NODE_DYADIC);
        return fail_at(parser, left->node->offset, selection ? APL_NONCE : APL_SYNTAX,
                       selection ? "selective assignment" : "a value cannot be assigned to");
    }
    TRY(make(parser, NODE_ASSIGN, offset, 3, tree));
    (*tree)->children[0] = left->node;
    (*tree)->children[1] = value;
    (*tree)->children[2] = function;
    *next = (int)(left - items) - 1;
    return APL_OK;
}

static AplErr expression(Parser *parser, const Item *items, int count, AplNode **tree, ItemClass *class) {
    if (count == 1 && items[0].class != ITEM_ASSIGN) {
        *tree = items[0].node;
        *class = items[0].class;
        if (*class == ITEM_DYADIC_OPERATOR || *class == ITEM_MONADIC_OPERATOR) {
            if ((*tree)->kind == NODE_JOT) return fail_at(parser, (*tree)->offset, APL_SYNTAX, "an operator alone");
        }
        return APL_OK;
    }
    const Item *last = &items[count - 1];
    if (last->class != ITEM_VALUE) {
        *class = ITEM_FUNCTION;
        if (last->class == ITEM_ASSIGN) return fail_at(parser, last->node->offset, APL_SYNTAX, "← with nothing to its right");
        if (count >= 3 && items[1].class == ITEM_ASSIGN) return assign_function(parser, items, count, tree);
        return train(parser, items, count, tree);
    }
    AplNode *right = last->node;
    int i = count - 2;
    while (i >= 0) {
        AplNode *node;
        TRY(count_call(parser, items[i].node->offset));
        if (items[i].class == ITEM_ASSIGN) {
            TRY(assignment(parser, items, i, right, &node, &i));
        } else {
            bool dyadic = i > 0 && items[i - 1].class == ITEM_VALUE;
            TRY(make(parser, dyadic ? NODE_DYADIC : NODE_MONADIC, items[i].node->offset, dyadic ? 3 : 2, &node));
            node->children[0] = items[i].node;
            if (dyadic) node->children[1] = items[i - 1].node;
            node->children[dyadic ? 2 : 1] = right;
            i -= dyadic ? 2 : 1;
        }
        right = node;
    }
    *tree = right;
    *class = ITEM_VALUE;
    return APL_OK;
}

static AplErr parse_range(Parser *parser, int32_t first, int32_t last, AplNode **tree, ItemClass *class) {
    if (first >= last) return fail_at(parser, parser->source->tokens[first].offset, APL_SYNTAX, "nothing where a value is needed");
    if (++parser->depth > MOST_NESTING)
        return fail_at(parser, parser->source->tokens[first].offset, APL_LIMIT, "brackets nested too deeply");
    Items items = {0};
    /* operators joined early: collecting with parentheses recurses, the other passes do not */
    AplErr error = collect(parser, first, last, &items);
    /* a name list in parentheses before ← must stay a strand of names */
    if (!error) error = join_strands(parser, &items);
    if (!error) error = bind(parser, &items);
    if (!error) error = expression(parser, items.items, items.count, tree, class);
    free_items(&items);
    parser->depth--;
    return error;
}

/* ---- 5. scalar runs --------------------------------------------------------------------------------------------------- */

static const AplPrim *scalar_prim(const AplNode *node) {
    if (node->kind != NODE_MONADIC && node->kind != NODE_DYADIC) return NULL;
    const AplNode *function = node->children[0];
    if (function->kind != NODE_FUNCTION || function->function->kind != APLI_FUNCTION_PRIM) return NULL;
    const AplPrim *prim = function->function->prim;
    if (!(prim->flags & APLI_SCALAR)) return NULL;
    bool defined = node->kind == NODE_MONADIC ? !(prim->flags & APLI_NOT_SCALAR_MONADIC)
                                              : !(prim->flags & APLI_NOT_SCALAR_DYADIC);
    return defined ? prim : NULL;
}

static void count_run(AplNode *node, int *steps, int *leaves, int *functions) {
    if (++*steps > APLI_SCALAR_RUN_MOST_STEPS) return; /* too long to be one anyway */
    if (!scalar_prim(node)) {
        ++*leaves;
        return;
    }
    ++*functions;
    for (int i = node->child_count - 1; i > 0; i--) count_run(node->children[i], steps, leaves, functions);
}

static void fill_run(AplScalarRun *run, AplNode *node) {
    const AplPrim *prim = scalar_prim(node);
    if (!prim) {
        run->steps[run->step_count] = (AplScalarStep){.kind = APLI_STEP_LEAF, .leaf = run->leaf_count};
        run->nodes[run->step_count++] = node;
        run->leaves[run->leaf_count++] = node;
        return;
    }
    /* the right argument first: it is evaluated first. A dyadic step finds its left argument on top. */
    for (int i = node->child_count - 1; i > 0; i--) fill_run(run, node->children[i]);
    run->steps[run->step_count] =
        (AplScalarStep){.kind = node->kind == NODE_MONADIC ? APLI_STEP_MONADIC : APLI_STEP_DYADIC, .prim = prim};
    run->nodes[run->step_count++] = node;
}

static AplErr join_runs(Parser *parser, AplNode **place) {
    AplNode *node = *place;
    if (!node) return APL_OK;
    int steps = 0, leaves = 0, functions = 0;
    if (scalar_prim(node)) count_run(node, &steps, &leaves, &functions);
    if (functions >= 2 && steps <= APLI_SCALAR_RUN_MOST_STEPS) {
        AplNode *joined;
        TRY(make(parser, NODE_SCALAR_RUN, node->offset, 0, &joined));
        AplScalarRun *run = joined->run = calloc(1, sizeof *run);
        FAIL_IF(!run, APL_WS_FULL, "no memory for a parsed expression");
        run->steps = calloc((size_t)steps, sizeof *run->steps);
        run->nodes = calloc((size_t)steps, sizeof *run->nodes);
        run->leaves = calloc((size_t)leaves, sizeof *run->leaves);
        FAIL_IF(!run->steps || !run->nodes || !run->leaves, APL_WS_FULL, "no memory for a parsed expression");
        fill_run(run, node);
        for (int i = 0; i < run->leaf_count; i++) TRY(join_runs(parser, &run->leaves[i]));
        joined->parenthesised = node->parenthesised;
        *place = joined;
    } else {
        for (int i = 0; i < node->child_count; i++) TRY(join_runs(parser, &node->children[i]));
    }
    return APL_OK;
}

/* ---- statements ------------------------------------------------------------------------------------------------------- */

static AplErr parse_value(Parser *parser, int32_t first, int32_t last, AplNode **tree, bool value_only) {
    ItemClass class;
    TRY(parse_range(parser, first, last, tree, &class));
    if (value_only && class != ITEM_VALUE)
        return fail_at(parser, (*tree)->offset, APL_SYNTAX, "a function where a value is needed");
    return join_runs(parser, tree);
}

static AplClass class_now(AplFrame *frame, const AplAssumption *assumption) {
    AplClass class;
    if (assumption->depth < 0) {
        class = (assumption->slot ? frame->right_operand : frame->left_operand).function ? CLASS_FUNCTION : CLASS_VALUE;
    } else if (assumption->slot < 0) {
        class = assumption->symbol->value.class;
    } else {
        AplNode lookup = {.slot = assumption->slot, .depth = assumption->depth, .symbol = assumption->symbol};
        class = apli_local(frame, &lookup)->class;
    }
    return class > CLASS_VALUE ? class : CLASS_VALUE;
}

static bool still_true(AplFrame *frame, AplStatement *statement) {
    bool same_epoch = statement->epoch == frame->session->workspace.class_epoch;
    for (int32_t i = 0; i < statement->assumption_count; i++) {
        const AplAssumption *assumption = &statement->assumptions[i];
        bool symbol_only = assumption->slot < 0 && assumption->depth == 0;
        if (symbol_only && same_epoch) continue;
        if (class_now(frame, assumption) != assumption->class) return false;
    }
    statement->epoch = frame->session->workspace.class_epoch;
    return true;
}

AplErr apli_parse_statement(AplFrame *frame, AplStatement *statement) {
    if (statement->parsed && still_true(frame, statement)) return APL_OK;
    Parser parser = {.frame = frame, .statement = statement, .source = frame->body->source, .body = frame->body};
    statement->parsed = false;
    statement->assumption_count = 0;
    if (frame->body->running == 1) { /* otherwise an outer call may be running the nodes of the earlier parse */
        apli_nodes_free(statement->made);
        statement->made = NULL;
    }
    statement->tree = statement->second = NULL;
    statement->epoch = frame->session->workspace.class_epoch;
    switch ((AplStatementKind)statement->kind) {
    case STATEMENT_EMPTY: case STATEMENT_JUMP: case STATEMENT_RETURN: case STATEMENT_FOR_NEXT: case STATEMENT_POP: break;
    case STATEMENT_EXPRESSION:
        TRY(parse_value(&parser, statement->first, statement->last, &statement->tree, false));
        break;
    case STATEMENT_BRANCH:
        if (statement->first < statement->last)
            TRY(parse_value(&parser, statement->first, statement->last, &statement->tree, true));
        break;
    case STATEMENT_GUARD:
        TRY(parse_value(&parser, statement->first, statement->guard - 1, &statement->tree, true));
        if (statement->guard < statement->last)
            TRY(parse_value(&parser, statement->guard, statement->last, &statement->second, true));
        break;
    case STATEMENT_HANDLER:
        if (statement->first < statement->last)
            TRY(parse_value(&parser, statement->first, statement->last, &statement->tree, true));
        break;
    default: TRY(parse_value(&parser, statement->first, statement->last, &statement->tree, true)); break;
    }
    statement->parsed = true;
    return APL_OK;
}
