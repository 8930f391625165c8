/* Random rows of matrices, in the form that a file has them. */
#ifndef APLI_MODEL_RANDOM_WEIGHTS_H
#define APLI_MODEL_RANDOM_WEIGHTS_H

#include "base/error.h"

#include <stdint.h>

/* Whether apli_random_rows makes this tensor type. */
AplErr apli_random_type(const char *type);
/* Fills `rows` rows of `columns` elements of a type that apli_random_type accepts, at `bytes`: elements of mean 0 and of
   the standard deviation `deviation`, about. What a row holds depends on the seed and on first_row + its index only. */
void apli_random_rows(const char *type, int64_t first_row, int64_t rows, int64_t columns, double deviation, uint64_t seed,
                      uint8_t *bytes);
int64_t apli_random_row_bytes(const char *type, int64_t columns);

#endif
