/* Small ranges of integers and characters: a table with a place for each value. A few queries: one after another. Otherwise
   an open-addressed hash table.

   Numbers that are equal within ⎕CT must meet in the table. The bits of a real, seen as an integer, are cut to buckets of 2^26
   units in the last place, far wider than the tolerance; the borders lie where no number of few digits does. A number so near a
   border that an equal one may lie beyond is ambiguous: such keys are kept in a list that every query looks through,
   such queries look through all keys. Both are rare (one in a million). */
#include "prim/iota/lookup.h"
#include "prim/structure.h"

#include <math.h>
#include <string.h>

/* ---- equality and hash of cells ------------------------------------------------------------------------------------ */

typedef struct Cells {
    const AplArray *array; /* PLAIN */
    int64_t cell;
    bool whole_numbers;    /* this array and the one it is compared with hold integers only */
} Cells;

static bool cells_equal(const AplEnv *env, const Cells *a, int64_t i, const Cells *b, int64_t j) {
    const AplArray *x = a->array, *y = b->array;
    int64_t cell = a->cell, from = i * cell, to = j * cell;
    if (x->type == APLI_NESTED) {
        for (int64_t k = 0; k < cell; k++)
            if (!apli_match(env, apli_items(x)[from + k], apli_items(y)[to + k])) return false;
        return true;
    }
    if (apli_type_is_character((AplType)x->type)) {
        for (int64_t k = 0; k < cell; k++)
            if (apli_char_at(x, from + k) != apli_char_at(y, to + k)) return false;
        return true;
    }
    if (a->whole_numbers) {
        for (int64_t k = 0; k < cell; k++)
            if (apli_i64_at(x, from + k) != apli_i64_at(y, to + k)) return false;
        return true;
    }
    for (int64_t k = 0; k < cell; k++)
        if (!apli_tolerant_equal(apli_f64_at(x, from + k), apli_f64_at(y, to + k), env->comparison_tolerance)) return false;
    return true;
}

typedef struct Hash {
    uint64_t value;
    bool ambiguous;
} Hash;

static void mix(Hash *hash, uint64_t value) {
    uint64_t z = (hash->value ^ value) * 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 32) * 0xD6E8FEB86659FD93u;
    hash->value = z ^ z >> 29;
}

static void mix_real(Hash *hash, double number, double tolerance) {
    uint64_t bits;
    number = number == 0 ? 0 : number;
    memcpy(&bits, &number, sizeof bits);
    if (tolerance > 0 && isfinite(number)) {
        int shift = 26;
        uint64_t guard = (uint64_t)ceil(tolerance * 0x1p53) + 2;
        while (shift < 51 && guard << 10 > 1ull << shift) shift++;
        uint64_t width = 1ull << shift;
        bits += (uint64_t)((double)width * 0.3819660112501051); /* 2 - the golden ratio: far from every short fraction */
        uint64_t place = bits & (width - 1);
        hash->ambiguous |= number != 0 && (place < guard || place > width - guard);
        bits >>= shift;
    }
    mix(hash, bits);
}

static void mix_array(Hash *hash, const AplArray *array, double tolerance);

static void mix_elements(Hash *hash, const AplArray *array, int64_t first, int64_t count, bool whole_numbers,
                         double tolerance) {
    for (int64_t i = first; i < first + count; i++) {
        if (array->type == APLI_NESTED) mix_array(hash, apli_items(array)[i], tolerance);
        else if (apli_type_is_character((AplType)array->type)) mix(hash, apli_char_at(array, i) + (1ull << 40));
        else if (whole_numbers) mix(hash, (uint64_t)apli_i64_at(array, i));
        else mix_real(hash, apli_f64_at(array, i), tolerance);
    }
}

static void mix_array(Hash *hash, const AplArray *array, double tolerance) {
    APLI_AUTO AplArray *plain = NULL;
    if (apli_plain((AplArray *)array, &plain)) return; /* no memory: a poor hash, but the right one for ≡'s answer, no */
    for (int i = 0; i < plain->rank; i++) mix(hash, (uint64_t)plain->shape[i] + (1ull << 41));
    mix_elements(hash, plain, 0, plain->count, false, tolerance);
}

static Hash hash_cell(const AplEnv *env, const Cells *cells, int64_t i) {
    Hash hash = {0, false};
    mix_elements(&hash, cells->array, i * cells->cell, cells->cell, cells->whole_numbers, env->comparison_tolerance);
    return hash;
}

/* ---- the table ------------------------------------------------------------------------------------------------------ */

