/* Arrays: rank 0 to 15, row-major, reference-counted. The storage is counted apart from the header, so a reshape, a
   leading-axis index, a transpose and a mapped file are views.

   Ownership. A function that makes an array returns it owned, in an out-parameter; arguments are borrowed. An argument
   whose header and storage each have one reference is a temporary of the caller: a primitive may overwrite it and hand it
   back with one more reference (apli_may_overwrite). Whoever wants to keep an argument unchanged holds a reference to it
   during the call, as variables do.

   Forms. PLAIN: contiguous elements of a plain type. STRIDED: a transposed view. STACKED: the leading cells are separate
   arrays of one shape (weights of all layers, each where its file has it). PACKED: low-bit reals (elem/packed.h). TURNED:
   a PACKED matrix transposed, of type F32; its one item is the matrix as it was, so that X+.×⍉W finds W.
   Primitives see PLAIN arguments, made so by the caller, unless their record says that they take the other forms. */
#ifndef APLI_ARRAY_ARRAY_H
#define APLI_ARRAY_ARRAY_H

#include "base/error.h"
#include "elem/elem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { APLI_MAX_RANK = 15, APLI_ALIGNMENT = 64 };

typedef enum AplPlace { APLI_HEAP, APLI_BORROWED } AplPlace;

/* Bytes that arrays share. BORROWED bytes belong to something else (a mapped file) that `release` lets go. */
typedef struct AplStorage {
    int32_t references;
    AplPlace place;
    uint8_t *bytes;
    size_t size;
    void *block; /* HEAP: what holds the bytes; NULL: the storage's own block */
    AplType type; /* NESTED storage releases its elements */
    void (*release)(void *owner);
    void *owner;
    struct AplPanelsOf *panels; /* PACKED: the same weights as a product wants them, once one has (elem/panel.h) */
    struct AplStorage *rounded; /* HEAP: what a product made of its elements for the next one; NULL: nothing. While there is
                                   something, the elements do not change */
} AplStorage;

typedef enum AplForm { APLI_PLAIN, APLI_STRIDED, APLI_STACKED, APLI_FORM_PACKED, APLI_TURNED } AplForm;

struct AplPackedLayout;
struct AplPanels;

struct AplArray {
    int32_t references;
    uint8_t type; /* AplType */
    uint8_t form; /* AplForm */
    uint8_t rank;
    bool weak : 1; /* an f64 array whose precision no one asked for (a literal, or computed from literals and integers):
                  it takes the other argument's real type */
    uint8_t block_units : 7; /* the size of this block; 0: malloc knows */
    int64_t count; /* product of the shape */
    int64_t *shape; /* rank entries, inside this block; strides (in elements) follow when STRIDED */
    AplStorage *storage; /* NULL: the elements lie inside this block */
    uint8_t *data; /* the first element (Boolean views begin on a byte) */
    union {
        const struct AplPackedLayout *layout; /* PACKED only */
        AplArray *next_waiting; /* of an array that holds others, while it waits to be freed */
    };
};

/* ---- making ------------------------------------------------------------------------------------------------ */

/* Elements are unset, except NESTED ones, which are NULL and must all be filled before use. A NESTED array of no
   elements has one element all the same, its prototype. WS FULL, RANK, LIMIT errors. */
AplErr apli_array_new(AplType type, int rank, const int64_t *shape, AplArray **result);
/* Every element 0, of a plain numeric type. Large arrays cost no memory until they are written. */
AplErr apli_array_zero(AplType type, int rank, const int64_t *shape, AplArray **result);
/* An array of `like`'s shape. */
AplErr apli_array_new_like(AplType type, const AplArray *like, AplArray **result);
AplErr apli_vector_new(AplType type, int64_t length, AplArray **result);
AplErr apli_scalar_bool(bool value, AplArray **result);
AplErr apli_scalar_i64(int64_t value, AplArray **result); /* in the smallest type */
AplErr apli_scalar_f64(double value, AplArray **result); /* weak */
AplErr apli_scalar_char(uint32_t codepoint, AplArray **result);
/* ⊂: a NESTED scalar that holds `item`; a simple scalar is returned as it is. */
AplErr apli_enclose(AplArray *item, AplArray **result);
/* A character vector from UTF-8, in the smallest character type. */
AplErr apli_string(const char *utf8, size_t length, AplArray **result);
/* An array over bytes that stay where they are; `release(owner)` is called with the last reference. */
AplErr apli_array_borrow(AplType type, int rank, const int64_t *shape, void *bytes, size_t size,
                         void (*release)(void *), void *owner, AplArray **result);
