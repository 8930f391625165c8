/* Scalar functions inside: the operations of scalar.def, their kernels, and what reduce and inner product
   borrow. */
#ifndef APLI_PRIM_SCALAR_H
#define APLI_PRIM_SCALAR_H

#include "isa/isa.h"
#include "prim/prim.h"

typedef enum AplScalarOp {
#define MONADIC(id, function, result) APLI_OP_##id,
#define DYADIC(id, function, result, identity) APLI_OP_##id,
#include "prim/scalar/scalar.def"
#undef MONADIC
#undef DYADIC
    APLI_OP_COUNT,
    APLI_OP_NONE = APLI_OP_COUNT
} AplScalarOp;

/* What a block of elements is held as while computing: packed bits, int64_t, float (f16, bf16 and f32),
   double. */
typedef enum AplLane {
    APLI_LANE_BITS,
    APLI_LANE_INTEGER,
    APLI_LANE_SINGLE,
    APLI_LANE_DOUBLE,
    APLI_LANE_COUNT
} AplLane;

typedef enum AplScalarResult { APLI_RESULT_SAME, APLI_RESULT_BOOLEAN, APLI_RESULT_INTEGER } AplScalarResult;

/* What went wrong in a block: bits of a kernel's result. */
enum {
    APLI_SCALAR_OVERFLOW =
        1, /* an integer result needs more than 64 bits, or a real one is past the largest double */
    APLI_SCALAR_DOMAIN = 2,
    APLI_SCALAR_COMPLEX = 4
};

/* `count` elements; left is NULL for a monadic function. Arguments may be read to the end of their last 64
   bits. result may be one of the arguments when their elements are of one size. */
typedef int AplScalarKernel(void *result, const void *left, const void *right, int64_t count,
                            double tolerance);
typedef void AplScalarMove(void *to, const void *from, int64_t count);

enum { APLI_NUMBER_TYPES = APLI_F64 + 1 };

typedef struct AplScalarKernels {
    AplScalarKernel *op[APLI_OP_COUNT][APLI_LANE_COUNT]; /* NULL: computed in the next lane that has one */
    AplScalarMove
        *load[APLI_NUMBER_TYPES][APLI_LANE_COUNT]; /* from elements of a type; NULL: loses too much */
    AplScalarMove *store[APLI_NUMBER_TYPES];       /* from the type's own lane; integers: from int64_t */
    void (*range)(const int64_t *values, int64_t count, int64_t *low, int64_t *high); /* widens low..high */
    bool (*all_finite)(const double *values, int64_t count);
} AplScalarKernels;

static inline const AplScalarKernels *apli_scalar_kernels(void) { return apli_kernels()->scalar; }

extern const AplScalarResult apli_scalar_results[APLI_OP_COUNT];
/* The operation that a primitive is in that valence; APLI_OP_NONE when it is not a scalar function. */
AplScalarOp apli_scalar_dyadic_op(const AplPrim *prim);
AplScalarOp apli_scalar_monadic_op(const AplPrim *prim);
/* NAN when the function has none. */
double apli_scalar_identity(AplScalarOp op);

static inline AplLane apli_lane(AplType type) {
    return type == APLI_BOOL  ? APLI_LANE_BITS
           : type <= APLI_I64 ? APLI_LANE_INTEGER
           : type == APLI_F64 ? APLI_LANE_DOUBLE
                              : APLI_LANE_SINGLE;
}

/* How one operation is computed on arguments of these types: the lane of its kernel, and what its result is.
   left_type and left_weak are ignored when op is monadic. `widen` computes integers in f64: after an
   overflow. */
typedef struct AplScalarPlan {
    AplScalarKernel *kernel;
    AplLane lane;
    AplType type; /* of the result: BOOL, I64 (any integer, stored in the smallest type), or a real type */
    bool weak;
    bool narrow;      /* literals are rounded to f16 or bf16, `computed`, before they are compared */
    AplType computed; /* the type that the arguments met in */
} AplScalarPlan;
AplScalarPlan apli_scalar_plan(AplScalarOp op, AplType left_type, bool left_weak, AplType right_type,
                               bool right_weak, bool widen);

/* One operation over PLAIN arrays of numbers, which conform; left is NULL when it is monadic. *status is what
   went wrong (then there is no result, and APL_OK is returned) in the block of elements that begins at
   *failed. */
AplErr apli_scalar_apply(AplEnv *env, AplScalarOp op, AplArray *left, AplArray *right, bool widen,
                         AplArray **result, int *status, int64_t *failed);

/* The same where one argument, of fewer elements but more than one and not of bits, stands for itself again and again along the
   other: its shape is that of the other's last axes. What is wrong, *status says. */
AplErr apli_scalar_along(AplEnv *env, AplScalarOp op, AplArray *left, AplArray *right, AplArray **result, int *status);

/* The table of one operation, left∘.op right: each element of left beside all of right, in `shape`. As above, but *failed
   counts the table's elements. Neither argument is empty. */
AplErr apli_scalar_table(AplEnv *env, AplScalarOp op, AplArray *left, AplArray *right, int rank,
                         const int64_t *shape, bool widen, AplArray **result, int *status, int64_t *failed);

/* ---- functions of doubles, with their domains (scalar_math.c) ------------------------------------------ */

double apli_power_of(double base, double exponent, int *status);
double apli_log_of(double base, double value, int *status);
double apli_factorial_of(double value, int *status);
double apli_binomial_of(double k, double n, int *status);
double apli_circle_of(double which, double value, int *status);
double apli_residue_of(double divisor, double value, double tolerance);
double apli_gcd_of(double a, double b, double tolerance);
double apli_lcm_of(double a, double b, double tolerance);

#endif
