/* `aplaca apl` as its users meet it: on a terminal, as a script, with options. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/text.h"
#include "os/clock.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- a terminal ------------------------------------------------------------------------------------------------ */

typedef struct Terminal {
    pid_t pid;
    int fd;
    AplText seen;
    size_t read_from; /* what was not waited for yet */
} Terminal;

static char state_directory[] = "/tmp/aplaca_session_XXXXXX";

static void type(Terminal *terminal, const char *keys) {
    assert_int_equal(write(terminal->fd, keys, strlen(keys)), strlen(keys));
}

/* Waits until the terminal shows a text that it did not show before the last wait; the seconds that took. */
static double wait_for(Terminal *terminal, const char *text) {
    double start = apli_clock_seconds();
    for (;;) {
        char *found = strstr(apli_text_string(&terminal->seen) + terminal->read_from, text);
        if (found) {
            terminal->read_from = (size_t)(found - terminal->seen.bytes) + strlen(text);
            return apli_clock_seconds() - start;
        }
        struct pollfd ready = {.fd = terminal->fd, .events = POLLIN};
        char buffer[4096];
        ssize_t length = poll(&ready, 1, 15000) > 0 ? read(terminal->fd, buffer, sizeof buffer) : -1;
        if (length <= 0) fail_msg("waited for \"%s\"; the terminal shows\n%s", text, apli_text_string(&terminal->seen));
        apli_text_append(&terminal->seen, buffer, (size_t)length);
    }
}

/* Control keys are keys only while a line is edited: the cursor has gone to the prompt's end. */
static void wait_for_prompt(Terminal *terminal) { wait_for(terminal, "\033[7G"); }

static void begin(Terminal *terminal) {
    *terminal = (Terminal){0};
    struct winsize size = {.ws_row = 50, .ws_col = 160};
    terminal->pid = forkpty(&terminal->fd, NULL, NULL, &size);
    assert_true(terminal->pid >= 0);
    if (terminal->pid == 0) {
        setenv("XDG_STATE_HOME", state_directory, 1);
        setenv("LANG", "C", 1);
        unsetenv("LC_ALL");
        unsetenv("LC_CTYPE");
        setenv("TERM", "xterm", 1);
        execl(PROGRAM, "aplaca", "apl", (char *)NULL);
        _exit(127);
    }
    wait_for_prompt(terminal);
}

