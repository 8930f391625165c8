/* aplaca: APL arrays and sessions, and language models written in APL.

   Plain C for any language's foreign functions: opaque handles, numbers, text in UTF-8. A function that can fail returns
   an AplErr: 0 (APL_OK), or the kind of error; apl_error_message then says what disagreed, with the numbers. After an
   error nothing was made, and results are unset.

   Ownership. What a function hands over through its last parameter belongs to the caller, who gives it back with
   apl_session_free, apl_array_release or apl_model_close; arguments are only borrowed during the call. Text that a
   function returns as `const char *` is the library's, as long as its comment says.

   Threads. Different sessions and models may be used in different threads at once; one session, model or array only by
   one thread at a time. The exception is apl_session_interrupt. */
#ifndef APLACA_H
#define APLACA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define APL_API __attribute__((visibility("default")))

/* ---- errors --------------------------------------------------------------------------------------------------- */

/* The kind of an error: one of the numbers below, which are those of ⎕EN, or what a program gave ⎕SIGNAL. */
typedef int AplErr;

#ifndef APLI_BASE_ERROR_H /* the library itself has them from its table */
enum {
    APL_OK = 0,
    APL_WS_FULL = 1,
    APL_SYNTAX = 2,
    APL_INDEX = 3,
    APL_RANK = 4,
    APL_LENGTH = 5,
    APL_VALUE = 6,
    APL_FORMAT = 7,
    APL_LIMIT = 10,
    APL_DOMAIN = 11,
    APL_NONCE = 16,
    APL_FILE_ACCESS = 19,
    APL_FILE_NAME = 22,
    APL_FILE_DATA = 26,
    APL_DEFN = 99,
    APL_INTERRUPT = 1003
};
#endif

/* "0.1.0" */
APL_API const char *apl_version(void);
/* "LENGTH ERROR" for APL_LENGTH. For ever. */
APL_API const char *apl_error_name(AplErr kind);
/* What this thread's last error was about, without its kind; "" when there is no more to say. Until the next call. */
APL_API const char *apl_error_message(void);

/* Bytes that the arrays of this process may occupy together; an array that has no room is a WS FULL error. Without a
   limit at first. */
APL_API void apl_memory_set_limit(size_t bytes);
APL_API size_t apl_memory_used(void);

/* ---- arrays ----------------------------------------------------------------------------------------------------- */

typedef struct AplArray AplArray;

/* What ⎕DR says of an array's elements. A packed array's number is of the form 10×bits+kind too: 13 23 43 45 83 123. */
enum {
    APL_TYPE_BOOLEAN = 11,
    APL_TYPE_INT8 = 83,
    APL_TYPE_INT16 = 163,
    APL_TYPE_INT32 = 323,
    APL_TYPE_INT64 = 643,
    APL_TYPE_FLOAT32 = 325,
    APL_TYPE_FLOAT64 = 645,
    APL_TYPE_CHAR8 = 80,
    APL_TYPE_CHAR16 = 160,
    APL_TYPE_CHAR32 = 320,
    APL_TYPE_NESTED = 326
};

/* Arrays from C data, which is copied: row-major, as many elements as the product of the `rank` lengths in `shape` (NULL
   for rank 0). Integers are kept in the smallest type that holds them. RANK, LENGTH, LIMIT, WS FULL errors. */
APL_API AplErr apl_array_f64(const double *data, int rank, const int64_t *shape, AplArray **result);
APL_API AplErr apl_array_f32(const float *data, int rank, const int64_t *shape, AplArray **result);
APL_API AplErr apl_array_i64(const int64_t *data, int rank, const int64_t *shape, AplArray **result);
APL_API AplErr apl_array_i32(const int32_t *data, int rank, const int64_t *shape, AplArray **result);
/* A byte an element: 0, or not. */
APL_API AplErr apl_array_bool(const uint8_t *data, int rank, const int64_t *shape, AplArray **result);
/* A character vector from `length` bytes of UTF-8. DOMAIN ERROR, with the byte, where it is none. */
APL_API AplErr apl_array_text(const char *utf8, size_t length, AplArray **result);
/* Arrays of arrays; the items are retained. At least one. */
APL_API AplErr apl_array_nested(AplArray *const *items, int rank, const int64_t *shape, AplArray **result);

