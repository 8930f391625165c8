/* os/: the clock, the processor, the limits, and the measured ceilings. */
#include "os/bandwidth.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "os/limits.h"
#include "os/small_block.h"
#include "os/threads.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static void the_clock_counts_seconds(void **state) {
    (void)state;
    const struct timespec pause = {.tv_nsec = 20000000};
    double before = apli_clock_seconds();
    nanosleep(&pause, NULL);
    double passed = apli_clock_seconds() - before;
    assert_true(passed >= 0.02 && passed < 10);
}

/* Whether " flags : ... name ..." of /proc/cpuinfo has the word. */
static bool kernel_lists(const char *flags, const char *name) {
    const size_t length = strlen(name);
    for (const char *at = flags; (at = strstr(at, name)); at += length)
        if (at[-1] == ' ' && (at[length] == ' ' || at[length] == '\n')) return true;
    return false;
}

static void features_are_those_that_the_kernel_lists(void **state) {
    (void)state;
    char *line = NULL;
    size_t capacity = 0;
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file) skip();
    bool found = false;
    while (!found && getline(&line, &capacity, file) > 0)
        found = strncmp(line, "flags", 5) == 0 || strncmp(line, "Features", 8) == 0;
    fclose(file);
    if (!found) {
        free(line);
        skip();
    }
    AplCpu cpu;
    apli_cpu_detect(&cpu);
    for (int i = 0; i < APLI_CPU_FEATURE_COUNT; i++) {
        const char *name = apli_cpu_feature_name((AplCpuFeature)i);
        if (apli_cpu_has(&cpu, (AplCpuFeature)i) != kernel_lists(line, name))
            fail_msg("%s: found %d, the kernel says otherwise", name, apli_cpu_has(&cpu, (AplCpuFeature)i));
    }
    free(line);
}

static void write_file(const char *folder, const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void the_tightest_group_of_the_path_limits(void **state) {
    (void)state;
    char root[] = "/tmp/aplaca_groups_XXXXXX", above[64], below[64];
    assert_non_null(mkdtemp(root));
    snprintf(above, sizeof above, "%s/above", root);
    snprintf(below, sizeof below, "%s/above/below", root);
    mkdir(above, 0700);
    mkdir(below, 0700);
    write_file(above, "cpu.max", "150000 100000\n");
    write_file(above, "memory.max", "max\n");
    write_file(below, "cpu.max", "max 100000\n");
    write_file(below, "memory.max", "1073741824\n");

    AplLimits limits;
    apli_group_limits(root, "/above/below", &limits);
    assert_true(limits.processors == 1.5);
    assert_int_equal(limits.memory_bytes, 1073741824);
    apli_group_limits(root, "/above", &limits);
    assert_true(limits.processors == 1.5);
    assert_int_equal(limits.memory_bytes, 0);
    apli_group_limits(root, "/", &limits);
    assert_true(limits.processors == 0);
    apli_group_limits(root, "/not/there", &limits);
    assert_true(limits.processors == 0 && limits.memory_bytes == 0);

    const char *names[] = {"cpu.max", "memory.max"};
    const char *folders[] = {below, above};
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++) {
            char path[128];
            snprintf(path, sizeof path, "%s/%s", folders[i], names[j]);
            unlink(path);
        }
        rmdir(folders[i]);
    }
    rmdir(root);
}

static void a_process_bound_to_one_processor_counts_one(void **state) {
    (void)state;
    cpu_set_t all, one;
    assert_int_equal(sched_getaffinity(0, sizeof all, &all), 0);
    assert_true(apli_processor_count() >= 1 && apli_processor_count() <= CPU_COUNT(&all));
    int first = 0;
    while (!CPU_ISSET(first, &all)) first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    int count = apli_processor_count();
    sched_setaffinity(0, sizeof all, &all);
    assert_int_equal(count, 1);
}

