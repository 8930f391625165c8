/* What this process may use of the machine. A control group's limit holds for all groups below it, so every
   directory from the process's own up to the mount point is read. (Linux,
   Documentation/admin-guide/cgroup-v2.rst, Documentation/scheduler/sched-bwc.rst) */
#include "os/limits.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first line of root/path/name into line. */
static bool read_line(const char *root, const char *path, const char *name, char *line, int capacity) {
    char file_name[PATH_MAX];
    int length = snprintf(file_name, sizeof file_name, "%s%s/%s", root, path, name);
    if (length < 0 || length >= (int)sizeof file_name) return false;
    FILE *file = fopen(file_name, "re");
    if (!file) return false;
    bool found = fgets(line, capacity, file) != NULL;
    fclose(file);
    return found;
}

static void limit_processors(AplLimits *limits, long long quota, long long period) {
    if (quota <= 0 || period <= 0) return; /* version 1 says -1 for no limit */
    const double processors = (double)quota / (double)period;
    if (limits->processors == 0 || processors < limits->processors) limits->processors = processors;
}

static void limit_memory(AplLimits *limits, long long bytes) {
    if (bytes <= 0 || bytes >= LLONG_MAX / 2) return; /* version 1 says almost 2 to the 63rd for no limit */
    if (limits->memory_bytes == 0 || bytes < limits->memory_bytes) limits->memory_bytes = bytes;
}

/* Tightens the limits by those of one group. */
static void tighten(const char *root, const char *group, AplLimits *limits) {
    char line[128];
    long long first, second;
    if (read_line(root, group, "cpu.max", line, sizeof line) && sscanf(line, "%lld %lld", &first, &second) == 2)
        limit_processors(limits, first, second);
    if (read_line(root, group, "cpu.cfs_quota_us", line, sizeof line) && sscanf(line, "%lld", &first) == 1 &&
        read_line(root, group, "cpu.cfs_period_us", line, sizeof line) && sscanf(line, "%lld", &second) == 1)
        limit_processors(limits, first, second);
    static const char *const memory[] = {"memory.max", "memory.limit_in_bytes"};
    for (int i = 0; i < 2; i++)
        if (read_line(root, group, memory[i], line, sizeof line) && sscanf(line, "%lld", &first) == 1) limit_memory(limits, first);
}

/* Tightens the limits by those of the group `path` and of all above it. */
static void tighten_path(const char *root, const char *path, AplLimits *limits) {
    char group[PATH_MAX];
    if (snprintf(group, sizeof group, "%s", path) >= (int)sizeof group) return;
    for (;;) {
        size_t length = strlen(group);
        while (length && group[length - 1] == '/') group[--length] = 0;
        tighten(root, group, limits);
        char *slash = strrchr(group, '/');
        if (!slash) return;
        *slash = 0;
    }
}

void apli_group_limits(const char *root, const char *path, AplLimits *limits) {
    *limits = (AplLimits){0};
    tighten_path(root, path, limits);
}

/* Whether a list of words between commas has this one. */
static bool lists_word(const char *list, const char *word) {
    const size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += length)
        if ((at == list || at[-1] == ',') && (at[length] == 0 || at[length] == ',')) return true;
    return false;
}

/* Tightens the limits by those of the process's group `path` of the hierarchy with this controller, "" for version 2, wherever it is
   mounted. A mount may show a part of the hierarchy only, as in containers: its root is then the group at the mount point, and a
   path outside of it cannot be seen. (proc_pid_mountinfo(5)) */
static void tighten_hierarchy(const char *root, const char *controller, const char *path, AplLimits *limits) {
    char name[PATH_MAX], line[2 * PATH_MAX], top[PATH_MAX], point[PATH_MAX], type[32], options[512];
    snprintf(name, sizeof name, "%s/proc/self/mountinfo", root);
    FILE *file = fopen(name, "re");
    while (file && fgets(line, sizeof line, file)) {
        const char *rest = strstr(line, " - ");
        if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s", top, point) != 2 ||
            sscanf(rest, " - %31s %*s %511s", type, options) != 2)
            continue;
        if (*controller ? strcmp(type, "cgroup") != 0 || !lists_word(options, controller) : strcmp(type, "cgroup2") != 0) continue;
        const size_t length = strcmp(top, "/") == 0 ? 0 : strlen(top);
        const bool inside = strncmp(path, top, length) == 0 && (path[length] == '/' || path[length] == 0) && !strstr(path, "/..");
        if (snprintf(name, sizeof name, "%s%s", root, point) < (int)sizeof name)
            tighten_path(name, inside ? path + length : "", limits);
    }
    if (file) fclose(file);
}

void apli_process_limits(const char *root, AplLimits *limits) {
    char name[PATH_MAX], line[PATH_MAX];
    *limits = (AplLimits){0};
    if (snprintf(name, sizeof name, "%s/proc/self/cgroup", root) >= (int)sizeof name) return;
    FILE *file = fopen(name, "re");
    while (file && fgets(line, sizeof line, file)) { /* number:controllers:path */
        line[strcspn(line, "\n")] = 0;
        char *controllers = strchr(line, ':'), *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path) continue;
        *controllers++ = 0;
        *path++ = 0;
        if (*controllers == 0) tighten_hierarchy(root, "", path, limits);
        if (lists_word(controllers, "cpu")) tighten_hierarchy(root, "cpu", path, limits);
        if (lists_word(controllers, "memory")) tighten_hierarchy(root, "memory", path, limits);
    }
    if (file) fclose(file);
}

int64_t apli_memory_total(void) {
    return (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
}

int64_t apli_memory_allowed(void) {
    AplLimits limits;
    apli_process_limits("", &limits);
    int64_t total = apli_memory_total();
    return limits.memory_bytes && limits.memory_bytes < total ? limits.memory_bytes : total;
}
