/* Generation and conversations on the tiny model, whose greedy tokens follow from transformers' logits
   (tests/reference/logits_tiny.py). */
#include "generate/chat.h"
#include "os/parallel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define DATA SOURCE_DIR "/tests/data/"
#define TINY DATA "tiny_llama_f32.gguf"

static const AplSamplerOptions greedy = {.top_p = 1, .repeat_penalty = 1};

static void check(AplErr error) {
    if (error) fail_msg("%s: %s", apli_error_name(error), apli_error_message());
}

static AplEngine *tiny_engine(int64_t context) {
    AplModel *model;
    AplEngine *engine;
    check(apli_model_open(TINY, &model));
    check(apli_engine_new(model, &(AplEngineOptions){.context = context}, &engine));
    return engine;
}

static void encode(const AplEngine *engine, const char *text, AplTokens *tokens) {
    check(apli_tokenizer_encode(engine->tokenizer, text, strlen(text), 0, tokens));
}

/* What a prompt is followed by, on an engine of its own. */
static void generate_fresh(const char *prompt, const AplGenerateOptions *options, AplAnswer *answer) {
    AplEngine *engine = tiny_engine(0);
    AplGenerator generator = {.engine = engine};
    APLI_AUTO_TOKENS tokens = {0};
    encode(engine, prompt, &tokens);
    check(apli_generate(&generator, tokens.ids, tokens.length, options, answer));
    int64_t used;
    check(apli_engine_used(engine, &used));
    assert_int_equal(used, generator.held.length);
    apli_generator_free(&generator);
    apli_engine_free(engine);
}

static void expect_same_answer(const AplAnswer *a, const AplAnswer *b) {
    assert_int_equal(a->ending, b->ending);
    assert_int_equal(a->tokens.length, b->tokens.length);
    if (a->tokens.length)
        assert_memory_equal(a->tokens.ids, b->tokens.ids, a->tokens.length * sizeof *a->tokens.ids);
    assert_string_equal(apli_text_string(&a->text), apli_text_string(&b->text));
}

static void greedy_tokens_are_those_of_the_reference(void **state) {
    (void)state;
    json_error_t problem;
    json_t *reference = json_load_file(DATA "logits_tiny_llama.json", 0, &problem);
    assert_non_null(reference);
    const json_t *ids = json_object_get(reference, "tokens"),
                 *rows = json_object_get(reference, "tiny_llama_f32");
    const size_t count = json_array_size(ids);
    int32_t tokens[64];
    for (size_t i = 0; i < count; i++) tokens[i] = (int32_t)json_integer_value(json_array_get(ids, i));
    AplEngine *engine = tiny_engine(0);
    AplGenerator generator = {.engine = engine};
    for (size_t length = 1; length <= count; length++) {
        const json_t *row = json_array_get(rows, length - 1);
        int32_t best = 0;
        for (size_t i = 0; i < json_array_size(row); i++)
            if (json_number_value(json_array_get(row, i)) >
                json_number_value(json_array_get(row, (size_t)best)))
                best = (int32_t)i;
        APLI_AUTO_ANSWER answer = {0};
        check(apli_generate(&generator, tokens, length, &(AplGenerateOptions){.sampler = greedy, .limit = 1},
                            &answer));
        assert_int_equal(answer.kept_tokens, length - 1);
        if (apli_tokenizer_ends(engine->tokenizer, best)) {
            assert_int_equal(answer.ending, APLI_ENDED_BY_MODEL);
            assert_int_equal(answer.tokens.length, 0);
        } else {
            assert_int_equal(answer.ending, APLI_ENDED_BY_LIMIT);
            assert_int_equal(answer.tokens.length, 1);
            assert_int_equal(answer.tokens.ids[0], best);
        }
    }
    apli_generator_free(&generator);
    apli_engine_free(engine);
    json_decref(reference);
}

