/* Generation: the prompt's new part in chunks, then one token at a time. */
#include "generate/generate.h"

#include "os/clock.h"
#include "os/parallel.h"

#include <inttypes.h>
#include <string.h>

void apli_answer_free(AplAnswer *answer) {
    apli_text_free(&answer->text);
    apli_tokens_free(&answer->tokens);
}

void apli_generator_free(AplGenerator *generator) { apli_tokens_free(&generator->held); }

const char *apli_ending_name(AplEnding ending) {
    static const char *const names[] = {"stop", "stop string", "limit", "context", "interrupt"};
    return names[ending];
}

/* Keeps the first `count` tokens of the sequence. An interrupt waits until that is done. */
static AplErr keep(AplGenerator *generator, size_t count) {
    AplErr error;
    bool interrupted = false;
    generator->held.length = count;
    while ((error = apli_engine_forget(generator->engine, generator->sequence, (int64_t)count)) ==
           APL_INTERRUPT)
        interrupted = true;
    if (interrupted) generator->engine->session->env.interrupted = 1;
    return error;
}

/* Evaluates tokens after those held. When it fails, the cache's rows that it had begun to fill are free
   again. */
static AplErr evaluate(AplGenerator *generator, const int32_t *tokens, size_t count, int64_t chunk,
                       AplArray **logits) {
    const size_t before = generator->held.length;
    AplErr error = apli_engine_prompt(generator->engine, tokens, (int64_t)count, (int64_t)before,
                                      generator->sequence, chunk, logits);
    for (size_t i = 0; i < count && !error; i++) error = apli_tokens_append(&generator->held, tokens[i]);
    if (!error) return APL_OK;
    char message[APLI_MESSAGE_CAPACITY];
    strcpy(message, apli_error_message());
    TRY(keep(generator, before));
    return apli_fail(error, "%s", message);
}

/* The text that is out, and what of the answer's text waits because it may be the beginning of a stop string. */
typedef struct Output {
    const AplGenerateOptions *options;
    AplAnswer *answer;
    size_t sent; /* bytes of answer->text that the receiver has */
    size_t longest_stop;
} Output;

/* The first stop string in the text that is not sent yet: its beginning, or the text's length when there is
   none. */
static size_t find_stop(const Output *output, bool *found) {
    const AplText *text = &output->answer->text;
    size_t first = text->length;
    *found = false;
    for (int i = 0; i < output->options->stop_count && text->length; i++) {
        const char *stop = output->options->stops[i];
        const char *at = memmem(text->bytes + output->sent, text->length - output->sent, stop, strlen(stop));
        if (!*stop || !at || (size_t)(at - text->bytes) >= first) continue;
        first = (size_t)(at - text->bytes);
        *found = true;
    }
    return first;
}

/* How many bytes at the end of the text could become a stop string with more to come. */
static size_t waiting(const Output *output) {
    const AplText *text = &output->answer->text;
    size_t unsent = text->length - output->sent, most = 0;
    for (int i = 0; i < output->options->stop_count; i++) {
        const char *stop = output->options->stops[i];
        size_t length = strlen(stop);
        for (size_t part = length ? length - 1 : 0; part > most; part--)
            if (part <= unsent && memcmp(text->bytes + text->length - part, stop, part) == 0) most = part;
    }
    return most;
}

/* Sends the text up to `end`; *ended when the receiver has had enough. */
static void send(Output *output, size_t end, bool *ended) {
    const AplGenerateOptions *options = output->options;
    if (end > output->sent && options->receive &&
        !options->receive(options->user, output->answer->text.bytes + output->sent, end - output->sent)) {
        output->answer->ending = APLI_ENDED_BY_USER;
        *ended = true;
    }
    output->sent = end;
}

/* After more text: cuts it at a stop string, sends what cannot be part of one. */
static void advance(Output *output, bool last, bool *ended) {
    bool stopped;
    size_t end = find_stop(output, &stopped);
    if (stopped) {
        output->answer->text.length = end;
        output->answer->text.bytes[end] = 0;
        output->answer->ending = APLI_ENDED_BY_STOP;
        *ended = true;
        send(output, end, ended);
    } else {
        send(output, last ? end : end - waiting(output), ended);
    }
}

