/* model/template against Jinja2 (tests/reference/make_template_fixture.py), and against hostile templates. */
#include "model/template.h"

#include "base/arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static json_t *fixture;

static int load_fixture(void **state) {
    (void)state;
    json_error_t error;
    fixture = json_load_file(SOURCE_DIR "/tests/data/templates.json", JSON_ALLOW_NUL, &error);
    return fixture ? 0 : -1;
}

static int free_fixture(void **state) {
    (void)state;
    json_decref(fixture);
    return 0;
}

static AplErr render(const char *text, size_t length, const json_t *context, AplText *output) {
    AplTemplate *template;
    AplErr error = apli_template_new("chat.jinja", text, length, &template);
    if (error) return error;
    error = apli_template_render(template, context, output);
    apli_template_free(template);
    return error;
}

/* Whether the case came out as the fixture has it; prints the difference. */
static bool as_expected(const json_t *expected, const json_t *template, const json_t *context) {
    APLI_AUTO_TEXT output = {0};
    AplErr error = render(json_string_value(template), json_string_length(template), context, &output);
    const json_t *text = json_object_get(expected, "output"), *raises = json_object_get(expected, "raises");
    const char *name = json_string_value(json_object_get(expected, "name"));
    const char *message = error ? apli_error_message() : "";
    if (text) {
        if (!error && output.length == json_string_length(text) &&
            memcmp(apli_text_string(&output), json_string_value(text), output.length) == 0)
            return true;
        fprintf(stderr, "%s: %.200s\nexpected <%s>\ngot      <%s> %s\n", name, json_string_value(template),
                json_string_value(text), apli_text_string(&output), message);
        return false;
    }
    if (error && !raises) return true;
    if (error && strstr(message, json_string_value(raises))) return true;
    const json_t *python = json_object_get(expected, raises ? "raises" : "error");
    fprintf(stderr, "%s: %.200s\nexpected the error %s\ngot <%s> %s\n", name, json_string_value(template),
            json_string_value(python), apli_text_string(&output), message);
    return false;
}

static void small_templates_render_as_jinja2_does(void **state) {
    (void)state;
    size_t i, wrong = 0;
    json_t *value;
    json_array_foreach(json_object_get(fixture, "small"), i, value) wrong +=
        !as_expected(value, json_object_get(value, "template"), json_object_get(fixture, "context"));
    assert_true(i > 200);
    assert_int_equal(wrong, 0);
}

static void chats_of_every_family_render_as_jinja2_does(void **state) {
    (void)state;
    size_t i, wrong = 0;
    json_t *value;
    json_array_foreach(json_object_get(fixture, "chats"), i, value) {
        const char *family = json_string_value(json_object_get(value, "template"));
        wrong += !as_expected(value, json_object_get(json_object_get(fixture, "families"), family),
                              json_object_get(value, "context"));
    }
    assert_true(i > 100);
    assert_int_equal(wrong, 0);
}

static void expect_error(const char *text, AplErr kind, const char *message) {
    APLI_AUTO_TEXT output = {0};
    AplErr error = render(text, strlen(text), json_object_get(fixture, "context"), &output);
    if (error != kind || strcmp(apli_error_message(), message) != 0)
        fail_msg("%.80s: error %d: %s", text, error, apli_error_message());
}

static void errors_name_the_template_and_the_line(void **state) {
    (void)state;
    expect_error("a\n{{ 1 + }}", APL_SYNTAX, "chat.jinja, line 2: expected an expression, found }}");
    expect_error("{% if n %}\n\nopen", APL_SYNTAX,
                 "chat.jinja, line 3: expected {% endif %}, found the end of the template");
    expect_error("{{ n|martian }}", APL_SYNTAX, "chat.jinja, line 1: there is no filter \"martian\"");
    expect_error("{{ 'open }}", APL_SYNTAX,
                 "chat.jinja, line 1: a string does not end: expected its closing quote");
    expect_error("\n{{ n ! }}", APL_SYNTAX,
                 "chat.jinja, line 2: the character with code 33 has no place in a tag");
    expect_error("\n\n{{ raise_exception('roles must alternate') }}", APL_DOMAIN,
                 "chat.jinja, line 3: roles must alternate");
    expect_error("{{ missing.name }}", APL_VALUE, "chat.jinja, line 1: 'missing' is undefined");
    expect_error("{{ d.missing.name }}", APL_VALUE,
                 "chat.jinja, line 1: 'dict object' has no attribute 'missing'");
    expect_error("{{ 9223372036854775807 + 1 }}", APL_LIMIT,
                 "chat.jinja, line 1: an integer of more than 64 bits");
    expect_error("\xFF", APL_FILE_DATA, "chat.jinja: byte 0 of the template is not UTF-8");
}

