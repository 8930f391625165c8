/* A thread's blocks: a list for each size, in steps of 64 bytes (less the 8 that malloc puts before a block). */
#include "os/small_block.h"

#include "os/middle_block.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

enum { STEP = 64, LISTS = 32 * 1024 / STEP + 2, MOST_BYTES = 1 << 20 };

typedef struct Free {
    struct Free *next;
} Free;

typedef struct Kept {
    Free *lists[LISTS];
    size_t bytes;
    bool known; /* will be emptied when the thread ends */
} Kept;

static _Thread_local Kept kept;

static inline size_t list_of(size_t bytes) { return (apli_small_block_bytes(bytes) + 8) / STEP; }

void *apli_small_block_take(size_t bytes) {
    const size_t list = bytes > LISTS * STEP ? LISTS : list_of(bytes);
    if (list >= LISTS) return apli_middle_block_take(bytes);
    Free *block = kept.lists[list];
    if (__builtin_expect(!block, 0)) return malloc(apli_small_block_bytes(bytes));
    kept.lists[list] = block->next;
    kept.bytes -= list * STEP;
    return block;
}

#ifdef APLI_DEBUG /* sanitizers should see each block's end */
void apli_small_block_give(void *block, size_t bytes) {
    (void)bytes; /* a larger block is malloc's too */
    free(block);
}
#else
static void empty(void) {
    for (int i = 0; i < LISTS; i++) {
        for (Free *block = kept.lists[i], *next; block; block = next) {
            next = block->next;
            free(block);
        }
        kept.lists[i] = NULL;
    }
    kept.bytes = 0;
}

static pthread_key_t key;
static bool has_key;

static void end_thread(void *unused) {
    (void)unused;
    kept.known = false; /* other destructors may give more: then this runs again */
    empty();
}

static void make_key(void) { has_key = pthread_key_create(&key, end_thread) == 0; }

/* Whether what this thread keeps will be freed when it ends. */
static bool make_known(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_key);
    kept.known = has_key && pthread_setspecific(key, &kept) == 0;
    return kept.known;
}

void apli_small_block_give(void *block, size_t bytes) {
    const size_t list = bytes > LISTS * STEP ? LISTS : list_of(bytes);
    if (!block) return;
    if (list >= LISTS) {
        apli_middle_block_give(block, bytes);
        return;
    }
    if (__builtin_expect(!kept.known, 0) && !make_known()) {
        free(block);
        return;
    }
    if (__builtin_expect(kept.bytes > MOST_BYTES, 0)) empty();
    kept.bytes += list * STEP;
    Free *first = block;
    first->next = kept.lists[list];
    kept.lists[list] = first;
}
#endif
