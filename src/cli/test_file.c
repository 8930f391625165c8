/* Runs a file of APL expectations. */
#include "cli/test_file.h"

#include "base/text.h"
#include "cli/command.h"
#include "lang/session.h"
#include "prim/format/format.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Test {
    AplSession *session;
    const char *path;
    int line;
    int passed, failed;
} Test;

__attribute__((format(printf, 2, 3))) static void failure(Test *test, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    printf("%s:%d: ", test->path, test->line);
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    test->failed++;
}

static void show(const char *what, AplSession *session, AplArray *value) {
    APLI_AUTO_TEXT text = {0};
    if (apli_display(&session->env, value, &text) == APL_OK) printf("  %s (%s, shape %s):\n%s", what, apli_types[value->type].name,
                                                                    apli_shape_text(value), apli_text_string(&text));
}

/* A value, or NULL with the report printed. */
static AplArray *value_of(Test *test, const char *text, size_t length) {
    AplArray *value = NULL, *plain = NULL;
    AplErr error = apli_session_execute(test->session, NULL, text, length, false, &value);
    if (error || !value) {
        failure(test, "%.*s: %s", (int)length, text, error ? apli_text_string(&test->session->report) : "no value");
        return NULL;
    }
    if (value->type == APLI_PACKED) return value;
    if (apli_plain(value, &plain) == APL_OK) {
        apli_array_release(value);
        value = plain;
    }
    return value;
}

static bool near(const AplArray *a, const AplArray *b) {
    if (!apli_same_shape(a, b)) return false;
    if (a->type == APLI_NESTED || b->type == APLI_NESTED) {
        if (a->type != b->type) return false;
        for (int64_t i = 0; i < a->count; i++)
            if (!near(apli_items(a)[i], apli_items(b)[i])) return false;
        return true;
    }
    if (apli_type_is_character((AplType)a->type) != apli_type_is_character((AplType)b->type)) return a->count == 0;
    for (int64_t i = 0; i < a->count; i++) {
        double x = apli_f64_at(a, i), y = apli_f64_at(b, i);
        if (!(fabs(x - y) <= 1e-6 * fmax(fmax(fabs(x), fabs(y)), 1e-6)) && x != y) return false;
    }
    return true;
}

/* Identical: types too, except that of an empty array's numbers. */
static bool identical(const AplEnv *env, const AplArray *a, const AplArray *b) {
    if (a->type != b->type && a->count) return false;
    if (a->form != b->form) return false;
    if (a->form != APLI_PLAIN) return false;
    if (a->type == APLI_NESTED && apli_same_shape(a, b)) {
        for (int64_t i = 0; i < a->count; i++)
            if (!identical(env, apli_items(a)[i], apli_items(b)[i])) return false;
    }
    return apli_match(env, a, b);
}

static void compare(Test *test, const char *left, size_t left_length, const char *right, bool loose) {
    APLI_AUTO AplArray *value = value_of(test, left, left_length), *expected = NULL;
    if (!value) return;
    expected = value_of(test, right, strlen(right));
    if (!expected) return;
    if (loose ? near(value, expected) : identical(&test->session->env, value, expected)) {
        test->passed++;
        return;
    }
    failure(test, "%.*s", (int)left_length, left);
    show("value", test->session, value);
    show("expected", test->session, expected);
}

static void expect_error(Test *test, const char *text, size_t length, const char *expected) {
    APLI_AUTO AplArray *value = NULL;
    AplErr error = apli_session_execute(test->session, NULL, text, length, false, &value);
    if (!error) {
        failure(test, "%.*s: no error, expected %s", (int)length, text, expected);
        if (value) show("value", test->session, value);
        return;
    }
    const char *kind = apli_error_name(error), *report = apli_text_string(&test->session->report);
    const char *part = strchr(expected, ':');
    size_t kind_length = part ? (size_t)(part - expected) : strlen(expected);
    bool same = strlen(kind) == kind_length && strncmp(kind, expected, kind_length) == 0;
    if (same && part) same = strstr(report, part + 1 + strspn(part + 1, " ")) != NULL;
    if (same) test->passed++;
    else failure(test, "%.*s: expected %s, got\n%s", (int)length, text, expected, report);
}

