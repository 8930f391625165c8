/* Time that only goes forward. */
#ifndef APLI_OS_CLOCK_H
#define APLI_OS_CLOCK_H

/* Seconds since some moment of the past, to nanoseconds; not affected by changes of the date. */
double apli_clock_seconds(void);

#endif
