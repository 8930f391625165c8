/* os/topology and os/limits: machines described by trees of files, as Linux shows them, and the threads chosen for them. */
#include "os/limits.h"
#include "os/memory_policy.h"
#include "os/topology.h"

#include <linux/mempolicy.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

static char root[64];

static int set_up(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/aplaca_machine_XXXXXX");
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return system(command) != 0;
}

/* Writes root/<name>, a path by `format` and a number, and the directories above it. */
static void put(const char *text, const char *format, int number) {
    char name[256], path[512];
    snprintf(name, sizeof name, format, number);
    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s\n", text);
    fclose(file);
}

static void put_number(long value, const char *format, int number) {
    char text[32];
    snprintf(text, sizeof text, "%ld", value);
    put(text, format, number);
}

#define CPU "sys/devices/system/cpu/cpu%d/"

static AplTopology read_machine(const char *allowed, double quota) {
    AplProcessorSet set;
    AplTopology topology;
    assert_true(apli_processor_list(allowed, &set));
    apli_topology_read(root, &set, quota, &topology);
    return topology;
}

static void lists_of_processors_are_read(void **state) {
    (void)state;
    AplProcessorSet set;
    assert_true(apli_processor_list("0-2,5,64-65\n", &set));
    assert_int_equal(set.bits[0], 0x27);
    assert_int_equal(set.bits[1], 3);
    static const char *const wrong[] = {"", "\n", "a", "-1", "3-1", "0-", "0,,1", "0-1x", "8192", "0-99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(apli_processor_list(wrong[i], &set));
        assert_int_equal(set.bits[0], 0);
    }
}

/* 8 cores of 2 threads; processor i and i + 8 share one. */
static void put_desktop(void) {
    for (int i = 0; i < 16; i++) {
        char siblings[32];
        snprintf(siblings, sizeof siblings, "%d,%d", i % 8, i % 8 + 8);
        put(siblings, i % 2 ? CPU "topology/core_cpus_list" : CPU "topology/thread_siblings_list", i); /* older kernels: the latter */
        put_number(5000000 - i % 8 * 50000, CPU "cpufreq/cpuinfo_max_freq", i); /* favoured cores boost higher */
    }
    put("0", "sys/devices/system/node/online", 0);
    put("0-15", "sys/devices/system/node/node0/cpulist", 0);
}

static void a_hyperthreaded_desktop_gets_a_thread_a_core(void **state) {
    (void)state;
    put_desktop();
    AplTopology topology = read_machine("0-15", 0);
    assert_int_equal(topology.processors, 16);
    assert_int_equal(topology.cores, 8);
    assert_int_equal(topology.efficiency, 0);
    assert_int_equal(topology.nodes, 1);
    assert_int_equal(topology.threads, 8);
    for (int i = 0; i < 16; i++) assert_int_equal(topology.places[i], i); /* every core before a second thread of one */
    topology = read_machine("6-9", 0); /* by taskset: halves of cores 6 and 7, of 0 and 1 */
    assert_int_equal(topology.threads, 4);
    topology = read_machine("0,8,1,9", 0);
    assert_int_equal(topology.cores, 2);
    assert_int_equal(topology.threads, 2);
}

/* As an Intel laptop shows: two performance cores of two threads, eight efficiency cores, two low-power ones at 2.5 GHz. */
static void a_hybrid_laptop_leaves_out_what_is_far_slower(void **state) {
    (void)state;
    for (int i = 0; i < 14; i++) {
        char siblings[32];
        if (i < 4) snprintf(siblings, sizeof siblings, "%d-%d", i / 2 * 2, i / 2 * 2 + 1);
        else snprintf(siblings, sizeof siblings, "%d", i);
        put(siblings, CPU "topology/core_cpus_list", i);
        put_number(i < 4 ? 5200000 : i < 12 ? 3800000 : 2500000, CPU "cpufreq/cpuinfo_max_freq", i);
    }
    put("0-3", "sys/devices/cpu_core/cpus", 0);
    put("4-13", "sys/devices/cpu_atom/cpus", 0);
    AplTopology topology = read_machine("0-13", 0);
    assert_int_equal(topology.cores, 12);
    assert_int_equal(topology.efficiency, 10);
    assert_int_equal(topology.left_out, 2);
    assert_int_equal(topology.threads, 10);
    static const int places[] = {0, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 1, 3};
    assert_memory_equal(topology.places, places, sizeof places);
    topology = read_machine("12-13", 0); /* bound to the slow ones: they are the fastest there are */
    assert_int_equal(topology.threads, 2);
    assert_int_equal(topology.left_out, 0);
}

