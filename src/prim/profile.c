/* The profile: a table of entries, found by hashing, and the stack of those entered. */
#include "prim/profile.h"

#include "os/clock.h"
#include "os/parallel.h"

#include <stdbool.h>
#include <stdlib.h>

typedef struct Entered {
    int entry;
    double begin, waiting_begin;
    double inner;         /* seconds of what was entered directly below */
    double inner_lines;   /* seconds of the outermost lines below */
    double inner_waiting; /* waiting of what was entered directly below */
} Entered;

struct AplProfile {
    AplProfileEntry *entries;
    int count, capacity;
    int *slots; /* entry + 1 by hash, 0: free; at most half are taken */
    int slot_count; /* a power of two */
    Entered *stack;
    int depth, stack_capacity;
    bool failed;
};

AplErr apli_profile_new(AplProfile **result) {
    *result = calloc(1, sizeof **result);
    FAIL_IF(!*result, APL_WS_FULL, "no memory for a profile");
    return APL_OK;
}

void apli_profile_free(AplProfile *profile) {
    if (!profile) return;
    free(profile->entries);
    free(profile->slots);
    free(profile->stack);
    free(profile);
}

static int slot_of(const AplProfile *profile, const void *what, int32_t line) {
    const uint64_t key = ((uint64_t)(uintptr_t)what + (uint64_t)(uint32_t)line * 0x10001) * 0x9E3779B97F4A7C15u;
    int slot = (int)(key >> 32) & (profile->slot_count - 1);
    for (; profile->slots[slot]; slot = (slot + 1) & (profile->slot_count - 1)) {
        const AplProfileEntry *entry = &profile->entries[profile->slots[slot] - 1];
        if (entry->what == what && entry->line == line) break;
    }
    return slot;
}

static bool grow_entries(AplProfile *profile) {
    const int capacity = profile->capacity ? 2 * profile->capacity : 128;
    AplProfileEntry *entries = realloc(profile->entries, (size_t)capacity * sizeof *entries);
    if (!entries) return false;
    profile->entries = entries;
    int *slots = calloc((size_t)capacity * 2, sizeof *slots);
    if (!slots) return false;
    free(profile->slots);
    profile->slots = slots;
    profile->slot_count = capacity * 2;
    profile->capacity = capacity;
    for (int i = 0; i < profile->count; i++) slots[slot_of(profile, entries[i].what, entries[i].line)] = i + 1;
    return true;
}

static bool grow_stack(AplProfile *profile) {
    const int capacity = profile->stack_capacity ? 2 * profile->stack_capacity : 128;
    Entered *stack = realloc(profile->stack, (size_t)capacity * sizeof *stack);
    if (!stack) return false;
    profile->stack = stack;
    profile->stack_capacity = capacity;
    return true;
}

void apli_profile_enter(AplProfile *profile, const void *what, const char *name, int32_t line) {
    profile->failed |= (profile->count == profile->capacity && !grow_entries(profile)) ||
                       (profile->depth == profile->stack_capacity && !grow_stack(profile));
    if (profile->failed) return;
    const int slot = slot_of(profile, what, line);
    if (!profile->slots[slot]) {
        profile->entries[profile->count++] = (AplProfileEntry){.what = what, .name = name, .line = line};
        profile->slots[slot] = profile->count;
    }
    profile->stack[profile->depth++] = (Entered){.entry = profile->slots[slot] - 1, .begin = apli_clock_seconds(),
                                                 .waiting_begin = apli_parallel_waiting()};
}

void apli_profile_leave(AplProfile *profile) {
    if (profile->failed || profile->depth == 0) return;
    const Entered *entered = &profile->stack[--profile->depth];
    const double seconds = apli_clock_seconds() - entered->begin;
    const double waiting = apli_parallel_waiting() - entered->waiting_begin;
    AplProfileEntry *entry = &profile->entries[entered->entry];
    const bool is_line = entry->line != APLI_PROFILE_PRIMITIVE;
    entry->calls++;
    entry->seconds += seconds - (is_line ? entered->inner_lines : entered->inner);
    if (is_line) entry->interpreter += seconds - entered->inner;
    else entry->waiting += waiting - entered->inner_waiting;
    if (profile->depth == 0) return;
    Entered *outer = &profile->stack[profile->depth - 1];
    outer->inner += seconds;
    outer->inner_lines += is_line ? seconds : entered->inner_lines;
    outer->inner_waiting += waiting;
}

AplErr apli_profile_entries(const AplProfile *profile, const AplProfileEntry **entries, int *count) {
    FAIL_IF(profile->failed, APL_WS_FULL, "no memory for a profile of more than %d lines and primitives", profile->count);
    *entries = profile->entries;
    *count = profile->count;
    return APL_OK;
}

AplProfileCost apli_profile_cost(void) {
    enum { TIMES = 1000, PASSES = 5 };
    AplProfileCost best = {0};
    for (int pass = 0; pass < PASSES; pass++) {
        AplProfile *profile;
        if (apli_profile_new(&profile)) return best;
        const double begin = apli_clock_seconds();
        for (int i = 0; i < TIMES; i++) {
            apli_profile_enter(profile, profile, "", 0);
            apli_profile_leave(profile);
        }
        const double seconds = (apli_clock_seconds() - begin) / TIMES;
        const double inside = profile->count ? profile->entries[0].seconds / TIMES : 0;
        if (pass == 0 || seconds < best.inside + best.outside) best = (AplProfileCost){inside, seconds - inside};
        apli_profile_free(profile);
    }
    return best;
}
