/* The session: its loop, and the commands that begin with a parenthesis. */
#include "cli/apl_session.h"

#include "cli/apl_keyboard.h"
#include "cli/command.h"
#include "cli/line_editor.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct Terminal {
    AplSession *session;
    AplLineEditor *editor;
    AplText unfinished; /* output since the last line end: the prompt of ⍞ */
    bool leaves;
} Terminal;

/* ---- lines that go on ---------------------------------------------------------------------------------------------- */

static bool at(const char *text, size_t length, size_t position, const char *sign) {
    size_t size = strlen(sign);
    return length - position >= size && memcmp(text + position, sign, size) == 0;
}

/* The end of a string, or of the line where it does not end. */
static size_t after_string(const char *text, size_t length, size_t begin) {
    char quote = text[begin];
    for (begin++; begin < length && text[begin] != quote && text[begin] != '\n'; begin++) {}
    return begin;
}

bool apli_text_goes_on(const char *text, size_t length) {
    int braces = 0, nablas = 0;
    size_t begin = strspn(text, " \t");
    bool definition = begin < length && at(text, length, begin, "∇");
    bool line_begins = true;
    for (size_t i = begin; i < length; i++) {
        bool first = line_begins;
        line_begins = text[i] == '\n' || (line_begins && (text[i] == ' ' || text[i] == '\t'));
        if (text[i] == '\'' || text[i] == '"') i = after_string(text, length, i);
        else if (at(text, length, i, "⍝")) i += strcspn(text + i, "\n") - 1;
        else if (text[i] == '{') braces++;
        else if (text[i] == '}') braces--;
        else if (definition && at(text, length, i, "∇")) {
            size_t after = i + strlen("∇");
            after += strspn(text + after, " \t");
            nablas += first || after >= length || text[after] == '\n';
        }
    }
    return definition ? nablas % 2 == 1 : braces > 0;
}

/* ---- commands ------------------------------------------------------------------------------------------------------ */

static void command_help(Terminal *terminal, const char *argument) {
    static const char help[] =
        ")HELP         this list, with the keys for APL characters\n"
        ")VARS         the variables\n"
        ")FNS          the functions\n"
        ")OPS          the operators\n"
        ")ERASE NAMES  removes names\n"
        ")CLEAR        removes everything, and sets the system variables as they were\n"
        ")OFF          ends the session; so does Ctrl-D\n"
        "\n"
        "Ctrl-C stops a computation or gives up a line; the workspace stays.\n"
        "A line that opens a { or a ∇ goes on until it is closed.\n"
        "APL characters: a backquote, then a key.\n\n";
    (void)terminal, (void)argument;
    APLI_AUTO_TEXT keys = {0};
    apli_keyboard_list(&keys);
    printf("%s%s", help, apli_text_string(&keys));
}

/* Names of the classes in columns as wide as the widest, a line of ⎕PW. */
static void list_names(Terminal *terminal, unsigned mask) {
    AplSymbol **list;
    size_t count, width = 0;
    if (apli_workspace_list(&terminal->session->workspace, mask, &list, &count)) {
        apli_complain(APL_WS_FULL);
        return;
    }
    for (size_t i = 0; i < count; i++) width = strlen(list[i]->name) > width ? strlen(list[i]->name) : width;
    size_t columns = (size_t)terminal->session->env.print_width / (width + 2);
    if (columns == 0) columns = 1;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || (i + 1) % columns == 0) printf("%s\n", list[i]->name);
        else printf("%-*s", (int)width + 2, list[i]->name);
    }
    free(list);
}

static void command_vars(Terminal *terminal, const char *argument) {
    (void)argument;
    list_names(terminal, 1u << CLASS_VALUE);
}

static void command_fns(Terminal *terminal, const char *argument) {
    (void)argument;
    list_names(terminal, 1u << CLASS_FUNCTION | 1u << CLASS_NILADIC);
}

static void command_ops(Terminal *terminal, const char *argument) {
    (void)argument;
    list_names(terminal, 1u << CLASS_MONADIC_OPERATOR | 1u << CLASS_DYADIC_OPERATOR);
}

static void command_clear(Terminal *terminal, const char *argument) {
    (void)argument;
    apli_session_clear(terminal->session);
    printf("clear ws\n");
}

static void command_off(Terminal *terminal, const char *argument) {
    (void)argument;
    terminal->leaves = true;
}

static void command_erase(Terminal *terminal, const char *argument) {
    while (*(argument += strspn(argument, " \t"))) {
        size_t length = strcspn(argument, " \t");
        AplSymbol *symbol;
        if (apli_symbol(&terminal->session->workspace, argument, length, &symbol)) return;
        if (symbol->value.class == CLASS_NONE) printf("not found: %.*s\n", (int)length, argument);
        else apli_symbol_set(&terminal->session->workspace, symbol, (AplValue){0});
        argument += length;
    }
}

