/* Finding single elements among single elements. */
#ifndef APLI_PRIM_LOOKUP_ELEMENTS_H
#define APLI_PRIM_LOOKUP_ELEMENTS_H

#include "prim/prim.h"

/* Of numbers, or of characters, PLAIN arrays of fewer than 2^31 keys, neither empty: for each query the first key that equals
   it tolerantly. `member`: a Boolean vector, whether there is one; else an I32 vector of its position from 0 on, the number
   of keys where there is none. *done is false, and there is no result, for other arrays. INTERRUPT, WS FULL. */
AplErr apli_find_elements(AplEnv *env, AplArray *keys, AplArray *queries, bool member, AplArray **result, bool *done);

#endif
