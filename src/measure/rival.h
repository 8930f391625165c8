/* Another program's speed at the same test (bench.h), from what it prints. */
#ifndef APLI_MEASURE_RIVAL_H
#define APLI_MEASURE_RIVAL_H

#include "base/text.h"
#include "measure/bench.h"

typedef struct AplRival {
    /* A command line of the shell, in which {model} stands for the model's file, {prompt} and {decode} for the test's tokens
       (one of them is 0), {depth}, {threads} and {sequences} for the others of its numbers. */
    const char *command;
    /* NULL, or a regular expression (PCRE2) whose first group is tokens a second; its last match in the output counts. */
    const char *pattern;
} AplRival;

/* How the figure was found. JSON: the record of an array, of an object's "results", or of a line, whose n_prompt, n_gen and
   n_depth are the test's (where there is no n_depth, a decode may have it as n_prompt, as llama-bench -gp prints it); its
   "avg_ts" or "tokens_per_second". An output that is no JSON and no pattern: the test's tokens ÷ the command's seconds. */
typedef enum AplRivalSource { APLI_RIVAL_NONE, APLI_RIVAL_JSON, APLI_RIVAL_PATTERN, APLI_RIVAL_TIME } AplRivalSource;

typedef struct AplRivalFigure {
    AplRivalSource source; /* NONE: the output has no figure of this test */
    double rate;           /* tokens a second */
} AplRivalFigure;

/* Whether the command can be told what the test is: a depth without {depth}, or sequences without {sequences}, it cannot. */
bool apli_rival_knows(const AplRival *rival, const AplBenchTest *test);
/* The command line of a test, appended. */
void apli_rival_command(const AplRival *rival, const AplBenchTest *test, const char *model, AplText *command);
/* The figure in an output, of a command that took `seconds`. DOMAIN ERROR for a pattern that is none or has no group. */
AplErr apli_rival_read(const AplRival *rival, const AplBenchTest *test, const char *output, size_t length, double seconds,
                       AplRivalFigure *figure);
/* Runs the command. FILE DATA ERROR with its last words when it fails. */
AplErr apli_rival_run(const AplRival *rival, const AplBenchTest *test, const char *model, AplRivalFigure *figure);
const char *apli_rival_source_name(AplRivalSource source);

#endif
