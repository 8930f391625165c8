/* On which memory nodes pages lie. */
#ifndef APLI_OS_MEMORY_POLICY_H
#define APLI_OS_MEMORY_POLICY_H

#include "os/topology.h"

/* Asks the system to take new pages, those of files that are read included, from the topology's nodes in turn, for this thread and
   those it starts: threads of every socket then find their share near, and no socket's memory serves all. Nothing happens on one
   node, or where someone (numactl) has chosen another policy. Pages of files that are in memory already stay where they are.
   Whether pages are spread. */
bool apli_spread_memory(const AplTopology *topology);

#endif