/* A PACKED array of `layout` over an existing storage (elem/packed.h describes the rows). Takes a reference to storage. */
AplErr apli_packed_new(const struct AplPackedLayout *layout, int rank, const int64_t *shape, AplStorage *storage,
                       uint8_t *data, AplArray **result);
/* A PACKED array of `layout` whose codes and scales are 0. Large arrays cost no memory until they are written. */
AplErr apli_packed_zero(const struct AplPackedLayout *layout, int rank, const int64_t *shape, AplArray **result);
/* The panels of a PACKED matrix, or NULL while it has none; they go with its storage. */
const struct AplPanels *apli_panels_of(const AplArray *matrix);
/* Gives a PACKED matrix panels, which it owns from now on; only while it has none. WS FULL; then nothing is taken. */
AplErr apli_attach_panels(AplArray *matrix, const struct AplPanels *panels);
/* Before its weights change: takes away the panels of every matrix in its storage. */
void apli_drop_panels(AplArray *array);
/* Keeps `rounded` with a HEAP storage in place of what was kept, until the elements change or go; NULL: keeps nothing. Takes a
   reference to it. */
void apli_keep_rounded(AplStorage *storage, AplStorage *rounded);
/* A STACKED array of `count` cells of one shape, each borrowed: shape is (count, cell's shape). */
AplErr apli_stack(AplArray *const *cells, int64_t count, AplArray **result);
AplErr apli_storage_new(size_t size, AplType type, AplStorage **result);
void apli_storage_release(AplStorage *storage);

static inline AplArray *apli_array_retain(AplArray *array) {
    array->references++;
    return array;
}
void apli_array_free(AplArray *array); /* that nobody holds any more */
static inline void apli_array_release(AplArray *array) { /* NULL is allowed */
    if (array && --array->references <= 0) apli_array_free(array);
}
static inline void apli_array_cleanup(AplArray **array) {
    if (*array) apli_array_release(*array);
}
/* A local that is released when its scope ends: APLI_AUTO AplArray *x = NULL; */
#define APLI_AUTO __attribute__((cleanup(apli_array_cleanup)))
/* Hands the owner's reference on: *result = apli_move(&local). */
static inline AplArray *apli_move(AplArray **array) {
    AplArray *moved = *array;
    *array = NULL;
    return moved;
}

/* ---- views and forms --------------------------------------------------------------------------------------- */

/* A view of `count(shape)` elements that begin `offset` elements into a PLAIN or PACKED array. It copies where a Boolean
   view would not begin on a byte, and where the elements lie inside the header. For PACKED, offset and shape cover whole
   rows of the last axis. */
AplErr apli_view(AplArray *array, int64_t offset, int rank, const int64_t *shape, AplArray **result);
/* The same elements in another shape of the same count (any form). */
AplErr apli_reshape_view(AplArray *array, int rank, const int64_t *shape, AplArray **result);
/* Leading cell `index`, or cells first..first+count-1 as an array of the same rank; any form; 0 ≤ index. */
AplErr apli_cell(AplArray *array, int64_t index, AplArray **result);
AplErr apli_cells(AplArray *array, int64_t first, int64_t count, AplArray **result);
/* The axes in another order: result axis i is argument axis axes[i]. A STRIDED view; PLAIN where the elements lie in that
   order; TURNED of a PACKED matrix, and back. */
AplErr apli_transpose_view(AplArray *array, const int *axes, AplArray **result);
static inline int64_t *apli_strides(const AplArray *array) { return array->shape + array->rank; }

