/* How many threads are worth starting. */
#ifndef APLI_OS_THREADS_H
#define APLI_OS_THREADS_H

/* Processors that this process may use: those of its affinity mask, or fewer when its control group has a
   smaller quota (rounded up). At least 1. */
int apli_processor_count(void);

#endif
