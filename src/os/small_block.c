/* A thread's blocks: what the inline functions leave, and the end of a thread. */
#include "os/small_block.h"

#include "os/middle_block.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

_Thread_local AplSmallBlocks apli_small_blocks;

void *apli_small_block_take_any(size_t bytes) {
    return apli_small_block_list(bytes) < APLI_SMALL_LISTS ? malloc(apli_small_block_bytes(bytes)) : apli_middle_block_take(bytes);
}

#ifdef APLI_DEBUG /* sanitizers should see each block's end */
void apli_small_block_give_any(void *block, size_t bytes) {
    (void)bytes; /* a larger block is malloc's too */
    free(block);
}
#else
static void empty(void) {
    for (int i = 0; i < APLI_SMALL_LISTS; i++) {
        for (AplSmallBlock *block = apli_small_blocks.lists[i], *next; block; block = next) {
            next = block->next;
            free(block);
        }
        apli_small_blocks.lists[i] = NULL;
    }
    apli_small_blocks.bytes = 0;
}

static pthread_key_t key;
static bool has_key;

static void end_thread(void *unused) {
    (void)unused;
    apli_small_blocks.known = false; /* other destructors may give more: then this runs again */
    empty();
}

static void make_key(void) { has_key = pthread_key_create(&key, end_thread) == 0; }

/* Whether what this thread keeps will be freed when it ends. */
static bool make_known(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    apli_small_blocks.known = has_key && pthread_setspecific(key, &apli_small_blocks) == 0;
    return apli_small_blocks.known;
}

void apli_small_block_give_any(void *block, size_t bytes) {
    if (!block) return;
    if (apli_small_block_list(bytes) >= APLI_SMALL_LISTS) {
        apli_middle_block_give(block, bytes);
        return;
    }
    if (!apli_small_blocks.known && !make_known()) {
        free(block);
        return;
    }
    if (apli_small_blocks.bytes > APLI_MOST_SMALL_BYTES) empty();
    apli_small_block_give(block, bytes);
}
#endif
