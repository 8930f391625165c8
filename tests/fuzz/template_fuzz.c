/* A hostile template over a small context. */
#include "model/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static json_t *context;
    if (!context)
        context = json_loads(
            "{\"messages\": [{\"role\": \"system\", \"content\": \"s\"}, {\"role\": \"user\", \"content\":"
            " \" Grüße\\n\"}], \"n\": 7, \"x\": 2.5, \"yes\": true, \"none_value\": null, \"d\": {\"a\": [1, "
            "2]}}",
            0, NULL);
    AplTemplate *template;
    if (apli_template_new("fuzz", (const char *)data, size, &template) != APL_OK) return 0;
    APLI_AUTO_TEXT output = {0};
    if (apli_template_render(template, context, &output) == APL_OK &&
        !apli_utf8_valid(apli_text_string(&output), output.length, NULL))
        __builtin_trap();
    apli_template_free(template);
    return 0;
}
