/* A model of a published shape with random weights: what speed is measured on where there is no model, written as a file
   that any program reads that knows GGUF. Its matrices keep the size of what they multiply (elements of variance 1 ÷
   columns), so that its numbers stay finite; what it says is noise. Its vocabulary has the shape's size: the 256 bytes, two
   control tokens, one merge, and names without a use. It may be used at any context up to 2 to the 20th. */
#ifndef APLI_MODEL_RANDOM_MODEL_H
#define APLI_MODEL_RANDOM_MODEL_H

#include "base/error.h"
#include "base/text.h"
#include "os/new_file.h"

#include <stdint.h>

typedef struct AplRandomModel {
    const char *shape;     /* "tinyllama" (model/model_shape.def) */
    const char *precision; /* "4" (model/model_precision.def) */
    int64_t layers;        /* 0: the shape's own number */
    uint64_t seed;         /* the same seed gives the same file, whatever the number of threads */
} AplRandomModel;

/* Writes the model into `file` and commits it. DOMAIN ERROR that lists what there is for an unknown shape or precision. */
AplErr apli_random_model_write(const AplRandomModel *model, AplNewFile *file);
/* "tinyllama, mistral-7b, ...": the shapes, and the precisions. */
void apli_random_model_shapes(AplText *names);
void apli_random_model_precisions(AplText *names);

#endif
