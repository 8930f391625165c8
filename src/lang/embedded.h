/* The APL files of apl/, made part of the library by the build (cmake/embed.cmake). */
#ifndef APLI_LANG_EMBEDDED_H
#define APLI_LANG_EMBEDDED_H

#include <stddef.h>

typedef struct AplEmbeddedFile {
    const char *name; /* "llama.apl" */
    const char *text; /* UTF-8, followed by a NUL */
    size_t length;
} AplEmbeddedFile;

/* In order of name; the entry after the last has a NULL name. */
extern const AplEmbeddedFile apli_embedded_files[];

#endif
