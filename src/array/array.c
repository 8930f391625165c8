/* Making and releasing arrays, and the count of their bytes. */
#include "array/array.h"

#include "elem/packed.h"
#include "elem/panel.h"
#include "os/large_block.h"
#include "os/small_block.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Elements up to this many bytes lie in the header's own block. */
enum { INLINE_BYTES = 256, PADDING = 64, CANARY = 0xA5 };
/* Headers' blocks have whole units, less what malloc needs; more than the most are asked of malloc itself. */
enum { BLOCK_UNIT = 64, BLOCK_OVERHEAD = 8, MOST_BLOCK_UNITS = 127 };

static _Atomic int64_t memory_used, memory_peak;
static size_t memory_limit = SIZE_MAX;

void apli_memory_set_limit(size_t bytes) { memory_limit = bytes; }
size_t apli_memory_peak(void) { return (size_t)memory_peak; }
size_t apli_memory_limit(void) { return memory_limit; }

static void note_peak(int64_t used) {
    int64_t peak = memory_peak;
    while (used > peak && !atomic_compare_exchange_weak(&memory_peak, &peak, used)) {}
}

/* Small blocks are counted in batches of each thread, so that counting costs them next to nothing. */
enum { COUNT_BATCH = 1 << 16 };
static _Thread_local int64_t uncounted;

size_t apli_memory_used(void) {
    int64_t used = memory_used + uncounted;
    return used > 0 ? (size_t)used : 0;
}

static __attribute__((noinline, cold)) bool count_batch(void) {
    int64_t used = atomic_fetch_add(&memory_used, uncounted) + uncounted;
    uncounted = 0;
    note_peak(used);
    return used < 0 || (size_t)used <= memory_limit;
}

/* Adds bytes, or takes them away. False when there are more than fit. */
static inline bool count_bytes(int64_t bytes) {
    uncounted += bytes;
    return __builtin_expect((uint64_t)(uncounted + COUNT_BATCH) <= 2 * COUNT_BATCH, 1) || count_batch();
}

/* The bytes of a header's block. */
static inline size_t block_bytes(AplArray *array) {
    return __builtin_expect(array->block_units != 0, 1) ? (size_t)array->block_units * BLOCK_UNIT : malloc_usable_size(array);
}

static inline void free_block(AplArray *array) {
    const size_t bytes = block_bytes(array);
    count_bytes(-(int64_t)bytes);
    if (__builtin_expect(array->block_units != 0, 1)) apli_small_block_give(array, bytes - BLOCK_OVERHEAD);
    else free(array);
}

/* ---- storage ----------------------------------------------------------------------------------------------- */

/* A storage of less than APLI_LARGE_BLOCK bytes and its bytes are one block. */
static size_t together_bytes(size_t size) { return sizeof(AplStorage) + 2 * APLI_ALIGNMENT + PADDING + size; }

static AplErr storage_new(size_t size, AplType type, bool zero, AplStorage **result) {
    size_t used = apli_memory_used();
    FAIL_IF(size > memory_limit || used > memory_limit - size, APL_WS_FULL,
            "an array of %zu bytes, where %zu of the workspace's %zu are in use", size, used, memory_limit);
    size_t padded = (size + PADDING + APLI_ALIGNMENT - 1) / APLI_ALIGNMENT * APLI_ALIGNMENT;
    const bool together = !zero && padded < APLI_LARGE_BLOCK;
    AplStorage *storage = padded < size ? NULL : together ? apli_small_block_take(together_bytes(size)) : malloc(sizeof *storage);
    /* calloc has pages of zeros that exist only once they are written; it aligns to less, so the bytes begin further in */
    void *block = !storage || together ? NULL : zero ? calloc(1, padded + APLI_ALIGNMENT) : apli_large_block_take(padded);
    if (!storage || (!block && !together)) {
        free(storage);
        apli_fail(APL_WS_FULL, "no memory for an array of %zu bytes", size);
        return APL_WS_FULL;
    }
    uint8_t *begin = together ? (uint8_t *)(storage + 1) : block;
    uint8_t *bytes = (uint8_t *)(((uintptr_t)begin + APLI_ALIGNMENT - 1) / APLI_ALIGNMENT * APLI_ALIGNMENT);
    *storage = (AplStorage){.references = 1, .place = APLI_HEAP, .bytes = bytes, .size = size, .block = block, .type = type};
#ifdef APLI_DEBUG
    memset(bytes + size, CANARY, padded - size);
#endif
    note_peak(atomic_fetch_add(&memory_used, (int64_t)size) + (int64_t)size);
    *result = storage;
    return APL_OK;
}

