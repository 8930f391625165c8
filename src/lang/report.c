/* Reports of errors. */
#include "lang/report.h"

#include <string.h>

enum { MOST_CALLS = 8 };

void apli_report_clear(AplSession *session) {
    session->reported_calls = 0;
    apli_text_clear(&session->report);
    session->fault_offset = -1;
}

/* How many columns the bytes take: code points, without combining marks' finer points. */
static int columns(const char *bytes, int32_t length) {
    int count = 0;
    for (int32_t i = 0; i < length; i++) count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
    return count;
}

static int lines(const char *text, int32_t length) {
    int count = 0;
    for (int32_t i = 0; i < length; i++) count += text[i] == '\n';
    return count;
}

/* The line of text that holds offset, with a caret below the offset. */
static void add_line(AplText *report, const char *prefix, const char *text, int32_t length, int32_t offset) {
    int32_t begin = offset < length ? offset : length, end = begin;
    while (begin > 0 && text[begin - 1] != '\n') begin--;
    while (end < length && text[end] != '\n') end++;
    while (begin < offset && (text[begin] == ' ' || text[begin] == '\t')) begin++;
    apli_text_append_string(report, prefix);
    apli_text_append(report, text + begin, (size_t)(end - begin));
    apli_text_append_string(report, "\n");
    int indent = columns(prefix, (int32_t)strlen(prefix)) + columns(text + begin, offset - begin);
    apli_text_printf(report, "%*s∧\n", indent, "");
}

static void add_head(AplSession *session, AplErr error) {
    const char *message = apli_error_message();
    AplText *texts[] = {&session->report, &session->last_diagnostic};
    session->last_error = error;
    for (int i = 0; i < 2; i++) {
        apli_text_clear(texts[i]);
        apli_text_printf(texts[i], "%s%s%s\n", apli_error_name(error), message[0] ? ": " : "", message);
    }
}

void apli_report_frame(AplFrame *frame, const AplStatement *statement, AplErr error) {
    AplSession *session = frame->session;
    const AplBody *body = frame->body;
    const AplSource *source = body->source;
    bool first = session->report.length == 0;
    int32_t offset = session->fault_offset;
    if (offset < 0) offset = source->tokens[statement->first].offset;
    char prefix[160] = "      ";
    if (body->kind != BODY_IMMEDIATE)
        snprintf(prefix, sizeof prefix, "%.120s[%d] ", body->name ? body->name->name : "{}", statement->line);
    else if (!frame->caller && session->text_name)
        snprintf(prefix, sizeof prefix, "%.120s:%d: ", session->text_name, session->text_line + lines(source->text, offset));
    if (first) {
        add_head(session, error);
        add_line(&session->last_diagnostic, prefix, source->text, source->length, offset);
    }
    /* of deep calls the innermost, and the line where they began */
    if (++session->reported_calls > MOST_CALLS && body->kind != BODY_IMMEDIATE) return;
    if (session->reported_calls > MOST_CALLS + 1)
        apli_text_printf(&session->report, "      ... %d calls between\n", session->reported_calls - MOST_CALLS - 1);
    if (session->reported_calls > MOST_CALLS) session->reported_calls = MOST_CALLS;
    add_line(&session->report, prefix, source->text, source->length, offset);
}

void apli_report_source(AplSession *session, const char *name, const char *text, size_t length, int32_t offset, AplErr error) {
    if (session->report.length) return;
    add_head(session, error);
    char prefix[160] = "      ";
    if (offset > (int32_t)length) offset = (int32_t)length;
    if (name) snprintf(prefix, sizeof prefix, "%.120s:%d: ", name, 1 + lines(text, offset));
    add_line(&session->last_diagnostic, prefix, text, (int32_t)length, offset);
    add_line(&session->report, prefix, text, (int32_t)length, offset);
}
