/* What the files of the template interpreter share: tokens, nodes, values and the evaluator. */
#ifndef APLI_MODEL_TEMPLATE_INTERNAL_H
#define APLI_MODEL_TEMPLATE_INTERNAL_H

#include "base/arena.h"
#include "model/template.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    JINJA_MAX_TEMPLATE = 1 << 20, /* bytes */
    JINJA_MAX_DEPTH = 500,        /* of nested expressions, statements and macro calls */
    JINJA_MAX_STEPS = 20 * 1000 * 1000,
    JINJA_MAX_OUTPUT = 64 << 20,  /* bytes */
    JINJA_MAX_MEMORY = 256 << 20, /* bytes */
    JINJA_MAX_RANGE = 100000,     /* items, as in Jinja's sandbox */
    JINJA_MAX_PARAMETERS = 6      /* of a built-in function */
};

typedef struct JinjaString {
    const char *bytes;
    size_t length;
} JinjaString;

/* ---- values
   ---------------------------------------------------------------------------------------------- */

typedef enum JinjaKind {
    JINJA_ABSENT,    /* an argument that was not given */
    JINJA_UNDEFINED, /* bytes: why, for the error of who uses it */
    JINJA_NONE,
    JINJA_BOOLEAN,
    JINJA_INTEGER,
    JINJA_REAL,
    JINJA_STRING, /* UTF-8 */
    JINJA_LIST,
    JINJA_TUPLE,
    JINJA_DICT,
    JINJA_NAMESPACE,
    JINJA_FUNCTION,
    JINJA_LOOP
} JinjaKind;

typedef struct JinjaValue {
    JinjaKind kind;
    uint32_t length; /* bytes of a string, items of a list */
    union {
        bool boolean;
        int64_t integer;
        double real;
        const char *bytes;
        struct JinjaValue *items;
        struct JinjaDict *dict;
        struct JinjaFunction *function;
        struct JinjaLoop *loop;
    };
} JinjaValue;

/* In order of insertion. */
typedef struct JinjaDict {
    JinjaValue *keys;
    JinjaValue *values;
    size_t count;
    size_t capacity;
} JinjaDict;

typedef struct JinjaLoop {
    const JinjaValue *items;
    size_t count;
    size_t index;       /* from 0 */
    int depth;          /* from 0 */
    JinjaValue changed; /* what loop.changed() saw last */
} JinjaLoop;

typedef struct JinjaArguments {
    const JinjaValue *items;
    size_t count;
    const JinjaString *names;
    const JinjaValue *named;
    size_t named_count;
} JinjaArguments;

struct JinjaEvaluator;

/* `bound`: the arguments in the order of the parameters, JINJA_ABSENT where not given. `all`: as written. */
typedef AplErr JinjaBuiltin(struct JinjaEvaluator *evaluator, const JinjaValue *subject,
                            const JinjaValue *bound, const JinjaArguments *all, JinjaValue *result);

#define JINJA_BUILTIN(name) \
    static AplErr name(__attribute__((unused)) JinjaEvaluator *evaluator, \
                       __attribute__((unused)) const JinjaValue *subject, \
                       __attribute__((unused)) const JinjaValue *bound, \
                       __attribute__((unused)) const JinjaArguments *all, JinjaValue *result)
#define JINJA_ROWS(rows) (rows), sizeof(rows) / sizeof *(rows)

/* A row of a table of filters, tests, methods or global functions. */
typedef struct JinjaRow {
    const char *name;
    JinjaBuiltin *call;
    const char *parameters; /* "width,first"; NULL: takes anything, and looks at `all` */
    int required;           /* so many of them must be given */
} JinjaRow;

typedef struct JinjaFunction {
    const JinjaRow *row; /* a built-in function or method; NULL: a macro */
    JinjaValue subject;  /* of a method */
    const struct JinjaNode *macro;
    struct JinjaFrame *frame; /* where the macro was defined */
} JinjaFunction;

/* ---- tokens
   ---------------------------------------------------------------------------------------------- */

