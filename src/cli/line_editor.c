/* Line editing by libedit. Its own signal handlers stay off: the program's handler ends the read. */
#include "cli/line_editor.h"

#include <errno.h>
#include <histedit.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { HISTORY_LINES = 1000 };

struct AplLineEditor {
    EditLine *edit;
    History *history;
    const char *prompt;
    char path[PATH_MAX]; /* of the history; "" when it is not kept */
};

static char *prompt_of(EditLine *edit) {
    AplLineEditor *editor = NULL;
    el_get(edit, EL_CLIENTDATA, &editor);
    return (char *)editor->prompt;
}

/* $XDG_STATE_HOME/aplaca/NAME, or ~/.local/state/aplaca/NAME; the directories are made. */
static void find_history(const char *name, char path[PATH_MAX]) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length = state && *state ? snprintf(path, PATH_MAX, "%s/aplaca/%s", state, name)
                 : home && *home ? snprintf(path, PATH_MAX, "%s/.local/state/aplaca/%s", home, name)
                                 : -1;
    if (length < 0 || length >= PATH_MAX) {
        path[0] = 0;
        return;
    }
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700); /* one that cannot be made shows when the history is saved: it is then not kept */
        *slash = '/';
    }
}

AplErr apli_line_editor_new(const char *program, const char *history_name, AplLineEditor **result) {
    HistEvent event;
    setlocale(LC_CTYPE, "");
    if (MB_CUR_MAX == 1) setlocale(LC_CTYPE, "C.UTF-8");
    AplLineEditor *editor = calloc(1, sizeof *editor);
    FAIL_IF(!editor, APL_WS_FULL, "no memory for line editing");
    editor->edit = el_init(program, stdin, stdout, stderr);
    editor->history = history_init();
    if (!editor->edit || !editor->history) {
        apli_line_editor_free(editor);
        return apli_fail(APL_FILE_ACCESS, "line editing does not work on this terminal");
    }
    find_history(history_name, editor->path);
    history(editor->history, &event, H_SETSIZE, HISTORY_LINES);
    history(editor->history, &event, H_SETUNIQUE, 1);
    if (editor->path[0]) history(editor->history, &event, H_LOAD, editor->path);
    el_set(editor->edit, EL_CLIENTDATA, editor);
    el_set(editor->edit, EL_PROMPT, prompt_of);
    el_set(editor->edit, EL_SIGNAL, 0);
    el_set(editor->edit, EL_EDITOR, "emacs");
    el_set(editor->edit, EL_HIST, history, editor->history);
    el_source(editor->edit, NULL);
    *result = editor;
    return APL_OK;
}

void apli_line_editor_free(AplLineEditor *editor) {
    HistEvent event;
    if (!editor) return;
    if (editor->history && editor->path[0]) history(editor->history, &event, H_SAVE, editor->path);
    if (editor->history) history_end(editor->history);
    if (editor->edit) el_end(editor->edit);
    free(editor);
}

AplLineOutcome apli_line_read(AplLineEditor *editor, const char *prompt, AplText *line) {
    HistEvent event;
    int length = 0;
    editor->prompt = prompt;
    errno = 0;
    const char *text = el_gets(editor->edit, &length);
    if (!text || length <= 0) {
        const bool interrupted = length < 0 && errno == EINTR;
        if (interrupted) el_reset(editor->edit);
        fputc('\n', stdout);
        return interrupted ? APLI_LINE_INTERRUPTED : APLI_LINE_END;
    }
    if (text[length - 1] == '\n') length--;
    apli_text_append(line, text, (size_t)length);
    if (length) {
        APLI_AUTO_TEXT entry = {0};
        apli_text_append(&entry, text, (size_t)length);
        history(editor->history, &event, H_ENTER, apli_text_string(&entry));
    }
    return APLI_LINE_READ;
}
