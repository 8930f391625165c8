/* Cores, kinds of cores and memory nodes, from sysfs. (Linux, Documentation/ABI/testing/sysfs-devices-system-cpu, -node) */
#include "os/topology.h"

#include "os/limits.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Processor {
    int number, core, node; /* core: the lowest number of those that share it */
    int sibling; /* how many of the core's processors stand before it */
    int rank;    /* how many like it of the same node stand before it */
    long speed;  /* 0: unknown */
    bool efficiency, slow;
} Processor;

static void add(AplProcessorSet *set, int number) { set->bits[number / 64] |= UINT64_C(1) << number % 64; }
static bool has(const AplProcessorSet *set, int number) { return set->bits[number / 64] >> number % 64 & 1; }

bool apli_processor_list(const char *text, AplProcessorSet *set) {
    *set = (AplProcessorSet){0};
    for (const char *at = text;;) {
        char *end;
        const long first = strtol(at, &end, 10);
        long last = first;
        if (end == at || first < 0) break;
        if (*end == '-') {
            at = end + 1;
            last = strtol(at, &end, 10);
            if (end == at) break;
        }
        if (last < first || last >= APLI_MOST_PROCESSORS) break;
        for (long i = first; i <= last; i++) add(set, (int)i);
        if (*end == 0 || *end == '\n') return true;
        if (*end != ',') break;
        at = end + 1;
    }
    *set = (AplProcessorSet){0};
    return false;
}

/* The first line of root/sys/devices/... */
static bool read_text(char *text, int capacity, const char *root, const char *format, int number) {
    char path[PATH_MAX], name[128];
    snprintf(name, sizeof name, format, number);
    if (snprintf(path, sizeof path, "%s/sys/devices/%s", root, name) >= (int)sizeof path) return false;
    FILE *file = fopen(path, "re");
    if (!file) return false;
    const bool found = fgets(text, capacity, file) != NULL;
    fclose(file);
    return found;
}

static bool read_list(AplProcessorSet *set, const char *root, const char *format, int number) {
    char text[4096];
    *set = (AplProcessorSet){0};
    return read_text(text, sizeof text, root, format, number) && apli_processor_list(text, set);
}

static long read_number(const char *root, const char *format, int number) {
    char text[64];
    return read_text(text, sizeof text, root, format, number) ? strtol(text, NULL, 10) : 0;
}

static int lowest(const AplProcessorSet *set, int otherwise) {
    for (int i = 0; i < APLI_MOST_PROCESSORS; i++)
        if (has(set, i)) return i;
    return otherwise;
}

/* Capacities compare kinds of cores; clock rates, where there are none, at least say which are much slower. */
static void read_speeds(const char *root, Processor *processors, int count) {
    static const char *const files[] = {"system/cpu/cpu%d/cpu_capacity", "system/cpu/cpu%d/cpufreq/cpuinfo_max_freq"};
    bool all = false;
    for (int f = 0; f < 2 && !all; f++) {
        all = true;
        for (int i = 0; i < count; i++) {
            processors[i].speed = read_number(root, files[f], processors[i].number);
            all &= processors[i].speed > 0;
        }
    }
    long fastest = 0;
    for (int i = 0; i < count; i++) fastest = processors[i].speed > fastest ? processors[i].speed : fastest;
    AplProcessorSet atom;
    const bool told = read_list(&atom, root, "cpu_atom/cpus", 0);
    for (int i = 0; i < count && all; i++) processors[i].slow = processors[i].speed * 2 < fastest;
    for (int i = 0; i < count; i++) /* boost clocks of one kind differ by some percent */
        processors[i].efficiency = told ? has(&atom, processors[i].number) : all && processors[i].speed * 5 < fastest * 4;
}

static void read_nodes(const char *root, Processor *processors, int count) {
    AplProcessorSet online, node;
    if (!read_list(&online, root, "system/node/online", 0)) return;
    for (int n = 0; n < APLI_MOST_NODES; n++) {
        if (!has(&online, n) || !read_list(&node, root, "system/node/node%d/cpulist", n)) continue;
        for (int i = 0; i < count; i++)
            if (has(&node, processors[i].number)) processors[i].node = n;
    }
}

