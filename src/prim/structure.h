/* What the structural rooms share: results that carry the argument's type and prototype, selection along an axis, copies
   of boxes, and the type in which two arrays meet. */
#ifndef APLI_PRIM_STRUCTURE_H
#define APLI_PRIM_STRUCTURE_H

#include "prim/prim.h"

/* Calls run(context, first, count) for parts of `part` positions, the last one shorter: on several threads where there are
   more parts than one. */
typedef void AplPartRun(void *context, int64_t first, int64_t count);
void apli_in_parts(int64_t count, int64_t part, AplPartRun *run, void *context);

/* An array seen around one axis: outer × length × inner elements. */
typedef struct AplAround {
    int64_t outer, length, inner;
} AplAround;

static inline AplAround apli_around(const AplArray *array, int axis) {
    return (AplAround){apli_product(array->shape, axis), array->rank ? array->shape[axis] : 1,
                       array->rank ? apli_product(array->shape + axis + 1, array->rank - axis - 1) : 1};
}

/* An unset array of like's type and weakness; a nested one without elements gets like's prototype. */
AplErr apli_result_new(const AplArray *like, int rank, const int64_t *shape, AplArray **result);

/* Runs of `inner` elements: run i of `to` from element to_index on ← run indices[i] of `from` from element from_index on;
   -1 fills (0, ' ', or `fill` for nested). Both PLAIN and of one type; indices are in range. */
void apli_gather_runs(AplArray *to, int64_t to_index, const AplArray *from, int64_t from_index, const int64_t *indices,
                      int64_t count, int64_t inner, AplArray *fill);

/* Elements index..index+count-1 become the fill element. */
void apli_fill_run(AplArray *to, int64_t index, int64_t count, AplArray *fill);

/* from (PLAIN, rank 1 or more) with `axis` replaced by its positions indices[0..count-1]; -1 is the fill element. */
AplErr apli_select(AplArray *from, int axis, const int64_t *indices, int64_t count, AplArray **result);

/* Element `positions[i]` of the ravel of `from`, in an array of `shape`. */
AplErr apli_select_elements(AplArray *from, const int64_t *positions, int rank, const int64_t *shape, AplArray **result);

/* `count` positions from `first` on of an axis (PLAIN, rank 1 or more). A long part that lies together is a view. */
AplErr apli_range(AplArray *from, int axis, int64_t first, int64_t count, AplArray **result);
/* Elements from `offset` on in `shape` (PLAIN): a view when they are many, otherwise a copy, which does not keep a large
   array in memory for the sake of a small one. */
AplErr apli_part(AplArray *from, int64_t offset, int rank, const int64_t *shape, AplArray **result);

/* PLAIN, with `axis` moved to the end. */
AplErr apli_axis_last(AplArray *array, int axis, AplArray **result);
/* The prototype of a cell of `shape` of an array (PLAIN) that may have no elements. */
AplErr apli_cell_prototype(const AplArray *array, int rank, const int64_t *shape, AplArray **result);
/* The element of `array` that one index names: a number for a vector, else as many numbers as the rank (in prim/enclose). */
AplErr apli_position_of(const AplEnv *env, const AplArray *array, AplArray *index, int64_t *position);

/* An index from 0 as a vector counted from `origin`, in the smallest type (in prim/iota). */
AplErr apli_index_vector(const int64_t *index, int rank, int64_t origin, AplArray **result);

/* Copies a box of `extent` from position from_start of `from` to position to_start of an array of shape `to_shape` that
   lies from element to_base of `to` on. All have from's rank. */
void apli_copy_box(AplArray *to, int64_t to_base, const int64_t *to_shape, const int64_t *to_start, const AplArray *from,
                   const int64_t *from_start, const int64_t *extent);

/* Any form reshaped, cyclically or with fills, as ⍴ does. */
AplErr apli_reshape_to(AplArray *array, int rank, const int64_t *shape, AplArray **result);

/* The type in which the elements of both meet, and whether the result is weak. A weak f64 takes the other's real type; an
   array without elements has no say, unless it is of reals that someone asked for. */
AplType apli_meet(const AplArray *a, const AplArray *b, bool *weak);

/* The same for the elements of all items. */
AplType apli_meet_all(AplArray *const *items, int64_t count, bool *weak);

/* A nested array whose items are simple scalars of one kind becomes a simple array. */
AplErr apli_simplify(AplArray **array);

/* The numbers of an I64 array. */
static inline int64_t *apli_integer_data(const AplArray *integers) { return (int64_t *)integers->data; }

/* Whether no item has a structure of its own: simple, or nested by type only (numbers beside characters). */
bool apli_is_flat(const AplArray *array);

/* An argument that must be a scalar or a vector. */
AplErr apli_vector_argument(const AplArray *array, const char *what);

#endif
