/* The public functions of errors, memory and sessions. */
#include "lang/session.h"

#include "lang/token.h"
#include "prim/format/format.h"

#include "aplaca.h"
#include "api/api.h"

#include <string.h>

const char *apl_version(void) { return APLI_VERSION; }
const char *apl_error_name(AplErr kind) { return apli_error_name(kind); }
const char *apl_error_message(void) { return apli_error_message(); }
void apl_memory_set_limit(size_t bytes) { apli_memory_set_limit(bytes); }
size_t apl_memory_used(void) { return apli_memory_used(); }

AplErr apl_session_new(AplSession **result) { return apli_session_new(result); }
void apl_session_free(AplSession *session) { apli_session_free(session); }

void apl_session_set_output(AplSession *session, AplWrite *write, void *user) {
    session->write = write;
    session->user = user;
}

AplErr apl_session_execute(AplSession *session, const char *text, size_t length, AplArray **result) {
    return apli_session_execute(session, NULL, text, length, result == NULL, result);
}

const char *apl_session_report(const AplSession *session) { return apli_text_string(&session->report); }
void apl_session_interrupt(AplSession *session) { session->env.interrupted = 1; }

/* One name, and nothing else. */
static AplErr check_name(AplSession *session, const char *name) {
    AplSource *source;
    int32_t offset;
    TRY(apli_scan(&session->workspace, name, strlen(name), &source, &offset));
    bool is_name = source->token_count == 1 && source->tokens[0].kind == TOKEN_NAME && source->tokens[0].offset == 0 &&
                   strcmp(source->tokens[0].symbol->name, name) == 0;
    apli_source_release(source);
    FAIL_IF(!is_name, APL_SYNTAX, "'%.100s' is no name", name);
    return APL_OK;
}

AplErr apl_session_get(AplSession *session, const char *name, AplArray **result) {
    TRY(check_name(session, name));
    return apli_session_get(session, name, result);
}

AplErr apl_session_set(AplSession *session, const char *name, AplArray *value) {
    TRY(check_name(session, name));
    return apli_session_set(session, name, value);
}

AplErr apl_session_call(AplSession *session, const char *name, AplArray *left, AplArray *right, AplArray **result) {
    TRY(check_name(session, name));
    return apli_session_call(session, name, left, right, result);
}

AplErr apl_session_display(AplSession *session, AplArray *array, char *bytes, size_t capacity, size_t *length) {
    APLI_AUTO_TEXT text = {0};
    TRY(apli_display(&session->env, array, &text));
    return apli_api_give_text(&text, bytes, capacity, length);
}
