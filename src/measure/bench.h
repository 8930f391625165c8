/* How fast a model is: prompts, single tokens and several sequences at once, at depths of the context and numbers of
   threads. A measurement does what llama-bench does: the context holds `depth` tokens; then a prompt of so many tokens is
   evaluated and the last one's logits computed, or so many tokens one after another (of each of `sequences` sequences, all
   of them in one step), each with its logits. Tokens are random: nothing is sampled, and no answer ends early. */
#ifndef APLI_MEASURE_BENCH_H
#define APLI_MEASURE_BENCH_H

#include "generate/engine.h"

typedef enum AplBenchKind { APLI_BENCH_PROMPT, APLI_BENCH_DECODE } AplBenchKind;

typedef struct AplBenchTest {
    AplBenchKind kind;
    int64_t tokens; /* of the prompt, or generated in each sequence */
    int64_t depth;
    int64_t sequences; /* 1 for a prompt */
    int threads;
} AplBenchTest;

/* What one run of a test takes at least: operations (two a multiply-add) and bytes of weights and of keys and values. */
typedef struct AplBenchCost {
    double operations, bytes;
} AplBenchCost;

typedef struct AplBench {
    const char *path; /* of the model's file */
    AplEngineOptions options; /* `context` is the bench's business */
    int64_t chunk; /* prompt tokens evaluated at once; 0: the engine's choice */
    uint64_t seed; /* of the tokens */
    int64_t room; /* tokens that the context has room for at least, after the depth: tests then share an engine */
    /* filled in: */
    AplEngine *engine;
    double load_seconds; /* opening the file and making an engine, the last time */
    AplBenchTest test;
    int64_t filled; /* tokens of each sequence that the cache holds */
} AplBench;

/* Makes the engine ready for a test: its context has the test's size and is filled up to its depth, its threads are set. */
AplErr apli_bench_prepare(AplBench *bench, const AplBenchTest *test);
/* Runs the test once; the context is as before. */
AplErr apli_bench_once(AplBench *bench, double *seconds);
/* Its two halves: runs the test, and makes the context as it was before. */
AplErr apli_bench_step(AplBench *bench, double *seconds);
AplErr apli_bench_forget(AplBench *bench);
/* Of the test prepared. */
AplErr apli_bench_cost(const AplBench *bench, AplBenchCost *cost);
void apli_bench_end(AplBench *bench);

/* Tokens a second of `count` runs, which took `seconds` each: the middle one, the slowest, the fastest. */
typedef struct AplBenchRate {
    double median, low, high;
} AplBenchRate;

AplErr apli_bench_rate(const AplBenchTest *test, const double *seconds, int count, AplBenchRate *rate);
/* The middle of `count` numbers (the mean of the two middle ones), which are sorted. */
double apli_median(double *numbers, int count);

#endif
