/* Fused functions: a defined APL function may be backed by a kernel, bound by a comment in its body:

       ⍝ kernel: rms_norm

   The APL text is the definition. A kernel that meets arguments it was not made for declines, and the text runs; it never
   adds meaning. Each is a row of fused.def and a room. */
#ifndef APLI_PRIM_FUSED_FUSED_H
#define APLI_PRIM_FUSED_FUSED_H

#include "prim/prim.h"

/* left is NULL for a monadic call. *declined is false on entry. */
typedef AplErr AplFusedCall(AplEnv *env, AplArray *left, AplArray *right, AplArray **result, bool *declined);

typedef struct AplFusedKernel {
    const char *name;
    AplFusedCall *call;
} AplFusedKernel;

#define FUSED(name, call) extern AplFusedCall call;
#include "prim/fused/fused.def"
#undef FUSED

extern const AplFusedKernel apli_fused_kernels[];
extern const int apli_fused_kernel_count;
/* NULL when there is no such kernel. */
const AplFusedKernel *apli_fused_kernel_named(const char *name, size_t length);

#endif
