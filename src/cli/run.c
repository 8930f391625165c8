/* aplaca run: answers a prompt, or chats. */
#include "cli/command.h"
#include "cli/option.h"
#include "cli/run.h"

#include "os/bandwidth.h"
#include "os/cpu.h"
#include "os/parallel.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

static const char about[] =
    "Answers the prompt of -p, -f or standard input. Without one, on a terminal: a chat, in which /help\n"
    "tells more. The prompt is a message to an assistant if the model has a chat template. Without a\n"
    "MODEL, the default one. Ctrl-C ends the answer.";

static AplEngine *interrupted_engine;
static pthread_t interrupted_thread;

static void interrupt(int signal_number) {
    if (interrupted_engine) interrupted_engine->session->env.interrupted = 1;
    /* a read that waits on that thread ends too */
    if (!pthread_equal(pthread_self(), interrupted_thread)) pthread_kill(interrupted_thread, signal_number);
}

void apli_catch_interrupts(AplEngine *engine) {
    interrupted_engine = engine;
    interrupted_thread = pthread_self();
    struct sigaction action = {.sa_handler = engine ? interrupt : SIG_DFL};
    sigaction(SIGINT, &action, NULL);
}

bool apli_print_piece(void *user, const char *bytes, size_t length) {
    *(int *)user = bytes[length - 1];
    return fwrite(bytes, 1, length, stdout) == length && fflush(stdout) == 0;
}

static double rate(int64_t count, double seconds) { return seconds > 0 ? (double)count / seconds : 0; }

/* Tokens a second if the weights were all that took time: how fast they can be read from where they are
   mapped. */
static double memory_bound(AplRun *run) {
    if (run->read_rate == 0) {
        AplCpu cpu;
        AplMap *map = apli_gguf_map(apli_model_gguf(run->engine->model));
        apli_cpu_detect(&cpu);
        run->read_rate =
            apli_measure_read(&cpu, apli_map_bytes(map), apli_map_size(map), apli_parallel_threads());
    }
    return run->read_rate / (double)apli_model_weight_bytes(run->engine->model, run->model.layers);
}

void apli_print_speed(const AplRun *run, const AplAnswer *answer) {
    const double speed = rate(answer->answer_steps, answer->answer_seconds);
    const int64_t evaluated = answer->prompt_tokens - answer->kept_tokens;
    if (answer->ending == APLI_ENDED_BY_USER && answer->tokens.length == 0) {
        fprintf(stderr, "stopped within the prompt's %" PRId64 " tokens\n", evaluated);
        return;
    }
    fprintf(stderr, "prompt: %" PRId64 " tokens", evaluated);
    if (answer->kept_tokens) fprintf(stderr, " after %" PRId64 " known ones", answer->kept_tokens);
    fprintf(stderr, ", %.1f tokens/s; answer: %zu tokens", rate(evaluated, answer->prompt_seconds),
            answer->tokens.length);
    if (answer->answer_steps)
        fprintf(stderr, ", %.1f tokens/s, the first after %.2f s", speed, answer->first_seconds);
    fputc('\n', stderr);
    if (answer->ending == APLI_ENDED_BY_CONTEXT)
        fprintf(stderr,
                "aplaca: the context of %" PRId64
                " tokens is full, so the answer ends here; --ctx N makes room\n",
                run->engine->context);
}

/* What bounds the speed, and what the rest goes to. */
static void print_bound(AplRun *run, const AplAnswer *answer) {
    const double bound = answer->answer_steps ? memory_bound(run) : 0;
    if (bound > 0)
        fprintf(
            stderr,
            "reading the weights (%.1f GB/s) allows %.0f tokens/s; %.0f %% of a token is the interpreter, "
            "small operations and sampling\n",
            run->read_rate / 1e9, bound, 100 * (1 - answer->product_seconds / answer->answer_seconds));
}

