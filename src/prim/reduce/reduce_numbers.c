/* Loops for + × ⌈ ⌊ along an axis of numbers, for these and ∧ ∨ = ≠ of Booleans, and for others along the
   last axis.

   The order of a sum is fixed: it depends on the shape and the axis alone. Along the last axis, element i of
   a row goes to lane i mod 16; lanes are added as a tree, 8 apart, then 4, 2, 1. Along other axes a sum runs
   from the last cell to the first. Reals are summed and multiplied in f64, integers exactly, in f64 where 64
   bits do not hold the result. */
#include "prim/reduce/reduce.h"
#include "prim/reduce/reduce_kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 1024, LANES = 16 };

int64_t apli_bits_count_from(const uint8_t *bits, int64_t from, int64_t count) {
    int64_t total = 0;
    for (; count > 0 && (from & 7); from++, count--) total += apli_bit_get(bits, from);
    return total + apli_bits_count(bits + (from >> 3), count);
}

/* ---- Booleans along the last axis ---------------------------------------------------------------------- */

/* Whether one of `length` bits is as `wanted`. */
static bool deciding_bit(const uint8_t *bits, int64_t from, int64_t length, bool wanted) {
    int64_t equal = 0;
    if ((from & 7) == 0)
        equal = 64 * apli_kernels()->reduce->equal_words(bits + from / 8, length / 64, wanted ? 0 : UINT64_MAX);
    return apli_bits_before(bits, from + equal, length - equal, wanted) < length - equal;
}

static AplErr reduce_bits(AplScalarOp op, const AplArray *right, AplArray **result, bool *done) {
    int64_t length = apli_last_axis(right), rows = right->count / length;
    if (op == APLI_OP_MULTIPLY || op == APLI_OP_MINIMUM) op = APLI_OP_AND;
    if (op == APLI_OP_MAXIMUM) op = APLI_OP_OR;
    *done = op == APLI_OP_ADD || op == APLI_OP_AND || op == APLI_OP_OR || op == APLI_OP_EQUAL ||
            op == APLI_OP_NOT_EQUAL;
    if (!*done) return APL_OK;
    APLI_AUTO AplArray *reduced = NULL;
    TRY(apli_array_new(op == APLI_OP_ADD ? APLI_I64 : APLI_BOOL, right->rank - 1, right->shape, &reduced));
    for (int64_t row = 0; row < rows; row++) {
        if (op == APLI_OP_AND || op == APLI_OP_OR) { /* one bit decides */
            bool decided = deciding_bit(right->data, row * length, length, op == APLI_OP_OR);
            apli_bit_set(reduced->data, row, decided == (op == APLI_OP_OR));
            continue;
        }
        int64_t ones = apli_bits_count_from(right->data, row * length, length);
        switch (op) {
        case APLI_OP_ADD: apli_integer_data(reduced)[row] = ones; break;
        case APLI_OP_EQUAL: apli_bit_set(reduced->data, row, ((length - ones) & 1) == 0); break;
        default: apli_bit_set(reduced->data, row, ones & 1); break;
        }
    }
    TRY(apli_squeeze(&reduced));
    *result = apli_move(&reduced);
    return APL_OK;
}

/* ---- one row ------------------------------------------------------------------------------------------- */

#define FOLD(OP, EXPRESSION) \
    case OP: \
        for (; i + LANES <= count; i += LANES) { \
            _Pragma("omp simd") for (int lane = 0; lane < LANES; lane++) { \
                const double a = lanes[lane], b = values[i + lane]; \
                lanes[lane] = (EXPRESSION); \
            } \
        } \
        for (; i < count; i++) { \
            const double a = lanes[i % LANES], b = values[i]; \
            lanes[i % LANES] = (EXPRESSION); \
        } \
        break;

/* count is a multiple of LANES but in a row's last block. */
static void fold_doubles(AplScalarOp op, double *lanes, const double *values, int64_t count) {
    int64_t i = 0;
    switch (op) {
        FOLD(APLI_OP_ADD, a + b)
        FOLD(APLI_OP_MULTIPLY, a * b)
        FOLD(APLI_OP_MAXIMUM, b > a ? b : a)
        FOLD(APLI_OP_MINIMUM, b < a ? b : a)
    default: break;
    }
}