APL_API AplArray *apl_array_retain(AplArray *array); /* the same, with one more reference */
APL_API void apl_array_release(AplArray *array);     /* NULL is allowed */

APL_API int apl_array_type(const AplArray *array);
APL_API int apl_array_rank(const AplArray *array);           /* at most 15 */
APL_API int64_t apl_array_count(const AplArray *array);      /* the product of the shape */
APL_API void apl_array_shape(const AplArray *array, int64_t *shape); /* room for rank lengths */

/* Copies the elements out, row-major, whatever their type; `capacity` is the room in elements. LENGTH ERROR when they are
   more; DOMAIN ERROR for characters, for nested arrays, and for fractions or numbers that are too large as i64. */
APL_API AplErr apl_array_copy_f64(AplArray *array, double *data, int64_t capacity);
APL_API AplErr apl_array_copy_f32(AplArray *array, float *data, int64_t capacity);
APL_API AplErr apl_array_copy_i64(AplArray *array, int64_t *data, int64_t capacity);
/* The characters in UTF-8 with a NUL after them, as much as `capacity` bytes have room for; *length is what all of it
   takes, without the NUL. DOMAIN ERROR when the array is not of characters. */
APL_API AplErr apl_array_copy_text(AplArray *array, char *bytes, size_t capacity, size_t *length);
/* Element `index` in row-major order, from 0: the item of a nested array, a scalar of another. INDEX ERROR. */
APL_API AplErr apl_array_item(AplArray *array, int64_t index, AplArray **result);

/* ---- sessions ----------------------------------------------------------------------------------------------------- */

typedef struct AplSession AplSession;

/* A workspace with nothing in it. */
APL_API AplErr apl_session_new(AplSession **result);
APL_API void apl_session_free(AplSession *session); /* NULL is allowed */

/* Where ⎕← and displayed values go: UTF-8, not NUL-terminated, in pieces. NULL: standard output. */
typedef void AplWrite(void *user, const char *bytes, size_t length);
APL_API void apl_session_set_output(AplSession *session, AplWrite *write, void *user);

/* Runs lines of APL, ∇ definitions included. Every line's value is displayed as in a session, except that of an
   assignment. With `result`, nothing is displayed but what ⎕← writes, and the last value is handed over; NULL when there
   is none. */
APL_API AplErr apl_session_execute(AplSession *session, const char *text, size_t length, AplArray **result);
/* The last error of the session as APL reports it: its kind and message, the line with a caret, the calls. "" when there
   was none. Until the session's next call. */
APL_API const char *apl_session_report(const AplSession *session);
/* What is running, or the next thing to run, ends with INTERRUPT. From any thread or signal handler. */
APL_API void apl_session_interrupt(AplSession *session);

/* Variables by name. VALUE ERROR when there is none; SYNTAX ERROR for what is no name. set retains the value. */
APL_API AplErr apl_session_get(AplSession *session, const char *name, AplArray **result);
APL_API AplErr apl_session_set(AplSession *session, const char *name, AplArray *value);
/* Calls a defined function; left may be NULL. *result is NULL when the function gives none. */
APL_API AplErr apl_session_call(AplSession *session, const char *name, AplArray *left, AplArray *right, AplArray **result);
/* The display of an array, as apl_array_copy_text gives text. */
APL_API AplErr apl_session_display(AplSession *session, AplArray *array, char *bytes, size_t capacity, size_t *length);

/* ---- language models ------------------------------------------------------------------------------------------------- */

typedef struct AplLanguageModel AplLanguageModel;

