/* What the operators' rooms share: calls of operands. */
#ifndef APLI_PRIM_OPERAND_H
#define APLI_PRIM_OPERAND_H

#include "prim/prim.h"

/* Calls an operand that must give a result (VALUE ERROR). The arguments are kept as they are: whoever calls
   may use them again. left is NULL for a monadic call. */
AplErr apli_call_keeping(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right,
                         AplArray **result);
/* The same for arguments that may be overwritten when nobody else holds them. */
AplErr apli_call_operand(AplEnv *env, const AplFunction *function, AplArray *left, AplArray *right,
                         AplArray **result);
/* SYNTAX ERROR when an operand is not a function. */
AplErr apli_need_function(const AplOperand *operand, const char *operator_name, const char *side);
/* A defined function is part of it: a call may have effects. */
bool apli_has_defined(const AplFunction *function);

#endif
