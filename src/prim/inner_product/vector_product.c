/* M+.×V: each row is read once, as it lies, and multiplied with the vector. */
#include "prim/inner_product/vector_product.h"

#include "prim/inner_product/vector_product_kernels.h"
#include "prim/structure.h"

enum { PART = 1 << 16 }; /* elements of the rows that one thread takes at a time */

typedef struct Product {
    AplType type;
    const uint8_t *left, *right;
    int64_t length;
    int spare_bits; /* that magnitudes of `left` may have, so that 64 bits hold the sums */
    AplArray *sums;
    bool too_large;
} Product;

static void multiply_rows(void *context, int64_t first, int64_t count) {
    Product *product = context;
    const AplVectorProductKernels *kernels = apli_kernels()->vector_product;
    const int64_t length = product->length;
    for (int64_t row = first; row < first + count; row++) {
        const void *a = product->left + apli_type_bytes(product->type, row * length), *b = product->right;
        uint32_t bits;
        switch (product->type) {
        case APLI_I8: apli_integer_data(product->sums)[row] = kernels->dot_i8(a, b, length); break;
        case APLI_I16: apli_integer_data(product->sums)[row] = kernels->dot_i16(a, b, length); break;
        case APLI_I32:
            apli_integer_data(product->sums)[row] = kernels->dot_i32(a, b, length, &bits);
            if (bits >> product->spare_bits) __atomic_store_n(&product->too_large, true, __ATOMIC_RELAXED);
            break;
        default: ((double *)product->sums->data)[row] = kernels->dot_f64(a, b, length); break;
        }
    }
}

/* Bits that the magnitudes of a vector have, at most 32. */
static int magnitude_bits(const int32_t *values, int64_t count) {
    uint32_t all = 1;
    for (int64_t i = 0; i < count; i++) all |= (uint32_t)(values[i] ^ values[i] >> 31);
    return 32 - __builtin_clz(all) + 1; /* -2^n has a magnitude of n+1 bits */
}

AplErr apli_vector_product(AplArray *left, AplArray *right, int64_t rows, int64_t length, int rank, const int64_t *shape,
                           AplArray **result, bool *done) {
    APLI_AUTO AplArray *a = NULL, *b = NULL, *sums = NULL;
    AplType type = apli_type_join((AplType)left->type, (AplType)right->type);
    *done = false;
    if (type == APLI_BOOL) type = APLI_I8;
    if (type != APLI_F64 && type > APLI_I32) return APL_OK;
    if (type <= APLI_I16 && length >= INT64_C(1) << 32) return APL_OK;
    TRY(apli_convert(left, type, &a));
    TRY(apli_convert(right, type, &b));
    Product product = {.type = type, .left = a->data, .right = b->data, .length = length};
    if (type == APLI_I32) { /* spare + 1 + those of right + those of the length make 63 */
        const int used = magnitude_bits((const int32_t *)b->data, length) + 64 - __builtin_clzll((uint64_t)length);
        product.spare_bits = used > 61 ? 0 : 62 - used < 31 ? 62 - used : 31;
    }
    TRY(apli_array_new(type == APLI_F64 ? APLI_F64 : APLI_I64, rank, shape, &sums));
    product.sums = sums;
    const int64_t part = PART / length;
    apli_in_parts(rows, part < 1 ? 1 : part, multiply_rows, &product);
    if (product.too_large) return APL_OK;
    if (type != APLI_F64) TRY(apli_squeeze(&sums));
    *done = true;
    *result = apli_move(&sums);
    return APL_OK;
}