/* Structures of options begin with their size, so that they can grow: begin with NAME_init, which sets the size of
   the caller's structure and what holds where nothing is asked for. */
typedef struct AplModelOptions {
    size_t size;
    int64_t context; /* tokens that the model can look back on; 0: what it was made for, at most 2048 */
    int64_t layers;  /* how many to run; 0: all */
    int32_t exact;   /* not 0: products take activations in f32, not rounded to 8 bits in groups of 16 */
    int32_t plain;   /* not 0: computed by the APL text alone, without kernels */
} AplModelOptions;

typedef struct AplAskOptions {
    size_t size;
    int32_t raw;           /* not 0: the prompt continues as it is, outside any conversation */
    int32_t stop_count;
    const char *const *stops; /* texts that end the answer and are no part of it */
    int64_t limit;         /* the most tokens of the answer; 0: as many as the context has room for */
    double temperature;    /* 0.8; 0: always the likeliest token */
    double top_p;          /* 0.95 */
    double min_p;          /* 0.05 */
    double repeat_penalty; /* 1 */
    int64_t top_k;         /* 40; 0: all */
    uint64_t seed;         /* the same seed, model and prompt give the same answer */
    /* Receives the answer in pieces of whole characters; 0 ends it. NULL: no one listens. */
    int (*receive)(void *user, const char *bytes, size_t length);
    void *user;
} AplAskOptions;

typedef struct AplAskResult {
    size_t size; /* set by the caller: sizeof(AplAskResult) */
    int64_t prompt_tokens, answer_tokens;
    double prompt_seconds, answer_seconds;
    int32_t ending; /* 0: the model had said all, 1: a stop text, 2: the limit, 3: the context is full, 4: interrupted */
} AplAskResult;

APL_API void apl_model_options_init(AplModelOptions *options, size_t size);
APL_API void apl_ask_options_init(AplAskOptions *options, size_t size);

/* Opens a GGUF file; options may be NULL. FILE errors with the file, the field and the numbers; NONCE ERROR for a family
   that is not known. */
APL_API AplErr apl_model_open(const char *path, const AplModelOptions *options, AplLanguageModel **result);
APL_API void apl_model_close(AplLanguageModel *model); /* NULL is allowed */

/* The workspace that holds the model's arrays (WQ, EMBEDDING, ...) and functions (llama, ...). It is the model's. */
APL_API AplSession *apl_model_session(AplLanguageModel *model);
APL_API int64_t apl_model_context(const AplLanguageModel *model);
APL_API int64_t apl_model_vocabulary(const AplLanguageModel *model);

/* Token ids of a text: as many as `capacity` has room for; *count is how many there are. special: not 0: control tokens in
   the text are meant, and the text begins as the model's texts begin. */
APL_API AplErr apl_model_encode(const AplLanguageModel *model, const char *text, size_t length, int special, int32_t *tokens,
                                size_t capacity, size_t *count);
/* The text of tokens, as apl_array_copy_text gives text; a token may be part of a character. INDEX ERROR for an id that is
   not in the vocabulary. */
APL_API AplErr apl_model_decode(const AplLanguageModel *model, const int32_t *tokens, size_t count, char *bytes,
                                size_t capacity, size_t *length);

/* Adds a message to the conversation, before what is asked next: role is "system", "user" or "assistant". */
APL_API AplErr apl_model_say(AplLanguageModel *model, const char *role, const char *text);
/* Asks; the answer goes to options->receive and becomes part of the conversation. options and result may be NULL. LIMIT
   ERROR when the conversation is longer than the context; DOMAIN ERROR for an option out of range. */
APL_API AplErr apl_model_ask(AplLanguageModel *model, const char *prompt, const AplAskOptions *options, AplAskResult *result);
/* Forgets the conversation. */
APL_API void apl_model_forget(AplLanguageModel *model);

#ifdef __cplusplus
}
#endif

#endif
