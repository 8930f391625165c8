/* The speed of products with panels. On one thread, weights in the second cache: GMAC/s for 1, 8 and 512 tokens, in processor
   time, so that other programs disturb it little. Then weights in memory, one token, 1 and 2 threads: GB/s of panels read beside
   the plain reading speed in the same moment (the fastest of many runs each). */
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
                if (apli_panel_products(x, tokens, NULL, &(AplPanelFactor){w, result}, 1, false)) exit(1);
        } while ((now = thread_seconds()) - begin < 0.05);
        const double rate = (double)(runs * tokens * columns * rows) / (now - begin) * 1e-9;
        best = rate > best ? rate : best;
    }
    free(x);
    free(result);
    return best;
}

static double wall_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static volatile int64_t sink;

typedef struct Reading {
    const int64_t *from;
    int64_t each;
} Reading;

static void read_unit(void *context, int64_t unit, int thread) {
    (void)thread;
    const Reading *reading = context;
    int64_t sums[16] = {0};
    for (int64_t i = unit * reading->each; i < (unit + 1) * reading->each; i += 16)
        for (int k = 0; k < 16; k++) sums[k] += reading->from[i + k];
    for (int k = 0; k < 16; k++) sink += sums[k];
}

/* GB/s of reading the panels and of the product with them. */
static void memory_speed(AplArray *w, int threads, double *product, double *plain) {
    static float x[1 << 14], result[1 << 17];
    apli_parallel_set_threads(threads);
    for (int i = 0; i < 1 << 14; i++) x[i] = (float)(i * 7919 % 1000) / 500 - 1;
    *product = *plain = 0;
    if (apli_panel_products(x, 1, NULL, &(AplPanelFactor){w, result}, 1, false)) exit(1);
    const AplPanels *panels = apli_panels_of(w);
    const double bytes = (double)(panels->count * panels->panel_bytes) * 1e-9;
    Reading reading = {(const int64_t *)panels->bytes, panels->count * panels->panel_bytes / 8 / 64 / 16 * 16};
    for (int run = 0; run < 40; run++) {
        double begin = wall_seconds();
        if (apli_panel_products(x, 1, NULL, &(AplPanelFactor){w, result}, 1, false)) exit(1);
        double now = wall_seconds();
        if (bytes / (now - begin) > *product) *product = bytes / (now - begin);
        begin = wall_seconds();
        apli_parallel(64, threads, read_unit, &reading);
        now = wall_seconds();
        if (bytes / (now - begin) > *plain) *plain = bytes / (now - begin);
    }
}

static AplArray *weights(const AplPackedLayout *layout, int64_t rows, int64_t columns) {
    const size_t bytes = (size_t)(rows * apli_packed_row_bytes(layout, columns));
    AplStorage *storage;
    AplArray *w;
    if (apli_storage_new(bytes, APLI_PACKED, &storage)) exit(1);
    for (size_t at = 0; at < bytes; at++) storage->bytes[at] = (uint8_t)(at * 2654435761u >> 8 & 0x3B); /* no NaN as f16 */
    if (apli_packed_new(layout, 2, (int64_t[]){rows, columns}, storage, storage->bytes, &w)) exit(1);
    apli_storage_release(storage);
    return w;
}

int main(void) {
    static const char *const names[] = {"q8_0", "q6_k", "q5_0", "q4_0", "q4_1", "q4_k", "q3_k", "q2_k", "tq2_0", "q1_0"};
    const int64_t columns = 2048, rows = 256;
    apli_parallel_set_threads(1);
    printf("%s: GMAC/s\n%-8s %8s %8s %8s\n", apli_kernels()->name, "", "1 token", "8", "512");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const AplPackedLayout *layout = apli_packed_layout_named(names[i]);
        if (!layout) continue;
        AplArray *w = weights(layout, rows, columns);
        printf("%-8s %8.1f %8.1f %8.1f\n", names[i], speed(w, 1, columns, rows), speed(w, 8, columns, rows),
               speed(w, 512, columns, rows));
        apli_array_release(w);
    }
    printf("GB/s of weights in memory, and of plain reading\n%-8s %16s %16s\n", "", "1 thread", "2 threads");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const AplPackedLayout *layout = apli_packed_layout_named(names[i]);
        AplArray *w = weights(layout, (int64_t)1 << 17, columns);
        printf("%-8s", names[i]);
        for (int threads = 1; threads <= 2; threads++) {
            double product, plain;
            memory_speed(w, threads, &product, &plain);
            printf(" %7.1f %7.1f ", product, plain);
        }
        puts("");
        apli_array_release(w);
    }
    return 0;
}
