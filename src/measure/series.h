/* A series of measurements (bench.h): every depth with every number of threads, against the machine's ceilings. */
#ifndef APLI_MEASURE_SERIES_H
#define APLI_MEASURE_SERIES_H

#include "measure/bench.h"
#include "measure/rival.h"
#include "os/cpu.h"

enum { APLI_SERIES_MOST = 16 }; /* depths, numbers of threads, numbers of sequences */

typedef struct AplSeriesList {
    int64_t values[APLI_SERIES_MOST];
    int count;
} AplSeriesList;

typedef struct AplSeriesPlan {
    int64_t prompt, decode; /* tokens; 0: not measured */
    AplSeriesList depths, threads;
    AplSeriesList sequences; /* of a decode, each more than 1; measured at the least depth */
    int64_t repetitions;
    bool reading; /* before and after each repetition of a decode */
} AplSeriesPlan;

/* What the machine can do at most with so many threads, a second; 0 where it was not measured. */
typedef struct AplCeiling {
    int threads;
    double read_bytes, float_operations, byte_operations;
} AplCeiling;

/* Fills one ceiling for each number of threads, each measured for `seconds`. */
AplErr apli_measure_ceilings(const AplCpu *cpu, const AplSeriesList *threads, double seconds, AplCeiling *ceilings);

typedef struct AplSeriesResult {
    AplBenchTest test;
    AplBenchCost cost;
    double *seconds; /* of each repetition, in the order of running */
    int count;
    AplBenchRate rate;
    /* of a decode: the bytes that a run takes at least, against what reading got just before and after it; NULL when not measured */
    double *shares;
    AplBenchRate share_of_read;
    /* another program in the same minutes: its rates, and ours ÷ its in each repetition; none when rival_count is 0 */
    double *rival_rates;
    int rival_count;
    AplRivalSource rival_source;
    AplBenchRate rival, ratio;
} AplSeriesResult;

typedef struct AplSeries {
    AplSeriesResult *results;
    int count;
    double load_seconds;
    int64_t resident_peak; /* bytes, while the series ran */
} AplSeries;

/* After every repetition: which result so far, and its `repetition` of the plan's. */
typedef AplErr AplSeriesStep(void *user, const AplSeries *series, int result, int64_t repetition);

/* Runs each test once unmeasured and then `repetitions` times; a rival (NULL: none) by turns with it, first in every second
   repetition, where it knows the test. FILE DATA ERROR when it has a figure of no test. */
AplErr apli_series_run(AplBench *bench, const AplSeriesPlan *plan, const AplRival *rival, AplSeriesStep *step, void *user,
                       AplSeries *series);
/* How many tests the plan has. */
int apli_series_tests(const AplSeriesPlan *plan);
void apli_series_free(AplSeries *series);

#endif
