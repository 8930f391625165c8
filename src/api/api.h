/* What the public functions share. */
#ifndef APLI_API_API_H
#define APLI_API_API_H

#include "base/error.h"
#include "base/text.h"

/* Text into a caller's room, cut to fit, with a NUL after it; *length is its whole length. */
AplErr apli_api_give_text(const AplText *text, char *bytes, size_t capacity, size_t *length);

#endif
