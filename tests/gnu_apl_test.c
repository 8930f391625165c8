/* The model page in GNU APL: the same files and the same small weights give the same logits there and here, each
   to 1e-6 of itself. Both run one script (the page, the weights as APL literals, calls of `llama`), so here too the
   page computes in f64 by its APL text: the kernels take f32 only. */
#include "gnu_apl.h"

#include "generate/engine.h"
#include "lang/embedded.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#define TINY SOURCE_DIR "/tests/data/tiny_llama_f32.gguf"
enum { MOST_LOGITS = 40000 };

/* ---- the script ---------------------------------------------------------------------------------------- */

/* A number as APL writes it; nine digits tell all f32 apart. */
static void append_number(AplText *script, double number) {
    char digits[40];
    snprintf(digits, sizeof digits, " %.9G", number);
    for (const char *at = digits; *at; at++)
        if (*at == '-') apli_text_append_string(script, "¯");
        else if (*at != '+') apli_text_append(script, at, 1);
}

/* NAME←shape⍴elements */
static AplErr append_variable(void *script, const char *name, AplArray *value) {
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(value, &plain));
    apli_text_printf(script, "%s←", name);
    if (apli_type_is_character((AplType)plain->type)) {
        apli_text_append_string(script, "'");
        for (int64_t i = 0; i < plain->count; i++) apli_text_append_codepoint(script, apli_char_at(plain, i));
        apli_text_append_string(script, "'\n");
        return APL_OK;
    }
    for (int axis = 0; axis < plain->rank; axis++)
        apli_text_printf(script, "%" PRId64 " ", plain->shape[axis]);
    if (plain->rank) apli_text_append_string(script, "⍴");
    for (int64_t i = 0; i < plain->count; i++) append_number(script, apli_f64_at(plain, i));
    apli_text_append_string(script, "\n");
    return APL_OK;
}

/* A display that no interpreter rounds or folds its own way: one number a line. */
static const char report[] =
    "∇report A;I\n"
    " A←,A\n"
    " I←0\n"
    "NEXT:A[I]\n"
    " →((⍴A)[0]>I←I+1)/NEXT\n"
    "∇\n"
    "⎕PP←16\n";

static void begin_script(AplText *script, const char *settings) {
    AplModel *model = NULL;
    if (apli_model_open(TINY, &model)) fail_msg("%s", apli_error_message());
    apli_text_append_string(script, "⎕IO←0\n");
    for (const AplEmbeddedFile *file = apli_embedded_files; file->name; file++)
        apli_text_append(script, file->text, file->length);
    apli_text_append_string(script, report);
    assert_int_equal(apli_model_define(model, append_variable, script), APL_OK);
    apli_model_close(model);
    apli_text_printf(script, "%s\nallocate 20\n", settings);
}

/* ---- running and comparing ----------------------------------------------------------------------------- */

/* The numbers of an output, in which nothing else may be. */
static int64_t read_numbers(const char *who, AplText *output, double *numbers) {
    APLI_AUTO_TEXT plain = {0};
    int64_t count = 0;
    const char *fault = strstr(apli_text_string(output), "ERROR");
    if (fault) fail_msg("%s: ...%.200s", who, fault);
    for (size_t at = 0; at < output->length;) {
        uint32_t character = apli_utf8_next(output->bytes, output->length, &at);
        apli_text_append_codepoint(&plain, character == 0xAF ? '-' : character); /* ¯ */
    }
    for (const char *at = apli_text_string(&plain); count < MOST_LOGITS;) {
        char *end;
        double number = strtod(at, &end);
        if (end == at) {
            if (at[strspn(at, " \n\r\t")]) fail_msg("%s printed %.60s", who, at);
            break;
        }
        numbers[count++] = number;
        at = end;
    }
    return count;
}

/* Runs the calls (each a line that reports logits) on both sides. */
static void agree(const char *settings, const char *calls, int64_t expected_count) {
    static double theirs[MOST_LOGITS], ours[MOST_LOGITS];
    APLI_AUTO_TEXT script = {0}, gnu_output = {0}, output = {0};
    AplSession *session;
    begin_script(&script, settings);
    apli_text_append_string(&script, calls);
    assert_int_equal(apli_text_status(&script), APL_OK);
    assert_true(run_in_gnu_apl(&script, &gnu_output));
    assert_int_equal(apli_session_new(&session), APL_OK);
    session->write = append_output;
    session->user = &output;
    if (apli_session_execute(session, "script", script.bytes, script.length, true, NULL))
        fail_msg("%s", session->report.bytes);
    apli_session_free(session);
    assert_int_equal(read_numbers("GNU APL", &gnu_output, theirs), expected_count);
    assert_int_equal(read_numbers("aplaca", &output, ours), expected_count);
    double largest = 0, difference = 0;
    for (int64_t i = 0; i < expected_count; i++) {
        largest = fmax(largest, fabs(theirs[i]));
        difference = fmax(difference, fabs(theirs[i] - ours[i]) / fabs(theirs[i]));
    }
    printf("%" PRId64 " logits up to %g: they differ by %.1g of themselves at most\n", expected_count, largest,
           difference);
    assert_true(largest > 0.01);
    assert_true(difference <= 1e-6);
}

/* A prompt at once, then single tokens, then the next tokens of two sequences in one call. */
#define PROMPT "report llama (1 40 77 310 5 263)(⍳6)(6⍴0)(⍳6)\n"
#define SINGLE "report llama (,299)(,6)(,0)(,0)\nreport llama (,3)(,7)(,0)(,0)\n"
#define CALLS PROMPT SINGLE \
    "report llama (319 120 0)(0 1 2)(1 1 1)(,2)\n" \
    "report llama (288 41 42 200)(8 3 9 4)(0 1 0 1)(⍳4)\n" \
    "forget CACHE_SEQ=0\n" \
    "report llama (77 40 2)(5 0 6)(1 2 1)(0 1 2)\n"
enum { CALLED = 6 + 2 + 1 + 4 + 3, VOCABULARY = 320 };

static void the_page_agrees_with_gnu_apl(void **state) {
    (void)state;
    agree("", CALLS, CALLED * VOCABULARY);
}

static void rotation_by_halves_agrees_with_gnu_apl(void **state) {
    (void)state;
    agree("ROPE_PAIRING←'halves'", CALLS, CALLED * VOCABULARY);
}

static void a_sliding_window_agrees_with_gnu_apl(void **state) {
    (void)state;
    agree("WINDOW_SIZE←3", CALLS, CALLED * VOCABULARY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_agrees_with_gnu_apl),
        cmocka_unit_test(rotation_by_halves_agrees_with_gnu_apl),
        cmocka_unit_test(a_sliding_window_agrees_with_gnu_apl),
    };
    return gnu_apl_is_here() ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
