/* A f.g B: f/ of g between each row of A and each column of B, for arrays of any rank and any two functions.

   X+.×⍉W with real or PACKED weights W goes to the matrix kernel that never unpacks W as a whole (matmul.h);
   so does X+.×W of f32 and narrower, after W is turned. Products of f64 are BLAS's, by parts of rows that
   depend on the shape alone, so that their sums have one order; with a vector they are our own
   (vector_product.c), as those of narrow integers. Those of integers are exact, in f64 where 64 bits do not hold them. Booleans go
   64 at a time (bits.c). Other scalar functions take one row of A against all of B at once; other functions
   are called for each row and column. */
#include "prim/inner_product/inner_product.h"
#include "prim/operand.h"
#include "prim/inner_product/matmul.h"
#include "prim/inner_product/vector_product.h"

#include <cblas.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- + . × of reals ------------------------------------------------------------------------------------ */

static void one_thread(void) { openblas_set_num_threads(1); }

enum { PART_ROWS = 640, SHARED_WORK = 1 << 22 }; /* multiplications that are worth a second thread */

typedef struct Doubles {
    const double *left, *right;
    double *product;
    int64_t length, columns;
} Doubles;

static void multiply_doubles(void *context, int64_t first, int64_t count) {
    const Doubles *doubles = context;
    const int64_t length = doubles->length, columns = doubles->columns;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, (int)columns, (int)length, 1,
                doubles->left + first * length, (int)length, doubles->right, (int)columns, 0,
                doubles->product + first * columns, (int)columns);
}

static AplErr product_of_doubles(AplArray *left, AplArray *right, int64_t rows, int64_t length,
                                 int64_t columns, AplArray *product) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, one_thread);
    APLI_AUTO AplArray *a = NULL, *b = NULL;
    TRY(apli_convert(left, APLI_F64, &a));
    TRY(apli_convert(right, APLI_F64, &b));
    FAIL_IF(rows > INT32_MAX || length > INT32_MAX || columns > INT32_MAX, APL_LIMIT,
            "a product of %" PRId64 " × %" PRId64 " × %" PRId64 " f64", rows, length, columns);
    const Doubles doubles = {(const double *)a->data, (const double *)b->data, (double *)product->data, length, columns};
    const double work = (double)length * (double)columns;
    /* Parts by the shape alone, so that the number of threads makes no difference; an even number, and not too many, as BLAS
       lays out the right argument anew for each */
    const int64_t parts = work * (double)rows < SHARED_WORK ? 1 : rows < 4 * PART_ROWS ? 2 : rows / (2 * PART_ROWS) * 2;
    apli_in_parts(rows, parts == 1 ? rows : (rows + parts * 16 - 1) / (parts * 16) * 16, multiply_doubles, (void *)&doubles);
    return APL_OK;
}

static AplErr to_type(AplArray *array, AplType type, bool weak, int rank, const int64_t *shape,
                      AplArray **result) {
    APLI_AUTO AplArray *converted = NULL;
    TRY(apli_convert(array, type, &converted));
    TRY(apli_reshape_view(converted, rank, shape, result));
    (*result)->weak = weak && type == APLI_F64;
    return APL_OK;
}

/* right: (length, ...), whose transposed cells the kernel wants as rows. `type` is the result's, f32 or
   narrower. */
static AplErr product_of_singles(AplEnv *env, AplArray *left, AplArray *right, int64_t rows, int64_t length,
                                 int64_t columns, AplType type, int rank, const int64_t *shape,
                                 AplArray **result) {
    APLI_AUTO AplArray *plain = NULL, *table = NULL, *matrix = NULL, *weights = NULL, *product = NULL;
    if (right->rank == 2) {
        matrix = apli_array_retain(right);
    } else {
        TRY(apli_plain(right, &plain));
        TRY(apli_reshape_view(plain, 2, (int64_t[]){length, columns}, &matrix));
    }
    TRY(apli_transpose_view(matrix, (int[]){1, 0}, &weights));
    APLI_AUTO AplArray *plain_left = NULL;
    TRY(apli_plain(left, &plain_left));
    TRY(apli_reshape_view(plain_left, 2, (int64_t[]){rows, length}, &table));
    TRY(apli_matmul_transposed(table, weights, env->rounded, &product));
    return to_type(product, type, false, rank, shape, result);
}

