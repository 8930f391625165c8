/* Line editing by libedit. While a line is edited Ctrl-C is a key; at other times it is a signal. */
#include "cli/line_editor.h"

#include "cli/apl_keyboard.h"

#include <histedit.h>
#include <langinfo.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_LINES = 1000 };

struct AplLineEditor {
    EditLine *edit;
    HistoryW *history;
    wchar_t prompt[256];
    char path[PATH_MAX]; /* of the history; "": none */
    bool cancelled;
};

/* UTF-8 to wide characters, which are code points here; cut to fit. */
static void widen(const char *text, size_t length, wchar_t *wide, size_t capacity) {
    size_t at = 0, used = 0;
    while (at < length && used + 1 < capacity) wide[used++] = (wchar_t)apli_utf8_next(text, length, &at);
    wide[used] = 0;
}

static wchar_t *prompt_of(EditLine *edit) {
    AplLineEditor *editor = NULL;
    el_wget(edit, EL_CLIENTDATA, &editor);
    return editor->prompt;
}

/* ---- keys --------------------------------------------------------------------------------------------------- */

static unsigned char insert_glyph(EditLine *edit, wint_t key) {
    wchar_t next, text[2] = {0};
    (void)key;
    if (el_wgetc(edit, &next) != 1) return CC_EOF;
    if (next == L'`') {
        APLI_AUTO_TEXT list = {0};
        apli_keyboard_list(&list);
        printf("\n%s", apli_text_string(&list));
        fflush(stdout);
        return CC_REDISPLAY;
    }
    text[0] = (wchar_t)apli_keyboard_glyph((uint32_t)next);
    if (!text[0] || el_winsertstr(edit, text) == -1) return CC_ERROR;
    return CC_REFRESH;
}

static unsigned char cancel(EditLine *edit, wint_t key) {
    AplLineEditor *editor = NULL;
    (void)key;
    el_wget(edit, EL_CLIENTDATA, &editor);
    editor->cancelled = true;
    return CC_NEWLINE;
}

static void bind_keys(EditLine *edit, bool glyphs) {
    static const wchar_t *const bindings[][2] = {
        {L"^C", L"apl-cancel"}, {L"^R", L"em-inc-search-prev"}, {L"^W", L"ed-delete-prev-word"},
        {L"\\e[1;5D", L"ed-prev-word"}, {L"\\e[1;5C", L"em-next-word"}, {L"\\e[3~", L"ed-delete-next-char"},
        {L"\\e[H", L"ed-move-to-beg"}, {L"\\e[F", L"ed-move-to-end"},
    };
    el_wset(edit, EL_EDITOR, L"emacs");
    el_wset(edit, EL_ADDFN, L"apl-glyph", L"Write an APL character", insert_glyph);
    el_wset(edit, EL_ADDFN, L"apl-cancel", L"Give the line up", cancel);
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        el_wset(edit, EL_BIND, bindings[i][0], bindings[i][1], NULL);
    if (glyphs) el_wset(edit, EL_BIND, L"`", L"apl-glyph", NULL);
    el_wset(edit, EL_SETTY, L"-d", L"-isig", NULL);
}

/* ---- history -------------------------------------------------------------------------------------------------- */

/* Makes the directories of a path that begins with '/', for their owner alone. */
static bool make_directories(char *path) {
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        bool there = mkdir(path, 0700) == 0 || access(path, X_OK) == 0;
        *slash = '/';
        if (!there) return false;
    }
    return true;
}

static void find_history(AplLineEditor *editor, const char *name) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length = -1;
    if (state && state[0] == '/') length = snprintf(editor->path, sizeof editor->path, "%s/aplaca/%s", state, name);
    else if (home && home[0] == '/')
        length = snprintf(editor->path, sizeof editor->path, "%s/.local/state/aplaca/%s", home, name);
    if (length < 0 || length >= (int)sizeof editor->path) editor->path[0] = 0;
}

/* To a file of its own first: a history is there whole or as it was. */
static void save_history(AplLineEditor *editor) {
    char temporary[PATH_MAX + 16];
    HistEventW event;
    if (!editor->path[0] || !make_directories(editor->path)) return;
    snprintf(temporary, sizeof temporary, "%s.%ld", editor->path, (long)getpid());
    mode_t mask = umask(077);
    bool saved = history_w(editor->history, &event, H_SAVE, temporary) >= 0;
    umask(mask);
    if (!saved || rename(temporary, editor->path) != 0) unlink(temporary);
}

static void remember(AplLineEditor *editor, const char *line) {
    HistEventW event;
    size_t length = strlen(line);
    wchar_t *wide = malloc((length + 1) * sizeof *wide);
    if (!wide) return;
    widen(line, length, wide, length + 1);
    history_w(editor->history, &event, H_ENTER, wide);
    free(wide);
}

/* ---- the editor -------------------------------------------------------------------------------------------------- */

/* Text is UTF-8, whatever the environment says. */
static void set_locale(void) {
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0) setlocale(LC_CTYPE, "C.UTF-8");
}

AplErr apli_line_editor_new(const char *program, const char *history, bool glyphs, AplLineEditor **result) {
    set_locale();
    AplLineEditor *editor = calloc(1, sizeof *editor);
    FAIL_IF(!editor, APL_WS_FULL, "no memory for a line editor");
    editor->edit = el_init(program, stdin, stdout, stderr);
    editor->history = history_winit();
    if (!editor->edit || !editor->history) {
        if (editor->edit) el_end(editor->edit);
        free(editor);
        return apli_fail(APL_FILE_ACCESS, "the terminal cannot be edited on");
    }
    HistEventW event;
    history_w(editor->history, &event, H_SETSIZE, HISTORY_LINES);
    history_w(editor->history, &event, H_SETUNIQUE, 1);
    find_history(editor, history);
    if (editor->path[0] && access(editor->path, R_OK) == 0) history_w(editor->history, &event, H_LOAD, editor->path);
    el_wset(editor->edit, EL_CLIENTDATA, editor);
    el_wset(editor->edit, EL_PROMPT, prompt_of);
    el_wset(editor->edit, EL_HIST, history_w, editor->history);
    el_source(editor->edit, NULL);
    bind_keys(editor->edit, glyphs);
    *result = editor;
    return APL_OK;
}

void apli_line_editor_free(AplLineEditor *editor) {
    if (!editor) return;
    save_history(editor);
    history_wend(editor->history);
    el_end(editor->edit);
    free(editor);
}

AplLineOutcome apli_line_read(AplLineEditor *editor, const char *prompt, AplText *line) {
    int count = 0;
    size_t begin = line->length;
    widen(prompt, strlen(prompt), editor->prompt, sizeof editor->prompt / sizeof *editor->prompt);
    editor->cancelled = false;
    fflush(stdout);
    const wchar_t *wide = el_wgets(editor->edit, &count);
    bool ends = !wide || count <= 0;
    if (ends || editor->cancelled) fputc('\n', stdout);
    if (editor->cancelled) return APLI_LINE_INTERRUPTED;
    if (ends) return APLI_LINE_END;
    for (int i = 0; i < count && wide[i] != L'\n' && wide[i] != L'\r'; i++)
        apli_text_append_codepoint(line, (uint32_t)wide[i]);
    const char *text = apli_text_string(line) + begin;
    if (text[strspn(text, " \t")]) remember(editor, text);
    return APLI_LINE_READ;
}
