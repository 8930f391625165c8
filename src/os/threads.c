/* How many threads are worth starting. */
#include "os/threads.h"

#include "os/limits.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <unistd.h>

/* Processors of the affinity mask. The kernel refuses a mask shorter than its own, so the mask grows until it
 * fits. */
static int affinity_count(void) {
    for (int bits = 1024; bits <= 1 << 20; bits *= 4) {
        cpu_set_t *set = CPU_ALLOC(bits);
        if (!set) break;
        int status = sched_getaffinity(0, CPU_ALLOC_SIZE(bits), set);
        int error = errno;
        int count = status == 0 ? CPU_COUNT_S(CPU_ALLOC_SIZE(bits), set) : 0;
        CPU_FREE(set);
        if (count > 0) return count;
        if (error != EINVAL) break;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

int apli_processor_count(void) {
    AplLimits limits;
    apli_process_limits(&limits);
    int count = affinity_count();
    if (limits.processors > 0 && limits.processors < count) count = (int)ceil(limits.processors);
    return count > 0 ? count : 1;
}
