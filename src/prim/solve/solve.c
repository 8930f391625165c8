/* B⌹A: the X for which A+.×X comes nearest to B, in least squares; ⌹A: the (left) inverse of A. By Householder's reflections:
   A = QR, then RX = QᵀB (Golub and Van Loan, Matrix Computations, 5.2 and 5.3). */
#include "prim/structure.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* a: (rows, columns), becomes R and the reflections; b: (rows, sides), its first `columns` rows become X. DOMAIN ERROR when the
   columns of a depend on one another. */
static AplErr least_squares(double *a, int64_t rows, int64_t columns, double *b, int64_t sides) {
    double largest = 0;
    for (int64_t i = 0; i < rows * columns; i++) {
        FAIL_IF(!isfinite(a[i]), APL_DOMAIN, "a matrix with an element that is not finite");
        largest = fmax(largest, fabs(a[i]));
    }
    double least = largest * (double)rows * DBL_EPSILON;
    for (int64_t k = 0; k < columns; k++) {
        double norm = 0;
        for (int64_t i = k; i < rows; i++) norm = hypot(norm, a[i * columns + k]);
        FAIL_IF(norm <= least, APL_DOMAIN, "a singular matrix: column %" PRId64 " of %" PRId64 " depends on the others", k + 1,
                columns);
        double alpha = a[k * columns + k] > 0 ? -norm : norm;
        /* v = column - alpha e, reflection I - v vᵀ ÷ (norm × (norm + |a[k][k]|)) */
        double scale = 1 / (norm * (norm + fabs(a[k * columns + k])));
        a[k * columns + k] -= alpha;
        for (int64_t j = k + 1; j < columns; j++) {
            double dot = 0;
            for (int64_t i = k; i < rows; i++) dot += a[i * columns + k] * a[i * columns + j];
            for (int64_t i = k; i < rows; i++) a[i * columns + j] -= dot * scale * a[i * columns + k];
        }
        for (int64_t j = 0; j < sides; j++) {
            double dot = 0;
            for (int64_t i = k; i < rows; i++) dot += a[i * columns + k] * b[i * sides + j];
            for (int64_t i = k; i < rows; i++) b[i * sides + j] -= dot * scale * a[i * columns + k];
        }
        a[k * columns + k] = alpha; /* the reflection is used up */
    }
    for (int64_t k = columns - 1; k >= 0; k--) {
        for (int64_t j = 0; j < sides; j++) {
            double sum = b[k * sides + j];
            for (int64_t i = k + 1; i < columns; i++) sum -= a[k * columns + i] * b[i * sides + j];
            b[k * sides + j] = sum / a[k * columns + k];
        }
    }
    return APL_OK;
}

/* An f64 copy that may be overwritten. */
static AplErr working_copy(AplArray *array, AplArray **result) {
    FAIL_IF(!apli_type_is_number((AplType)array->type), APL_DOMAIN, "⌹ takes numbers, not %s",
            apli_types[array->type].kind == APLI_KIND_CHARACTER ? "characters" : "nested");
    TRY(apli_array_new_like(APLI_F64, array, result));
    apli_copy(*result, 0, array, 0, array->count);
    return APL_OK;
}

static AplErr dimensions(const AplArray *array, int64_t *rows, int64_t *columns) {
    FAIL_IF(array->rank > 2, APL_RANK, "⌹ of an array of rank %d", array->rank);
    *rows = array->rank ? array->shape[0] : 1;
    *columns = array->rank == 2 ? array->shape[1] : 1;
    return APL_OK;
}

/* The first rows of `solved` in `shape`, in the type in which the arguments meet. */
static AplErr solution(AplArray *solved, int rank, const int64_t *shape, const AplArray *left, const AplArray *right,
                       AplArray **result) {
    APLI_AUTO AplArray *part = NULL;
    bool weak;
    AplType type = apli_meet(left, right, &weak);
    TRY(apli_array_new(APLI_F64, rank, shape, &part));
    if (part->count) apli_copy(part, 0, solved, 0, part->count);
    part->weak = weak || !apli_type_is_real(type);
    return apli_convert(part, apli_type_is_real(type) ? type : APLI_F64, result);
}

static AplErr check_rows(int64_t rows, int64_t columns) {
    FAIL_IF(rows < columns, APL_LENGTH, "%" PRId64 " rows cannot determine %" PRId64 " columns", rows, columns);
    return APL_OK;
}

AplErr apli_matrix_inverse(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    int64_t rows, columns;
    APLI_AUTO AplArray *a = NULL, *identity = NULL;
    TRY(dimensions(right, &rows, &columns));
    TRY(check_rows(rows, columns));
    TRY(working_copy(right, &a));
    TRY(apli_array_new(APLI_F64, 2, (int64_t[]){rows, rows}, &identity));
    double *b = (double *)identity->data;
    memset(b, 0, (size_t)identity->count * sizeof *b);
    for (int64_t i = 0; i < rows; i++) b[i * rows + i] = 1;
    TRY(least_squares((double *)a->data, rows, columns, b, rows));
    int64_t shape[2] = {right->rank == 2 ? columns : rows, rows};
    return solution(identity, right->rank, shape, right, right, result);
}

AplErr apli_matrix_divide(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis, AplArray **result) {
    (void)env, (void)axis;
    int64_t rows, columns, left_rows, sides;
    APLI_AUTO AplArray *a = NULL, *b = NULL;
    TRY(dimensions(right, &rows, &columns));
    TRY(dimensions(left, &left_rows, &sides));
    FAIL_IF(left_rows != rows, APL_LENGTH, "⍺ has %" PRId64 " rows, ⍵ has %" PRId64, left_rows, rows);
    TRY(check_rows(rows, columns));
    TRY(working_copy(right, &a));
    TRY(working_copy(left, &b));
    TRY(least_squares((double *)a->data, rows, columns, (double *)b->data, sides));
    int rank = 0;
    int64_t shape[2];
    if (right->rank == 2) shape[rank++] = columns;
    if (left->rank == 2) shape[rank++] = sides;
    return solution(b, rank, shape, left, right, result);
}
