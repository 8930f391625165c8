/* The public functions of arrays. */
#include "array/array.h"

#include "elem/packed.h"
#include "base/text.h"
#include "prim/prim.h"

#include "aplaca.h"
#include "api/api.h"

#include <inttypes.h>
#include <string.h>

static AplErr from_data(AplType type, const void *data, size_t bytes, int rank, const int64_t *shape, AplArray **result) {
    FAIL_IF(rank < 0 || rank > APLI_MAX_RANK, APL_RANK, "rank %d is not between 0 and %d", rank, APLI_MAX_RANK);
    APLI_AUTO AplArray *array = NULL;
    TRY(apli_array_new(type, rank, shape, &array));
    if (array->count) memcpy(array->data, data, (size_t)array->count * bytes);
    TRY(apli_squeeze(&array));
    *result = apli_move(&array);
    return APL_OK;
}

AplErr apl_array_f64(const double *data, int rank, const int64_t *shape, AplArray **result) {
    return from_data(APLI_F64, data, sizeof *data, rank, shape, result);
}
AplErr apl_array_f32(const float *data, int rank, const int64_t *shape, AplArray **result) {
    return from_data(APLI_F32, data, sizeof *data, rank, shape, result);
}
AplErr apl_array_i64(const int64_t *data, int rank, const int64_t *shape, AplArray **result) {
    return from_data(APLI_I64, data, sizeof *data, rank, shape, result);
}
AplErr apl_array_i32(const int32_t *data, int rank, const int64_t *shape, AplArray **result) {
    return from_data(APLI_I32, data, sizeof *data, rank, shape, result);
}

AplErr apl_array_bool(const uint8_t *data, int rank, const int64_t *shape, AplArray **result) {
    FAIL_IF(rank < 0 || rank > APLI_MAX_RANK, APL_RANK, "rank %d is not between 0 and %d", rank, APLI_MAX_RANK);
    AplArray *array;
    TRY(apli_array_zero(APLI_BOOL, rank, shape, &array));
    for (int64_t i = 0; i < array->count; i++)
        if (data[i]) apli_bit_set(array->data, i, true);
    *result = array;
    return APL_OK;
}

AplErr apl_array_text(const char *utf8, size_t length, AplArray **result) {
    size_t wrong;
    FAIL_IF(!apli_utf8_valid(utf8, length, &wrong), APL_DOMAIN, "byte %zu is no UTF-8", wrong);
    return apli_string(utf8, length, result);
}

AplErr apl_array_nested(AplArray *const *items, int rank, const int64_t *shape, AplArray **result) {
    FAIL_IF(rank < 0 || rank > APLI_MAX_RANK, APL_RANK, "rank %d is not between 0 and %d", rank, APLI_MAX_RANK);
    for (int i = 0; i < rank; i++) FAIL_IF(shape[i] == 0, APL_LENGTH, "a nested array needs an item, axis %d has none", i);
    APLI_AUTO AplArray *array = NULL;
    TRY(apli_array_new(APLI_NESTED, rank, shape, &array));
    for (int64_t i = 0; i < array->count; i++) apli_items(array)[i] = apli_array_retain(items[i]);
    *result = apli_move(&array);
    return APL_OK;
}

AplArray *apl_array_retain(AplArray *array) { return apli_array_retain(array); }
void apl_array_release(AplArray *array) { apli_array_release(array); }
int apl_array_rank(const AplArray *array) { return array->rank; }
int64_t apl_array_count(const AplArray *array) { return array->count; }

void apl_array_shape(const AplArray *array, int64_t *shape) {
    for (int i = 0; i < array->rank; i++) shape[i] = array->shape[i];
}

int apl_array_type(const AplArray *array) {
    const AplArray *cell = array;
    while (cell->form == APLI_STACKED) cell = apli_items(cell)[0];
    if (cell->form == APLI_FORM_PACKED) return cell->layout->representation;
    return apli_types[cell->type].representation;
}

/* The elements as a PLAIN array of a numeric type that fits into `capacity`. */
static AplErr numbers(AplArray *array, AplType type, int64_t capacity, AplArray **result) {
    APLI_AUTO AplArray *plain = NULL;
    FAIL_IF(array->count > capacity, APL_LENGTH, "%" PRId64 " elements, with room for %" PRId64, array->count, capacity);
    TRY(apli_plain(array, &plain));
    FAIL_IF(!apli_type_is_number((AplType)plain->type), APL_DOMAIN, "%s are no numbers", apli_types[plain->type].name);
    return apli_convert(plain, type, result);
}

static AplErr copy_numbers(AplArray *array, AplType type, void *data, size_t bytes, int64_t capacity) {
    APLI_AUTO AplArray *plain = NULL;
    TRY(numbers(array, type, capacity, &plain));
    if (plain->count) memcpy(data, plain->data, (size_t)plain->count * bytes);
    return APL_OK;
}

AplErr apl_array_copy_f64(AplArray *array, double *data, int64_t capacity) {
    return copy_numbers(array, APLI_F64, data, sizeof *data, capacity);
}
AplErr apl_array_copy_f32(AplArray *array, float *data, int64_t capacity) {
    return copy_numbers(array, APLI_F32, data, sizeof *data, capacity);
}
AplErr apl_array_copy_i64(AplArray *array, int64_t *data, int64_t capacity) {
    return copy_numbers(array, APLI_I64, data, sizeof *data, capacity);
}

AplErr apli_api_give_text(const AplText *text, char *bytes, size_t capacity, size_t *length) {
    TRY(apli_text_status(text));
    *length = text->length;
    if (capacity == 0) return APL_OK;
    size_t given = text->length < capacity ? text->length : capacity - 1;
    if (given) memcpy(bytes, text->bytes, given);
    bytes[given] = 0;
    return APL_OK;
}

AplErr apl_array_copy_text(AplArray *array, char *bytes, size_t capacity, size_t *length) {
    APLI_AUTO AplArray *plain = NULL;
    APLI_AUTO_TEXT text = {0};
    TRY(apli_plain(array, &plain));
    FAIL_IF(plain->count && !apli_type_is_character((AplType)plain->type), APL_DOMAIN, "%s are no characters",
            apli_types[plain->type].name);
    for (int64_t i = 0; i < plain->count; i++) apli_text_append_codepoint(&text, apli_char_at(plain, i));
    return apli_api_give_text(&text, bytes, capacity, length);
}

AplErr apl_array_item(AplArray *array, int64_t index, AplArray **result) {
    APLI_AUTO AplArray *plain = NULL;
    FAIL_IF(index < 0 || index >= array->count, APL_INDEX, "element %" PRId64 " of %" PRId64, index, array->count);
    TRY(apli_plain(array, &plain));
    return apli_item(plain, index, result);
}
