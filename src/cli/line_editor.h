/* A line from a terminal, with editing and a history that is kept between sessions (libedit). */
#ifndef APLI_CLI_LINE_EDITOR_H
#define APLI_CLI_LINE_EDITOR_H

#include "base/error.h"
#include "base/text.h"

typedef struct AplLineEditor AplLineEditor;

typedef enum AplLineOutcome { APLI_LINE_READ, APLI_LINE_INTERRUPTED, APLI_LINE_END } AplLineOutcome;

/* `program` is what ~/.editrc calls it; the history lies in the user's state directory under aplaca/`history`, for its
   owner alone. `glyphs`: a backquote and a key write an APL character. */
AplErr apli_line_editor_new(const char *program, const char *history, bool glyphs, AplLineEditor **result);
/* Keeps the history. */
void apli_line_editor_free(AplLineEditor *editor);
/* Appends a line, without its newline. INTERRUPTED: Ctrl-C; END: Ctrl-D, or no more input. */
AplLineOutcome apli_line_read(AplLineEditor *editor, const char *prompt, AplText *line);

#endif
