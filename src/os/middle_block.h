/* What os/small_block.h promises for blocks of more than 32 KB. */
#ifndef APLI_OS_MIDDLE_BLOCK_H
#define APLI_OS_MIDDLE_BLOCK_H

#include <stddef.h>

/* At least `bytes` bytes, not cleared, aligned to 16; NULL when there is no memory. */
void *apli_middle_block_take(size_t bytes);
/* A block that was taken with the same number of bytes, by any thread. */
void apli_middle_block_give(void *block, size_t bytes);

#endif
