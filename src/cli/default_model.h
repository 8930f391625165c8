/* Which model a command uses, and the options that every command with a model shares. */
#ifndef APLI_CLI_DEFAULT_MODEL_H
#define APLI_CLI_DEFAULT_MODEL_H

#include "base/error.h"
#include "base/text.h"
#include "generate/engine.h"
#include "os/parallel.h"

/* The path of `named`, or when that is NULL of the default model: $APLACA_MODEL; otherwise
   SmolLM2-135M-Instruct's file in models/ of the working directory or of the source tree that the program was
   built in, or where it was installed. FILE NAME ERROR that says how to get it. */
AplErr apli_model_path(const char *named, AplText *path);

typedef struct AplModelOptions {
    int64_t threads;         /* 0: one a core (os/topology.h) */
    int64_t context, layers; /* 0: the engine's own choice */
    bool exact, plain;
    int64_t kv; /* AplCacheType */
} AplModelOptions;

/* Rows of an option table (cli/option.h) for a local `model_options`. */
#define APLI_MODEL_OPTIONS(model_options) \
    {"--threads", APLI_OPTION_INTEGER, &(model_options).threads, "N", \
     "how many threads compute (one a core)", 1, APLI_MOST_THREADS}, \
    {"--layers", APLI_OPTION_INTEGER, &(model_options).layers, "N", "run the first N layers only", 1, 65536}, \
    {"--kv", APLI_OPTION_CHOICE, &(model_options).kv, APLI_CACHE_TYPES, APLI_CACHE_HELP, 0, 0}, \
    {"--exact", APLI_OPTION_FLAG, &(model_options).exact, NULL, \
     "products take activations in f32, not rounded to 8 bits in groups of 16", 0, 0}, \
    {"--no-fused", APLI_OPTION_FLAG, &(model_options).plain, NULL, \
     "run the APL text itself, without fused kernels", 0, 0}
#define APLI_CONTEXT_OPTION(model_options, help) \
    {"--ctx", APLI_OPTION_INTEGER, &(model_options).context, "N", help, 1, 1 << 24}

/* Finds and opens the model, and makes an engine of it. */
AplErr apli_open_engine(const char *named, const AplModelOptions *options, AplEngine **engine);

/* All of a file, or of standard input for "-". FILE ... ERROR that names it. */
AplErr apli_read_file(const char *path, AplText *text);

#endif
