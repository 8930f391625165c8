/* ∊X: all elements of all items of X, at any depth, as a vector. */
#include "prim/structure.h"

#include <inttypes.h>
#include <stdlib.h>

/* The simple arrays inside an array, in order, plain and retained. */
typedef struct Leaves {
    AplArray **items;
    int64_t count, capacity, elements;
} Leaves;

static void leaves_free(Leaves *leaves) {
    for (int64_t i = 0; i < leaves->count; i++) apli_array_release(leaves->items[i]);
    free(leaves->items);
}

static AplErr collect(AplEnv *env, AplArray *array, Leaves *leaves) {
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_check(env));
    TRY(apli_plain(array, &plain));
    if (plain->type == APLI_NESTED) {
        for (int64_t i = 0; i < plain->count; i++) TRY(collect(env, apli_items(plain)[i], leaves));
        return APL_OK;
    }
    if (leaves->count == leaves->capacity) {
        int64_t capacity = leaves->capacity ? leaves->capacity * 2 : 16;
        AplArray **items = realloc(leaves->items, (size_t)capacity * sizeof *items);
        FAIL_IF(!items, APL_WS_FULL, "no memory for %" PRId64 " items", capacity);
        leaves->items = items;
        leaves->capacity = capacity;
    }
    leaves->elements += plain->count;
    leaves->items[leaves->count++] = apli_move(&plain);
    return APL_OK;
}

/* An empty vector of the kind of the first simple array inside the prototype. */
static AplErr empty_enlist(const AplArray *array, AplArray **result) {
    while (array->type == APLI_NESTED) array = apli_items(array)[0];
    return apli_vector_new(array->type == APLI_PACKED ? APLI_F32 : (AplType)array->type, 0, result);
}

AplErr apli_enlist(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    if (apli_is_simple(right)) return apli_reshape_view(right, 1, &right->count, result);
    __attribute__((cleanup(leaves_free))) Leaves leaves = {0};
    TRY(collect(env, right, &leaves));
    if (leaves.elements == 0) return empty_enlist(right, result);
    APLI_AUTO AplArray *flat = NULL;
    bool weak;
    AplType type = apli_meet_all(leaves.items, leaves.count, &weak);
    TRY(apli_vector_new(type, leaves.elements, &flat));
    flat->weak = weak;
    int64_t at = 0;
    for (int64_t i = 0; i < leaves.count; i++) {
        APLI_AUTO AplArray *leaf = NULL;
        if (type == APLI_NESTED) TRY(apli_convert(leaves.items[i], APLI_NESTED, &leaf));
        else leaf = apli_array_retain(leaves.items[i]);
        if (leaf->count) apli_copy(flat, at, leaf, 0, leaf->count);
        at += leaf->count;
    }
    *result = apli_move(&flat);
    return APL_OK;
}