static int print_json(AplRun *run, const AplAnswer *answer) {
    size_t length;
    const char *name = apli_model_name(run->engine->model, &length);
    const double bound = memory_bound(run);
    json_t *object = json_pack(
        "{s:s%, s:s%, s:s, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:o}", "model", name, length, "text",
        apli_text_string(&answer->text), answer->text.length, "ending", apli_ending_name(answer->ending),
        "prompt_tokens", (json_int_t)answer->prompt_tokens, "answer_tokens",
        (json_int_t)answer->tokens.length, "seed", (json_int_t)run->generate.sampler.seed, "prompt_seconds",
        answer->prompt_seconds, "first_token_seconds", answer->first_seconds, "answer_seconds",
        answer->answer_seconds, "product_seconds", answer->product_seconds, "prompt_tokens_per_second",
        rate(answer->prompt_tokens - answer->kept_tokens, answer->prompt_seconds), "answer_tokens_per_second",
        rate(answer->answer_steps, answer->answer_seconds), "memory_allows_tokens_per_second",
        bound > 0 ? json_real(bound) : json_null());
    if (!object)
        return apli_complain(apli_fail(APL_DOMAIN, "the model's name or the answer does not fit into JSON"));
    json_dumpf(object, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(object);
    return 0;
}

/* The answer to a prompt that is one user message, or, `raw`, the beginning of a text. */
static AplErr answer_prompt(AplRun *run, const AplText *prompt, AplChat *chat, bool raw, AplAnswer *answer) {
    if (!raw) {
        TRY(apli_chat_add(chat, "user", apli_text_string(prompt), prompt->length));
        return apli_chat_answer(chat, &run->generate, answer);
    }
    APLI_AUTO_TOKENS tokens = {0};
    TRY(apli_tokenizer_encode(run->engine->tokenizer, apli_text_string(prompt), prompt->length,
                              APLI_ADD_SPECIAL | APLI_PARSE_SPECIAL, &tokens));
    return apli_generate(&chat->generator, tokens.ids, tokens.length, &run->generate, answer);
}

static int run_once(AplRun *run, AplChat *chat, const AplText *prompt, bool raw, bool json) {
    APLI_AUTO_ANSWER answer = {0};
    int last_byte = '\n';
    if (!json) {
        run->generate.receive = apli_print_piece;
        run->generate.user = &last_byte;
    }
    AplErr error = answer_prompt(run, prompt, chat, raw, &answer);
    if (last_byte != '\n') putchar('\n');
    fflush(stdout);
    if (error) {
        const int failed = apli_complain(error);
        if (error == APL_LIMIT && run->engine->context < apli_model_config(run->engine->model)->context)
            fprintf(stderr, "--ctx N makes room for a longer prompt\n");
        return failed;
    }
    int status = json ? print_json(run, &answer) : 0;
    if (ferror(stdout)) return 1;
    if (!json) {
        apli_print_speed(run, &answer);
        print_bound(run, &answer);
    }
    return status ? status : answer.ending == APLI_ENDED_BY_USER ? 128 + SIGINT : 0;
}

static int run_with_engine(AplRun *run, const AplText *prompt, bool interactive, bool raw, bool json) {
    size_t length;
    AplChat chat = {.generator.engine = run->engine};
    raw = raw || (!run->system && !interactive && !apli_model_chat_template(run->engine->model, &length));
    AplErr error = raw ? APL_OK : apli_chat_init(&chat, run->engine);
    if (!error && run->system) error = apli_chat_add(&chat, "system", run->system, strlen(run->system));
    int status = error         ? apli_complain(error)
                 : interactive ? apli_chat_loop(run, &chat)
                               : run_once(run, &chat, prompt, raw, json);
    apli_chat_free(&chat);
    return status;
}

int command_run(int count, char **arguments) {
    AplRun run = {.generate.sampler = APLI_SAMPLER_DEFAULTS};
    AplSamplerOptions *sampler = &run.generate.sampler;
    const char *prompt = NULL, *file = NULL;
    int64_t seed = -1;
    bool raw = false, json = false;
    AplOptionTexts stops = {calloc((size_t)count, sizeof *stops.texts), 0};
    if (!stops.texts) return apli_complain(apli_fail(APL_WS_FULL, "no memory for %d arguments", count));
    const AplOption options[] = {
        {"-p", APLI_OPTION_TEXT, &prompt, "PROMPT", "the prompt", 0, 0},
        {"-f", APLI_OPTION_TEXT, &file, "FILE", "a file that holds the prompt", 0, 0},
        {"-n", APLI_OPTION_INTEGER, &run.generate.limit, "COUNT",
         "the most tokens to generate (until the answer ends)", 1, 1 << 30},
        {"--temp", APLI_OPTION_REAL, &sampler->temperature, "T",
         "temperature; 0: always the likeliest token (0.8)", 0, 1e6},
        {"--top-k", APLI_OPTION_INTEGER, &sampler->top_k, "K",
         "sample from the K likeliest tokens; 0: all (40)", 0, 1 << 30},
        {"--top-p", APLI_OPTION_REAL, &sampler->top_p, "P",
         "from the likeliest whose probabilities reach P (0.95)", 0, 1},
        {"--min-p", APLI_OPTION_REAL, &sampler->min_p, "P",
         "from those at least P times the likeliest's (0.05)", 0, 1},
        {"--repeat-penalty", APLI_OPTION_REAL, &sampler->repeat_penalty, "R",
         "against what the last 64 tokens said; 1: none (1.0)", 1e-6, 1e6},
        {"--seed", APLI_OPTION_INTEGER, &seed, "SEED", "the same seed gives the same answer (a new one)", 0,
         9e18},
        {"--stop", APLI_OPTION_TEXTS, &stops, "TEXT",
         "ends the answer where this would appear; may be repeated", 0, 0},
        {"--system", APLI_OPTION_TEXT, &run.system, "TEXT", "the system message of the conversation", 0, 0},
        {"--raw", APLI_OPTION_FLAG, &raw, NULL,
         "continue the prompt as it is, without the model's chat template", 0, 0},
        APLI_CONTEXT_OPTION(run.model, "context length in tokens (the model's, at most 2048)"),
        {"--chunk", APLI_OPTION_INTEGER, &run.generate.chunk, "N", "prompt tokens evaluated at once (256)", 1,
         256},
        APLI_MODEL_OPTIONS(run.model),
        {"--json", APLI_OPTION_FLAG, &json, NULL, "print one JSON object: text, token counts, seconds", 0, 0},
    };
    const AplSyntax syntax = {
        "run",  "aplaca run [MODEL.gguf] [OPTIONS]", about, options, sizeof options / sizeof *options, 0, 1,
        "model"};
    int operands, status = apli_options_parse(&syntax, count, arguments, &operands);
    if (status < 0 && prompt && file)
        status = apli_complain_usage("run", "-p and -f each give a prompt: which one?");
    if (status < 0 && raw && run.system)
        status = apli_complain_usage("run", "--raw has no place for a --system message");
    const bool interactive = !prompt && !file && isatty(STDIN_FILENO);
    if (status < 0 && interactive && (json || raw))
        status = apli_complain_usage("run", "%s needs a prompt: -p, -f or standard input",
                                     json ? "--json" : "--raw");
    APLI_AUTO_TEXT text = {0};
    AplErr error = APL_OK;
    if (status < 0 && operands && access(arguments[0], F_OK) != 0)
        error = apli_fail(APL_FILE_NAME, "%s: %s%s", arguments[0], strerror(errno),
                          prompt || file ? "" : " (MODEL.gguf is wanted here; a prompt goes after -p)");
    if (error) status = apli_complain(error);
    if (status < 0 && prompt) apli_text_append_string(&text, prompt);
    else if (status < 0 && !interactive) error = apli_read_file(file ? file : "-", &text);
    if (status < 0 && !error && !interactive && !prompt && text.length == 0)
        error = apli_fail(APL_LENGTH, "the prompt on %s is empty", file ? file : "standard input");
    size_t wrong;
    if (status < 0 && !error && !apli_utf8_valid(text.bytes, text.length, &wrong))
        error = apli_fail(APL_DOMAIN, "%s is not UTF-8 at byte %zu", prompt ? "the prompt" : file ? file : "standard input", wrong);
    if (seed < 0 && getrandom(&seed, sizeof seed, 0) < 0) seed = 0;
    sampler->seed = (uint64_t)seed & INT64_MAX;
    run.generate.stops = stops.texts;
    run.generate.stop_count = stops.count;
    if (status < 0 && !error)
        error = apli_open_engine(operands ? arguments[0] : NULL, &run.model, &run.engine);
    if (status < 0 && !error) {
        apli_catch_interrupts(run.engine);
        status = run_with_engine(&run, &text, interactive, raw, json);
        apli_catch_interrupts(NULL);
    }
    apli_engine_free(run.engine);
    free(stops.texts);
    return status < 0 ? apli_complain(error) : status;
}
