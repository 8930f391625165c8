/* A template's life: its text is checked and parsed once, and rendered any number of times. */
#include "model/template.h"

#include "model/template_internal.h"

#include <stdlib.h>
#include <string.h>

struct AplTemplate {
    AplArena arena; /* the name, the text and the nodes */
    const char *source;
    JinjaNode *body;
};

enum { PARSE_MEMORY = 512 << 20 };

void apli_template_free(AplTemplate *template) {
    if (!template) return;
    apli_arena_free(&template->arena);
    free(template);
}

/* Every kind of line end is \n inside a template, and one at its very end does not count. */
static size_t normalize_lines(const char *text, size_t length, char *normal) {
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\r' && i + 1 < length && text[i + 1] == '\n') continue;
        normal[used++] = text[i] == '\r' ? '\n' : text[i];
    }
    return used && normal[used - 1] == '\n' ? used - 1 : used;
}

static AplErr parse(AplTemplate *template, const char *source_name, const char *text, size_t length) {
    FAIL_IF(length > JINJA_MAX_TEMPLATE, APL_LIMIT, "%s: a template of %zu bytes, the limit is %d",
            source_name, length, JINJA_MAX_TEMPLATE);
    size_t wrong;
    FAIL_IF(!apli_utf8_valid(text, length, &wrong), APL_FILE_DATA,
            "%s: byte %zu of the template is not UTF-8", source_name, wrong);
    void *source, *normal;
    TRY(apli_arena_allocate(&template->arena, strlen(source_name) + 1, &source));
    TRY(apli_arena_allocate(&template->arena, length, &normal));
    template->source = strcpy(source, source_name);
    length = normalize_lines(text, length, normal);
    JinjaToken *tokens;
    TRY(apli_jinja_scan(template->source, normal, length, &template->arena, &tokens));
    JinjaParser parser = {.source = template->source, .token = tokens, .arena = &template->arena};
    return apli_jinja_parse(&parser, &template->body);
}

AplErr apli_template_new(const char *source_name, const char *text, size_t length, AplTemplate **result) {
    AplTemplate *template = calloc(1, sizeof *template);
    FAIL_IF(!template, APL_WS_FULL, "no memory for a template");
    template->arena.limit = PARSE_MEMORY;
    AplErr error = parse(template, source_name, text, length);
    if (error) {
        apli_template_free(template);
        return error;
    }
    *result = template;
    return APL_OK;
}

/* The context's members as names of the outermost frame; the template's own are in one inside it. */
static AplErr bind_context(JinjaEvaluator *evaluator, const json_t *context) {
    JinjaValue values;
    FAIL_IF(!json_is_object(context), APL_DOMAIN, "a template's context is a JSON object");
    TRY(apli_jinja_from_json(evaluator, context, &values));
    TRY(apli_jinja_new_frame(evaluator, NULL, &evaluator->frame));
    for (size_t i = 0; i < values.dict->count; i++) {
        JinjaString name = {values.dict->keys[i].bytes, values.dict->keys[i].length};
        TRY(apli_jinja_assign(evaluator, name, &values.dict->values[i]));
    }
    return apli_jinja_new_frame(evaluator, evaluator->frame, &evaluator->frame);
}

AplErr apli_template_render(const AplTemplate *template, const json_t *context, AplText *output) {
    JinjaEvaluator evaluator = {.arena = {.limit = JINJA_MAX_MEMORY}, .output = output, .line = 1};
    AplErr error = bind_context(&evaluator, context);
    if (!error) error = apli_jinja_run(&evaluator, template->body);
    apli_arena_free(&evaluator.arena);
    return error ? apli_fail_within(error, "%s, line %d", template->source, evaluator.line) : APL_OK;
}