static void an_answer_depends_neither_on_chunks_nor_on_threads(void **state) {
    (void)state;
    const char *prompt =
        "It is a truth universally acknowledged, that a single man in possession of a good fortune, must";
    AplGenerateOptions options = {.sampler = APLI_SAMPLER_DEFAULTS, .limit = 40};
    options.sampler.seed = 5;
    options.sampler.temperature = 5;
    options.sampler.min_p = 0;
    options.sampler.top_p = 1;
    APLI_AUTO_ANSWER expected = {0};
    generate_fresh(prompt, &options, &expected);
    assert_int_equal(expected.tokens.length, 40);
    const int64_t chunks[] = {1, 7, 64};
    for (int i = 0; i < 3; i++) {
        APLI_AUTO_ANSWER answer = {0};
        options.chunk = chunks[i];
        apli_parallel_set_threads(1 + i % 2);
        generate_fresh(prompt, &options, &answer);
        expect_same_answer(&answer, &expected);
    }
    apli_parallel_set_threads(1);
    options.sampler.seed = 6;
    APLI_AUTO_ANSWER other = {0};
    generate_fresh(prompt, &options, &other);
    assert_memory_not_equal(other.tokens.ids, expected.tokens.ids, 40 * sizeof *other.tokens.ids);
}

typedef struct Received {
    AplText text;
    int pieces;
    int enough;           /* stop after as many pieces; 0: never */
    AplEngine *interrupt; /* interrupt it at the first piece */
} Received;

static bool receive(void *user, const char *bytes, size_t length) {
    Received *received = user;
    apli_text_append(&received->text, bytes, length);
    if (received->interrupt) received->interrupt->session->env.interrupted = 1;
    return ++received->pieces != received->enough;
}

static void the_pieces_are_the_text(void **state) {
    (void)state;
    Received received = {0};
    AplGenerateOptions options = {
        .sampler = APLI_SAMPLER_DEFAULTS, .limit = 60, .receive = receive, .user = &received};
    options.sampler.temperature = 5; /* bytes of all kinds: characters that never become whole */
    options.sampler.top_k = 0, options.sampler.min_p = 0, options.sampler.top_p = 1;
    APLI_AUTO_ANSWER answer = {0};
    generate_fresh("abc", &options, &answer);
    assert_true(received.pieces > 10);
    assert_string_equal(apli_text_string(&received.text), apli_text_string(&answer.text));
    assert_true(apli_utf8_valid(answer.text.bytes, answer.text.length, NULL));
    apli_text_free(&received.text);
}

/* The text without a stop, and what must be left of it with stops that begin in the middle of a token. */
static void a_stop_string_ends_the_text_before_it(void **state) {
    (void)state;
    AplGenerateOptions options = {.sampler = APLI_SAMPLER_DEFAULTS, .limit = 60};
    options.sampler.seed = 11;
    options.sampler.temperature = 3;
    APLI_AUTO_ANSWER whole = {0}, answer = {0}, missing = {0};
    generate_fresh("abc", &options, &whole);
    assert_true(whole.text.length > 40);
    char stop[9] = "";
    memcpy(stop, whole.text.bytes + 20, 8);
    const size_t place = (size_t)(strstr(whole.text.bytes, stop) - whole.text.bytes);
    const char *stops[] = {"never to be said", stop, ""};
    Received received = {0};
    options.stops = stops, options.stop_count = 3, options.receive = receive, options.user = &received;
    generate_fresh("abc", &options, &answer);
    assert_int_equal(answer.ending, APLI_ENDED_BY_STOP);
    assert_int_equal(answer.text.length, place);
    assert_memory_equal(answer.text.bytes, whole.text.bytes, place);
    assert_string_equal(apli_text_string(&received.text), answer.text.bytes);
    apli_text_free(&received.text);
    options.stop_count = 1, options.receive = NULL;
    generate_fresh("abc", &options, &missing);
    expect_same_answer(&missing, &whole);
}

