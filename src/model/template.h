/* Chat templates: the part of the Jinja2 language that models' templates are written in, as `transformers`
   renders them (trim_blocks, lstrip_blocks, loop controls, sandboxed and immutable). A template and its
   context are hostile: depth, steps, memory and output are bounded, each with a LIMIT ERROR. */
#ifndef APLI_MODEL_TEMPLATE_H
#define APLI_MODEL_TEMPLATE_H

#include "base/error.h"
#include "base/text.h"

#include <jansson.h>
#include <stddef.h>

typedef struct AplTemplate AplTemplate;

/* Parses `length` bytes, which need not live on. SYNTAX ERROR with the source's name, the line and what
   was expected. */
AplErr apli_template_new(const char *source_name, const char *text, size_t length, AplTemplate **result);
void apli_template_free(AplTemplate *template);

/* Appends the rendering to `output`. `context` is a JSON object: messages, add_generation_prompt,
   bos_token, ... DOMAIN ERROR with the template's own message where it calls raise_exception; VALUE,
   DOMAIN, INDEX errors with name and line for its mistakes. One template may be rendered by many threads
   at once. */
AplErr apli_template_render(const AplTemplate *template, const json_t *context, AplText *output);

#endif
