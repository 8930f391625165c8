/* model/gguf_writer and os/new_file: the bytes written are those that the format asks for, and a file appears whole or not
   at all. */
#include "model/gguf_writer.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static char folder[] = "/tmp/aplaca_gguf_writer_test_XXXXXX";

static void in_folder(const char *name, char path[256]) { snprintf(path, 256, "%s/%s", folder, name); }

static int files_in_folder(void) {
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    int count = 0;
    for (struct dirent *entry; (entry = readdir(directory));) count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

/* Two tensors, of 3 and 32 elements, and an entry of each kind. */
static AplGgufWriter *small_writer(void) {
    AplGgufWriter *writer;
    const char *strings[] = {"a", "bc"};
    const int32_t numbers[] = {-1, 2};
    const uint64_t three[] = {3}, block[] = {32, 1};
    assert_int_equal(apli_gguf_writer_new(&writer), APL_OK);
    apli_gguf_put_string(writer, "s", "x");
    apli_gguf_put_u32(writer, "u", 7);
    apli_gguf_put_f32(writer, "f", 1.0f);
    apli_gguf_put_boolean(writer, "b", true);
    apli_gguf_put_strings(writer, "ss", strings, 2);
    apli_gguf_put_i32s(writer, "ii", numbers, 2);
    assert_int_equal(apli_gguf_put_tensor(writer, "t", "f32", 1, three), APL_OK);
    assert_int_equal(apli_gguf_put_tensor(writer, "q", "q4_0", 2, block), APL_OK);
    return writer;
}

/* By hand from the format's description: github.com/ggml-org/ggml/blob/master/docs/gguf.md. */
#define U32(number) number, 0, 0, 0
#define U64(number) number, 0, 0, 0, 0, 0, 0, 0
static const uint8_t expected_header[] = {
    'G', 'G', 'U', 'F', U32(3), U64(2), U64(6),
    U64(1), 's', U32(8), U64(1), 'x',
    U64(1), 'u', U32(4), U32(7),
    U64(1), 'f', U32(6), 0, 0, 0x80, 0x3F,
    U64(1), 'b', U32(7), 1,
    U64(2), 's', 's', U32(9), U32(8), U64(2), U64(1), 'a', U64(2), 'b', 'c',
    U64(2), 'i', 'i', U32(9), U32(5), U64(2), 255, 255, 255, 255, U32(2),
    U64(1), 't', U32(1), U64(3), U32(0), U64(0),
    U64(1), 'q', U32(2), U64(32), U64(1), U32(2), U64(32),
};

static void the_bytes_are_those_of_the_format(void **state) {
    (void)state;
    char path[256];
    in_folder("small.gguf", path);
    AplGgufWriter *writer = small_writer();
    AplNewFile *file;
    const float values[3] = {1, 2, 3};
    uint8_t block[18];
    memset(block, 0xAB, sizeof block);
    assert_int_equal(apli_gguf_tensor_bytes(writer), 64);
    assert_int_equal(apli_new_file(path, &file), APL_OK);
    assert_int_equal(apli_gguf_begin(writer, file), APL_OK);
    assert_int_equal(apli_gguf_write(writer, values, 5), APL_OK); /* in any pieces */
    assert_int_equal(apli_gguf_write(writer, (const char *)values + 5, 7), APL_OK);
    assert_int_equal(apli_gguf_write(writer, block, sizeof block), APL_OK);
    assert_int_equal(access(path, F_OK), -1); /* not before it is whole */
    assert_int_equal(apli_gguf_finish(writer), APL_OK);
    apli_new_file_free(file);
    apli_gguf_writer_free(writer);

    uint8_t found[1024];
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    const size_t size = fread(found, 1, sizeof found, stream), data = (sizeof expected_header + 31) / 32 * 32;
    fclose(stream);
    assert_int_equal(size, data + 64);
    assert_memory_equal(found, expected_header, sizeof expected_header);
    for (size_t i = sizeof expected_header; i < data; i++) assert_int_equal(found[i], 0);
    assert_memory_equal(found + data, values, sizeof values);
    assert_memory_equal(found + data + 32, block, sizeof block);
    for (size_t i = data + 32 + sizeof block; i < size; i++) assert_int_equal(found[i], 0);
    assert_int_equal(files_in_folder(), 1);
    unlink(path);
}

static void a_file_in_memory_is_read_like_any_other(void **state) {
    (void)state;
    AplGgufWriter *writer = small_writer();
    AplNewFile *file;
    AplGguf *gguf;
    const uint8_t bytes[12 + 18] = {0};
    assert_int_equal(apli_new_file_in_memory("a model", &file), APL_OK);
    assert_int_equal(apli_gguf_begin(writer, file), APL_OK);
    assert_int_equal(apli_gguf_write(writer, bytes, sizeof bytes), APL_OK);
    assert_int_equal(apli_gguf_finish(writer), APL_OK);
    assert_int_equal(apli_gguf_open(apli_new_file_path(file), &gguf), APL_OK);
    apli_new_file_free(file); /* what is mapped stays */
    int64_t number;
    assert_int_equal(apli_gguf_integer(gguf, "u", &number), APL_OK);
    assert_int_equal(number, 7);
    assert_int_equal(apli_gguf_tensor_count(gguf), 2);
    assert_string_equal(apli_gguf_find_tensor(gguf, "q")->type->name, "q4_0");
    apli_gguf_close(gguf);
    apli_gguf_writer_free(writer);
}

static void too_few_and_too_many_bytes_are_errors_and_leave_no_file(void **state) {
    (void)state;
    char path[256];
    in_folder("cut.gguf", path);
    AplGgufWriter *writer = small_writer();
    AplNewFile *file;
    const uint8_t bytes[40] = {0};
    assert_int_equal(apli_new_file(path, &file), APL_OK);
    assert_int_equal(apli_gguf_begin(writer, file), APL_OK);
    assert_int_equal(apli_gguf_write(writer, bytes, 20), APL_OK);
    assert_int_equal(apli_gguf_finish(writer), APL_LENGTH);
    assert_string_equal(apli_error_message(), "tensor q has 8 of its 18 bytes");
    assert_int_equal(apli_gguf_write(writer, bytes, 11), APL_LENGTH);
    assert_string_equal(apli_error_message(), "1 bytes more than the 2 tensors of the file hold");
    apli_new_file_free(file);
    apli_gguf_writer_free(writer);
    assert_int_equal(files_in_folder(), 0);
}

static void tensors_that_no_file_holds_are_refused(void **state) {
    (void)state;
    AplGgufWriter *writer;
    assert_int_equal(apli_gguf_writer_new(&writer), APL_OK);
    assert_int_equal(apli_gguf_put_tensor(writer, "t", "q9_9", 1, (const uint64_t[]){32}), APL_DOMAIN);
    assert_string_equal(apli_error_message(), "tensor t: \"q9_9\" is no tensor type");
    assert_int_equal(apli_gguf_put_tensor(writer, "t", "q4_0", 1, (const uint64_t[]){33}), APL_DOMAIN);
    assert_int_equal(apli_gguf_put_tensor(writer, "t", "f32", 5, (const uint64_t[]){1, 1, 1, 1, 1}), APL_RANK);
    assert_int_equal(apli_gguf_put_tensor(writer, "t", "f32", 2, (const uint64_t[]){UINT64_C(1) << 32, UINT64_C(1) << 32}),
                     APL_LIMIT);
    assert_int_equal(apli_gguf_put_tensor(writer, "t", "f32", 1, (const uint64_t[]){0}), APL_LIMIT);
    apli_gguf_writer_free(writer);
    AplNewFile *file;
    assert_int_equal(apli_new_file("/nowhere/at/all", &file), APL_FILE_NAME);
    assert_string_equal(apli_error_message(), "/nowhere/at/all: No such file or directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_those_of_the_format),
        cmocka_unit_test(a_file_in_memory_is_read_like_any_other),
        cmocka_unit_test(too_few_and_too_many_bytes_are_errors_and_leave_no_file),
        cmocka_unit_test(tensors_that_no_file_holds_are_refused),
    };
    if (!mkdtemp(folder)) return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
