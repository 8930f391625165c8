/* How much physical memory the process occupies. */
#ifndef APLI_OS_RESIDENT_H
#define APLI_OS_RESIDENT_H

#include <stdbool.h>
#include <stdint.h>

/* The most bytes that were resident at once, mapped files included, since the process began or since the last
   apli_resident_peak_reset that the system allowed. 0 when the system does not tell. */
int64_t apli_resident_peak(void);
/* Whether the system allowed it. */
bool apli_resident_peak_reset(void);

#endif
