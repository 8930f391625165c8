/* model/panel_file: a model's panels are made once, found again by what the model's file holds, and are what the products would
   have made themselves. The model is one matrix large enough for a file, and its bytes are the test's own. */
#include "model/gguf_writer.h"
#include "model/panel_file.h"
#include "prim/inner_product/panel_product.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

enum { COLUMNS = 4096, ROWS = 8192 + 5, ROW_BYTES = COLUMNS / 32 * 18 }; /* 18 MB of Q4_0 */

static char folder[64], cache[80], model_path[80];

static int set_up(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/aplaca_panels_XXXXXX");
    if (!mkdtemp(folder)) return 1;
    snprintf(cache, sizeof cache, "%s/cache", folder);
    snprintf(model_path, sizeof model_path, "%s/model.gguf", folder);
    setenv("APLACA_CACHE", cache, 1);
    setenv("APLACA_CACHE_GB", "1", 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0;
}

/* Writes the model: rows of blocks of f16 1.0 and 16 bytes of codes, which start with `first`. */
static void write_model(int first) {
    const uint64_t lengths[] = {COLUMNS, ROWS};
    AplGgufWriter *writer;
    AplNewFile *file;
    static uint8_t row[ROW_BYTES];
    assert_int_equal(apli_gguf_writer_new(&writer), APL_OK);
    apli_gguf_put_string(writer, "general.architecture", "test");
    assert_int_equal(apli_gguf_put_tensor(writer, "matrix", "q4_0", 2, lengths), APL_OK);
    assert_int_equal(apli_new_file(model_path, &file), APL_OK);
    assert_int_equal(apli_gguf_begin(writer, file), APL_OK);
    for (int i = 0; i < ROWS; i++) {
        for (int j = 0; j < ROW_BYTES; j++) row[j] = j % 18 == 0 ? 0 : j % 18 == 1 ? 0x3C : (uint8_t)(first + i * 7 + j * 13);
        assert_int_equal(apli_gguf_write(writer, row, sizeof row), APL_OK);
    }
    assert_int_equal(apli_gguf_finish(writer), APL_OK);
    apli_new_file_free(file);
    apli_gguf_writer_free(writer);
}

static void set_modified(time_t seconds) {
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, model_path, times, 0), 0);
}

static AplGguf *open_model(AplPanelFile **panels) {
    AplGguf *gguf;
    assert_int_equal(apli_gguf_open(model_path, &gguf), APL_OK);
    const AplGgufTensor *matrix = apli_gguf_tensor(gguf, 0);
    assert_int_equal(apli_panel_file_open(gguf, &matrix, 1, panels), APL_OK);
    return gguf;
}

/* Whether the panels of the model as it is are in the cache; makes them if told to. */
static bool panels_are_there(bool make) {
    AplPanelFile *panels;
    AplGguf *gguf = open_model(&panels);
    const bool there = apli_panel_file_has(panels, apli_gguf_tensor(gguf, 0));
    if (make) assert_int_equal(apli_panel_file_make(panels, NULL), APL_OK);
    apli_panel_file_close(panels);
    apli_gguf_close(gguf);
    return there;
}

static int files_in_cache(void) {
    DIR *directory = opendir(cache);
    int count = 0;
    for (struct dirent *entry; directory && (entry = readdir(directory));) count += entry->d_type == DT_REG;
    if (directory) closedir(directory);
    return count;
}

/* The matrix as an array on the file's bytes. */
static AplArray *matrix_of(const AplGguf *gguf) {
    const AplGgufTensor *tensor = apli_gguf_tensor(gguf, 0);
    AplArray *bytes, *packed;
    assert_int_equal(apli_array_borrow(APLI_I8, 1, (int64_t[]){(int64_t)tensor->size}, (void *)(uintptr_t)tensor->bytes,
                                       (size_t)tensor->size, NULL, NULL, &bytes), APL_OK);
    assert_int_equal(apli_packed_new(apli_packed_layout_named("q4_0"), 2, (int64_t[]){ROWS, COLUMNS}, bytes->storage, bytes->data,
                                     &packed), APL_OK);
    apli_array_release(bytes);
    return packed;
}

static void panels_of_the_file_are_those_that_products_make(void **state) {
    (void)state;
    AplPanelFile *panels;
    write_model(1);
    assert_false(panels_are_there(true));
    assert_int_equal(files_in_cache(), 1);
    AplGguf *gguf = open_model(&panels);
    AplArray *attached = matrix_of(gguf), *made = matrix_of(gguf);
    assert_int_equal(apli_panel_file_attach(panels, apli_gguf_tensor(gguf, 0), attached), APL_OK);
    assert_int_equal(apli_panels_make(made), APL_OK);
    apli_panel_file_close(panels); /* the array keeps the mapping */
    const AplPanels *a = apli_panels_of(attached), *b = apli_panels_of(made);
    assert_non_null(a);
    assert_ptr_not_equal(a->bytes, b->bytes);
    assert_int_equal(a->count * a->panel_bytes, b->count * b->panel_bytes);
    assert_memory_equal(a->bytes, b->bytes, (size_t)(a->count * a->panel_bytes));
    apli_array_release(attached);
    apli_array_release(made);
    apli_gguf_close(gguf);
}

