/* Sampling: logits become a token. The filters run in the order that llama.cpp's users know: repeat penalty,
   top-k, top-p, min-p, then the temperature. */
#ifndef APLI_GENERATE_SAMPLER_H
#define APLI_GENERATE_SAMPLER_H

#include "base/error.h"

#include <stdint.h>

typedef struct AplSamplerOptions {
    double temperature;    /* 0: always the likeliest token, the lower id of equals */
    int64_t top_k;         /* only the k likeliest; 0: all */
    double top_p;          /* only the likeliest whose probabilities together reach p; 1: all */
    double min_p;          /* only those at least p times as likely as the likeliest; 0: all */
    double repeat_penalty; /* divides the likelihood of tokens said lately; 1: none */
    uint64_t seed;
} AplSamplerOptions;

#define APLI_SAMPLER_DEFAULTS \
    ((AplSamplerOptions){ \
        .temperature = 0.8, .top_k = 40, .top_p = 0.95, .min_p = 0.05, .repeat_penalty = 1.0})

enum { APLI_REPEAT_WINDOW = 64 }; /* how many tokens back the repeat penalty looks */

/* A token that may be sampled, and the logit that it has after the penalty. */
typedef struct AplCandidate {
    float logit;
    int32_t token;
} AplCandidate;

typedef struct AplSampler {
    AplSamplerOptions options;
    uint64_t state; /* of the random numbers */
    int64_t vocabulary;
    AplCandidate *candidates; /* room for the vocabulary */
} AplSampler;

/* DOMAIN ERROR, with the number, for an option out of range. */
AplErr apli_sampler_init(AplSampler *sampler, const AplSamplerOptions *options, int64_t vocabulary);
void apli_sampler_free(AplSampler *sampler);

/* Leaves the candidates that the filters let through in sampler->candidates, likeliest first, the lower id
   first of equals; *count of them, at least 1. logits: (vocabulary); recent: the tokens so far, of which the
   last 64 count. DOMAIN ERROR for a logit that is NaN or +infinity. */
AplErr apli_sampler_filter(AplSampler *sampler, const float *logits, const int32_t *recent,
                           int64_t recent_count, int64_t *count);
/* Filters, then draws one; the same seed and logits give the same tokens. */
AplErr apli_sampler_pick(AplSampler *sampler, const float *logits, const int32_t *recent,
                         int64_t recent_count, int32_t *token);

#endif
