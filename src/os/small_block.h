/* Memory for small arrays, of which a token makes and frees some thousands. Each thread keeps what it gave back, by size, for
   the next block of that size: taking and giving are a few instructions, without a lock. What a thread keeps stays under a
   limit and goes when the thread ends. */
#ifndef APLI_OS_SMALL_BLOCK_H
#define APLI_OS_SMALL_BLOCK_H

#include <stddef.h>

/* At least `bytes` bytes, not cleared, aligned to 16; NULL when there is no memory. Sizes of any kind may be asked for; those
   of up to 32 KB are kept. */
void *apli_small_block_take(size_t bytes);
/* A block that was taken with the same number of bytes, by any thread. NULL is allowed. */
void apli_small_block_give(void *block, size_t bytes);
/* The bytes that such a block has in fact. */
static inline size_t apli_small_block_bytes(size_t bytes) { return (bytes + 8 + 63) / 64 * 64 - 8; }

#endif
