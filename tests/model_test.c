/* The model page against transformers' float32 logits (tests/reference/logits_*.py), however the tokens are handed over. */
#include "generate/engine.h"
#include "os/parallel.h"

#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define DATA SOURCE_DIR "/tests/data/"
#ifdef __SANITIZE_ADDRESS__ /* 135 million weights are too many for the sanitizers' time: the tiny models are theirs */
#define SMOLLM2 ""
#else
#define SMOLLM2 SOURCE_DIR "/models/smollm2-135m-instruct-q4_1.gguf"
#endif

static AplEngine *engine_of(const char *path, int64_t context, bool plain, AplCacheType kv) {
    AplModel *model = NULL;
    AplEngine *engine = NULL;
    if (apli_model_open(path, &model)) fail_msg("%s", apli_error_message());
    AplErr error = apli_engine_new(model, &(AplEngineOptions){.context = context, .exact = true, .plain = plain, .kv = kv}, &engine);
    if (error) fail_msg("%s: %s", apli_error_name(error), apli_error_message());
    return engine;
}

/* Logits of every token, `chunk` tokens a call. With other tokens beside, they come in the same calls as sequence 1. */
static float *logits_of(AplEngine *engine, const int32_t *tokens, int count, int chunk, const int32_t *other, int other_count) {
    float *all = malloc((size_t)count * (size_t)engine->vocabulary * sizeof *all);
    for (int done = 0; done < count; done += chunk) {
        int32_t ids[1024], positions[1024], sequences[1024], wanted[1024];
        int size = 0, wanted_count = 0;
        for (int i = done; i < count && i < done + chunk; i++) {
            if (i < other_count) {
                ids[size] = other[i], positions[size] = i, sequences[size] = 1;
                size++;
            }
            ids[size] = tokens[i], positions[size] = i, sequences[size] = 0;
            wanted[wanted_count++] = size++;
        }
        AplArray *logits = NULL;
        AplErr error = apli_engine_forward(engine, &(AplBatch){ids, positions, sequences, size, wanted, wanted_count}, &logits);
        if (error) fail_msg("%s: %s\n%s", apli_error_name(error), apli_error_message(), apli_text_string(&engine->session->report));
        memcpy(all + (int64_t)done * engine->vocabulary, logits->data, (size_t)logits->count * sizeof *all);
        apli_array_release(logits);
    }
    assert_int_equal(apli_engine_forget(engine, 0, 0), APL_OK);
    assert_int_equal(apli_engine_forget(engine, 1, 0), APL_OK);
    return all;
}

static json_t *read_json(const char *path) {
    json_error_t error;
    json_t *json = json_load_file(path, 0, &error);
    if (!json) fail_msg("%s: %s", path, error.text);
    return json;
}

static int read_ids(const json_t *list, int32_t *ids) {
    int count = (int)json_array_size(list);
    for (int i = 0; i < count; i++) ids[i] = (int32_t)json_integer_value(json_array_get(list, (size_t)i));
    return count;
}

/* ---- the tiny models: every logit ----------------------------------------------------------------------------------- */

static double compare_tiny(const json_t *expected, const float *logits, int count, int64_t vocabulary) {
    double worst = 0;
    for (int token = 0; token < count; token++)
        for (int64_t i = 0; i < vocabulary; i++) {
            double want = json_number_value(json_array_get(json_array_get(expected, (size_t)token), (size_t)i));
            double got = (double)logits[token * vocabulary + i];
            if (!(fabs(want - got) <= worst)) worst = fabs(want - got);
        }
    return worst;
}

/* How far logits may be from transformers' float32 ones, by what the cache holds. */
static const double tiny_tolerance[] = {
    [APLI_CACHE_F32] = 1e-3, [APLI_CACHE_F16] = 0.03, [APLI_CACHE_Q12] = 0.06, [APLI_CACHE_Q8] = 0.5};

