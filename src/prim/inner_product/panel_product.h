/* X+.×⍉W for packed weights W, with the activations X rounded to 8 bits in groups of 16. */
#ifndef APLI_PRIM_PANEL_PRODUCT_H
#define APLI_PRIM_PANEL_PRODUCT_H

#include "array/array.h"
#include "elem/panel.h"

/* Of all matrix products: multiplications below which a second thread costs more than it helps, and into how many units of work
   for each thread the rows are cut: so many that no thread waits long for the last one's. */
enum { APLI_PRODUCT_SERIAL_WORK = 1 << 16, APLI_PRODUCT_UNITS = 32 };

/* Whether the weights, a PACKED matrix, have or may have panels. */
bool apli_panels_possible(const AplArray *w);
/* Makes the panels of a PACKED matrix, on the heap, and attaches them; nothing to do when it has some. WS FULL. */
AplErr apli_panels_make(AplArray *w);
/* Lays rows of `layout` out as panels at `to` (planned: their number and sizes), shared among threads. WS FULL. */
AplErr apli_panels_fill(const AplPanels *planned, const AplPackedLayout *layout, const uint8_t *rows, uint8_t *to);
/* A product among those of one x. w: PACKED (rows, columns), for which panels are possible (they are made at the first product);
   result: (tokens, rows) f32. */
typedef struct AplPanelFactor {
    AplArray *w;
    float *result;
} AplPanelFactor;
enum { APLI_MOST_FACTORS = 8 };

/* The products of x with 1 to APLI_MOST_FACTORS factors, in one loop. x: (tokens, columns) f32 rows. gated: of two factors with as
   many rows each, the second's result becomes what fused_kernels.h's AplGated makes of the first's, g, and of its own, u.
   prim/inner_product/panel_kernels.h says what is computed. keeper: the HEAP storage that x lies in, with which the rounded x is
   kept for the next product with it, or NULL. WS FULL. */
AplErr apli_panel_products(const float *x, int64_t tokens, AplStorage *keeper, const AplPanelFactor *factors, int count, bool gated);

#endif