static void hostile_templates_end_with_a_limit_error(void **state) {
    (void)state;
    const char *templates[] = {
        "{{ range(1000000000) }}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% for k in range(100000) %}{% endfor %}{% "
        "endfor %}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% macro f() %}{% for i in range(99999) %}{{ f() }}{% endfor %}{% endmacro %}{{ f() }}",
        "{{ 'x' * 9999999999 }}",
        "{{ [0] * 9999999999 }}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s.replace('x', 'xx') %}{% "
        "endfor %}",
        "{% set ns = namespace(l=[]) %}{% for i in range(9999) %}{% set ns.l = [ns.l] %}{% endfor %}{{ ns.l "
        "}}",
        "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns }}",
        "{% for i in range(100000) %}{{ 'x' * 100000 }}{% endfor %}",
        "{{ '%99999999d' % 1 }}",
        "{{ 2 ** 99 }}",
    };
    for (size_t i = 0; i < sizeof templates / sizeof *templates; i++) {
        APLI_AUTO_TEXT output = {0};
        AplErr error =
            render(templates[i], strlen(templates[i]), json_object_get(fixture, "context"), &output);
        if (error != APL_LIMIT)
            fail_msg("%s: error %d: %s", templates[i], error, error ? apli_error_message() : "");
    }
}

static void deep_nesting_is_an_error_and_not_a_crash(void **state) {
    (void)state;
    const char *openings[] = {"{{ (",       "{{ [",
                              "{{ not ",    "{{ -",
                              "{% if n %}", "{% for i in list %}",
                              "{{ {1:",     "{{ f(",
                              "{{ n if ",   "{% macro m() %}",
                              "{{ n|d(",    "{% set (",
                              "{{ n[",      "{% for ("};
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        APLI_AUTO_TEXT text = {0}, output = {0};
        const char *again = openings[i] + (openings[i][1] == '{' ? 3 : 0);
        apli_text_append_string(&text, openings[i]);
        if (openings[i][1] == '%' && strchr(openings[i], '(')) again = "(";
        for (int k = 0; k < 100000; k++) apli_text_append_string(&text, again);
        assert_int_not_equal(render(text.bytes, text.length, json_object_get(fixture, "context"), &output),
                             APL_OK);
    }
    /* and long chains, which are deep trees */
    const char *links[] = {".a",          "[0]", "|upper",       "+1", "()",
                           " is defined", "*1",  " if n else 1", "~1", " and 1"};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
        APLI_AUTO_TEXT text = {0}, output = {0};
        apli_text_append_string(&text, "{{ n");
        for (int k = 0; k < 50000; k++) apli_text_append_string(&text, links[i]);
        apli_text_append_string(&text, " }}");
        AplErr error = render(text.bytes, text.length, json_object_get(fixture, "context"), &output);
        if (*links[i] != '~' && strcmp(links[i], " and 1") != 0) assert_int_not_equal(error, APL_OK);
    }
}

static void the_clock_is_asked_through_strftime_now(void **state) {
    (void)state;
    APLI_AUTO_TEXT output = {0};
    const char *text = "{{ strftime_now('%Y')|int > 2023 }}{{ strftime_now('%d %b %Y')|length }}";
    assert_int_equal(render(text, strlen(text), json_object_get(fixture, "context"), &output), APL_OK);
    assert_string_equal(apli_text_string(&output), "True11");
}

static void an_arena_gives_aligned_bytes_up_to_its_limit(void **state) {
    (void)state;
    AplArena arena = {.limit = 1 << 20};
    void *bytes;
    size_t given = 0;
    for (size_t size = 1; apli_arena_allocate(&arena, size, &bytes) == APL_OK; size = size * 3 % 1009) {
        assert_int_equal((uintptr_t)bytes % 16, 0);
        memset(bytes, 0xAA, size);
        given += size;
    }
    assert_true(given > (1 << 18) && given <= 1 << 20);
    apli_arena_reset(&arena);
    assert_int_equal(apli_arena_zeroed(&arena, 1000, &bytes), APL_OK);
    for (int i = 0; i < 1000; i++) assert_int_equal(((char *)bytes)[i], 0);
    apli_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_templates_render_as_jinja2_does),
        cmocka_unit_test(chats_of_every_family_render_as_jinja2_does),
        cmocka_unit_test(errors_name_the_template_and_the_line),
        cmocka_unit_test(hostile_templates_end_with_a_limit_error),
        cmocka_unit_test(deep_nesting_is_an_error_and_not_a_crash),
        cmocka_unit_test(the_clock_is_asked_through_strftime_now),
        cmocka_unit_test(an_arena_gives_aligned_bytes_up_to_its_limit),
    };
    return cmocka_run_group_tests(tests, load_fixture, free_fixture);
}
