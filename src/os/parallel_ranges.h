/* Loops over many small items, such as a matrix' rows, shared among threads in ranges. */
#ifndef APLI_OS_PARALLEL_RANGES_H
#define APLI_OS_PARALLEL_RANGES_H

#include <stdint.h>

/* Elements of a few operations each that are worth a unit of work: a thread takes some microseconds for them. */
enum { APLI_RANGE_ELEMENTS = 16 * 1024 };

/* Calls run(context, begin, end) for ranges that together are items 0..count-1, of `width` elements each: in the order of the
   items on the calling thread where there are few, else in any order on the threads of apli_parallel. */
typedef void AplRangeRun(void *context, int64_t begin, int64_t end);
void apli_parallel_ranges(int64_t count, int64_t width, AplRangeRun *run, void *context);

#endif
