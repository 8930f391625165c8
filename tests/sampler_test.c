/* Sampling: exact sets that the filters leave, by hand from probabilities 1/2, 1/4, 1/8, 1/8, and counts of
   many draws. */
#include "generate/sampler.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* No filter, temperature 1. */
static const AplSamplerOptions open_options = {.temperature = 1, .top_p = 1, .repeat_penalty = 1, .seed = 7};

/* Logits of tokens 0 to 3; any constant may be added to them. */
static void quarters(float logits[4]) {
    const double probabilities[] = {0.125, 0.5, 0.125, 0.25};
    for (int i = 0; i < 4; i++) logits[i] = (float)(log(probabilities[i]) + 3);
}

/* The filters leave exactly `expected`, in this order. */
static void expect_filtered(AplSamplerOptions options, const float *logits, int64_t vocabulary,
                            const int32_t *recent, int64_t recent_count, const char *expected) {
    AplSampler sampler;
    int64_t count;
    char found[64] = "";
    assert_int_equal(apli_sampler_init(&sampler, &options, vocabulary), APL_OK);
    assert_int_equal(apli_sampler_filter(&sampler, logits, recent, recent_count, &count), APL_OK);
    for (int64_t i = 0; i < count; i++) {
        char digit[2] = {(char)('0' + sampler.candidates[i].token), 0};
        strcat(found, digit);
    }
    assert_string_equal(found, expected);
    apli_sampler_free(&sampler);
}

#define EXPECT(expected, ...) \
    do { \
        AplSamplerOptions options = open_options; \
        __VA_ARGS__; \
        expect_filtered(options, logits, 4, NULL, 0, expected); \
    } while (0)

static void temperature_zero_takes_the_likeliest_and_the_lower_id_of_equals(void **state) {
    (void)state;
    float logits[] = {1, 3, -2, 3};
    EXPECT("1", options.temperature = 0);
    logits[3] = 3.5f;
    EXPECT("3", options.temperature = 0);
}

static void all_tokens_come_likeliest_first(void **state) {
    (void)state;
    float logits[4];
    quarters(logits);
    EXPECT("1302", (void)0);
}

static void top_k_keeps_the_k_likeliest(void **state) {
    (void)state;
    float logits[4];
    quarters(logits);
    EXPECT("1", options.top_k = 1);
    EXPECT("13", options.top_k = 2);
    EXPECT("130", options.top_k = 3);
    EXPECT("1302", options.top_k = 4);
    EXPECT("1302", options.top_k = 100);
}

static void top_p_keeps_the_fewest_that_reach_p(void **state) {
    (void)state;
    float logits[4];
    quarters(logits);
    EXPECT("1", options.top_p = 0);
    EXPECT("1", options.top_p = 0.49);
    EXPECT("13", options.top_p = 0.51);
    EXPECT("13", options.top_p = 0.74);
    EXPECT("130", options.top_p = 0.76);
    EXPECT("1302", options.top_p = 0.9);
}

static void min_p_keeps_what_is_p_times_as_likely_as_the_likeliest(void **state) {
    (void)state;
    float logits[4];
    quarters(logits);
    EXPECT("1", options.min_p = 1);
    EXPECT("1", options.min_p = 0.51);
    EXPECT("13", options.min_p = 0.49);
    EXPECT("13", options.min_p = 0.26);
    EXPECT("1302", options.min_p = 0.24);
}

/* Of the two likeliest, the first has 2/3; of all, 1/2. */
static void top_p_counts_what_top_k_left(void **state) {
    (void)state;
    float logits[4];
    quarters(logits);
    EXPECT("13", options.top_p = 0.6);
    EXPECT("1", options.top_p = 0.6, options.top_k = 2);
}

/* min-p 0.49 leaves 1/2 and 1/4, of which the first is 2/3; top-p comes before it and counts 1/2. */
static void top_p_counts_what_min_p_takes_away(void **state) {
    (void)state;
    float logits[4];
    quarters(logits);
    EXPECT("13", options.top_p = 0.6, options.min_p = 0.49);
}

