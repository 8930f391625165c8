/* The command line: each command has a table of its options, from which parsing and --help follow. */
#ifndef APLI_CLI_OPTION_H
#define APLI_CLI_OPTION_H

#include <stdbool.h>
#include <stdint.h>

typedef enum AplOptionKind {
    APLI_OPTION_FLAG,    /* value: bool, set to true */
    APLI_OPTION_TEXT,    /* const char * */
    APLI_OPTION_TEXTS,   /* AplOptionTexts: may be given several times */
    APLI_OPTION_INTEGER, /* int64_t, from least to most */
    APLI_OPTION_INTEGERS, /* AplOptionIntegers: separated by commas, each from least to most */
    APLI_OPTION_REAL,    /* double, from least to most */
    APLI_OPTION_CHOICE   /* int64_t: which of the argument's words, which are separated by | */
} AplOptionKind;

typedef struct AplOption {
    const char *name; /* "-p", "--temp" */
    AplOptionKind kind;
    void *value;
    const char *argument; /* what help calls the value; NULL for a flag */
    const char *help;
    double least, most;
} AplOption;

typedef struct AplOptionTexts {
    const char **texts; /* room for as many as there are arguments */
    int count;
} AplOptionTexts;

typedef struct AplOptionIntegers {
    int64_t *values; /* room for `most` */
    int most, *count;
} AplOptionIntegers;

typedef struct AplSyntax {
    const char *command; /* "run" */
    const char *usage;   /* "aplaca run [MODEL] [OPTIONS]", a line or more without the last newline */
    const char *about;   /* a paragraph or more, without the last newline */
    const AplOption *options;
    int option_count;
    int least_operands, most_operands; /* -1: any number */
    const char *operand;               /* what errors call one: "model" */
} AplSyntax;

/* Sets the options' values; the operands (what is no option) move to arguments[0] and on, *operand_count of
   them. -1 to go on; otherwise the exit status: 0 after --help, 2 after a complaint that names the option and
   the value. Both "--name value" and "--name=value" are understood; "--" ends the options. */
int apli_options_parse(const AplSyntax *syntax, int count, char **arguments, int *operand_count);

#endif