static void memory_is_counted_in_bytes(void **state) {
    (void)state;
    FILE *file = fopen("/proc/meminfo", "r");
    long long kilobytes;
    if (!file) skip();
    assert_int_equal(fscanf(file, "MemTotal: %lld kB", &kilobytes), 1);
    fclose(file);
    assert_int_equal(apli_memory_total() / 1024, kilobytes);
    assert_true(apli_memory_allowed() > 0 && apli_memory_allowed() <= apli_memory_total());
}

enum { SMALL_BLOCKS = 3000 };
static size_t small_bytes(int index) { return (size_t)index * 37 % 70000; }

static void *take_small_blocks(void *context) {
    unsigned char **blocks = context;
    for (int turn = 0; turn < 2; turn++) { /* the second time from those given back */
        for (int i = 0; i < SMALL_BLOCKS; i++) {
            blocks[i] = apli_small_block_take(small_bytes(i));
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % 16, 0);
            memset(blocks[i], i & 255, small_bytes(i));
        }
        for (int i = 0; i < SMALL_BLOCKS && turn == 0; i++) apli_small_block_give(blocks[i], small_bytes(i));
    }
    return NULL;
}

static void small_blocks_are_nobody_elses_and_may_be_given_back_by_another_thread(void **state) {
    (void)state;
    static unsigned char *blocks[SMALL_BLOCKS];
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, take_small_blocks, blocks), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i < SMALL_BLOCKS; i++)
        for (size_t k = 0; k < small_bytes(i); k += 97) assert_int_equal(blocks[i][k], i & 255);
    for (int i = 0; i < SMALL_BLOCKS; i++) apli_small_block_give(blocks[i], small_bytes(i));
    take_small_blocks(blocks);
    for (int i = 0; i < SMALL_BLOCKS; i++) apli_small_block_give(blocks[i], small_bytes(i));
    assert_null(apli_small_block_take(SIZE_MAX));
}

static void blocks_around_every_power_of_two_have_room_for_their_bytes(void **state) {
    (void)state;
    for (int turn = 0; turn < 2; turn++) /* the second time from those given back */
        for (size_t size = 1 << 14; size <= 8 << 20; size *= 2)
            for (size_t bytes = size - 1; bytes <= size + 1; bytes++) {
                unsigned char *first = apli_small_block_take(bytes), *second = apli_small_block_take(bytes);
                assert_non_null(first);
                assert_non_null(second);
                memset(first, 1, bytes);
                memset(second, 2, bytes);
                assert_int_equal(first[0] + first[bytes / 2] + first[bytes - 1], 3);
                apli_small_block_give(second, bytes);
                apli_small_block_give(first, bytes);
            }
}

/* Between a hundredth of a slow machine's and ten times a fast one's: a wrong unit or a loop that was
 * optimized away shows. */
static void ceilings_are_of_this_world(void **state) {
    (void)state;
    AplCpu cpu;
    apli_cpu_detect(&cpu);
    const int threads[] = {1, 2};
    double rates[2];
    assert_int_equal(apli_measure_bandwidth(&cpu, threads, 2, 0, rates), APL_OK);
    for (int i = 0; i < 2; i++) assert_true(rates[i] > 1e7 && rates[i] < 1e12);
    apli_measure_arithmetic(&cpu, threads, 2, 0, rates);
    for (int i = 0; i < 2; i++) assert_true(rates[i] > 1e7 && rates[i] < 1e12);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_counts_seconds),
        cmocka_unit_test(features_are_those_that_the_kernel_lists),
        cmocka_unit_test(the_tightest_group_of_the_path_limits),
        cmocka_unit_test(a_process_bound_to_one_processor_counts_one),
        cmocka_unit_test(memory_is_counted_in_bytes),
        cmocka_unit_test(small_blocks_are_nobody_elses_and_may_be_given_back_by_another_thread),
        cmocka_unit_test(blocks_around_every_power_of_two_have_room_for_their_bytes),
        cmocka_unit_test(ceilings_are_of_this_world),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
