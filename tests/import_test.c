/* model/import: a file's tensors become the variables with the shapes and values that the reference reads (PyPI `gguf` on
   tests/data/tiny_llama_mixed.gguf), and a file that is wrong is refused with the tensor, what was expected and found. */
#include "array/array.h"
#include "model/import.h"
#include "os/map.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define TINY SOURCE_DIR "/tests/data/tiny_llama_f32.gguf"
#define MIXED SOURCE_DIR "/tests/data/tiny_llama_mixed.gguf"

/* ---- what is defined ------------------------------------------------------------------------------------------- */

enum { MOST_VARIABLES = 64 };
typedef struct Variables {
    char names[MOST_VARIABLES][32];
    AplArray *values[MOST_VARIABLES];
    int count;
} Variables;

static AplErr define(void *user, const char *name, AplArray *value) {
    Variables *variables = user;
    assert_true(variables->count < MOST_VARIABLES);
    snprintf(variables->names[variables->count], sizeof *variables->names, "%s", name);
    variables->values[variables->count++] = apli_array_retain(value);
    return APL_OK;
}

static AplArray *variable(const Variables *variables, const char *name) {
    for (int i = 0; i < variables->count; i++)
        if (strcmp(variables->names[i], name) == 0) return variables->values[i];
    fail_msg("%s was not defined", name);
    return NULL;
}

static void release(Variables *variables) {
    for (int i = 0; i < variables->count; i++) apli_array_release(variables->values[i]);
}

/* Opens, defines and closes: the arrays outlive the model. */
static Variables import(const char *path) {
    AplModel *model;
    Variables variables = {.count = 0};
    if (apli_model_open(path, &model) != APL_OK) fail_msg("%s", apli_error_message());
    assert_int_equal(apli_model_define(model, define, &variables), APL_OK);
    apli_model_close(model);
    return variables;
}

/* Element `index` in ravel order. */
static double element(AplArray *array, int64_t index) {
    AplArray *plain;
    assert_int_equal(apli_plain(array, &plain), APL_OK);
    assert_in_range(index, 0, plain->count - 1);
    double value = apli_f64_at(plain, index);
    apli_array_release(plain);
    return value;
}

static void check(const Variables *variables, const char *name, const char *shape, int64_t index, double expected) {
    AplArray *array = variable(variables, name);
    if (strcmp(apli_shape_text(array), shape) != 0) fail_msg("%s has shape %s", name, apli_shape_text(array));
    double found = element(array, index);
    if (found != expected) fail_msg("%s is %.17g at %d, not %.17g", name, found, (int)index, expected);
}

static void check_text(const Variables *variables, const char *name, const char *expected) {
    AplArray *array = variable(variables, name);
    assert_int_equal(array->rank, 1);
    assert_int_equal(array->count, (int64_t)strlen(expected));
    for (int64_t i = 0; i < array->count; i++) assert_int_equal(apli_char_at(array, i), expected[i]);
}

static void a_mixed_file_becomes_arrays_of_the_reference_values(void **state) {
    (void)state;
    Variables variables = import(MIXED);
    /* element (1;5;7), (1;5;8) of W_GATE, and last ones */
    check(&variables, "WQ", "2 32 32", (32 + 5) * 32 + 7, -0.18039286136627197);
    check(&variables, "WK", "2 16 32", (16 + 5) * 32 + 7, 0.09283447265625);
    check(&variables, "WV", "2 16 32", (16 + 5) * 32 + 7, 0.01271820068359375);
    check(&variables, "WO", "2 32 32", (32 + 5) * 32 + 7, 0.11004638671875);
    check(&variables, "W_GATE", "2 96 32", (96 + 5) * 32 + 8, -0.1217041015625);
    check(&variables, "W_UP", "2 96 32", (96 + 5) * 32 + 7, -0.254364013671875);
    check(&variables, "W_DOWN", "2 32 96", (32 + 5) * 96 + 7, 0.08935546875);
    check(&variables, "EMBEDDING", "320 32", 319 * 32 + 31, 0.5682373046875);
    check(&variables, "OUTPUT", "320 32", 319 * 32 + 31, 0.28564453125);
    check(&variables, "NORM_FINAL", "32", 31, 1.077178716659546);
    check(&variables, "NORM_ATTENTION", "2 32", 32 + 7, 1.0064140558242798);
    check(&variables, "NORM_FFN", "2 32", 32 + 7, 0.8394879102706909);
    release(&variables);
}

