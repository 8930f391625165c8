/* The chat of `aplaca run`: lines from a terminal, with editing and history, and the commands that begin with
   a slash. */
#include "cli/command.h"
#include "cli/line_editor.h"
#include "cli/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char help[] = "  /reset         begin a new conversation\n"
                           "  /save FILE     write the conversation to a file\n"
                           "  /load FILE     go on with a conversation from a file\n"
                           "  /exit          leave, as Ctrl-D does\n"
                           "  /help          this text\n"
                           "Ctrl-C ends the answer. A line that ends in \\ goes on in the next.\n";

/* Everything that one turn shows. */
static void answer(AplRun *run, AplChat *chat) {
    APLI_AUTO_ANSWER reply = {0};
    int last_byte = '\n';
    run->generate.receive = apli_print_piece;
    run->generate.user = &last_byte;
    run->engine->session->env.interrupted = 0;
    AplErr error = apli_chat_answer(chat, &run->generate, &reply);
    run->generate.sampler.seed++; /* the next answer has random numbers of its own */
    if (last_byte != '\n') putchar('\n');
    fflush(stdout);
    if (error) {
        apli_chat_take_back(chat);
        apli_complain(error);
        if (error == APL_LIMIT)
            fprintf(stderr, "/reset begins a new conversation; --ctx N makes room for a longer one\n");
        return;
    }
    if (reply.ending == APLI_ENDED_BY_USER) fprintf(stderr, "[stopped]\n");
    apli_print_speed(run, &reply);
}

/* The file named after a command's word; NULL, with a complaint, when there is none. */
static const char *file_of(const char *line, size_t word) {
    const char *file = line + word + strspn(line + word, " ");
    if (*file) return file;
    fprintf(stderr, "%.*s needs a file's name\n", (int)word, line);
    return NULL;
}

static bool is_word(const char *line, size_t length, const char *word) {
    return strlen(word) == length && strncmp(line, word, length) == 0;
}

/* A line that begins with a slash; true to leave. */
static bool command(AplChat *chat, const char *line) {
    const size_t word = strcspn(line, " ");
    if (is_word(line, word, "/exit") || is_word(line, word, "/quit")) return true;
    if (is_word(line, word, "/help")) {
        fputs(help, stdout);
    } else if (is_word(line, word, "/reset")) {
        apli_chat_reset(chat);
        printf("A new conversation.\n");
    } else if (is_word(line, word, "/save") || is_word(line, word, "/load")) {
        const bool save = line[1] == 's';
        const char *file = file_of(line, word);
        if (!file) return false;
        AplErr error = save ? apli_chat_save(chat, file) : apli_chat_load(chat, file);
        if (error) apli_complain(error);
        else printf("%s: %zu messages\n", file, json_array_size(chat->messages));
    } else {
        fprintf(stderr, "there is no command %.*s; /help lists them\n", (int)word, line);
    }
    return false;
}

/* One message, over as many lines as end in a backslash; false at the end of the input. */
static bool read_message(AplLineEditor *editor, AplText *message) {
    apli_text_clear(message);
    for (;;) {
        AplLineOutcome outcome = apli_line_read(editor, message->length ? ". " : "> ", message);
        if (outcome == APLI_LINE_END) return false;
        if (outcome == APLI_LINE_INTERRUPTED) {
            apli_text_clear(message);
            return true;
        }
        if (!message->length || message->bytes[message->length - 1] != '\\') return true;
        message->bytes[message->length - 1] = '\n';
    }
}

int apli_chat_loop(AplRun *run, AplChat *chat) {
    AplLineEditor *editor;
    APLI_AUTO_TEXT message = {0};
    AplErr error = apli_line_editor_new("aplaca", "chat_history", false, &editor);
    if (error) return apli_complain(error);
    size_t length;
    const char *name = apli_model_name(run->engine->model, &length);
    printf("%.*s, context %" PRId64 " tokens. /help lists the commands.\n", (int)length, name,
           run->engine->context);
    while (read_message(editor, &message)) {
        const char *line = apli_text_string(&message);
        line += strspn(line, " \t\n");
        if (!*line) continue;
        if (*line == '/') {
            if (command(chat, line)) break;
            continue;
        }
        error = apli_chat_add(chat, "user", line, strlen(line));
        if (error) apli_complain(error);
        else answer(run, chat);
    }
    apli_line_editor_free(editor);
    return 0;
}
