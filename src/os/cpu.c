/* What the processor is and can do. x86 is asked by CPUID, and XGETBV says which registers the operating
   system saves; AArch64 tells through the auxiliary vector. The model's name is /proc/cpuinfo's. */
#include "os/cpu.h"

#include <stdio.h>
#include <string.h>

static const char *const feature_names[] = {
#define X86_FEATURE(id, name, leaf, subleaf, register, bit, state) name,
#define ARM_FEATURE(id, name, vector, bit) name,
#include "os/cpu_feature.def"
};

const char *apli_cpu_feature_name(AplCpuFeature feature) {
    return feature_names[feature];
}

#if defined(__x86_64__)
#include <cpuid.h>

/* Bits of XCR0 that must be set: SSE 1, AVX 2, AVX-512 5 to 7, AMX 17 and 18. */
enum { STATE_SSE = 0, STATE_AVX = 0x6, STATE_AVX512 = 0xE6, STATE_AMX = 0x60006 };
enum { EAX, EBX, ECX, EDX };

static uint64_t saved_state(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) return 0; /* OSXSAVE */
    __asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
    return (uint64_t)d << 32 | a;
}

static bool feature_bit(unsigned leaf, unsigned subleaf, int which, int bit) {
    unsigned value[4];
    if (!__get_cpuid_count(leaf, 0, &value[EAX], &value[EBX], &value[ECX], &value[EDX])) return false;
    if (leaf == 7 && subleaf > value[EAX]) return false; /* EAX of subleaf 0 is the last one */
    __get_cpuid_count(leaf, subleaf, &value[EAX], &value[EBX], &value[ECX], &value[EDX]);
    return value[which] >> bit & 1;
}

static uint64_t detect_features(void) {
    uint64_t features = 0, saved = saved_state();
#define X86_FEATURE(id, name, leaf, subleaf, register, bit, state) \
    if ((saved & STATE_##state) == STATE_##state && feature_bit(leaf, subleaf, register, bit)) \
        features |= UINT64_C(1) << APLI_CPU_##id;
#include "os/cpu_feature.def"
    return features;
}

#elif defined(__aarch64__)
#include <sys/auxv.h>

static uint64_t detect_features(void) {
    uint64_t features = 0;
#define ARM_FEATURE(id, name, vector, bit) \
    if (getauxval(AT_##vector) >> bit & 1) features |= UINT64_C(1) << APLI_CPU_##id;
#include "os/cpu_feature.def"
    return features;
}

#else

static uint64_t detect_features(void) {
    return 0;
}

#endif

/* The first "model name : X" of /proc/cpuinfo. */
static void read_model(char *model, size_t capacity) {
    snprintf(model, capacity, "unknown");
    FILE *file = fopen("/proc/cpuinfo", "re");
    if (!file) return;
    char line[4096];
    while (fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        char *name = colon + 1 + strspn(colon + 1, " \t");
        name[strcspn(name, "\n")] = 0;
        snprintf(model, capacity, "%.*s", (int)capacity - 1, name);
        break;
    }
    fclose(file);
}

/* The text of a file that describes a cache of the first processor: "32768K", "00000000,000000ff". */
static bool read_cache_text(int index, const char *name, char *text, int capacity) {
    char path[96];
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/%s", index, name);
    FILE *file = fopen(path, "re");
    if (!file) return false;
    bool found = fgets(text, capacity, file) != NULL;
    fclose(file);
    return found;
}

/* The kernel's description is preferred to the C library's, which takes a whole socket's last cache for one.
 */
static void read_caches(AplCpu *cpu) {
    int64_t *const bytes[] = {&cpu->level1_bytes, &cpu->level2_bytes, &cpu->level3_bytes};
    cpu->level3_sharers = 1;
    for (int index = 0; index < 8; index++) {
        char type[32], text[512];
        int level;
        long long kilobytes;
        if (!read_cache_text(index, "type", type, sizeof type) || type[0] == 'I') continue; /* Instruction */
        if (!read_cache_text(index, "level", text, sizeof text) || sscanf(text, "%d", &level) != 1) continue;
        if (level < 1 || level > 3 || !read_cache_text(index, "size", text, sizeof text)) continue;
        if (sscanf(text, "%lldK", &kilobytes) != 1) continue;
        *bytes[level - 1] = kilobytes * 1024;
        if (level < 3 || !read_cache_text(index, "shared_cpu_map", text, sizeof text)) continue;
        int sharers = 0;
        for (const char *digit = text; *digit; digit++) {
            unsigned value;
            if (*digit != ',' && sscanf(digit, "%1x", &value) == 1) sharers += __builtin_popcount(value);
        }
        if (sharers > 0) cpu->level3_sharers = sharers;
    }
}

void apli_cpu_detect(AplCpu *cpu) {
    *cpu = (AplCpu){0};
    read_model(cpu->model, sizeof cpu->model);
    cpu->features = detect_features();
    read_caches(cpu);
}
