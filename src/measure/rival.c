/* Another program's figure: the command line from a template, the figure from JSON, a pattern or the clock. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "measure/rival.h"

#include "os/command.h"

#include <inttypes.h>
#include <jansson.h>
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

/* ---- the command --------------------------------------------------------------------------------------------- */

bool apli_rival_knows(const AplRival *rival, const AplBenchTest *test) {
    return (test->depth == 0 || strstr(rival->command, "{depth}")) &&
           (test->sequences == 1 || strstr(rival->command, "{sequences}"));
}

/* What a place holder stands for: its number, or -1 when it is none. */
static int64_t number_of(const AplBenchTest *test, const char *name, size_t length) {
    const bool prompt = test->kind == APLI_BENCH_PROMPT;
    const struct {
        const char *name;
        int64_t number;
    } numbers[] = {{"prompt", prompt ? test->tokens : 0}, {"decode", prompt ? 0 : test->tokens}, {"depth", test->depth},
                   {"threads", test->threads}, {"sequences", test->sequences}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strlen(numbers[i].name) == length && memcmp(numbers[i].name, name, length) == 0) return numbers[i].number;
    return -1;
}

/* A word of the shell that stands for these very bytes. */
static void append_quoted(AplText *command, const char *word) {
    apli_text_append_string(command, "'");
    for (; *word; word++) apli_text_append(command, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
    apli_text_append_string(command, "'");
}

void apli_rival_command(const AplRival *rival, const AplBenchTest *test, const char *model, AplText *command) {
    for (const char *next = rival->command; *next;) {
        const char *end = *next == '{' ? strchr(next, '}') : NULL;
        const size_t length = end ? (size_t)(end - next - 1) : 0;
        const int64_t number = end ? number_of(test, next + 1, length) : -1;
        const bool is_model = length == 5 && memcmp(next + 1, "model", 5) == 0;
        if (is_model) append_quoted(command, model);
        else if (number >= 0) apli_text_printf(command, "%" PRId64, number);
        else apli_text_append(command, next, 1);
        next = is_model || number >= 0 ? end + 1 : next + 1;
    }
}

/* ---- JSON ---------------------------------------------------------------------------------------------------- */

static int64_t integer_or(const json_t *record, const char *name, int64_t absent) {
    const json_t *value = json_object_get(record, name);
    return json_is_integer(value) ? (int64_t)json_integer_value(value) : absent;
}

/* Whether a record is of this test. */
static bool fits(const json_t *record, const AplBenchTest *test) {
    const int64_t prompt = integer_or(record, "n_prompt", 0), decode = integer_or(record, "n_gen", 0);
    const int64_t threads = integer_or(record, "n_threads", test->threads), depth = integer_or(record, "n_depth", -1);
    if (threads != test->threads || integer_or(record, "sequences", 1) != test->sequences) return false;
    if (test->kind == APLI_BENCH_PROMPT)
        return prompt == test->tokens && decode == 0 && (depth < 0 ? 0 : depth) == test->depth;
    return decode == test->tokens && (depth >= 0 ? prompt == 0 && depth == test->depth : prompt == test->depth);
}

/* The last record that fits, in any value of the forms told in rival.h. */
static void search(const json_t *value, const AplBenchTest *test, AplRivalFigure *figure) {
    size_t index;
    const json_t *item;
    if (json_is_array(value)) json_array_foreach((json_t *)(uintptr_t)value, index, item) search(item, test, figure);
    if (!json_is_object(value)) return;
    const json_t *results = json_object_get(value, "results"), *rate = json_object_get(value, "avg_ts");
    if (!rate) rate = json_object_get(value, "tokens_per_second");
    if (results) search(results, test, figure);
    if (json_is_number(rate) && fits(value, test)) *figure = (AplRivalFigure){APLI_RIVAL_JSON, json_number_value(rate)};
}

/* Reads the output as JSON, or as lines of it; false when it is neither. */
static bool read_json(const char *output, size_t length, const AplBenchTest *test, AplRivalFigure *figure) {
    json_t *whole = json_loadb(output, length, 0, NULL);
    if (whole) {
        search(whole, test, figure);
        json_decref(whole);
        return true;
    }
    bool found = false;
    for (const char *line = output, *last = output + length; line < last;) {
        const char *end = memchr(line, '\n', (size_t)(last - line));
        if (!end) end = last;
        json_t *record = end > line ? json_loadb(line, (size_t)(end - line), 0, NULL) : NULL;
        if (record) {
            search(record, test, figure);
            json_decref(record);
            found = true;
        }
        line = end + 1;
    }
    return found;
}

/* ---- a pattern ----------------------------------------------------------------------------------------------- */

static void search_pattern(const pcre2_code *code, pcre2_match_data *match, const char *output, size_t length,
                           AplRivalFigure *figure) {
    const PCRE2_SIZE *places = pcre2_get_ovector_pointer(match);
    for (size_t at = 0; at <= length;) {
        if (pcre2_match(code, (PCRE2_SPTR)output, length, at, 0, match, NULL) < 2 || places[2] == PCRE2_UNSET) return;
        char number[64], *end;
        const size_t size = places[3] - places[2];
        if (size < sizeof number) {
            memcpy(number, output + places[2], size);
            number[size] = 0;
            const double rate = strtod(number, &end);
            if (end != number && rate > 0) *figure = (AplRivalFigure){APLI_RIVAL_PATTERN, rate};
        }
        at = places[1] > at ? places[1] : at + 1;
    }
}

static AplErr read_pattern(const char *pattern, const char *output, size_t length, AplRivalFigure *figure) {
    int number;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED, PCRE2_MULTILINE, &number, &offset, NULL);
    if (!code) {
        PCRE2_UCHAR reason[120] = "";
        pcre2_get_error_message(number, reason, sizeof reason);
        return apli_fail(APL_DOMAIN, "the pattern \"%s\": %s at offset %zu", pattern, (const char *)reason, (size_t)offset);
    }
    uint32_t groups = 0;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
    pcre2_match_data *match = pcre2_match_data_create_from_pattern(code, NULL);
    if (match && groups) search_pattern(code, match, output, length, figure);
    pcre2_match_data_free(match);
    pcre2_code_free(code);
    FAIL_IF(!groups, APL_DOMAIN, "the pattern \"%s\" has no group: which part of it is tokens a second?", pattern);
    FAIL_IF(!match, APL_WS_FULL, "no memory to match a pattern");
    return APL_OK;
}