static void filters_look_at_the_distribution_before_the_temperature(void **state) {
    (void)state;
    float logits[4];
    quarters(logits);
    EXPECT("13", options.top_p = 0.74, options.temperature = 100);
    EXPECT("13", options.min_p = 0.49, options.temperature = 100);
}

static void the_repeat_penalty_divides_positive_and_multiplies_negative_logits_once(void **state) {
    (void)state;
    const float logits[] = {4, 1.5f, 1, -1};
    const int32_t recent[] = {0, 0, 0, 3, 2};
    AplSamplerOptions options = open_options;
    options.repeat_penalty = 2; /* 2 1.5 0.5 ¯2 */
    expect_filtered(options, logits, 4, recent, 5, "0123");
    options.repeat_penalty = 4; /* 1 1.5 0.25 ¯4 */
    expect_filtered(options, logits, 4, recent, 5, "1023");
}

static void the_repeat_penalty_forgets_what_is_more_than_64_tokens_back(void **state) {
    (void)state;
    const float logits[] = {4, 3, 2, 1};
    int32_t recent[65] = {[0] = 0};
    for (int i = 1; i < 65; i++) recent[i] = 3;
    AplSamplerOptions options = open_options;
    options.repeat_penalty = 100;
    expect_filtered(options, logits, 4, recent, 65, "0123");
    expect_filtered(options, logits, 4, recent, 64, "1203"); /* 0.04 3 2 0.01 */
}

/* Pearson's statistic of 20000 draws; above 16.27 once in a thousand seeds for 3 degrees of freedom. */
static double chi_square(AplSamplerOptions options, const double *expected) {
    enum { DRAWS = 20000 };
    float logits[4];
    AplSampler sampler;
    int counts[4] = {0};
    double sum = 0;
    quarters(logits);
    assert_int_equal(apli_sampler_init(&sampler, &options, 4), APL_OK);
    for (int i = 0; i < DRAWS; i++) {
        int32_t token;
        assert_int_equal(apli_sampler_pick(&sampler, logits, NULL, 0, &token), APL_OK);
        counts[token]++;
    }
    apli_sampler_free(&sampler);
    for (int i = 0; i < 4; i++) {
        if (expected[i] == 0) assert_int_equal(counts[i], 0);
        else
            sum +=
                (counts[i] - DRAWS * expected[i]) * (counts[i] - DRAWS * expected[i]) / (DRAWS * expected[i]);
    }
    return sum;
}

static void draws_follow_the_distribution(void **state) {
    (void)state;
    assert_true(chi_square(open_options, (const double[]){0.125, 0.5, 0.125, 0.25}) < 16.27);
}

/* At temperature 1/2 probabilities are squared: 1/64, 16/64, 1/64, 4/64 of 22/64; at 2, they become their
   roots. */
static void draws_follow_the_temperature(void **state) {
    (void)state;
    AplSamplerOptions options = open_options;
    options.temperature = 0.5;
    assert_true(chi_square(options, (const double[]){1 / 22., 16 / 22., 1 / 22., 4 / 22.}) < 16.27);
    options.temperature = 2;
    const double total = 2 * sqrt(0.125) + sqrt(0.5) + sqrt(0.25);
    assert_true(chi_square(options, (const double[]){sqrt(0.125) / total, sqrt(0.5) / total,
                                                     sqrt(0.125) / total, sqrt(0.25) / total}) < 16.27);
}

static void draws_share_what_the_filters_left(void **state) {
    (void)state;
    AplSamplerOptions options = open_options;
    options.top_k = 2;
    assert_true(chi_square(options, (const double[]){0, 2 / 3., 0, 1 / 3.}) < 16.27);
}

