/* ⎕NGET and ⎕NPUT: text files, read and written whole. */
#include "os/new_file.h"
#include "prim/quad/encoding.h"
#include "prim/quad/quad_functions.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLAG_NEW = 0, FLAG_REPLACE = 1, FLAG_APPEND = 2, FLAG_TEXT = 0, FLAG_LINES = 1, FLAG_MATRIX = 2 };

static bool is_character(const AplArray *array) { return apli_type_is_character((AplType)array->type); }

/* 'name' or 'name' flags. */
static AplErr read_name(AplArray *argument, AplText *name, int64_t *flags) {
    *flags = 0;
    const AplArray *characters = argument;
    if (argument->type == APLI_NESTED) {
        FAIL_IF(argument->rank > 1 || argument->count < 1 || argument->count > 2, APL_LENGTH,
                "a file is given by its name and flags, not by %" PRId64 " items", argument->count);
        characters = apli_items(argument)[0];
        if (argument->count == 2) TRY(apli_integer(apli_items(argument)[1], "the flags", flags));
    }
    FAIL_IF(*flags < 0 || *flags > 2, APL_DOMAIN, "flags %" PRId64 " are not 0, 1 or 2", *flags);
    TRY(apli_utf8_of(characters, "the file's name", name));
    FAIL_IF(name->length == 0 || strlen(name->bytes) != name->length, APL_FILE_NAME,
            "'%s' is no name of a file", apli_text_string(name));
    return APL_OK;
}

static AplErr file_error(const char *name, int error) {
    AplErr kind = error == ENOENT || error == EEXIST || error == ENOTDIR || error == ENAMETOOLONG
                      ? APL_FILE_NAME
                      : APL_FILE_ACCESS;
    apli_fail(kind, "%s: %s", name, strerror(error));
    return kind;
}

/* ---- reading ---------------------------------------------------- */

static AplErr read_file(AplEnv *env, const char *name, AplText *bytes) {
    FILE *file = fopen(name, "rb");
    if (!file) return file_error(name, errno);
    char part[65536];
    size_t count;
    AplErr error = APL_OK;
    errno = 0;
    while (!error && !bytes->failed && (count = fread(part, 1, sizeof part, file)) > 0) {
        apli_text_append(bytes, part, count);
        error = apli_check(env);
    }
    if (!error && ferror(file)) error = file_error(name, errno ? errno : EIO);
    fclose(file);
    return error ? error : apli_text_status(bytes);
}

/* Decodes the file's bytes; says how in "UTF-8-NOBOM". `asked` is NULL when no one asked for an encoding. */
static AplErr decode_file(const char *name, const AplText *bytes, const char *asked, AplText *utf8,
                          AplText *encoding_name) {
    AplEncoding encoding;
    const char *start = apli_text_string(bytes), *mark_bytes;
    bool marked = apli_encoding_marked(start, bytes->length, &encoding), custom;
    if (!marked && asked) TRY(apli_encoding_named(asked, &encoding, &custom));
    if (!marked && !asked)
        encoding = apli_utf8_valid(start, bytes->length, NULL) ? APLI_UTF8 : APLI_WINDOWS1252;
    size_t mark = apli_encoding_mark(encoding, &mark_bytes), skip = marked ? mark : 0;
    TRY(apli_text_decode(name, encoding, start + skip, bytes->length - skip, utf8));
    apli_text_printf(encoding_name, "%s%s", apli_encoding_name(encoding),
                     mark == 0 ? ""
                     : marked  ? "-BOM"
                               : "-NOBOM");
    return apli_text_status(encoding_name);
}

/* A line separator at `index`: how many characters it has, 0 when there is none. */
static int64_t separator_at(const AplArray *text, int64_t index) {
    uint32_t character = apli_char_at(text, index);
    if (character == 13) return index + 1 < text->count && apli_char_at(text, index + 1) == 10 ? 2 : 1;
    return (character >= 10 && character <= 12) || character == 133 || character == 8232 || character == 8233;
}

/* The first newline of the text, as code points. */
static AplErr newline_of(const AplArray *text, AplArray **result) {
    int64_t count = 0, index = 0;
    for (; index < text->count; index++) {
        uint32_t character = apli_char_at(text, index);
        if (character != 10 && character != 13 && character != 133) continue;
        count = separator_at(text, index);
        break;
    }
    APLI_AUTO AplArray *numbers = NULL;
    TRY(apli_vector_new(APLI_I32, count, &numbers));
    for (int64_t i = 0; i < count; i++)
        ((int32_t *)numbers->data)[i] = (int32_t)apli_char_at(text, index + i);
    TRY(apli_squeeze(&numbers));
    *result = apli_move(&numbers);
    return APL_OK;
}

static AplErr line_of(const AplArray *text, int64_t from, int64_t end, AplArray **line) {
    int64_t length = end - from;
    TRY(apli_vector_new((AplType)text->type, length, line));
    if (length) apli_copy(*line, 0, text, from, length);
    return apli_squeeze(line);
}

