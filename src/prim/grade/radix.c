/* Booleans and bytes are counted, and each position goes straight to its place. Other elements become keys of at most 32 bits
   that order as they do: their distance from the smallest, without its last bits where it has more. A key and its position
   make a number of 64 bits; these are sorted digit by digit, the least significant first. Elements whose keys are equal, though
   they are not, stand together then and are sorted by all their bits.

   Every pass counts the digits of each part of the numbers, and each part then knows where its own go: so that threads share
   the work, and the order, being stable, is the same for any number of them. */
#include "prim/grade/radix.h"

#include "os/parallel.h"
#include "prim/structure.h"

#include <string.h>

enum {
    MOST_DIGIT_BITS = 11,
    SMALL_DIGIT_BITS = 8,   /* where the counters would be more than the elements */
    LEAST_PART = 1 << 16,   /* elements that are worth another thread */
    BETWEEN_CHECKS = 1 << 18,
    SHORT_RUN = 32,         /* of equal keys: sorted by insertion */
    FEW = 24,               /* elements that insertion sorts */
};

typedef struct Keyed {
    uint64_t key;
    int64_t index;
} Keyed;

typedef struct Sorting {
    AplEnv *env;
    const AplArray *array;
    uint64_t flip;       /* of keys: all bits when the largest come first */
    int64_t count, part; /* elements, and elements of a part */
    int parts;
    uint64_t low, high;  /* the range of the keys */
    int shift;           /* bits that a short key lacks */
    uint64_t *from, *to; /* short key and position */
    int digit_shift, digit_bits;
    int64_t *starts;     /* of each part and digit */
    int64_t origin;
    int32_t *order_32;   /* the result: one of the two, NULL while numbers are sorted */
    int64_t *order_64;
    bool long_run;       /* some equal keys are not sorted yet */
} Sorting;

static int64_t part_end(const Sorting *sorting, int64_t part) {
    const int64_t end = (part + 1) * sorting->part;
    return end < sorting->count ? end : sorting->count;
}

static void for_parts(Sorting *sorting, AplParallelRun *run) {
    apli_parallel(sorting->parts, apli_parallel_threads(), run, sorting);
}

/* ---- keys -------------------------------------------------------------------------------------------------------------- */