/* As an Arm telephone shows: capacities 1024, 800 and 300; they say more than clock rates. */
static void the_small_cores_of_a_telephone_are_left_out(void **state) {
    (void)state;
    for (int i = 0; i < 8; i++) {
        put_number(i, CPU "topology/core_cpus_list", i);
        put_number(i < 4 ? 300 : i < 7 ? 800 : 1024, CPU "cpu_capacity", i);
        put_number(2000000, CPU "cpufreq/cpuinfo_max_freq", i);
    }
    AplTopology topology = read_machine("0-7", 0);
    assert_int_equal(topology.left_out, 4);
    assert_int_equal(topology.threads, 4);
    assert_int_equal(topology.places[0], 7);
}

/* Two sockets of four cores of two threads, nodes 0 and 1. */
static void a_server_with_two_sockets_uses_both(void **state) {
    (void)state;
    for (int i = 0; i < 16; i++) {
        char siblings[32];
        snprintf(siblings, sizeof siblings, "%d,%d", i % 8, i % 8 + 8);
        put(siblings, CPU "topology/core_cpus_list", i);
    }
    put("0-1", "sys/devices/system/node/online", 0);
    put("0-3,8-11", "sys/devices/system/node/node0/cpulist", 0);
    put("4-7,12-15", "sys/devices/system/node/node1/cpulist", 0);
    AplTopology topology = read_machine("0-15", 0);
    assert_int_equal(topology.cores, 8);
    assert_int_equal(topology.nodes, 2);
    assert_int_equal(topology.node_bits[0], 3);
    assert_int_equal(topology.threads, 8);
    static const int places[] = {0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15};
    assert_memory_equal(topology.places, places, sizeof places);
    topology = read_machine("4-7,12-15", 0); /* numactl --cpunodebind=1 */
    assert_int_equal(topology.nodes, 1);
    assert_int_equal(topology.node_bits[0], 2);
    assert_int_equal(topology.threads, 4);
}

static void a_machine_that_tells_nothing_has_a_core_a_processor(void **state) {
    (void)state;
    AplTopology topology = read_machine("0-2", 0);
    assert_int_equal(topology.processors, 3);
    assert_int_equal(topology.cores, 3);
    assert_int_equal(topology.nodes, 1);
    assert_int_equal(topology.threads, 3);
    put("nonsense", CPU "topology/core_cpus_list", 0);
    put("", CPU "cpu_capacity", 1);
    put("-5", CPU "cpufreq/cpuinfo_max_freq", 2);
    put("0-", "sys/devices/system/node/online", 0);
    assert_int_equal(read_machine("0-2", 0).threads, 3);
}

