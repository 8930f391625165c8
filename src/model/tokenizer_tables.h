/* The lookups of a tokenizer: strings to ids, and pairs of numbers to numbers. Both are open-addressing
   tables of a size fixed at birth, hashed so that a file cannot slow them (base/hash.h). */
#ifndef APLI_MODEL_TOKENIZER_TABLES_H
#define APLI_MODEL_TOKENIZER_TABLES_H

#include "base/error.h"
#include "model/tokenizer.h"

/* Does not own the strings. */
typedef struct AplStringTable {
    const AplTokenString *strings;
    int32_t *slots; /* index into strings, -1 empty */
    size_t mask;
} AplStringTable;

AplErr apli_string_table_new(const AplTokenString *strings, size_t count, AplStringTable *table);
void apli_string_table_free(AplStringTable *table);
int32_t apli_string_table_get(const AplStringTable *table, const char *bytes,
                              size_t length); /* -1: not there */
/* Adds strings[index], unless an equal string is there: then *found is its index, otherwise -1. */
void apli_string_table_add(AplStringTable *table, int32_t index, int32_t *found);

typedef struct AplPairSlot {
    uint32_t left, right; /* left is UINT32_MAX: empty */
    uint32_t rank, product;
} AplPairSlot;

typedef struct AplPairTable {
    AplPairSlot *slots;
    size_t mask;
} AplPairTable;

AplErr apli_pair_table_new(size_t count, AplPairTable *table);
void apli_pair_table_free(AplPairTable *table);
const AplPairSlot *apli_pair_table_get(const AplPairTable *table, uint32_t left,
                                       uint32_t right); /* NULL: not there */
/* The pair's slot, which is new with this rank and product unless the pair was there; no more than `count`
   pairs fit. */
AplPairSlot *apli_pair_table_add(AplPairTable *table, uint32_t left, uint32_t right, uint32_t rank,
                                 uint32_t product);

#endif
