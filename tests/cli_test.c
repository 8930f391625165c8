/* The program itself: what it answers to good and to bad command lines. A case is a row: the command as a
   shell reads it, its exit status, and what standard output and standard error must contain. */
#include "base/text.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define TINY SOURCE_DIR "/tests/data/tiny_llama_f32.gguf"

typedef struct Case {
    const char *command;
    int status;
    const char *output, *error; /* NULL: nothing at all */
} Case;

static char folder[] = "/tmp/aplaca_cli_test_XXXXXX";

static void read_whole(const char *name, AplText *text) {
    char path[256], buffer[4096];
    size_t count;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    while ((count = fread(buffer, 1, sizeof buffer, file)) > 0) apli_text_append(text, buffer, count);
    fclose(file);
}

/* Runs a command in a folder of its own, with nothing on standard input; $tiny is a model, $program the
   program's path. */
static int run(const char *command, AplText *output, AplText *error) {
    char line[2048];
    snprintf(line, sizeof line,
             "cd %s; program=" PROGRAM "; tiny=" TINY
             "; PATH=${program%%/*}:$PATH; { %s; } </dev/null >out 2>err",
             folder, command);
    const int status = system(line);
    assert_true(WIFEXITED(status));
    read_whole("out", output);
    read_whole("err", error);
    return WEXITSTATUS(status);
}

static void expect_part(const char *command, const char *where, const AplText *text, const char *part) {
    if (part ? !strstr(apli_text_string(text), part) : text->length > 0)
        fail_msg("%s: %s is\n%s\nwithout\n%s", command, where, apli_text_string(text),
                 part ? part : "a byte");
}

static void expect(const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        APLI_AUTO_TEXT output = {0}, error = {0};
        const int status = run(cases[i].command, &output, &error);
        if (status != cases[i].status)
            fail_msg("%s: status %d, not %d\n%s%s", cases[i].command, status, cases[i].status,
                     apli_text_string(&output), apli_text_string(&error));
        expect_part(cases[i].command, "standard output", &output, cases[i].output);
        expect_part(cases[i].command, "standard error", &error, cases[i].error);
    }
}

#define EXPECT(...) \
    do { \
        const Case cases[] = {__VA_ARGS__}; \
        expect(cases, sizeof cases / sizeof *cases); \
    } while (0)

static void wrong_options_are_named_with_their_value(void **state) {
    (void)state;
    EXPECT(
        {"aplaca", 2, NULL, "usage: aplaca COMMAND"}, {"aplaca fly", 2, NULL, "there is no command 'fly'"},
        {"aplaca run --flly", 2, NULL, "aplaca run: there is no option '--flly'"},
        {"aplaca run -p", 2, NULL, "aplaca run: -p needs a value: PROMPT"},
        {"aplaca run -n many -p x", 2, NULL, "-n takes a whole number, not 'many'"},
        {"aplaca run -n 5x -p x", 2, NULL, "-n takes a whole number, not '5x'"},
        {"aplaca run -n 0 -p x", 2, NULL, "-n takes a number from 1 to 1073741824, not '0'"},
        {"aplaca run --temp=warm -p x", 2, NULL, "--temp takes a number, not 'warm'"},
        {"aplaca run --temp nan -p x", 2, NULL, "--temp takes a number, not 'nan'"},
        {"aplaca run --top-p 1.5 -p x", 2, NULL, "--top-p takes a number from 0 to 1, not '1.5'"},
        {"aplaca run --seed 99999999999999999999 -p x", 2, NULL,
         "--seed takes a whole number, not '99999999999999999999'"},
        {"aplaca run --json=yes -p x", 2, NULL, "--json takes no value, not 'yes'"},
        {"aplaca run -p x -f y", 2, NULL, "-p and -f each give a prompt"},
        {"aplaca run -p x --raw --system y", 2, NULL, "--raw has no place for a --system message"},
        {"aplaca run a.gguf b.gguf -p x", 2, NULL, "'b.gguf' is one argument too many"},
        {"aplaca eval perplexity", 2, NULL, "no measure and text is given"},
        {"aplaca eval accuracy text", 2, NULL, "there is no measure 'accuracy'; known are: perplexity"},
        {"aplaca eval perplexity text --ctx 2", 2, NULL, "--ctx takes a number from 4 to 16777216, not '2'"},
        {"aplaca run --kv f8 -p x", 2, NULL, "--kv takes one of auto|q12|f16|f32|q8|q4, not 'f8'"},
        {"aplaca tokenize --decode 5 words", 2, NULL, "--decode takes no text, not 'words'"},
        {"aplaca bench --depth 0,x --shape smollm2", 2, NULL,
         "--depth takes whole numbers separated by commas, not '0,x'"},
        {"aplaca bench --threads 1,0 --shape smollm2", 2, NULL, "--threads takes numbers from 1 to 256, not '1,0'"},
        {"aplaca bench --depth 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17", 2, NULL, "--depth takes at most 16 numbers"},
        {"aplaca bench x.gguf --shape smollm2", 2, NULL, "a MODEL and --shape: which one?"},
        {"aplaca bench x.gguf --save y.gguf", 2, NULL, "there is no --shape"},
        {"aplaca bench --against-regex x", 2, NULL, "there is none"},
        {"aplaca bench -p 0 -n 0", 2, NULL, "there is nothing to measure"},
        {"aplaca doctor well", 2, NULL, "'well' is one argument too many"});
}