typedef enum JinjaTokenKind {
    JINJA_TOKEN_END,
    JINJA_TOKEN_DATA,
    JINJA_TOKEN_OUTPUT_BEGIN,
    JINJA_TOKEN_OUTPUT_END,
    JINJA_TOKEN_BLOCK_BEGIN,
    JINJA_TOKEN_BLOCK_END,
    JINJA_TOKEN_NAME,
    JINJA_TOKEN_STRING,
    JINJA_TOKEN_NUMBER,
    JINJA_TOKEN_OPERATOR
} JinjaTokenKind;

/* An operator's code: its characters, the first in the upper byte where there are two. */
#define JINJA_PAIR(first, second) ((first) << 8 | (second))

typedef struct JinjaToken {
    JinjaTokenKind kind;
    int line;
    int operation;
    JinjaString text; /* as written; of a string, what it means */
    JinjaValue number;
} JinjaToken;

/* The tokens of a template, in the arena, ended by JINJA_TOKEN_END. `text` must outlive them. */
AplErr apli_jinja_scan(const char *source, const char *text, size_t length, AplArena *arena,
                       JinjaToken **tokens);

/* ---- nodes
   ----------------------------------------------------------------------------------------------- */

typedef enum JinjaNodeKind {
    /* statements */
    JINJA_TEXT,   /* name: the text */
    JINJA_OUTPUT, /* first */
    JINJA_IF,     /* first: condition, body, other */
    JINJA_FOR,    /* target, first: iterable, second: filter or NULL, body, other; flag: recursive */
    JINJA_SET,    /* target, first; or body and perhaps a chain of filters in first for a block */
    JINJA_MACRO,  /* name, items: parameters' names as JINJA_NAME nodes with their default in first, body */
    JINJA_CALL_BLOCK,   /* first: the call, macro parameters as above, body */
    JINJA_FILTER_BLOCK, /* first: filters around a JINJA_CAPTURED, body */
    JINJA_WITH,         /* items: JINJA_SET nodes, body */
    JINJA_SCOPE,        /* body, as it stands (the generation tag) */
    JINJA_BREAK,
    JINJA_CONTINUE,
    /* expressions */
    JINJA_CAPTURED, /* the text of the block around */
    JINJA_CONSTANT,
    JINJA_NAME,
    JINJA_NAMESPACE_TARGET, /* first.name, to be assigned */
    JINJA_MAKE_TUPLE,       /* items */
    JINJA_MAKE_LIST,        /* items */
    JINJA_MAKE_DICT,        /* items: keys and values in turn */
    JINJA_ATTRIBUTE,        /* first.name */
    JINJA_ITEM,             /* first[second] */
    JINJA_SLICE,            /* first:second:third, each may be NULL */
    JINJA_CALL,             /* first(items, names: keywords) */
    JINJA_FILTER,           /* first|row(items, ...) */
    JINJA_TEST,             /* first is row(items, ...) */
    JINJA_NOT,
    JINJA_AND,
    JINJA_OR,
    JINJA_COMPARE,     /* first, then items, each a JINJA_OPERAND */
    JINJA_OPERAND,     /* operation, first */
    JINJA_UNARY,       /* operation, first */
    JINJA_BINARY,      /* operation, first, second */
    JINJA_CONCATENATE, /* items */
    JINJA_CONDITIONAL  /* first if second else third (may be NULL) */
} JinjaNodeKind;

enum { JINJA_IN = JINJA_PAIR('i', 'n'), JINJA_NOT_IN = JINJA_PAIR('n', 'i') };

typedef struct JinjaNode {
    JinjaNodeKind kind;
    int line;
    int operation;
    bool flag;
    JinjaString name;
    JinjaValue constant;
    const JinjaRow *row;
    struct JinjaNode *target, *first, *second, *third;
    struct JinjaNode *body, *other; /* statements, linked by next */
    struct JinjaNode *next;
    struct JinjaNode **items; /* with keyword arguments behind the positional ones */
    size_t count;             /* of positional items */
    JinjaString *names;       /* of keyword arguments */
    size_t named_count;
} JinjaNode;

typedef struct JinjaParser {
    const char *source;
    const JinjaToken *token; /* the next one */
    AplArena *arena;
    int depth;
    int loops; /* around this point: whether break and continue may stand here */
} JinjaParser;

