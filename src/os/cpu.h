/* What the processor is and can do, as far as the operating system allows it. */
#ifndef APLI_OS_CPU_H
#define APLI_OS_CPU_H

#include <stdbool.h>
#include <stdint.h>

typedef enum AplCpuFeature {
#define X86_FEATURE(id, name, leaf, subleaf, register, bit, state) APLI_CPU_##id,
#define ARM_FEATURE(id, name, vector, bit) APLI_CPU_##id,
#include "os/cpu_feature.def"
    APLI_CPU_FEATURE_COUNT
} AplCpuFeature;

typedef struct AplCpu {
    char model[64];    /* "AMD EPYC 9965 192-Core Processor"; "unknown" when nothing says */
    uint64_t features; /* bit APLI_CPU_... is set when code may use it */
    int64_t level1_bytes, level2_bytes, level3_bytes; /* data caches of the first processor; 0 when unknown */
    int level3_sharers;                               /* processors that share the last one; at least 1 */
} AplCpu;

/* Asks the processor. It may take microseconds under a hypervisor: ask once and keep the answer. */
void apli_cpu_detect(AplCpu *cpu);
static inline bool apli_cpu_has(const AplCpu *cpu, AplCpuFeature feature) {
    return cpu->features >> feature & 1;
}
/* Linux's name of it: "avx512_vnni". */
const char *apli_cpu_feature_name(AplCpuFeature feature);

#endif
