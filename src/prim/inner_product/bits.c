/* f.g of Booleans: rows of the left and columns of the right argument as whole words, g on 64 bits at once, f
   by counting. A+.=B is XNOR and popcount: the binary matrix product. */
#include "prim/inner_product/inner_product.h"

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

/* Columns, word by word: 64 rows of one column are one word. */
static void take_columns(const AplArray *bits, int64_t length, int64_t columns, BitRows *to) {
    for (int64_t row = 0; row < length; row++)
        for (int64_t column = 0; column < columns; column++)
            if (apli_bit_get(bits->data, row * columns + column))
                to->words[column * to->words_per_row + (row >> 6)] |= UINT64_C(1) << (row & 63);
}

#define COUNT(OP, EXPRESSION) \
    case OP: \
        for (int64_t i = 0; i < words; i++) { \
            const uint64_t a = x[i], b = y[i]; \
            uint64_t r = (EXPRESSION); \
            if (i == words - 1) r &= last; \
            ones += __builtin_popcountll(r); \
        } \
        break;

/* Ones of g between two rows of bits, of which the last word has `last`. */
static int64_t count(AplScalarOp g, const uint64_t *x, const uint64_t *y, int64_t words, uint64_t last) {
    int64_t ones = 0;
    switch (g) {
    case APLI_OP_MULTIPLY:
    case APLI_OP_MINIMUM: COUNT(APLI_OP_AND, a & b)
    case APLI_OP_MAXIMUM: COUNT(APLI_OP_OR, a | b)
    case APLI_OP_RESIDUE:
        COUNT(APLI_OP_LESS, ~a & b)
        COUNT(APLI_OP_LESS_EQUAL, ~a | b)
        COUNT(APLI_OP_EQUAL, ~(a ^ b))
        COUNT(APLI_OP_GREATER_EQUAL, a | ~b)
        COUNT(APLI_OP_GREATER, a & ~b)
        COUNT(APLI_OP_NOT_EQUAL, a ^ b)
        COUNT(APLI_OP_NAND, ~(a & b))
        COUNT(APLI_OP_NOR, ~(a | b))
    default: break;
    }
    return ones;
}

static bool counts(AplScalarOp g) {
    return g != APLI_OP_NONE && apli_scalar_kernels()->op[g][APLI_LANE_BITS];
}

AplErr apli_product_of_bits(AplScalarOp f, AplScalarOp g, const AplArray *left, const AplArray *right,
                            int64_t length, int rank, const int64_t *shape, AplArray **result, bool *done) {
    if (f == APLI_OP_MINIMUM || f == APLI_OP_MULTIPLY) f = APLI_OP_AND;
    if (f == APLI_OP_MAXIMUM) f = APLI_OP_OR;
    *done = counts(g) && (f == APLI_OP_ADD || f == APLI_OP_AND || f == APLI_OP_OR || f == APLI_OP_EQUAL ||
                          f == APLI_OP_NOT_EQUAL);
    if (!*done) return APL_OK;
    int64_t rows = left->count / length, columns = right->count / length;
    BitRows a = {0}, b = {0};
    APLI_AUTO AplArray *product = NULL;
    AplErr error = apli_array_new(f == APLI_OP_ADD ? APLI_I64 : APLI_BOOL, rank, shape, &product);
    if (!error) error = rows_new(rows, length, &a);
    if (!error) error = rows_new(columns, length, &b);
    if (!error) {
        take_rows(left, rows, length, &a);
        take_columns(right, length, columns, &b);
        int64_t words = a.words_per_row;
        uint64_t last = length & 63 ? (UINT64_C(1) << (length & 63)) - 1 : UINT64_MAX;
        for (int64_t i = 0; i < rows * columns; i++) {
            int64_t ones =
                count(g, a.words + i / columns * words, b.words + i % columns * words, words, last);
            switch (f) {
            case APLI_OP_ADD: apli_integer_data(product)[i] = ones; break;
            case APLI_OP_AND: apli_bit_set(product->data, i, ones == length); break;
            case APLI_OP_OR: apli_bit_set(product->data, i, ones > 0); break;
            case APLI_OP_EQUAL: apli_bit_set(product->data, i, ((length - ones) & 1) == 0); break;
            default: apli_bit_set(product->data, i, ones & 1); break;
            }
        }
    }
    free(a.words);
    free(b.words);
    TRY(error);
    TRY(apli_squeeze(&product));
    *result = apli_move(&product);
    return APL_OK;
}
