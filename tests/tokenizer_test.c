/* model/tokenizer against the `tokenizers` package (tests/reference/make_tokenizer_fixture.py) on the
   whole vocabulary of SmolLM2, and against hostile specifications and texts. */
#include "model/tokenizer.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

enum { VOCABULARY = 49152 };

static json_t *fixture;
static AplTokenString tokens[VOCABULARY], merges[VOCABULARY];
static int32_t types[VOCABULARY];
static AplTokenizerSpec smollm2;
static AplTokenizer *tokenizer;

static AplTokenString string_of(const json_t *value) {
    return (AplTokenString){json_string_value(value), json_string_length(value)};
}

/* The vocabulary of the fixture: special tokens, bytes, and a token a merge. */
static int load_vocabulary(void **state) {
    (void)state;
    json_error_t error;
    fixture = json_load_file(SOURCE_DIR "/tests/data/tokenizer_smollm2.json", JSON_ALLOW_NUL, &error);
    if (!fixture) return -1;
    size_t count = 0, i;
    json_t *value;
    json_array_foreach(json_object_get(fixture, "specials"), i, value) {
        types[count] = APLI_TOKEN_CONTROL;
        tokens[count++] = string_of(value);
    }
    json_array_foreach(json_object_get(fixture, "bytes"), i, value) {
        types[count] = APLI_TOKEN_NORMAL;
        tokens[count++] = string_of(value);
    }
    FILE *file = fopen(SOURCE_DIR "/tests/data/smollm2_merges.bin", "rb");
    if (!file) return -1;
    uint8_t pair[4];
    size_t merge_count = 0;
    while (count < VOCABULARY && fread(pair, 1, 4, file) == 4) {
        AplTokenString left = tokens[pair[0] | pair[1] << 8], right = tokens[pair[2] | pair[3] << 8];
        char *text = malloc(2 * (left.length + right.length) + 1);
        memcpy(text, left.bytes, left.length);
        memcpy(text + left.length, right.bytes, right.length);
        size_t length = left.length + right.length;
        tokens[count] = (AplTokenString){text, length};
        types[count++] = APLI_TOKEN_NORMAL;
        char *merge = text + length; /* behind the token in the same block */
        memcpy(merge, left.bytes, left.length);
        merge[left.length] = ' ';
        memcpy(merge + left.length + 1, right.bytes, right.length);
        merges[merge_count++] = (AplTokenString){merge, length + 1};
    }
    fclose(file);
    smollm2 = (AplTokenizerSpec){.source = "smollm2.gguf",
                                 .model = "gpt2",
                                 .pre = "smollm",
                                 .token_count = count,
                                 .tokens = tokens,
                                 .types = types,
                                 .merge_count = merge_count,
                                 .merges = merges,
                                 .bos = 1,
                                 .eos = 2,
                                 .unk = 0,
                                 .pad = 2,
                                 .end_of_turn = -1};
    return count == VOCABULARY && apli_tokenizer_new(&smollm2, &tokenizer) == APL_OK ? 0 : -1;
}

static int free_vocabulary(void **state) {
    (void)state;
    apli_tokenizer_free(tokenizer);
    for (size_t i = VOCABULARY - smollm2.merge_count; i < VOCABULARY; i++)
        free((char *)(uintptr_t)tokens[i].bytes);
    json_decref(fixture);
    return 0;
}

static void expect_ids(const AplTokenizer *with, const char *name, const json_t *text, unsigned flags,
                       const json_t *expected) {
    APLI_AUTO_TOKENS ids = {0};
    AplErr error =
        apli_tokenizer_encode(with, json_string_value(text), json_string_length(text), flags, &ids);
    if (error) fail_msg("%s", apli_error_message());
    bool same = ids.length == json_array_size(expected);
    for (size_t i = 0; same && i < ids.length; i++)
        same = ids.ids[i] == json_integer_value(json_array_get(expected, i));
    if (same) return;
    char *text_json = json_dumps(text, JSON_ENCODE_ANY), *expected_json = json_dumps(expected, JSON_COMPACT);
    fprintf(stderr, "%s: %s: expected %s, got", name, text_json, expected_json);
    for (size_t i = 0; i < ids.length; i++) fprintf(stderr, " %d", ids.ids[i]);
    fprintf(stderr, "\n");
    free(text_json);
    free(expected_json);
    fail();
}