/* ---- + . × of integers --------------------------------------------------------------------------------- */

/* Multiplications from which BLAS is faster than our loop, its conversions included. */
enum { DOUBLES_PAY = 1 << 14 };

/* Bits of the largest magnitude. */
static int magnitude_bits(const int64_t *values, int64_t count) {
    uint64_t all = 1;
    for (int64_t i = 0; i < count; i++) all |= (uint64_t)(values[i] ^ values[i] >> 63);
    return 64 - __builtin_clzll(all) + 1; /* -2^n has a magnitude of n+1 bits */
}

/* False when 64 bits do not hold a sum; sum_bits are enough for every sum. */
static bool add_products(const int64_t *a, const int64_t *b, int64_t rows, int64_t length, int64_t columns,
                         int sum_bits, int64_t *to) {
    bool overflow = false;
    memset(to, 0, (size_t)(rows * columns) * sizeof *to);
    for (int64_t row = 0; row < rows; row++, a += length, to += columns) {
        for (int64_t i = 0; i < length; i++) {
            const int64_t factor = a[i], *cell = b + i * columns;
            if (sum_bits <= 62) {
                _Pragma("omp simd") for (int64_t j = 0; j < columns; j++) to[j] += factor * cell[j];
                continue;
            }
            for (int64_t j = 0; j < columns; j++) {
                int64_t product;
                overflow |= __builtin_mul_overflow(factor, cell[j], &product);
                overflow |= __builtin_add_overflow(to[j], product, &to[j]);
            }
        }
    }
    return !overflow;
}

static AplErr product_of_integers(AplArray *left, AplArray *right, int64_t rows, int64_t length,
                                  int64_t columns, int rank, const int64_t *shape, AplArray **result) {
    APLI_AUTO AplArray *a = NULL, *b = NULL, *product = NULL;
    TRY(apli_convert(left, APLI_I64, &a));
    TRY(apli_convert(right, APLI_I64, &b));
    int sum_bits = magnitude_bits(apli_integer_data(a), rows * length) +
                   magnitude_bits(apli_integer_data(b), length * columns) +
                   (64 - __builtin_clzll((uint64_t)length));
    if (sum_bits <= 53 && rows * columns >= DOUBLES_PAY / length) { /* exact in f64, in any order */
        APLI_AUTO AplArray *doubles = NULL;
        TRY(apli_array_new(APLI_F64, rank, shape, &doubles));
        TRY(product_of_doubles(left, right, rows, length, columns, doubles));
        TRY(apli_convert(doubles, APLI_I64, &product));
    } else {
        TRY(apli_array_new(APLI_I64, rank, shape, &product));
        if (!add_products(apli_integer_data(a), apli_integer_data(b), rows, length, columns, sum_bits,
                          apli_integer_data(product))) {
            apli_array_release(product);
            product = NULL;
            TRY(apli_array_new(APLI_F64, rank, shape, &product));
            TRY(product_of_doubles(left, right, rows, length, columns, product));
            product->weak = true;
        }
    }
    TRY(apli_squeeze(&product));
    *result = apli_move(&product);
    return APL_OK;
}

/* ---- any scalar functions ------------------------------------------------------------------------------ */

static const AplOperator *reduce_first(void) { return apli_operator_of(U'⌿'); }

/* A vector of cells, all of one shape and simple or nested, joined to an array of `shape`. */
static AplErr join_rows(AplArray *const *cells, int64_t count, int rank, const int64_t *shape,
                        AplArray **result) {
    bool weak;
    APLI_AUTO AplArray *joined = NULL;
    AplType type = apli_meet_all(cells, count, &weak);
    TRY(apli_array_new(type, rank, shape, &joined));
    joined->weak = weak;
    for (int64_t i = 0; i < count; i++) {
        APLI_AUTO AplArray *cell = NULL;
        TRY(apli_convert(cells[i], type, &cell));
        apli_copy(joined, i * cell->count, cell, 0, cell->count);
    }
    TRY(apli_simplify(&joined));
    *result = apli_move(&joined);
    return APL_OK;
}

