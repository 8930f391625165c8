/* Choosing the instruction set. */
#include "isa/isa.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TABLES = 3 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const AplKernels *tables[MOST_TABLES + 1];
static const AplKernels *chosen;
static char complaint[200];

static void choose(void) {
    int count = 0;
    tables[count++] = &apli_kernels_scalar;
#ifdef __x86_64__
    __builtin_cpu_init();
    /* every processor with these has the rest of x86-64-v3 */
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
        tables[count++] = &apli_kernels_avx2;
    if (count == 2 && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi") &&
        __builtin_cpu_supports("avx512bf16"))
        tables[count++] = &apli_kernels_avx512;
#endif
    chosen = tables[count - 1];
    const char *asked = getenv("APLACA_ISA");
    if (!asked || !*asked) return;
    for (int i = 0; i < count; i++) {
        if (strcmp(tables[i]->name, asked) != 0) continue;
        chosen = tables[i];
        return;
    }
    snprintf(complaint, sizeof complaint, "APLACA_ISA asks for \"%.40s\", this machine runs up to %s", asked, chosen->name);
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