AplErr apli_jinja_parse(JinjaParser *parser, JinjaNode **body);
AplErr apli_jinja_node(JinjaParser *parser, JinjaNodeKind kind, JinjaNode **node);
AplErr apli_jinja_parse_expression(JinjaParser *parser, JinjaNode **node);
/* An expression, or several with commas: a tuple. */
AplErr apli_jinja_parse_tuple(JinjaParser *parser, JinjaNode **node);
/* An expression without a conditional at its top: what follows `in` of a loop that has a filter. */
AplErr apli_jinja_parse_or(JinjaParser *parser, JinjaNode **node);
AplErr apli_jinja_parse_target(JinjaParser *parser, bool with_namespace, JinjaNode **node);
/* "|name(...)" and what follows it, applied to `subject`; for a filter block the first has no bar before
   it. */
AplErr apli_jinja_parse_filters(JinjaParser *parser, bool bare, JinjaNode *subject, JinjaNode **node);
AplErr apli_jinja_parse_primary_call(JinjaParser *parser, JinjaNode **node);
/* A growing list of nodes in the arena. */
AplErr apli_jinja_push(JinjaParser *parser, JinjaNode ***items, size_t *count, JinjaNode *node);
bool apli_jinja_at(const JinjaParser *parser, JinjaTokenKind kind, const char *text);
bool apli_jinja_skip(JinjaParser *parser, JinjaTokenKind kind, const char *text);
/* SYNTAX ERROR "…, line N: expected WHAT, found …". */
AplErr apli_jinja_expected(const JinjaParser *parser, const char *what);
AplErr apli_jinja_expect(JinjaParser *parser, JinjaTokenKind kind, const char *text);
AplErr apli_jinja_expect_name(JinjaParser *parser, JinjaString *name);

/* ---- the evaluator
   --------------------------------------------------------------------------------------- */

typedef struct JinjaBinding {
    JinjaString name;
    JinjaValue value;
    struct JinjaBinding *next;
} JinjaBinding;

typedef struct JinjaFrame {
    struct JinjaFrame *outer;
    JinjaBinding *bindings;
} JinjaFrame;

typedef enum JinjaSignal { JINJA_RUN_ON, JINJA_BREAKING, JINJA_CONTINUING } JinjaSignal;

typedef struct JinjaEvaluator {
    AplArena arena;
    AplText *output;
    size_t written; /* bytes, over all captures */
    uint64_t steps;
    int depth;
    int line;
    JinjaFrame *frame;
    JinjaSignal signal;
    JinjaValue captured; /* what JINJA_CAPTURED means */
} JinjaEvaluator;

AplErr apli_jinja_run(JinjaEvaluator *evaluator, const JinjaNode *body);
AplErr apli_jinja_evaluate(JinjaEvaluator *evaluator, const JinjaNode *node, JinjaValue *result);
AplErr apli_jinja_call(JinjaEvaluator *evaluator, const JinjaValue *function, const JinjaArguments *arguments,
                       JinjaValue *result);
AplErr apli_jinja_call_macro(JinjaEvaluator *evaluator, const JinjaFunction *function,
                             const JinjaArguments *arguments, JinjaValue *result);
AplErr apli_jinja_call_row(JinjaEvaluator *evaluator, const JinjaRow *row, const JinjaValue *subject,
                           const JinjaArguments *arguments, JinjaValue *result);
AplErr apli_jinja_assign(JinjaEvaluator *evaluator, JinjaString name, const JinjaValue *value);
AplErr apli_jinja_new_frame(JinjaEvaluator *evaluator, JinjaFrame *outer, JinjaFrame **frame);
/* Counts work; LIMIT ERROR when there was too much. */
AplErr apli_jinja_spend(JinjaEvaluator *evaluator, uint64_t steps);
AplErr apli_jinja_enter(JinjaEvaluator *evaluator); /* one level deeper */
AplErr apli_jinja_write(JinjaEvaluator *evaluator, const char *bytes, size_t length);
AplErr apli_jinja_binary(JinjaEvaluator *evaluator, int operation, const JinjaValue *left,
                         const JinjaValue *right, JinjaValue *result);
AplErr apli_jinja_compare(JinjaEvaluator *evaluator, int operation, const JinjaValue *left,
                          const JinjaValue *right, bool *result);