static int end(Terminal *terminal) {
    int status;
    char buffer[4096];
    /* a Ctrl-D that came before the line was being edited is a character of the line: the line is cleared, and Ctrl-D
       pressed again */
    for (int tries = 0; tries < 20; tries++) {
        struct pollfd ready = {.fd = terminal->fd, .events = POLLIN};
        if (poll(&ready, 1, 1000) == 0) type(terminal, "\025\004");
        else {
            ssize_t length = read(terminal->fd, buffer, sizeof buffer);
            if (length <= 0) break;
            apli_text_append(&terminal->seen, buffer, (size_t)length);
        }
        if (tries == 19) fail_msg("the session does not end; the terminal shows\n%s", apli_text_string(&terminal->seen));
    }
    waitpid(terminal->pid, &status, 0);
    close(terminal->fd);
    apli_text_free(&terminal->seen);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void lines_are_answered_until_off(void **state) {
    (void)state;
    Terminal terminal;
    begin(&terminal);
    type(&terminal, "2+3\r");
    wait_for(&terminal, "\n5\r\n");
    type(&terminal, ")OFF\r");
    assert_int_equal(end(&terminal), 0);
}

static void a_backquote_writes_apl_characters(void **state) {
    (void)state;
    Terminal terminal;
    begin(&terminal);
    type(&terminal, "x`[3 4`r`i12 `,x\r");
    wait_for(&terminal, "⍴");
    type(&terminal, "`rx\r");
    wait_for(&terminal, "\n3 4\r\n");
    type(&terminal, "`");
    type(&terminal, "`\r");
    wait_for(&terminal, "r⍴");
    type(&terminal, "'` '\r");
    wait_for(&terminal, "\n`\r\n");
    wait_for_prompt(&terminal);
    type(&terminal, "\004");
    assert_int_equal(end(&terminal), 0);
}

static void an_open_brace_or_definition_goes_on(void **state) {
    (void)state;
    Terminal terminal;
    begin(&terminal);
    type(&terminal, "f←{ ⍝ }\r⍵+1\r}\rf 3\r");
    wait_for(&terminal, "\n4\r\n");
    type(&terminal, "∇r←g x\rr←x+10\r∇\rg 3\r");
    wait_for(&terminal, "\n13\r\n");
    type(&terminal, ")FNS\r");
    wait_for(&terminal, "\nf  g\r\n");
    type(&terminal, ")ERASE f\r)FNS\r");
    wait_for(&terminal, "\ng\r\n");
    type(&terminal, "x←1\r)CLEAR\r");
    wait_for(&terminal, "clear ws");
    type(&terminal, "⍴⎕NL 2 3\r");
    wait_for(&terminal, "\n0 0\r\n");
    type(&terminal, ")OFF\r");
    assert_int_equal(end(&terminal), 0);
}

static void an_error_is_reported_and_the_session_goes_on(void **state) {
    (void)state;
    Terminal terminal;
    begin(&terminal);
    type(&terminal, "1 2+1 2 3\r");
    wait_for(&terminal, "LENGTH ERROR");
    type(&terminal, "1e6 1e6⍴0\r");
    wait_for(&terminal, "WS FULL");
    type(&terminal, "⍳3\r");
    wait_for(&terminal, "\n1 2 3\r\n");
    type(&terminal, ")OFF\r");
    assert_int_equal(end(&terminal), 0);
}

static void ctrl_c_stops_a_computation_and_keeps_the_workspace(void **state) {
    (void)state;
    Terminal terminal;
    begin(&terminal);
    type(&terminal, "x←42\r⎕←'going' ⋄ {∇⍵}1\r");
    wait_for(&terminal, "\ngoing\r\n");
    type(&terminal, "\003");
    assert_true(wait_for(&terminal, "INTERRUPT") < 5);
    wait_for_prompt(&terminal);
    type(&terminal, "half a line\003x\r");
    wait_for(&terminal, "\n42\r\n");
    type(&terminal, ")OFF\r");
    assert_int_equal(end(&terminal), 0);
}

static void input_is_read_where_the_program_asks(void **state) {
    (void)state;
    Terminal terminal;
    begin(&terminal);
    type(&terminal, "⍞←'name: ' ⋄ y←⍞\r");
    wait_for(&terminal, "name: ");
    type(&terminal, "Bob\r⍴y\r");
    wait_for(&terminal, "\n3\r\n");
    type(&terminal, "1+⎕\r");
    wait_for(&terminal, "⎕:");
    type(&terminal, "41\r");
    wait_for(&terminal, "\n42\r\n");
    type(&terminal, ")OFF\r");
    assert_int_equal(end(&terminal), 0);
}

static void history_is_kept_for_its_owner_alone(void **state) {
    (void)state;
    Terminal terminal;
    begin(&terminal);
    type(&terminal, "123×1000\r");
    wait_for(&terminal, "\n123000\r\n");
    type(&terminal, ")OFF\r");
    end(&terminal);
    char path[256];
    struct stat file;
    snprintf(path, sizeof path, "%s/aplaca/apl_history", state_directory);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    begin(&terminal);
    type(&terminal, "\020\020\r"); /* two lines up */
    wait_for(&terminal, "\n123000\r\n");
    type(&terminal, ")OFF\r");
    end(&terminal);
}

/* ---- scripts ------------------------------------------------------------------------------------------------------ */

/* Runs a shell command with the program in $APLACA; its output and, in *status, its exit status. */
static char *shell(const char *command, int *status) {
    static char output[1 << 16];
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t length = fread(output, 1, sizeof output - 1, pipe);
    output[length] = 0;
    *status = WEXITSTATUS(pclose(pipe));
    return output;
}

static void scripts_have_arguments_input_and_an_exit_status(void **state) {
    (void)state;
    int status;
    assert_string_equal(shell("$APLACA apl -e '2+3' -e '⎕ARG' a bc 2>&1", &status), "5\n a  bc \n");
    assert_int_equal(status, 0);
    assert_string_equal(shell("printf '⍳3\\n+/⍳4\\n' | $APLACA apl 2>&1", &status), "1 2 3\n10\n");
    shell("printf '#!/usr/bin/env -S aplaca apl\\n⍞\\n÷0\\n' > $DIRECTORY/script.apl", &status);
    const char *output = shell("echo hello | $APLACA apl $DIRECTORY/script.apl 2>&1", &status);
    assert_int_equal(status, 1);
    assert_non_null(strstr(output, "hello\n"));
    assert_non_null(strstr(output, "DOMAIN ERROR"));
    assert_non_null(strstr(output, "script.apl:3: ÷0"));
}

static void a_wrong_command_line_is_status_2(void **state) {
    (void)state;
    int status;
    assert_non_null(strstr(shell("$APLACA apl --nothing 2>&1", &status), "--nothing"));
    assert_int_equal(status, 2);
    shell("$APLACA apl --memory much 2>&1", &status);
    assert_int_equal(status, 2);
    shell("$APLACA apl /there/is/no.apl 2>&1", &status);
    assert_int_equal(status, 1);
}

static void a_file_that_is_no_text_does_not_reach_the_terminal(void **state) {
    (void)state;
    int status;
    const char *output = shell("printf 'A\\033[2J\\377' >$DIRECTORY/binary; $APLACA apl $DIRECTORY/binary 2>&1", &status);
    assert_int_equal(status, 1);
    assert_non_null(strstr(output, "SYNTAX ERROR: byte 5 is no UTF-8\n"));
    assert_non_null(strstr(output, "binary:1: A…\n"));
}

static void help_of_a_command_and_lost_help(void **state) {
    (void)state;
    int status;
    assert_non_null(strstr(shell("$APLACA help run", &status), "usage: aplaca run"));
    assert_int_equal(status, 0);
    shell("$APLACA --help 2>&1 >/dev/full", &status);
    assert_int_equal(status, 1);
}

static void memory_has_a_limit(void **state) {
    (void)state;
    int status;
    static const char *const greedy[] = {"x←1 2 ⋄ {x,←x ⋄ ∇⍵}1", "1e6 1e6⍴0", "{∇⍵,⍵}1 2", "{∇ 1000/¨⍵,⍵}⊂1 2", "(⍳1e5)∘.,⍳1e5"};
    for (size_t i = 0; i < sizeof greedy / sizeof *greedy; i++) {
        char command[256];
        snprintf(command, sizeof command, "$APLACA apl --memory 50M -e '%s' 2>&1", greedy[i]);
        const char *output = shell(command, &status);
        if (strncmp(output, "WS FULL", 7) != 0) fail_msg("%s: %s", greedy[i], output);
        assert_int_equal(status, 1);
    }
}

static void long_primitives_stop_at_ctrl_c(void **state) {
    (void)state;
    /* each would take many seconds */
    static const char *const slow[] = {
        "+/,(⍳20000)∘.○⍳20000", "{⍵}¨⍳1e8", "{⍺+⍵}/⍳1e8", "⍕?1e6 9⍴0",
        "(10000 1000⍴⍳77)∨.∧1000 10000⍴1", "+\\⍤1⊢2000 10000⍴1.5", "⍴(⍳3e7)∊⌽⍳3e7",
    };
    for (size_t i = 0; i < sizeof slow / sizeof *slow; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            int null = open("/dev/null", O_WRONLY);
            dup2(null, 1);
            dup2(null, 2);
            execl(PROGRAM, "aplaca", "apl", "-e", slow[i], (char *)NULL);
            _exit(127);
        }
        usleep(700000);
        double start = apli_clock_seconds();
        int status;
        kill(pid, SIGINT);
        waitpid(pid, &status, 0);
        double seconds = apli_clock_seconds() - start;
        if (seconds > 8) fail_msg("%s went on for %.1f seconds", slow[i], seconds);
    }
}

int main(void) {
    if (!mkdtemp(state_directory)) return 1;
    setenv("APLACA", PROGRAM, 1);
    setenv("DIRECTORY", state_directory, 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_answered_until_off),
        cmocka_unit_test(a_backquote_writes_apl_characters),
        cmocka_unit_test(an_open_brace_or_definition_goes_on),
        cmocka_unit_test(an_error_is_reported_and_the_session_goes_on),
        cmocka_unit_test(ctrl_c_stops_a_computation_and_keeps_the_workspace),
        cmocka_unit_test(input_is_read_where_the_program_asks),
        cmocka_unit_test(history_is_kept_for_its_owner_alone),
        cmocka_unit_test(scripts_have_arguments_input_and_an_exit_status),
        cmocka_unit_test(a_wrong_command_line_is_status_2),
        cmocka_unit_test(a_file_that_is_no_text_does_not_reach_the_terminal),
        cmocka_unit_test(help_of_a_command_and_lost_help),
        cmocka_unit_test(memory_has_a_limit),
        cmocka_unit_test(long_primitives_stop_at_ctrl_c),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    int status;
    shell("rm -r $DIRECTORY", &status);
    return failed;
}