static void a_seed_determines_the_tokens(void **state) {
    (void)state;
    float logits[512];
    int32_t runs[3][64];
    for (int i = 0; i < 512; i++) logits[i] = (float)(i * 37 % 101) / 40;
    for (int run = 0; run < 3; run++) {
        AplSampler sampler;
        AplSamplerOptions options = APLI_SAMPLER_DEFAULTS;
        options.seed = run < 2 ? 1 : 2;
        assert_int_equal(apli_sampler_init(&sampler, &options, 512), APL_OK);
        for (int i = 0; i < 64; i++)
            assert_int_equal(apli_sampler_pick(&sampler, logits, runs[run], i, &runs[run][i]), APL_OK);
        apli_sampler_free(&sampler);
    }
    assert_memory_equal(runs[0], runs[1], sizeof runs[0]);
    assert_memory_not_equal(runs[0], runs[2], sizeof runs[0]);
}

static void logits_that_are_no_numbers_are_refused(void **state) {
    (void)state;
    AplSampler sampler;
    int32_t token;
    float logits[] = {1, NAN, -INFINITY, 0};
    assert_int_equal(apli_sampler_init(&sampler, &open_options, 4), APL_OK);
    assert_int_equal(apli_sampler_pick(&sampler, logits, NULL, 0, &token), APL_DOMAIN);
    assert_non_null(strstr(apli_error_message(), "the logit of token 1 is nan: the model's file is damaged"));
    logits[1] = INFINITY;
    assert_int_equal(apli_sampler_pick(&sampler, logits, NULL, 0, &token), APL_DOMAIN);
    for (int i = 0; i < 4; i++) logits[i] = -INFINITY;
    assert_int_equal(apli_sampler_pick(&sampler, logits, NULL, 0, &token), APL_DOMAIN);
    logits[2] = -1000; /* the only one that is possible */
    assert_int_equal(apli_sampler_pick(&sampler, logits, NULL, 0, &token), APL_OK);
    assert_int_equal(token, 2);
    apli_sampler_free(&sampler);
}

static void options_out_of_range_are_refused_with_the_number(void **state) {
    (void)state;
    const struct {
        AplSamplerOptions options;
        const char *message;
    } cases[] = {
        {{.temperature = -1, .top_p = 1, .repeat_penalty = 1}, "the temperature is -1, not 0 to 1000000"},
        {{.temperature = 1, .top_p = 1.5, .repeat_penalty = 1}, "top-p is 1.5, not 0 to 1"},
        {{.temperature = 1, .top_p = 1, .min_p = NAN, .repeat_penalty = 1}, "min-p is nan, not 0 to 1"},
        {{.temperature = 1, .top_p = 1, .top_k = -3, .repeat_penalty = 1}, "top-k is -3, less than 0"},
        {{.temperature = 1, .top_p = 1}, "the repeat penalty is 0, not more than 0 and at most 1000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        AplSampler sampler;
        assert_int_equal(apli_sampler_init(&sampler, &cases[i].options, 4), APL_DOMAIN);
        assert_string_equal(apli_error_message(), cases[i].message);
        apli_sampler_free(&sampler);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(temperature_zero_takes_the_likeliest_and_the_lower_id_of_equals),
        cmocka_unit_test(all_tokens_come_likeliest_first),
        cmocka_unit_test(top_k_keeps_the_k_likeliest),
        cmocka_unit_test(top_p_keeps_the_fewest_that_reach_p),
        cmocka_unit_test(min_p_keeps_what_is_p_times_as_likely_as_the_likeliest),
        cmocka_unit_test(top_p_counts_what_top_k_left),
        cmocka_unit_test(top_p_counts_what_min_p_takes_away),
        cmocka_unit_test(filters_look_at_the_distribution_before_the_temperature),
        cmocka_unit_test(the_repeat_penalty_divides_positive_and_multiplies_negative_logits_once),
        cmocka_unit_test(the_repeat_penalty_forgets_what_is_more_than_64_tokens_back),
        cmocka_unit_test(draws_follow_the_distribution),
        cmocka_unit_test(draws_follow_the_temperature),
        cmocka_unit_test(draws_share_what_the_filters_left),
        cmocka_unit_test(a_seed_determines_the_tokens),
        cmocka_unit_test(logits_that_are_no_numbers_are_refused),
        cmocka_unit_test(options_out_of_range_are_refused_with_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