/* The lines of a text; what is behind the last separator is one when it is not empty. */
static AplErr split_lines(const AplArray *text, AplArray **result) {
    int64_t count = 0, from = 0;
    for (int64_t i = 0; i < text->count;) {
        int64_t length = separator_at(text, i);
        count += length > 0 || i + 1 == text->count;
        i += length ? length : 1;
    }
    APLI_AUTO AplArray *lines = NULL;
    TRY(apli_vector_new(APLI_NESTED, count, &lines));
    if (count == 0) TRY(apli_string("", 0, &apli_items(lines)[0]));
    for (int64_t i = 0, line = 0; line < count;) {
        int64_t length = i < text->count ? separator_at(text, i) : 1;
        if (length) {
            TRY(line_of(text, from, i, &apli_items(lines)[line++]));
            from = i + length;
        }
        i += length ? length : 1;
    }
    *result = apli_move(&lines);
    return APL_OK;
}

/* Every separator becomes a line feed. */
static AplErr normalize(const AplArray *text, AplArray **result) {
    APLI_AUTO AplArray *normal = NULL, *part = NULL;
    TRY(apli_vector_new((AplType)text->type, text->count, &normal));
    int64_t count = 0;
    for (int64_t i = 0; i < text->count; count++) {
        int64_t length = separator_at(text, i);
        uint32_t character = length ? 10 : apli_char_at(text, i);
        apli_elem_convert((AplType)normal->type, normal->data, count, APLI_CHAR32, &character, 0, 1);
        i += length ? length : 1;
    }
    TRY(apli_view(normal, 0, 1, &count, &part));
    TRY(apli_squeeze(&part));
    *result = apli_move(&part);
    return APL_OK;
}

static AplErr get(AplEnv *env, const char *asked, AplArray *right, AplArray **result) {
    FAIL_IF(env->restricted, APL_NONCE, "⎕NGET: this session is to leave files alone");
    APLI_AUTO_TEXT name = {0}, bytes = {0}, utf8 = {0}, encoding = {0};
    int64_t flags;
    TRY(read_name(right, &name, &flags));
    TRY(read_file(env, name.bytes, &bytes));
    TRY(decode_file(name.bytes, &bytes, asked, &utf8, &encoding));
    APLI_AUTO AplArray *text = NULL, *triple = NULL;
    TRY(apli_string(apli_text_string(&utf8), utf8.length, &text));
    TRY(apli_vector_new(APLI_NESTED, 3, &triple));
    AplArray **items = apli_items(triple);
    if (flags == FLAG_TEXT) {
        TRY(normalize(text, &items[0]));
    } else {
        APLI_AUTO AplArray *lines = NULL;
        TRY(split_lines(text, &lines));
        if (flags == FLAG_MATRIX) TRY(apli_mix(env, lines, NULL, &items[0]));
        else items[0] = apli_move(&lines);
    }
    TRY(apli_string(encoding.bytes, encoding.length, &items[1]));
    TRY(newline_of(text, &items[2]));
    *result = apli_move(&triple);
    return APL_OK;
}

AplErr apli_quad_nget(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    return get(env, NULL, right, result);
}

AplErr apli_quad_nget_as(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    APLI_AUTO_TEXT asked = {0};
    TRY(apli_utf8_of(left, "the encoding", &asked));
    return get(env, apli_text_string(&asked), right, result);
}

/* ---- writing ---------------------------------------------------- */

typedef struct Output {
    AplEncoding encoding;
    bool mark;
    uint32_t newline[2];
    int newline_length;
    AplText bytes;
} Output;

static void output_free(Output *output) { apli_text_free(&output->bytes); }

static AplErr put_newline(Output *output) {
    for (int i = 0; i < output->newline_length; i++)
        TRY(apli_text_encode(output->encoding, output->newline[i], &output->bytes));
    return APL_OK;
}

/* A line with its newline; line feeds within become newlines. */
static AplErr put_line(Output *output, const AplArray *line, int64_t from, int64_t count) {
    bool ended = false;
    for (int64_t i = from; i < from + count; i++) {
        uint32_t character = apli_char_at(line, i);
        ended = character == 10;
        if (ended) TRY(put_newline(output));
        else TRY(apli_text_encode(output->encoding, character, &output->bytes));
    }
    return ended ? APL_OK : put_newline(output);
}

static AplErr put_content(Output *output, const AplArray *content) {
    FAIL_IF(content->rank > 2 || (content->rank == 2 && !is_character(content)), APL_RANK,
            "text for a file is a vector, a matrix or lines, not of rank %d", content->rank);
    if (is_character(content)) {
        int64_t columns = content->rank == 2 ? apli_last_axis(content) : content->count;
        int64_t rows = content->rank == 2 ? content->shape[0] : content->count > 0;
        for (int64_t row = 0; row < rows; row++) {
            int64_t length = columns;
            while (content->rank == 2 && length && apli_char_at(content, row * columns + length - 1) == ' ')
                length--;
            TRY(put_line(output, content, row * columns, length));
        }
        return APL_OK;
    }
    for (int64_t i = 0; i < content->count; i++) {
        const AplArray *line = content->type == APLI_NESTED ? apli_items(content)[i] : content;
        FAIL_IF(line->rank > 1 || (!is_character(line) && line->count), APL_DOMAIN,
                "line %" PRId64 " is not characters", i);
        TRY(put_line(output, line, 0, line->count));
    }
    return APL_OK;
}

