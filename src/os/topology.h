/* The processors that this process may use, how they make up cores, and how many threads are worth starting. What is read lies
   under a root directory, "" for this machine's own, so that other machines can be described by a tree of files.

   The default number of threads is the least of
     the cores   A second thread of a core (hyperthreading) shares the units that multiply and brings next to nothing. Cores with less
                 than half the speed of the fastest are left out: a thread takes work in pieces of about a thirty-second of its share,
                 and everyone waits for the last piece, so that a core of speed s costs up to 1/(32 s) of a loop. At half the speed
                 what it computes outweighs that: efficiency cores of laptops take part, those that only keep a sleeping machine alive
                 and the small ones of telephones do not.
     the quota   of the control groups, rounded to the nearest, at least 1. A process that has used up its share of a period, mostly
                 100 ms, stands still for the rest of it: at 1.5 processors two threads compute for three quarters of the time and
                 are half as fast again as one, at 1.2 they would stand still for 40 % of it for a gain of a fifth.
     APLI_MOST_THREADS

   Several memory nodes (sockets): every node's cores take part, for each brings its own memory's speed; os/memory_policy.h spreads the
   pages over the nodes. */
#ifndef APLI_OS_TOPOLOGY_H
#define APLI_OS_TOPOLOGY_H

#include "os/parallel.h"

#include <stdbool.h>
#include <stdint.h>

/* The most that Linux knows: processors 8192 (x86-64), memory nodes 1024. */
enum { APLI_MOST_PROCESSORS = 8192, APLI_MOST_NODES = 1024 };

typedef struct AplProcessorSet {
    uint64_t bits[APLI_MOST_PROCESSORS / 64];
} AplProcessorSet;

typedef struct AplTopology {
    int processors; /* that the process may use; at least 1 */
    int cores;      /* that these belong to */
    int efficiency; /* of the cores: made to save power rather than time */
    int left_out;   /* of the cores: with less than half the speed of the fastest */
    double quota;   /* processors that the control groups allow; 0: no limit */
    int threads;    /* the default */
    int nodes;      /* memory nodes of the cores that are not left out; at least 1 */
    uint64_t node_bits[APLI_MOST_NODES / 64];
    int places[APLI_MOST_THREADS]; /* the processor for each thread: different cores first, the fast ones before others, the nodes in
                                      turn */
    int place_count;
} AplTopology;

/* "0-3,8" into a set. False, and the set empty, when the text is none such. */
bool apli_processor_list(const char *text, AplProcessorSet *set);
/* Reads root/sys for the processors `allowed`. What cannot be read is taken for one core a processor, all alike, on one node. */
void apli_topology_read(const char *root, const AplProcessorSet *allowed, double quota, AplTopology *topology);
/* This process's own: its affinity mask and control groups. */
void apli_topology_detect(AplTopology *topology);

#endif