AplErr apli_storage_new(size_t size, AplType type, AplStorage **result) { return storage_new(size, type, false, result); }

static void check_canary(const AplStorage *storage) {
#ifdef APLI_DEBUG
    for (size_t i = 0; i < PADDING; i++) {
        if (storage->bytes[storage->size + i] != CANARY) {
            fprintf(stderr, "aplaca: a kernel wrote %zu bytes past the end of an array of %zu bytes\n", i + 1,
                    storage->size);
            __builtin_trap();
        }
    }
#else
    (void)storage;
#endif
}

static void release_items(AplArray **items, int64_t count) {
    for (int64_t i = 0; i < count; i++) apli_array_release(items[i]);
}

/* The panels of the matrix that begins at `data`. */
typedef struct AplPanelsOf {
    const uint8_t *data;
    AplPanels panels;
    struct AplPanelsOf *next;
} AplPanelsOf;

static void release_panels(AplPanelsOf *entry) {
    while (entry) {
        AplPanelsOf *next = entry->next;
        if (entry->panels.release) entry->panels.release(entry->panels.owner);
        free(entry);
        entry = next;
    }
}

void apli_storage_release(AplStorage *storage) {
    if (!storage || --storage->references > 0) return;
    if (storage->panels) release_panels(storage->panels);
    if (storage->rounded) apli_storage_release(storage->rounded);
    if (storage->place == APLI_HEAP) {
        if (storage->type == APLI_NESTED)
            release_items((AplArray **)storage->bytes, (int64_t)(storage->size / sizeof(AplArray *)));
        check_canary(storage);
        atomic_fetch_sub(&memory_used, (int64_t)storage->size);
        if (!storage->block) {
            apli_small_block_give(storage, together_bytes(storage->size));
            return;
        }
        if (storage->size >= APLI_LARGE_BLOCK) apli_large_block_give(storage->block);
        else free(storage->block);
    } else if (storage->release) {
        storage->release(storage->owner);
    }
    free(storage);
}

/* ---- headers ----------------------------------------------------------------------------------------------- */

/* How many elements a shape has; false when an array cannot have so many. The product of a shape that has a zero does not
   depend on the other numbers' overflow. */
static bool count_of(int rank, const int64_t *shape, int64_t *count) {
    bool zero = false, overflow = false;
    int64_t product = 1;
    for (int i = 0; i < rank; i++) {
        zero |= shape[i] == 0;
        overflow |= __builtin_mul_overflow(product, shape[i], &product) || product > INT64_MAX / 16;
    }
    *count = zero ? 0 : product;
    return zero || !overflow;
}

