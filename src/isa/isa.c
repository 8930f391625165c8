/* Choosing the instruction set. */
#include "isa/isa.h"

#include "os/cpu.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TABLES = 5 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const AplKernels *tables[MOST_TABLES + 1];
static const AplKernels *chosen;
static char complaint[200];

/* `table`, which differs from `base` in its name and its products with panels. */
static const AplKernels *derive(AplKernels *table, const AplKernels *base, const char *name,
                                AplQuantizeTile *quantize_tile, AplPanelProduct *panel_product) {
    *table = *base;
    table->name = name;
    table->quantize_tile = quantize_tile;
    table->panel_product = panel_product;
    return table;
}

#if defined(__x86_64__)

static int add_vectors(int count) {
    static AplKernels avx_vnni, avx512_vnni;
    AplCpu cpu;
    apli_cpu_detect(&cpu);
    __builtin_cpu_init();
    /* every processor with these has the rest of x86-64-v3 */
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("bmi2")) return count;
    tables[count++] = &apli_kernels_avx2;
    if (apli_cpu_has(&cpu, APLI_CPU_AVX_VNNI))
        tables[count++] = derive(&avx_vnni, &apli_kernels_avx2, "avx_vnni", apli_quantize_tile_avx_vnni,
                                 apli_panel_product_avx_vnni);
    if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512vnni"))
        return count;
    tables[count++] = derive(&avx512_vnni, &apli_kernels_avx2, "avx512_vnni", apli_quantize_tile_avx512_vnni,
                             apli_panel_product_avx512_vnni);
    if (__builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vpopcntdq"))
        tables[count++] = &apli_kernels_avx512;
    return count;
}

#elif defined(__aarch64__)

static int add_vectors(int count) {
    static AplKernels dotprod;
    AplCpu cpu;
    apli_cpu_detect(&cpu);
    tables[count++] = &apli_kernels_neon;
    if (apli_cpu_has(&cpu, APLI_CPU_ASIMDDP))
        tables[count++] = derive(&dotprod, &apli_kernels_neon, "neon_dotprod", apli_quantize_tile_neon_dotprod,
                                 apli_panel_product_neon_dotprod);
    return count;
}

#else

static int add_vectors(int count) { return count; }

#endif

static void choose(void) {
    tables[0] = &apli_kernels_scalar;
    const int count = add_vectors(1);
    chosen = tables[count - 1];
    const char *asked = getenv("APLACA_ISA");
    if (!asked || !*asked) return;
    for (int i = 0; i < count; i++) {
        if (strcmp(tables[i]->name, asked) != 0) continue;
        chosen = tables[i];
        return;
    }
    int length = snprintf(complaint, sizeof complaint, "APLACA_ISA asks for \"%.40s\", this machine runs", asked);
    for (int i = 0; i < count; i++)
        length += snprintf(complaint + length, sizeof complaint - (size_t)length, "%s %s", i ? "," : "", tables[i]->name);
}

const AplKernels *apli_kernels(void) {
    pthread_once(&once, choose);
    return chosen;
}

const AplKernels *apli_kernels_at(int index) {
    pthread_once(&once, choose);
    return index >= 0 && index < MOST_TABLES ? tables[index] : NULL;
}

const char *apli_isa_complaint(void) {
    pthread_once(&once, choose);
    return *complaint ? complaint : NULL;
}
