/* The default model, and what commands do with a model before they begin. */
#include "cli/default_model.h"
#include "cli/terminal.h"

#include "os/clock.h"
#include "os/limits.h"
#include "os/memory_policy.h"
#include "os/parallel.h"
#include "os/topology.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_MODEL "smollm2-135m-instruct-q4_1.gguf"

/* Where the default model may lie; %s is the program's directory. */
static const char *const places[] = {"models/" DEFAULT_MODEL, "%s/../../models/" DEFAULT_MODEL,
                                     "%s/../share/aplaca/" DEFAULT_MODEL, "%s/" DEFAULT_MODEL};

AplErr apli_model_path(const char *named, AplText *path) {
    const char *variable = getenv("APLACA_MODEL");
    if (!named && variable && *variable) named = variable;
    if (named) {
        apli_text_append_string(path, named);
        return apli_text_status(path);
    }
    char program[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length > 0 ? length : 0] = 0;
    char *slash = strrchr(program, '/');
    if (slash) *slash = 0;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *place = strchr(places[i], '%');
        if (place && !slash) continue;
        apli_text_clear(path);
        if (place) apli_text_append_string(path, program);
        apli_text_append_string(path, place ? place + 2 : places[i]);
        TRY(apli_text_status(path));
        if (access(path->bytes, F_OK) == 0) return APL_OK;
    }
    FAIL_IF(true, APL_FILE_NAME,
            "no model is named and the default one, models/" DEFAULT_MODEL
            ", is not there: `make run` or scripts/get-model brings it; or name a GGUF file, here or in "
            "APLACA_MODEL");
}

/* A bar, when it takes long enough to be wondered at. */
static void show_preparing(void *user, int64_t done, int64_t total) {
    static const double soon = 0.5;
    AplProgress *bar = user;
    const double now = apli_clock_seconds();
    if (bar->started == 0) bar->started = now;
    if (now - bar->started > soon)
        apli_progress_show(bar, done / 1000000, total / 1000000, "MB of weights laid out, for all later starts too");
}

AplErr apli_open_engine(const char *named, const AplModelOptions *options, AplEngine **engine) {
    APLI_AUTO_TEXT path = {0};
    AplModel *model;
    AplTopology topology;
    apli_topology_detect(&topology);
    apli_parallel_set_threads(options->threads ? (int)options->threads : topology.threads);
    if (apli_parallel_threads() > 1) apli_spread_memory(&topology);
    apli_memory_set_limit((size_t)apli_memory_allowed());
    TRY(apli_model_path(named, &path));
    TRY(apli_model_open(path.bytes, &model));
    AplProgress bar = {0};
    const AplPanelProgress progress = {show_preparing, &bar};
    AplEngineOptions engine_options = {.context = options->context, .layers = options->layers, .exact = options->exact,
                                       .plain = options->plain, .kv = (AplCacheType)options->kv, .progress = &progress};
    AplErr error = apli_engine_new(model, &engine_options, engine);
    apli_progress_end(&bar);
    return error;
}

AplErr apli_read_file(const char *path, AplText *text) {
    struct stat status;
    const bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    FAIL_IF(!file, errno == ENOENT ? APL_FILE_NAME : APL_FILE_ACCESS, "%s: %s", path, strerror(errno));
    int error = !standard && fstat(fileno(file), &status) == 0 && S_ISDIR(status.st_mode) ? EISDIR : 0;
    char buffer[1 << 14];
    size_t count;
    while (!error && (count = fread(buffer, 1, sizeof buffer, file)) > 0)
        apli_text_append(text, buffer, count);
    if (!error && ferror(file)) error = errno ? errno : EIO;
    if (!standard) fclose(file);
    FAIL_IF(error, APL_FILE_ACCESS, "%s: %s", standard ? "standard input" : path, strerror(error));
    return apli_text_status(text);
}
