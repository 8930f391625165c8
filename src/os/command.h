/* Running another program. */
#ifndef APLI_OS_COMMAND_H
#define APLI_OS_COMMAND_H

#include "base/text.h"

typedef struct AplCommandOutput {
    AplText output, error; /* what it wrote on standard output, and on standard error */
    int status;            /* its exit status; 128 + the signal that ended it */
    double seconds;        /* from its start to its end */
} AplCommandOutput;

/* Runs a command line of /bin/sh, with nothing on standard input, and waits for its end. FILE ACCESS ERROR when it cannot
   be started. *result starts as {0}. */
AplErr apli_command_run(const char *command, AplCommandOutput *result);
void apli_command_output_free(AplCommandOutput *result);

#endif
