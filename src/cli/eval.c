/* aplaca eval perplexity: llama.cpp's chunked method. The whole text is tokenized at once (with a begin token
   if the model asks for one; control tokens written in the text are text) and cut into chunks as long as the
   context, what is left over ignored. Each chunk is evaluated alone, its first token replaced by the begin
   token if the model asks for one. The logits of the second half's positions, but the last, are scored by the
   negative log likelihood of the next token; the perplexity is exp of the scores' mean. */
#include "cli/command.h"
#include "cli/default_model.h"
#include "cli/option.h"
#include "cli/run.h"
#include "cli/terminal.h"

#include "os/clock.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char about[] =
    "Measures how well a model predicts a text, by llama.cpp's method: chunks of the context's length,\n"
    "evaluated one by one, of which the second half is scored.";
static const char method[] = "llama.cpp's: independent chunks, second half scored";

enum { BATCH = 64 }; /* tokens evaluated at once; as many rows of logits are in memory */

typedef struct Scores {
    double sum, squares; /* of the scores, and of their squares */
    int64_t count;
} Scores;

static double perplexity(const Scores *scores) { return exp(scores->sum / (double)scores->count); }

/* Standard error of the perplexity, from that of the mean score. */
static double uncertainty(const Scores *scores) {
    const double count = (double)scores->count, mean = scores->sum / count;
    const double variance = scores->squares / count - mean * mean;
    return variance > 0 && count > 1 ? sqrt(variance / (count - 1)) * exp(mean) : 0;
}

/* The logits of some tokens of a batch, and where their scores go. */
typedef struct Rows {
    const float *logits; /* (rows, vocabulary) */
    int64_t vocabulary;
    const int32_t *next;   /* the token that follows each of the batch's */
    const int32_t *wanted; /* which of the batch's tokens a row belongs to */
    double *scores;
} Rows;

/* -log of the softmax of a row, at the token that follows. */
static void score_row(void *context, int64_t row, int thread) {
    (void)thread;
    const Rows *rows = context;
    const float *logits = rows->logits + row * rows->vocabulary;
    float most = logits[0];
    double sum = 0;
    for (int64_t i = 1; i < rows->vocabulary; i++) most = logits[i] > most ? logits[i] : most;
    for (int64_t i = 0; i < rows->vocabulary; i++) sum += exp((double)(logits[i] - most));
    rows->scores[row] = log(sum) - (double)(logits[rows->next[rows->wanted[row]]] - most);
}

/* Adds one chunk's scores. */
static AplErr score_chunk(AplEngine *engine, const int32_t *chunk, int64_t length, Scores *scores) {
    const int64_t first = length / 2;
    int32_t positions[BATCH], sequences[BATCH] = {0}, wanted[BATCH];
    TRY(apli_engine_forget(engine, 0, 0));
    for (int64_t done = 0; done < length; done += BATCH) {
        const int64_t size = length - done < BATCH ? length - done : BATCH;
        int64_t wanted_count = 0;
        for (int64_t i = 0; i < size; i++) {
            positions[i] = (int32_t)(done + i);
            if (done + i >= first && done + i < length - 1) wanted[wanted_count++] = (int32_t)i;
        }
        APLI_AUTO AplArray *logits = NULL;
        AplBatch batch = {chunk + done, positions, sequences, size, wanted, wanted_count};
        TRY(apli_engine_forward(engine, &batch, &logits));
        double results[BATCH];
        Rows rows = {(const float *)logits->data, engine->vocabulary, chunk + done + 1, wanted, results};
        apli_parallel(wanted_count, apli_parallel_threads(), score_row, &rows);
        for (int64_t i = 0; i < wanted_count; i++) {
            scores->sum += results[i];
            scores->squares += results[i] * results[i];
        }
        scores->count += wanted_count;
    }
    return APL_OK;
}

typedef struct Evaluation {
    const char *text_path;
    int64_t length; /* of a chunk */
    int64_t wanted; /* chunks; 0: as many as the text has */
    int64_t chunks; /* done */
    bool json;
    double seconds;
    Scores scores;
    double *sums; /* of each chunk's scores */
} Evaluation;

/* The begin token, if the model wants one before a text; otherwise -1. */
static AplErr begin_token(const AplTokenizer *tokenizer, int32_t *token) {
    APLI_AUTO_TOKENS tokens = {0};
    TRY(apli_tokenizer_encode(tokenizer, "", 0, APLI_ADD_SPECIAL, &tokens));
    *token = tokens.length && tokens.ids[0] == apli_tokenizer_bos(tokenizer) ? tokens.ids[0] : -1;
    return APL_OK;
}