static const struct {
    const char *name;
    void (*run)(Terminal *terminal, const char *argument);
} commands[] = {
    {"HELP", command_help}, {"VARS", command_vars}, {"FNS", command_fns}, {"OPS", command_ops},
    {"ERASE", command_erase}, {"CLEAR", command_clear}, {"OFF", command_off},
};

static void run_command(Terminal *terminal, const char *line) {
    const char *name = line + 1 + strspn(line + 1, " ");
    size_t length = strcspn(name, " \t");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strlen(commands[i].name) == length && strncasecmp(commands[i].name, name, length) == 0) {
            commands[i].run(terminal, name + length);
            return;
        }
    }
    printf("bad command: )%.*s; )HELP lists what there is\n", (int)length, name);
}

/* ---- the loop ------------------------------------------------------------------------------------------------------- */

static void write_output(void *user, const char *bytes, size_t length) {
    Terminal *terminal = user;
    const char *end = memrchr(bytes, '\n', length);
    fwrite(bytes, 1, length, stdout);
    if (end) apli_text_clear(&terminal->unfinished);
    size_t kept = end ? (size_t)(bytes + length - end - 1) : length;
    apli_text_append(&terminal->unfinished, bytes + length - kept, kept);
}

/* ⎕ and ⍞. The prompt's last line is the editor's; for ⍞ it is what ⍞← left on the line. */
static AplErr read_input(void *user, const char *prompt, AplText *line) {
    Terminal *terminal = user;
    const char *last = strrchr(prompt, '\n');
    APLI_AUTO_TEXT shown = {0};
    if (last) fwrite(prompt, 1, (size_t)(last + 1 - prompt), stdout);
    if (prompt[0]) apli_text_append_string(&shown, last ? last + 1 : prompt);
    else apli_text_append(&shown, terminal->unfinished.bytes, terminal->unfinished.length);
    if (!prompt[0] && shown.length) printf("\r");
    AplLineOutcome what = apli_line_read(terminal->editor, apli_text_string(&shown), line);
    apli_text_clear(&terminal->unfinished);
    FAIL_IF(what == APLI_LINE_INTERRUPTED, APL_INTERRUPT, "stopped by the user");
    FAIL_IF(what == APLI_LINE_END, APL_INTERRUPT, "the input has ended");
    return apli_text_status(line);
}

/* Lines until nothing is open; false: Ctrl-C gave them up, or Ctrl-D came (terminal->leaves). */
static bool read_lines(Terminal *terminal, AplText *text) {
    int number = 0;
    do {
        char prompt[32] = "      ";
        APLI_AUTO_TEXT line = {0};
        const char *first = apli_text_string(text);
        if (number && at(first, text->length, strspn(first, " \t"), "∇")) {
            int used = snprintf(prompt, sizeof prompt, "[%d]", number);
            while (used < 6) prompt[used++] = ' ';
            prompt[used] = 0;
        }
        AplLineOutcome what = apli_line_read(terminal->editor, prompt, &line);
        if (what != APLI_LINE_READ) {
            terminal->leaves = what == APLI_LINE_END && !number;
            return false;
        }
        const char *bytes = apli_text_string(&line);
        if (number++) apli_text_append_string(text, "\n");
        apli_text_append(text, bytes, line.length);
    } while (apli_text_goes_on(apli_text_string(text), text->length));
    return true;
}

int apli_apl_session(AplSession *session) {
    Terminal terminal = {.session = session};
    AplErr error = apli_line_editor_new("aplaca-apl", "apl_history", true, &terminal.editor);
    if (error) return apli_complain(error);
    session->write = write_output;
    session->read_line = read_input;
    session->user = &terminal;
    while (!terminal.leaves) {
        APLI_AUTO_TEXT text = {0};
        if (terminal.unfinished.length) printf("\n");
        apli_text_clear(&terminal.unfinished);
        if (!read_lines(&terminal, &text)) continue;
        const char *line = apli_text_string(&text);
        line += strspn(line, " \t");
        session->env.interrupted = 0;
        if (*line == ')') run_command(&terminal, line);
        else if (apli_session_execute(session, NULL, apli_text_string(&text), text.length, true, NULL))
            printf("%s%s", terminal.unfinished.length ? "\n" : "", apli_text_string(&session->report));
        fflush(stdout);
    }
    apli_text_free(&terminal.unfinished);
    apli_line_editor_free(terminal.editor);
    session->write = NULL;
    session->read_line = NULL;
    return 0;
}