/* Row after row of left against all of right: (length, columns). */
static AplErr by_rows(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, int64_t rows,
                      int64_t length, int64_t columns, int rank, const int64_t *shape, AplArray **result) {
    AplFunction *fold = NULL;
    APLI_AUTO AplArray *cells = NULL, *matrix = NULL;
    TRY(apli_reshape_view(right, 2, (int64_t[]){length, columns}, &matrix));
    TRY(apli_vector_new(APLI_NESTED, rows, &cells));
    TRY(apli_function_derive(reduce_first(), self->left, (AplOperand){0}, NULL, &fold));
    AplErr error = APL_OK;
    for (int64_t row = 0; row < rows && !error; row++) {
        APLI_AUTO AplArray *part = NULL, *each = NULL, *spread = NULL, *products = NULL;
        error = apli_part(left, row * length, 1, &length, &part);
        if (!error) error = apli_repeat_each(part, columns, &each);
        if (!error) error = apli_reshape_view(each, 2, (int64_t[]){length, columns}, &spread);
        if (!error) error = apli_call_operand(env, self->right.function, spread, matrix, &products);
        if (!error) error = apli_call_operand(env, fold, NULL, products, &apli_items(cells)[row]);
    }
    apli_function_release(fold);
    TRY(error);
    return join_rows(apli_items(cells), rows, rank, shape, result);
}

/* ---- any functions ------------------------------------------------------------------------------------- */

static AplErr by_vectors(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right, int64_t rows,
                         int64_t length, int64_t columns, AplArray *product) {
    AplFunction *fold = NULL;
    APLI_AUTO AplArray *matrix = NULL, *view = NULL, *turned = NULL;
    TRY(apli_reshape_view(right, 2, (int64_t[]){length, columns}, &matrix));
    TRY(apli_transpose_view(matrix, (int[]){1, 0}, &view));
    TRY(apli_plain(view, &turned));
    TRY(apli_function_derive(reduce_first(), self->left, (AplOperand){0}, NULL, &fold));
    AplErr error = APL_OK;
    for (int64_t i = 0; i < rows * columns && !error; i++) {
        APLI_AUTO AplArray *row = NULL, *column = NULL, *products = NULL, *folded = NULL;
        error = apli_part(left, i / columns * length, 1, &length, &row);
        if (!error) error = apli_part(turned, i % columns * length, 1, &length, &column);
        if (!error) error = apli_call_operand(env, self->right.function, row, column, &products);
        if (!error) error = apli_call_operand(env, fold, NULL, products, &folded);
        if (!error && folded->rank == 0 && folded->type == APLI_NESTED)
            error = apli_item(folded, 0, &apli_items(product)[i]);
        else if (!error) apli_items(product)[i] = apli_array_retain(folded);
    }
    apli_function_release(fold);
    return error;
}

/* ---- the call ------------------------------------------------------------------------------------------ */

/* A scalar, or an argument whose meeting axis has one element, repeated to the other's length. */
static AplErr extend(AplArray *array, bool last, int64_t length, AplArray **result) {
    int64_t shape[APLI_MAX_RANK], have = !array->rank ? 1 : last ? apli_last_axis(array) : array->shape[0];
    if (array->rank && (have == length || have != 1)) {
        *result = apli_array_retain(array);
        return APL_OK;
    }
    if (array->rank == 0) return apli_reshape_to(array, 1, &length, result);
    APLI_AUTO AplArray *plain = NULL, *each = NULL;
    TRY(apli_plain(array, &plain));
    memcpy(shape, plain->shape, plain->rank * sizeof *shape);
    shape[last ? plain->rank - 1 : 0] = length;
    if (!last) return apli_reshape_to(plain, plain->rank, shape, result);
    TRY(apli_repeat_each(plain, length, &each));
    return apli_reshape_view(each, plain->rank, shape, result);
}

static AplErr general(AplEnv *env, const AplFunction *self, AplScalarOp f, AplScalarOp g, AplArray *left,
                      AplArray *right, int64_t rows, int64_t length, int64_t columns, int rank,
                      const int64_t *shape, AplArray **result) {
    if (length == 0) {
        double identity = apli_scalar_identity(f);
        FAIL_IF(isnan(identity), APL_DOMAIN,
                "the function has no identity element, and the axes that meet are empty");
        APLI_AUTO AplArray *number = NULL;
        if (identity == 0 || identity == 1) TRY(apli_scalar_bool(identity != 0, &number));
        else TRY(apli_scalar_f64(identity, &number));
        return apli_reshape_to(number, rank, shape, result);
    }
    if (left->type == APLI_BOOL && right->type == APLI_BOOL) {
        bool done;
        TRY(apli_product_of_bits(f, g, left, right, length, rank, shape, result, &done));
        if (done) return APL_OK;
    }
    if (f != APLI_OP_NONE && g != APLI_OP_NONE)
        return by_rows(env, self, left, right, rows, length, columns, rank, shape, result);
    APLI_AUTO AplArray *product = NULL;
    TRY(apli_array_new(APLI_NESTED, rank, shape, &product));
    TRY(by_vectors(env, self, left, right, rows, length, columns, product));
    TRY(apli_simplify(&product));
    *result = apli_move(&product);
    return APL_OK;
}

