/* Stable orders of single elements by counting and radix sorting. */
#ifndef APLI_PRIM_GRADE_RADIX_H
#define APLI_PRIM_GRADE_RADIX_H

#include "prim/prim.h"

/* The order of a PLAIN array's elements, numbers or characters, equal ones as they stand, the largest first when `down`: the
   positions, from ⎕IO on, in the smallest type. INTERRUPT, WS FULL. */
AplErr apli_order_elements(AplEnv *env, AplArray *array, bool down, AplArray **order);

#endif