static void ids_equal_those_of_the_reference(void **state) {
    (void)state;
    size_t i;
    json_t *value;
    assert_true(json_array_size(json_object_get(fixture, "cases")) > 250);
    json_array_foreach(json_object_get(fixture, "cases"), i, value) {
        const json_t *text = json_object_get(value, "text"), *literal = json_object_get(value, "literal_ids");
        expect_ids(tokenizer, "smollm", text, APLI_PARSE_SPECIAL, json_object_get(value, "ids"));
        expect_ids(tokenizer, "smollm, literal", text, 0, literal ? literal : json_object_get(value, "ids"));
    }
}

static void every_splitting_equals_that_of_the_reference(void **state) {
    (void)state;
    const char *name;
    json_t *expected;
    json_object_foreach(json_object_get(fixture, "other_splittings"), name, expected) {
        AplTokenizerSpec spec = smollm2;
        spec.pre = name;
        AplTokenizer *other;
        assert_int_equal(apli_tokenizer_new(&spec, &other), APL_OK);
        const char *index;
        json_t *ids;
        json_object_foreach(expected, index, ids) {
            json_t *value = json_array_get(json_object_get(fixture, "cases"), (size_t)atoi(index));
            expect_ids(other, name, json_object_get(value, "text"), 0, ids);
        }
        apli_tokenizer_free(other);
    }
}

static void decoding_gives_back_every_text(void **state) {
    (void)state;
    size_t i;
    json_t *value;
    int whole = 0;
    json_array_foreach(json_object_get(fixture, "cases"), i, value) {
        AplTokenString text = string_of(json_object_get(value, "text"));
        APLI_AUTO_TOKENS ids = {0};
        APLI_AUTO_TEXT back = {0};
        assert_int_equal(apli_tokenizer_encode(tokenizer, text.bytes, text.length, APLI_PARSE_SPECIAL, &ids),
                         APL_OK);
        assert_int_equal(apli_tokenizer_decode(tokenizer, ids.ids, ids.length, &back), APL_OK);
        assert_int_equal(back.length + ids.dropped, text.length);
        if (ids.dropped) continue;
        assert_memory_equal(apli_text_string(&back), text.bytes, text.length);
        whole++;
    }
    assert_true(whole > 240);
}

static void bytes_that_are_not_utf8_survive(void **state) {
    (void)state;
    const char text[] = "ok \x80\x81\xE2\x8D then \xED\xA0\x80 and \xC3";
    APLI_AUTO_TOKENS ids = {0};
    APLI_AUTO_TEXT back = {0};
    assert_int_equal(apli_tokenizer_encode(tokenizer, text, sizeof text - 1, 0, &ids), APL_OK);
    assert_int_equal(ids.dropped, 0);
    assert_int_equal(apli_tokenizer_decode(tokenizer, ids.ids, ids.length, &back), APL_OK);
    assert_string_equal(apli_text_string(&back), text);
}

static void bytes_outside_the_vocabulary_are_counted(void **state) {
    (void)state;
    /* SmolLM2 has tokens for 235 bytes; 0xFF and 0x04 are not among them */
    APLI_AUTO_TOKENS ids = {0};
    assert_int_equal(apli_tokenizer_encode(tokenizer,
                                           "\xFF\x04"
                                           "a",
                                           3, 0, &ids),
                     APL_OK);
    assert_int_equal(ids.dropped, 2);
    assert_int_equal(ids.length, 1);
}

static void long_runs_take_little_time(void **state) {
    (void)state;
    char *text = malloc(1 << 20);
    const char *const pretokenizers[] = {"smollm", "gpt-2",  "falcon",       "llama-bpe",      "qwen2",
                                         "tekken", "gpt-4o", "deepseek-llm", "deepseek-coder", "deepseek-v3"};
    for (size_t p = 0; p < sizeof pretokenizers / sizeof *pretokenizers; p++) {
        size_t length = p == 0 ? 1 << 20 : 1 << 17;
        AplTokenizerSpec spec = smollm2;
        spec.pre = pretokenizers[p];
        AplTokenizer *other;
        assert_int_equal(apli_tokenizer_new(&spec, &other), APL_OK);
        for (const char *filling = "a 9\n<\xCC!"; *filling; filling++) {
            memset(text, *filling, length);
            APLI_AUTO_TOKENS ids = {0};
            APLI_AUTO_TEXT back = {0};
            AplErr error = apli_tokenizer_encode(other, text, length, APLI_PARSE_SPECIAL, &ids);
            if (error) fail_msg("%s, '%c': %s", spec.pre, *filling, apli_error_message());
            assert_int_equal(apli_tokenizer_decode(other, ids.ids, ids.length, &back), APL_OK);
            assert_int_equal(back.length, length);
            assert_memory_equal(back.bytes, text, length);
        }
        apli_tokenizer_free(other);
    }
    free(text);
}

