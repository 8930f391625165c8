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

/* Rounded rows are kept with x for the next product that has it as its left argument, as X+.×⍉V after X+.×⍉W,
   unless they take more bytes than this. Products in one loop (`project`, `gated`) share theirs without that. */
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

/* ---- the products ----------------------------------------------------------------------------------------------------- */

typedef struct Products {
    const AplKernels *kernels;
    int count; /* of those that have what follows */
    const AplPanels *panels[APLI_MOST_FACTORS];
    AplStorage *rounded[APLI_MOST_FACTORS];
    const AplQuantized *x[APLI_MOST_FACTORS];
    float *result[APLI_MOST_FACTORS];
    int64_t unit_panels, units[APLI_MOST_FACTORS]; /* of each factor */
    bool gated; /* a unit is one of both factors */
} Products;

static void multiply(const Products *products, int factor, int64_t first, int64_t count) {
    products->kernels->panel_product(products->panels[factor], products->x[factor], first, count, products->result[factor]);
}

/* Panels first..first+count-1 of a factor, and of the other one where they are gated. */
static void multiply_part(const Products *products, int factor, int64_t first, int64_t count) {
    multiply(products, factor, first, count);
    if (!products->gated) return;
    multiply(products, 1, first, count);
    const int64_t all = products->panels[0]->rows, row = first * APLI_PANEL_ROWS, end = row + count * APLI_PANEL_ROWS;
    const int64_t rows = (end < all ? end : all) - row;
    for (int64_t token = 0; token < products->x[0]->tokens; token++) {
        const int64_t at = token * all + row;
        products->kernels->gated(products->result[0] + at, products->result[1] + at, rows, products->result[1] + at);
    }
}

static void products_run(void *context, int64_t first, int64_t count, int thread) {
    (void)thread;
    const Products *products = context;
    /* of several tokens, what is gated should still be in the caches */
    const int64_t most = products->gated && products->x[0]->tokens > 1 ? 1 : count;
    int factor = 0;
    while (count > 0) {
        while (first >= products->units[factor]) first -= products->units[factor++];
        const int64_t left = products->units[factor] - first, few = count < most ? count : most, units = few < left ? few : left;
        const int64_t panel = first * products->unit_panels, panels = products->panels[factor]->count - panel;
        multiply_part(products, factor, panel, units * products->unit_panels < panels ? units * products->unit_panels : panels);
        first += units;
        count -= units;
    }
}

/* The rounded x of factor `i`, which may be that of one before it. */
static AplErr round_for(Products *products, int i, const float *x, int64_t tokens, AplStorage *keeper) {
    const AplRounding wanted = apli_rounding(&products->panels[i]->form, tokens);
    int before = 0;
    while (before < i && memcmp(&products->x[before]->rounding, &wanted, sizeof wanted) != 0) before++;
    if (before < i) {
        products->rounded[i] = products->rounded[before];
        products->rounded[i]->references++;
    } else {
        TRY(round_activations(x, tokens, keeper, products->panels[i], &products->rounded[i]));
    }
    products->count = i + 1;
    products->x[i] = &((const Rounded *)products->rounded[i]->bytes)->quantized;
    return APL_OK;
}

static void release_rounded(Products *products) {
    for (int i = 0; i < products->count; i++) apli_storage_release(products->rounded[i]);
}

/* A token's last units end where its threads wait for each other: pairs of panels, or one of so many bytes, which takes
   microseconds. */
enum { LONG_PANEL = 1 << 15 };

AplErr apli_panel_products(const float *x, int64_t tokens, AplStorage *keeper, const AplPanelFactor *factors, int count, bool gated) {
    __attribute__((cleanup(release_rounded))) Products products;
    products.kernels = apli_kernels();
    products.count = 0;
    products.gated = gated;
    double work = 0;
    int64_t pairs = 0, units = 0; /* of panels, which kernels take two by two */
    for (int i = 0; i < count; i++) {
        TRY(apli_panels_make(factors[i].w));
        const AplPanels *panels = products.panels[i] = apli_panels_of(factors[i].w);
        TRY(round_for(&products, i, x, tokens, keeper));
        products.result[i] = factors[i].result;
        work += (double)panels->rows * (double)panels->columns * (double)tokens;
        pairs += gated && i > 0 ? 0 : (panels->count + 1) / 2;
    }
    const bool serial = work < APLI_PRODUCT_SERIAL_WORK;
    const int threads = serial ? 1 : apli_parallel_threads();
    const int64_t unit_pairs = serial ? pairs : pairs / (threads * APLI_PRODUCT_UNITS);
    products.unit_panels = 2 * (unit_pairs > 0 ? unit_pairs : 1);
    if (!serial && tokens == 1) products.unit_panels = products.panels[0]->panel_bytes < LONG_PANEL ? 2 : 1;
    for (int i = 0; i < (gated ? 1 : count); i++) {
        products.units[i] = (products.panels[i]->count + products.unit_panels - 1) / products.unit_panels;
        units += products.units[i];
    }
    apli_parallel_small(units, threads, products_run, &products);
    return APL_OK;
}
