/* Set functions whose glyphs are rows of another room: dyadic ~ and monadic ≠. */
#ifndef APLI_PRIM_SET_H
#define APLI_PRIM_SET_H

#include "prim/prim.h"

AplDyadic apli_without;
AplMonadic apli_unique_mask;

#endif
