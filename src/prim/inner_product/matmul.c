/* X+.×⍉W on raw buffers: checks, conversion, and sharing the rows among threads. */
#include "prim/inner_product/matmul.h"

#include "elem/packed.h"
#include "isa/isa.h"
#include "os/parallel.h"
#include "os/parallel_ranges.h"
#include "prim/inner_product/panel_product.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* X with rows of `stride` floats, zero from columns on; the argument itself where that is its form. */
static AplErr pad_columns(AplArray *x, int64_t columns, int64_t stride, AplArray **result) {
    if (columns == stride) {
        *result = apli_array_retain(x);
        return APL_OK;
    }
    const int64_t shape[] = {columns ? x->count / columns : 0, stride};
    TRY(apli_array_new(APLI_F32, 2, shape, result));
    float *to = (float *)(*result)->data;
    const float *from = (const float *)x->data;
    for (int64_t row = 0; row < shape[0]; row++, to += stride, from += columns) {
        memcpy(to, from, (size_t)columns * sizeof *to);
        memset(to + columns, 0, (size_t)(stride - columns) * sizeof *to);
    }
    return APL_OK;
}

/* The weights as the kernels take them: f32, f16, bf16 or packed, rows one after another. */
static AplErr plain_weights(AplArray *w, AplArray **result) {
    APLI_AUTO AplArray *plain = NULL;
    if (w->form == APLI_FORM_PACKED) {
        *result = apli_array_retain(w);
        return APL_OK;
    }
    TRY(apli_plain(w, &plain));
    if (plain->type == APLI_F16 || plain->type == APLI_BF16) {
        *result = apli_move(&plain);
        return APL_OK;
    }
    return apli_convert(plain, APLI_F32, result);
}

typedef struct Shared {
    const AplMatmul *matmul;
    const AplKernels *kernels;
    int64_t unit_rows;
    float *scratch;
    size_t scratch_floats; /* of each thread */
} Shared;

static void run_unit(void *context, int64_t unit, int thread) {
    const Shared *shared = context;
    const int64_t first = unit * shared->unit_rows, left = shared->matmul->rows - first;
    shared->kernels->matmul_rows(shared->matmul, first, left < shared->unit_rows ? left : shared->unit_rows,
                                 shared->scratch + (size_t)thread * shared->scratch_floats);
}

static AplErr run(const AplMatmul *matmul, const AplKernels *kernels) {
    const int64_t blocks = (matmul->rows + APLI_MATMUL_ROW_BLOCK - 1) / APLI_MATMUL_ROW_BLOCK;
    const bool serial = (double)matmul->rows * (double)matmul->stride * (double)matmul->tokens < APLI_PRODUCT_SERIAL_WORK;
    const int threads = serial ? 1 : apli_parallel_threads();
    /* whole blocks, some of them for each unit of work */
    const int64_t unit_blocks = blocks / (threads * APLI_PRODUCT_UNITS) > 0 ? blocks / (threads * APLI_PRODUCT_UNITS) : 1;
    Shared shared = {.matmul = matmul, .kernels = kernels, .unit_rows = unit_blocks * APLI_MATMUL_ROW_BLOCK,
                     /* a cache line apart */
                     .scratch_floats = (size_t)(APLI_MATMUL_ROW_BLOCK * matmul->stride) + APLI_MATMUL_LANES};
    shared.scratch = aligned_alloc(APLI_ALIGNMENT, (size_t)threads * shared.scratch_floats * sizeof *shared.scratch);
    FAIL_IF(!shared.scratch, APL_WS_FULL, "no memory to unpack %d rows of %" PRId64 " numbers for each of %d threads",
            APLI_MATMUL_ROW_BLOCK, matmul->columns, threads);
    apli_parallel((blocks + unit_blocks - 1) / unit_blocks, threads, run_unit, &shared);
    free(shared.scratch);
    return APL_OK;
}

/* The result: x's shape with rows for its last axis. */
static AplErr new_product(const AplArray *x, int64_t rows, AplArray **product) {
    int64_t shape[APLI_MAX_RANK];
    memcpy(shape, x->shape, (size_t)x->rank * sizeof *shape);
    shape[x->rank - 1] = rows;
    return apli_array_new(APLI_F32, x->rank, shape, product);
}

