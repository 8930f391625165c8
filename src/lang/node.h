/* The parsed form: expression trees, the statements of a function's body, and the body. */
#ifndef APLI_LANG_NODE_H
#define APLI_LANG_NODE_H

#include "lang/token.h"
#include "lang/workspace.h"
#include "prim/fused/fused.h"
#include "prim/scalar/scalar_run.h"

typedef struct AplNode AplNode;
typedef struct AplBody AplBody;
typedef struct AplFrame AplFrame;

typedef enum AplNodeKind {
    /* values */
    NODE_CONSTANT, /* array */
    NODE_SYMBOL, /* symbol */
    NODE_LOCAL, /* slot of the frame `depth` lexical levels up; symbol for when it is unset */
    NODE_ALPHA,
    NODE_OMEGA,
    NODE_OPERAND_VALUE, /* ⍺⍺ (slot 0) or ⍵⍵ (slot 1) that is an array */
    NODE_NILADIC, /* symbol: a defined function without arguments */
    NODE_SYSTEM, /* system variable or niladic system function: slot is its row */
    NODE_QUAD_INPUT, /* ⎕ */
    NODE_QUOTE_QUAD_INPUT, /* ⍞ */
    NODE_STRAND, /* children */
    NODE_INDEX, /* children[0][children[1..]]; an elided subscript is NULL */
    NODE_MONADIC, /* children: function, right */
    NODE_DYADIC, /* children: function, left, right */
    NODE_SCALAR_RUN, /* run: scalar functions over leaves, in one loop */
    NODE_ASSIGN, /* children: target, value; a modifying function third, or NULL */
    /* functions */
    NODE_FUNCTION, /* function: known when parsed */
    NODE_FUNCTION_SYMBOL, /* symbol */
    NODE_FUNCTION_LOCAL, /* slot, depth, symbol */
    NODE_FUNCTION_OPERAND, /* ⍺⍺ (slot 0) or ⍵⍵ (slot 1) that is a function */
    NODE_SELF, /* ∇; slot 1: ∇∇, the operator that runs, without its operands */
    NODE_SYSTEM_FUNCTION, /* slot: its row */
    NODE_DFN, /* body */
    NODE_DERIVE, /* operator_; children: left, right or NULL, axis or NULL. Jot operand: NODE_JOT */
    NODE_DERIVE_DEFINED, /* children: operator, left, right or NULL */
    NODE_AXIS, /* prim; children: axis */
    NODE_TRAIN, /* children: tines */
    NODE_JOT,
    /* targets only */
    NODE_QUAD_OUTPUT /* ⎕← and ⍞← (slot 1) */
} AplNodeKind;

/* One loop over scalar functions: steps in postfix order, leaves in the order of evaluation (right to left). */
typedef struct AplScalarRun {
    int step_count, leaf_count;
    AplScalarStep *steps;
    AplNode **nodes; /* of each step, for error positions */
    AplNode **leaves;
} AplScalarRun;

struct AplNode {
    uint8_t kind; /* AplNodeKind */
    uint8_t child_count;
    bool parenthesised;
    int32_t offset; /* in the source */
    int32_t slot, depth;
    union {
        AplArray *array;
        AplFunction *function;
        AplSymbol *symbol;
        const AplOperator *operator_;
        const AplPrim *prim;
        AplBody *body;
        AplScalarRun *run;
    };
    AplNode **children;
    AplNode *next_made; /* the statement's list of all its nodes */
};

typedef enum AplStatementKind {
    STATEMENT_EMPTY,
    STATEMENT_EXPRESSION,
    STATEMENT_BRANCH, /* →value, or → alone */
    STATEMENT_GUARD, /* dfn: condition : result */
    STATEMENT_ERROR_GUARD, /* dfn: from here on, an error of these numbers goes to the handler, the next statement */
    STATEMENT_HANDLER, /* dfn: the result after an error; only an error comes here */
    STATEMENT_DEFAULT_ALPHA, /* dfn: ⍺←value */
    STATEMENT_JUMP, /* to target */
    STATEMENT_TEST, /* falls through when true, else to target */
    STATEMENT_TEST_NOT, /* falls through when false */
    STATEMENT_RETURN,
    STATEMENT_FOR, /* evaluates the items and enters the loop; slot 1: a list of items for each name */
    STATEMENT_FOR_NEXT, /* binds the next item to the loop's names, or goes to target */
    STATEMENT_SELECT, /* evaluates the subject */
    STATEMENT_CASE, /* falls through on a match, else to target; slot 1: a list of values */
    STATEMENT_TRAP, /* the numbers trapped; an error inside goes to target */
    STATEMENT_POP /* leaves a :For, :Select or :Trap */
} AplStatementKind;

/* What the parse took for granted: it holds while each name is of the class that it had. */
typedef struct AplAssumption {
    AplSymbol *symbol; /* NULL: a slot, or an operand when depth is -1 */
    int32_t slot, depth;
    AplClass class;
} AplAssumption;

typedef struct AplStatement {
    uint8_t kind; /* AplStatementKind */
    uint8_t slot;
    bool parsed;
    bool by_slots; /* some assumption is not of a symbol's own class */
    int16_t depth; /* loops and selections that enclose it */
    int32_t line; /* of the function, 0 the header */
    int32_t first, last; /* tokens [first, last) of the expression */
    int32_t guard; /* the token after a guard's colon */
    int32_t target; /* statement */
    AplNode *tree, *second; /* second: a guard's result; a :For loop's names */
    uint64_t epoch;
    AplAssumption *assumptions;
    int32_t assumption_count;
    AplNode *made; /* every node of this parse, and of earlier ones that may have been running then */
} AplStatement;

typedef enum AplBodyKind { BODY_IMMEDIATE, BODY_DFN, BODY_TRADFN } AplBodyKind;

enum { MOST_SYSTEM_LOCALS = 16 };

struct AplBody {
    int32_t references;
    int32_t running; /* frames that run its statements now */
    AplBodyKind kind;
    AplSource *source;
    int32_t first, last; /* its tokens in the source: a dfn with its braces, a tradfn without its ∇s */
    AplBody *enclosing; /* a dfn's lexical parent (of a line that ⍎ runs: the running dfn), borrowed: it lives
                           longer than this body */
    AplStatement *statements;
    int32_t statement_count;
    /* dfn: its local names, a slot each. tradfn: everything localised. */
    AplSymbol **locals;
    int32_t local_count;
    int32_t *system_locals; /* tradfn: rows of quad.def */
    int32_t system_local_count;
    /* operands: whether ⍺⍺ and ⍵⍵ occur; a tradfn's header says the same */
    bool takes_left_operand, takes_right_operand;
    AplSymbol *name; /* a tradfn's, or what a dfn was first called; NULL: none */
    /* tradfn: */
    AplSymbol *result, *left, *right, *left_operand, *right_operand;
    bool optional_left, shy, ambivalent;
    int32_t *line_statement; /* the first statement of each line */
    int32_t line_count; /* with the header */
    struct AplLabel { AplSymbol *symbol; int32_t line; } *labels;
    int32_t label_count;
    const AplFusedKernel *kernel; /* bound by a comment, or NULL */
};

AplBody *apli_body_retain(AplBody *body);
void apli_body_release(AplBody *body);
void apli_nodes_free(AplNode *made);

#endif