static void a_quota_is_rounded_to_the_nearest(void **state) {
    (void)state;
    put_desktop();
    static const struct { double quota; int threads; } cases[] = {{0, 8}, {0.1, 1}, {1, 1}, {1.2, 1}, {1.5, 2}, {2, 2}, {4.4, 4},
                                                                  {7.6, 8}, {64, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(read_machine("0-15", cases[i].quota).threads, cases[i].threads);
}

/* ---- control groups ------------------------------------------------------------------------------------------------- */

static AplLimits read_limits(void) {
    AplLimits limits;
    apli_process_limits(root, &limits);
    return limits;
}

static void a_container_of_version_2_is_limited_by_any_level(void **state) {
    (void)state;
    put("0::/kubepods/pod/box", "proc/self/cgroup", 0);
    put("30 20 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw", "proc/self/mountinfo", 0);
    put("max 100000", "sys/fs/cgroup/kubepods/pod/box/cpu.max", 0);
    put("150000 100000", "sys/fs/cgroup/kubepods/pod/cpu.max", 0);
    put("400000 100000", "sys/fs/cgroup/kubepods/cpu.max", 0);
    put("1073741824", "sys/fs/cgroup/kubepods/memory.max", 0);
    put("max", "sys/fs/cgroup/kubepods/pod/memory.max", 0);
    assert_true(read_limits().processors == 1.5);
    assert_int_equal(read_limits().memory_bytes, 1073741824);
    put_desktop();
    assert_int_equal(read_machine("0-15", read_limits().processors).threads, 2);
}

/* In its own name space a container sees its group as the top. */
static void a_container_that_sees_itself_as_the_top_is_limited(void **state) {
    (void)state;
    put("0::/", "proc/self/cgroup", 0);
    put("30 20 0:26 / /sys/fs/cgroup ro - cgroup2 cgroup rw", "proc/self/mountinfo", 0);
    put("250000 100000", "sys/fs/cgroup/cpu.max", 0);
    assert_true(read_limits().processors == 2.5);
    put("0::/../other", "proc/self/cgroup", 0); /* moved out of its name space's sight */
    assert_true(read_limits().processors == 2.5);
}

static void a_container_of_version_1_is_limited_by_any_level(void **state) {
    (void)state;
    put("4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n2:cpuset:/\n1:name=systemd:/docker/abc", "proc/self/cgroup", 0);
    /* the mount shows /docker/abc alone; the host's own, of memory, shows all */
    put("40 30 0:30 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
        "41 30 0:31 / /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        "42 30 0:32 / /sys/fs/cgroup/cpuset ro - cgroup cgroup rw,cpuset",
        "proc/self/mountinfo", 0);
    put("-1", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", 0);
    put("50000", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", 0);
    put("9223372036854771712", "sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes", 0);
    put("10000", "sys/fs/cgroup/cpuset/cpu.cfs_quota_us", 0); /* another hierarchy's files do not count */
    put("100000", "sys/fs/cgroup/cpuset/cpu.cfs_period_us", 0);
    assert_true(read_limits().processors == 0);
    assert_int_equal(read_limits().memory_bytes, 0);
    put("75000", "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", 0);
    put("2147483648", "sys/fs/cgroup/memory/docker/memory.limit_in_bytes", 0);
    assert_true(read_limits().processors == 1.5);
    assert_int_equal(read_limits().memory_bytes, 2147483648);
}

static void without_control_groups_nothing_limits(void **state) {
    (void)state;
    assert_true(read_limits().processors == 0 && read_limits().memory_bytes == 0);
    put("nonsense\n0:\n::", "proc/self/cgroup", 0);
    put("nonsense\n - \n1 2 3 / / - cgroup2", "proc/self/mountinfo", 0);
    assert_true(read_limits().processors == 0 && read_limits().memory_bytes == 0);
}

/* ---- this machine --------------------------------------------------------------------------------------------------- */

static void this_machine_is_consistent(void **state) {
    (void)state;
    AplTopology topology;
    apli_topology_detect(&topology);
    assert_in_range(topology.cores, 1, topology.processors);
    assert_in_range(topology.threads, 1, topology.cores - topology.left_out);
    assert_true(topology.nodes >= 1);
}

/* Two nodes cannot be made here; that the calls say what they should to the system can be seen with this machine's nodes. */
static void pages_are_spread_unless_someone_chose_otherwise(void **state) {
    (void)state;
    AplTopology topology;
    apli_topology_detect(&topology);
    const int nodes = topology.nodes;
    topology.nodes = 1;
    assert_false(apli_spread_memory(&topology));
    const pid_t process = fork(); /* the policy is the thread's */
    if (process == 0) {
        int mode = -1;
        topology.nodes = nodes < 2 ? 2 : nodes;
        if (syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) != 0 || mode != MPOL_DEFAULT) _exit(77);
        if (!apli_spread_memory(&topology)) _exit(1);
        if (syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0) != 0 || mode != MPOL_INTERLEAVE) _exit(2);
        if (syscall(SYS_set_mempolicy, MPOL_LOCAL, NULL, 0) != 0) _exit(3);
        if (apli_spread_memory(&topology)) _exit(4);
        syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0);
        _exit(mode == MPOL_LOCAL ? 0 : 5);
    }
    int status;
    waitpid(process, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
        print_message("this system has no memory policies, or one is set\n");
        skip();
    }
    assert_int_equal(status, 0);
}

int main(void) {
#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_processors_are_read),
        ONE(a_hyperthreaded_desktop_gets_a_thread_a_core),
        ONE(a_hybrid_laptop_leaves_out_what_is_far_slower),
        ONE(the_small_cores_of_a_telephone_are_left_out),
        ONE(a_server_with_two_sockets_uses_both),
        ONE(a_machine_that_tells_nothing_has_a_core_a_processor),
        ONE(a_quota_is_rounded_to_the_nearest),
        ONE(a_container_of_version_2_is_limited_by_any_level),
        ONE(a_container_that_sees_itself_as_the_top_is_limited),
        ONE(a_container_of_version_1_is_limited_by_any_level),
        ONE(without_control_groups_nothing_limits),
        cmocka_unit_test(this_machine_is_consistent),
        cmocka_unit_test(pages_are_spread_unless_someone_chose_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