static int by_place(const void *a, const void *b) {
    const Processor *x = a, *y = b;
    if (x->sibling != y->sibling) return x->sibling - y->sibling;
    if (x->slow != y->slow) return x->slow - y->slow;
    if (x->efficiency != y->efficiency) return x->efficiency - y->efficiency;
    if (x->rank != y->rank) return x->rank - y->rank;
    return x->node != y->node ? x->node - y->node : x->number - y->number;
}

/* Who stands before whom, in the order of their numbers. */
static void rank(Processor *processors, int count) {
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++) {
            const Processor *before = &processors[j];
            Processor *self = &processors[i];
            self->sibling += before->core == self->core;
        }
    for (int i = 0; i < count; i++)
        for (int j = 0; j < i; j++)
            processors[i].rank += processors[j].node == processors[i].node && processors[j].sibling == processors[i].sibling &&
                                  processors[j].slow == processors[i].slow &&
                                  processors[j].efficiency == processors[i].efficiency;
}

static void count_cores(const Processor *processors, int count, AplTopology *topology) {
    for (int i = 0; i < count; i++) {
        const Processor *processor = &processors[i];
        if (processor->sibling) continue;
        topology->cores++;
        topology->left_out += processor->slow;
        topology->efficiency += processor->efficiency;
        if (!processor->slow) topology->node_bits[processor->node / 64] |= UINT64_C(1) << processor->node % 64;
    }
    for (int i = 0; i < APLI_MOST_NODES / 64; i++) topology->nodes += __builtin_popcountll(topology->node_bits[i]);
}

static int default_threads(const AplTopology *topology) {
    int threads = topology->cores - topology->left_out;
    if (topology->quota > 0 && topology->quota < threads) threads = (int)(topology->quota + 0.5);
    return threads < 1 ? 1 : threads > APLI_MOST_THREADS ? APLI_MOST_THREADS : threads;
}

void apli_topology_read(const char *root, const AplProcessorSet *allowed, double quota, AplTopology *topology) {
    int count = 0;
    *topology = (AplTopology){.processors = 1, .cores = 1, .quota = quota, .threads = 1, .nodes = 1, .node_bits = {1}};
    for (int i = 0; i < APLI_MOST_PROCESSORS; i++) count += has(allowed, i);
    Processor *processors = calloc((size_t)count + 1, sizeof *processors);
    if (!processors || count == 0) {
        free(processors);
        return;
    }
    *topology = (AplTopology){.processors = count, .quota = quota};
    for (int i = 0, n = 0; n < count; i++) {
        AplProcessorSet core;
        if (!has(allowed, i)) continue;
        if (!read_list(&core, root, "system/cpu/cpu%d/topology/core_cpus_list", i))
            read_list(&core, root, "system/cpu/cpu%d/topology/thread_siblings_list", i);
        processors[n++] = (Processor){.number = i, .core = lowest(&core, i)};
    }
    read_speeds(root, processors, count);
    read_nodes(root, processors, count);
    rank(processors, count);
    count_cores(processors, count, topology);
    topology->threads = default_threads(topology);
    qsort(processors, (size_t)count, sizeof *processors, by_place);
    topology->place_count = count < APLI_MOST_THREADS ? count : APLI_MOST_THREADS;
    for (int i = 0; i < topology->place_count; i++) topology->places[i] = processors[i].number;
    free(processors);
}

void apli_topology_detect(AplTopology *topology) {
    AplProcessorSet allowed = {0};
    AplLimits limits;
    apli_process_limits("", &limits);
    if (sched_getaffinity(0, sizeof allowed, (cpu_set_t *)allowed.bits) != 0) {
        const long online = sysconf(_SC_NPROCESSORS_ONLN);
        for (int i = 0; i < (online > 0 ? online : 1) && i < APLI_MOST_PROCESSORS; i++) add(&allowed, i);
    }
    apli_topology_read("", &allowed, limits.processors, topology);
}
