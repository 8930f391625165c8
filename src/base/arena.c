/* Chunks of doubling size, filled from the front. */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONED 1
#endif
#endif

#ifdef ARENA_POISONED
#include <sanitizer/asan_interface.h>
enum { RED_ZONE = 16 };
#define POISON(bytes, size) ASAN_POISON_MEMORY_REGION(bytes, size)
#define UNPOISON(bytes, size) ASAN_UNPOISON_MEMORY_REGION(bytes, size)
#else
enum { RED_ZONE = 0 };
#define POISON(bytes, size) ((void)(bytes), (void)(size))
#define UNPOISON(bytes, size) ((void)(bytes), (void)(size))
#endif

enum { ALIGNMENT = 16, FIRST_CHUNK = 16 * 1024, LARGEST_STEP = 4 * 1024 * 1024 };

typedef struct AplArenaChunk {
    struct AplArenaChunk *older;
    size_t size; /* of bytes */
    _Alignas(ALIGNMENT) unsigned char bytes[];
} AplArenaChunk;

static AplErr add_chunk(AplArena *arena, size_t needed) {
    size_t size = arena->chunks ? 2 * arena->chunks->size : FIRST_CHUNK;
    if (size > LARGEST_STEP) size = LARGEST_STEP;
    if (size < needed) size = needed;
    FAIL_IF(size > arena->limit - arena->total, APL_LIMIT, "more than %zu bytes of working memory needed",
            arena->limit);
    AplArenaChunk *chunk = malloc(sizeof *chunk + size);
    FAIL_IF(!chunk, APL_WS_FULL, "no memory for %zu bytes", size);
    POISON(chunk->bytes, size);
    chunk->older = arena->chunks;
    chunk->size = size;
    arena->chunks = chunk;
    arena->total += size;
    arena->used = 0;
    return APL_OK;
}

AplErr apli_arena_allocate(AplArena *arena, size_t size, void **result) {
    FAIL_IF(size > SIZE_MAX / 2, APL_LIMIT, "%zu bytes of working memory", size);
    size_t needed = (size + RED_ZONE + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!arena->chunks || needed > arena->chunks->size - arena->used) TRY(add_chunk(arena, needed));
    *result = arena->chunks->bytes + arena->used;
    arena->used += needed;
    UNPOISON(*result, size);
    return APL_OK;
}

AplErr apli_arena_zeroed(AplArena *arena, size_t size, void **result) {
    TRY(apli_arena_allocate(arena, size, result));
    memset(*result, 0, size);
    return APL_OK;
}

void apli_arena_reset(AplArena *arena) {
    while (arena->chunks && arena->chunks->older) {
        AplArenaChunk *older = arena->chunks->older;
        arena->total -= arena->chunks->size;
        free(arena->chunks);
        arena->chunks = older;
    }
    if (arena->chunks) POISON(arena->chunks->bytes, arena->chunks->size);
    arena->used = 0;
}

void apli_arena_free(AplArena *arena) {
    apli_arena_reset(arena);
    free(arena->chunks);
    arena->chunks = NULL;
    arena->total = 0;
}
