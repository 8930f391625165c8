/* Text files' encodings: bytes ←→ code points. */
#ifndef APLI_PRIM_QUAD_ENCODING_H
#define APLI_PRIM_QUAD_ENCODING_H

#include "base/text.h"

#include <stdint.h>

typedef enum AplEncoding {
    APLI_UTF8,
    APLI_UTF16LE,
    APLI_UTF16BE,
    APLI_UTF32LE,
    APLI_UTF32BE,
    APLI_ASCII,
    APLI_WINDOWS1252,
    APLI_ENCODING_COUNT
} AplEncoding;

/* "UTF-16LE", without -BOM or -NOBOM. */
const char *apli_encoding_name(AplEncoding encoding);
/* The encoding of a name that may end in -BOM or -NOBOM; *mark tells which (the encoding's custom when it
   says nothing). DOMAIN ERROR for any other name. */
AplErr apli_encoding_named(const char *name, AplEncoding *encoding, bool *mark);
/* The byte order mark of an encoding: its length, 0 when it has none. */
size_t apli_encoding_mark(AplEncoding encoding, const char **bytes);
/* The encoding whose mark the bytes begin with. False: none. */
bool apli_encoding_marked(const char *bytes, size_t length, AplEncoding *encoding);
/* Code points, as UTF-8, from bytes. FILE DATA ERROR names the source and the first byte that is not of the
   encoding. */
AplErr apli_text_decode(const char *source, AplEncoding encoding, const char *bytes, size_t length,
                        AplText *utf8);
/* Appends one character; DOMAIN ERROR when the encoding has not got it. */
AplErr apli_text_encode(AplEncoding encoding, uint32_t character, AplText *bytes);

#endif
