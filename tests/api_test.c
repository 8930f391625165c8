/* The public functions, seen as a program outside sees them: only aplaca.h. */
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "aplaca.h"

#include <stdio.h>
#include <string.h>

static AplSession *new_session(void) {
    AplSession *session;
    assert_int_equal(apl_session_new(&session), APL_OK);
    return session;
}

static AplArray *value_of(AplSession *session, const char *text) {
    AplArray *value;
    assert_int_equal(apl_session_execute(session, text, strlen(text), &value), APL_OK);
    return value;
}

static void error_kinds_are_those_of_the_library(void **state) {
    (void)state;
    assert_string_equal(apl_error_name(APL_WS_FULL), "WS FULL");
    assert_string_equal(apl_error_name(APL_LENGTH), "LENGTH ERROR");
    assert_string_equal(apl_error_name(APL_NONCE), "NONCE ERROR");
    assert_string_equal(apl_error_name(APL_FILE_DATA), "FILE DATA ERROR");
    assert_string_equal(apl_error_name(APL_DEFN), "DEFN ERROR");
    assert_string_equal(apl_error_name(APL_INTERRUPT), "INTERRUPT");
}

static void arrays_go_in_and_come_out(void **state) {
    (void)state;
    AplSession *session = new_session();
    const float numbers[] = {1, 2.5f, 3, 4, 5, 6};
    const int64_t shape[] = {2, 3};
    AplArray *array, *back;
    assert_int_equal(apl_array_f32(numbers, 2, shape, &array), APL_OK);
    assert_int_equal(apl_array_type(array), APL_TYPE_FLOAT32);
    assert_int_equal(apl_session_set(session, "X", array), APL_OK);
    apl_array_release(array);
    back = value_of(session, "⍉X");
    int64_t got[2];
    assert_int_equal(apl_array_rank(back), 2);
    apl_array_shape(back, got);
    assert_int_equal(got[0], 3);
    assert_int_equal(got[1], 2);
    double values[6];
    assert_int_equal(apl_array_copy_f64(back, values, 6), APL_OK);
    const double expected[] = {1, 4, 2.5, 5, 3, 6};
    assert_memory_equal(values, expected, sizeof expected);
    assert_int_equal(apl_array_copy_f64(back, values, 5), APL_LENGTH);
    int64_t integers[6];
    assert_int_equal(apl_array_copy_i64(back, integers, 6), APL_DOMAIN); /* 2.5 */
    apl_array_release(back);
    assert_int_equal(apl_session_get(session, "X", &back), APL_OK);
    apl_array_release(back);
    assert_int_equal(apl_session_get(session, "NOTHING", &back), APL_VALUE);
    assert_int_equal(apl_session_get(session, "1 2", &back), APL_SYNTAX);
    apl_session_free(session);
}

static void integers_booleans_and_scalars_keep_their_values(void **state) {
    (void)state;
    const int64_t big[] = {INT64_MIN, -1, INT64_MAX};
    const int64_t three = 3;
    int64_t back[3];
    AplArray *array;
    assert_int_equal(apl_array_i64(big, 1, &three, &array), APL_OK);
    assert_int_equal(apl_array_copy_i64(array, back, 3), APL_OK);
    assert_memory_equal(back, big, sizeof big);
    apl_array_release(array);
    const uint8_t bits[] = {0, 1, 7};
    assert_int_equal(apl_array_bool(bits, 1, &three, &array), APL_OK);
    assert_int_equal(apl_array_type(array), APL_TYPE_BOOLEAN);
    assert_int_equal(apl_array_copy_i64(array, back, 3), APL_OK);
    assert_true(back[0] == 0 && back[1] == 1 && back[2] == 1);
    apl_array_release(array);
    const int32_t seven = 7;
    assert_int_equal(apl_array_i32(&seven, 0, NULL, &array), APL_OK);
    assert_int_equal(apl_array_rank(array), 0);
    assert_int_equal(apl_array_type(array), APL_TYPE_INT8);
    apl_array_release(array);
    assert_int_equal(apl_array_i32(&seven, 16, back, &array), APL_RANK);
}

static void text_is_utf8_both_ways(void **state) {
    (void)state;
    AplArray *array;
    char bytes[16];
    size_t length;
    assert_int_equal(apl_array_text("a⍴é", 6, &array), APL_OK);
    assert_int_equal(apl_array_count(array), 3);
    assert_int_equal(apl_array_copy_text(array, bytes, sizeof bytes, &length), APL_OK);
    assert_string_equal(bytes, "a⍴é");
    assert_int_equal(length, 6);
    assert_int_equal(apl_array_copy_text(array, bytes, 3, &length), APL_OK);
    assert_int_equal(length, 6);
    apl_array_release(array);
    assert_int_equal(apl_array_text("\xff", 1, &array), APL_DOMAIN);
}

static void nested_arrays_hold_their_items(void **state) {
    (void)state;
    AplSession *session = new_session();
    AplArray *items[2], *pair, *item;
    const int64_t two = 2;
    assert_int_equal(apl_array_text("abc", 3, &items[0]), APL_OK);
    items[1] = value_of(session, "2 2⍴⍳4");
    assert_int_equal(apl_array_nested(items, 1, &two, &pair), APL_OK);
    apl_array_release(items[0]);
    apl_array_release(items[1]);
    assert_int_equal(apl_array_type(pair), APL_TYPE_NESTED);
    assert_int_equal(apl_array_item(pair, 1, &item), APL_OK);
    assert_int_equal(apl_array_rank(item), 2);
    apl_array_release(item);
    assert_int_equal(apl_array_item(pair, 2, &item), APL_INDEX);
    char text[256];
    size_t length;
    assert_int_equal(apl_session_display(session, pair, text, sizeof text, &length), APL_OK);
    assert_string_equal(text, " abc  1 2 \n      3 4 \n");
    apl_array_release(pair);
    apl_session_free(session);
}

