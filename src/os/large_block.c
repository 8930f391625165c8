/* The blocks that are kept: a few, guarded by a mutex. */
#include "os/large_block.h"

#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { PAGE = 2 << 20, MOST_KEPT = 8, MOST_BYTES = 512 << 20 };

typedef struct Kept {
    void *block;
    size_t bytes;
} Kept;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Kept kept[MOST_KEPT]; /* the oldest first */
static int kept_count;
static size_t kept_bytes;

/* Takes entry `index` out of the list. */
static void *remove_kept(int index) {
    void *block = kept[index].block;
    kept_bytes -= kept[index].bytes;
    kept_count--;
    for (int i = index; i < kept_count; i++) kept[i] = kept[i + 1];
    return block;
}

/* The smallest that holds so many bytes and is not more than half too large. */
static void *take_kept(size_t bytes) {
    int best = -1;
    for (int i = 0; i < kept_count; i++)
        if (kept[i].bytes >= bytes && kept[i].bytes <= bytes + bytes / 2 + PAGE &&
            (best < 0 || kept[i].bytes < kept[best].bytes))
            best = i;
    return best < 0 ? NULL : remove_kept(best);
}

static void free_all(void) {
    while (kept_count) free(remove_kept(0));
}

void *apli_large_block_take(size_t bytes) {
    if (bytes > SIZE_MAX - PAGE) return NULL;
    bytes = (bytes + PAGE - 1) / PAGE * PAGE;
    pthread_mutex_lock(&mutex);
    void *block = take_kept(bytes);
    if (!block && !(block = aligned_alloc(PAGE, bytes))) {
        free_all();
        block = aligned_alloc(PAGE, bytes);
    } else if (block) {
        madvise(block, bytes, MADV_HUGEPAGE); /* where the system has none it is memory all the same */
    }
    pthread_mutex_unlock(&mutex);
    return block;
}

void apli_large_block_give(void *block) {
#ifndef APLI_DEBUG /* sanitizers should see each block's end */
    size_t bytes = malloc_usable_size(block) / PAGE * PAGE;
    if (((uintptr_t)block & (PAGE - 1)) == 0 && bytes && bytes <= MOST_BYTES) {
        pthread_mutex_lock(&mutex);
        while (kept_count == MOST_KEPT || kept_bytes + bytes > MOST_BYTES) free(remove_kept(0));
        madvise(block, bytes, MADV_FREE);
        kept[kept_count++] = (Kept){block, bytes};
        kept_bytes += bytes;
        pthread_mutex_unlock(&mutex);
        return;
    }
#endif
    free(block);
}
