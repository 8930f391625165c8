/* ⊃X: the first item, or the prototype when there is none. P⊃X follows the path P: each item of P is an index into what the
   ones before it reached. */
#include "prim/structure.h"

#include <inttypes.h>

AplErr apli_first(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    if (right->count == 0) return apli_fill(right, result);
    return apli_item(right, 0, result);
}

AplErr apli_position_of(const AplEnv *env, const AplArray *array, AplArray *index, int64_t *position) {
    APLI_AUTO AplArray *numbers = NULL;
    TRY(apli_vector_argument(index, "an index"));
    TRY(apli_integers(index, "an index", &numbers));
    FAIL_IF(numbers->count != array->rank, APL_RANK, "an index of %" PRId64 " numbers into an array of rank %d",
            numbers->count, array->rank);
    *position = 0;
    for (int i = 0; i < array->rank; i++) {
        int64_t number = apli_integer_data(numbers)[i], zero_based = number - env->index_origin;
        FAIL_IF(number < env->index_origin || zero_based >= array->shape[i], APL_INDEX,
                "index %" PRId64 " of axis %" PRId64 ", whose length is %" PRId64 " (⎕IO is %" PRId64 ")", number,
                i + env->index_origin, array->shape[i], env->index_origin);
        *position = *position * array->shape[i] + zero_based;
    }
    return APL_OK;
}

AplErr apli_pick(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    TRY(apli_vector_argument(left, "the left argument of ⊃"));
    APLI_AUTO AplArray *reached = apli_array_retain(right);
    for (int64_t i = 0; i < left->count; i++) {
        APLI_AUTO AplArray *index = NULL, *plain = NULL;
        AplArray *next;
        int64_t position;
        TRY(apli_item(left, i, &index));
        TRY(apli_position_of(env, reached, index, &position));
        TRY(apli_plain(reached, &plain));
        TRY(apli_item(plain, position, &next));
        apli_array_release(reached);
        reached = next;
    }
    *result = apli_move(&reached);
    return APL_OK;
}