/* The lines that follow and begin with │ are the display; returns where they end. */
static const char *expect_display(Test *test, const char *text, size_t length, const char *next) {
    static const char bar[] = "│";
    APLI_AUTO_TEXT expected = {0}, display = {0};
    while (strncmp(next, bar, strlen(bar)) == 0) {
        size_t line = strcspn(next, "\n");
        apli_text_append(&expected, next + strlen(bar), line - strlen(bar));
        apli_text_append_string(&expected, "\n");
        next += line + (next[line] == '\n');
    }
    APLI_AUTO AplArray *value = value_of(test, text, length);
    if (!value) return next;
    if (apli_display(&test->session->env, value, &display) == APL_OK &&
        strcmp(apli_text_string(&display), apli_text_string(&expected)) == 0) {
        test->passed++;
    } else {
        failure(test, "%.*s displays\n%sexpected\n%s", (int)length, text, apli_text_string(&display), apli_text_string(&expected));
    }
    return next;
}

static void execute(Test *test, const char *text, size_t length) {
    if (apli_session_execute(test->session, NULL, text, length, false, NULL))
        failure(test, "%s", apli_text_string(&test->session->report));
}

static AplErr read_file(const char *path, AplText *text) {
    FILE *file = fopen(path, "r");
    FAIL_IF(!file, APL_FILE_NAME, "%s cannot be opened", path);
    char buffer[1 << 14];
    size_t count;
    while ((count = fread(buffer, 1, sizeof buffer, file)) > 0) apli_text_append(text, buffer, count);
    fclose(file);
    return apli_text_status(text);
}

/* Runs the test, definition or statement that begins at `line`; returns the next one's beginning. */
static const char *run_line(Test *test, char *line) {
    size_t length = strcspn(line, "\n"), indent = strspn(line, " ");
    char *next = line + length + (line[length] == '\n');
    if (strncmp(line + indent, "∇", strlen("∇")) == 0) { /* a definition: up to the line that is ∇ */
        char *end = strstr(line + indent + 3, "\n∇");
        if (!end) {
            failure(test, "a definition has no closing ∇");
            return line + strlen(line);
        }
        end += strlen("\n∇");
        execute(test, line, (size_t)(end - line));
        for (char *c = line; c < end; c++) test->line += *c == '\n';
        return end + (*end == '\n');
    }
    char saved = line[length];
    line[length] = 0;
    static const struct { const char *mark; int kind; } marks[] = {{" ←→ ", 0}, {" ←~→ ", 1}, {" ←✗→ ", 2}, {" ←⎕→", 3}};
    char *mark = NULL;
    int kind = -1;
    for (int i = 0; i < 4 && !mark; i++) {
        mark = strstr(line, marks[i].mark);
        if (mark) kind = i;
    }
    const char *after = next;
    if (!mark) {
        if (line[indent] && strncmp(line + indent, "⍝", strlen("⍝")) != 0) execute(test, line, length);
    } else {
        size_t left = (size_t)(mark - line);
        const char *right = mark + strlen(marks[kind].mark);
        if (kind <= 1) compare(test, line, left, right, kind == 1);
        else if (kind == 2) expect_error(test, line, left, right);
        else after = expect_display(test, line, left, next);
    }
    line[length] = saved;
    for (const char *c = next; c < after; c++) test->line += *c == '\n';
    return after;
}

int apli_test_file(const char *path) {
    Test test = {.path = path, .line = 0};
    APLI_AUTO_TEXT text = {0};
    AplErr error = read_file(path, &text);
    if (!error) error = apli_session_new(&test.session);
    if (error) return apli_complain(error);
    char *line = text.bytes;
    while (line && *line) {
        test.line++;
        line = (char *)run_line(&test, line);
    }
    apli_session_free(test.session);
    printf("%d passed, %d failed\n", test.passed, test.failed);
    return test.failed || !test.passed;
}
