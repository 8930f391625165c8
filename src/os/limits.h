/* What this process may use of the machine: control groups (versions 1 and 2) and physical memory. */
#ifndef APLI_OS_LIMITS_H
#define APLI_OS_LIMITS_H

#include <stdint.h>

typedef struct AplLimits {
    double processors;    /* quota ÷ period of the tightest cpu.max or cpu.cfs_quota_us; 0 when there is none */
    int64_t memory_bytes; /* the tightest memory.max or memory.limit_in_bytes; 0 when there is none */
} AplLimits;

/* The tightest limits of the control group `path` ("/a/b") and of those above it, under the mount point
   `root`. What cannot be read does not limit. */
void apli_group_limits(const char *root, const char *path, AplLimits *limits);
/* The limits of this process's own groups, in every hierarchy, as root/proc/self/cgroup and root/proc/self/mountinfo tell; root is
   "" but in tests. */
void apli_process_limits(const char *root, AplLimits *limits);

/* Bytes of physical memory. */
int64_t apli_memory_total(void);
/* Bytes that this process may hope to occupy: physical memory or its group's limit, whichever is less. */
int64_t apli_memory_allowed(void);

#endif
