/* System functions that need no workspace: the language binds them to their ⎕names. */
#ifndef APLI_PRIM_QUAD_FUNCTIONS_H
#define APLI_PRIM_QUAD_FUNCTIONS_H

#include "base/text.h"
#include "prim/prim.h"

/* ⎕UCS: characters ←→ code points; 'UTF-8' 'UTF-16' 'UTF-32' ⎕UCS: characters ←→ code units; 'UTF-8' 83: as
   int8. */
AplMonadic apli_quad_ucs;
AplDyadic apli_quad_ucs_as;
/* ⎕C folded for comparison; 1 ⎕C upper case, ¯1 ⎕C lower case, ¯3 ⎕C folded. At any depth; numbers stay. */
AplMonadic apli_quad_c;
AplDyadic apli_quad_c_to;
/* ⎕VFI: the numbers in a text: (which fields are numbers)(their values); ⍺: the separators. */
AplMonadic apli_quad_vfi;
AplDyadic apli_quad_vfi_between;
/* ⎕NGET name [flags]: (content)(encoding)(newline); ⍺: the encoding where the file has no mark. Flags 0:
   one vector with line feeds, 1: lines, 2: a matrix. FILE NAME, FILE ACCESS and FILE DATA errors. */
AplMonadic apli_quad_nget;
AplDyadic apli_quad_nget_as;
/* content [encoding [newline]] ⎕NPUT name [flags]: flags 0: a new file, 1: replaces one, 2: appends. The
   number of bytes. */
AplDyadic apli_quad_nput;
/* ⎕DL seconds: waits, and tells how long it was. An interrupt ends it. */
AplMonadic apli_quad_dl;
/* ⎕JSON text: the value it describes; arrays become vectors, objects two-column matrices of names and
   values. ⎕JSON value: JSON text; higher rank and nesting become arrays of arrays. 0 ⎕JSON and 1 ⎕JSON ask
   for the one or the other. */
AplMonadic apli_quad_json;
AplDyadic apli_quad_json_to;

/* Niladic: ⎕TS year to millisecond, ⎕AI user, computing, connected and keying milliseconds. */
AplErr apli_quad_ts(AplEnv *env, AplArray **result);
AplErr apli_quad_ai(AplEnv *env, AplArray **result);

/* A character scalar or vector in UTF-8, appended; `what` names it in errors. */
AplErr apli_utf8_of(const AplArray *array, const char *what, AplText *text);

#endif
