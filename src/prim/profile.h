/* Where the time of a computation goes: by line of the defined functions that run, and by primitive. The evaluator enters and
   leaves when env->profile is set; when it is NULL, all it costs is the look at it.

   A line's seconds are what its statements took without the lines of the functions that they called; a primitive's, what it
   took without the primitives that it called. What of a line is spent in no primitive is the interpreter's. */
#ifndef APLI_PRIM_PROFILE_H
#define APLI_PRIM_PROFILE_H

#include "base/error.h"

#include <stdint.h>

typedef struct AplProfile AplProfile;

typedef struct AplProfileEntry {
    const void *what; /* the function's body, or the primitive's name */
    const char *name; /* the function's, or the primitive's; lives as long as what was measured */
    int32_t line;     /* of the function, its header being 0; -1: a primitive */
    int64_t calls;
    double seconds;
    double waiting;     /* of a primitive's seconds: for other threads (os/parallel.h) */
    double interpreter; /* of a line's seconds */
} AplProfileEntry;

enum { APLI_PROFILE_PRIMITIVE = -1 };

AplErr apli_profile_new(AplProfile **result);
void apli_profile_free(AplProfile *profile); /* NULL is allowed */
/* What begins now belongs to `what`, until the matching leave. Should memory lack, the profile remembers it (below). */
void apli_profile_enter(AplProfile *profile, const void *what, const char *name, int32_t line);
void apli_profile_leave(AplProfile *profile);

/* The entries, in the order of their first appearance. WS FULL when memory lacked. */
AplErr apli_profile_entries(const AplProfile *profile, const AplProfileEntry **entries, int *count);
/* Seconds that one enter and leave take by themselves, measured: those that their own entry counts, and those that what is
   around them does. */
typedef struct AplProfileCost {
    double inside, outside;
} AplProfileCost;
AplProfileCost apli_profile_cost(void);

#endif