static double fold_lanes(AplScalarOp op, double *lanes) {
    for (int apart = LANES / 2; apart; apart /= 2) {
        for (int i = 0; i < apart; i++) {
            double a = lanes[i], b = lanes[i + apart];
            lanes[i] = op == APLI_OP_ADD        ? a + b
                       : op == APLI_OP_MULTIPLY ? a * b
                       : op == APLI_OP_MAXIMUM  ? (b > a ? b : a)
                                                : (b < a ? b : a);
        }
    }
    return lanes[0];
}

static double reduce_row(AplScalarOp op, const AplArray *right, int64_t from, int64_t length) {
    double lanes[LANES], block[BLOCK];
    double neutral = op == APLI_OP_ADD        ? 0
                     : op == APLI_OP_MULTIPLY ? 1
                     : op == APLI_OP_MAXIMUM  ? -INFINITY
                                              : INFINITY;
    for (int i = 0; i < LANES; i++) lanes[i] = neutral;
    AplType type = (AplType)right->type;
    AplScalarMove *load = apli_scalar_kernels()->load[type][APLI_LANE_DOUBLE];
    for (int64_t done = 0; done < length; done += BLOCK) {
        int64_t part = length - done < BLOCK ? length - done : BLOCK;
        const uint8_t *values = right->data + apli_type_bytes(type, from + done);
        if (type == APLI_F64) {
            fold_doubles(op, lanes, (const double *)values, part);
        } else {
            load(block, values, part);
            fold_doubles(op, lanes, block, part);
        }
    }
    return fold_lanes(op, lanes);
}

#define FOLD_INTEGERS(OP, STATEMENT) \
    case OP: \
        for (int64_t i = 0; i < count; i++) { \
            const int64_t b = values[i]; \
            STATEMENT; \
        } \
        break;

/* True when 64 bits do not hold the result. */
static bool fold_integers(AplScalarOp op, int64_t *so_far, const int64_t *values, int64_t count) {
    int64_t a = *so_far;
    bool overflow = false;
    switch (op) {
        FOLD_INTEGERS(APLI_OP_ADD, overflow |= __builtin_add_overflow(a, b, &a))
        FOLD_INTEGERS(APLI_OP_MULTIPLY, overflow |= __builtin_mul_overflow(a, b, &a))
        FOLD_INTEGERS(APLI_OP_MAXIMUM, a = b > a ? b : a)
        FOLD_INTEGERS(APLI_OP_MINIMUM, a = b < a ? b : a)
    default: break;
    }
    *so_far = a;
    return overflow;
}

static bool reduce_integer_row(AplScalarOp op, const AplArray *right, int64_t from, int64_t length,
                               int64_t *result) {
    int64_t block[BLOCK];
    *result = op == APLI_OP_ADD        ? 0
              : op == APLI_OP_MULTIPLY ? 1
              : op == APLI_OP_MAXIMUM  ? INT64_MIN
                                       : INT64_MAX;
    AplType type = (AplType)right->type;
    if (op == APLI_OP_ADD && type <= APLI_I32) { /* 2^31 numbers of 32 bits fit in 64 */
        const int64_t at_once = INT64_C(1) << 31;
        bool overflow = false;
        for (int64_t done = 0; done < length; done += at_once) {
            int64_t part = length - done < at_once ? length - done : at_once;
            int64_t sum = apli_kernels()->reduce->sum[type](right->data + apli_type_bytes(type, from + done), part);
            overflow |= __builtin_add_overflow(*result, sum, result);
        }
        return overflow;
    }
    AplScalarMove *load = apli_scalar_kernels()->load[type][APLI_LANE_INTEGER];
    for (int64_t done = 0; done < length; done += BLOCK) {
        int64_t part = length - done < BLOCK ? length - done : BLOCK;
        load(block, right->data + apli_type_bytes(type, from + done), part);
        if (fold_integers(op, result, block, part)) return true;
    }
    return false;
}

/* Any function whose result is of the type it was computed in, from right to left as the definition says;
   what the kernels say is wrong, and infinities on the way in f64. The rows are f32, f64 or integers (Booleans
   as int8). */
