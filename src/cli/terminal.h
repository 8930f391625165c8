/* What commands print besides their results: progress, and text of a file that may hold anything. */
#ifndef APLI_CLI_TERMINAL_H
#define APLI_CLI_TERMINAL_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

/* A bar on stderr, when that is a terminal; otherwise nothing. Starts as {0}. */
typedef struct AplProgress {
    double started, shown; /* seconds */
    bool visible;
} AplProgress;

/* `done` of `total` steps; note says what has come of it so far. */
void apli_progress_show(AplProgress *progress, int64_t done, int64_t total, const char *note);
/* Wipes the bar. */
void apli_progress_end(AplProgress *progress);

/* Appends text with whatever a terminal might act on as \n, \t or \xNN, and bytes that are not UTF-8 as \xNN. */
void apli_text_append_visible(AplText *text, const char *bytes, size_t length);
/* Appends "98.3 MB", by powers of 1000. */
void apli_text_append_bytes(AplText *text, double bytes);

#endif
