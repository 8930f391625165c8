/* The workspace: symbols and what they mean now. A tradfn's locals hide a symbol's value and give it back at the end
   (dynamic scope, shallow binding); a dfn's locals live in its frame (lexical scope, frame.h). */
#ifndef APLI_LANG_WORKSPACE_H
#define APLI_LANG_WORKSPACE_H

#include "array/array.h"
#include "prim/prim.h"

#include <stddef.h>

typedef struct AplSymbol AplSymbol;
typedef struct AplWorkspace AplWorkspace;

/* What a name or an expression stands for. */
typedef enum AplClass {
    CLASS_NONE,
    CLASS_VALUE,
    CLASS_FUNCTION,
    CLASS_NILADIC, /* a defined function without arguments: parsed as a value */
    CLASS_MONADIC_OPERATOR,
    CLASS_DYADIC_OPERATOR
} AplClass;

typedef struct AplValue {
    AplClass class;
    bool label; /* a label of a running function: assignment is a SYNTAX ERROR */
    union {
        AplArray *array;
        AplFunction *function; /* also operators: a DEFINED function whose operands are not yet filled */
    };
} AplValue;

struct AplSymbol {
    AplValue value;
    AplSymbol *next_in_bucket;
    char name[];
};

struct AplWorkspace {
    AplSymbol **buckets;
    size_t bucket_count, symbol_count;
    uint64_t class_epoch; /* changes whenever a symbol becomes, or ceases to be, a function or an operator */
};

AplErr apli_workspace_init(AplWorkspace *workspace);
/* Releases every value; symbols stay while the workspace lives. */
void apli_workspace_clear(AplWorkspace *workspace);
void apli_workspace_free(AplWorkspace *workspace);

/* Finds the symbol, or makes it. */
AplErr apli_symbol(AplWorkspace *workspace, const char *name, size_t length, AplSymbol **result);
/* All symbols of the classes in the mask (1 << class), sorted by name; *count of them; the caller frees the list. */
AplErr apli_workspace_list(const AplWorkspace *workspace, unsigned class_mask, AplSymbol ***result, size_t *count);

void apli_value_release(AplValue *value);
AplValue apli_value_retain(AplValue value);
/* Replaces the symbol's value; takes the reference in value. */
void apli_symbol_set(AplWorkspace *workspace, AplSymbol *symbol, AplValue value);

#endif