static void every_command_has_help(void **state) {
    (void)state;
    EXPECT({"aplaca --help", 0, "usage: aplaca COMMAND", NULL}, {"aplaca --version", 0, "aplaca 0.", NULL},
           {"aplaca run --help", 0, "--repeat-penalty R", NULL},
           {"aplaca eval --help", 0, "--chunks N", NULL},
           {"aplaca bench --help", 0, "--sequences LIST", NULL},
           {"aplaca inspect --help", 0, "--metadata KEY", NULL},
           {"aplaca tokenize --help", 0, "--decode IDS", NULL}, {"aplaca doctor --help", 0, "--json", NULL},
           {"aplaca apl --help", 0, "-e EXPRESSION", NULL});
}

static void files_that_cannot_be_used_are_named_with_the_reason(void **state) {
    (void)state;
    EXPECT(
        {"aplaca run nothing.gguf -p x", 1, NULL, "FILE NAME ERROR: nothing.gguf: No such file or directory"},
        {"aplaca run . -p x", 1, NULL, "FILE ACCESS ERROR: .: is a directory, not a file"},
        {">empty; aplaca run empty -p x", 1, NULL, "FILE DATA ERROR: empty: the file is empty"},
        {"head -c 100 $tiny >short; aplaca run short -p x", 1, NULL, "FILE DATA ERROR: short: "},
        {"head -c 140000 $tiny >short; aplaca inspect short", 1, NULL, "FILE DATA ERROR: short: "},
        {"echo 'this is no model' >text; aplaca inspect text", 1, NULL, "FILE DATA ERROR: text: "},
        {"aplaca run $tiny -f nothing.txt", 1, NULL,
         "FILE NAME ERROR: nothing.txt: No such file or directory"},
        {"aplaca run $tiny -f .", 1, NULL, "FILE ACCESS ERROR: .: Is a directory"},
        {"aplaca eval perplexity nothing.txt --model $tiny --ctx 64", 1, NULL,
         "FILE NAME ERROR: nothing.txt"},
        {"aplaca eval perplexity /dev/null --model $tiny --ctx 64", 1, NULL,
         "the text has 0 tokens, a chunk needs 64"},
        {"aplaca inspect $tiny --metadata nothing", 1, NULL, "the metadata has no nothing"});
}

static void a_missing_default_model_says_how_to_get_it(void **state) {
    (void)state;
    EXPECT({"cp $program copy; ./copy run -p x", 1, NULL, "`make run` or scripts/get-model brings it"},
           {"APLACA_MODEL=nothing.gguf aplaca run -p x", 1, NULL, "nothing.gguf: No such file or directory"},
           {"APLACA_MODEL=$tiny aplaca run -p x -n 3 --json", 0, "\"model\": \"tiny llama\"", NULL});
}

static void prompts_that_do_not_fit_are_refused_with_both_numbers(void **state) {
    (void)state;
    EXPECT({"aplaca run $tiny --ctx 16 --raw -p $(printf '<|im_end|>%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 "
            "15 16 17)",
            1, NULL, "LIMIT ERROR: the prompt has 17 tokens, the context has room for 16"},
           {"aplaca run $tiny --ctx 100000 -p x", 1, NULL,
            "a context of 100000 tokens, where the model was trained for 256"},
           {"aplaca run $tiny --layers 3 -p x", 1, NULL, "3 layers of a model that has 2"},
           {"aplaca run $tiny --raw -p ''", 1, NULL, "LENGTH ERROR: a prompt of no tokens"},
           {"aplaca run $tiny", 1, NULL, "the prompt on standard input is empty"},
           {"aplaca run $tiny -p $(printf 'a\\377')", 1, NULL, "the prompt is not UTF-8 at byte 1"});
}

static void output_that_is_lost_is_an_error(void **state) {
    (void)state;
    EXPECT({"aplaca run $tiny -p hi -n 5 >/dev/full", 1, NULL, "did not reach standard output"},
           {"aplaca inspect $tiny >/dev/full", 1, NULL, "did not reach standard output"});
}

