/* What `aplaca bench` measured (bench.c) and how it is shown (bench_print.c, bench_profile.c). */
#ifndef APLI_CLI_BENCH_H
#define APLI_CLI_BENCH_H

#include "measure/breakdown.h"
#include "measure/series.h"

#include <jansson.h>

typedef struct AplBenchReport {
    AplCpu cpu;
    AplSeriesPlan plan;
    AplCeiling ceilings[APLI_SERIES_MOST]; /* one for each of plan.threads */
    AplSeries series;
    AplBreakdown breakdowns[2]; /* of a token, of a prompt */
    int breakdown_count;
    AplBench bench;
    const AplModel *model; /* what the file holds; the bench's, or else `opened` */
    AplModel *opened;
    AplText path;
    double load_average; /* processes that wanted a processor in the last minute, before the first test; -1: not known */
    double made_seconds; /* making the random model; 0: there was a file */
} AplBenchReport;

void apli_bench_print(const AplBenchReport *report);
/* Nothing without a breakdown. */
void apli_bench_print_profile(const AplBenchReport *report);
json_t *apli_bench_profile_json(const AplBenchReport *report);
AplErr apli_bench_print_json(const AplBenchReport *report);

#endif
