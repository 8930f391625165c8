/* How many threads are worth starting. */
#include "os/threads.h"

#include "os/topology.h"

int apli_processor_count(void) {
    AplTopology topology;
    apli_topology_detect(&topology);
    return topology.threads;
}
