/* Parsing of options, and --help. */
#include "cli/option.h"

#include "cli/command.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELP_COLUMN = 24 };

static void help(const AplSyntax *syntax) {
    printf("usage: %s\n\n%s\n\noptions:\n", syntax->usage, syntax->about);
    for (int i = 0; i <= syntax->option_count; i++) {
        static const AplOption last = {.name = "--help", .help = "this text"};
        const AplOption *option = i < syntax->option_count ? &syntax->options[i] : &last;
        int width = printf("  %s%s%s", option->name, option->argument ? " " : "",
                           option->argument ? option->argument : "");
        printf("%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 2, "", option->help);
    }
}

/* The option named by an argument; *value is what follows its "=", NULL when there is none. */
static const AplOption *find(const AplSyntax *syntax, const char *argument, const char **value) {
    const char *equals = strncmp(argument, "--", 2) == 0 ? strchr(argument, '=') : NULL;
    const size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
    *value = equals ? equals + 1 : NULL;
    for (int i = 0; i < syntax->option_count; i++)
        if (strlen(syntax->options[i].name) == length &&
            strncmp(syntax->options[i].name, argument, length) == 0)
            return &syntax->options[i];
    return NULL;
}

static bool read_integer(const char *text, int64_t *value) {
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    return *text && !*end && errno == 0;
}

static bool read_real(const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    return *text && !*end && isfinite(*value);
}

/* Numbers separated by commas, in place of those that the list had. -1, or the exit status of a complaint. */
static int assign_integers(const AplSyntax *syntax, const AplOption *option, const char *text) {
    const AplOptionIntegers *list = option->value;
    char *end;
    *list->count = 0;
    for (const char *next = text;; next = end + 1) {
        errno = 0;
        const int64_t number = strtoll(next, &end, 10);
        if (end == next || errno || (*end && *end != ','))
            return apli_complain_usage(syntax->command, "%s takes whole numbers separated by commas, not '%s'",
                                       option->name, text);
        if ((double)number < option->least || (double)number > option->most)
            return apli_complain_usage(syntax->command, "%s takes numbers from %.15g to %.15g, not '%s'", option->name,
                                       option->least, option->most, text);
        if (*list->count == list->most)
            return apli_complain_usage(syntax->command, "%s takes at most %d numbers, not '%s'", option->name,
                                       list->most, text);
        list->values[(*list->count)++] = number;
        if (!*end) return -1;
    }
}

/* The word's place among the argument's. -1, or the exit status of a complaint. */
static int assign_choice(const AplSyntax *syntax, const AplOption *option, const char *text) {
    int64_t index = 0;
    for (const char *word = option->argument; *word; index++) {
        const size_t length = strcspn(word, "|");
        if (strlen(text) == length && strncmp(word, text, length) == 0) {
            *(int64_t *)option->value = index;
            return -1;
        }
        word += length + (word[length] == '|');
    }
    return apli_complain_usage(syntax->command, "%s takes one of %s, not '%s'", option->name, option->argument, text);
}

/* -1, or the exit status of a complaint. */
static int assign(const AplSyntax *syntax, const AplOption *option, const char *text) {
    if (option->kind == APLI_OPTION_TEXT) {
        *(const char **)option->value = text;
        return -1;
    }
    if (option->kind == APLI_OPTION_TEXTS) {
        AplOptionTexts *texts = option->value;
        texts->texts[texts->count++] = text;
        return -1;
    }
    if (option->kind == APLI_OPTION_INTEGERS) return assign_integers(syntax, option, text);
    if (option->kind == APLI_OPTION_CHOICE) return assign_choice(syntax, option, text);
    double number;
    const bool integer = option->kind == APLI_OPTION_INTEGER;
    int64_t whole = 0;
    bool valid = integer ? read_integer(text, &whole) : read_real(text, &number);
    if (integer) number = (double)whole;
    if (!valid)
        return apli_complain_usage(syntax->command, "%s takes %s, not '%s'", option->name,
                                   integer ? "a whole number" : "a number", text);
    if (number < option->least || number > option->most)
        return apli_complain_usage(syntax->command, "%s takes a number from %.15g to %.15g, not '%s'",
                                   option->name, option->least, option->most, text);
    if (integer) *(int64_t *)option->value = whole;
    else *(double *)option->value = number;
    return -1;
}

int apli_options_parse(const AplSyntax *syntax, int count, char **arguments, int *operand_count) {
    bool ended = false;
    *operand_count = 0;
    for (int i = 1; i < count; i++) {
        char *argument = arguments[i];
        if (ended || argument[0] != '-' || !argument[1]) {
            arguments[(*operand_count)++] = argument;
            continue;
        }
        if (strcmp(argument, "--") == 0) {
            ended = true;
            continue;
        }
        if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
            help(syntax);
            return 0;
        }
        const char *value;
        const AplOption *option = find(syntax, argument, &value);
        if (!option) return apli_complain_usage(syntax->command, "there is no option '%s'", argument);
        if (option->kind == APLI_OPTION_FLAG) {
            if (value)
                return apli_complain_usage(syntax->command, "%s takes no value, not '%s'", option->name,
                                           value);
            *(bool *)option->value = true;
            continue;
        }
        if (!value && i + 1 == count)
            return apli_complain_usage(syntax->command, "%s needs a value: %s", option->name,
                                       option->argument);
        int status = assign(syntax, option, value ? value : arguments[++i]);
        if (status >= 0) return status;
    }
    if (*operand_count < syntax->least_operands)
        return apli_complain_usage(syntax->command, "no %s is given", syntax->operand);
    if (syntax->most_operands >= 0 && *operand_count > syntax->most_operands)
        return apli_complain_usage(syntax->command, "'%s' is one argument too many",
                                   arguments[syntax->most_operands]);
    return -1;
}
