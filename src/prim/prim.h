/* The primitives' records, and what a primitive sees of the interpreter above it.

   A primitive is a row of prim.def and a room (folder) under src/prim/. Its functions borrow their arguments, which are
   PLAIN (array.h) unless the row has APLI_TAKES_FORMS; an argument that nobody else holds may be overwritten
   (apli_may_overwrite). `axis` is the value of a bracket axis, f[axis], or NULL. A result is squeezed by the primitive
   where its type may be smaller than computed. */
#ifndef APLI_PRIM_PRIM_H
#define APLI_PRIM_PRIM_H

#include "array/array.h"
#include "base/error.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct AplEnv AplEnv;
typedef struct AplFunction AplFunction;

typedef AplErr AplMonadic(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result);
typedef AplErr AplDyadic(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result);
/* A derived function's call: self has the operands; left is NULL when monadic. */
typedef AplErr AplOperatorCall(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, AplArray **result);

enum {
    APLI_TAKES_AXIS = 1,     /* f[axis] is meaningful; without this flag an axis is a SYNTAX ERROR */
    APLI_SCALAR = 2,         /* a scalar function: fused runs and each-by-pervasion (prim/scalar) */
    APLI_TAKES_FORMS = 4,    /* sees STRIDED, STACKED and PACKED arguments as they are */
    APLI_DYADIC_OPERATOR = 8, /* of an operator: takes a right operand */
    APLI_NOT_SCALAR_MONADIC = 16, /* with APLI_SCALAR: the monadic form (unique mask, ...) is no scalar function */
    APLI_NOT_SCALAR_DYADIC = 32   /* likewise the dyadic form (deal, without) */
};

typedef struct AplPrim {
    const char *name; /* "reverse": what reports and profiles call it */
    uint32_t glyph;
    uint32_t flags;
    AplMonadic *monadic; /* apli_no_monadic when there is none */
    AplDyadic *dyadic;   /* apli_no_dyadic when there is none */
} AplPrim;

typedef struct AplOperator {
    const char *name;
    uint32_t glyph;
    uint32_t flags;
    AplOperatorCall *call;
} AplOperator;

extern const AplPrim apli_prims[];
extern const int apli_prim_count;
extern const AplOperator apli_operators[];
extern const int apli_operator_count;

/* The functions that the rows name. */
#define PRIM(name, glyph, flags, monadic, dyadic) extern AplMonadic monadic; extern AplDyadic dyadic;
#include "prim/prim.def"
#undef PRIM
#define OPERATOR(name, glyph, flags, call) extern AplOperatorCall call;
#include "prim/operator.def"
#undef OPERATOR

/* NULL when the glyph is no primitive function, or no operator. / ⌿ \ ⍀ are both. */
const AplPrim *apli_prim_of(uint32_t glyph);
const AplOperator *apli_operator_of(uint32_t glyph);

/* The sentinels: SYNTAX ERROR that says which valence is missing. */
AplMonadic apli_no_monadic;
AplDyadic apli_no_dyadic;

/* ---- function values ------------------------------------------------------------------------------------------ */

typedef enum AplFunctionKind {
    APLI_FUNCTION_PRIM,    /* prim, and axis when it has one */
    APLI_FUNCTION_DERIVED, /* operator with its operands */
    APLI_FUNCTION_TRAIN,   /* fork or atop of operands (prim/train) */
    APLI_FUNCTION_DEFINED  /* dfn, tradfn, system function: `call` of the layer above */
} AplFunctionKind;

/* An operand: a function or an array, never both; both NULL for the jot of ∘.f. */
typedef struct AplOperand {
    AplFunction *function;
    AplArray *array;
} AplOperand;

struct AplFunction {
    int32_t references;
    AplFunctionKind kind;
    const AplPrim *prim;
    const AplOperator *operator_;
    AplArray *axis; /* f[axis], owned, or NULL */
    AplOperand left, right; /* operands, owned. A train's: left tine, middle (function in `middle`), right tine */
    AplFunction *middle;
    /* DEFINED: */
    AplOperatorCall *call;
    void (*release)(AplFunction *self);
    void *body;
    void *scope;
    AplFunction *next_waiting; /* while it waits to be freed */
};

