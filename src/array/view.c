/* Leading cells, and every form made plain. */
#include "array/array.h"
#include "elem/packed.h"
#include "os/parallel.h"

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

/* Follows the strides: the last two axes by tiles of whole cache lines, and these by squares, so that a transpose reads and
   writes some hundred bytes of a row at a time. A thread takes SQUARE rows of one block. */
enum { SQUARE = 64, LINE = 64 };

typedef struct Following {
    const AplArray *array;
    uint8_t *to;
    int64_t rows, columns, row_stride, column_stride, strips; /* strips of SQUARE rows in a block of rows × columns */
} Following;

/* Eight words of eight bytes: halves that lie across the diagonal are exchanged, then quarters and bytes. */
static inline void transpose_bytes(uint8_t *to, int64_t to_stride, const uint8_t *from, int64_t from_stride) {
    uint64_t words[8], mask = 0x00000000FFFFFFFF;
    for (int i = 0; i < 8; i++) memcpy(&words[i], from + i * from_stride, 8);
    for (int apart = 4; apart; apart /= 2, mask ^= mask << 8 * apart) {
        for (int k = 0; k < 8; k++) {
            if (k & apart) continue;
            const uint64_t exchanged = (words[k] >> 8 * apart ^ words[k + apart]) & mask;
            words[k] ^= exchanged << 8 * apart;
            words[k + apart] ^= exchanged;
        }
    }
    for (int i = 0; i < 8; i++) memcpy(to + i * to_stride, &words[i], 8);
}

/* A tile with bounds that the compiler knows, where it is whole. */
#define TILE_OF(TYPE, ROWS, COLUMNS) \
    for (int64_t i = 0; i < (ROWS); i++) \
        for (int64_t j = 0; j < (COLUMNS); j++) \
            t[i * columns + j] = f[i * row_stride + j * column_stride];
#define FOLLOW(TYPE) \
    { \
        enum { TILE = sizeof(TYPE) == 1 ? 8 : LINE / sizeof(TYPE) < 16 ? LINE / sizeof(TYPE) : 16 }; \
        const TYPE *base = (const TYPE *)following->array->data + offset; \
        TYPE *to = (TYPE *)following->to + block * following->rows * columns; \
        for (int64_t square = 0; square < columns; square += SQUARE) { \
            const int64_t end = columns - square < SQUARE ? columns : square + SQUARE; \
            for (int64_t r = first; r < last; r += TILE) { \
                for (int64_t c = square; c < end; c += TILE) { \
                    const TYPE *f = base + r * row_stride + c * column_stride; \
                    TYPE *t = to + r * columns + c; \
                    const int64_t height = last - r < TILE ? last - r : TILE, width = end - c < TILE ? end - c : TILE; \
                    const bool whole = height == TILE && width == TILE && row_stride == 1; \
                    if (whole && sizeof(TYPE) == 1) { \
                        transpose_bytes((uint8_t *)t, columns, (const uint8_t *)f, column_stride); \
                    } else if (whole) { \
                        for (int64_t i = 0; i < TILE; i++) \
                            for (int64_t j = 0; j < TILE; j++) t[i * columns + j] = f[i + j * column_stride]; \
                    } else { \
                        TILE_OF(TYPE, height, width) \
                    } \
                } \
            } \
        } \
        break; \
    }

static void follow_strip(void *context, int64_t unit, int thread) {
    (void)thread;
    const Following *following = context;
    const AplArray *array = following->array;
    const int64_t columns = following->columns, row_stride = following->row_stride,
                  column_stride = following->column_stride, block = unit / following->strips,
                  first = unit % following->strips * SQUARE,
                  last = following->rows - first < SQUARE ? following->rows : first + SQUARE;
    int64_t offset = 0, rest = block;
    for (int axis = array->rank - 3; axis >= 0; axis--) {
        offset += rest % array->shape[axis] * apli_strides(array)[axis];
        rest /= array->shape[axis];
    }
    switch (apli_types[array->type].bits) {
    case 8: FOLLOW(uint8_t)
    case 16: FOLLOW(uint16_t)
    case 32: FOLLOW(uint32_t)
    default: FOLLOW(uint64_t)
    }
}

static AplErr follow_strides(AplArray *array, AplArray **result) {
    enum { SHARED = 1 << 16 }; /* elements that are worth a second thread */
    AplArray *plain;
    TRY(apli_array_new_like((AplType)array->type, array, &plain));
    plain->weak = array->weak;
    const int rank = array->rank;
    const int64_t *strides = apli_strides(array);
    Following following = {.array = array, .to = plain->data, .rows = rank > 1 ? array->shape[rank - 2] : 1,
                           .columns = array->shape[rank - 1], .row_stride = rank > 1 ? strides[rank - 2] : 0,
                           .column_stride = strides[rank - 1]};
    following.strips = (following.rows + SQUARE - 1) / SQUARE;
    const int64_t blocks = array->count ? array->count / (following.rows * following.columns) : 0;
    apli_parallel(blocks * following.strips, array->count < SHARED ? 1 : apli_parallel_threads(), follow_strip, &following);
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