AplErr apli_matmul_transposed(AplArray *x, AplArray *w, bool rounded, AplArray **result) {
    FAIL_IF(x->rank < 1, APL_RANK, "the left argument of a matrix product is a scalar");
    FAIL_IF(w->rank != 2, APL_RANK, "the weights of a matrix product have rank %d, not 2", w->rank);
    const int64_t columns = w->shape[1], rows = w->shape[0];
    FAIL_IF(apli_last_axis(x) != columns, APL_LENGTH, "last axis of ⍺ is %" PRId64 ", first axis of ⍵ is %" PRId64,
            apli_last_axis(x), columns);
    APLI_AUTO AplArray *plain = NULL, *numbers = NULL, *padded = NULL, *weights = NULL, *product = NULL;
    const int64_t stride = (columns + APLI_MATMUL_LANES - 1) / APLI_MATMUL_LANES * APLI_MATMUL_LANES;
    TRY(apli_plain(x, &plain));
    TRY(apli_convert(plain, APLI_F32, &numbers));
    TRY(new_product(x, rows, &product));
    const int64_t tokens = apli_product(x->shape, x->rank - 1);
    if (rounded && product->count && apli_panels_possible(w)) {
        AplStorage *keeper = numbers->storage && numbers->storage->place == APLI_HEAP ? numbers->storage : NULL;
        const AplPanelFactor factor = {w, (float *)product->data};
        TRY(apli_panel_products((const float *)numbers->data, tokens, keeper, &factor, 1, false));
        *result = apli_move(&product);
        return APL_OK;
    }
    TRY(pad_columns(numbers, columns, stride, &padded));
    TRY(plain_weights(w, &weights));
    const AplKernels *kernels = apli_kernels();
    const AplType type = (AplType)weights->type;
    const AplMatmul matmul = {
        .x = (const float *)padded->data,
        .tokens = tokens,
        .columns = columns,
        .stride = stride,
        .type = type,
        .layout = weights->layout,
        .unpack = type == APLI_PACKED ? kernels->unpack[weights->layout->codec] : NULL,
        .w = weights->data,
        .row_bytes = type == APLI_PACKED ? apli_packed_row_bytes(weights->layout, columns)
                                         : (int64_t)apli_type_bytes(type, columns),
        .result = (float *)product->data,
        .rows = rows,
    };
    if (columns == 0) memset(product->data, 0, (size_t)product->count * sizeof(float));
    else if (product->count) TRY(run(&matmul, kernels));
    *result = apli_move(&product);
    return APL_OK;
}

/* ---- several products of one x --------------------------------------------------------------------------------------- */

bool apli_matmul_takes(const AplArray *x, AplArray *const *weights, int count) {
    if (x->type != APLI_F32 || x->form != APLI_PLAIN || x->rank < 1 || x->count == 0 || count > APLI_MOST_FACTORS) return false;
    for (int i = 0; i < count; i++) {
        const AplArray *w = weights[i];
        const bool narrow = w->type == APLI_PACKED || w->type == APLI_F32 || w->type == APLI_F16 || w->type == APLI_BF16;
        if (!narrow || w->rank != 2 || w->form == APLI_TURNED || w->count == 0 || w->shape[1] != apli_last_axis(x)) return false;
    }
    return true;
}

typedef struct Gate {
    const float *g;
    float *u;
} Gate;

static void gate_range(void *context, int64_t begin, int64_t end) {
    const Gate *gate = context;
    apli_kernels()->gated(gate->g + begin, gate->u + begin, end - begin, gate->u + begin);
}

static AplErr one_by_one(AplArray *x, AplArray *const *weights, int count, bool rounded, bool gated, AplArray **results) {
    for (int i = 0; i < count; i++) TRY(apli_matmul_transposed(x, weights[i], rounded, &results[i]));
    if (gated)
        apli_parallel_ranges(results[1]->count, 1, gate_range,
                             &(Gate){(const float *)results[0]->data, (float *)results[1]->data});
    return APL_OK;
}

AplErr apli_matmul_each(AplArray *x, AplArray *const *weights, int count, bool rounded, bool gated, AplArray **results) {
    AplPanelFactor factors[APLI_MOST_FACTORS];
    bool together = rounded;
    for (int i = 0; i < count; i++) together = together && apli_panels_possible(weights[i]);
    if (!together) return one_by_one(x, weights, count, rounded, gated, results);
    for (int i = 0; i < count; i++) {
        TRY(new_product(x, weights[i]->shape[0], &results[i]));
        factors[i] = (AplPanelFactor){weights[i], (float *)results[i]->data};
    }
    return apli_panel_products((const float *)x->data, x->count / apli_last_axis(x), NULL, factors, count, gated);
}