typedef struct Table {
    const AplEnv *env;
    const Cells *keys;
    uint64_t mask;
    AplArray *slots, *hashes; /* I64: a key's number plus 1 (0: free), its hash */
    AplArray *all, *ambiguous; /* I64: the numbers of the keys in order, and of those whose hash is ambiguous */
    int64_t count, ambiguous_count;
} Table;

static void table_free(Table *table) {
    apli_array_release(table->slots);
    apli_array_release(table->hashes);
    apli_array_release(table->all);
    apli_array_release(table->ambiguous);
}

static AplErr table_new(const AplEnv *env, const Cells *keys, int64_t most, Table *table) {
    int64_t capacity = 16;
    while (capacity < most * 2) capacity *= 2;
    *table = (Table){.env = env, .keys = keys, .mask = (uint64_t)capacity - 1};
    TRY(apli_vector_new(APLI_I64, capacity, &table->slots));
    TRY(apli_vector_new(APLI_I64, capacity, &table->hashes));
    TRY(apli_vector_new(APLI_I64, most, &table->all));
    TRY(apli_vector_new(APLI_I64, most, &table->ambiguous));
    memset(table->slots->data, 0, (size_t)capacity * sizeof(int64_t));
    return APL_OK;
}

static int64_t first_equal(const Table *table, const AplArray *list, int64_t count, const Cells *queries, int64_t query,
                           int64_t below) {
    for (int64_t i = 0; i < count; i++) {
        int64_t key = apli_integer_data(list)[i];
        if (key >= below) break;
        if (cells_equal(table->env, table->keys, key, queries, query)) return key;
    }
    return below;
}

/* The first key that equals the query, or INT64_MAX. */
static int64_t table_find(const Table *table, const Cells *queries, int64_t query, Hash hash) {
    if (hash.ambiguous) return first_equal(table, table->all, table->count, queries, query, INT64_MAX);
    int64_t best = INT64_MAX;
    for (uint64_t at = hash.value & table->mask;; at = (at + 1) & table->mask) {
        int64_t key = apli_integer_data(table->slots)[at] - 1;
        if (key < 0) break;
        if ((uint64_t)apli_integer_data(table->hashes)[at] == hash.value && key < best &&
            cells_equal(table->env, table->keys, key, queries, query))
            best = key;
    }
    return first_equal(table, table->ambiguous, table->ambiguous_count, queries, query, best);
}

static void table_insert(Table *table, int64_t key, Hash hash) {
    apli_integer_data(table->all)[table->count++] = key;
    if (hash.ambiguous) {
        apli_integer_data(table->ambiguous)[table->ambiguous_count++] = key;
        return;
    }
    uint64_t at = hash.value & table->mask;
    while (apli_integer_data(table->slots)[at]) at = (at + 1) & table->mask;
    apli_integer_data(table->slots)[at] = key + 1;
    apli_integer_data(table->hashes)[at] = (int64_t)hash.value;
}

/* ---- small ranges ---------------------------------------------------------------------------------------------------- */

static bool is_discrete(const AplArray *array) {
    return apli_type_is_integer((AplType)array->type) || apli_type_is_character((AplType)array->type);
}

static int64_t discrete_at(const AplArray *array, int64_t i) {
    return apli_type_is_integer((AplType)array->type) ? apli_i64_at(array, i) : (int64_t)apli_char_at(array, i);
}

/* A place for each value of a small range: the first key with it. *table stays NULL where the range is not small. */
static AplErr range_table(const AplArray *keys, int64_t key_count, int64_t query_count, int64_t *low, AplArray **table) {
    if (!is_discrete(keys) || key_count == 0) return APL_OK;
    int64_t least = INT64_MAX, most = INT64_MIN;
    if (apli_types[keys->type].bits <= 8) {
        least = keys->type == APLI_I8 ? INT8_MIN : 0;
        most = keys->type == APLI_I8 ? INT8_MAX : UINT8_MAX;
    } else {
        for (int64_t i = 0; i < key_count; i++) {
            int64_t value = discrete_at(keys, i);
            least = value < least ? value : least;
            most = value > most ? value : most;
        }
    }
    uint64_t range = (uint64_t)most - (uint64_t)least;
    if (range > (uint64_t)(key_count + query_count) * 4 + 256) return APL_OK;
    *low = least;
    TRY(apli_vector_new(APLI_I64, (int64_t)range + 1, table));
    int64_t *first = apli_integer_data(*table);
    for (int64_t i = 0; i <= (int64_t)range; i++) first[i] = key_count;
    for (int64_t i = key_count - 1; i >= 0; i--) first[discrete_at(keys, i) - least] = i;
    return APL_OK;
}

/* ---- what other files call ------------------------------------------------------------------------------------------- */

