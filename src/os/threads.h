/* How many threads are worth starting. */
#ifndef APLI_OS_THREADS_H
#define APLI_OS_THREADS_H

/* The default of os/topology.h: a thread for each core that this process may use, fewer under a quota. At least 1. */
int apli_processor_count(void);

#endif
