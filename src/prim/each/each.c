/* f¨: f between or on the items. A scalar function does that by itself. Without items, a primitive (or what
   is derived from primitives) is called once on the prototypes, and its result's prototype becomes the
   result's; a defined function is not called: the result then has the prototype of the argument. */
#include "prim/operand.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <string.h>

/* The prototype as an item: what the items of an array without items look like. */
static AplErr item_or_fill(const AplArray *array, int64_t index, AplArray **result) {
    return array->count ? apli_item(array, array->count == 1 ? 0 : index, result) : apli_fill(array, result);
}

static AplErr each_of_none(AplEnv *env, const AplFunction *f, AplArray *left, AplArray *right,
                           const AplArray *like, AplArray **result) {
    APLI_AUTO AplArray *first = NULL, *second = NULL, *made = NULL, *none = NULL;
    TRY(item_or_fill(right, 0, &second));
    if (left) TRY(item_or_fill(left, 0, &first));
    if (apli_has_defined(f)) made = apli_move(&second);
    else TRY(apli_call_operand(env, f, first, second, &made));
    if (made->rank == 0 && made->type != APLI_NESTED) {
        TRY(apli_array_new_like((AplType)made->type, like, &none));
    } else {
        TRY(apli_array_new_like(APLI_NESTED, like, &none));
        TRY(apli_prototype(made, &apli_items(none)[0]));
    }
    *result = apli_move(&none);
    return APL_OK;
}

/* The argument whose shape the result has. One item stands for many. */
static AplErr conform(const AplArray *left, const AplArray *right, const AplArray **like) {
    if (!left || apli_same_shape(left, right)) *like = right;
    else if (left->count == 1 && (right->count != 1 || right->rank >= left->rank)) *like = right;
    else if (right->count == 1) *like = left;
    else {
        FAIL_IF(left->rank != right->rank, APL_RANK, "¨ between an array of shape %s and one of shape %s",
                apli_shape_text(left), apli_shape_text(right));
        FAIL_IF(true, APL_LENGTH, "¨ between an array of shape %s and one of shape %s", apli_shape_text(left),
                apli_shape_text(right));
    }
    return APL_OK;
}

AplErr apli_each(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, AplArray **result) {
    TRY(apli_need_function(&self->left, "¨", "left"));
    const AplFunction *f = self->left.function;
    uint32_t not_scalar = left ? APLI_NOT_SCALAR_DYADIC : APLI_NOT_SCALAR_MONADIC;
    if (f->kind == APLI_FUNCTION_PRIM && (f->prim->flags & (APLI_SCALAR | not_scalar)) == APLI_SCALAR &&
        !f->axis)
        return apli_call(env, f, left, right, result);
    APLI_AUTO AplArray *plain_left = NULL, *plain_right = NULL, *items = NULL;
    TRY(apli_plain(right, &plain_right));
    if (left) TRY(apli_plain(left, &plain_left));
    const AplArray *like;
    TRY(conform(plain_left, plain_right, &like));
    if (like->count == 0) return each_of_none(env, f, plain_left, plain_right, like, result);
    TRY(apli_array_new_like(APLI_NESTED, like, &items));
    for (int64_t i = 0; i < like->count; i++) {
        APLI_AUTO AplArray *first = NULL, *second = NULL;
        TRY(item_or_fill(plain_right, i, &second));
        if (plain_left) TRY(item_or_fill(plain_left, i, &first));
        TRY(apli_call_operand(env, f, first, second, &apli_items(items)[i]));
    }
    TRY(apli_simplify(&items));
    *result = apli_move(&items);
    return APL_OK;
}
