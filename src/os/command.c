/* Running a program: its outputs go to files in memory, so that neither can fill a pipe and wait for a reader. */
#include "os/command.h"

#include "os/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

void apli_command_output_free(AplCommandOutput *result) {
    apli_text_free(&result->output);
    apli_text_free(&result->error);
}

static AplErr read_all(int descriptor, AplText *text) {
    char buffer[1 << 14];
    ssize_t count;
    if (lseek(descriptor, 0, SEEK_SET) < 0) count = -1;
    else
        while ((count = read(descriptor, buffer, sizeof buffer)) > 0) apli_text_append(text, buffer, (size_t)count);
    FAIL_IF(count < 0, APL_FILE_ACCESS, "what a command wrote cannot be read: %s", strerror(errno));
    return apli_text_status(text);
}

/* Starts the command with its outputs on the descriptors. 0 or an errno. */
static int start(const char *command, int output, int error, pid_t *process) {
    char shell[] = "sh", option[] = "-c";
    char *const arguments[] = {shell, option, (char *)(uintptr_t)command, NULL};
    posix_spawn_file_actions_t actions;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure) return failure;
    failure = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failure) failure = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!failure) failure = posix_spawn_file_actions_adddup2(&actions, error, 2);
    if (!failure) failure = posix_spawn(process, "/bin/sh", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    return failure;
}

static AplErr run(const char *command, int output, int error, AplCommandOutput *result) {
    FAIL_IF(output < 0 || error < 0, APL_FILE_ACCESS, "no place for what a command writes: %s", strerror(errno));
    pid_t process;
    int status;
    const double begin = apli_clock_seconds();
    const int failure = start(command, output, error, &process);
    FAIL_IF(failure, APL_FILE_ACCESS, "%s: %s", command, strerror(failure));
    while (waitpid(process, &status, 0) < 0)
        FAIL_IF(errno != EINTR, APL_FILE_ACCESS, "%s: %s", command, strerror(errno));
    result->seconds = apli_clock_seconds() - begin;
    result->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    TRY(read_all(output, &result->output));
    return read_all(error, &result->error);
}

AplErr apli_command_run(const char *command, AplCommandOutput *result) {
    const int output = memfd_create("output", MFD_CLOEXEC), error = memfd_create("error", MFD_CLOEXEC);
    AplErr outcome = run(command, output, error, result);
    if (output >= 0) close(output);
    if (error >= 0) close(error);
    return outcome;
}
