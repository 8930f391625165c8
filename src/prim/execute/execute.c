/* ⍎: a character vector as APL, run where the call stands. What running means is the interpreter's (env->execute). */
#include "base/text.h"
#include "prim/prim.h"

AplErr apli_text_of(AplArray *array, const char *what, AplText *text) {
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(array, &plain));
    FAIL_IF(plain->rank > 1, APL_RANK, "%s must be a character vector, its shape is %s", what, apli_shape_text(plain));
    FAIL_IF(plain->count && !apli_type_is_character((AplType)plain->type), APL_DOMAIN, "%s must be characters, not %s", what,
            apli_types[plain->type].name);
    for (int64_t i = 0; i < plain->count; i++) apli_text_append_codepoint(text, apli_char_at(plain, i));
    return apli_text_status(text);
}

AplErr apli_execute(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO_TEXT text = {0};
    TRY(apli_text_of(right, "the argument of ⍎", &text));
    return env->execute(env, apli_text_string(&text), text.length, result);
}
