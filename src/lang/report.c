/* Reports of errors. */
#include "lang/report.h"

#include <string.h>

enum { MOST_CALLS = 8 };
enum { BYTES_BEFORE = 160, BYTES_AFTER = 120 }; /* shown around the fault in a long line */

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

static bool is_end(const char *text, int32_t length, int32_t at) {
    return at >= length || text[at] == '\n' || text[at] == '\r';
}

/* Whether a terminal shows the code point at *position, which then is the next one's. */
static bool is_shown(const char *text, int32_t length, int32_t *position) {
    size_t at = 0;
    uint32_t point = apli_utf8_next(text + *position, (size_t)(length - *position), &at);
    bool invalid = point == 0xFFFD && !apli_utf8_valid(text + *position, at, &(size_t){0});
    if (invalid || (point < ' ' && point != '\t') || (point >= 0x7F && point < 0xA0)) return false;
    *position += (int32_t)at;
    return true;
}

/* The line of text that holds offset, with a caret below the offset. Of a long line: what lies around the offset.
   The line is shown up to its first byte that is no text. */
static void add_line(AplText *report, const char *prefix, const char *text, int32_t length, int32_t offset) {
    int32_t fault = offset < length ? offset : length, begin = fault;
    while (begin > 0 && text[begin - 1] != '\n' && fault - begin < BYTES_BEFORE) begin--;
    bool later = begin > 0 && text[begin - 1] != '\n';
    while (later && begin < fault && ((unsigned char)text[begin] & 0xC0) == 0x80) begin++;
    while (begin < fault && (text[begin] == ' ' || text[begin] == '\t')) begin++;
    int32_t end = begin;
    while (!is_end(text, length, end) && end - fault < BYTES_AFTER && is_shown(text, length, &end)) continue;
    bool more = !is_end(text, length, end);
    apli_text_append_string(report, prefix);
    if (later) apli_text_append_string(report, "…");
    apli_text_append(report, text + begin, (size_t)(end - begin));
    apli_text_append_string(report, more ? "…\n" : "\n");
    int32_t before = fault < end ? fault : end;
    int indent = columns(prefix, (int32_t)strlen(prefix)) + later + columns(text + begin, before - begin);
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
