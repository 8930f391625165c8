/* The subcommands: each a file of this folder and a row of command.def. */
#ifndef APLI_CLI_COMMAND_H
#define APLI_CLI_COMMAND_H

#include "base/error.h"

typedef struct AplCommand {
    const char *name;
    int (*run)(int count, char **arguments); /* arguments[0] is the command's name; returns the exit status */
    const char *summary;
} AplCommand;

#define COMMAND(name, function, summary) int function(int count, char **arguments);
#include "cli/command.def"
#undef COMMAND

extern const AplCommand apli_commands[];
extern const int apli_command_count;

/* Says what went wrong on stderr, as "aplaca: KIND: message", and returns 1; 130 where the user interrupted it. */
int apli_complain(AplErr error);
/* The same for a wrong command line, with the usage to look up; returns 2. */
__attribute__((format(printf, 2, 3))) int apli_complain_usage(const char *command, const char *format, ...);

#endif
