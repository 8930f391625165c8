/* os/cache_file: a file has its name only when it is whole, whoever else makes it, is killed, or has no room. */
#include "os/cache_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

enum { SIZE = 100000 };

static char directory[64];
static char path_text[256];

static const char *path_of(const char *name) {
    snprintf(path_text, sizeof path_text, "%s/%s", directory, name);
    return path_text;
}

/* A directory of its own for every test; the cache makes its last part itself. */
static int set_up(void **state) {
    (void)state;
    char parent[] = "/tmp/aplaca_cache_XXXXXX";
    if (!mkdtemp(parent)) return 1;
    snprintf(directory, sizeof directory, "%s/cache", parent);
    setenv("APLACA_CACHE", directory, 1);
    setenv("APLACA_CACHE_GB", "1", 1);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf \"$(dirname '%s')\"", directory);
    return system(command) != 0;
}

/* Files in the directory whose names begin so. */
static int count_files(const char *beginning) {
    DIR *stream = opendir(directory);
    int count = 0;
    for (struct dirent *entry; stream && (entry = readdir(stream));)
        count += entry->d_type == DT_REG && strncmp(entry->d_name, beginning, strlen(beginning)) == 0;
    if (stream) closedir(stream);
    return count;
}

static AplErr fill_sevens(void *context, uint8_t *bytes) {
    if (context) ++*(int *)context;
    memset(bytes, 7, SIZE);
    return APL_OK;
}

static bool is_sevens(const AplMap *map) {
    for (int i = 0; i < SIZE; i++)
        if (apli_map_bytes(map)[i] != 7) return false;
    return true;
}

/* Makes the file and says whether there is one, of the right content. */
static bool make(const char *name) {
    AplMap *map;
    assert_int_equal(apli_cache_make(name, SIZE, fill_sevens, NULL, &map), APL_OK);
    const bool right = map && is_sevens(map);
    if (map) assert_true(right);
    apli_map_release(map);
    return right;
}

static bool find(const char *name) {
    AplMap *map = apli_cache_find(name, SIZE);
    if (map) assert_true(is_sevens(map));
    apli_map_release(map);
    return map != NULL;
}

static void a_file_is_found_once_it_is_made(void **state) {
    (void)state;
    assert_false(find("a.panels"));
    assert_true(make("a.panels"));
    assert_true(find("a.panels"));
    assert_null(apli_cache_find("a.panels", SIZE - 1)); /* another size: another file */
    assert_int_equal(count_files(".unfinished-"), 0);
}

static AplErr fail_to_fill(void *context, uint8_t *bytes) {
    (void)context;
    bytes[0] = 7;
    return apli_fail(APL_DOMAIN, "nothing to fill it with");
}

static void an_error_of_filling_leaves_nothing(void **state) {
    (void)state;
    AplMap *map;
    assert_int_equal(apli_cache_make("a.panels", SIZE, fail_to_fill, NULL, &map), APL_DOMAIN);
    assert_null(map);
    assert_int_equal(count_files(""), 0);
}

