/* ⎕DR tells and converts by value: numbers stay numbers, characters characters. */
#include "prim/representation/representation.h"
#include "elem/packed.h"
#include "prim/structure.h"

#include <inttypes.h>
#include <math.h>

AplErr apli_representation(AplEnv *env, AplArray *array, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    const AplArray *cell = array;
    while (cell->form == APLI_STACKED) cell = apli_items(cell)[0];
    if (cell->form != APLI_FORM_PACKED) return apli_scalar_i64(apli_types[array->type].representation, result);
    APLI_AUTO AplArray *pair = NULL;
    TRY(apli_vector_new(APLI_I64, 2, &pair));
    apli_integer_data(pair)[0] = cell->layout->representation;
    apli_integer_data(pair)[1] = cell->layout->group;
    TRY(apli_squeeze(&pair));
    *result = apli_move(&pair);
    return APL_OK;
}

static AplErr type_of(int64_t number, AplType *type) {
    for (int i = 0; i < APLI_NESTED; i++) {
        if (apli_types[i].representation != number) continue;
        *type = (AplType)i;
        return APL_OK;
    }
    bool packed = number == 13 || number == 23 || number == 43 || number == 45 || number == 123;
    FAIL_IF(packed, APL_LENGTH, "the packed type %" PRId64 " needs a group size: %" PRId64 " 32 ⎕DR X", number, number);
    apli_fail(APL_DOMAIN, "%" PRId64 " is no type to convert to", number);
    return APL_DOMAIN;
}

/* No finite number became infinite, no character was cut. */
static AplErr check_range(const AplArray *from, const AplArray *to) {
    AplType type = (AplType)to->type;
    bool half_or_single = apli_type_is_real(type) && type != APLI_F64;
    bool narrower = apli_types[type].bits < apli_types[from->type].bits;
    for (int64_t i = 0; half_or_single && i < to->count; i++)
        FAIL_IF(!isfinite(apli_f64_at(to, i)) && isfinite(apli_f64_at(from, i)), APL_DOMAIN, "%.17g is beyond %s",
                apli_f64_at(from, i), apli_types[type].name);
    for (int64_t i = 0; apli_type_is_character(type) && narrower && i < to->count; i++)
        FAIL_IF(apli_char_at(to, i) != apli_char_at(from, i), APL_DOMAIN, "character U+%04X is beyond %s",
                (unsigned)apli_char_at(from, i), apli_types[type].name);
    return APL_OK;
}

static AplErr convert(AplArray *array, AplType type, AplArray **result) {
    APLI_AUTO AplArray *plain = NULL, *simple = NULL, *converted = NULL;
    TRY(apli_plain(array, &plain));
    simple = apli_array_retain(plain);
    TRY(apli_simplify(&simple));
    TRY(apli_convert(simple, type, &converted));
    if (converted != simple) TRY(check_range(simple, converted));
    if (converted->weak) { /* the same elements under a header that is not weak */
        APLI_AUTO AplArray *asked = NULL;
        TRY(apli_view(converted, 0, converted->rank, converted->shape, &asked));
        asked->weak = false;
        *result = apli_move(&asked);
        return APL_OK;
    }
    *result = apli_move(&converted);
    return APL_OK;
}

static AplErr pack(AplArray *array, int64_t number, int64_t group, AplArray **result) {
    APLI_AUTO AplArray *values = NULL;
    const AplPackedLayout *layout;
    FAIL_IF(array->rank == 0, APL_RANK, "a scalar cannot be packed: groups lie along the last axis");
    FAIL_IF(number < 0 || number > INT32_MAX, APL_DOMAIN, "%" PRId64 " is no packed type", number);
    TRY(convert(array, APLI_F32, &values));
    int64_t columns = apli_last_axis(values), rows = columns ? values->count / columns : 0;
    TRY(apli_packed_layout((int)number, group, columns, &layout));
    AplStorage *storage;
    TRY(apli_storage_new((size_t)(rows * apli_packed_row_bytes(layout, columns)), APLI_PACKED, &storage));
    AplErr error = apli_packed_pack(layout, (const float *)values->data, rows, columns, storage->bytes);
    if (!error) error = apli_packed_new(layout, values->rank, values->shape, storage, storage->bytes, result);
    apli_storage_release(storage);
    return error;
}

AplErr apli_represent(AplEnv *env, AplArray *types, AplArray *array, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    APLI_AUTO AplArray *numbers = NULL;
    TRY(apli_vector_argument(types, "the left argument of ⎕DR"));
    TRY(apli_integers(types, "the left argument of ⎕DR", &numbers));
    FAIL_IF(numbers->count != 1 && numbers->count != 2, APL_LENGTH,
            "the left argument of ⎕DR is a type, or a packed type and its group, not %" PRId64 " numbers", numbers->count);
    const int64_t *number = apli_integer_data(numbers);
    if (numbers->count == 2) return pack(array, number[0], number[1], result);
    AplType type;
    TRY(type_of(number[0], &type));
    return convert(array, type, result);
}
