/* Errors are results: a function that can fail returns an AplErr (0 is success) and leaves a message, with the numbers
   that disagreed, in the calling thread's buffer. The kinds are the rows of error.def; a program's own ⎕SIGNAL numbers
   travel as the number itself. */
#ifndef APLI_BASE_ERROR_H
#define APLI_BASE_ERROR_H

typedef int AplErr;

enum {
    APL_OK = 0,
#define APL_ERROR(name, number, text) APL_##name = number,
#include "base/error.def"
#undef APL_ERROR
};

enum { APLI_MESSAGE_CAPACITY = 1024 };

/* Records the message of a new error and returns its kind. */
__attribute__((format(printf, 2, 3), cold)) AplErr apli_fail(AplErr kind, const char *format, ...);

/* Puts "context: " before the current message and returns kind: a reader that knows the file adds its name. */
__attribute__((format(printf, 2, 3), cold)) AplErr apli_fail_within(AplErr kind, const char *format, ...);

/* The message of this thread's last error, without its kind; never NULL. */
const char *apli_error_message(void);

/* "LENGTH ERROR" for APL_LENGTH; "ERROR 500" for a number that has no row. */
const char *apli_error_name(AplErr kind);

#define TRY(expression) \
    do { \
        AplErr try_error_ = (expression); \
        if (__builtin_expect(try_error_ != APL_OK, 0)) return try_error_; \
    } while (0)

#define FAIL_IF(condition, kind, ...) \
    do { \
        if (__builtin_expect(!!(condition), 0)) { \
            apli_fail((kind), __VA_ARGS__); \
            return (kind); \
        } \
    } while (0)

#endif
