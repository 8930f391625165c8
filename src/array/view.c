/* Leading cells, and every form made plain. */
#include "array/array.h"
#include "elem/packed.h"

#include <string.h>

AplErr apli_cells(AplArray *array, int64_t first, int64_t count, AplArray **result) {
    int64_t shape[APLI_MAX_RANK];
    memcpy(shape, array->shape, array->rank * sizeof *shape);
    shape[0] = count;
    if (array->form == APLI_STACKED && count > 0) return apli_stack(apli_items(array) + first, count, result);
    APLI_AUTO AplArray *source = NULL;
    if (array->form == APLI_FORM_PACKED && array->rank > 1) source = apli_array_retain(array);
    else TRY(apli_plain(array, &source));
    int64_t cell = apli_product(array->shape + 1, array->rank - 1);
    return apli_view(source, first * cell, array->rank, shape, result);
}

AplErr apli_cell(AplArray *array, int64_t index, AplArray **result) {
    if (array->form == APLI_STACKED) {
        *result = apli_array_retain(apli_items(array)[index]);
        return APL_OK;
    }
    APLI_AUTO AplArray *source = NULL;
    if (array->form == APLI_FORM_PACKED && array->rank > 1) source = apli_array_retain(array);
    else TRY(apli_plain(array, &source));
    int64_t cell = apli_product(array->shape + 1, array->rank - 1);
    return apli_view(source, index * cell, array->rank - 1, array->shape + 1, result);
}

static AplErr unpack(AplArray *array, AplArray **result) {
    AplArray *plain;
    TRY(apli_array_new_like(APLI_F32, array, &plain));
    int64_t columns = apli_last_axis(array), rows = columns ? array->count / columns : 0;
    int64_t row_bytes = apli_packed_row_bytes(array->layout, columns);
    for (int64_t row = 0; row < rows; row++)
        array->layout->unpack(array->layout, array->data + row * row_bytes, columns,
                              (float *)plain->data + row * columns);
    *result = plain;
    return APL_OK;
}

static AplErr lay_in_a_row(AplArray *array, AplArray **result) {
    APLI_AUTO AplArray *plain = NULL;
    AplType type = array->type == APLI_PACKED ? APLI_F32 : (AplType)array->type;
    TRY(apli_array_new_like(type, array, &plain));
    int64_t cell_count = array->count / array->shape[0];
    for (int64_t i = 0; i < array->shape[0]; i++) {
        APLI_AUTO AplArray *cell = NULL, *converted = NULL;
        TRY(apli_plain(apli_items(array)[i], &cell));
        TRY(apli_convert(cell, type, &converted));
        apli_copy(plain, i * cell_count, converted, 0, cell_count);
    }
    *result = apli_move(&plain);
    return APL_OK;
}

/* Follows the strides: the last two axes by tiles, so that a transpose reads and writes whole cache lines. */
#define TILE 16
#define FOLLOW(TYPE) \
    for (int64_t outer = 0; outer < blocks; outer++) { \
        const TYPE *from = (const TYPE *)array->data; \
        int64_t rest = outer; \
        for (int axis = rank - 3; axis >= 0; axis--) { \
            from += rest % array->shape[axis] * strides[axis]; \
            rest /= array->shape[axis]; \
        } \
        TYPE *to = (TYPE *)plain->data + outer * rows * columns; \
        for (int64_t r = 0; r < rows; r += TILE) \
            for (int64_t c = 0; c < columns; c += TILE) \
                for (int64_t i = r; i < rows && i < r + TILE; i++) \
                    for (int64_t j = c; j < columns && j < c + TILE; j++) \
                        to[i * columns + j] = from[i * row_stride + j * column_stride]; \
    }

static AplErr follow_strides(AplArray *array, AplArray **result) {
    AplArray *plain;
    TRY(apli_array_new_like((AplType)array->type, array, &plain));
    plain->weak = array->weak;
    int rank = array->rank;
    const int64_t *strides = apli_strides(array);
    int64_t columns = array->shape[rank - 1], column_stride = strides[rank - 1];
    int64_t rows = rank > 1 ? array->shape[rank - 2] : 1, row_stride = rank > 1 ? strides[rank - 2] : 0;
    int64_t blocks = array->count ? array->count / (rows * columns) : 0;
    switch (apli_types[array->type].bits) {
    case 8: FOLLOW(uint8_t) break;
    case 16: FOLLOW(uint16_t) break;
    case 32: FOLLOW(uint32_t) break;
    default: FOLLOW(uint64_t) break;
    }
    *result = plain;
    return APL_OK;
}

static AplErr unpack_turned(AplArray *array, AplArray **result) {
    APLI_AUTO AplArray *matrix = NULL, *view = NULL;
    TRY(apli_plain(apli_items(array)[0], &matrix));
    TRY(apli_transpose_view(matrix, (int[]){1, 0}, &view));
    return apli_plain(view, result);
}

AplErr apli_plain(AplArray *array, AplArray **result) {
    switch ((AplForm)array->form) {
    case APLI_PLAIN: *result = apli_array_retain(array); return APL_OK;
    case APLI_STRIDED: return follow_strides(array, result);
    case APLI_STACKED: return lay_in_a_row(array, result);
    case APLI_FORM_PACKED: return unpack(array, result);
    case APLI_TURNED: return unpack_turned(array, result);
    }
    return APL_OK;
}