static void the_configuration_becomes_scalars_and_texts(void **state) {
    (void)state;
    Variables variables = import(TINY);
    check(&variables, "NUM_LAYERS", "a scalar", 0, 2);
    check(&variables, "NUM_HEADS", "a scalar", 0, 4);
    check(&variables, "KV_GROUPS", "a scalar", 0, 2);
    check(&variables, "HEAD_DIM", "a scalar", 0, 8);
    check(&variables, "WIDTH", "a scalar", 0, 32);
    check(&variables, "FFN_WIDTH", "a scalar", 0, 96);
    check(&variables, "VOCAB_SIZE", "a scalar", 0, 320);
    check(&variables, "CONTEXT_LENGTH", "a scalar", 0, 256);
    check(&variables, "WINDOW_SIZE", "a scalar", 0, 0);
    check(&variables, "ROPE_DIMS", "a scalar", 0, 8);
    check(&variables, "ROPE_BASE", "a scalar", 0, 10000);
    check(&variables, "NORM_EPSILON", "a scalar", 0, (double)1e-5f);
    check(&variables, "ROPE_FACTORS", "4", 3, 1);
    check_text(&variables, "MODEL_FAMILY", "llama");
    check_text(&variables, "ACTIVATION", "silu");
    check_text(&variables, "NORM_TYPE", "rms");
    check_text(&variables, "ATTENTION_VARIANT", "full");
    check_text(&variables, "ROPE_PAIRING", "interleaved");
    release(&variables);
}

static void tied_output_is_the_embedding_itself(void **state) {
    (void)state;
    Variables tied = import(TINY), own = import(MIXED);
    assert_ptr_equal(variable(&tied, "OUTPUT"), variable(&tied, "EMBEDDING"));
    assert_ptr_not_equal(variable(&own, "OUTPUT"), variable(&own, "EMBEDDING"));
    release(&tied);
    release(&own);
}

static void weights_stay_where_the_file_is_mapped(void **state) {
    (void)state;
    const size_t before = apli_memory_used();
    Variables variables = import(TINY);
    /* 147 KB of tensors; norms in f32 are the only copies */
    assert_true(apli_memory_used() - before < 16384);
    release(&variables);
    assert_int_equal(apli_memory_used(), before);
}

static void a_model_answers_questions_about_itself(void **state) {
    (void)state;
    AplModel *model;
    size_t length;
    assert_int_equal(apli_model_open(TINY, &model), APL_OK);
    assert_memory_equal(apli_model_name(model, &length), "tiny llama", 10);
    assert_int_equal(length, 10);
    assert_memory_equal(apli_model_chat_template(model, &length), "{% for message in messages %}", 29);
    assert_true(apli_model_bits_per_weight(model) == 32);
    /* keys and values of 2 layers, 256 positions, 16 elements, 4 bytes */
    assert_int_equal(apli_model_memory_need(model, 256) - apli_gguf_file_size(apli_model_gguf(model)), 2 * 2 * 256 * 16 * 2);
    apli_model_close(model);
}

static void the_tokenizer_of_the_file_encodes_by_its_merges(void **state) {
    (void)state;
    AplModel *model;
    AplTokenizer *tokenizer;
    APLI_AUTO_TOKENS tokens = {0};
    APLI_AUTO_TEXT text = {0};
    assert_int_equal(apli_model_open(TINY, &model), APL_OK);
    if (apli_model_tokenizer(model, &tokenizer) != APL_OK) fail_msg("%s", apli_error_message());
    apli_model_close(model);
    assert_int_equal(apli_tokenizer_count(tokenizer), 320);
    assert_int_equal(apli_tokenizer_bos(tokenizer), 1);
    assert_int_equal(apli_tokenizer_eos(tokenizer), 2);
    /* the first merges are "t h", "Ġ th" and "Ġth e", tokens 259 to 261, after 3 control tokens and 256 bytes */
    assert_int_equal(apli_tokenizer_encode(tokenizer, "<|im_start|> the", 16, APLI_PARSE_SPECIAL, &tokens), APL_OK);
    assert_int_equal(tokens.length, 2);
    assert_int_equal(tokens.ids[0], 1);
    assert_int_equal(tokens.ids[1], 261);
    assert_int_equal(apli_tokenizer_decode(tokenizer, tokens.ids + 1, 1, &text), APL_OK);
    assert_string_equal(apli_text_string(&text), " the");
    apli_tokenizer_free(tokenizer);
}

/* ---- what is refused ------------------------------------------------------------------------------------------- */

static uint8_t *load(const char *path, size_t *size) {
    AplMap *map;
    assert_int_equal(apli_map_open(path, &map), APL_OK);
    *size = apli_map_size(map);
    uint8_t *bytes = malloc(*size);
    assert_non_null(bytes);
    memcpy(bytes, apli_map_bytes(map), *size);
    apli_map_release(map);
    return bytes;
}

