/* Merging inside one piece. Neighbouring symbols are a linked list; the pairs that can be merged wait in a
   heap ordered by rank, then by place, so a piece of n bytes takes O(n log n). A heap entry may be
   outdated: it counts only if its place still begins a pair of its rank. */
#include "model/tokenizer_internal.h"

#include <stdlib.h>

typedef struct AplSymbol {
    int32_t id;             /* -1: merged into its left neighbour */
    int32_t previous, next; /* -1 at the ends */
} AplSymbol;

void apli_merger_free(AplMerger *merger) {
    free(merger->symbols);
    free(merger->heap);
    *merger = (AplMerger){0};
}

static AplErr reserve(AplMerger *merger, size_t length) {
    if (length <= merger->capacity) return APL_OK;
    size_t capacity = length * 2 + 64;
    AplSymbol *symbols = realloc(merger->symbols, capacity * sizeof *symbols);
    if (symbols) merger->symbols = symbols;
    /* n - 1 pairs at first; a merge takes one out and puts at most two in, n - 1 times. */
    uint64_t *heap = symbols ? realloc(merger->heap, 2 * capacity * sizeof *heap) : NULL;
    FAIL_IF(!heap, APL_WS_FULL, "no memory to merge a piece of %zu bytes", length);
    merger->heap = heap;
    merger->capacity = capacity;
    return APL_OK;
}

/* Moves the entry at `place` up to where it belongs. */
static void heap_rise(uint64_t *heap, size_t place) {
    uint64_t entry = heap[place];
    while (place > 0 && heap[(place - 1) / 2] > entry) {
        heap[place] = heap[(place - 1) / 2];
        place = (place - 1) / 2;
    }
    heap[place] = entry;
}

static void heap_sink(uint64_t *heap, size_t count, size_t place) {
    uint64_t entry = heap[place];
    for (;;) {
        size_t child = 2 * place + 1;
        if (child >= count) break;
        if (child + 1 < count && heap[child + 1] < heap[child]) child++;
        if (heap[child] >= entry) break;
        heap[place] = heap[child];
        place = child;
    }
    heap[place] = entry;
}

/* The merge of the symbol at `place` with its right neighbour, NULL when there is none. */
static const AplPairSlot *merge_at(const AplTokenizer *tokenizer, const AplSymbol *symbols, int32_t place) {
    if (place < 0 || symbols[place].id < 0 || symbols[place].next < 0) return NULL;
    return apli_pair_table_get(&tokenizer->merges, (uint32_t)symbols[place].id,
                               (uint32_t)symbols[symbols[place].next].id);
}

static void heap_add(const AplTokenizer *tokenizer, AplMerger *merger, size_t *count, int32_t place) {
    const AplPairSlot *merge = merge_at(tokenizer, merger->symbols, place);
    if (!merge) return;
    merger->heap[*count] = (uint64_t)merge->rank << 32 | (uint32_t)place;
    heap_rise(merger->heap, (*count)++);
}

/* The piece itself as a token, -1 when it is none. */
static int32_t whole_piece(const AplTokenizer *tokenizer, const char *piece, size_t length) {
    enum { LONGEST = 256 };
    char written[2 * LONGEST];
    if (length > LONGEST) return -1;
    int32_t id =
        apli_string_table_get(&tokenizer->by_text, written, apli_write_letters(piece, length, written));
    return id >= 0 && tokenizer->types[id] == APLI_TOKEN_NORMAL ? id : -1;
}

AplErr apli_bpe_piece(const AplTokenizer *tokenizer, const char *piece, size_t length, AplMerger *merger,
                      AplTokens *tokens) {
    if (apli_pretokenizer_takes_whole(tokenizer->pretokenizer)) {
        int32_t id = whole_piece(tokenizer, piece, length);
        if (id >= 0) return apli_tokens_append(tokens, id);
    }
    TRY(reserve(merger, length));
    AplSymbol *symbols = merger->symbols;
    int32_t count = 0;
    for (size_t i = 0; i < length; i++) {
        int32_t id = tokenizer->byte_ids[(uint8_t)piece[i]];
        if (id < 0) {
            tokens->dropped++;
            continue;
        }
        symbols[count] = (AplSymbol){id, count - 1, count + 1};
        count++;
    }
    if (count == 0) return APL_OK;
    symbols[count - 1].next = -1;

    size_t waiting = 0;
    for (int32_t i = 0; i + 1 < count; i++) heap_add(tokenizer, merger, &waiting, i);
    while (waiting) {
        uint64_t best = merger->heap[0];
        merger->heap[0] = merger->heap[--waiting];
        if (waiting) heap_sink(merger->heap, waiting, 0);
        int32_t place = (int32_t)(best & UINT32_MAX);
        const AplPairSlot *merge = merge_at(tokenizer, symbols, place);
        if (!merge || merge->rank != best >> 32) continue;
        AplSymbol *left = &symbols[place], *right = &symbols[left->next];
        left->id = (int32_t)merge->product;
        left->next = right->next;
        right->id = -1;
        if (left->next >= 0) symbols[left->next].previous = place;
        heap_add(tokenizer, merger, &waiting, left->previous);
        heap_add(tokenizer, merger, &waiting, place);
    }
    for (int32_t place = 0; place >= 0; place = symbols[place].next)
        TRY(apli_tokens_append(tokens, symbols[place].id));
    return APL_OK;
}