static void an_answer_ends_where_the_context_does(void **state) {
    (void)state;
    AplEngine *engine = tiny_engine(16);
    AplGenerator generator = {.engine = engine};
    APLI_AUTO_TOKENS tokens = {0};
    APLI_AUTO_ANSWER answer = {0}, refused = {0};
    for (int i = 0; i < 12; i++) check(apli_tokens_append(&tokens, 77));
    AplGenerateOptions options = {.sampler = greedy};
    check(apli_generate(&generator, tokens.ids, 12, &options, &answer));
    if (answer.ending != APLI_ENDED_BY_MODEL) {
        assert_int_equal(answer.ending, APLI_ENDED_BY_CONTEXT);
        assert_int_equal(answer.tokens.length, 5); /* four more fit; the fifth needs no room */
    }
    for (int i = 0; i < 5; i++) check(apli_tokens_append(&tokens, 77));
    assert_int_equal(apli_generate(&generator, tokens.ids, 17, &options, &refused), APL_LIMIT);
    assert_string_equal(apli_error_message(), "the prompt has 17 tokens, the context has room for 16 (the model's own: 256)");
    assert_int_equal(apli_generate(&generator, tokens.ids, 0, &options, &refused), APL_LENGTH);
    apli_generator_free(&generator);
    apli_engine_free(engine);
}

static void an_interrupt_leaves_a_state_to_go_on_from(void **state) {
    (void)state;
    AplEngine *engine = tiny_engine(0);
    AplGenerator generator = {.engine = engine};
    Received received = {.interrupt = engine};
    APLI_AUTO_TOKENS tokens = {0};
    APLI_AUTO_ANSWER stopped = {0}, during_prompt = {0}, answer = {0}, expected = {0};
    AplGenerateOptions options = {.sampler = greedy, .limit = 20, .receive = receive, .user = &received};
    encode(engine, "once upon a time", &tokens);
    check(apli_generate(&generator, tokens.ids, tokens.length, &options, &stopped));
    assert_int_equal(stopped.ending, APLI_ENDED_BY_USER);
    assert_true(stopped.tokens.length < 20);
    engine->session->env.interrupted = 1;
    tokens.ids[0] ^= 1; /* nothing of the cache can be kept */
    check(apli_generate(&generator, tokens.ids, tokens.length, &options, &during_prompt));
    assert_int_equal(during_prompt.ending, APLI_ENDED_BY_USER);
    assert_int_equal(generator.held.length, 0);
    int64_t used;
    check(apli_engine_used(engine, &used));
    assert_int_equal(used, 0);
    tokens.ids[0] ^= 1;
    options.receive = NULL;
    check(apli_generate(&generator, tokens.ids, tokens.length, &options, &answer));
    generate_fresh("once upon a time", &options, &expected);
    expect_same_answer(&answer, &expected);
    apli_text_free(&received.text);
    apli_generator_free(&generator);
    apli_engine_free(engine);
}

static void a_receiver_that_has_enough_ends_the_answer(void **state) {
    (void)state;
    Received received = {.enough = 3};
    AplGenerateOptions options = {
        .sampler = APLI_SAMPLER_DEFAULTS, .limit = 40, .receive = receive, .user = &received};
    APLI_AUTO_ANSWER answer = {0};
    generate_fresh("abc", &options, &answer);
    assert_int_equal(answer.ending, APLI_ENDED_BY_USER);
    assert_int_equal(received.pieces, 3);
    apli_text_free(&received.text);
}

/* ---- conversations
   --------------------------------------------------------------------------------------------------- */

static void say(AplChat *chat, const char *text, AplAnswer *answer) {
    check(apli_chat_add(chat, "user", text, strlen(text)));
    check(apli_chat_answer(chat, &(AplGenerateOptions){.sampler = greedy, .limit = 8}, answer));
}

