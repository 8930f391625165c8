/* Memory for arrays of up to some megabytes, of which a token makes and frees thousands: what was given back is kept, by size,
   for the next block of that size. Of up to 32 KB each thread keeps its own: taking and giving are a few instructions, without
   a lock. Larger ones are shared by all threads: the system would hand their pages out anew, cleared when they are first
   touched, which costs more than most computations on them. What is kept stays under a limit; a thread's own go with it. */
#ifndef APLI_OS_SMALL_BLOCK_H
#define APLI_OS_SMALL_BLOCK_H

#include <stdbool.h>
#include <stddef.h>

/* What a thread keeps: a list for each size, in steps of 64 bytes (less the 8 that malloc puts before a block). */
enum { APLI_SMALL_STEP = 64, APLI_SMALL_LISTS = 32 * 1024 / APLI_SMALL_STEP + 2, APLI_MOST_SMALL_BYTES = 1 << 20 };
typedef struct AplSmallBlock {
    struct AplSmallBlock *next;
} AplSmallBlock;
typedef struct AplSmallBlocks {
    AplSmallBlock *lists[APLI_SMALL_LISTS];
    size_t bytes;
    bool known; /* will be emptied when the thread ends */
} AplSmallBlocks;
extern _Thread_local AplSmallBlocks apli_small_blocks;

void *apli_small_block_take_any(size_t bytes);
void apli_small_block_give_any(void *block, size_t bytes);

/* The bytes that such a block of up to 32 KB has in fact. */
static inline size_t apli_small_block_bytes(size_t bytes) { return (bytes + 8 + 63) / 64 * 64 - 8; }
static inline size_t apli_small_block_list(size_t bytes) { /* APLI_SMALL_LISTS: of no list */
    const size_t list = (bytes + 8 + APLI_SMALL_STEP - 1) / APLI_SMALL_STEP;
    return bytes > APLI_SMALL_LISTS * APLI_SMALL_STEP || list > APLI_SMALL_LISTS ? APLI_SMALL_LISTS : list;
}

/* At least `bytes` bytes, not cleared, aligned to 16; NULL when there is no memory. Sizes of any kind may be asked for; those
   of up to 4 MB are kept. */
static inline void *apli_small_block_take(size_t bytes) {
    const size_t list = apli_small_block_list(bytes);
    AplSmallBlock *block = __builtin_expect(list < APLI_SMALL_LISTS, 1) ? apli_small_blocks.lists[list] : NULL;
    if (__builtin_expect(!block, 0)) return apli_small_block_take_any(bytes);
    apli_small_blocks.lists[list] = block->next;
    apli_small_blocks.bytes -= list * APLI_SMALL_STEP;
    return block;
}
/* A block that was taken with the same number of bytes, by any thread. NULL is allowed. */
static inline void apli_small_block_give(void *block, size_t bytes) {
#ifdef APLI_DEBUG /* sanitizers should see each block's end */
    apli_small_block_give_any(block, bytes);
#else
    const size_t list = apli_small_block_list(bytes);
    AplSmallBlock *first = block;
    if (__builtin_expect(!block || list >= APLI_SMALL_LISTS || !apli_small_blocks.known ||
                             apli_small_blocks.bytes > APLI_MOST_SMALL_BYTES, 0)) {
        apli_small_block_give_any(block, bytes);
        return;
    }
    apli_small_blocks.bytes += list * APLI_SMALL_STEP;
    first->next = apli_small_blocks.lists[list];
    apli_small_blocks.lists[list] = first;
#endif
}

#endif