static void tiny(const char *name, AplCacheType kv) {
    json_t *fixture = read_json(DATA "logits_tiny_llama.json");
    char path[256];
    int32_t ids[64], other[64];
    snprintf(path, sizeof path, DATA "%s.gguf", name);
    int count = read_ids(json_object_get(fixture, "tokens"), ids);
    for (int i = 0; i < count; i++) other[i] = ids[count - 1 - i];
    for (int plain = 0; plain <= 1; plain++) {
        AplEngine *engine = engine_of(path, 48, plain, kv);
        static const int chunks[] = {1, 7, 64};
        for (int c = 0; c < 3; c++)
            for (int beside = 0; beside <= 1; beside++) {
                char how[80];
                snprintf(how, sizeof how, "%s%s, chunks of %d%s", name, plain ? ", APL text" : "", chunks[c], beside ? ", beside another" : "");
                float *logits = logits_of(engine, ids, count, chunks[c], other, beside ? count : 0);
                double worst = compare_tiny(json_object_get(fixture, name), logits, count, engine->vocabulary);
                if (!(worst <= tiny_tolerance[kv])) fail_msg("%s: a logit is %g from transformers'", how, worst);
                free(logits);
            }
        apli_engine_free(engine);
    }
    json_decref(fixture);
}

static void a_tiny_llama_gives_the_logits_of_transformers(void **state) {
    (void)state;
    tiny("tiny_llama_f32", APLI_CACHE_F32);
}

static void a_tiny_llama_of_mixed_types_gives_the_logits_of_transformers(void **state) {
    (void)state;
    tiny("tiny_llama_mixed", APLI_CACHE_F32);
}

static void a_reduced_cache_stays_near_the_logits_of_transformers(void **state) {
    (void)state;
    static const AplCacheType types[] = {APLI_CACHE_F16, APLI_CACHE_Q12, APLI_CACHE_Q8};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) tiny("tiny_llama_f32", types[i]);
}

/* ---- SmolLM2: 64 fixed logits and the twenty largest of every position -------------------------------------------------- */

static void compare_one(const float *logits, int64_t token, double want, double tolerance, int position, const char *how) {
    double got = (double)logits[token];
    if (!(fabs(want - got) <= tolerance)) fail_msg("%s: position %d, token %d has %g, transformers' %g", how, position, (int)token, got, want);
}

static void compare_prompt(const json_t *fixture, const json_t *prompt, const float *logits, int64_t vocabulary, double tolerance, const char *how) {
    const json_t *fixed_tokens = json_object_get(fixture, "fixed_tokens"), *positions = json_object_get(prompt, "positions");
    for (size_t p = 0; p < json_array_size(positions); p++) {
        const json_t *position = json_array_get(positions, p), *fixed = json_object_get(position, "fixed"),
                     *top = json_object_get(position, "top");
        const float *row = logits + (int64_t)p * vocabulary;
        for (size_t i = 0; i < json_array_size(fixed); i++)
            compare_one(row, json_integer_value(json_array_get(fixed_tokens, i)), json_number_value(json_array_get(fixed, i)), tolerance, (int)p, how);
        for (size_t i = 0; i < json_array_size(top); i++) {
            const json_t *pair = json_array_get(top, i);
            compare_one(row, json_integer_value(json_array_get(pair, 0)), json_number_value(json_array_get(pair, 1)), tolerance, (int)p, how);
        }
    }
}

static void smollm2_gives_the_logits_of_transformers(void **state) {
    (void)state;
    if (access(SMOLLM2, R_OK)) skip();
    json_t *fixture = read_json(DATA "logits_smollm2.json"), *prompts = json_object_get(fixture, "prompts");
    int32_t first[64], second[64];
    const json_t *a = json_array_get(prompts, 0), *b = json_array_get(prompts, 1);
    int first_count = read_ids(json_object_get(a, "tokens"), first), second_count = read_ids(json_object_get(b, "tokens"), second);
    static const struct { int chunk; bool beside, plain; AplCacheType kv; double tolerance; } ways[] = {
        {64, false, false, APLI_CACHE_F32, 1e-3}, {1, false, false, APLI_CACHE_F32, 1e-3},
        {7, false, false, APLI_CACHE_F32, 1e-3},  {64, true, false, APLI_CACHE_F32, 1e-3},
        {64, true, true, APLI_CACHE_F32, 1e-3},   {64, false, false, APLI_CACHE_F16, 0.05},
        {64, false, false, APLI_CACHE_Q12, 0.1},
        {64, false, false, APLI_CACHE_Q8, 0.75}}; /* one logit of position 14 is 0.51 away */
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        char how[80];
        snprintf(how, sizeof how, "cache type %d, chunks of %d%s%s", (int)ways[w].kv, ways[w].chunk,
                 ways[w].beside ? ", beside another" : "", ways[w].plain ? ", APL text" : "");
        AplEngine *engine = engine_of(SMOLLM2, 96, ways[w].plain, ways[w].kv);
        float *logits = logits_of(engine, first, first_count, ways[w].chunk, second, ways[w].beside ? second_count : 0);
        compare_prompt(fixture, a, logits, engine->vocabulary, ways[w].tolerance, how);
        free(logits);
        logits = logits_of(engine, second, second_count, ways[w].chunk, first, ways[w].beside ? first_count : 0);
        compare_prompt(fixture, b, logits, engine->vocabulary, ways[w].tolerance, how);
        free(logits);
        apli_engine_free(engine);
    }
    json_decref(fixture);
}

