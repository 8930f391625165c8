/* A file mapped read-only into memory, shared by whoever holds a reference. At least a page past its end may be read too, and
   is zero: kernels read whole vectors. */
#ifndef APLI_OS_MAP_H
#define APLI_OS_MAP_H

#include "base/error.h"

#include <stdint.h>

typedef struct AplMap AplMap;

/* FILE NAME ERROR when there is no such file, FILE ACCESS ERROR when it may not be read or is a directory, FILE DATA ERROR
   when it is empty; each names the path. */
AplErr apli_map_open(const char *path, AplMap **result);
const uint8_t *apli_map_bytes(const AplMap *map);
uint64_t apli_map_size(const AplMap *map);
AplMap *apli_map_retain(AplMap *map);
/* Unmaps with the last reference; NULL is allowed. Takes void * to serve as the release function of a borrowed array. */
void apli_map_release(void *map);

#endif
