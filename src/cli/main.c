/* aplaca: finds the subcommand and runs it, on a thread with a deep stack, so that recursive APL has room. */
#include "cli/command.h"

#include "isa/isa.h"
#include "os/cache_file.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const AplCommand apli_commands[] = {
#define COMMAND(name, function, summary) {name, function, summary},
#include "cli/command.def"
#undef COMMAND
};
const int apli_command_count = (int)(sizeof apli_commands / sizeof *apli_commands);

int apli_complain(AplErr error) {
    fflush(stdout);
    fprintf(stderr, "aplaca: %s: %s\n", apli_error_name(error), apli_error_message());
    return error == APL_INTERRUPT ? 130 : 1;
}

int apli_complain_usage(const char *command, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "aplaca %s: ", command);
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\nTry 'aplaca %s --help'.\n", command);
    va_end(arguments);
    return 2;
}

static void help(FILE *stream) {
    fprintf(stream,
            "aplaca: low-bit language models, written in APL\n\nusage: aplaca COMMAND [ARGUMENTS]\n\n");
    for (int i = 0; i < apli_command_count; i++)
        fprintf(stream, "  %-10s %s\n", apli_commands[i].name, apli_commands[i].summary);
    fprintf(stream, "\n'aplaca COMMAND --help' explains a command; 'man aplaca' all of them.\n");
}

typedef struct Invocation {
    const AplCommand *command;
    int count;
    char **arguments;
    int status;
} Invocation;

static void *invoke(void *user) {
    Invocation *invocation = user;
    invocation->status = invocation->command->run(invocation->count, invocation->arguments);
    return NULL;
}

/* The status to exit with: not 0 if output was lost. */
static int finish(int status) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return status;
    fprintf(stderr, "aplaca: what was written did not reach standard output: is the disk full?\n");
    return status ? status : 1;
}

/* Whether the variables of the environment that choose for every command can be followed; says which cannot. */
static bool environment_meant(void) {
    const char *complaint = apli_isa_complaint() ? apli_isa_complaint() : apli_cache_complaint();
    if (complaint) fprintf(stderr, "aplaca: %s\n", complaint);
    return !complaint;
}

enum { STACK_BYTES = 512 << 20 }; /* address space: only what is used becomes memory */

int main(int count, char **arguments) {
    char *help_of_command[] = {arguments[0], count > 2 ? arguments[2] : NULL, "--help", NULL};
    if (count > 2 && strcmp(arguments[1], "help") == 0) {
        arguments = help_of_command;
        count = 3;
    }
    if (count < 2 || strcmp(arguments[1], "--help") == 0 || strcmp(arguments[1], "-h") == 0 ||
        strcmp(arguments[1], "help") == 0) {
        help(count < 2 ? stderr : stdout);
        return count < 2 ? 2 : finish(0);
    }
    if (strcmp(arguments[1], "--version") == 0) {
        printf("aplaca %s\n", APLI_VERSION);
        return finish(0);
    }
    Invocation invocation = {.count = count - 1, .arguments = arguments + 1};
    for (int i = 0; i < apli_command_count; i++)
        if (strcmp(arguments[1], apli_commands[i].name) == 0) invocation.command = &apli_commands[i];
    if (!invocation.command) {
        fprintf(stderr, "aplaca: there is no command '%s'\n\n", arguments[1]);
        help(stderr);
        return 2;
    }
    /* doctor tells what it makes of them */
    if (invocation.command->run != command_doctor && !environment_meant()) return 2;
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (pthread_create(&thread, &attributes, invoke, &invocation) == 0) pthread_join(thread, NULL);
    else invoke(&invocation);
    return finish(invocation.status);
}