static AplErr evaluate(AplEngine *engine, Evaluation *evaluation) {
    APLI_AUTO_TEXT text = {0};
    APLI_AUTO_TOKENS tokens = {0};
    AplProgress progress = {0};
    int32_t begin;
    const int64_t length = evaluation->length;
    TRY(apli_read_file(evaluation->text_path, &text));
    TRY(begin_token(engine->tokenizer, &begin));
    TRY(apli_tokenizer_encode(engine->tokenizer, apli_text_string(&text), text.length, APLI_ADD_SPECIAL,
                              &tokens));
    const int64_t available = (int64_t)tokens.length / length;
    FAIL_IF(available == 0, APL_LENGTH, "%s: the text has %zu tokens, a chunk needs %" PRId64,
            evaluation->text_path, tokens.length, length);
    FAIL_IF(evaluation->wanted > available, APL_LENGTH,
            "%s: the text has %" PRId64 " chunks of %" PRId64 " tokens, not %" PRId64, evaluation->text_path,
            available, length, evaluation->wanted);
    const int64_t total = evaluation->wanted = evaluation->wanted ? evaluation->wanted : available;
    evaluation->sums = calloc((size_t)total, sizeof *evaluation->sums);
    FAIL_IF(!evaluation->sums, APL_WS_FULL, "no memory for %" PRId64 " scores", total);
    const double start = apli_clock_seconds();
    AplErr error = APL_OK;
    char note[64] = "";
    while (evaluation->chunks < total && !error) {
        apli_progress_show(&progress, evaluation->chunks, total, note);
        int32_t *chunk = tokens.ids + evaluation->chunks * length;
        if (begin >= 0) chunk[0] = begin;
        Scores scores = evaluation->scores;
        error = score_chunk(engine, chunk, length, &scores);
        if (error) break;
        evaluation->sums[evaluation->chunks++] = scores.sum - evaluation->scores.sum;
        evaluation->scores = scores;
        snprintf(note, sizeof note, "perplexity %.4f", perplexity(&scores));
    }
    apli_progress_end(&progress);
    evaluation->seconds = apli_clock_seconds() - start;
    return error == APL_INTERRUPT && evaluation->chunks ? APL_OK : error;
}

static int print_evaluation(const AplEngine *engine, const Evaluation *evaluation) {
    const Scores *scores = &evaluation->scores;
    const double speed = (double)(evaluation->chunks * evaluation->length) / evaluation->seconds;
    size_t name_length;
    const char *name = apli_model_name(engine->model, &name_length);
    if (!evaluation->json) {
        printf("perplexity %.4f ± %.4f\n", perplexity(scores), uncertainty(scores));
        printf("model      %.*s\ntext       %s, %" PRId64 " chunks\ncontext    %" PRId64 " tokens\n",
               (int)name_length, name, evaluation->text_path, evaluation->chunks, evaluation->length);
        printf("method     %s (%" PRId64 " tokens)\ntime       %.1f s, %.0f tokens/s\n", method,
               scores->count, evaluation->seconds, speed);
        return 0;
    }
    json_t *sums = json_array();
    for (int64_t i = 0; i < evaluation->chunks; i++)
        json_array_append_new(sums, json_real(evaluation->sums[i]));
    json_t *object = json_pack(
        "{s:f, s:f, s:s%, s:s, s:s, s:I, s:I, s:I, s:f, s:o}", "perplexity", perplexity(scores),
        "standard_error", uncertainty(scores), "model", name, name_length, "text", evaluation->text_path,
        "method", method, "context", (json_int_t)evaluation->length, "chunks", (json_int_t)evaluation->chunks,
        "scored_tokens", (json_int_t)scores->count, "seconds", evaluation->seconds, "chunk_nll", sums);
    if (!object) return apli_complain(apli_fail(APL_DOMAIN, "a score or a name does not fit into JSON"));
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
    return 0;
}

int command_eval(int count, char **arguments) {
    AplModelOptions model = {.context = 512};
    Evaluation evaluation = {0};
    const char *named = NULL;
    const AplOption options[] = {
        {"--model", APLI_OPTION_TEXT, &named, "MODEL.gguf", "the model (the default one)", 0, 0},
        {"--ctx", APLI_OPTION_INTEGER, &model.context, "N", "context: tokens of a chunk (512)", 4, 1 << 24},
        {"--chunks", APLI_OPTION_INTEGER, &evaluation.wanted, "N", "only the first N chunks of the text", 1,
         1 << 30},
        APLI_MODEL_OPTIONS(model),
        {"--json", APLI_OPTION_FLAG, &evaluation.json, NULL,
         "print one JSON object, with the score of each chunk", 0, 0},
    };
    const AplSyntax syntax = {"eval",
                              "aplaca eval perplexity TEXT-FILE [OPTIONS]",
                              about,
                              options,
                              sizeof options / sizeof *options,
                              2,
                              2,
                              "measure and text"};
    int operands, status = apli_options_parse(&syntax, count, arguments, &operands);
    if (status >= 0) return status;
    if (strcmp(arguments[0], "perplexity") != 0)
        return apli_complain_usage("eval", "there is no measure '%s'; known are: perplexity", arguments[0]);
    evaluation.text_path = arguments[1];
    evaluation.length = model.context;
    AplEngine *engine = NULL;
    AplErr error = apli_open_engine(named, &model, &engine);
    if (!error) {
        apli_catch_interrupts(engine);
        error = evaluate(engine, &evaluation);
        apli_catch_interrupts(NULL);
    }
    const bool stopped = !error && evaluation.chunks < evaluation.wanted;
    status = error ? apli_complain(error) : print_evaluation(engine, &evaluation);
    if (stopped) fprintf(stderr, "aplaca: stopped after %" PRId64 " chunks\n", evaluation.chunks);
    free(evaluation.sums);
    apli_engine_free(engine);
    return stopped ? 128 + SIGINT : status;
}
