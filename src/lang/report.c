/* Reports of errors. */
#include "lang/report.h"

#include <string.h>

void apli_report_clear(AplSession *session) {
    apli_text_clear(&session->report);
    apli_text_clear(&session->trace);
    session->fault_offset = -1;
}

/* How many columns the bytes take: code points, without combining marks' finer points. */
static int columns(const char *bytes, int32_t length) {
    int count = 0;
    for (int32_t i = 0; i < length; i++) count += ((unsigned char)bytes[i] & 0xC0) != 0x80;
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
    apli_text_clear(&session->report);
    apli_text_clear(&session->last_message);
    session->last_error = error;
    apli_text_append_string(&session->last_message, apli_error_name(error));
    if (message[0]) apli_text_printf(&session->last_message, ": %s", message);
    apli_text_append(&session->report, session->last_message.bytes, session->last_message.length);
    apli_text_append_string(&session->report, "\n");
}

void apli_report_frame(AplFrame *frame, const AplStatement *statement, AplErr error) {
    AplSession *session = frame->session;
    const AplBody *body = frame->body;
    const AplSource *source = body->source;
    bool first = session->report.length == 0;
    int32_t offset = session->fault_offset;
    if (offset < 0) offset = source->tokens[statement->first].offset;
    char prefix[160] = "      ";
    if (body->kind == BODY_TRADFN) snprintf(prefix, sizeof prefix, "%.120s[%d] ", body->name->name, statement->line);
    else if (body->kind == BODY_DFN) snprintf(prefix, sizeof prefix, "{}[%d] ", statement->line);
    if (first) {
        add_head(session, error);
        add_line(&session->report, prefix, source->text, source->length, offset);
    } else if (session->report.length < 1 << 16) {
        add_line(&session->report, prefix, source->text, source->length, offset);
    }
    if (session->trace.length < 1 << 16) apli_text_printf(&session->trace, "%s\n", prefix);
}

void apli_report_source(AplSession *session, const char *name, const char *text, size_t length, int32_t offset, AplErr error) {
    if (session->report.length) return;
    add_head(session, error);
    char prefix[160];
    int line = 1;
    for (int32_t i = 0; i < offset && (size_t)i < length; i++) line += text[i] == '\n';
    if (name) snprintf(prefix, sizeof prefix, "%.120s:%d: ", name, line);
    else snprintf(prefix, sizeof prefix, "      ");
    add_line(&session->report, prefix, text, (int32_t)length, offset);
}