static void collect(void *user, const char *bytes, size_t length) { strncat(user, bytes, length); }

static void output_errors_and_calls_reach_the_caller(void **state) {
    (void)state;
    char output[256] = "";
    AplSession *session = new_session();
    AplArray *right, *result;
    apl_session_set_output(session, collect, output);
    static const char define[] = "∇R←A plus B\n R←A+B\n∇\n1+1\n⎕←'hi'";
    assert_int_equal(apl_session_execute(session, define, strlen(define), NULL), APL_OK);
    assert_string_equal(output, "2\nhi\n");
    right = value_of(session, "1 2 3");
    assert_int_equal(apl_session_call(session, "plus", right, right, &result), APL_OK);
    int64_t sums[3];
    assert_int_equal(apl_array_copy_i64(result, sums, 3), APL_OK);
    assert_int_equal(sums[2], 6);
    apl_array_release(result);
    static const char monadic[] = "∇R←only X\nR←X\n∇";
    assert_int_equal(apl_session_execute(session, monadic, strlen(monadic), NULL), APL_OK);
    assert_int_equal(apl_session_call(session, "only", right, right, &result), APL_SYNTAX);
    assert_string_equal(apl_session_report(session), "SYNTAX ERROR: only takes no left argument\n      only\n      ∧\n");
    apl_array_release(right);
    static const char wrong[] = "1 2+1 2 3";
    assert_int_equal(apl_session_execute(session, wrong, strlen(wrong), &result), APL_LENGTH);
    assert_non_null(strstr(apl_session_report(session), "LENGTH ERROR: lengths 2 and 3\n      1 2+1 2 3\n         ∧\n"));
    assert_non_null(strstr(apl_error_message(), "lengths 2 and 3"));
    apl_session_interrupt(session);
    assert_int_equal(apl_session_execute(session, "⍳3", strlen("⍳3"), &result), APL_INTERRUPT);
    apl_session_free(session);
}

static const char *model_path(void) { return SOURCE_DIR "/models/smollm2-135m-instruct-q4_1.gguf"; }

static int append(void *user, const char *bytes, size_t length) {
    strncat(user, bytes, length);
    return 1;
}

static void a_model_answers_the_same_for_the_same_seed(void **state) {
    (void)state;
    FILE *file = fopen(model_path(), "r");
    if (!file) skip();
    fclose(file);
    AplModelOptions options;
    AplLanguageModel *model;
    apl_model_options_init(&options, sizeof options);
    options.context = 128;
    assert_int_equal(apl_model_open(model_path(), &options, &model), APL_OK);
    assert_int_equal(apl_model_context(model), 128);
    int32_t tokens[16];
    size_t count, length;
    char text[64];
    assert_int_equal(apl_model_encode(model, "Hello, world", 12, 0, tokens, 16, &count), APL_OK);
    assert_int_equal(apl_model_decode(model, tokens, count, text, sizeof text, &length), APL_OK);
    assert_string_equal(text, "Hello, world");
    char answers[3][512] = {"", "", ""};
    for (int i = 0; i < 3; i++) {
        AplAskOptions ask;
        AplAskResult result = {.size = sizeof result};
        apl_ask_options_init(&ask, sizeof ask);
        ask.seed = 7;
        ask.limit = 8;
        ask.raw = i == 2;
        ask.receive = append;
        ask.user = answers[i];
        const char *prompt = ask.raw ? "The capital of France is" : "What is the capital of France?";
        assert_int_equal(apl_model_ask(model, prompt, &ask, &result), APL_OK);
        assert_true(result.answer_tokens > 0 && result.answer_tokens <= 8);
        apl_model_forget(model);
    }
    assert_string_equal(answers[0], answers[1]);
    AplArray *weights;
    assert_int_equal(apl_session_get(apl_model_session(model), "WQ", &weights), APL_OK);
    assert_int_equal(apl_array_rank(weights), 3);
    assert_int_equal(apl_array_type(weights), 43);
    apl_array_release(weights);
    apl_model_close(model);
    assert_int_equal(apl_model_open("/there/is/no.gguf", NULL, &model), APL_FILE_NAME);
}

/* ⍺⍺ is a value in one call and a function in the next, and the statement is parsed for each. */
static void a_statement_parsed_again_keeps_only_its_last_parse(void **state) {
    (void)state;
    AplSession *session;
    static const char define[] = "operator←{B←⍺⍺ ⋄ 1}\n"
                                 "∇R←alternate N;I\n"
                                 ":For I :In ⍳N\nR←(I operator)1 ⋄ R←(-operator)1\n:EndFor\n∇\nR←alternate 100\n";
    static const char often[] = "R←alternate 20000";
    assert_int_equal(apl_session_new(&session), APL_OK);
    assert_int_equal(apl_session_execute(session, define, strlen(define), NULL), APL_OK);
    const size_t before = mallinfo2().uordblks;
    assert_int_equal(apl_session_execute(session, often, strlen(often), NULL), APL_OK);
    assert_true(mallinfo2().uordblks < before + (1 << 20));
    apl_session_free(session);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_kinds_are_those_of_the_library),
        cmocka_unit_test(arrays_go_in_and_come_out),
        cmocka_unit_test(integers_booleans_and_scalars_keep_their_values),
        cmocka_unit_test(text_is_utf8_both_ways),
        cmocka_unit_test(nested_arrays_hold_their_items),
        cmocka_unit_test(output_errors_and_calls_reach_the_caller),
        cmocka_unit_test(a_statement_parsed_again_keeps_only_its_last_parse),
        cmocka_unit_test(a_model_answers_the_same_for_the_same_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