static void expect_refusal(uint8_t *bytes, size_t size, AplErr kind, const char *message) {
    AplModel *model = NULL;
    AplErr outcome = apli_model_open_memory("file", bytes, size, &model);
    if (outcome != APL_OK) assert_string_equal(apli_error_message(), message);
    assert_int_equal(outcome, kind);
    free(bytes);
}

/* The file with the bytes at `offset` past the first `pattern` replaced. */
static void refuse_patched(const char *path, const char *pattern, size_t offset, const void *patch, size_t patch_size,
                           AplErr kind, const char *message) {
    size_t size;
    uint8_t *bytes = load(path, &size);
    uint8_t *found = memmem(bytes, size, pattern, strlen(pattern));
    assert_non_null(found);
    memcpy(found + offset, patch, patch_size);
    expect_refusal(bytes, size, kind, message);
}

/* The file with the bytes at `offset` into a tensor's data replaced. */
static void refuse_tensor(const char *path, const char *tensor, size_t offset, const void *patch, size_t patch_size,
                          const char *message) {
    size_t size;
    AplGguf *gguf;
    uint8_t *bytes = load(path, &size);
    assert_int_equal(apli_gguf_open_memory("file", bytes, size, &gguf), APL_OK);
    memcpy(bytes + apli_gguf_find_tensor(gguf, tensor)->offset + offset, patch, patch_size);
    apli_gguf_close(gguf);
    expect_refusal(bytes, size, APL_FILE_DATA, message);
}

/* A u32 entry lies its key's length and 4 bytes of type further. */
#define PATCH_U32(key, value, kind, message) \
    refuse_patched(TINY, key, sizeof(key) - 1 + 4, &(uint32_t){value}, 4, kind, message)

static void an_unknown_architecture_is_named_with_those_known(void **state) {
    (void)state;
    refuse_patched(TINY, "llama", 0, "lluma", 5, APL_NONCE,
                   "file: the architecture \"lluma\" is not known; known are: llama");
}

static void a_shape_that_the_configuration_denies_is_named(void **state) {
    (void)state;
    PATCH_U32("llama.feed_forward_length", 64, APL_FILE_DATA,
              "file: tensor blk.0.ffn_gate.weight has the shape 96 32, its configuration says 64 32");
    PATCH_U32("llama.embedding_length", 64, APL_FILE_DATA,
              "file: tensor token_embd.weight has the shape 320 32, its configuration says 320 64");
    PATCH_U32("llama.vocab_size", 400, APL_FILE_DATA,
              "file: tensor token_embd.weight has the shape 320 32, its configuration says 400 32");
    PATCH_U32("llama.vocab_size", 300, APL_FILE_DATA, "file: the tokenizer has 320 tokens, the model 300");
}

static void layers_too_many_and_too_few_are_noticed(void **state) {
    (void)state;
    PATCH_U32("llama.block_count", 3, APL_FILE_DATA, "file: tensor blk.2.attn_q.weight is missing");
    PATCH_U32("llama.block_count", 1, APL_NONCE,
              "file: tensor blk.1.attn_norm.weight has no part in a llama model of 1 layers");
    PATCH_U32("llama.block_count", UINT32_MAX, APL_FILE_DATA, "file: llama.block_count is 4294967295, not 1 to 65536");
    PATCH_U32("llama.block_count", 0, APL_FILE_DATA, "file: llama.block_count is 0, not 1 to 65536");
}

static void heads_and_rope_out_of_range_are_refused(void **state) {
    (void)state;
    PATCH_U32("llama.attention.head_count", 5, APL_FILE_DATA, "file: 5 heads do not share 2 key/value heads");
    PATCH_U32("llama.attention.head_count_kv", 3, APL_FILE_DATA, "file: 4 heads do not share 3 key/value heads");
    PATCH_U32("llama.attention.head_count_kv", 9, APL_FILE_DATA,
              "file: llama.attention.head_count_kv is 9, not 1 to 4");
    PATCH_U32("llama.rope.dimension_count", 7, APL_FILE_DATA, "file: llama.rope.dimension_count is 7, which is odd");
    PATCH_U32("llama.rope.freq_base", 0, APL_FILE_DATA, "file: llama.rope.freq_base is 0, not a positive number");
    PATCH_U32("llama.attention.layer_norm_rms_epsilon", 0x7FC00000, APL_FILE_DATA,
              "file: llama.attention.layer_norm_rms_epsilon is nan");
}