/* A header of `count` elements with room for rank entries of shape, as many of strides, and `inline_bytes` of elements. */
static inline AplErr header_of(AplType type, AplForm form, int rank, const int64_t *shape, int64_t count, size_t inline_bytes,
                        AplArray **result) {
    FAIL_IF(rank > APLI_MAX_RANK, APL_LIMIT, "rank %d is more than %d", rank, APLI_MAX_RANK);
    size_t dimensions = (size_t)rank * (form == APLI_STRIDED ? 2 : 1) * sizeof(int64_t);
    const size_t bytes = sizeof(AplArray) + dimensions + inline_bytes;
    const size_t units = (bytes + BLOCK_OVERHEAD + BLOCK_UNIT - 1) / BLOCK_UNIT;
    const bool small = units <= MOST_BLOCK_UNITS;
    AplArray *array = small ? apli_small_block_take(units * BLOCK_UNIT - BLOCK_OVERHEAD) : malloc(bytes);
    FAIL_IF(!array, APL_WS_FULL, "no memory for an array's header");
    array->references = 1;
    array->type = (uint8_t)type;
    array->form = (uint8_t)form;
    array->rank = (uint8_t)rank;
    array->weak = false;
    array->block_units = small ? (uint8_t)units & MOST_BLOCK_UNITS : 0;
    array->count = count;
    array->shape = (int64_t *)(array + 1);
    array->storage = NULL;
    array->data = (uint8_t *)array->shape + dimensions;
    array->layout = NULL;
    if (!count_bytes((int64_t)block_bytes(array))) {
        free_block(array);
        apli_fail(APL_WS_FULL, "small arrays fill the workspace's %zu bytes", memory_limit);
        return APL_WS_FULL;
    }
    for (int i = 0; i < rank; i++) array->shape[i] = shape[i];
    *result = array;
    return APL_OK;
}

static AplErr header_new(AplType type, AplForm form, int rank, const int64_t *shape, size_t inline_bytes, AplArray **result) {
    int64_t count;
    FAIL_IF(!count_of(rank, shape, &count), APL_LIMIT, "the shape holds more elements than an array can have");
    return header_of(type, form, rank, shape, count, inline_bytes, result);
}

AplErr apli_array_new(AplType type, int rank, const int64_t *shape, AplArray **result) {
    int64_t count;
    uint64_t product = 1, past = 0;
    for (int i = 0; i < rank; i++) { /* what 31 bits hold, times such a number, fits 62 */
        past |= (uint64_t)shape[i] | product;
        product *= (uint64_t)shape[i];
    }
    count = (int64_t)product;
    if (__builtin_expect((past | product) > INT32_MAX, 0)) {
        for (int i = 0; i < rank; i++)
            FAIL_IF(shape[i] < 0, APL_DOMAIN, "axis %d would have %" PRId64 " elements", i, shape[i]);
        FAIL_IF(!count_of(rank, shape, &count), APL_WS_FULL, "the shape holds more elements than an array can have");
    }
    int64_t stored = type == APLI_NESTED && count == 0 ? 1 : count;
    size_t bytes = apli_type_bytes(type, stored);
    AplArray *array;
    if (bytes <= INLINE_BYTES && type != APLI_PACKED) {
        TRY(header_of(type, APLI_PLAIN, rank, shape, count, bytes + PADDING, &array));
    } else {
        TRY(header_of(type, APLI_PLAIN, rank, shape, count, 0, &array));
        AplErr error = apli_storage_new(bytes, type, &array->storage);
        if (error) {
            free_block(array);
            return error;
        }
        array->data = array->storage->bytes;
    }
    if (type == APLI_NESTED) memset(array->data, 0, bytes);
    *result = array;
    return APL_OK;
}

AplErr apli_array_zero(AplType type, int rank, const int64_t *shape, AplArray **result) {
    AplArray *array;
    TRY(header_new(type, APLI_PLAIN, rank, shape, 0, &array));
    AplErr error = storage_new(apli_type_bytes(type, array->count), type, true, &array->storage);
    if (error) {
        free_block(array);
        return error;
    }
    array->data = array->storage->bytes;
    *result = array;
    return APL_OK;
}

AplErr apli_array_new_like(AplType type, const AplArray *like, AplArray **result) {
    return apli_array_new(type, like->rank, like->shape, result);
}

AplErr apli_vector_new(AplType type, int64_t length, AplArray **result) { return apli_array_new(type, 1, &length, result); }

static void free_with_items(AplArray *array) {
    if (array->form == APLI_STACKED) {
        release_items(apli_items(array), array->rank ? array->shape[0] : 0);
    } else if (array->form == APLI_TURNED) {
        release_items(apli_items(array), 1);
    } else if (array->storage) {
        apli_storage_release(array->storage);
    } else if (array->type == APLI_NESTED) {
        release_items(apli_items(array), array->count ? array->count : 1);
    }
    free_block(array);
}