static void a_second_turn_evaluates_only_what_is_new(void **state) {
    (void)state;
    AplEngine *engine = tiny_engine(0), *other = tiny_engine(0);
    AplChat chat, fresh;
    APLI_AUTO_ANSWER first = {0}, second = {0}, again = {0};
    check(apli_chat_init(&chat, engine));
    check(apli_chat_init(&fresh, other));
    say(&chat, "hello", &first);
    assert_int_equal(first.kept_tokens, 0);
    const size_t held = chat.generator.held.length;
    say(&chat, "and then?", &second);
    assert_true(second.kept_tokens > 0 && second.kept_tokens <= (int64_t)held);
    /* the same conversation, evaluated at once */
    json_array_extend(fresh.messages, chat.messages);
    apli_chat_take_back(&fresh);
    check(apli_chat_answer(&fresh, &(AplGenerateOptions){.sampler = greedy, .limit = 8}, &again));
    assert_int_equal(again.kept_tokens, 0);
    expect_same_answer(&second, &again);
    assert_int_equal(json_array_size(chat.messages), 4);
    apli_chat_free(&chat);
    apli_chat_free(&fresh);
    apli_engine_free(engine);
    apli_engine_free(other);
}

static void a_saved_conversation_is_loaded_as_it_was(void **state) {
    (void)state;
    AplEngine *engine = tiny_engine(0);
    AplChat chat;
    char path[] = "/tmp/aplaca_chat_XXXXXX";
    close(mkstemp(path));
    check(apli_chat_init(&chat, engine));
    check(apli_chat_add(&chat, "system", "Be \"brief\".", 11));
    check(apli_chat_add(&chat, "user",
                        "Gr\xc3\xbc\xc3\x9f"
                        "e\n",
                        8));
    json_t *before = json_deep_copy(chat.messages);
    check(apli_chat_save(&chat, path));
    apli_chat_reset(&chat);
    assert_int_equal(json_array_size(chat.messages), 1); /* the system message stays */
    check(apli_chat_load(&chat, path));
    assert_true(json_equal(chat.messages, before));
    assert_int_equal(apli_chat_save(&chat, "no/such/directory/chat"), APL_FILE_NAME);
    assert_string_equal(apli_error_message(), "no/such/directory/chat: No such file or directory");
    assert_int_equal(apli_chat_load(&chat, "no such file"), APL_FILE_NAME);
    const char *const wrong[] = {"[{\"role\": \"user\"", "{}", "[{\"role\": \"user\", \"content\": 5}]", ""};
    for (int i = 0; i < 4; i++) {
        FILE *file = fopen(path, "w");
        fputs(wrong[i], file);
        fclose(file);
        assert_int_equal(apli_chat_load(&chat, path), APL_FILE_DATA);
        assert_non_null(strstr(apli_error_message(), path));
        assert_true(json_equal(chat.messages, before));
    }
    unlink(path);
    json_decref(before);
    apli_chat_free(&chat);
    apli_engine_free(engine);
}

static void a_message_that_is_not_text_is_refused(void **state) {
    (void)state;
    AplEngine *engine = tiny_engine(0);
    AplChat chat;
    check(apli_chat_init(&chat, engine));
    assert_int_equal(apli_chat_add(&chat, "user",
                                   "ab\xff"
                                   "c",
                                   4),
                     APL_DOMAIN);
    assert_string_equal(apli_error_message(), "the text is not UTF-8 at byte 2");
    assert_int_equal(json_array_size(chat.messages), 0);
    apli_chat_free(&chat);
    apli_engine_free(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_tokens_are_those_of_the_reference),
        cmocka_unit_test(an_answer_depends_neither_on_chunks_nor_on_threads),
        cmocka_unit_test(the_pieces_are_the_text),
        cmocka_unit_test(a_stop_string_ends_the_text_before_it),
        cmocka_unit_test(an_answer_ends_where_the_context_does),
        cmocka_unit_test(an_interrupt_leaves_a_state_to_go_on_from),
        cmocka_unit_test(a_receiver_that_has_enough_ends_the_answer),
        cmocka_unit_test(a_second_turn_evaluates_only_what_is_new),
        cmocka_unit_test(a_saved_conversation_is_loaded_as_it_was),
        cmocka_unit_test(a_message_that_is_not_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
