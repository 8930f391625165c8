/* One element of the left argument is compared with all of the right at a time, in their own type. A tolerant comparison
   becomes an exact one: the numbers that equal a given one within ⎕CT are those of a range, whose ends are found once. Of two
   Booleans a row is one of four: zeros, ones, the right argument, its opposite. */
#include "prim/outer_product/compare.h"

#include "prim/outer_product/outer_product_kernels.h"
#include "prim/structure.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { SEGMENT = 4096, PART = 1 << 16 }; /* elements compared before their bits are moved; and of a thread's part */

typedef struct Table {
    AplScalarOp op;
    AplType type;
    double tolerance; /* 0 where equality is exact */
    const uint8_t *left, *right;
    const AplArray *row[2]; /* of bits: the row for 0 and for 1 */
    int64_t columns;
    uint8_t *to;
} Table;

/* ---- ranges ------------------------------------------------------------------------------------------------------------ */

static double next_up(double positive) {
    uint64_t bits;
    memcpy(&bits, &positive, 8);
    bits++;
    memcpy(&positive, &bits, 8);
    return positive;
}

static double next_down(double positive) {
    uint64_t bits;
    memcpy(&bits, &positive, 8);
    bits--;
    memcpy(&positive, &bits, 8);
    return positive;
}

/* The least and the largest number that apli_tolerant_equal takes for `a`: near a÷1+⎕CT and a÷1-⎕CT, from where a few steps
   lead to the ends. */
static void equal_range(double a, double tolerance, double *low, double *high) {
    const double size = fabs(a);
    *low = *high = a;
    if (tolerance == 0 || size == 0 || !(size <= DBL_MAX)) return;
    double most = size / (1 - tolerance), least = size * (1 - tolerance);
    if (most > DBL_MAX) most = DBL_MAX;
    while (most > size && !apli_tolerant_equal(size, most, tolerance)) most = next_down(most);
    while (most < DBL_MAX && apli_tolerant_equal(size, next_up(most), tolerance)) most = next_up(most);
    while (least < size && !apli_tolerant_equal(size, least, tolerance)) least = next_up(least);
    while (least > 0 && apli_tolerant_equal(size, next_down(least), tolerance)) least = next_down(least);
    *low = a < 0 ? -most : least;
    *high = a < 0 ? -least : most;
}

