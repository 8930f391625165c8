/* The calling thread's last error. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[APLI_MESSAGE_CAPACITY];

AplErr apli_fail(AplErr kind, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return kind;
}

AplErr apli_fail_within(AplErr kind, const char *format, ...) {
    char inner[APLI_MESSAGE_CAPACITY];
    memcpy(inner, message, sizeof inner);
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    /* What does not fit is cut; asking for the length tells the compiler that this is meant. */
    if (used >= 0 && used < (int)sizeof message - 3 &&
        snprintf(message + used, sizeof message - (size_t)used, ": %s", inner) < 0)
        message[used] = 0;
    return kind;
}

const char *apli_error_message(void) { return message; }

const char *apli_error_name(AplErr kind) {
    static _Thread_local char unnamed[32];
    switch (kind) {
#define APL_ERROR(name, number, text) \
    case number: return text;
#include "base/error.def"
#undef APL_ERROR
    default: snprintf(unnamed, sizeof unnamed, "ERROR %d", kind); return unnamed;
    }
}
