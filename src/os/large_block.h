/* Memory for arrays of many megabytes. The system hands out such memory page by page, each cleared when it is first touched,
   which costs as much as several passes over the array: so it is asked for large pages, and what is given back is kept for
   the next array of that size. What is kept is marked as memory that the system may take when it runs short. */
#ifndef APLI_OS_LARGE_BLOCK_H
#define APLI_OS_LARGE_BLOCK_H

#include <stddef.h>

enum { APLI_LARGE_BLOCK = 4 << 20 }; /* bytes from which this pays */

/* At least `bytes` bytes, not cleared, aligned to 2 MB; NULL when there is no memory. */
void *apli_large_block_take(size_t bytes);
/* A block from apli_large_block_take; any other block of malloc is freed. */
void apli_large_block_give(void *block);

#endif