/* Both plain, and both nested when one is. */
static AplErr comparable(AplArray *keys, AplArray *queries, AplArray **plain_keys, AplArray **plain_queries) {
    if (keys->type == APLI_NESTED || queries->type == APLI_NESTED) {
        TRY(apli_convert(keys, APLI_NESTED, plain_keys));
        return apli_convert(queries, APLI_NESTED, plain_queries);
    }
    TRY(apli_plain(keys, plain_keys));
    return apli_plain(queries, plain_queries);
}

AplErr apli_find_cells(AplEnv *env, AplArray *keys, int64_t key_count, AplArray *queries, int64_t query_count, int64_t cell,
                       int64_t *found) {
    APLI_AUTO AplArray *x = NULL, *y = NULL, *range = NULL;
    bool different_kinds = apli_is_simple(keys) && apli_is_simple(queries) &&
                           apli_type_is_character((AplType)keys->type) != apli_type_is_character((AplType)queries->type);
    if (key_count == 0 || cell == 0 || different_kinds) {
        for (int64_t i = 0; i < query_count; i++) found[i] = cell == 0 ? 0 : key_count;
        return APL_OK;
    }
    TRY(comparable(keys, queries, &x, &y));
    int64_t low = 0;
    bool few = query_count <= 2 || key_count <= 4;
    if (cell == 1 && !few && is_discrete(y)) TRY(range_table(x, key_count, query_count, &low, &range));
    if (range) {
        for (int64_t i = 0; i < query_count; i++) {
            uint64_t place = (uint64_t)discrete_at(y, i) - (uint64_t)low;
            found[i] = place < (uint64_t)range->count ? apli_integer_data(range)[place] : key_count;
        }
        return APL_OK;
    }
    bool whole = apli_type_is_integer((AplType)x->type) && apli_type_is_integer((AplType)y->type);
    Cells key_cells = {x, cell, whole}, query_cells = {y, cell, whole};
    if (few) {
        for (int64_t i = 0; i < query_count; i++) {
            int64_t key = 0;
            while (key < key_count && !cells_equal(env, &key_cells, key, &query_cells, i)) key++;
            found[i] = key;
        }
        return APL_OK;
    }
    __attribute__((cleanup(table_free))) Table table = {0};
    AplEnv exactly = *env; /* a key is left out only where the very same is there */
    exactly.comparison_tolerance = 0;
    TRY(table_new(&exactly, &key_cells, key_count, &table));
    for (int64_t i = 0; i < key_count; i++) {
        if ((i & 0xFFFF) == 0) TRY(apli_check(env));
        Hash hash = hash_cell(env, &key_cells, i);
        if (table_find(&table, &key_cells, i, hash) == INT64_MAX) table_insert(&table, i, hash);
    }
    table.env = env;
    for (int64_t i = 0; i < query_count; i++) {
        if ((i & 0xFFFF) == 0) TRY(apli_check(env));
        int64_t key = table_find(&table, &query_cells, i, hash_cell(env, &query_cells, i));
        found[i] = key == INT64_MAX ? key_count : key;
    }
    return APL_OK;
}

AplErr apli_distinct_cells(AplEnv *env, AplArray *array, int64_t count, int64_t cell, AplArray **result) {
    APLI_AUTO AplArray *plain = NULL, *range = NULL, *kept = NULL;
    TRY(apli_plain(array, &plain));
    TRY(apli_vector_new(APLI_I64, count, &kept));
    int64_t kept_count = 0, low = 0;
    if (cell == 0) {
        kept_count = count > 0;
        if (count) apli_integer_data(kept)[0] = 0;
    } else {
        if (cell == 1) TRY(range_table(plain, count, count, &low, &range));
        for (int64_t i = 0; range && i < count; i++)
            if (apli_integer_data(range)[discrete_at(plain, i) - low] == i) apli_integer_data(kept)[kept_count++] = i;
        if (!range) {
            __attribute__((cleanup(table_free))) Table table = {0};
            Cells cells = {plain, cell, apli_type_is_integer((AplType)plain->type)};
            TRY(table_new(env, &cells, count, &table));
            for (int64_t i = 0; i < count; i++) {
                if ((i & 0xFFFF) == 0) TRY(apli_check(env));
                Hash hash = hash_cell(env, &cells, i);
                if (table_find(&table, &cells, i, hash) == INT64_MAX) table_insert(&table, i, hash);
            }
            memcpy(kept->data, table.all->data, (size_t)table.count * sizeof(int64_t));
            kept_count = table.count;
        }
    }
    return apli_view(kept, 0, 1, &kept_count, result);
}
