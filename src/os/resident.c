/* Resident memory, by Linux's /proc: VmHWM, which writing 5 to clear_refs sets back (proc(5)). */
#include "os/resident.h"

#include <inttypes.h>
#include <stdio.h>

int64_t apli_resident_peak(void) {
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    int64_t kilobytes = 0;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %" SCNd64, &kilobytes) == 1) break;
    if (file) fclose(file);
    return kilobytes * 1024;
}

bool apli_resident_peak_reset(void) {
    FILE *file = fopen("/proc/self/clear_refs", "we");
    if (!file) return false;
    const bool written = fputs("5", file) >= 0;
    return fclose(file) == 0 && written;
}
