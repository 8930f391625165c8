/* Files that appear whole or not at all: written beside their name and renamed into place; and files that exist in memory
   only, to be opened again as any other. */
#ifndef APLI_OS_NEW_FILE_H
#define APLI_OS_NEW_FILE_H

#include "base/error.h"

#include <stddef.h>

typedef struct AplNewFile AplNewFile;

/* A file that will be called `path`, with the rights of the one that it replaces. FILE NAME or FILE ACCESS ERROR that names it, as
   for all that follows. */
AplErr apli_new_file(const char *path, AplNewFile **result);
/* A file without a directory: it lies in memory and goes with apli_new_file_free. `name` is what errors call it. */
AplErr apli_new_file_in_memory(const char *name, AplNewFile **result);
AplErr apli_new_file_write(AplNewFile *file, const void *bytes, size_t size);
/* What was written is on the disk and has its name. */
AplErr apli_new_file_commit(AplNewFile *file);
/* Under which this process, and others of the same user while it lives, open the file: its path once committed, for a
   file in memory /proc/<process>/fd/<number>. */
const char *apli_new_file_path(const AplNewFile *file);
/* Removes a file that was not committed; NULL is allowed. */
void apli_new_file_free(AplNewFile *file);

#endif