AplFunction *apli_function_retain(AplFunction *function);
void apli_function_release(AplFunction *function); /* NULL is allowed */
/* Functions that stay for the life of the process: never released. */
AplFunction *apli_function_of_prim(const AplPrim *prim);
/* An empty function value of a kind, owned: the caller fills it in. */
AplErr apli_function_new(AplFunctionKind kind, AplFunction **result);
/* prim[axis]; retains axis. */
AplErr apli_function_with_axis(const AplPrim *prim, AplArray *axis, AplFunction **result);
/* operator applied to operands (retained) and a bracket axis (retained, or NULL). */
AplErr apli_function_derive(const AplOperator *operator_, AplOperand left, AplOperand right, AplArray *axis,
                            AplFunction **result);

/* Calls any function; left is NULL for a monadic call. Arguments of any form. Checks for an interrupt and for the depth of
   the stack. */
AplErr apli_call(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right, AplArray **result);

/* ---- the environment -------------------------------------------------------------------------------------------- */

/* What the system variables say, and what a primitive may ask of the interpreter. One for each session. */
struct AplEnv {
    int64_t index_origin;      /* ⎕IO */
    double comparison_tolerance; /* ⎕CT */
    int migration_level;       /* ⎕ML */
    int print_precision;       /* ⎕PP */
    int print_width;           /* ⎕PW */
    uint64_t random_state;     /* ⎕RL: splitmix64 */
    volatile sig_atomic_t interrupted; /* set by a signal handler: the next check answers INTERRUPT */
    bool fused;                /* defined functions may run as kernels; scalar runs as one loop */
    bool rounded;              /* a product with packed weights may take its left argument in 8 bits, attention its own in 16 */
    bool restricted;           /* no files, no waiting: for texts that nobody vouches for */
    int64_t steps_most, steps; /* unless steps_most is 0: INTERRUPT after so many checks */
    struct AplProfile *profile; /* where the time goes (prim/profile.h); NULL: not measured */
    const char *stack_limit;   /* calls below this address are a LIMIT ERROR; NULL: no check */
    void *session;             /* the owner, for system functions */
    /* ⍎: runs UTF-8 text where the innermost running function stands; *result is NULL when the text gives no value */
    AplErr (*execute)(AplEnv *env, const char *text, size_t length, AplArray **result);
};

/* INTERRUPT when asked to stop, LIMIT ERROR when the C stack is nearly used up. Long loops of primitives call it. */
AplErr apli_check(AplEnv *env);

/* A random number in [0,1) from env's state. */
double apli_random(AplEnv *env);

/* ⎕CT equality (ISO 13751, tolerant-equality): |a-b| ≤ tolerance × max(|a|,|b|), of one sign. */
static inline bool apli_tolerant_equal(double a, double b, double tolerance) {
    if (a == b) return true;
    if ((a < 0) != (b < 0) || tolerance == 0) return false;
    double x = a < 0 ? -a : a, y = b < 0 ? -b : b, larger = x > y ? x : y, difference = x > y ? x - y : y - x;
    return larger <= 1.7976931348623157e308 && difference <= tolerance * larger;
}

/* The UTF-8 of a character vector or scalar, appended; `what` names it in errors. */
struct AplText;
AplErr apli_text_of(AplArray *array, const char *what, struct AplText *text);

/* A bracket axis, or `otherwise` when axis is NULL: 0-based, checked against rank (RANK ERROR, INDEX ERROR). */
AplErr apli_axis(const AplEnv *env, AplArray *axis, int rank, int otherwise, int *result);

/* ≡: identical in shape and, tolerantly, in value. */
bool apli_match(const AplEnv *env, const AplArray *a, const AplArray *b);

#endif
