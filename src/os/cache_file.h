/* Files that can be made again: in a directory of their own, found by a key, the least recently used ones removed when they grow
   past a limit. Several processes may use, make and remove the same file at once, and any of them may be killed: a file has its
   name only once it is whole, and who has it mapped keeps it.

   The directory is $APLACA_CACHE; otherwise aplaca/ of $XDG_CACHE_HOME or of ~/.cache. The limit is $APLACA_CACHE_GB, 20 when it
   is not set; 0 switches the cache off. */
#ifndef APLI_OS_CACHE_FILE_H
#define APLI_OS_CACHE_FILE_H

#include "os/map.h"

#include <stdint.h>

/* NULL, or why $APLACA_CACHE_GB could not be followed (the cache is off then). */
const char *apli_cache_complaint(void);

/* The file of this name, when it is there and has `size` bytes; marks it as used now. NULL otherwise. */
AplMap *apli_cache_find(const char *name, uint64_t size);

/* Makes the file: `fill` writes its bytes, which are 0 at first. NULL without a complaint when there can be none: the cache is
   off, the file larger than the limit allows, the disk full, the directory not writable. An error only when `fill` gives one. */
typedef AplErr AplCacheFill(void *context, uint8_t *bytes);
AplErr apli_cache_make(const char *name, uint64_t size, AplCacheFill *fill, void *context, AplMap **result);

#endif