void apli_array_free(AplArray *array) {
    if (array->type != APLI_NESTED && array->form != APLI_STACKED && array->form != APLI_TURNED) {
        apli_storage_release(array->storage);
        free_block(array);
        return;
    }
    /* what goes while another array is being freed waits: arrays may be nested deeper than the stack is */
    static _Thread_local AplArray *waiting;
    static _Thread_local bool freeing;
    array->next_waiting = waiting;
    waiting = array;
    if (freeing) return;
    freeing = true;
    while ((array = waiting)) {
        waiting = array->next_waiting;
        free_with_items(array);
    }
    freeing = false;
}

AplErr apli_scalar_bool(bool value, AplArray **result) {
    TRY(apli_array_new(APLI_BOOL, 0, NULL, result));
    (*result)->data[0] = value;
    return APL_OK;
}

AplErr apli_scalar_i64(int64_t value, AplArray **result) {
    AplType type = apli_type_for_range(value, value);
    TRY(apli_array_new(type, 0, NULL, result));
    apli_elem_convert(type, (*result)->data, 0, APLI_I64, &value, 0, 1);
    return APL_OK;
}

AplErr apli_scalar_f64(double value, AplArray **result) {
    TRY(apli_array_new(APLI_F64, 0, NULL, result));
    memcpy((*result)->data, &value, sizeof value);
    (*result)->weak = true;
    return APL_OK;
}

AplErr apli_scalar_char(uint32_t codepoint, AplArray **result) {
    AplType type = apli_type_for_codepoint(codepoint);
    TRY(apli_array_new(type, 0, NULL, result));
    apli_elem_convert(type, (*result)->data, 0, APLI_CHAR32, &codepoint, 0, 1);
    return APL_OK;
}

AplErr apli_enclose(AplArray *item, AplArray **result) {
    if (item->rank == 0 && item->type != APLI_NESTED) {
        *result = apli_array_retain(item);
        return APL_OK;
    }
    TRY(apli_array_new(APLI_NESTED, 0, NULL, result));
    apli_items(*result)[0] = apli_array_retain(item);
    return APL_OK;
}

AplErr apli_array_borrow(AplType type, int rank, const int64_t *shape, void *bytes, size_t size, void (*release)(void *),
                         void *owner, AplArray **result) {
    AplArray *array;
    TRY(header_new(type, APLI_PLAIN, rank, shape, 0, &array));
    size_t needed = apli_type_bytes(type, array->count);
    AplStorage *storage = needed <= size ? malloc(sizeof *storage) : NULL;
    if (!storage) {
        free_block(array);
        apli_fail(APL_WS_FULL, "an array of %zu bytes over %zu", needed, size);
        return APL_WS_FULL;
    }
    *storage = (AplStorage){.references = 1, .place = APLI_BORROWED, .bytes = bytes, .size = size, .type = type,
                            .release = release, .owner = owner};
    array->storage = storage;
    array->data = bytes;
    *result = array;
    return APL_OK;
}

AplErr apli_packed_new(const AplPackedLayout *layout, int rank, const int64_t *shape, AplStorage *storage, uint8_t *data,
                       AplArray **result) {
    AplArray *array;
    TRY(header_new(APLI_PACKED, APLI_FORM_PACKED, rank, shape, 0, &array));
    storage->references++;
    array->storage = storage;
    array->data = data;
    array->layout = layout;
    *result = array;
    return APL_OK;
}

AplErr apli_packed_zero(const AplPackedLayout *layout, int rank, const int64_t *shape, AplArray **result) {
    const int64_t columns = rank ? shape[rank - 1] : 1;
    int64_t bytes = apli_packed_row_bytes(layout, columns);
    for (int i = 0; i < rank - 1; i++)
        FAIL_IF(__builtin_mul_overflow(bytes, shape[i], &bytes), APL_WS_FULL, "the shape holds more elements than an array can have");
    AplStorage *storage;
    TRY(storage_new((size_t)bytes, APLI_PACKED, true, &storage));
    AplErr error = apli_packed_new(layout, rank, shape, storage, storage->bytes, result);
    apli_storage_release(storage);
    return error;
}

