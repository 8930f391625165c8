/* A bump arena: many small things that die together. Every block is aligned to 16 bytes; under
   AddressSanitizer a red zone follows each, and all of the arena is poisoned again by a reset. Starts as
   {.limit = bytes}. */
#ifndef APLI_BASE_ARENA_H
#define APLI_BASE_ARENA_H

#include "base/error.h"

#include <stddef.h>

typedef struct AplArena {
    struct AplArenaChunk *chunks; /* newest first */
    size_t used;                  /* of the newest chunk */
    size_t total;                 /* bytes of all chunks */
    size_t limit;                 /* LIMIT ERROR past so many bytes */
} AplArena;

/* `size` bytes, not cleared. LIMIT or WS FULL error. */
AplErr apli_arena_allocate(AplArena *arena, size_t size, void **result);
/* The same, cleared. */
AplErr apli_arena_zeroed(AplArena *arena, size_t size, void **result);
/* Everything handed out is dead; one chunk is kept for what comes next. */
void apli_arena_reset(AplArena *arena);
void apli_arena_free(AplArena *arena);

#endif
