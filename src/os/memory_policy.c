/* Linux's memory policy, by its system calls: libnuma would be a dependency for two of them. */
#include "os/memory_policy.h"

#include <linux/mempolicy.h>
#include <sys/syscall.h>
#include <unistd.h>

bool apli_spread_memory(const AplTopology *topology) {
    int mode = MPOL_DEFAULT;
    unsigned long nodes[APLI_MOST_NODES / (8 * sizeof(unsigned long))];
    if (topology->nodes < 2 || syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) != 0) return false;
    if (mode != MPOL_DEFAULT) return mode == MPOL_INTERLEAVE;
    for (int i = 0; i < APLI_MOST_NODES / 64; i++) nodes[i] = topology->node_bits[i];
    return syscall(SYS_set_mempolicy, MPOL_INTERLEAVE, nodes, (unsigned long)APLI_MOST_NODES + 1) == 0;
}