static int fold_rows(AplEnv *env, AplScalarOp op, AplLane lane, const AplArray *right, AplAround around,
                     uint8_t *to) {
    const AplScalarKernels *kernels = apli_scalar_kernels();
    AplScalarKernel *kernel = kernels->op[op][lane];
    AplScalarMove *load = kernels->load[right->type][lane];
    size_t size = lane == APLI_LANE_SINGLE ? 4 : 8;
    uint64_t block[BLOCK];
    int status = 0;
    bool divisors = op == APLI_OP_OR && lane == APLI_LANE_INTEGER && right->type <= APLI_I32;
    for (int64_t row = 0; row < around.outer && !status; row++, to += size) {
        if (divisors) { /* in any order */
            const void *values = right->data + apli_type_bytes((AplType)right->type, row * around.length);
            *(int64_t *)to = apli_kernels()->reduce->divisor[right->type](values, around.length, 0);
            continue;
        }
        for (int64_t end = around.length; end > 0; end -= BLOCK) {
            int64_t start = end > BLOCK ? end - BLOCK : 0, i = end - start;
            load(block, right->data + apli_type_bytes((AplType)right->type, row * around.length + start), i);
            if (end == around.length) memcpy(to, (uint8_t *)block + (size_t)--i * size, size);
            while (i-- > 0) {
                status |= kernel(to, (uint8_t *)block + (size_t)i * size, to, 1, env->comparison_tolerance);
                if (lane == APLI_LANE_DOUBLE) status |= !isfinite(*(const double *)to);
            }
        }
    }
    return status;
}

/* ---- other axes: cell after cell, from the last to the first ------------------------------------------- */

/* Folds right's cells into so_far (outer × inner elements of a lane); what the kernels say. */
static int fold_cells(AplScalarOp op, AplLane lane, const AplArray *right, AplAround around,
                      uint8_t *so_far) {
    const AplScalarKernels *kernels = apli_scalar_kernels();
    AplType type = (AplType)right->type;
    uint64_t block[BLOCK];
    int status = 0;
    for (int64_t outer = 0; outer < around.outer; outer++) {
        for (int64_t start = 0; start < around.inner; start += BLOCK) {
            int64_t part = around.inner - start < BLOCK ? around.inner - start : BLOCK;
            uint8_t *to = so_far + (outer * around.inner + start) * 8;
            for (int64_t i = around.length - 1; i >= 0; i--) {
                int64_t from = (outer * around.length + i) * around.inner + start;
                void *cell = i == around.length - 1 ? (void *)to : block;
                kernels->load[type][lane](cell, right->data + apli_type_bytes(type, from), part);
                if (cell != to) status |= kernels->op[op][lane](to, block, to, part, 0);
            }
        }
    }
    return status;
}

static void shape_without(const AplArray *array, int axis, int64_t *shape) {
    memcpy(shape, array->shape, (size_t)axis * sizeof *shape);
    memcpy(shape + axis, array->shape + axis + 1, (size_t)(array->rank - 1 - axis) * sizeof *shape);
}

/* ---- results ------------------------------------------------------------------------------------------- */

static AplErr check_finite(const AplArray *right, const AplArray *reduced) {
    for (int64_t i = 0; i < reduced->count; i++) {
        if (isfinite(((const double *)reduced->data)[i])) continue;
        for (int64_t j = 0; j < right->count; j++)
            if (!isfinite(apli_f64_at(right, j))) return APL_OK;
        FAIL_IF(true, APL_DOMAIN, "the reduction's result is too large");
    }
    return APL_OK;
}

static AplErr reduce_lane(AplScalarOp op, AplLane lane, AplArray *right, int axis, AplArray **result,
                          bool *overflow) {
    APLI_AUTO AplArray *reduced = NULL;
    AplAround around = apli_around(right, axis);
    int64_t shape[APLI_MAX_RANK];
    shape_without(right, axis, shape);
    TRY(apli_array_new(lane == APLI_LANE_INTEGER ? APLI_I64 : APLI_F64, right->rank - 1, shape, &reduced));
    *overflow = false;
    if (around.inner > 1) {
        *overflow = fold_cells(op, lane, right, around, reduced->data) != 0;
    } else if (lane == APLI_LANE_INTEGER) {
        for (int64_t row = 0; row < around.outer && !*overflow; row++)
            *overflow = reduce_integer_row(op, right, row * around.length, around.length,
                                           &apli_integer_data(reduced)[row]);
    } else {
        for (int64_t row = 0; row < around.outer; row++)
            ((double *)reduced->data)[row] = reduce_row(op, right, row * around.length, around.length);
    }
    if (*overflow) return APL_OK;
    if (lane == APLI_LANE_INTEGER) {
        TRY(apli_squeeze(&reduced));
    } else if (apli_type_is_real((AplType)right->type) && right->type != APLI_F64) {
        AplArray *narrow;
        TRY(apli_array_new_like((AplType)right->type, reduced, &narrow));
        apli_elem_convert((AplType)right->type, narrow->data, 0, APLI_F64, reduced->data, 0, reduced->count);
        apli_array_release(reduced);
        reduced = narrow;
    } else {
        TRY(check_finite(right, reduced));
        reduced->weak = right->weak || apli_type_is_integer((AplType)right->type);
    }
    *result = apli_move(&reduced);
    return APL_OK;
}

