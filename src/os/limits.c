/* What this process may use of the machine. A control group's limit holds for all groups below it, so every
   directory from the process's own up to the mount point is read. (Linux,
   Documentation/admin-guide/cgroup-v2.rst) */
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

void apli_group_limits(const char *root, const char *path, AplLimits *limits) {
    *limits = (AplLimits){0};
    char group[PATH_MAX], line[128];
    if (snprintf(group, sizeof group, "%s", path) >= (int)sizeof group) return;
    for (;;) {
        size_t length = strlen(group);
        while (length && group[length - 1] == '/') group[--length] = 0;
        long long quota, period, bytes;
        if (read_line(root, group, "cpu.max", line, sizeof line) &&
            sscanf(line, "%lld %lld", &quota, &period) == 2 && quota > 0 && period > 0) {
            double processors = (double)quota / (double)period;
            if (limits->processors == 0 || processors < limits->processors) limits->processors = processors;
        }
        if (read_line(root, group, "memory.max", line, sizeof line) && sscanf(line, "%lld", &bytes) == 1 &&
            bytes > 0 && (limits->memory_bytes == 0 || bytes < limits->memory_bytes))
            limits->memory_bytes = bytes;
        char *slash = strrchr(group, '/');
        if (!slash) return;
        *slash = 0;
    }
}

void apli_process_limits(AplLimits *limits) {
    char line[PATH_MAX] = "";
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool found = false;
    while (file && !found && fgets(line, sizeof line, file))
        found = strncmp(line, "0::", 3) == 0; /* version 2's line */
    if (file) fclose(file);
    line[strcspn(line, "\n")] = 0;
    apli_group_limits("/sys/fs/cgroup", found ? line + 3 : "", limits);
}

int64_t apli_memory_total(void) {
    return (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
}

int64_t apli_memory_allowed(void) {
    AplLimits limits;
    apli_process_limits(&limits);
    int64_t total = apli_memory_total();
    return limits.memory_bytes && limits.memory_bytes < total ? limits.memory_bytes : total;
}