/* ---- the same bits -------------------------------------------------------------------------------------------------------- */

/* Every way of handing over `count` tokens must give the bits of one thread, one call, alone. */
static void same_bits(const char *path, AplCacheType kv, int count, int64_t context, const int *chunks, int chunk_count) {
    int32_t ids[520], other[520];
    AplEngine *engine = engine_of(path, context, false, kv);
    for (int i = 0; i < count; i++) {
        ids[i] = (int32_t)((i * 7919 + 13) % engine->vocabulary);
        other[i] = (int32_t)((i * 104729 + 5) % engine->vocabulary);
    }
    size_t bytes = (size_t)count * (size_t)engine->vocabulary * sizeof(float);
    apli_parallel_set_threads(1);
    float *expected = logits_of(engine, ids, count, 512, NULL, 0);
    for (int c = 0; c < chunk_count; c++)
        for (int way = 0; way < 3; way++) { /* two threads; beside another; both */
            apli_parallel_set_threads(way == 1 ? 1 : 2);
            float *logits = logits_of(engine, ids, count, chunks[c], other, way ? count : 0);
            if (memcmp(expected, logits, bytes)) fail_msg("way %d, chunks of %d: other bits", way, chunks[c]);
            free(logits);
        }
    free(expected);
    apli_engine_free(engine);
}

static void the_bits_do_not_depend_on_threads_chunks_or_neighbours(void **state) {
    (void)state;
    for (AplCacheType kv = APLI_CACHE_Q12; kv <= APLI_CACHE_Q4; kv++)
        same_bits(DATA "tiny_llama_mixed.gguf", kv, 120, 256, (int[]){1, 7, 64, 512}, 4);
    if (access(SMOLLM2, R_OK) == 0) same_bits(SMOLLM2, APLI_CACHE_F16, 18, 64, (int[]){7, 512}, 2);
}

/* SmolLM2 has heads of 64 elements, the tiny model none so long. */
static void the_cache_is_of_12_bits_where_heads_fill_vectors_of_words(void **state) {
    (void)state;
    for (int usual = 0; usual <= (access(SMOLLM2, R_OK) == 0); usual++) {
        AplEngine *engine = engine_of(usual ? SMOLLM2 : DATA "tiny_llama_f32.gguf", 8, false, APLI_CACHE_AUTO);
        AplArray *keys = NULL;
        assert_int_equal(apli_session_get(engine->session, "KEYS", &keys), APL_OK);
        assert_int_equal(keys->type, usual ? APLI_PACKED : APLI_F16);
        apli_array_release(keys);
        apli_engine_free(engine);
    }
}

static void a_full_cache_is_a_limit_error_and_loses_nothing(void **state) {
    (void)state;
    AplEngine *engine = engine_of(DATA "tiny_llama_f32.gguf", 8, false, APLI_CACHE_F16);
    int32_t ids[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    AplArray *logits = NULL;
    int64_t used;
    assert_int_equal(apli_engine_prompt(engine, ids, 9, 0, 0, 4, &logits), APL_LIMIT);
    assert_non_null(strstr(apli_error_message(), "8 of 8"));
    assert_int_equal(apli_engine_forget(engine, 0, 5), APL_OK);
    assert_int_equal(apli_engine_used(engine, &used), APL_OK);
    assert_int_equal(used, 5);
    assert_int_equal(apli_engine_prompt(engine, ids, 3, 5, 0, 4, &logits), APL_OK);
    apli_array_release(logits);
    apli_engine_free(engine);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tiny_llama_gives_the_logits_of_transformers),
        cmocka_unit_test(a_tiny_llama_of_mixed_types_gives_the_logits_of_transformers),
        cmocka_unit_test(a_reduced_cache_stays_near_the_logits_of_transformers),
        cmocka_unit_test(smollm2_gives_the_logits_of_transformers),
        cmocka_unit_test(the_bits_do_not_depend_on_threads_chunks_or_neighbours),
        cmocka_unit_test(the_cache_is_of_12_bits_where_heads_fill_vectors_of_words),
        cmocka_unit_test(a_full_cache_is_a_limit_error_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