/* A terminal of its own, by util-linux's script. */
static void a_chat_on_a_terminal_answers_and_saves_what_was_said(void **state) {
    (void)state;
#define CHAT(lines) \
    "printf '" lines \
    "' | TERM=dumb XDG_STATE_HOME=$PWD script -qec \"aplaca run $tiny -n 4 --seed 1\" /dev/null"
    EXPECT(
        {CHAT("hello\\n/save talk\\n/exit\\n"), 0, "talk: 2 messages", NULL},
        {"cat talk", 0, "\"content\": \"hello\"", NULL},
        {CHAT("/load talk\\nmore\\n/save talk\\n/exit\\n"), 0, "talk: 4 messages", NULL},
        {CHAT("one\\n/reset\\n/save talk\\n/exit\\n"), 0, "talk: 0 messages", NULL},
        {CHAT("/nothing\\n/save\\n/load gone\\n/help\\n/exit\\n"), 0, "there is no command /nothing", NULL},
        {"cat aplaca/chat_history", 0, "/save", NULL});
}

/* The answer to a command line that prints JSON. */
static json_t *run_json(const char *command) {
    APLI_AUTO_TEXT output = {0}, error = {0};
    json_error_t problem;
    if (run(command, &output, &error)) fail_msg("%s: %s", command, apli_text_string(&error));
    json_t *json = json_loads(apli_text_string(&output), JSON_DECODE_ANY, &problem);
    if (!json) fail_msg("%s: %s\n%s", command, problem.text, apli_text_string(&output));
    return json;
}

static void the_same_prompt_by_any_way_gives_the_same_answer(void **state) {
    (void)state;
    const char *const ways[] = {
        "aplaca run $tiny --seed 3 -n 12 --json -p 'tell me'",
        "printf 'tell me' >prompt; aplaca run $tiny --seed=3 --chunk 1 --threads 2 --json -n 12 -f prompt",
        "aplaca run $tiny --json -n 12 --seed 3 --threads 1 <prompt",
        "aplaca run --no-fused --seed 3 -n 12 --json -p 'tell me' -- $tiny",
    };
    char *expected = NULL;
    for (int i = 0; i < 4; i++) {
        json_t *answer = run_json(ways[i]);
        const char *text = json_string_value(json_object_get(answer, "text"));
        assert_int_equal(json_integer_value(json_object_get(answer, "seed")), 3);
        assert_int_equal(json_integer_value(json_object_get(answer, "answer_tokens")), 12);
        assert_string_equal(json_string_value(json_object_get(answer, "ending")), "limit");
        if (expected) assert_string_equal(text, expected);
        else expected = strdup(text);
        json_decref(answer);
    }
    free(expected);
}

static void tokens_are_shown_and_put_together_again(void **state) {
    (void)state;
    EXPECT({"aplaca tokenize $tiny --ids abc >ids; aplaca tokenize $tiny --decode \"$(cat ids)\"", 0, "abc\n",
            NULL},
           {"aplaca tokenize $tiny --count a", 0, "1\n", NULL},
           {"aplaca tokenize $tiny --no-special a", 0, "\"a\"\n", NULL},
           {"aplaca tokenize $tiny --decode 5,999", 1, NULL, "999"},
           {"aplaca tokenize $tiny --decode 5,x", 1, NULL, "'x' is not the id of a token"});
    json_t *tokens = run_json("aplaca tokenize $tiny --json '<|im_start|>a'");
    assert_int_equal(json_integer_value(json_object_get(tokens, "count")), 2);
    assert_int_equal(json_array_size(json_object_get(tokens, "ids")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(tokens, "pieces"), 0)),
                        "<|im_start|>");
    json_decref(tokens);
}

/* The tiny file: 147520 bytes; 22 tensors of which one is the embedding of 320 by 32 in f32. */
static void a_model_is_inspected(void **state) {
    (void)state;
    EXPECT({"aplaca inspect $tiny", 0, "layers           2, width 32, feed-forward 96", NULL},
           {"aplaca inspect $tiny --tensors", 0, "token_embd.weight", NULL},
           {"aplaca inspect $tiny --metadata llama.context_length", 0, "256\n", NULL});
    json_t *all = run_json("aplaca inspect $tiny --json --ctx 100");
    assert_int_equal(json_integer_value(json_object_get(all, "file_bytes")), 147520);
    assert_true(json_real_value(json_object_get(all, "bits_per_weight")) == 32);
    const json_t *first = json_array_get(json_object_get(all, "tensors"), 0);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(first, "shape"), 0)), 320);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(first, "shape"), 1)), 32);
    assert_int_equal(json_integer_value(json_object_get(first, "bytes")), 320 * 32 * 4);
    json_decref(all);
}

static void the_doctor_tells_what_is_used(void **state) {
    (void)state;
    json_t *findings = run_json("aplaca doctor --json --seconds 0");
    assert_true(json_integer_value(json_object_get(findings, "threads")) >= 1);
    assert_true(json_is_string(json_object_get(findings, "kernels")));
    json_decref(findings);
    EXPECT({"APLACA_ISA=scalar aplaca doctor --seconds 0", 0, "kernels      scalar", NULL});
}