/* ---- figures ------------------------------------------------------------------------------------------------- */

AplErr apli_rival_read(const AplRival *rival, const AplBenchTest *test, const char *output, size_t length, double seconds,
                       AplRivalFigure *figure) {
    *figure = (AplRivalFigure){0};
    if (rival->pattern) return read_pattern(rival->pattern, output, length, figure);
    if (read_json(output, length, test, figure)) return APL_OK;
    *figure = (AplRivalFigure){APLI_RIVAL_TIME, (double)(test->tokens * test->sequences) / seconds};
    return APL_OK;
}

/* The last line of a text, without its end. */
static const char *last_line(const AplText *text, int *length) {
    const char *bytes = apli_text_string(text);
    size_t end = text->length;
    while (end && bytes[end - 1] == '\n') end--;
    size_t begin = end;
    while (begin && bytes[begin - 1] != '\n') begin--;
    *length = end - begin > 200 ? 200 : (int)(end - begin);
    return bytes + begin;
}

static AplErr run_and_read(const AplRival *rival, const AplBenchTest *test, const char *command, AplCommandOutput *output,
                           AplRivalFigure *figure) {
    TRY(apli_command_run(command, output));
    int length;
    const char *words = last_line(output->error.length ? &output->error : &output->output, &length);
    FAIL_IF(output->status, APL_DOMAIN, "%s: it ended with status %d%s%.*s", command, output->status, length ? ": " : "", length, words);
    return apli_rival_read(rival, test, apli_text_string(&output->output), output->output.length, output->seconds, figure);
}

AplErr apli_rival_run(const AplRival *rival, const AplBenchTest *test, const char *model, AplRivalFigure *figure) {
    APLI_AUTO_TEXT command = {0};
    AplCommandOutput output = {0};
    apli_rival_command(rival, test, model, &command);
    TRY(apli_text_status(&command));
    AplErr error = run_and_read(rival, test, command.bytes, &output, figure);
    apli_command_output_free(&output);
    return error;
}

const char *apli_rival_source_name(AplRivalSource source) {
    static const char *const names[] = {"none", "JSON", "pattern", "wall time"};
    return names[source];
}
