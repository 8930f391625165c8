/* From tokens to expression trees. One statement at a time, when it first runs: the classes of names are known then.
   parser_items.c cuts the tokens into items, parser_bind.c makes them an expression; here neighbouring scalar functions are
   joined into runs, and a statement is parsed anew when a name it took for a value has become a function. */
#include "lang/parser_internal.h"

#include <stdlib.h>

void apli_parser_fault(Parser *parser, int32_t offset, AplErr kind, const char *text) {
    if (parser->frame->session->fault_offset < 0) parser->frame->session->fault_offset = offset;
    apli_fail(kind, "%s", text);
}

AplErr apli_parser_count_call(Parser *parser, int32_t offset) {
    if (++parser->calls <= MOST_CALLS) return APL_OK;
    return fail_at(parser, offset, APL_LIMIT, "a statement of more than 20000 calls, operators and brackets");
}

AplErr apli_node_new(Parser *parser, AplNodeKind kind, int32_t offset, int children, AplNode **result) {
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

/* ---- scalar runs - --------------------------------------------------------------------------------------------------- */

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
        TRY(apli_node_new(parser, NODE_SCALAR_RUN, node->offset, 0, &joined));
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
    TRY(apli_parse_range(parser, first, last, tree, &class));
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
    const bool same_epoch = statement->epoch == frame->session->workspace.class_epoch;
    if (same_epoch && !statement->by_slots) return true;
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
    statement->by_slots = false;
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
