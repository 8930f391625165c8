/* Reports of errors: the kind and what disagreed, the line, a caret, the call stack. */
#ifndef APLI_LANG_REPORT_H
#define APLI_LANG_REPORT_H

#include "lang/frame.h"

/* Called once for each body that an error leaves, the innermost first. */
void apli_report_frame(AplFrame *frame, const AplStatement *statement, AplErr error);
/* For an error outside any body: in a text that could not be scanned or cut into statements. */
void apli_report_source(AplSession *session, const char *name, const char *text, size_t length, int32_t offset, AplErr error);
void apli_report_clear(AplSession *session);

#endif
