/* Ranges of as many items as a unit of work is worth. */
#include "os/parallel_ranges.h"

#include "os/parallel.h"

typedef struct Ranges {
    AplRangeRun *run;
    void *context;
    int64_t count, each;
} Ranges;

static void run_range(void *context, int64_t unit, int thread) {
    (void)thread;
    const Ranges *ranges = context;
    const int64_t begin = unit * ranges->each, left = ranges->count - begin;
    ranges->run(ranges->context, begin, begin + (left < ranges->each ? left : ranges->each));
}

void apli_parallel_ranges(int64_t count, int64_t width, AplRangeRun *run, void *context) {
    const int64_t each = width >= APLI_RANGE_ELEMENTS ? 1 : APLI_RANGE_ELEMENTS / (width > 0 ? width : 1);
    if (count <= each) {
        run(context, 0, count);
        return;
    }
    apli_parallel((count + each - 1) / each, apli_parallel_threads(), run_range, &(Ranges){run, context, count, each});
}
