/* The parser's next steps, over the items of an expression: neighbouring values become strands; operators take their
   operands, left to right; functions take their arguments and ← its target, right to left. */
#include "lang/parser_internal.h"
#include "prim/prim.h"

#include <stdlib.h>

/* ---- strands - ------------------------------------------------------------------------------------------------- */

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
    TRY(apli_node_new(parser, NODE_STRAND, items[0].node->offset, width, &node));
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
                TRY(apli_node_new(parser, NODE_CONSTANT, item->offset, 0, &number));
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
        AplErr error = apli_node_new(parser, NODE_CONSTANT, node->offset, 0, &folded);
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

/* ---- binding - --------------------------------------------------------------------------------------------------- */

static AplErr slash_function(Parser *parser, Item slash, Item *result) {
    const Item *item = &slash; /* a copy: result may be where it came from */
    const AplPrim *prim = apli_prim_of((uint32_t)item->node->slot);
    *result = (Item){.class = ITEM_FUNCTION};
    if (item->axis) {
        TRY(apli_node_new(parser, NODE_AXIS, item->node->offset, 1, &result->node));
        result->node->prim = prim;
        result->node->children[0] = item->axis;
        return APL_OK;
    }
    TRY(apli_node_new(parser, NODE_FUNCTION, item->node->offset, 0, &result->node));
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
    TRY(apli_parser_count_call(parser, operator_->node->offset));
    TRY(apli_node_new(parser, defined ? NODE_DERIVE_DEFINED : NODE_DERIVE, operator_->node->offset, 3, &node));
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
    AplErr error = apli_node_new(parser, NODE_FUNCTION, node->offset, 0, &result->node);
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

/* ---- the expression - ---------------------------------------------------------------------------------------------- */

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
    TRY(apli_node_new(parser, NODE_TRAIN, items[0].node->offset, count, tree));
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
    TRY(apli_node_new(parser, NODE_ASSIGN, items[1].node->offset, 3, tree));
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
    TRY(apli_node_new(parser, NODE_ASSIGN, offset, 3, tree));
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
        TRY(apli_parser_count_call(parser, items[i].node->offset));
        if (items[i].class == ITEM_ASSIGN) {
            TRY(assignment(parser, items, i, right, &node, &i));
        } else {
            bool dyadic = i > 0 && items[i - 1].class == ITEM_VALUE;
            TRY(apli_node_new(parser, dyadic ? NODE_DYADIC : NODE_MONADIC, items[i].node->offset, dyadic ? 3 : 2, &node));
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

AplErr apli_parse_range(Parser *parser, int32_t first, int32_t last, AplNode **tree, ItemClass *class) {
    if (first >= last) return fail_at(parser, parser->source->tokens[first].offset, APL_SYNTAX, "nothing where a value is needed");
    if (++parser->depth > MOST_NESTING)
        return fail_at(parser, parser->source->tokens[first].offset, APL_LIMIT, "brackets nested too deeply");
    Items items = {0};
    /* operators joined early: collecting with parentheses recurses, the other passes do not */
    AplErr error = apli_parse_items(parser, first, last, &items);
    /* a name list in parentheses before ← must stay a strand of names */
    if (!error) error = join_strands(parser, &items);
    if (!error) error = bind(parser, &items);
    if (!error) error = expression(parser, items.items, items.count, tree, class);
    free(items.items);
    parser->depth--;
    return error;
}