static AplErr read_encoding(const AplArray *item, Output *output) {
    APLI_AUTO_TEXT name = {0};
    TRY(apli_utf8_of(item, "the encoding", &name));
    return apli_encoding_named(apli_text_string(&name), &output->encoding, &output->mark);
}

static AplErr read_newline(AplArray *item, Output *output) {
    APLI_AUTO AplArray *numbers = NULL;
    TRY(apli_integers(item, "the newline", &numbers));
    const int64_t *n = (const int64_t *)numbers->data;
    bool pair = numbers->count == 2 && n[0] == 13 && n[1] == 10;
    FAIL_IF(numbers->count > 2 || (numbers->count == 2 && !pair) ||
                (numbers->count == 1 && n[0] != 13 && n[0] != 10 && n[0] != 133),
            APL_DOMAIN, "a newline is 13, 10, 13 10, 133 or none");
    output->newline_length = (int)numbers->count;
    for (int i = 0; i < output->newline_length; i++) output->newline[i] = (uint32_t)n[i];
    return APL_OK;
}

/* (content)(encoding)(newline), the last two optional; lines alone are content. */
static AplErr read_output(AplArray *argument, Output *output) {
    AplArray *content = argument;
    if (argument->type == APLI_NESTED && argument->count >= 1 && argument->count <= 3 && argument->rank < 2) {
        AplArray **items = apli_items(argument);
        bool described = argument->count == 1 || read_encoding(items[1], output) == APL_OK;
        if (described && argument->count == 3) described = !is_character(items[2]);
        if (described && argument->count == 3) TRY(read_newline(items[2], output));
        if (described) content = items[0];
        else *output = (Output){.newline = {10}, .newline_length = 1};
    }
    return put_content(output, content);
}

/* Writes all and closes; 0 or the error's number. */
static int write_and_close(int file, const AplText *bytes) {
    const char *at = apli_text_string(bytes);
    size_t left = bytes->length;
    int error = 0;
    while (left && !error) {
        ssize_t written = write(file, at, left);
        if (written < 0 && errno != EINTR) error = errno;
        if (written > 0) {
            at += written;
            left -= (size_t)written;
        }
    }
    if (!error && fsync(file) && errno != EINVAL && errno != EROFS) error = errno;
    if (close(file) && !error) error = errno;
    return error;
}

static AplErr create_file(const char *name, const AplText *bytes) {
    int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) return file_error(name, errno);
    int error = write_and_close(file, bytes);
    if (error) unlink(name);
    return error ? file_error(name, error) : APL_OK;
}

/* Writes a new file that takes the name, so that the old one stays whole until then. */
static AplErr replace_file(const char *name, const AplText *bytes) {
    struct stat old;
    if (stat(name, &old) == 0 && !S_ISREG(old.st_mode)) { /* a pipe or a device has nothing to lose */
        int descriptor = open(name, O_WRONLY | O_CLOEXEC);
        int error = descriptor < 0 ? errno : write_and_close(descriptor, bytes);
        return error ? file_error(name, error) : APL_OK;
    }
    AplNewFile *file;
    TRY(apli_new_file(name, &file));
    AplErr error = apli_new_file_write(file, apli_text_string(bytes), bytes->length);
    if (!error) error = apli_new_file_commit(file);
    apli_new_file_free(file);
    return error;
}

static AplErr append_file(const char *name, const AplText *bytes) {
    int file = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    int error = file < 0 ? errno : write_and_close(file, bytes);
    return error ? file_error(name, error) : APL_OK;
}

AplErr apli_quad_nput(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    FAIL_IF(env->restricted, APL_NONCE, "⎕NPUT: this session is to leave files alone");
    APLI_AUTO_TEXT name = {0}, whole = {0};
    int64_t flags;
    TRY(read_name(right, &name, &flags));
    __attribute__((cleanup(output_free))) Output output = {.newline = {10}, .newline_length = 1};
    TRY(read_output(left, &output));
    struct stat old;
    bool appends = flags == FLAG_APPEND && stat(name.bytes, &old) == 0 && old.st_size > 0;
    const char *mark;
    size_t mark_length = apli_encoding_mark(output.encoding, &mark);
    if (output.mark && !appends) apli_text_append(&whole, mark, mark_length);
    apli_text_append(&whole, apli_text_string(&output.bytes), output.bytes.length);
    TRY(apli_text_status(&output.bytes));
    TRY(apli_text_status(&whole));
    if (flags == FLAG_NEW) TRY(create_file(name.bytes, &whole));
    else if (flags == FLAG_REPLACE) TRY(replace_file(name.bytes, &whole));
    else TRY(append_file(name.bytes, &whole));
    return apli_scalar_i64((int64_t)whole.length, result);
}
