/* A session: a workspace, its settings, and the report of the last error. */
#ifndef APLI_LANG_SESSION_H
#define APLI_LANG_SESSION_H

#include "base/text.h"
#include "lang/workspace.h"
#include "prim/prim.h"

#include <stdio.h>

typedef struct AplFrame AplFrame;
typedef struct AplSession AplSession;

struct AplSession {
    AplEnv env; /* first, so that a primitive's env->session finds its way back */
    AplWorkspace workspace;
    AplFrame *frame; /* the innermost running one */
    bool last_was_shy; /* the last defined function's result is not to be displayed */
    int32_t fault_offset; /* of the error under way, in the innermost body; -1: not known yet */
    AplText report; /* the last error as it is displayed */
    const char *text_name; /* what runs, for reports: its name, or NULL, and its first line's number */
    int32_t text_line;
    int32_t reported_calls; /* since the report began or last left some out */
    AplErr last_error; /* ⎕EN */
    AplText last_diagnostic; /* ⎕DM: the message, the line, the caret */
    AplArray *arguments; /* the command line, for scripts */
    /* Where output goes and input comes from; NULL: stdout and stdin. */
    void (*write)(void *user, const char *bytes, size_t length);
    AplErr (*read_line)(void *user, const char *prompt, AplText *line);
    void *user;
};

AplErr apli_session_new(AplSession **result);
void apli_session_free(AplSession *session);
/* Removes every name and sets the system variables as they were. Nothing may be running. */
void apli_session_clear(AplSession *session);
/* Executes lines of APL (definitions with ∇ included); name is what reports call the text. The value of the last line that
   has one and is not shy is displayed when `display`, as every line's is; otherwise it is handed over in *result. */
AplErr apli_session_execute(AplSession *session, const char *name, const char *text, size_t length, bool display,
                            AplArray **result);
void apli_session_write(AplSession *session, const char *bytes, size_t length);
/* ⎕FX: defines a tradfn from its text; *symbol is its name. */
AplErr apli_session_define(AplSession *session, const char *text, size_t length, AplSymbol **symbol);
/* Variables by name: get retains; VALUE ERROR when there is none. set retains value. */
AplErr apli_session_get(AplSession *session, const char *name, AplArray **result);
AplErr apli_session_set(AplSession *session, const char *name, AplArray *value);
/* Calls a defined function by name; left may be NULL; *result is NULL when it gave none. Errors leave a report. */
AplErr apli_session_call(AplSession *session, const char *name, AplArray *left, AplArray *right, AplArray **result);

#endif