/* value.name and value[key]; undefined where there is none. */
AplErr apli_jinja_attribute(JinjaEvaluator *evaluator, const JinjaValue *value, JinjaString name,
                            JinjaValue *result);
AplErr apli_jinja_subscript(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaValue *key,
                            JinjaValue *result);
/* The part of value from start to stop in steps; JINJA_NONE or JINJA_ABSENT stand for what is left out. */
AplErr apli_jinja_slice(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaValue parts[3],
                        JinjaValue *result);
/* "a.b.0" as the map, sort and selectattr filters take it. */
AplErr apli_jinja_path(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaValue *path,
                       JinjaValue *result);

const JinjaRow *apli_jinja_find_filter(JinjaString name);
const JinjaRow *apli_jinja_find_text_filter(JinjaString name);
const JinjaRow *apli_jinja_find_test(JinjaString name);
const JinjaRow *apli_jinja_find_function(JinjaString name);
const JinjaRow *apli_jinja_find_method(JinjaKind kind, JinjaString name);
const JinjaRow *apli_jinja_find_row(const JinjaRow *rows, size_t count, JinjaString name);

/* Functions that filters and methods share; `result` may not be an argument. */
typedef enum JinjaSide { JINJA_LEFT = 1, JINJA_RIGHT = 2, JINJA_BOTH = 3 } JinjaSide;
AplErr apli_jinja_strip(JinjaEvaluator *evaluator, const JinjaValue *string, const JinjaValue *characters,
                        JinjaSide side, JinjaValue *result);
AplErr apli_jinja_replace(JinjaEvaluator *evaluator, const JinjaValue *string, const JinjaValue *old,
                          const JinjaValue *with, const JinjaValue *count, JinjaValue *result);
AplErr apli_jinja_dict_items(JinjaEvaluator *evaluator, const JinjaDict *dict, JinjaValue *result);
AplErr apli_jinja_splitlines(JinjaEvaluator *evaluator, const JinjaValue *string, JinjaValue *result);
/* DOMAIN ERROR that names the function unless the argument is a string; the same for an integer. */
AplErr apli_jinja_need_string(const char *function, const JinjaValue *value);
AplErr apli_jinja_need_integer(const char *function, const JinjaValue *value, int64_t *integer);

/* ---- values, template_values.c
   --------------------------------------------------------------------------- */

static inline JinjaValue apli_jinja_boolean(bool value) {
    return (JinjaValue){.kind = JINJA_BOOLEAN, .boolean = value};
}
static inline JinjaValue apli_jinja_integer(int64_t value) {
    return (JinjaValue){.kind = JINJA_INTEGER, .integer = value};
}
static inline JinjaValue apli_jinja_real(double value) {
    return (JinjaValue){.kind = JINJA_REAL, .real = value};
}
static inline JinjaValue apli_jinja_none(void) { return (JinjaValue){.kind = JINJA_NONE}; }
/* Of bytes that outlive the rendering and are less than 4 GiB. */
static inline JinjaValue apli_jinja_string(const char *bytes, size_t length) {
    return (JinjaValue){.kind = JINJA_STRING, .length = (uint32_t)length, .bytes = bytes};
}
static inline bool apli_jinja_is_list(const JinjaValue *value) {
    return value->kind == JINJA_LIST || value->kind == JINJA_TUPLE;
}
static inline bool apli_jinja_is_number(const JinjaValue *value) {
    return value->kind == JINJA_BOOLEAN || value->kind == JINJA_INTEGER || value->kind == JINJA_REAL;
}
static inline bool apli_jinja_is_integral(const JinjaValue *value) {
    return value->kind == JINJA_BOOLEAN || value->kind == JINJA_INTEGER;
}
static inline int64_t apli_jinja_to_integer(const JinjaValue *value) {
    return value->kind == JINJA_BOOLEAN ? value->boolean : value->integer;
}
static inline double apli_jinja_to_real(const JinjaValue *value) {
    return value->kind == JINJA_REAL ? value->real : (double)apli_jinja_to_integer(value);
}
bool apli_jinja_equals_text(JinjaString string, const char *text);
bool apli_jinja_same_string(JinjaString a, JinjaString b);
/* The first place of `what` in the bytes, or NULL; linear in the distance. */
const char *apli_jinja_search(const char *bytes, size_t length, const char *what, size_t what_length);
bool apli_jinja_is_space(uint32_t codepoint); /* Python's str.isspace */
AplErr apli_jinja_copy_string(JinjaEvaluator *evaluator, const char *bytes, size_t length,
                              JinjaValue *result);