const AplPanels *apli_panels_of(const AplArray *matrix) {
    for (const AplPanelsOf *entry = matrix->storage->panels; entry; entry = entry->next)
        if (entry->data == matrix->data && entry->panels.rows == matrix->shape[0] && entry->panels.columns == matrix->shape[1])
            return &entry->panels;
    return NULL;
}

void apli_drop_panels(AplArray *array) {
    release_panels(array->storage->panels);
    array->storage->panels = NULL;
}

void apli_keep_rounded(AplStorage *storage, AplStorage *rounded) {
    if (rounded) rounded->references++;
    apli_storage_release(storage->rounded);
    storage->rounded = rounded;
}

AplErr apli_attach_panels(AplArray *matrix, const AplPanels *panels) {
    AplPanelsOf *entry = malloc(sizeof *entry);
    FAIL_IF(!entry, APL_WS_FULL, "no memory to keep a matrix's panels");
    *entry = (AplPanelsOf){matrix->data, *panels, matrix->storage->panels};
    matrix->storage->panels = entry;
    return APL_OK;
}

AplErr apli_stack(AplArray *const *cells, int64_t count, AplArray **result) {
    FAIL_IF(count < 1, APL_LENGTH, "a stack of no cells");
    const AplArray *first = cells[0];
    FAIL_IF(first->rank >= APLI_MAX_RANK, APL_LIMIT, "cells of rank %d cannot be stacked", first->rank);
    int64_t shape[APLI_MAX_RANK] = {count};
    memcpy(shape + 1, first->shape, first->rank * sizeof *shape);
    AplType type = (AplType)first->type;
    for (int64_t i = 1; i < count; i++) {
        FAIL_IF(!apli_same_shape(first, cells[i]), APL_LENGTH, "cell %" PRId64 " of a stack has shape %s, the first has %s", i,
                apli_shape_text(cells[i]), apli_shape_text(first));
        type = apli_type_join(type, (AplType)cells[i]->type);
    }
    AplArray *array;
    TRY(header_new(type, APLI_STACKED, first->rank + 1, shape, (size_t)count * sizeof(AplArray *), &array));
    for (int64_t i = 0; i < count; i++) apli_items(array)[i] = apli_array_retain(cells[i]);
    *result = array;
    return APL_OK;
}

/* ---- views that share a storage ------------------------------------------------------------------------------ */

/* A header of `form` over the storage of `array`, whose elements do not lie inside its header. */
static AplErr share(AplArray *array, AplForm form, int rank, const int64_t *shape, uint8_t *data, AplArray **result) {
    TRY(header_new((AplType)array->type, form, rank, shape, 0, result));
    array->storage->references++;
    (*result)->storage = array->storage;
    (*result)->data = data;
    (*result)->layout = array->layout;
    (*result)->weak = array->weak;
    return APL_OK;
}

AplErr apli_view(AplArray *array, int64_t offset, int rank, const int64_t *shape, AplArray **result) {
    if (array->form == APLI_FORM_PACKED) {
        int64_t columns = apli_last_axis(array);
        int64_t row = columns ? offset / columns : 0;
        return share(array, APLI_FORM_PACKED, rank, shape,
                     array->data + row * apli_packed_row_bytes(array->layout, columns), result);
    }
    bool between_bytes = array->type == APLI_BOOL && (offset & 7);
    int64_t count = apli_product(shape, rank);
    bool sharable = array->storage && !between_bytes && !(array->type == APLI_NESTED && count == 0);
    if (sharable) {
        return share(array, APLI_PLAIN, rank, shape,
                     array->data + (array->type == APLI_BOOL ? (size_t)offset / 8
                                                             : apli_type_bytes((AplType)array->type, offset)),
                     result);
    }
    APLI_AUTO AplArray *copy = NULL;
    TRY(apli_array_new((AplType)array->type, rank, shape, &copy));
    copy->weak = array->weak;
    if (array->type == APLI_NESTED && count == 0) {
        TRY(apli_prototype(apli_items(array)[0], &apli_items(copy)[0]));
    } else {
        apli_copy(copy, 0, array, offset, count);
    }
    *result = apli_move(&copy);
    return APL_OK;
}

