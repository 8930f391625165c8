/* The speed of products with panels, on one thread and weights that stay in the second cache: GMAC/s for 1, 8 and 512 tokens, in
   processor time, so that other programs disturb it little. */
#include "isa/isa.h"
#include "prim/inner_product/panel_product.h"
#include "os/parallel.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double speed(AplArray *w, int64_t tokens, int64_t columns, int64_t rows) {
    float *x = malloc((size_t)(tokens * columns) * sizeof *x), *result = malloc((size_t)(tokens * rows) * sizeof *result);
    for (int64_t i = 0; i < tokens * columns; i++) x[i] = (float)(i * 7919 % 1000) / 500 - 1;
    double best = 0;
    for (int trial = 0; trial < 5; trial++) {
        int64_t runs = 0;
        double begin = thread_seconds(), now;
        do {
            for (int i = 0; i < (tokens == 1 ? 20 : 1); i++, runs++)
                if (apli_panel_product(x, tokens, w, result)) exit(1);
        } while ((now = thread_seconds()) - begin < 0.05);
        const double rate = (double)(runs * tokens * columns * rows) / (now - begin) * 1e-9;
        best = rate > best ? rate : best;
    }
    free(x);
    free(result);
    return best;
}

int main(void) {
    static const char *const names[] = {"q8_0", "q6_k", "q5_0", "q4_0", "q4_1", "q4_k", "q3_k", "q2_k", "tq2_0", "q1_0"};
    const int64_t columns = 2048, rows = 256;
    apli_parallel_set_threads(1);
    printf("%s: GMAC/s\n%-8s %8s %8s %8s\n", apli_kernels()->name, "", "1 token", "8", "512");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const AplPackedLayout *layout = apli_packed_layout_named(names[i]);
        AplStorage *storage;
        AplArray *w;
        if (!layout) continue;
        const size_t bytes = (size_t)(rows * apli_packed_row_bytes(layout, columns));
        if (apli_storage_new(bytes, APLI_PACKED, &storage)) return 1;
        for (size_t at = 0; at < bytes; at++) storage->bytes[at] = (uint8_t)(at * 2654435761u >> 8 & 0x3B); /* no NaN as f16 */
        if (apli_packed_new(layout, 2, (int64_t[]){rows, columns}, storage, storage->bytes, &w)) return 1;
        printf("%-8s %8.1f %8.1f %8.1f\n", names[i], speed(w, 1, columns, rows), speed(w, 8, columns, rows),
               speed(w, 512, columns, rows));
        apli_array_release(w);
        apli_storage_release(storage);
    }
    return 0;
}