static void a_missing_field_and_a_wrong_type_are_named(void **state) {
    (void)state;
    refuse_patched(TINY, "llama.block_count", 6, "B", 1, APL_FILE_DATA, "file: the metadata has no llama.block_count");
    /* the type lies right after the key */
    refuse_patched(TINY, "llama.block_count", 17, &(uint32_t){APLI_GGUF_F32}, 4, APL_FILE_DATA,
                   "file: llama.block_count should be an integer, the file has float32");
}

static void a_weight_that_is_not_a_number_is_found(void **state) {
    (void)state;
    const float nan_value = NAN, infinity = INFINITY;
    refuse_tensor(TINY, "blk.1.attn_norm.weight", 5 * 4, &nan_value, 4,
                  "file: tensor blk.1.attn_norm.weight has an element that is NaN or infinite at (0;5)");
    refuse_tensor(TINY, "blk.0.ffn_down.weight", (31 * 96 + 95) * 4, &infinity, 4,
                  "file: tensor blk.0.ffn_down.weight has an element that is NaN or infinite at (31;95)");
    /* an f16 infinity as the scale of row 1's only block, as the minimum of row 1's third, in bf16 and in f16 */
    refuse_tensor(MIXED, "blk.0.attn_q.weight", 18, "\x00\x7c", 2,
                  "file: tensor blk.0.attn_q.weight has a scale that is NaN or infinite at (1;0)");
    refuse_tensor(MIXED, "blk.0.ffn_down.weight", 5 * 20 + 2, "\x00\xfc", 2,
                  "file: tensor blk.0.ffn_down.weight has a scale that is NaN or infinite at (1;64)");
    refuse_tensor(MIXED, "blk.1.ffn_down.weight", (96 + 2) * 2, "\x80\x7f", 2,
                  "file: tensor blk.1.ffn_down.weight has an element that is NaN or infinite at (1;2)");
    refuse_tensor(MIXED, "output.weight", 319 * 32 * 2, "\x01\x7c", 2,
                  "file: tensor output.weight has an element that is NaN or infinite at (319;0)");
}

static void a_file_without_tensors_is_refused(void **state) {
    (void)state;
    size_t size;
    uint8_t *bytes = load(TINY, &size);
    memset(bytes + 8, 0, 8); /* the tensor count */
    expect_refusal(bytes, size, APL_FILE_DATA, "file: the file has no tensors");
}

static void an_unknown_tensor_is_not_left_out_silently(void **state) {
    (void)state;
    size_t size;
    uint8_t *bytes = load(MIXED, &size), *last = NULL, *found = bytes;
    while ((found = memmem(found, size - (size_t)(found - bytes), "output.weight", 13))) last = found++;
    assert_non_null(last);
    memcpy(last, "others", 6);
    expect_refusal(bytes, size, APL_NONCE, "file: tensor others.weight has no part in a llama model of 2 layers");
}

/* Flips every bit of the tables, one at a time: whatever comes of it, it is an answer or an error with a message. */
static void every_flipped_bit_is_survived(void **state) {
    (void)state;
    size_t size;
    uint8_t *bytes = load(MIXED, &size);
    for (size_t bit = 0; bit < 12000 * 8; bit += 3) {
        AplModel *model = NULL;
        Variables variables = {.count = 0};
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (apli_model_open_memory("flipped", bytes, size, &model) == APL_OK) {
            assert_int_equal(apli_model_define(model, define, &variables), APL_OK);
            release(&variables);
        } else {
            assert_non_null(strstr(apli_error_message(), "flipped: "));
        }
        apli_model_close(model);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mixed_file_becomes_arrays_of_the_reference_values),
        cmocka_unit_test(the_configuration_becomes_scalars_and_texts),
        cmocka_unit_test(tied_output_is_the_embedding_itself),
        cmocka_unit_test(weights_stay_where_the_file_is_mapped),
        cmocka_unit_test(a_model_answers_questions_about_itself),
        cmocka_unit_test(the_tokenizer_of_the_file_encodes_by_its_merges),
        cmocka_unit_test(an_unknown_architecture_is_named_with_those_known),
        cmocka_unit_test(a_shape_that_the_configuration_denies_is_named),
        cmocka_unit_test(layers_too_many_and_too_few_are_noticed),
        cmocka_unit_test(heads_and_rope_out_of_range_are_refused),
        cmocka_unit_test(a_missing_field_and_a_wrong_type_are_named),
        cmocka_unit_test(a_weight_that_is_not_a_number_is_found),
        cmocka_unit_test(a_file_without_tensors_is_refused),
        cmocka_unit_test(an_unknown_tensor_is_not_left_out_silently),
        cmocka_unit_test(every_flipped_bit_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
