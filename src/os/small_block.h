/* Memory for arrays of up to some megabytes, of which a token makes and frees thousands: what was given back is kept, by size,
   for the next block of that size. Of up to 32 KB each thread keeps its own: taking and giving are a few instructions, without
   a lock. Larger ones are shared by all threads: the system would hand their pages out anew, cleared when they are first
   touched, which costs more than most computations on them. What is kept stays under a limit; a thread's own go with it. */
#ifndef APLI_OS_SMALL_BLOCK_H
#define APLI_OS_SMALL_BLOCK_H

#include <stddef.h>

/* At least `bytes` bytes, not cleared, aligned to 16; NULL when there is no memory. Sizes of any kind may be asked for; those
   of up to 4 MB are kept. */
void *apli_small_block_take(size_t bytes);
/* A block that was taken with the same number of bytes, by any thread. NULL is allowed. */
void apli_small_block_give(void *block, size_t bytes);
/* The bytes that such a block of up to 32 KB has in fact. */
static inline size_t apli_small_block_bytes(size_t bytes) { return (bytes + 8 + 63) / 64 * 64 - 8; }

#endif