static inline uint64_t key_of_real(double value) {
    uint64_t bits;
    value = value == 0 ? 0 : value; /* not -0 */
    memcpy(&bits, &value, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}
static inline uint64_t key_of_integer(int64_t value) { return (uint64_t)value ^ UINT64_C(1) << 63; }

/* `STATEMENT`s of the key of each element from `begin` to before `end`. */
#define EACH(TYPE, KEY, ...) \
    { \
        const TYPE *v = (const TYPE *)sorting->array->data; \
        for (int64_t i = begin; i < end; i++) { \
            const uint64_t key = KEY(v[i]) ^ sorting->flip; \
            __VA_ARGS__ \
        } \
        break; \
    }
#define KEYS(...) \
    switch ((AplType)sorting->array->type) { \
    case APLI_I16: EACH(int16_t, key_of_integer, __VA_ARGS__) \
    case APLI_I32: EACH(int32_t, key_of_integer, __VA_ARGS__) \
    case APLI_I64: EACH(int64_t, key_of_integer, __VA_ARGS__) \
    case APLI_F32: EACH(float, key_of_real, __VA_ARGS__) \
    case APLI_F64: EACH(double, key_of_real, __VA_ARGS__) \
    case APLI_CHAR16: EACH(uint16_t, key_of_integer, __VA_ARGS__) \
    case APLI_CHAR32: EACH(uint32_t, key_of_integer, __VA_ARGS__) \
    default: break; \
    }

static uint64_t key_at(const Sorting *sorting, int64_t begin) {
    const int64_t end = begin + 1;
    uint64_t found = 0;
    KEYS(found = key;)
    return found;
}

static void find_range(void *context, int64_t part, int thread) {
    (void)thread;
    Sorting *sorting = context;
    const int64_t begin = part * sorting->part, end = part_end(sorting, part);
    uint64_t low = UINT64_MAX, high = 0;
    KEYS(low = key < low ? key : low; high = key > high ? key : high;)
    sorting->starts[2 * part] = (int64_t)low;
    sorting->starts[2 * part + 1] = (int64_t)high;
}

static void make_keys(void *context, int64_t part, int thread) {
    (void)thread;
    Sorting *sorting = context;
    const int64_t begin = part * sorting->part, end = part_end(sorting, part);
    const uint64_t low = sorting->low;
    const int shift = sorting->shift;
    uint64_t *to = sorting->from;
    KEYS(to[i] = (key - low) >> shift << 32 | (uint64_t)i;)
}

/* ---- one pass ------------------------------------------------------------------------------------------------------------ */

/* Counters become places: digit after digit, part after part. */
static void place_parts(Sorting *sorting, int64_t digits) {
    int64_t at = 0;
    for (int64_t digit = 0; digit < digits; digit++) {
        for (int part = 0; part < sorting->parts; part++) {
            int64_t *start = &sorting->starts[part * digits + digit], here = *start;
            *start = at;
            at += here;
        }
    }
}

static void count_digits(void *context, int64_t part, int thread) {
    (void)thread;
    const Sorting *sorting = context;
    const int64_t digits = INT64_C(1) << sorting->digit_bits, end = part_end(sorting, part);
    const uint64_t *from = sorting->from;
    int64_t *counts = sorting->starts + part * digits;
    memset(counts, 0, (size_t)digits * sizeof *counts);
    for (int64_t i = part * sorting->part; i < end; i++)
        counts[from[i] >> sorting->digit_shift & (uint64_t)(digits - 1)]++;
}

#define MOVE_NUMBERS(TO, VALUE) \
    for (int64_t i = begin; i < end; i++) \
        TO[starts[from[i] >> digit_shift & mask]++] = VALUE;
static void move_digits(void *context, int64_t part, int thread) {
    (void)thread;
    const Sorting *sorting = context;
    const uint64_t mask = (UINT64_C(1) << sorting->digit_bits) - 1, *from = sorting->from;
    const int64_t last = part_end(sorting, part), origin = sorting->origin;
    const int digit_shift = sorting->digit_shift;
    int64_t *starts = sorting->starts + part * (int64_t)(mask + 1);
    for (int64_t begin = part * sorting->part; begin < last && !sorting->env->interrupted; begin += BETWEEN_CHECKS) {
        const int64_t end = last - begin < BETWEEN_CHECKS ? last : begin + BETWEEN_CHECKS;
        if (sorting->order_32) MOVE_NUMBERS(sorting->order_32, (int32_t)((int64_t)(from[i] & UINT32_MAX) + origin))
        else if (sorting->order_64) MOVE_NUMBERS(sorting->order_64, (int64_t)(from[i] & UINT32_MAX) + origin)
        else MOVE_NUMBERS(sorting->to, from[i])
    }
}

/* ---- equal keys ------------------------------------------------------------------------------------------------------------ */

static void insertion_sort(Keyed *items, int64_t count) {
    for (int64_t i = 1; i < count; i++) {
        const Keyed item = items[i];
        int64_t j = i;
        for (; j > 0 && items[j - 1].key > item.key; j--) items[j] = items[j - 1];
        items[j] = item;
    }
}

/* Sorts by one byte of the key after another, and skips bytes that are the same everywhere. *sorted: where the result lies. */
static AplErr sort_keyed(AplEnv *env, Keyed *items, Keyed *other, int64_t count, Keyed **sorted) {
    uint64_t differ = 0;
    for (int64_t i = 1; i < count; i++) differ |= items[i].key ^ items[0].key;
    for (int shift = 0; shift < 64; shift += 8) {
        if (!(differ >> shift & 0xFF)) continue;
        int64_t start[257] = {0};
        for (int64_t i = 0; i < count; i++) start[(items[i].key >> shift & 0xFF) + 1]++;
        for (int i = 0; i < 256; i++) start[i + 1] += start[i];
        for (int64_t begin = 0; begin < count; begin += BETWEEN_CHECKS) {
            const int64_t end = count - begin < BETWEEN_CHECKS ? count : begin + BETWEEN_CHECKS;
            TRY(apli_check(env));
            for (int64_t i = begin; i < end; i++) other[start[items[i].key >> shift & 0xFF]++] = items[i];
        }
        Keyed *swap = items;
        items = other;
        other = swap;
    }
    *sorted = items;
    return APL_OK;
}

static int64_t run_end(const uint64_t *numbers, int64_t begin, int64_t count) {
    int64_t end = begin + 1;
    while (end < count && numbers[end] >> 32 == numbers[begin] >> 32) end++;
    return end;
}

static void load_run(const Sorting *sorting, int64_t begin, int64_t end, Keyed *items) {
    for (int64_t i = begin; i < end; i++) {
        const int64_t index = (int64_t)(sorting->from[i] & UINT32_MAX);
        items[i - begin] = (Keyed){key_at(sorting, index), index};
    }
}

static void store_run(const Sorting *sorting, int64_t begin, int64_t end, const Keyed *items) {
    for (int64_t i = begin; i < end; i++) /* any key does: no one looks at it again */
        sorting->from[i] = (sorting->from[i] & ~(uint64_t)UINT32_MAX) | (uint64_t)items[i - begin].index;
}

/* The runs that begin in a part. */
static void sort_short_runs(void *context, int64_t part, int thread) {
    (void)thread;
    Sorting *sorting = context;
    const uint64_t *numbers = sorting->from;
    const int64_t last = part_end(sorting, part);
    int64_t begin = part * sorting->part;
    while (begin > 0 && begin < last && numbers[begin] >> 32 == numbers[begin - 1] >> 32) begin++;
    while (begin < last) {
        const int64_t end = run_end(numbers, begin, sorting->count);
        if (end - begin > SHORT_RUN) {
            __atomic_store_n(&sorting->long_run, true, __ATOMIC_RELAXED);
        } else if (end - begin > 1) {
            Keyed items[SHORT_RUN];
            load_run(sorting, begin, end, items);
            insertion_sort(items, end - begin);
            store_run(sorting, begin, end, items);
        }
        begin = end;
    }
}

static AplErr sort_long_runs(Sorting *sorting) {
    int64_t longest = 0;
    for (int64_t begin = 0, end; begin < sorting->count; begin = end) {
        end = run_end(sorting->from, begin, sorting->count);
        if (end - begin > longest) longest = end - begin;
    }
    APLI_AUTO AplArray *room = NULL;
    TRY(apli_vector_new(APLI_I64, 4 * longest, &room));
    Keyed *items = (Keyed *)room->data, *sorted;
    for (int64_t begin = 0, end; begin < sorting->count; begin = end) {
        end = run_end(sorting->from, begin, sorting->count);
        if (end - begin <= SHORT_RUN) continue;
        load_run(sorting, begin, end, items);
        TRY(sort_keyed(sorting->env, items, items + longest, end - begin, &sorted));
        store_run(sorting, begin, end, sorted);
    }
    return APL_OK;
}

/* ---- elements of more than a byte ------------------------------------------------------------------------------------------- */

static void take_positions(void *context, int64_t part, int thread) {
    (void)thread;
    const Sorting *sorting = context;
    const int64_t end = part_end(sorting, part);
    for (int64_t i = part * sorting->part; i < end; i++) {
        const int64_t position = (int64_t)(sorting->from[i] & UINT32_MAX) + sorting->origin;
        if (sorting->order_32) sorting->order_32[i] = (int32_t)position;
        else sorting->order_64[i] = position;
    }
}

/* Numbers of at most 32 bits and positions below 2^32. `order`: of I32 or I64. */
static AplErr sort_numbers(Sorting *sorting, AplArray *order) {
    APLI_AUTO AplArray *first = NULL, *second = NULL, *starts = NULL;
    const int64_t count = sorting->count;
    const int most_bits = count < INT64_C(4) << MOST_DIGIT_BITS ? SMALL_DIGIT_BITS : MOST_DIGIT_BITS;
    TRY(apli_vector_new(APLI_I64, count, &first));
    TRY(apli_vector_new(APLI_I64, count, &second));
    TRY(apli_vector_new(APLI_I64, (int64_t)sorting->parts << most_bits, &starts));
    sorting->from = (uint64_t *)first->data;
    sorting->to = (uint64_t *)second->data;
    sorting->starts = apli_integer_data(starts);
    for_parts(sorting, find_range);
    sorting->low = UINT64_MAX;
    for (int part = 0; part < sorting->parts; part++) {
        const uint64_t low = (uint64_t)sorting->starts[2 * part], high = (uint64_t)sorting->starts[2 * part + 1];
        sorting->low = low < sorting->low ? low : sorting->low;
        sorting->high = high > sorting->high ? high : sorting->high;
    }
    const uint64_t range = sorting->high - sorting->low;
    const int bits = range ? 64 - __builtin_clzll(range) : 1, kept = bits < 32 ? bits : 32;
    const int passes = (kept + most_bits - 1) / most_bits;
    sorting->shift = bits - kept;
    sorting->digit_bits = (kept + passes - 1) / passes;
    for_parts(sorting, make_keys);
    for (int pass = 0; pass < passes; pass++) {
        const bool last = pass == passes - 1 && sorting->shift == 0;
        TRY(apli_check(sorting->env));
        sorting->digit_shift = 32 + pass * sorting->digit_bits;
        for_parts(sorting, count_digits);
        place_parts(sorting, INT64_C(1) << sorting->digit_bits);
        sorting->order_32 = last && order->type == APLI_I32 ? (int32_t *)order->data : NULL;
        sorting->order_64 = last && order->type == APLI_I64 ? apli_integer_data(order) : NULL;
        for_parts(sorting, move_digits);
        uint64_t *swap = sorting->from;
        sorting->from = sorting->to;
        sorting->to = swap;
    }
    TRY(apli_check(sorting->env));
    if (sorting->shift == 0) return APL_OK;
    for_parts(sorting, sort_short_runs);
    if (sorting->long_run) TRY(sort_long_runs(sorting));
    sorting->order_32 = order->type == APLI_I32 ? (int32_t *)order->data : NULL;
    sorting->order_64 = order->type == APLI_I64 ? apli_integer_data(order) : NULL;
    for_parts(sorting, take_positions);
    return APL_OK;
}

/* ---- bits and bytes ------------------------------------------------------------------------------------------------------------ */

static void count_bytes(void *context, int64_t part, int thread) {
    (void)thread;
    const Sorting *sorting = context;
    const int64_t begin = part * sorting->part, end = part_end(sorting, part);
    int64_t *counts = sorting->starts + (part << sorting->digit_bits);
    if (sorting->array->type == APLI_BOOL) { /* parts are whole bytes */
        counts[1 ^ (sorting->flip & 1)] = apli_bits_count(sorting->array->data + begin / 8, end - begin);
        counts[sorting->flip & 1] = end - begin - counts[1 ^ (sorting->flip & 1)];
        return;
    }
    memset(counts, 0, 256 * sizeof *counts);
    for (int64_t i = begin; i < end; i++) counts[(uint8_t)(sorting->array->data[i] ^ sorting->flip)]++;
}

#define MOVE_BYTES(TO) \
    for (int64_t i = begin; i < end; i++) TO[starts[(uint8_t)(values[i] ^ flip)]++] = (__typeof__(*TO))(i + origin);
#define MOVE_BITS(TO) \
    for (int64_t byte = begin / 8; byte < (end + 7) / 8; byte++) { \
        const unsigned eight = values[byte] ^ (uint8_t)flip; \
        const int64_t bits = end - byte * 8 < 8 ? end - byte * 8 : 8; \
        for (int64_t i = 0; i < bits; i++) { \
            const int64_t one = eight >> i & 1, at = one ? ones : zeros; \
            TO[at] = (__typeof__(*TO))(byte * 8 + i + origin); \
            ones += one; \
            zeros += 1 - one; \
        } \
    }
static void move_bytes(void *context, int64_t part, int thread) {
    (void)thread;
    const Sorting *sorting = context;
    const int64_t begin = part * sorting->part, end = part_end(sorting, part), origin = sorting->origin;
    const uint8_t *values = sorting->array->data;
    const uint64_t flip = sorting->flip;
    int64_t *starts = sorting->starts + (part << sorting->digit_bits), zeros = starts[0], ones = starts[1];
    if (sorting->array->type == APLI_BOOL) {
        if (sorting->order_32) MOVE_BITS(sorting->order_32)
        else MOVE_BITS(sorting->order_64)
    } else {
        if (sorting->order_32) MOVE_BYTES(sorting->order_32)
        else MOVE_BYTES(sorting->order_64)
    }
}

static AplErr sort_bytes(Sorting *sorting, AplArray *order) {
    APLI_AUTO AplArray *starts = NULL;
    const bool bits = sorting->array->type == APLI_BOOL;
    sorting->digit_bits = bits ? 1 : 8;
    TRY(apli_vector_new(APLI_I64, (int64_t)sorting->parts << sorting->digit_bits, &starts));
    sorting->starts = apli_integer_data(starts);
    sorting->order_32 = order->type == APLI_I32 ? (int32_t *)order->data : NULL;
    sorting->order_64 = order->type == APLI_I64 ? apli_integer_data(order) : NULL;
    /* signed bytes order as unsigned ones with the first bit inverted */
    sorting->flip = (sorting->flip & (bits ? 1 : 0xFF)) * (bits ? 0xFF : 1) ^ (sorting->array->type == APLI_I8 ? 0x80 : 0);
    for_parts(sorting, count_bytes);
    place_parts(sorting, INT64_C(1) << sorting->digit_bits);
    for_parts(sorting, move_bytes);
    return apli_check(sorting->env);
}

/* ---- the call ---------------------------------------------------------------------------------------------------------------- */

/* The key of an element of any type. */
static uint64_t any_key_at(const AplArray *array, int64_t i) {
    if (apli_type_is_character((AplType)array->type)) return apli_char_at(array, i);
    if (apli_type_is_integer((AplType)array->type)) return key_of_integer(apli_i64_at(array, i));
    return key_of_real(apli_f64_at(array, i));
}

/* A few elements by insertion; more than positions of 32 bits can name, by whole keys. */
static AplErr sort_whole_keys(const Sorting *sorting, AplArray *order) {
    const int64_t count = sorting->count;
    Keyed few[FEW], *items = few;
    APLI_AUTO AplArray *room = NULL;
    if (count > FEW) {
        TRY(apli_vector_new(APLI_I64, 4 * count, &room));
        items = (Keyed *)room->data;
    }
    for (int64_t i = 0; i < count; i++) items[i] = (Keyed){any_key_at(sorting->array, i) ^ sorting->flip, i};
    if (count <= FEW) insertion_sort(items, count);
    else TRY(sort_keyed(sorting->env, items, items + count, count, &items));
    for (int64_t i = 0; i < count; i++) {
        const int64_t position = items[i].index + sorting->origin;
        if (order->type == APLI_I32) ((int32_t *)order->data)[i] = (int32_t)position;
        else apli_integer_data(order)[i] = position;
    }
    return APL_OK;
}

AplErr apli_order_elements(AplEnv *env, AplArray *array, bool down, AplArray **order) {
    APLI_AUTO AplArray *values = NULL, *positions = NULL;
    const int64_t count = array->count, origin = env->index_origin;
    const bool half = array->type == APLI_F16 || array->type == APLI_BF16;
    TRY(apli_convert(array, half ? APLI_F32 : (AplType)array->type, &values));
    TRY(apli_vector_new(count + origin <= INT32_MAX ? APLI_I32 : APLI_I64, count, &positions));
    const int64_t parts = count / LEAST_PART, threads = apli_parallel_threads();
    Sorting sorting = {.env = env, .array = values, .flip = down ? UINT64_MAX : 0, .count = count, .origin = origin};
    sorting.parts = (int)(parts < 1 ? 1 : parts < threads ? parts : threads);
    sorting.part = ((count + sorting.parts - 1) / sorting.parts + 7) / 8 * 8;
    if (count <= FEW || count > UINT32_MAX) TRY(sort_whole_keys(&sorting, positions));
    else if (apli_types[values->type].bits <= 8) TRY(sort_bytes(&sorting, positions));
    else TRY(sort_numbers(&sorting, positions));
    const AplType type = count ? apli_type_for_range(origin, origin + count - 1) : APLI_I64;
    if (type == positions->type) {
        *order = apli_move(&positions);
        return APL_OK;
    }
    TRY(apli_vector_new(type, count, order));
    if (count) apli_elem_convert(type, (*order)->data, 0, (AplType)positions->type, positions->data, 0, count);
    return APL_OK;
}
