/* Where a token's or a prompt's time goes: by line of the page of APL, by primitive, and in four shares. */
#ifndef APLI_MEASURE_BREAKDOWN_H
#define APLI_MEASURE_BREAKDOWN_H

#include "measure/bench.h"
#include "prim/profile.h"

/* Seconds of one step: a decode's of one token in every sequence, or a whole prompt. */
typedef struct AplBreakdown {
    AplBenchTest test;
    double plain;            /* a step that is not measured in parts */
    double whole;            /* one that is, without what the measuring takes: the sum of the next four */
    double products;         /* in products and attention, without waiting */
    double small;            /* in all other primitives */
    double waiting;          /* in waking threads and waiting for them */
    double interpreter;      /* in the lines and around them */
    double probes;           /* enters and leaves a step */
    double probe_seconds;    /* of each of them */
    AplProfileEntry *entries; /* seconds a step; lines, then primitives, the most expensive first; names are theirs */
    int count;
    double *calls; /* of each entry a step */
} AplBreakdown;

/* Runs the test three times plainly and three times measured; the fastest of each counts. */
AplErr apli_breakdown_run(AplBench *bench, const AplBenchTest *test, AplBreakdown *breakdown);
void apli_breakdown_free(AplBreakdown *breakdown);

/* Seconds a step of line `line` of the function `name`; 0 where it did not run. */
double apli_breakdown_line(const AplBreakdown *breakdown, const char *name, int32_t line);
/* Of the primitive `name`, which may be a fused function. */
double apli_breakdown_primitive(const AplBreakdown *breakdown, const char *name);

/* One line of the page's files: which function's it is. */
typedef struct AplPageLine {
    const char *file; /* "llama.apl" */
    const char *text; /* not NUL-terminated */
    size_t length;
    char function[64]; /* "" outside of functions */
    int32_t line; /* of the function */
    bool fused;   /* a function's header whose kernel: comment follows */
} AplPageLine;

/* Calls visit(user, line) for every line of apl/, in order. */
void apli_page_lines(void (*visit)(void *user, const AplPageLine *line), void *user);

#endif
