/* `aplaca apl` on a terminal: a line, its answer, the next line. */
#ifndef APLI_CLI_APL_SESSION_H
#define APLI_CLI_APL_SESSION_H

#include "lang/session.h"

/* Until )OFF or Ctrl-D; the exit status. */
int apli_apl_session(AplSession *session);
/* Whether a text needs more lines: a { or a ∇ definition is still open. */
bool apli_text_goes_on(const char *text, size_t length);

#endif
