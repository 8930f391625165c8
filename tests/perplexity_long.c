/* `aplaca eval perplexity` on WikiText-2's test text, against transformers in float32
   (tests/reference/perplexity_smollm2.py). The text, wiki.test.raw, is where APLACA_WIKITEXT says or in
   ../shared/data beside the source tree. */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#define MODEL SOURCE_DIR "/models/smollm2-135m-instruct-q4_1.gguf"

enum { CHUNKS = 16 };

static const char *text_path(void) {
    const char *named = getenv("APLACA_WIKITEXT");
    return named ? named : SOURCE_DIR "/../shared/data/wiki.test.raw";
}

static void each_chunk_scores_as_the_reference_does(void **state) {
    (void)state;
    char command[4096];
    json_error_t problem;
    snprintf(command, sizeof command, PROGRAM " eval perplexity '%s' --model " MODEL " --chunks %d --json",
             text_path(), (int)CHUNKS);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    json_t *result = json_loadf(output, 0, &problem);
    assert_int_equal(pclose(output), 0);
    json_t *reference = json_load_file(SOURCE_DIR "/tests/data/perplexity_smollm2.json", 0, &problem);
    assert_non_null(result);
    assert_non_null(reference);
    const json_t *scores = json_object_get(result, "chunk_nll"),
                 *expected = json_object_get(reference, "nll_f32");
    double sum = 0;
    assert_int_equal(json_array_size(scores), CHUNKS);
    for (size_t i = 0; i < CHUNKS; i++) {
        const double score = json_real_value(json_array_get(scores, i));
        const double wanted = json_real_value(json_array_get(expected, i));
        if (!(fabs(score - wanted) <= 1e-4 * wanted))
            fail_msg("chunk %zu scores %f, not %f", i, score, wanted);
        sum += wanted;
    }
    const double perplexity = json_real_value(json_object_get(result, "perplexity"));
    assert_true(fabs(perplexity - exp(sum / (CHUNKS * 255))) < 1e-3 * perplexity);
    json_decref(result);
    json_decref(reference);
}

int main(void) {
    if (access(MODEL, R_OK) || access(text_path(), R_OK)) {
        printf("skipped: %s is not there\n", access(MODEL, R_OK) ? MODEL : text_path());
        return 77;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_chunk_scores_as_the_reference_does)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
