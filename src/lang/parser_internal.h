/* What the parser's files share: a statement being parsed, and the items it is cut into. */
#ifndef APLI_LANG_PARSER_INTERNAL_H
#define APLI_LANG_PARSER_INTERNAL_H

#include "lang/frame.h"

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

/* A node of the statement, owned by it; its children are unset. */
AplErr apli_node_new(Parser *parser, AplNodeKind kind, int32_t offset, int children, AplNode **result);
/* Counts a node that may stand above all those before it: passes over the tree take as much stack as it is deep. */
AplErr apli_parser_count_call(Parser *parser, int32_t offset);
/* Tokens [first, last) as items: bracketed parts parsed, names looked up. */
AplErr apli_parse_items(Parser *parser, int32_t first, int32_t last, Items *items);
/* Tokens [first, last) as one expression. */
AplErr apli_parse_range(Parser *parser, int32_t first, int32_t last, AplNode **tree, ItemClass *class);

void apli_parser_fault(Parser *parser, int32_t offset, AplErr kind, const char *text);
/* Raises at a place in the source; an expression whose value the compiler knows to be an error. */
#define fail_at(parser, offset, kind, text) (apli_parser_fault((parser), (offset), (kind), (text)), (kind))

#endif
