/* Finding cells among cells: behind ⍳ ∊ ∪ ∩ ~ and ≠. */
#ifndef APLI_PRIM_LOOKUP_H
#define APLI_PRIM_LOOKUP_H

#include "prim/prim.h"

/* keys and queries are seen as rows of `cell` elements, key_count and query_count of them. found[i] is the first key that
   matches query i (tolerantly, as ≡ does), or key_count. Time is proportional to the sizes. */
AplErr apli_find_cells(AplEnv *env, AplArray *keys, int64_t key_count, AplArray *queries, int64_t query_count, int64_t cell,
                       int64_t *found);

/* The rows (of `cell` elements) that match no row which was kept before them: an I64 vector of their numbers. */
AplErr apli_distinct_cells(AplEnv *env, AplArray *array, int64_t count, int64_t cell, AplArray **result);

#endif
