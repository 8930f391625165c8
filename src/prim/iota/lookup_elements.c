/* Integers and characters of a small range: a table with a place for each value. Others: an open-addressed hash table of
   16 bytes a place; elements are taken some at a time, and their places asked from memory before they are looked at.

   Numbers that are equal within ⎕CT must meet in the table. The bits of a real, made an integer that orders as the reals do,
   are cut to buckets, which are hashed. A bucket is at least 256 times as wide as the numbers equal to one reach, so that few
   queries look into a second bucket, beside their own. What lies in a bucket is compared one by one, and the first key wins. */
#include "prim/iota/lookup_elements.h"

#include "base/hash.h"
#include "prim/outer_product/outer_product_kernels.h"
#include "prim/scalar/scalar.h"
#include "prim/structure.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 1024, AT_ONCE = 64, PART = 1 << 15, NEIGHBOURS = 256 };

typedef struct Slot {
    uint64_t bits; /* of the key: an integer's, or a double's */
    int64_t after; /* the key's position plus 1; 0: free */
} Slot;

typedef struct Finder {
    AplEnv *env;
    const AplArray *keys, *queries;
    bool real;
    /* a small range: */
    const int32_t *first; /* the first key of each value from low on; NULL: the hash table */
    int64_t low;
    uint64_t values;
    /* the hash table: */
    Slot *slots;
    uint64_t mask;
    double tolerance;
    uint64_t guard; /* how far numbers equal to one may lie, in units of the last place; 0: only the same */
    int shift;      /* bits below a bucket */
    /* results, one of them */
    int32_t *found;
    uint8_t *member;
} Finder;

/* ---- elements ------------------------------------------------------------------------------------------------------------ */

#define WIDEN(TYPE) \
    { \
        const TYPE *characters = (const TYPE *)array->data + first; \
        for (int64_t i = 0; i < count; i++) block[i] = characters[i]; \
        return; \
    }

/* Elements first..first+count-1 as integers, or as the bits of doubles. `first` is a multiple of 8. */
static void load(const Finder *finder, const AplArray *array, int64_t first, int64_t count, uint64_t *block) {
    const AplType type = (AplType)array->type;
    switch (type) {
    case APLI_CHAR8: WIDEN(uint8_t)
    case APLI_CHAR16: WIDEN(uint16_t)
    case APLI_CHAR32: WIDEN(uint32_t)
    default: break;
    }
    apli_scalar_kernels()->load[type][finder->real ? APLI_LANE_DOUBLE : APLI_LANE_INTEGER](
        block, array->data + apli_type_bytes(type, first), count);
}