/* Fills slowly and counts in a file how often: one byte each. */
static AplErr fill_slowly(void *context, uint8_t *bytes) {
    const int log = open(path_of("log"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)context;
    if (write(log, "x", 1) != 1) return APL_FILE_ACCESS;
    close(log);
    for (int i = 0; i < SIZE; i++) {
        bytes[i] = 7;
        if (i % (SIZE / 10) == 0) usleep(20000);
    }
    return APL_OK;
}

static void processes_that_want_the_same_file_make_it_once(void **state) {
    (void)state;
    enum { PROCESSES = 4 };
    pid_t processes[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        processes[i] = fork();
        if (processes[i] == 0) {
            AplMap *map;
            const AplErr error = apli_cache_make("a.panels", SIZE, fill_slowly, NULL, &map);
            _exit(error || !map || !is_sevens(map));
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        waitpid(processes[i], &status, 0);
        assert_int_equal(status, 0);
    }
    struct stat log;
    assert_int_equal(stat(path_of("log"), &log), 0);
    assert_int_equal(log.st_size, 1);
    assert_true(find("a.panels"));
    assert_int_equal(count_files(".unfinished-"), 0);
}

/* Writes half, tells the parent, and never ends. */
static AplErr fill_half(void *context, uint8_t *bytes) {
    memset(bytes, 3, SIZE / 2);
    if (write(*(int *)context, "x", 1) != 1) return APL_FILE_ACCESS;
    for (;;) pause();
}

static void kill_while_making(const char *name) {
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    const pid_t process = fork();
    if (process == 0) {
        AplMap *map;
        _exit(apli_cache_make(name, SIZE, fill_half, &ends[1], &map));
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

static void a_killed_process_leaves_no_wrong_file(void **state) {
    (void)state;
    kill_while_making("a.panels");
    assert_false(find("a.panels"));
    assert_int_equal(count_files(".unfinished-"), 1);
    assert_true(make("a.panels")); /* takes the leftover over; what it held is gone */
    assert_int_equal(count_files(".unfinished-"), 0);
}

static void a_killed_processs_leftover_goes_with_the_next_file(void **state) {
    (void)state;
    kill_while_making("a.panels");
    assert_true(make("b.panels"));
    assert_int_equal(count_files(".unfinished-"), 0);
    assert_false(find("a.panels"));
}

static void what_another_process_is_making_stays(void **state) {
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    const pid_t process = fork();
    if (process == 0) {
        AplMap *map;
        _exit(apli_cache_make("a.panels", SIZE, fill_half, &ends[1], &map));
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_true(make("b.panels"));
    assert_int_equal(count_files(".unfinished-a"), 1);
    kill(process, SIGKILL);
    waitpid(process, NULL, 0);
    close(ends[0]);
    close(ends[1]);
}

/* Sets when a file was last used, in seconds. */
static void set_used(const char *name, time_t seconds) {
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path_of(name), times, 0), 0);
}

static void the_least_recently_used_file_makes_room(void **state) {
    (void)state;
    setenv("APLACA_CACHE_GB", "0.00035", 1); /* 350000 bytes: three files */
    assert_true(make("a.panels"));
    assert_true(make("b.panels"));
    assert_true(make("c.panels"));
    set_used("a.panels", 1000);
    set_used("b.panels", 2000);
    set_used("c.panels", 3000);
    assert_true(find("a.panels")); /* now the last used */
    assert_true(make("d.panels"));
    assert_int_equal(access(path_of("b.panels"), F_OK), -1);
    assert_int_equal(count_files(""), 3);
    assert_true(find("a.panels") && find("c.panels") && find("d.panels"));
}

static void a_removed_file_stays_for_who_has_it(void **state) {
    (void)state;
    AplMap *map;
    setenv("APLACA_CACHE_GB", "0.00015", 1); /* one file */
    assert_int_equal(apli_cache_make("a.panels", SIZE, fill_sevens, NULL, &map), APL_OK);
    assert_true(make("b.panels"));
    assert_false(find("a.panels"));
    assert_true(is_sevens(map));
    apli_map_release(map);
}

static void a_file_beyond_the_limit_is_not_made(void **state) {
    (void)state;
    assert_true(make("a.panels"));
    setenv("APLACA_CACHE_GB", "0.00005", 1);
    assert_false(make("b.panels"));
    setenv("APLACA_CACHE_GB", "1", 1);
    assert_true(find("a.panels")); /* nothing was removed for it */
}

static void files_of_others_are_not_removed(void **state) {
    (void)state;
    assert_int_equal(mkdir(directory, 0700), 0);
    FILE *file = fopen(path_of("thesis.tex"), "w");
    assert_non_null(file);
    for (int i = 0; i < SIZE; i++) fputc('x', file);
    fclose(file);
    set_used("thesis.tex", 1);
    setenv("APLACA_CACHE_GB", "0.00015", 1);
    assert_true(make("a.panels"));
    assert_true(make("b.panels"));
    assert_false(find("a.panels"));
    assert_int_equal(access(path_of("thesis.tex"), F_OK), 0);
}

static void zero_switches_the_cache_off(void **state) {
    (void)state;
    static const char *const values[] = {"0", "-1", "none", "nan"};
    for (int i = 0; i < 4; i++) {
        setenv("APLACA_CACHE_GB", values[i], 1);
        assert_false(make("a.panels"));
        assert_int_equal(access(directory, F_OK), -1);
    }
    setenv("APLACA_CACHE_GB", "1", 1);
    assert_true(make("a.panels"));
    setenv("APLACA_CACHE_GB", "0", 1);
    assert_false(find("a.panels"));
}

static void write_foreign(const char *name, size_t size, int byte) {
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++) fputc(byte, file);
    fclose(file);
}

static void a_truncated_or_foreign_file_is_made_anew(void **state) {
    (void)state;
    struct stat whole;
    assert_true(make("a.panels"));
    assert_int_equal(stat(path_of("a.panels"), &whole), 0);
    assert_int_equal(truncate(path_of("a.panels"), SIZE), 0);
    assert_false(find("a.panels"));
    assert_true(make("a.panels"));
    write_foreign("a.panels", 0, 0);
    assert_false(find("a.panels"));
    assert_true(make("a.panels"));
    for (int byte = 0; byte < 256; byte += 7) { /* zeros, as after a loss of power, or whatever */
        write_foreign("a.panels", (size_t)whole.st_size, byte);
        assert_false(find("a.panels"));
    }
    assert_true(make("a.panels"));
    char other[300];
    snprintf(other, sizeof other, "%s", path_of("b.panels"));
    assert_int_equal(rename(path_of("a.panels"), other), 0); /* another key's file */
    assert_false(find("b.panels"));
}

static void a_directory_in_the_way_is_no_error(void **state) {
    (void)state;
    assert_true(make("a.panels"));
    assert_int_equal(mkdir(path_of("b.panels"), 0700), 0);
    assert_false(find("b.panels"));
    assert_false(make("b.panels"));
    assert_int_equal(mkdir(path_of(".unfinished-c.panels"), 0700), 0);
    assert_false(make("c.panels"));
}

static void a_directory_that_cannot_be_written_is_no_error(void **state) {
    (void)state;
    setenv("APLACA_CACHE", "/dev/null/cache", 1);
    assert_false(make("a.panels"));
    setenv("APLACA_CACHE", "/proc/self", 1);
    assert_false(make("a.panels"));
    setenv("APLACA_CACHE", directory, 1);
    assert_int_equal(mkdir(directory, 0555), 0);
    const pid_t process = fork(); /* the rights of a directory do not bind root */
    if (process == 0) {
        if (geteuid() == 0 && seteuid(65534) != 0) _exit(77);
        AplMap *map;
        const AplErr error = apli_cache_make("a.panels", SIZE, fill_sevens, NULL, &map);
        _exit(error || map);
    }
    int status;
    waitpid(process, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status) == 77 ? 0 : WEXITSTATUS(status), 0);
    assert_int_equal(count_files(""), 0);
}

static void a_limit_of_file_sizes_does_not_end_the_process(void **state) {
    (void)state;
    const pid_t process = fork();
    if (process == 0) {
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){SIZE / 2, SIZE / 2});
        AplMap *map;
        const AplErr error = apli_cache_make("a.panels", SIZE, fill_sevens, NULL, &map);
        _exit(error || map);
    }
    int status;
    waitpid(process, &status, 0);
    assert_int_equal(status, 0);
}

