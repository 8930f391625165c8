/* Bracket indexing and indexed assignment, as the evaluator calls them, and the positions that subscripts select. */
#ifndef APLI_PRIM_INDEX_H
#define APLI_PRIM_INDEX_H

#include "prim/prim.h"

/* array[subscripts]: one for each axis, NULL where elided. A single nested subscript chooses: each item is the index of an
   element, or a path to one. Any form; leading scalars with the rest elided give a view. RANK, INDEX errors. */
AplErr apli_index(AplEnv *env, AplArray *array, AplArray *const *subscripts, int count, AplArray **result);

/* array[subscripts]←value, or array[subscripts] function← value when function is not NULL (a scalar function accumulates over
   repeated indices). *array is owned by the caller, made its own where it is shared, and unchanged after an error, but for the
   earlier of repeated indices. An array of reals keeps its type when numbers are assigned; so does a packed one, which takes
   whole rows of its last axis only (DOMAIN ERROR) and of a layout that can be packed (NONCE ERROR). Otherwise the array widens to
   the type in which both meet. */
AplErr apli_index_assign(AplEnv *env, AplArray **array, AplArray *const *subscripts, int count,
                         const AplFunction *function, AplArray *value);

/* Whether the subscripts are integers, one for each axis and in range: then *position is the element's. */
bool apli_single_position(const AplEnv *env, const AplArray *array, AplArray *const *subscripts, int count,
                          int64_t *position);

/* The elements that subscripts select: runs of `inner` elements at every combination of the axes' positions. */
typedef struct AplSelection {
    int axes;                          /* how many axes have positions; those after them are whole */
    int64_t inner;                     /* elements of the axes after them */
    int64_t lengths[APLI_MAX_RANK];    /* positions of each axis */
    int64_t strides[APLI_MAX_RANK];    /* of each axis, in elements */
    AplArray *positions[APLI_MAX_RANK]; /* I64, from 0; NULL: all */
    int64_t count;                     /* elements in all */
    int rank;                          /* the shape of what is selected */
    int64_t shape[APLI_MAX_RANK];
} AplSelection;

AplErr apli_selection(const AplEnv *env, const AplArray *array, AplArray *const *subscripts, int count,
                      AplSelection *selection);
void apli_selection_free(AplSelection *selection);
/* Position of every selected element, as an I64 vector. */
AplErr apli_selection_elements(const AplSelection *selection, AplArray **result);
/* Calls `run` for the positions of the last axis (NULL: 0, 1, ...) at each combination of the others: `base` is where
   position 0 would be, `done` how many elements came before. Without axes: once, for one position. */
void apli_selection_each(const AplSelection *selection,
                         void (*run)(void *context, int64_t base, const int64_t *positions, int64_t count, int64_t done),
                         void *context);

#endif