static void a_stream_holds_back_what_is_not_yet_a_character(void **state) {
    (void)state;
    const char *text = "🙂 中文 x", expected_end[] = "\xEF\xBF\xBD";
    APLI_AUTO_TOKENS ids = {0};
    APLI_AUTO_TEXT out = {0};
    AplTokenStream stream = {0};
    assert_int_equal(apli_tokenizer_encode(tokenizer, text, strlen(text), 0, &ids), APL_OK);
    assert_true(ids.length > 4);
    for (size_t i = 0; i < ids.length; i++) {
        assert_int_equal(apli_token_stream_push(&stream, tokenizer, ids.ids[i], &out), APL_OK);
        assert_true(apli_utf8_valid(apli_text_string(&out), out.length, NULL));
    }
    assert_string_equal(apli_text_string(&out), text);
    /* the first byte of a character, and then the end */
    apli_text_clear(&out);
    int32_t lead = apli_tokenizer_find(tokenizer, "\xE2", 1);
    assert_true(lead >= 0);
    assert_int_equal(apli_token_stream_push(&stream, tokenizer, lead, &out), APL_OK);
    assert_int_equal(out.length, 0);
    assert_int_equal(apli_token_stream_finish(&stream, &out), APL_OK);
    assert_string_equal(apli_text_string(&out), expected_end);
}

static void tokens_can_be_asked_for(void **state) {
    (void)state;
    assert_int_equal(apli_tokenizer_find(tokenizer, "<|im_end|>", 10), 2);
    assert_int_equal(apli_tokenizer_find(tokenizer, "no such token", 13), -1);
    assert_true(apli_tokenizer_ends(tokenizer, 2));
    assert_true(apli_tokenizer_ends(tokenizer, 0)); /* <|endoftext|> */
    assert_false(apli_tokenizer_ends(tokenizer, 1));
    AplTokenString token;
    assert_int_equal(apli_tokenizer_token(tokenizer, apli_tokenizer_find(tokenizer, " the", 4), &token),
                     APL_OK);
    assert_int_equal(token.length, 4);
    assert_memory_equal(token.bytes, " the", 4);
    assert_int_equal(apli_tokenizer_token(tokenizer, VOCABULARY, &token), APL_INDEX);
    assert_string_equal(apli_error_message(), "token 49152 is not in the vocabulary of 49152 tokens");
    const int32_t wrong[] = {5, -1};
    APLI_AUTO_TEXT out = {0};
    assert_int_equal(apli_tokenizer_decode(tokenizer, wrong, 2, &out), APL_INDEX);
}

/* A vocabulary by hand: letters a to c, their unions, a control and a user-defined token. */
static const AplTokenString small_tokens[] = {{"a", 1},   {"b", 1},   {"c", 1}, {"ab", 2},
                                              {"abc", 3}, {"<s>", 3}, {"c!", 2}};
static const int32_t small_types[] = {1, 1, 1, 1, 1, 3, 4};
static const AplTokenString small_merges[] = {{"a b", 3}, {"ab c", 4}};

static AplTokenizerSpec small_spec(void) {
    return (AplTokenizerSpec){.source = "small.gguf",
                              .model = "gpt2",
                              .pre = "gpt-2",
                              .token_count = 7,
                              .tokens = small_tokens,
                              .types = small_types,
                              .merge_count = 2,
                              .merges = small_merges,
                              .bos = 5,
                              .eos = -1,
                              .unk = -1,
                              .pad = -1,
                              .end_of_turn = -1,
                              .add_bos = true};
}

static void special_tokens_follow_the_flags(void **state) {
    (void)state;
    AplTokenizerSpec spec = small_spec();
    AplTokenizer *small;
    assert_int_equal(apli_tokenizer_new(&spec, &small), APL_OK);
    const char *text = "abc<s>abc!";
    APLI_AUTO_TOKENS ids = {0};
    assert_int_equal(
        apli_tokenizer_encode(small, text, strlen(text), APLI_ADD_SPECIAL | APLI_PARSE_SPECIAL, &ids),
        APL_OK);
    const int32_t parsed[] = {5, 4, 5, 3, 6}; /* the user-defined "c!" takes the c before merging can */
    assert_int_equal(ids.length, 5);
    assert_memory_equal(ids.ids, parsed, sizeof parsed);
    ids.length = 0;
    assert_int_equal(apli_tokenizer_encode(small, text, strlen(text), 0, &ids), APL_OK);
    const int32_t literal[] = {4, 3, 6}; /* <, s and > are not in this vocabulary */
    assert_int_equal(ids.length, 3);
    assert_memory_equal(ids.ids, literal, sizeof literal);
    assert_int_equal(ids.dropped, 3);
    apli_tokenizer_free(small);
}

