/* f.g of Booleans: rows of the left and columns of the right argument as whole words, g on 64 bits at once, f
   by counting. A+.=B is XNOR and popcount: the binary matrix product. */
#include "prim/inner_product/inner_product.h"
#include "prim/inner_product/vector_product_kernels.h"

#include <stdlib.h>
#include <string.h>

typedef struct BitRows {
    uint64_t *words; /* rows × words_per_row, unused bits 0 */
    int64_t words_per_row;
} BitRows;

static AplErr rows_new(int64_t rows, int64_t length, BitRows *result) {
    result->words_per_row = (length + 63) / 64;
    result->words = calloc((size_t)(rows * result->words_per_row) + 1, sizeof *result->words);
    FAIL_IF(!result->words, APL_WS_FULL, "no memory for a product of Booleans");
    return APL_OK;
}

static void take_rows(const AplArray *bits, int64_t rows, int64_t length, BitRows *to) {
    for (int64_t row = 0; row < rows; row++)
        apli_bits_copy((uint8_t *)(to->words + row * to->words_per_row), 0, bits->data, row * length, length);
}

/* Whether g turns bits into bits. */
static bool counts(AplScalarOp g) {
    return g != APLI_OP_NONE && apli_scalar_kernels()->op[g][APLI_LANE_BITS];
}

enum { SHARED_WORDS = 1 << 15, BLOCK = 256 }; /* words that one thread counts at a time; results between two functions */

typedef struct Product {
    AplScalarOp f, g;
    const BitRows *left, *right;
    int64_t length, columns;
    AplArray *product;
} Product;

static void multiply_rows(void *context, int64_t first, int64_t row_count) {
    const Product *product = context;
    const AplVectorProductKernels *kernels = apli_kernels()->vector_product;
    const int64_t words = product->left->words_per_row, length = product->length;
    const uint64_t last = length & 63 ? (UINT64_C(1) << (length & 63)) - 1 : UINT64_MAX;
    int64_t block[BLOCK];
    for (int64_t row = first; row < first + row_count; row++) {
        for (int64_t column = 0; column < product->columns; column += BLOCK) {
            const int64_t part = product->columns - column < BLOCK ? product->columns - column : BLOCK;
            const int64_t at = row * product->columns + column;
            int64_t *ones = product->f == APLI_OP_ADD ? apli_integer_data(product->product) + at : block;
            kernels->ones(product->g, product->left->words + row * words, product->right->words + column * words, words, last,
                          part, ones);
            for (int64_t i = 0; i < part && product->f != APLI_OP_ADD; i++) {
                const int64_t zeros = length - ones[i];
                const bool value = product->f == APLI_OP_AND     ? zeros == 0
                                   : product->f == APLI_OP_OR    ? ones[i] > 0
                                   : product->f == APLI_OP_EQUAL ? (zeros & 1) == 0
                                                                 : ones[i] & 1;
                apli_bit_set(product->product->data, at + i, value);
            }
        }
    }
}

AplErr apli_product_of_bits(AplScalarOp f, AplScalarOp g, const AplArray *left, const AplArray *right,
                            int64_t length, int rank, const int64_t *shape, AplArray **result, bool *done) {
    if (f == APLI_OP_MINIMUM || f == APLI_OP_MULTIPLY) f = APLI_OP_AND;
    if (f == APLI_OP_MAXIMUM) f = APLI_OP_OR;
    *done = counts(g) && (f == APLI_OP_ADD || f == APLI_OP_AND || f == APLI_OP_OR || f == APLI_OP_EQUAL ||
                          f == APLI_OP_NOT_EQUAL);
    if (!*done) return APL_OK;
    const int64_t rows = left->count / length, columns = right->count / length;
    BitRows a = {0}, b = {0};
    APLI_AUTO AplArray *product = NULL, *turned = NULL;
    TRY(apli_vector_new(APLI_BOOL, right->count, &turned));
    apli_bits_transpose(turned->data, right->data, length, columns);
    AplErr error = apli_array_new(f == APLI_OP_ADD ? APLI_I64 : APLI_BOOL, rank, shape, &product);
    if (!error) error = rows_new(rows, length, &a);
    if (!error) error = rows_new(columns, length, &b);
    if (!error) {
        take_rows(left, rows, length, &a);
        take_rows(turned, columns, length, &b);
        /* eights of rows, whose results begin on a byte */
        const int64_t eights = SHARED_WORDS / (8 * columns * a.words_per_row);
        apli_in_parts(rows, 8 * (eights < 1 ? 1 : eights), multiply_rows,
                      &(Product){f, g, &a, &b, length, columns, product});
    }
    free(a.words);
    free(b.words);
    TRY(error);
    TRY(apli_squeeze(&product));
    *result = apli_move(&product);
    return APL_OK;
}
