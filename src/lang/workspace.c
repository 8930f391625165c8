/* Symbols: a chained hash table that doubles. */
#include "lang/workspace.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash(const char *name, size_t length) {
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) h = (h ^ (unsigned char)name[i]) * 1099511628211u;
    return h;
}

AplErr apli_workspace_init(AplWorkspace *workspace) {
    *workspace = (AplWorkspace){.bucket_count = 256, .class_epoch = 1};
    workspace->buckets = calloc(workspace->bucket_count, sizeof *workspace->buckets);
    FAIL_IF(!workspace->buckets, APL_WS_FULL, "no memory for a workspace");
    return APL_OK;
}

void apli_value_release(AplValue *value) {
    if (value->class == CLASS_VALUE) apli_array_release(value->array);
    else if (value->class != CLASS_NONE) apli_function_release(value->function);
    *value = (AplValue){0};
}

AplValue apli_value_retain(AplValue value) {
    if (value.class == CLASS_VALUE) apli_array_retain(value.array);
    else if (value.class != CLASS_NONE) apli_function_retain(value.function);
    return value;
}

void apli_symbol_set(AplWorkspace *workspace, AplSymbol *symbol, AplValue value) {
    AplValue old = symbol->value;
    symbol->value = value;
    if (old.class != value.class && (old.class > CLASS_VALUE || value.class > CLASS_VALUE)) workspace->class_epoch++;
    apli_value_release(&old);
}

#define EACH_SYMBOL(workspace, symbol) \
    for (size_t bucket_ = 0; bucket_ < (workspace)->bucket_count; bucket_++) \
        for (AplSymbol *symbol = (workspace)->buckets[bucket_], *next_ = NULL; \
             symbol && (next_ = symbol->next_in_bucket, 1); symbol = next_)

void apli_workspace_clear(AplWorkspace *workspace) {
    EACH_SYMBOL(workspace, symbol) apli_symbol_set(workspace, symbol, (AplValue){0});
}

void apli_workspace_free(AplWorkspace *workspace) {
    if (!workspace->buckets) return;
    apli_workspace_clear(workspace);
    EACH_SYMBOL(workspace, symbol) free(symbol);
    free(workspace->buckets);
    *workspace = (AplWorkspace){0};
}

static AplErr grow(AplWorkspace *workspace) {
    size_t bucket_count = workspace->bucket_count * 2;
    AplSymbol **buckets = calloc(bucket_count, sizeof *buckets);
    FAIL_IF(!buckets, APL_WS_FULL, "no memory for %zu symbols", bucket_count);
    EACH_SYMBOL(workspace, symbol) {
        AplSymbol **bucket = &buckets[hash(symbol->name, strlen(symbol->name)) & (bucket_count - 1)];
        symbol->next_in_bucket = *bucket;
        *bucket = symbol;
    }
    free(workspace->buckets);
    workspace->buckets = buckets;
    workspace->bucket_count = bucket_count;
    return APL_OK;
}

AplErr apli_symbol(AplWorkspace *workspace, const char *name, size_t length, AplSymbol **result) {
    if (workspace->symbol_count > workspace->bucket_count) TRY(grow(workspace));
    AplSymbol **bucket = &workspace->buckets[hash(name, length) & (workspace->bucket_count - 1)];
    for (AplSymbol *symbol = *bucket; symbol; symbol = symbol->next_in_bucket) {
        if (strncmp(symbol->name, name, length) == 0 && symbol->name[length] == 0) {
            *result = symbol;
            return APL_OK;
        }
    }
    AplSymbol *symbol = calloc(1, sizeof *symbol + length + 1);
    FAIL_IF(!symbol, APL_WS_FULL, "no memory for a symbol");
    memcpy(symbol->name, name, length);
    symbol->next_in_bucket = *bucket;
    *bucket = symbol;
    workspace->symbol_count++;
    *result = symbol;
    return APL_OK;
}

static int by_name(const void *a, const void *b) {
    return strcmp((*(AplSymbol *const *)a)->name, (*(AplSymbol *const *)b)->name);
}

AplErr apli_workspace_list(const AplWorkspace *workspace, unsigned class_mask, AplSymbol ***result, size_t *count) {
    AplSymbol **list = malloc((workspace->symbol_count + 1) * sizeof *list);
    FAIL_IF(!list, APL_WS_FULL, "no memory for a list of %zu names", workspace->symbol_count);
    *count = 0;
    EACH_SYMBOL(workspace, symbol)
        if (class_mask >> symbol->value.class & 1) list[(*count)++] = symbol;
    qsort(list, *count, sizeof *list, by_name);
    *result = list;
    return APL_OK;
}