AplErr apli_inner_product(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right,
                          AplArray **result) {
    FAIL_IF(!self->right.function, APL_SYNTAX, "a product needs a function to the right of its dot");
    FAIL_IF(!left, APL_SYNTAX, "a product needs a left argument");
    if (!self->left.function) {
        FAIL_IF(self->left.array, APL_SYNTAX, "a product needs a function or ∘ to the left of its dot");
        return apli_outer_product(env, self->right.function, left, right, result);
    }
    APLI_AUTO AplArray *a = NULL, *b = NULL, *plain_left = NULL, *plain_right = NULL;
    int64_t left_length = left->rank ? apli_last_axis(left) : 1,
            right_length = right->rank ? right->shape[0] : 1;
    TRY(extend(left, true, right_length, &a));
    TRY(extend(right, false, left_length, &b));
    int64_t length = apli_last_axis(a), shape[2 * APLI_MAX_RANK];
    FAIL_IF(length != b->shape[0], APL_LENGTH, "last axis of ⍺ is %" PRId64 ", first axis of ⍵ is %" PRId64,
            length, b->shape[0]);
    int rank = a->rank + b->rank - 2;
    FAIL_IF(rank > APLI_MAX_RANK, APL_LIMIT, "the result's rank would be %d", rank);
    memcpy(shape, a->shape, (size_t)(a->rank - 1) * sizeof *shape);
    memcpy(shape + a->rank - 1, b->shape + 1, (size_t)(b->rank - 1) * sizeof *shape);
    int64_t rows = apli_product(a->shape, a->rank - 1), columns = apli_product(b->shape + 1, b->rank - 1);
    AplScalarOp f = apli_function_op(self->left.function), g = apli_function_op(self->right.function);

    /* no elements: nothing of the arguments, packed weights perhaps, needs to be laid out */
    if (rows == 0 || columns == 0) return apli_array_new(APLI_BOOL, rank, shape, result);
    bool numbers = (apli_type_is_number((AplType)a->type) || a->type == APLI_PACKED) &&
                   (apli_type_is_number((AplType)b->type) || b->type == APLI_PACKED);
    if (f == APLI_OP_ADD && g == APLI_OP_MULTIPLY && numbers && length) {
        bool weak;
        AplArray a_type = *a, b_type = *b; /* only type, weakness and count are read */
        AplType type = apli_meet(&a_type, &b_type, &weak);
        if (type == APLI_F16 || type == APLI_BF16 || type == APLI_F32)
            return product_of_singles(env, a, b, rows, length, columns, type, rank, shape, result);
        TRY(apli_plain(a, &plain_left));
        TRY(apli_plain(b, &plain_right));
        if (type == APLI_BOOL)
            return general(env, self, f, g, plain_left, plain_right, rows, length, columns, rank, shape,
                           result);
        if (columns == 1) {
            bool done;
            TRY(apli_vector_product(plain_left, plain_right, rows, length, rank, shape, result, &done));
            if (done) (*result)->weak = weak && type == APLI_F64;
            if (done) return APL_OK;
        }
        if (apli_type_is_integer(type))
            return product_of_integers(plain_left, plain_right, rows, length, columns, rank, shape, result);
        APLI_AUTO AplArray *product = NULL;
        TRY(apli_array_new(APLI_F64, rank, shape, &product));
        TRY(product_of_doubles(plain_left, plain_right, rows, length, columns, product));
        product->weak = weak;
        *result = apli_move(&product);
        return APL_OK;
    }
    TRY(apli_plain(a, &plain_left));
    TRY(apli_plain(b, &plain_right));
    return general(env, self, f, g, plain_left, plain_right, rows, length, columns, rank, shape, result);
}
