/* The total order of arrays: ⍋ ⍒ and ⍸. */
#ifndef APLI_PRIM_ORDER_H
#define APLI_PRIM_ORDER_H

#include "prim/prim.h"

/* Below 0, 0 or above 0: cell i of `a` against cell j of `b` (PLAIN, of `cell` elements each). Numbers come before
   characters, exactly, without tolerance. Nested items by apli_compare. */
int apli_compare_cells(const AplArray *a, int64_t i, const AplArray *b, int64_t j, int64_t cell);
/* Whole arrays, of any form: element by element in ravel order, each seen in the larger shape of both, where what is missing
   comes first; then by rank, by shape, and without elements by type. */
int apli_compare(const AplArray *a, const AplArray *b);

#endif