static inline double number_of(uint64_t bits) {
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* An integer that orders as the reals do. */
static inline uint64_t ordered(uint64_t bits) {
    bits = bits << 1 ? bits : 0; /* not -0 */
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static inline uint64_t slot_of_bucket(const Finder *finder, uint64_t bucket) { return apli_hash_u64(bucket) & finder->mask; }

static inline uint64_t slot_of(const Finder *finder, uint64_t bits) {
    return slot_of_bucket(finder, finder->real ? ordered(bits) >> finder->shift : bits);
}

/* The slots of some elements, whose memory is on its way. */
static inline void find_slots(const Finder *finder, const uint64_t *block, int64_t count, uint64_t *slots) {
    for (int64_t i = 0; i < count; i++) {
        slots[i] = slot_of(finder, block[i]);
        __builtin_prefetch(&finder->slots[slots[i]]);
    }
}

/* ---- the hash table ------------------------------------------------------------------------------------------------------ */

static void insert(const Finder *finder, uint64_t at, uint64_t bits, int64_t position) {
    Slot *slots = finder->slots;
    if (finder->real && !(bits << 1)) bits = 0;
    for (; slots[at].after; at = (at + 1) & finder->mask)
        if (slots[at].bits == bits) return; /* the very same came first */
    slots[at] = (Slot){bits, position + 1};
}

static inline int64_t find_integer(const Finder *finder, uint64_t at, uint64_t bits) {
    const Slot *slots = finder->slots;
    for (; slots[at].after; at = (at + 1) & finder->mask)
        if (slots[at].bits == bits) return slots[at].after - 1;
    return finder->keys->count;
}

/* The first key from slot `at` on that equals the number, or `best`. */
static inline int64_t find_from(const Finder *finder, uint64_t at, double number, int64_t best) {
    const Slot *slots = finder->slots;
    for (; slots[at].after; at = (at + 1) & finder->mask)
        if (slots[at].after - 1 < best && apli_tolerant_equal(number_of(slots[at].bits), number, finder->tolerance))
            best = slots[at].after - 1;
    return best;
}

static inline int64_t find_real(const Finder *finder, uint64_t at, uint64_t bits) {
    const double number = number_of(bits);
    const uint64_t order = ordered(bits), width = UINT64_C(1) << finder->shift, place = order & (width - 1);
    int64_t best = find_from(finder, at, number, finder->keys->count);
    if (place < finder->guard)
        best = find_from(finder, slot_of_bucket(finder, (order >> finder->shift) - 1), number, best);
    if (width - place <= finder->guard)
        best = find_from(finder, slot_of_bucket(finder, (order >> finder->shift) + 1), number, best);
    return best;
}

static AplErr make_table(Finder *finder, AplArray **room) {
    int64_t capacity = 16;
    while (capacity < finder->keys->count + finder->keys->count / 2) capacity *= 2;
    finder->mask = (uint64_t)capacity - 1;
    finder->tolerance = finder->env->comparison_tolerance;
    if (finder->real && finder->tolerance > 0) {
        finder->guard = (uint64_t)ceil(finder->tolerance * 0x1p53) + 2;
        while (UINT64_C(1) << finder->shift < NEIGHBOURS * finder->guard) finder->shift++;
    }
    TRY(apli_vector_new(APLI_I64, 2 * capacity, room));
    finder->slots = (Slot *)(*room)->data;
    memset(finder->slots, 0, (size_t)capacity * sizeof *finder->slots);
    for (int64_t first = 0; first < finder->keys->count; first += BLOCK) {
        const int64_t part = finder->keys->count - first < BLOCK ? finder->keys->count - first : BLOCK;
        uint64_t block[BLOCK], slots[AT_ONCE];
        if (first % (64 * BLOCK) == 0) TRY(apli_check(finder->env));
        load(finder, finder->keys, first, part, block);
        for (int64_t begin = 0; begin < part; begin += AT_ONCE) {
            const int64_t some = part - begin < AT_ONCE ? part - begin : AT_ONCE;
            find_slots(finder, block + begin, some, slots);
            for (int64_t i = 0; i < some; i++) insert(finder, slots[i], block[begin + i], first + begin + i);
        }
    }
    return APL_OK;
}

/* ---- small ranges -------------------------------------------------------------------------------------------------------- */

/* *room stays NULL where the range of the keys is not small. */
static AplErr make_range(Finder *finder, AplArray **room) {
    const AplArray *keys = finder->keys;
    const AplType type = (AplType)keys->type;
    const int64_t count = keys->count;
    int64_t least = INT64_MAX, most = INT64_MIN;
    uint64_t block[BLOCK];
    if (apli_types[type].bits <= 8) {
        least = type == APLI_I8 ? INT8_MIN : 0;
        most = type == APLI_I8 ? INT8_MAX : type == APLI_BOOL ? 1 : UINT8_MAX;
    } else {
        for (int64_t first = 0; first < count; first += BLOCK) {
            const int64_t part = count - first < BLOCK ? count - first : BLOCK;
            load(finder, keys, first, part, block);
            apli_scalar_kernels()->range((const int64_t *)block, part, &least, &most);
        }
    }
    const uint64_t range = (uint64_t)most - (uint64_t)least;
    if (range > (uint64_t)(count + finder->queries->count) * 4 + 256) return APL_OK;
    TRY(apli_vector_new(APLI_I32, (int64_t)range + 1, room));
    int32_t *first_key = (int32_t *)(*room)->data;
    for (uint64_t i = 0; i <= range; i++) first_key[i] = (int32_t)count;
    for (int64_t end = count; end > 0;) { /* from the last to the first */
        const int64_t first = (end - 1) / BLOCK * BLOCK;
        load(finder, keys, first, end - first, block);
        for (int64_t i = end - first - 1; i >= 0; i--) first_key[block[i] - (uint64_t)least] = (int32_t)(first + i);
        end = first;
    }
    finder->first = first_key;
    finder->low = least;
    finder->values = range + 1;
    return APL_OK;
}

/* ---- queries -------------------------------------------------------------------------------------------------------------- */

static void find_block(const Finder *finder, const uint64_t *block, int64_t count, int32_t *found) {
    const int32_t none = (int32_t)finder->keys->count;
    if (finder->first) {
        for (int64_t i = 0; i < count; i++) {
            const uint64_t place = block[i] - (uint64_t)finder->low;
            found[i] = place < finder->values ? finder->first[place] : none;
        }
        return;
    }
    uint64_t slots[AT_ONCE];
    for (int64_t begin = 0; begin < count; begin += AT_ONCE) {
        const int64_t some = count - begin < AT_ONCE ? count - begin : AT_ONCE;
        find_slots(finder, block + begin, some, slots);
        for (int64_t i = 0; i < some; i++)
            found[begin + i] = (int32_t)(finder->real ? find_real(finder, slots[i], block[begin + i])
                                                      : find_integer(finder, slots[i], block[begin + i]));
    }
}

static void find_part(void *context, int64_t first, int64_t count) {
    const Finder *finder = context;
    const int32_t none = (int32_t)finder->keys->count;
    for (int64_t begin = first; begin < first + count && !finder->env->interrupted; begin += BLOCK) {
        const int64_t part = first + count - begin < BLOCK ? first + count - begin : BLOCK;
        uint64_t block[BLOCK];
        int32_t positions[BLOCK], *found = finder->found ? finder->found + begin : positions;
        load(finder, finder->queries, begin, part, block);
        find_block(finder, block, part, found);
        if (finder->found) continue;
        apli_kernels()->outer_product->compare[APLI_I32][APLI_COMPARE_BELOW](finder->member + begin / 8, found, part, &none,
                                                                             &none);
    }
}

AplErr apli_find_elements(AplEnv *env, AplArray *keys, AplArray *queries, bool member, AplArray **result, bool *done) {
    APLI_AUTO AplArray *found = NULL, *room = NULL;
    const AplType a = (AplType)keys->type, b = (AplType)queries->type;
    const bool numbers = apli_type_is_number(a) && apli_type_is_number(b);
    const bool characters = apli_type_is_character(a) && apli_type_is_character(b);
    *done = (numbers || characters) && keys->count < INT32_MAX;
    if (!*done) return APL_OK;
    Finder finder = {.env = env, .keys = keys, .queries = queries,
                     .real = numbers && !(apli_type_is_integer(a) && apli_type_is_integer(b))};
    TRY(apli_check(env));
    if (!finder.real) TRY(make_range(&finder, &room));
    if (!finder.first) TRY(make_table(&finder, &room));
    TRY(apli_vector_new(member ? APLI_BOOL : APLI_I32, queries->count, &found));
    if (member) finder.member = found->data;
    else finder.found = (int32_t *)found->data;
    apli_in_parts(queries->count, PART, find_part, &finder);
    TRY(apli_check(env));
    *result = apli_move(&found);
    return APL_OK;
}