static void panels_are_found_when_the_model_has_moved(void **state) {
    (void)state;
    char other[sizeof model_path];
    write_model(1);
    set_modified(1000000);
    assert_false(panels_are_there(true));
    snprintf(other, sizeof other, "%s/other.gguf", folder);
    assert_int_equal(rename(model_path, other), 0);
    snprintf(model_path, sizeof model_path, "%s", other);
    assert_true(panels_are_there(false));
}

static void a_changed_model_has_other_panels(void **state) {
    (void)state;
    write_model(1);
    set_modified(1000000);
    assert_false(panels_are_there(true));
    assert_true(panels_are_there(false));
    set_modified(1000001); /* touched */
    assert_false(panels_are_there(false));
    set_modified(1000000);
    assert_true(panels_are_there(false));
    write_model(2); /* other content at the same time */
    set_modified(1000000);
    assert_false(panels_are_there(true));
    assert_int_equal(files_in_cache(), 2);
}

static void a_model_that_cannot_be_written_works(void **state) {
    (void)state;
    write_model(1);
    assert_int_equal(chmod(model_path, 0444), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    assert_false(panels_are_there(true));
    assert_true(panels_are_there(false));
    DIR *directory = opendir(folder); /* nothing beside the model */
    int files = 0;
    for (struct dirent *entry; (entry = readdir(directory));) files += entry->d_type == DT_REG;
    closedir(directory);
    assert_int_equal(files, 1);
}

static void without_a_cache_products_make_the_panels(void **state) {
    (void)state;
    AplPanelFile *panels;
    setenv("APLACA_CACHE_GB", "0", 1);
    write_model(1);
    AplGguf *gguf = open_model(&panels);
    AplArray *array = matrix_of(gguf);
    assert_int_equal(apli_panel_file_make(panels, NULL), APL_OK);
    assert_int_equal(apli_panel_file_attach(panels, apli_gguf_tensor(gguf, 0), array), APL_OK);
    assert_null(apli_panels_of(array));
    apli_panel_file_close(panels);
    assert_int_equal(apli_panels_make(array), APL_OK);
    assert_non_null(apli_panels_of(array));
    apli_array_release(array);
    apli_gguf_close(gguf);
    assert_int_equal(access(cache, F_OK), -1);
}

static void a_model_whose_file_is_gone_has_no_file_of_panels(void **state) {
    (void)state;
    AplGguf *gguf;
    AplPanelFile *panels;
    write_model(1);
    assert_int_equal(apli_gguf_open(model_path, &gguf), APL_OK);
    assert_int_equal(unlink(model_path), 0);
    const AplGgufTensor *matrix = apli_gguf_tensor(gguf, 0);
    assert_int_equal(apli_panel_file_open(gguf, &matrix, 1, &panels), APL_OK);
    assert_null(panels);
    apli_gguf_close(gguf);
}

typedef struct Heard {
    int64_t first, last, total;
    int times;
} Heard;

static void hear(void *user, int64_t done, int64_t total) {
    Heard *heard = user;
    if (heard->times++ == 0) heard->first = done;
    assert_true(done >= heard->last && total > 0);
    heard->last = done;
    heard->total = total;
}

static void making_tells_how_far_it_is(void **state) {
    (void)state;
    Heard heard = {0};
    AplPanelFile *panels;
    write_model(1);
    AplGguf *gguf = open_model(&panels);
    assert_int_equal(apli_panel_file_make(panels, &(AplPanelProgress){hear, &heard}), APL_OK);
    assert_int_equal(heard.first, 0);
    assert_int_equal(heard.last, heard.total);
    assert_int_equal(heard.times, 2);
    assert_int_equal(apli_panel_file_make(panels, &(AplPanelProgress){hear, &heard}), APL_OK); /* nothing is left to do */
    assert_int_equal(heard.times, 2);
    apli_panel_file_close(panels);
    apli_gguf_close(gguf);
}

int main(void) {
#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ONE(panels_of_the_file_are_those_that_products_make),
        ONE(panels_are_found_when_the_model_has_moved),
        ONE(a_changed_model_has_other_panels),
        ONE(a_model_that_cannot_be_written_works),
        ONE(without_a_cache_products_make_the_panels),
        ONE(making_tells_how_far_it_is),
        ONE(a_model_whose_file_is_gone_has_no_file_of_panels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