/* Rows of a function that does not associate. *done is false where the general way must decide. */
static AplErr reduce_rows(AplEnv *env, AplScalarOp op, AplArray *right, int axis, AplArray **result,
                          bool *done) {
    AplType type = (AplType)right->type;
    APLI_AUTO AplArray *bytes = NULL, *reduced = NULL;
    *done = false;
    if (apli_scalar_results[op] != APLI_RESULT_SAME || type == APLI_F16 || type == APLI_BF16) return APL_OK;
    AplLane lane = apli_lane(type == APLI_BOOL ? APLI_I8 : type);
    if (lane == APLI_LANE_INTEGER && !apli_scalar_kernels()->op[op][lane]) lane = APLI_LANE_DOUBLE;
    static const AplType types[] = {APLI_BOOL, APLI_I64, APLI_F32, APLI_F64};
    TRY(apli_convert(right, type == APLI_BOOL ? APLI_I8 : type, &bytes));
    int64_t shape[APLI_MAX_RANK];
    shape_without(right, axis, shape);
    TRY(apli_array_new(types[lane], right->rank - 1, shape, &reduced));
    if (fold_rows(env, op, lane, bytes, apli_around(right, axis), reduced->data)) return APL_OK;
    for (int64_t i = 0; i < reduced->count && lane == APLI_LANE_DOUBLE; i++)
        if (!isfinite(((double *)reduced->data)[i])) return APL_OK;
    reduced->weak = lane == APLI_LANE_DOUBLE && (right->weak || apli_type_is_integer(type));
    TRY(apli_squeeze(&reduced));
    *done = true;
    *result = apli_move(&reduced);
    return APL_OK;
}

AplErr apli_reduce_numbers(AplEnv *env, AplScalarOp op, AplArray *right, int axis, AplArray **result,
                           bool *done) {
    *done = false;
    TRY(apli_check(env));
    if (op == APLI_OP_NONE || right->count == 0) return APL_OK;
    bool rows = apli_product(right->shape + axis + 1, right->rank - 1 - axis) == 1;
    if (right->type == APLI_BOOL && rows) {
        APLI_AUTO AplArray *table = NULL;
        int64_t shape[APLI_MAX_RANK];
        memcpy(shape, right->shape,
               (size_t)(axis + 1) * sizeof *shape); /* the axes after it have one element */
        TRY(apli_reshape_view(right, axis + 1, shape, &table));
        APLI_AUTO AplArray *reduced = NULL;
        TRY(reduce_bits(op, table, &reduced, done));
        if (!*done) return APL_OK;
        memcpy(shape + axis, right->shape + axis + 1, (size_t)(right->rank - 1 - axis) * sizeof *shape);
        return apli_reshape_view(reduced, right->rank - 1, shape, result);
    }
    if (right->type == APLI_BOOL && op == APLI_OP_AND) op = APLI_OP_MINIMUM;
    if (right->type == APLI_BOOL && op == APLI_OP_OR) op = APLI_OP_MAXIMUM;
    if (op != APLI_OP_ADD && op != APLI_OP_MULTIPLY && op != APLI_OP_MAXIMUM && op != APLI_OP_MINIMUM)
        return rows ? reduce_rows(env, op, right, axis, result, done) : APL_OK;
    *done = true;
    bool overflow = false;
    APLI_AUTO AplArray *bytes = NULL;
    if (right->type == APLI_BOOL) { /* cells of Booleans begin between bytes */
        TRY(apli_convert(right, APLI_I8, &bytes));
        right = bytes;
    }
    if (apli_type_is_integer((AplType)right->type)) {
        TRY(reduce_lane(op, APLI_LANE_INTEGER, right, axis, result, &overflow));
        if (!overflow) return APL_OK;
    }
    return reduce_lane(op, APLI_LANE_DOUBLE, right, axis, result, &overflow);
}