/* The array itself with one more reference when it is PLAIN, otherwise its PLAIN copy: strides followed, stacked cells
   laid in a row, packed codes unpacked to f32. */
AplErr apli_plain(AplArray *array, AplArray **result);
/* A PLAIN array of `type` with the same values; the array itself with one more reference when it is of that type. DOMAIN
   ERROR when a value does not fit (a fraction into an integer type, a character into a number, 300 into int8). */
AplErr apli_convert(AplArray *array, AplType type, AplArray **result);
/* Makes *array an array that may be overwritten: itself when it may be, otherwise a copy (the old reference is released). */
AplErr apli_own(AplArray **array);
/* Replaces an integer or character PLAIN array by one of the smallest type that holds it exactly. Reals stay. */
AplErr apli_squeeze(AplArray **array);
/* The array's own buffer may be written: nobody else sees it, and nothing is kept that was made of it. */
static inline bool apli_may_overwrite(const AplArray *array) {
    return array->references == 1 && array->form == APLI_PLAIN &&
           (!array->storage ||
            (array->storage->references == 1 && array->storage->place == APLI_HEAP && !array->storage->rounded));
}

/* ---- elements ---------------------------------------------------------------------------------------------- */

static inline bool apli_is_scalar(const AplArray *array) { return array->rank == 0; }
static inline bool apli_is_simple(const AplArray *array) { return array->type != APLI_NESTED; }
static inline AplArray **apli_items(const AplArray *array) { return (AplArray **)array->data; }
/* Element `index` of a PLAIN numeric array. */
static inline double apli_f64_at(const AplArray *array, int64_t index) {
    return apli_elem_f64((AplType)array->type, array->data, index);
}
int64_t apli_i64_at(const AplArray *array, int64_t index); /* of a PLAIN integer array */
uint32_t apli_char_at(const AplArray *array, int64_t index); /* of a PLAIN character array */
/* Element `index` of a PLAIN array as a scalar (an item of a NESTED array: the item itself, retained). */
AplErr apli_item(const AplArray *array, int64_t index, AplArray **result);
/* Copies `count` elements between PLAIN arrays of one type; nested ones are retained, and overwritten ones released. */
void apli_copy(AplArray *to, int64_t to_index, const AplArray *from, int64_t from_index, int64_t count);
/* to[i] ← from[indices[i]], i below count; indices are in range; -1 takes the fill element (' ', 0, or `fill` for nested).
   `to` is new: its nested elements are NULL. */
void apli_gather(AplArray *to, const AplArray *from, const int64_t *indices, int64_t count, AplArray *fill);
/* A fill element: 0, ' ', or for NESTED the first element's prototype. As a scalar. */
AplErr apli_fill(const AplArray *array, AplArray **result);
/* The same structure with every number 0 and every character ' ': ⊂∊ of APL's type of its first element. */
AplErr apli_prototype(AplArray *item, AplArray **result);

/* Integers from an argument (axis numbers, shapes, indices): tolerates near-integer reals. `what` names it in errors. */
AplErr apli_integers(AplArray *array, const char *what, AplArray **result); /* PLAIN I64, same shape */
/* One integer from a one-element array. */
AplErr apli_integer(AplArray *array, const char *what, int64_t *value);

bool apli_same_shape(const AplArray *a, const AplArray *b);
int64_t apli_product(const int64_t *shape, int rank);
/* Rows of the last axis: count ÷ last axis (1 for a scalar), and the last axis' length (1 for a scalar). */
static inline int64_t apli_last_axis(const AplArray *array) { return array->rank ? array->shape[array->rank - 1] : 1; }
/* "2 3 4" for messages: into a static buffer of the thread, four calls deep. */
const char *apli_shape_text(const AplArray *array);

/* ---- memory ------------------------------------------------------------------------------------------------- */

/* Bytes that arrays may occupy on the heap at once, headers included, over the whole process (to some 64 KB a thread); past it,
   WS FULL. */
void apli_memory_set_limit(size_t bytes);
size_t apli_memory_used(void);
size_t apli_memory_peak(void);
size_t apli_memory_limit(void);

#endif