/* What a∘.op asks of the elements on its right. */
static AplCompareForm form_of(AplScalarOp op, bool exact) {
    switch (op) {
    case APLI_OP_EQUAL: return exact ? APLI_COMPARE_SAME : APLI_COMPARE_WITHIN;
    case APLI_OP_NOT_EQUAL: return exact ? APLI_COMPARE_DIFFERENT : APLI_COMPARE_OUTSIDE;
    case APLI_OP_LESS: return APLI_COMPARE_ABOVE;
    case APLI_OP_LESS_EQUAL: return APLI_COMPARE_FROM;
    case APLI_OP_GREATER: return APLI_COMPARE_BELOW;
    case APLI_OP_GREATER_EQUAL: return APLI_COMPARE_TO;
    default: return APLI_COMPARE_FORMS;
    }
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

static void bit_rows(void *context, int64_t first, int64_t count) {
    const Table *table = context;
    for (int64_t row = first; row < first + count; row++)
        apli_bits_copy(table->to, row * table->columns, table->row[apli_bit_get(table->left, row)]->data, 0,
                       table->columns);
}

static void compared_rows(void *context, int64_t first, int64_t count) {
    const Table *table = context;
    const size_t size = apli_type_bytes(table->type, 1);
    const bool exact = table->type != APLI_F64 || table->tolerance == 0;
    AplCompare *compare =
        apli_kernels()->outer_product->compare[table->type][form_of(table->op, exact)];
    for (int64_t row = first; row < first + count; row++) {
        const void *low = table->left + (size_t)row * size, *high = low;
        double least, most;
        if (!exact) {
            memcpy(&least, low, sizeof least);
            equal_range(least, table->tolerance, &least, &most);
            low = &least;
            high = &most;
        }
        for (int64_t column = 0; column < table->columns; column += SEGMENT) {
            const int64_t part = table->columns - column < SEGMENT ? table->columns - column : SEGMENT;
            const int64_t at = row * table->columns + column;
            uint8_t bits[SEGMENT / 8];
            compare(bits, table->right + (size_t)column * size, part, low, high);
            apli_bits_copy(table->to, at, bits, 0, part);
        }
    }
}

/* Parts of whole rows that begin with a byte of the result, so that threads do not meet in one. */
static void fill(Table *table, int64_t rows, AplPartRun *run) {
    const int64_t eights = PART / (8 * table->columns);
    apli_in_parts(rows, 8 * (eights < 1 ? 1 : eights), run, table);
}

/* ---- the table ------------------------------------------------------------------------------------------------------------ */

static AplErr table_of_bits(Table *table, const AplArray *left, AplArray *right, int rank, const int64_t *shape,
                            AplArray **result) {
    APLI_AUTO AplArray *zero = NULL, *one = NULL, *made = NULL;
    AplScalarKernel *kernel = apli_scalar_kernels()->op[table->op][APLI_LANE_BITS];
    AplArray **rows[] = {&zero, &one};
    for (int bit = 0; bit < 2; bit++) {
        const uint64_t none = 0, all = UINT64_MAX, element = bit ? all : none;
        uint64_t for_none, for_all;
        kernel(&for_none, &element, &none, 64, 0);
        kernel(&for_all, &element, &all, 64, 0);
        if ((for_none & 1) == 0 && (for_all & 1)) {
            *rows[bit] = apli_array_retain(right);
        } else {
            TRY(apli_vector_new(APLI_BOOL, right->count, rows[bit]));
            const size_t bytes = apli_type_bytes(APLI_BOOL, right->count);
            for (size_t i = 0; i < bytes; i++)
                (*rows[bit])->data[i] = (uint8_t)((right->data[i] & for_all) | (~right->data[i] & for_none));
        }
        table->row[bit] = *rows[bit];
    }
    TRY(apli_array_new(APLI_BOOL, rank, shape, &made));
    table->to = made->data;
    fill(table, left->count, bit_rows);
    *result = apli_move(&made);
    return APL_OK;
}

/* The type in which elements are compared; APLI_NESTED for the general way. */
static AplType compared_type(const AplEnv *env, AplScalarOp op, const AplArray *left, const AplArray *right) {
    const AplType a = (AplType)left->type, b = (AplType)right->type, joined = apli_type_join(a, b);
    if (form_of(op, true) == APLI_COMPARE_FORMS) return APLI_NESTED;
    if (apli_type_is_character(a) && apli_type_is_character(b))
        return op == APLI_OP_EQUAL || op == APLI_OP_NOT_EQUAL ? joined : APLI_NESTED;
    if (!apli_type_is_number(a) || !apli_type_is_number(b)) return APLI_NESTED;
    if (apli_type_is_integer(joined)) return joined;
    const AplScalarPlan plan = apli_scalar_plan(op, a, left->weak, b, right->weak, false);
    if (plan.lane == APLI_LANE_DOUBLE) return APLI_F64;
    /* two different f32 differ by more than 2^-25 of the larger */
    return !plan.narrow && env->comparison_tolerance < 0x1p-25 ? APLI_F32 : APLI_NESTED;
}

AplErr apli_compare_table(AplEnv *env, AplScalarOp op, AplArray *left, AplArray *right, int rank, const int64_t *shape,
                          AplArray **result, bool *done) {
    Table table = {.op = op, .columns = right->count, .left = left->data};
    *done = left->type == APLI_BOOL && right->type == APLI_BOOL && apli_scalar_kernels()->op[op][APLI_LANE_BITS];
    if (*done) return table_of_bits(&table, left, right, rank, shape, result);
    table.type = compared_type(env, op, left, right);
    if (table.type == APLI_NESTED) return APL_OK;
    APLI_AUTO AplArray *a = NULL, *b = NULL, *made = NULL;
    TRY(apli_convert(left, table.type, &a));
    TRY(apli_convert(right, table.type, &b));
    table.tolerance = env->comparison_tolerance;
    table.left = a->data;
    table.right = b->data;
    for (int64_t i = 0; table.type == APLI_F64 && i < a->count; i++)
        if (isnan(((const double *)a->data)[i])) return APL_OK; /* no range has it */
    static const AplType signed_type[] = {[APLI_CHAR8] = APLI_I8, [APLI_CHAR16] = APLI_I16, [APLI_CHAR32] = APLI_I32};
    if (apli_type_is_character(table.type)) table.type = signed_type[table.type]; /* equal or not, with any sign */
    TRY(apli_array_new(APLI_BOOL, rank, shape, &made));
    table.to = made->data;
    fill(&table, a->count, compared_rows);
    *done = true;
    *result = apli_move(&made);
    return APL_OK;
}