static void expect_refusal(const AplTokenizerSpec *spec, AplErr kind, const char *message) {
    AplTokenizer *refused;
    assert_int_equal(apli_tokenizer_new(spec, &refused), kind);
    assert_string_equal(apli_error_message(), message);
}

static void a_wrong_specification_is_refused_by_name_and_number(void **state) {
    (void)state;
    AplTokenizerSpec spec = small_spec();
    spec.model = "llama";
    expect_refusal(&spec, APL_NONCE,
                   "small.gguf: tokenizer.ggml.model is \"llama\"; the kind known here is \"gpt2\"");
    spec = small_spec();
    spec.pre = "martian";
    expect_refusal(
        &spec, APL_NONCE,
        "small.gguf: tokenizer.ggml.pre is \"martian\", a way of splitting text that is not known");
    spec = small_spec();
    spec.eos = 7;
    expect_refusal(&spec, APL_FILE_DATA,
                   "small.gguf: tokenizer.ggml.eos_token_id is 7, the vocabulary has 7 tokens");
    spec = small_spec();
    spec.bos = -1;
    expect_refusal(&spec, APL_FILE_DATA,
                   "small.gguf: tokenizer.ggml.add_bos_token is true, and there is no bos_token_id");
    spec = small_spec();
    spec.token_count = 0;
    expect_refusal(&spec, APL_FILE_DATA,
                   "small.gguf: tokenizer.ggml.tokens has 0 entries, not 1 to 16777216");
    spec = small_spec();
    const AplTokenString doubled[] = {{"a", 1}, {"b", 1}, {"a", 1}, {"", 0}, {"x", 1}, {"y", 1}, {"z", 1}};
    spec.tokens = doubled;
    expect_refusal(&spec, APL_FILE_DATA, "small.gguf: tokenizer.ggml.tokens[2] is the same as [0], \"a\"");
    spec = small_spec();
    const int32_t wrong_types[] = {1, 1, 9, 1, 1, 1, 1}, byte_type[] = {1, 6, 1, 1, 1, 1, 1};
    spec.types = wrong_types;
    expect_refusal(&spec, APL_FILE_DATA, "small.gguf: tokenizer.ggml.token_type[2] is 9, not 1 to 6");
    spec.types = byte_type;
    expect_refusal(
        &spec, APL_FILE_DATA,
        "small.gguf: tokenizer.ggml.tokens[1] is a byte token, but is not written <0x00> to <0xFF>");
    spec = small_spec();
    const AplTokenString no_blank[] = {{"a b", 3}, {"abc", 3}}, unknown[] = {{"a z", 3}, {"ab c", 4}},
                         product[] = {{"a b", 3}, {"b c", 3}};
    spec.merges = no_blank;
    expect_refusal(&spec, APL_FILE_DATA,
                   "small.gguf: tokenizer.ggml.merges[1] is not two parts with a blank between them");
    spec.merges = unknown;
    expect_refusal(
        &spec, APL_FILE_DATA,
        "small.gguf: tokenizer.ggml.merges[0]: its second part \"z\" is not in the vocabulary of 7 tokens");
    spec.merges = product;
    expect_refusal(
        &spec, APL_FILE_DATA,
        "small.gguf: tokenizer.ggml.merges[1]: its product \"bc\" is not in the vocabulary of 7 tokens");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_equal_those_of_the_reference),
        cmocka_unit_test(every_splitting_equals_that_of_the_reference),
        cmocka_unit_test(decoding_gives_back_every_text),
        cmocka_unit_test(bytes_that_are_not_utf8_survive),
        cmocka_unit_test(bytes_outside_the_vocabulary_are_counted),
        cmocka_unit_test(long_runs_take_little_time),
        cmocka_unit_test(a_stream_holds_back_what_is_not_yet_a_character),
        cmocka_unit_test(tokens_can_be_asked_for),
        cmocka_unit_test(special_tokens_follow_the_flags),
        cmocka_unit_test(a_wrong_specification_is_refused_by_name_and_number),
    };
    return cmocka_run_group_tests(tests, load_vocabulary, free_vocabulary);
}