static void a_full_disk_is_no_error(void **state) {
    (void)state;
    assert_int_equal(mkdir(directory, 0700), 0);
    if (mount("aplaca_test", directory, "tmpfs", 0, "size=1m") != 0) {
        print_message("a small disk cannot be mounted here: only root may\n");
        skip();
    }
    bool made[3], others, removed;
    int count;
    write_foreign("ballast", 920000, 1);
    made[0] = make("a.panels"); /* too little is left, if a twentieth is kept free */
    unlink(path_of("ballast"));
    write_foreign("ballast", 850000, 1);
    made[1] = make("b.panels");
    made[2] = make("c.panels"); /* takes the place of the first */
    removed = access(path_of("b.panels"), F_OK) != 0;
    others = access(path_of("ballast"), F_OK) == 0;
    count = count_files(".unfinished-");
    umount2(directory, MNT_DETACH);
    assert_false(made[0]);
    assert_true(made[1] && made[2] && removed && others);
    assert_int_equal(count, 0);
}

int main(void) {
#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ONE(a_file_is_found_once_it_is_made),
        ONE(an_error_of_filling_leaves_nothing),
        ONE(processes_that_want_the_same_file_make_it_once),
        ONE(a_killed_process_leaves_no_wrong_file),
        ONE(a_killed_processs_leftover_goes_with_the_next_file),
        ONE(what_another_process_is_making_stays),
        ONE(the_least_recently_used_file_makes_room),
        ONE(a_removed_file_stays_for_who_has_it),
        ONE(a_file_beyond_the_limit_is_not_made),
        ONE(files_of_others_are_not_removed),
        ONE(zero_switches_the_cache_off),
        ONE(a_truncated_or_foreign_file_is_made_anew),
        ONE(a_directory_in_the_way_is_no_error),
        ONE(a_directory_that_cannot_be_written_is_no_error),
        ONE(a_limit_of_file_sizes_does_not_end_the_process),
        ONE(a_full_disk_is_no_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