/* A PACKED matrix transposed, without unpacking it. */
static AplErr turn(AplArray *matrix, AplArray **result) {
    int64_t shape[] = {matrix->shape[1], matrix->shape[0]};
    TRY(header_new(APLI_F32, APLI_TURNED, 2, shape, sizeof(AplArray *), result));
    apli_items(*result)[0] = apli_array_retain(matrix);
    return APL_OK;
}

/* Whether elements with these strides follow one another. */
static bool in_order(int rank, const int64_t *shape, const int64_t *strides) {
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        if (shape[i] != 1 && strides[i] != step) return false;
        step *= shape[i];
    }
    return true;
}

AplErr apli_transpose_view(AplArray *array, const int *axes, AplArray **result) {
    APLI_AUTO AplArray *source = NULL;
    bool swap = array->rank == 2 && axes[0] == 1;
    if (swap && array->form == APLI_FORM_PACKED) return turn(array, result);
    if (swap && array->form == APLI_TURNED) {
        *result = apli_array_retain(apli_items(array)[0]);
        return APL_OK;
    }
    if (array->form == APLI_STRIDED) source = apli_array_retain(array);
    else TRY(apli_plain(array, &source));
    int rank = source->rank;
    int64_t strides[APLI_MAX_RANK], shape[APLI_MAX_RANK];
    int64_t step = 1;
    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = source->form == APLI_STRIDED ? apli_strides(source)[i] : step;
        step *= source->shape[i];
    }
    for (int i = 0; i < rank; i++) shape[i] = source->shape[axes[i]];
    if (!source->storage || source->type == APLI_BOOL || source->type == APLI_NESTED || source->count == 0) {
        /* too small, or of elements that a stride cannot address: a copy */
        APLI_AUTO AplArray *copy = NULL;
        TRY(apli_array_new((AplType)source->type, rank, shape, &copy));
        copy->weak = source->weak;
        if (swap && source->type == APLI_BOOL) {
            apli_bits_transpose(copy->data, source->data, source->shape[0], source->shape[1]);
            *result = apli_move(&copy);
            return APL_OK;
        }
        int64_t index[APLI_MAX_RANK] = {0};
        for (int64_t i = 0; i < source->count; i++) {
            int64_t from = 0;
            for (int axis = 0; axis < rank; axis++) from += index[axis] * strides[axes[axis]];
            apli_copy(copy, i, source, from, 1);
            for (int axis = rank - 1; axis >= 0 && ++index[axis] == shape[axis]; axis--) index[axis] = 0;
        }
        if (source->count == 0 && source->type == APLI_NESTED)
            TRY(apli_prototype(apli_items(source)[0], &apli_items(copy)[0]));
        *result = apli_move(&copy);
        return APL_OK;
    }
    int64_t turned[APLI_MAX_RANK];
    for (int i = 0; i < rank; i++) turned[i] = strides[axes[i]];
    if (in_order(rank, shape, turned)) return share(source, APLI_PLAIN, rank, shape, source->data, result);
    TRY(share(source, APLI_STRIDED, rank, shape, source->data, result));
    memcpy(apli_strides(*result), turned, (size_t)rank * sizeof *turned);
    return APL_OK;
}

AplErr apli_reshape_view(AplArray *array, int rank, const int64_t *shape, AplArray **result) {
    if (rank == array->rank && (rank == 0 || memcmp(shape, array->shape, (size_t)rank * sizeof *shape) == 0)) {
        *result = apli_array_retain(array);
        return APL_OK;
    }
    bool same_rows = rank && array->rank && shape[rank - 1] == apli_last_axis(array);
    if (array->form == APLI_FORM_PACKED && same_rows) return apli_view(array, 0, rank, shape, result);
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(array, &plain));
    return apli_view(plain, 0, rank, shape, result);
}
