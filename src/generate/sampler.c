/* Sampling. All filters keep the likeliest tokens and differ in how many, so a token that min-p refuses is
   refused before anything is sorted; top-p measures its sum against all that top-k left, as it does when it
   comes before min-p. */
#include "generate/sampler.h"

#include "base/random.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

AplErr apli_sampler_init(AplSampler *sampler, const AplSamplerOptions *options, int64_t vocabulary) {
    *sampler = (AplSampler){.options = *options, .state = options->seed, .vocabulary = vocabulary};
    FAIL_IF(!(options->temperature >= 0 && options->temperature <= 1e6), APL_DOMAIN,
            "the temperature is %g, not 0 to 1000000", options->temperature);
    FAIL_IF(options->top_k < 0, APL_DOMAIN, "top-k is %" PRId64 ", less than 0", options->top_k);
    FAIL_IF(!(options->top_p >= 0 && options->top_p <= 1), APL_DOMAIN, "top-p is %g, not 0 to 1",
            options->top_p);
    FAIL_IF(!(options->min_p >= 0 && options->min_p <= 1), APL_DOMAIN, "min-p is %g, not 0 to 1",
            options->min_p);
    FAIL_IF(!(options->repeat_penalty > 0 && options->repeat_penalty <= 1e6), APL_DOMAIN,
            "the repeat penalty is %g, not more than 0 and at most 1000000", options->repeat_penalty);
    FAIL_IF(vocabulary < 1, APL_LENGTH, "a vocabulary of %" PRId64 " tokens", vocabulary);
    sampler->candidates = malloc((size_t)vocabulary * sizeof *sampler->candidates);
    FAIL_IF(!sampler->candidates, APL_WS_FULL, "no memory for %" PRId64 " candidates", vocabulary);
    return APL_OK;
}

void apli_sampler_free(AplSampler *sampler) {
    free(sampler->candidates);
    *sampler = (AplSampler){0};
}

/* Whether a comes before b: the likelier, the lower id of equals. */
static bool before(const AplCandidate *a, const AplCandidate *b) {
    return a->logit > b->logit || (a->logit == b->logit && a->token < b->token);
}

static int compare(const void *left, const void *right) { return before(left, right) ? -1 : 1; }

/* The penalty of CTRL (Keskar et al. 2019, section 4.1), so applied that it lowers negative logits too: once
   for a token, however often it was said. */
static void penalize(AplSampler *sampler, const int32_t *recent, int64_t recent_count) {
    const float penalty = (float)sampler->options.repeat_penalty;
    if (penalty == 1) return;
    const int64_t first = recent_count > APLI_REPEAT_WINDOW ? recent_count - APLI_REPEAT_WINDOW : 0;
    for (int64_t i = first; i < recent_count; i++) {
        bool again = recent[i] < 0 || recent[i] >= sampler->vocabulary;
        for (int64_t j = first; j < i && !again; j++) again = recent[j] == recent[i];
        if (again) continue;
        float *logit = &sampler->candidates[recent[i]].logit;
        *logit = *logit > 0 ? *logit / penalty : *logit * penalty;
    }
}

/* Puts the candidate at `root` of a heap, whose worst lies at the top, where it belongs. */
static void sift(AplCandidate *heap, int64_t count, int64_t root) {
    for (;;) {
        int64_t worst = root, left = 2 * root + 1;
        if (left < count && before(&heap[worst], &heap[left])) worst = left;
        if (left + 1 < count && before(&heap[worst], &heap[left + 1])) worst = left + 1;
        if (worst == root) return;
        AplCandidate moved = heap[root];
        heap[root] = heap[worst];
        heap[worst] = moved;
        root = worst;
    }
}

/* The best `keep` of count candidates, to the front, in no order. */
static void select_best(AplCandidate *candidates, int64_t count, int64_t keep) {
    for (int64_t i = keep / 2 - 1; i >= 0; i--) sift(candidates, keep, i);
    for (int64_t i = keep; i < count; i++) {
        if (!before(&candidates[i], &candidates[0])) continue;
        candidates[0] = candidates[i];
        sift(candidates, keep, 0);
    }
}

AplErr apli_sampler_filter(AplSampler *sampler, const float *logits, const int32_t *recent,
                           int64_t recent_count, int64_t *count) {
    const AplSamplerOptions *options = &sampler->options;
    AplCandidate *candidates = sampler->candidates;
    int64_t left = sampler->vocabulary;
    for (int64_t i = 0; i < left; i++) {
        FAIL_IF(isnan(logits[i]) || logits[i] == INFINITY, APL_DOMAIN, "the logit of token %" PRId64
                " is %g: the model's file is damaged, or the copy of its weights in the cache (~/.cache/aplaca), which may be deleted",
                i, (double)logits[i]);
        candidates[i] = (AplCandidate){logits[i], (int32_t)i};
    }
    penalize(sampler, recent, recent_count);
    if (options->temperature == 0) {
        select_best(candidates, left, 1);
        *count = 1;
        return APL_OK;
    }
    if (options->top_k && options->top_k < left) {
        select_best(candidates, left, options->top_k);
        left = options->top_k;
    }
    float best = -INFINITY;
    for (int64_t i = 0; i < left; i++) best = candidates[i].logit > best ? candidates[i].logit : best;
    FAIL_IF(best == -INFINITY, APL_DOMAIN, "every token's logit is -infinity");
    double total = 0; /* of exp(logit - best) */
    const double least = options->min_p > 0 ? (double)best + log(options->min_p) : -INFINITY;
    int64_t kept = 0;
    for (int64_t i = 0; i < left; i++) {
        if (options->top_p < 1) total += exp((double)candidates[i].logit - (double)best);
        if (candidates[i].logit >= least) candidates[kept++] = candidates[i];
    }
    qsort(candidates, (size_t)kept, sizeof *candidates, compare);
    if (options->top_p < 1) { /* nucleus sampling (Holtzman et al. 2020); min-p is from Nguyen et al. 2024 */
        double sum = 0;
        int64_t nucleus = 0;
        while (nucleus < kept && (nucleus == 0 || sum < options->top_p * total))
            sum += exp((double)candidates[nucleus++].logit - (double)best);
        kept = nucleus;
    }
    *count = kept;
    return APL_OK;
}

AplErr apli_sampler_pick(AplSampler *sampler, const float *logits, const int32_t *recent,
                         int64_t recent_count, int32_t *token) {
    int64_t count;
    TRY(apli_sampler_filter(sampler, logits, recent, recent_count, &count));
    const AplCandidate *candidates = sampler->candidates;
    *token = candidates[0].token;
    if (count == 1) return APL_OK;
    const double best = candidates[0].logit, temperature = sampler->options.temperature;
    double total = 0, sum = 0;
    for (int64_t i = 0; i < count; i++) total += exp(((double)candidates[i].logit - best) / temperature);
    const double target = apli_random_unit(&sampler->state) * total;
    for (int64_t i = 0; i < count; i++) {
        sum += exp(((double)candidates[i].logit - best) / temperature);
        *token = candidates[i].token;
        if (sum > target) break;
    }
    return APL_OK;
}
