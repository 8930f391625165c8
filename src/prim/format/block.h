/* A value as a rectangle of characters. */
#ifndef APLI_PRIM_FORMAT_BLOCK_H
#define APLI_PRIM_FORMAT_BLOCK_H

#include "prim/prim.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct AplBlock {
    int64_t rows, columns;
    uint32_t *characters; /* rows × columns */
    bool *separators;     /* for each row: a blank line between planes */
    /* Where the columns of the array begin and end: a line may be folded between them. NULL: anywhere. */
    int64_t *begins, *ends;
    int64_t field_count;
} AplBlock;

/* The display of a PLAIN array, as wide as it gets. `folds` asks for begins and ends. */
AplErr apli_render(AplEnv *env, const AplArray *array, bool folds, AplBlock *block);
void apli_block_free(AplBlock *block);
#define APLI_AUTO_BLOCK __attribute__((cleanup(apli_block_free))) AplBlock

#endif
