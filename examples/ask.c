/* Asks a language model, and prints the answer as it comes: ask MODEL.gguf QUESTION.
   Build: cc ask.c $(pkg-config --cflags --libs aplaca) */
#include <aplaca.h>

#include <stdio.h>

static int print(void *user, const char *bytes, size_t length) {
    (void)user;
    fwrite(bytes, 1, length, stdout);
    fflush(stdout);
    return 1; /* go on */
}

static int complain(AplErr error) {
    fprintf(stderr, "%s: %s\n", apl_error_name(error), apl_error_message());
    return 1;
}

int main(int count, char **arguments) {
    if (count != 3) {
        fprintf(stderr, "usage: ask MODEL.gguf QUESTION\n");
        return 2;
    }
    AplLanguageModel *model;
    AplErr error = apl_model_open(arguments[1], NULL, &model);
    if (error) return complain(error);

    AplAskOptions options;
    AplAskResult result = {.size = sizeof result};
    apl_ask_options_init(&options, sizeof options);
    options.temperature = 0;
    options.limit = 40;
    options.receive = print;
    error = apl_model_ask(model, arguments[2], &options, &result);
    if (!error) printf("\n(%lld tokens)\n", (long long)result.answer_tokens);
    apl_model_close(model);
    return error ? complain(error) : 0;
}
