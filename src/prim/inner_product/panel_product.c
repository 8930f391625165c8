/* Making panels, quantizing activations, and sharing the panels among threads. */
#include "prim/inner_product/panel_product.h"

#include "isa/isa.h"
#include "os/parallel.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool apli_panels_possible(const AplArray *w) {
    AplPanels planned;
    if (w->form != APLI_FORM_PACKED || w->rank != 2) return false;
    return apli_panels_of(w) || apli_panels_plan(w->layout, w->shape[0], w->shape[1], &planned);
}

/* ---- making --------------------------------------------------------------------------------------------------------- */

typedef struct Filling {
    const AplPanels *planned;
    const AplPackedLayout *layout;
    const uint8_t *rows;
    uint8_t *to;
    float *scratch;
} Filling;

static void fill_unit(void *context, int64_t panel, int thread) {
    const Filling *filling = context;
    apli_panel_pack(filling->planned, filling->layout, filling->rows, panel,
                    filling->scratch + thread * filling->planned->columns * APLI_PANEL_ROWS,
                    filling->to + panel * filling->planned->panel_bytes);
}

AplErr apli_panels_fill(const AplPanels *planned, const AplPackedLayout *layout, const uint8_t *rows, uint8_t *to) {
    const int threads = apli_parallel_threads();
    Filling filling = {planned, layout, rows, to,
                       calloc((size_t)threads * APLI_PANEL_ROWS, (size_t)planned->columns * sizeof(float))};
    FAIL_IF(!filling.scratch, APL_WS_FULL, "no memory to unpack rows of %" PRId64 " weights", planned->columns);
    apli_parallel(planned->count, threads, fill_unit, &filling);
    free(filling.scratch);
    return APL_OK;
}

static void release_storage(void *storage) { apli_storage_release(storage); }

AplErr apli_panels_make(AplArray *w) {
    AplPanels panels;
    AplStorage *storage;
    if (apli_panels_of(w) || !apli_panels_plan(w->layout, w->shape[0], w->shape[1], &panels)) return APL_OK;
    TRY(apli_storage_new((size_t)(panels.count * panels.panel_bytes), APLI_I8, &storage));
    panels.bytes = storage->bytes;
    panels.release = release_storage;
    panels.owner = storage;
    AplErr error = apli_panels_fill(&panels, w->layout, w->data, storage->bytes);
    if (!error) error = apli_attach_panels(w, &panels);
    if (error) apli_storage_release(storage);
    return error;
}

/* ---- rounding --------------------------------------------------------------------------------------------------------- */

/* Rounded rows of activations; the arrays follow in the same storage. */
typedef struct Rounded {
    AplQuantized quantized;
    const float *x;
    int64_t columns;
} Rounded;

/* Rounded rows are kept with x where several products want them (queries, keys and values; the two halves of a gate), unless they
   take more bytes than this. */
enum { MOST_KEPT = 8 << 20 };

static void round_unit(void *context, int64_t unit, int thread) {
    (void)thread;
    const Rounded *rounded = context;
    const AplQuantized *q = &rounded->quantized;
    const int64_t end = (unit + 1) * APLI_MOST_TILE < q->tokens ? (unit + 1) * APLI_MOST_TILE : q->tokens;
    for (int64_t token = unit * APLI_MOST_TILE; token < end;) {
        const int n = apli_tile_tokens(q->tokens - token);
        apli_kernels()->quantize_tile(rounded->x, rounded->columns, token, n, q);
        token += n;
    }
}

/* The storage begins with a Rounded, of which everything but the arrays is set. */
static AplErr rounded_new(const Rounded *like, AplStorage **room) {
    const size_t head = (sizeof *like + 63) / 64 * 64;
    TRY(apli_storage_new(head + apli_quantized_bytes(&like->quantized), APLI_I8, room));
    Rounded *rounded = (Rounded *)(*room)->bytes;
    *rounded = *like;
    apli_quantized_place(&rounded->quantized, (*room)->bytes + head);
    return APL_OK;
}

static bool same_rounding(const Rounded *a, const Rounded *b) {
    return a->x == b->x && a->columns == b->columns && a->quantized.tokens == b->quantized.tokens &&
           memcmp(&a->quantized.rounding, &b->quantized.rounding, sizeof(AplRounding)) == 0;
}

/* x rounded as these panels want it: what is kept, or made now. *result gets a reference. */
static AplErr round_activations(const float *x, int64_t tokens, AplStorage *keeper, const AplPanels *panels, AplStorage **result) {
    const Rounded wanted = {.quantized = {.tokens = tokens, .chunks = panels->chunks, .rounding = apli_rounding(&panels->form, tokens)},
                            .x = x, .columns = panels->columns};
    if (keeper && keeper->rounded && same_rounding((const Rounded *)keeper->rounded->bytes, &wanted)) {
        *result = keeper->rounded;
        (*result)->references++;
        return APL_OK;
    }
    TRY(rounded_new(&wanted, result));
    const int threads = tokens * panels->columns < APLI_PRODUCT_SERIAL_WORK ? 1 : apli_parallel_threads();
    apli_parallel((tokens + APLI_MOST_TILE - 1) / APLI_MOST_TILE, threads, round_unit, (*result)->bytes);
    if (keeper && (*result)->size <= MOST_KEPT) apli_keep_rounded(keeper, *result);
    return APL_OK;
}

/* ---- the product ------------------------------------------------------------------------------------------------------ */

typedef struct Product {
    const AplKernels *kernels;
    const AplPanels *panels;
    const AplQuantized *x;
    int64_t unit_panels;
    float *result;
} Product;

static void product_unit(void *context, int64_t unit, int thread) {
    (void)thread;
    const Product *product = context;
    const int64_t first = unit * product->unit_panels, left = product->panels->count - first;
    product->kernels->panel_product(product->panels, product->x, first, left < product->unit_panels ? left : product->unit_panels,
                                    product->result);
}

AplErr apli_panel_product(const float *x, int64_t tokens, AplStorage *keeper, AplArray *w, float *result) {
    TRY(apli_panels_make(w));
    const AplPanels *panels = apli_panels_of(w);
    AplStorage *rounded;
    TRY(round_activations(x, tokens, keeper, panels, &rounded));
    const bool serial = (double)panels->rows * (double)panels->columns * (double)tokens < APLI_PRODUCT_SERIAL_WORK;
    const int threads = serial ? 1 : apli_parallel_threads();
    const int64_t pairs = (panels->count + 1) / 2, unit_pairs = serial ? pairs : pairs / (threads * APLI_PRODUCT_UNITS);
    Product product = {apli_kernels(), panels, &((const Rounded *)rounded->bytes)->quantized,
                       2 * (unit_pairs > 0 ? unit_pairs : 1), result};
    apli_parallel((panels->count + product.unit_panels - 1) / product.unit_panels, threads, product_unit, &product);
    apli_storage_release(rounded);
    return APL_OK;
}
