/* ⎕DR: which type of element an array has, and conversion to another. */
#ifndef APLI_PRIM_REPRESENTATION_H
#define APLI_PRIM_REPRESENTATION_H

#include "prim/prim.h"

/* The number of ⍵'s type (elem.def); for a packed array its number and its group. Any form. */
AplMonadic apli_representation;
/* ⍵'s values in another type. One number: a type of elem.def, whose precision counts as asked for (not weak). A number and a
   group size on the left: a packed type. DOMAIN ERROR for a value that the type does not hold. */
AplDyadic apli_represent;

#endif
