/* Packed layouts: the size of a row. */
#include "elem/packed.h"

int64_t apli_packed_row_bytes(const AplPackedLayout *layout, int64_t columns) {
    if (layout->block_elements) return columns / layout->block_elements * layout->block_bytes;
    int64_t bits = layout->representation / 10;
    return (int64_t)sizeof(float) + (columns * bits + 7) / 8;
}
