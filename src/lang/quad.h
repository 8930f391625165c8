/* System variables and functions: the rows of quad.def. */
#ifndef APLI_LANG_QUAD_H
#define APLI_LANG_QUAD_H

#include "lang/session.h"

typedef enum AplQuadKind { QUAD_VARIABLE, QUAD_NILADIC, QUAD_FUNCTION } AplQuadKind;

typedef struct AplQuad {
    const char *name; /* in capitals, without the ⎕ */
    AplQuadKind kind;
    AplErr (*get)(AplSession *session, AplArray **result); /* variables and niladic functions */
    AplErr (*set)(AplSession *session, AplArray *value); /* variables */
    AplMonadic *monadic;
    AplDyadic *dyadic;
    bool takes_forms; /* the right argument as it is: packed, stacked, strided */
} AplQuad;

extern const AplQuad apli_quads[];

/* The row of a name in any case; -1: none. */
int apli_quad_find(const char *name, size_t length);
AplErr apli_quad_get(AplSession *session, int row, AplArray **result);
AplErr apli_quad_set(AplSession *session, int row, AplArray *value);
AplFunction *apli_quad_function(int row); /* lives as long as the process */
/* ⎕ (an evaluated line) or ⍞ (its characters). */
AplErr apli_quad_input(AplSession *session, bool characters, AplArray **result);

#endif
