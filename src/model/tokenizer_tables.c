/* Open addressing with linear probing, at most half full. */
#include "model/tokenizer_tables.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>

static AplErr slots_new(size_t count, size_t slot_size, int filling, void **slots, size_t *mask) {
    FAIL_IF(count > SIZE_MAX / 8 / slot_size, APL_LIMIT, "a table of %zu entries", count);
    size_t capacity = 16;
    while (capacity < 2 * count) capacity *= 2;
    *slots = malloc(capacity * slot_size);
    FAIL_IF(!*slots, APL_WS_FULL, "no memory for a table of %zu entries", count);
    memset(*slots, filling, capacity * slot_size);
    *mask = capacity - 1;
    return APL_OK;
}

AplErr apli_string_table_new(const AplTokenString *strings, size_t count, AplStringTable *table) {
    table->strings = strings;
    return slots_new(count, sizeof *table->slots, 0xFF, (void **)&table->slots, &table->mask);
}

void apli_string_table_free(AplStringTable *table) { free(table->slots); }

/* The slot of the string, or the empty one where it would be. */
static size_t string_slot(const AplStringTable *table, const char *bytes, size_t length) {
    size_t slot = apli_hash_bytes(bytes, length) & table->mask;
    while (table->slots[slot] >= 0) {
        const AplTokenString *string = &table->strings[table->slots[slot]];
        if (string->length == length && (length == 0 || memcmp(string->bytes, bytes, length) == 0)) break;
        slot = (slot + 1) & table->mask;
    }
    return slot;
}

int32_t apli_string_table_get(const AplStringTable *table, const char *bytes, size_t length) {
    return table->slots[string_slot(table, bytes, length)];
}

void apli_string_table_add(AplStringTable *table, int32_t index, int32_t *found) {
    size_t slot = string_slot(table, table->strings[index].bytes, table->strings[index].length);
    *found = table->slots[slot];
    if (*found < 0) table->slots[slot] = index;
}

AplErr apli_pair_table_new(size_t count, AplPairTable *table) {
    return slots_new(count, sizeof *table->slots, 0xFF, (void **)&table->slots, &table->mask);
}

void apli_pair_table_free(AplPairTable *table) { free(table->slots); }

static size_t pair_slot(const AplPairTable *table, uint32_t left, uint32_t right) {
    size_t slot = apli_hash_u64((uint64_t)left << 32 | right) & table->mask;
    while (table->slots[slot].left != UINT32_MAX &&
           (table->slots[slot].left != left || table->slots[slot].right != right))
        slot = (slot + 1) & table->mask;
    return slot;
}

const AplPairSlot *apli_pair_table_get(const AplPairTable *table, uint32_t left, uint32_t right) {
    const AplPairSlot *slot = &table->slots[pair_slot(table, left, right)];
    return slot->left == UINT32_MAX ? NULL : slot;
}

AplPairSlot *apli_pair_table_add(AplPairTable *table, uint32_t left, uint32_t right, uint32_t rank,
                                 uint32_t product) {
    AplPairSlot *slot = &table->slots[pair_slot(table, left, right)];
    if (slot->left == UINT32_MAX) *slot = (AplPairSlot){left, right, rank, product};
    return slot;
}
