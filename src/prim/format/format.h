/* How values look: what the session prints, and ⍕. */
#ifndef APLI_PRIM_FORMAT_H
#define APLI_PRIM_FORMAT_H

#include "base/text.h"
#include "prim/prim.h"

/* Appends what the session prints for a value of any form: lines folded at ⎕PW (what does not fit follows,
   indented six spaces), each ending with a newline. A value without lines (0 3⍴0) appends nothing. WS FULL,
   LIMIT, INTERRUPT errors. */
AplErr apli_display(AplEnv *env, AplArray *array, AplText *out);

#endif
