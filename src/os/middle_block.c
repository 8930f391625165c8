/* A list for each size class, four to a doubling, all under one mutex. The last block given is the first taken: it may still
   be in the processor's cache. */
#include "os/middle_block.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef APLI_DEBUG /* sanitizers should see each block's end */
void *apli_middle_block_take(size_t bytes) { return bytes > PTRDIFF_MAX ? NULL : malloc(bytes); }

void apli_middle_block_give(void *block, size_t bytes) {
    (void)bytes;
    free(block);
}
#else

/* Classes from 32 KB to 5 MB, the padding of 4 MB included; together no more than the system would notice beside a model. */
enum { LEAST_SHIFT = 15, STEPS = 4, CLASSES = 7 * STEPS + 2, MOST_BYTES = 32 << 20 };

typedef struct Free {
    struct Free *next;
} Free;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static Free *lists[CLASSES];
static size_t kept_bytes;

/* The smallest class whose blocks hold so many bytes: 2 to the power LEAST_SHIFT + class ÷ STEPS, and so many quarters of it more. */
static int class_of(size_t bytes) {
    if (bytes <= (size_t)1 << LEAST_SHIFT) return 0;
    const int shift = 63 - __builtin_clzll((unsigned long long)(bytes - 1));
    const size_t step = ((bytes - 1) >> (shift - 2)) & (STEPS - 1);
    return (shift - LEAST_SHIFT) * STEPS + (int)step + 1;
}

static size_t class_bytes(int class) {
    const size_t whole = (size_t)1 << (LEAST_SHIFT + class / STEPS);
    return whole + whole / STEPS * (size_t)(class % STEPS);
}

void *apli_middle_block_take(size_t bytes) {
    if (bytes > PTRDIFF_MAX) return NULL;
    const int class = class_of(bytes);
    if (class >= CLASSES) return malloc(bytes);
    pthread_mutex_lock(&mutex);
    Free *block = lists[class];
    if (block) {
        lists[class] = block->next;
        kept_bytes -= class_bytes(class);
    }
    pthread_mutex_unlock(&mutex);
    return block ? block : malloc(class_bytes(class));
}

static void free_all(void) {
    for (int class = 0; class < CLASSES; class++) {
        for (Free *block = lists[class], *next; block; block = next) {
            next = block->next;
            free(block);
        }
        lists[class] = NULL;
    }
    kept_bytes = 0;
}

void apli_middle_block_give(void *block, size_t bytes) {
    const int class = class_of(bytes);
    if (class >= CLASSES) {
        free(block);
        return;
    }
    pthread_mutex_lock(&mutex);
    if (kept_bytes + class_bytes(class) > MOST_BYTES) free_all();
    Free *first = block;
    first->next = lists[class];
    lists[class] = first;
    kept_bytes += class_bytes(class);
    pthread_mutex_unlock(&mutex);
}
#endif