static void variables_that_cannot_be_followed_end_a_command(void **state) {
    (void)state;
    EXPECT({"APLACA_ISA=sse9 aplaca apl -e 1+1", 2, NULL, "APLACA_ISA asks for \"sse9\""},
           {"APLACA_CACHE_GB=2x aplaca apl -e 1+1", 2, NULL, "APLACA_CACHE_GB is \"2x\": a number of gigabytes is wanted"},
           {"APLACA_CACHE_GB=-1 aplaca apl -e 1+1", 2, NULL, "APLACA_CACHE_GB is \"-1\""},
           {"APLACA_CACHE_GB=0.5 aplaca apl -e 1+1", 0, "2", NULL},
           {"APLACA_ISA=sse9 aplaca doctor --seconds 0", 0, "APLACA_ISA asks for \"sse9\"", NULL},
           {"APLACA_CACHE_GB=2x aplaca doctor --seconds 0", 0, "APLACA_CACHE_GB is \"2x\"", NULL});
}

static void a_bench_measures_a_file_and_a_shape(void **state) {
    (void)state;
    json_t *report = run_json("aplaca bench $tiny -p 6 -n 3 --depth 4,0 --sequences 2 --threads 1 -r 2 --seconds 0 --json");
    const json_t *results = json_object_get(report, "results"), *last = json_array_get(results, 4);
    assert_int_equal(json_array_size(results), 5);
    assert_string_equal(json_string_value(json_object_get(json_array_get(results, 0), "test")), "prompt");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(results, 1), "n_gen")), 3);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(results, 1), "n_depth")), 4);
    assert_int_equal(json_integer_value(json_object_get(last, "sequences")), 2);
    assert_int_equal(json_integer_value(json_object_get(last, "n_depth")), 0);
    assert_int_equal(json_array_size(json_object_get(last, "seconds")), 2);
    assert_true(json_is_null(json_object_get(last, "share_of_read")));
    json_decref(report);
    report = run_json("aplaca bench $tiny -p 2 -n 2 --threads 1 -r 3 --seconds 0.01 --json");
    const json_t *prompt = json_array_get(json_object_get(report, "results"), 0);
    const json_t *decode = json_array_get(json_object_get(report, "results"), 1);
    assert_true(json_is_null(json_object_get(prompt, "share_of_read_least")));
    assert_true(json_real_value(json_object_get(decode, "share_of_read_least")) > 0);
    assert_true(json_real_value(json_object_get(decode, "share_of_read")) >=
                json_real_value(json_object_get(decode, "share_of_read_least")));
    assert_true(json_real_value(json_object_get(decode, "share_of_read_most")) >=
                json_real_value(json_object_get(decode, "share_of_read")));
    json_decref(report);
    EXPECT({"aplaca bench --shape smollm2 --layers 1 --bits 8 --save saved.gguf -p 0 -n 0", 0, "q8_0", NULL},
           {"aplaca inspect saved.gguf --metadata general.name", 0, "smollm2, random, 8 bits", NULL},
           {"aplaca bench saved.gguf -p 0 -n 2 -r 1 --threads 1 --seconds 0", 0, "decode 2", NULL},
           {"aplaca bench saved.gguf -p 2 -n 2 -r 1 --threads 1 --seconds 0 --profile", 0, "LOGITS←X+.×⍉OUTPUT", NULL},
           {"aplaca bench --shape gpt-9", 1, NULL, "there is no shape \"gpt-9\""},
           {"aplaca bench $tiny -p 300 -n 0 --seconds 0", 1, NULL, "a context of 300 tokens"});
}

static int make_folder(void **state) {
    (void)state;
    unsetenv("APLACA_MODEL");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_options_are_named_with_their_value),
        cmocka_unit_test(every_command_has_help),
        cmocka_unit_test(files_that_cannot_be_used_are_named_with_the_reason),
        cmocka_unit_test(a_missing_default_model_says_how_to_get_it),
        cmocka_unit_test(prompts_that_do_not_fit_are_refused_with_both_numbers),
        cmocka_unit_test(output_that_is_lost_is_an_error),
        cmocka_unit_test(a_chat_on_a_terminal_answers_and_saves_what_was_said),
        cmocka_unit_test(the_same_prompt_by_any_way_gives_the_same_answer),
        cmocka_unit_test(tokens_are_shown_and_put_together_again),
        cmocka_unit_test(a_model_is_inspected),
        cmocka_unit_test(the_doctor_tells_what_is_used),
        cmocka_unit_test(variables_that_cannot_be_followed_end_a_command),
        cmocka_unit_test(a_bench_measures_a_file_and_a_shape),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