/* The text's bytes as a string of the evaluator; checks the text's status. */
AplErr apli_jinja_take_text(JinjaEvaluator *evaluator, const AplText *text, JinjaValue *result);
__attribute__((format(printf, 3, 4))) AplErr
apli_jinja_undefined(JinjaEvaluator *evaluator, JinjaValue *result, const char *format, ...);
/* A list or tuple of `count` items, each none until it is set. */
AplErr apli_jinja_new_list(JinjaEvaluator *evaluator, JinjaKind kind, size_t count, JinjaValue *result);
AplErr apli_jinja_new_dict(JinjaEvaluator *evaluator, JinjaKind kind, size_t capacity, JinjaValue *result);
AplErr apli_jinja_dict_put(JinjaEvaluator *evaluator, JinjaDict *dict, const JinjaValue *key,
                           const JinjaValue *value);
/* NULL: not there. */
AplErr apli_jinja_dict_get(JinjaEvaluator *evaluator, const JinjaDict *dict, const JinjaValue *key,
                           JinjaValue **value);
const char *apli_jinja_type_name(const JinjaValue *value); /* Python's name */
bool apli_jinja_truth(const JinjaValue *value);
AplErr apli_jinja_equal(JinjaEvaluator *evaluator, const JinjaValue *a, const JinjaValue *b, bool *result);
/* Negative, 0, positive. DOMAIN ERROR where there is no order. */
AplErr apli_jinja_order(JinjaEvaluator *evaluator, const JinjaValue *a, const JinjaValue *b, int *result);
/* Python's str() and repr(). */
AplErr apli_jinja_append(JinjaEvaluator *evaluator, const JinjaValue *value, AplText *text);
AplErr apli_jinja_append_repr(JinjaEvaluator *evaluator, const JinjaValue *value, AplText *text);
void apli_jinja_append_real(double value, AplText *text);
AplErr apli_jinja_to_string(JinjaEvaluator *evaluator, const JinjaValue *value, JinjaValue *string);
/* The items of anything that can be iterated: keys of a dict, characters of a string. DOMAIN ERROR
   otherwise. */
AplErr apli_jinja_items(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaValue **items,
                        size_t *count);
/* Python's len(): characters of a string. */
AplErr apli_jinja_length(JinjaEvaluator *evaluator, const JinjaValue *value, size_t *length);
size_t apli_jinja_characters(const char *bytes, size_t length);
AplErr apli_jinja_from_json(JinjaEvaluator *evaluator, const json_t *json, JinjaValue *result);
/* How json.dumps(value, ensure_ascii=False, indent, separators, sort_keys) writes. */
typedef struct JinjaJsonStyle {
    const char *indent; /* one level; NULL: on one line */
    JinjaString between_items, between_key_and_value;
    bool sorted;
} JinjaJsonStyle;
AplErr apli_jinja_to_json(JinjaEvaluator *evaluator, const JinjaValue *value, const JinjaJsonStyle *style,
                          AplText *text);
/* Sorts keys stably, and items with them: keys[i] belongs to items[i]. */
AplErr apli_jinja_sort(JinjaEvaluator *evaluator, JinjaValue *keys, JinjaValue *items, size_t count,
                       bool descending);
/* Changes case by code point. */
AplErr apli_jinja_change_case(JinjaEvaluator *evaluator, const JinjaValue *value, bool upper,
                              JinjaValue *result);
AplErr apli_jinja_title(JinjaEvaluator *evaluator, const JinjaValue *value, bool python, JinjaValue *result);
AplErr apli_jinja_capitalize(JinjaEvaluator *evaluator, const JinjaValue *value, JinjaValue *result);
/* Python's "…" % values. */
AplErr apli_jinja_percent(JinjaEvaluator *evaluator, const JinjaValue *format, const JinjaValue *values,
                          JinjaValue *result);

#endif