/* Chooses tokens and evaluates them until a rule ends it; logits are those after the prompt. */
static AplErr answer_tokens(AplGenerator *generator, const AplGenerateOptions *options, AplSampler *sampler,
                            AplArray **logits, double start, AplAnswer *answer) {
    AplEngine *engine = generator->engine;
    AplTokenStream stream = {0};
    Output output = {.options = options, .answer = answer};
    bool ended = false;
    double first = 0, products = 0;
    while (!ended) {
        int32_t token;
        TRY(apli_sampler_pick(sampler, (const float *)(*logits)->data, generator->held.ids,
                              (int64_t)generator->held.length, &token));
        double now = apli_clock_seconds();
        if (answer->tokens.length == 0) {
            first = now;
            products = apli_parallel_seconds();
            answer->first_seconds = now - start;
        }
        answer->answer_seconds = now - first;
        answer->product_seconds = apli_parallel_seconds() - products;
        answer->answer_steps = (int64_t)answer->tokens.length;
        if (apli_tokenizer_ends(engine->tokenizer, token)) {
            answer->ending = APLI_ENDED_BY_MODEL;
            break;
        }
        TRY(apli_tokens_append(&answer->tokens, token));
        TRY(apli_token_stream_push(&stream, engine->tokenizer, token, &answer->text));
        advance(&output, false, &ended);
        if (ended) break;
        if (engine->session->env.interrupted) {
            engine->session->env.interrupted = 0;
            answer->ending = APLI_ENDED_BY_USER;
            break;
        }
        if (options->limit && (int64_t)answer->tokens.length >= options->limit) {
            answer->ending = APLI_ENDED_BY_LIMIT;
            break;
        }
        if ((int64_t)generator->held.length >= engine->context) {
            answer->ending = APLI_ENDED_BY_CONTEXT;
            break;
        }
        APLI_AUTO AplArray *next = NULL;
        AplErr error = evaluate(generator, &token, 1, options->chunk, &next);
        if (error == APL_INTERRUPT) {
            answer->ending = APLI_ENDED_BY_USER;
            break;
        }
        TRY(error);
        apli_array_release(*logits);
        *logits = apli_move(&next);
    }
    if (answer->ending != APLI_ENDED_BY_STOP) {
        TRY(apli_token_stream_finish(&stream, &answer->text));
        advance(&output, true, &ended);
    }
    return APL_OK;
}

static AplErr generate_with(AplGenerator *generator, const int32_t *tokens, size_t count,
                            const AplGenerateOptions *options, AplSampler *sampler, double start,
                            AplAnswer *answer) {
    APLI_AUTO AplArray *logits = NULL;
    size_t kept = 0; /* the last token is evaluated in any case: its logits are needed */
    while (kept < generator->held.length && kept + 1 < count && generator->held.ids[kept] == tokens[kept])
        kept++;
    TRY(keep(generator, kept));
    answer->kept_tokens = (int64_t)kept;
    AplErr error = evaluate(generator, tokens + kept, count - kept, options->chunk, &logits);
    answer->prompt_seconds = apli_clock_seconds() - start;
    if (error == APL_INTERRUPT) {
        answer->ending = APLI_ENDED_BY_USER;
        return APL_OK;
    }
    TRY(error);
    apli_parallel_time(APLI_LOOPS_TIMED);
    error = answer_tokens(generator, options, sampler, &logits, start, answer);
    apli_parallel_time(APLI_NOTHING_TIMED);
    return error;
}

AplErr apli_generate(AplGenerator *generator, const int32_t *tokens, size_t count,
                     const AplGenerateOptions *options, AplAnswer *answer) {
    const double start = apli_clock_seconds();
    *answer = (AplAnswer){.prompt_tokens = (int64_t)count};
    FAIL_IF(count == 0, APL_LENGTH, "a prompt of no tokens");
    FAIL_IF((int64_t)count > generator->engine->context, APL_LIMIT,
            "the prompt has %zu tokens, the context has room for %" PRId64 " (the model's own: %" PRId64 ")", count,
            generator->engine->context, (int64_t)apli_model_config(generator->engine->model)->context);
    AplSampler sampler;
    AplErr error = apli_sampler_init(&sampler, &options->sampler, generator->engine->vocabulary);
    if (!error) error = generate_with(generator, tokens, count, options, &sampler, start, answer);
    apli_sampler_free(&sampler);
    return error;
}
