/* f\ and f⍀: item i of a scan is f/ of the first i items. An associative function goes forward once, and so
   does -, whose reduction adds and subtracts by turns; any other function folds each beginning anew, as its
   definition says. */
#include "prim/reduce/reduce.h"

#include <math.h>
#include <string.h>

enum { BLOCK = 1024 };

/* ---- Booleans along the last axis ---------------------------------------------------------------------- */

/* The first 1 (or 0) of a row, or its length. */
static int64_t first_of(const uint8_t *bits, int64_t from, int64_t length, bool wanted) {
    int64_t i = 0;
    for (; i < length && ((from + i) & 7); i++)
        if (apli_bit_get(bits, from + i) == wanted) return i;
    for (; i + 8 <= length && bits[(from + i) >> 3] == (wanted ? 0 : 0xFF); i += 8) {}
    for (; i < length; i++)
        if (apli_bit_get(bits, from + i) == wanted) return i;
    return length;
}

static AplErr scan_bits(AplScalarOp op, const AplArray *right, AplArray **result, bool *done) {
    *done = op == APLI_OP_AND || op == APLI_OP_OR || op == APLI_OP_LESS || op == APLI_OP_NOT_EQUAL ||
            op == APLI_OP_EQUAL;
    if (!*done) return APL_OK;
    TRY(apli_array_new_like(APLI_BOOL, right, result));
    uint8_t *to = (*result)->data;
    int64_t length = apli_last_axis(right), rows = right->count / length;
    for (int64_t row = 0; row < rows; row++) {
        int64_t from = row * length;
        bool parity = op == APLI_OP_EQUAL;
        int64_t first = op == APLI_OP_AND || op == APLI_OP_OR || op == APLI_OP_LESS
                            ? first_of(right->data, from, length, op != APLI_OP_AND)
                            : 0;
        for (int64_t i = 0; i < length; i++) {
            bool value;
            switch (op) {
            case APLI_OP_AND: value = i < first; break;
            case APLI_OP_OR: value = i >= first; break;
            case APLI_OP_LESS: value = i == first; break;
            case APLI_OP_NOT_EQUAL: value = parity ^= apli_bit_get(right->data, from + i); break;
            default: value = parity = parity == apli_bit_get(right->data, from + i); break;
            }
            apli_bit_set(to, from + i, value);
        }
    }
    return APL_OK;
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

/* Cell i becomes cell i-1 op cell i, one after another; what the kernels say. `op` may alternate with
   `other`. */
static int forward(AplEnv *env, AplScalarOp op, AplScalarOp other, AplLane lane, AplAround around,
                   uint8_t *values) {
    const AplScalarKernels *kernels = apli_scalar_kernels();
    int status = 0;
    for (int64_t outer = 0; outer < around.outer; outer++) {
        for (int64_t i = 1; i < around.length; i++) {
            uint8_t *cell = values + (outer * around.length + i) * around.inner * 8;
            AplScalarOp now = i & 1 ? op : other;
            status |= kernels->op[now][lane](cell, cell - around.inner * 8, cell, around.inner,
                                             env->comparison_tolerance);
        }
    }
    return status;
}

/* The same for one row of numbers, + × ⌈ ⌊ without a call for each. */
#define RUN(OP, TYPE, STATEMENT) \
    case OP: \
        for (int64_t i = 1; i < length; i++) { \
            const TYPE a = row[i - 1], b = row[i]; \
            STATEMENT; \
        } \
        break;
static int forward_integers(AplScalarOp op, int64_t *row, int64_t length) {
    bool overflow = false;
    switch (op) {
        RUN(APLI_OP_ADD, int64_t, overflow |= __builtin_add_overflow(a, b, &row[i]))
        RUN(APLI_OP_MULTIPLY, int64_t, overflow |= __builtin_mul_overflow(a, b, &row[i]))
        RUN(APLI_OP_MAXIMUM, int64_t, row[i] = a > b ? a : b)
        RUN(APLI_OP_MINIMUM, int64_t, row[i] = a < b ? a : b)
    default: break;
    }
    return overflow ? APLI_SCALAR_OVERFLOW : 0;
}
static int forward_doubles(AplScalarOp op, double *row, int64_t length) {
    switch (op) {
        RUN(APLI_OP_ADD, double, row[i] = a + b)
        RUN(APLI_OP_MULTIPLY, double, row[i] = a * b)
        RUN(APLI_OP_MAXIMUM, double, row[i] = a > b ? a : b)
        RUN(APLI_OP_MINIMUM, double, row[i] = a < b ? a : b)
    default: break;
    }
    return 0;
}

/* In f64 or int64; *status says why there is no result. Sums and products of reals are kept in f64 to the
   end. */
static AplErr scan_lane(AplEnv *env, AplScalarOp op, AplLane lane, AplArray *right, int axis,
                        AplArray **result, int *status) {
    APLI_AUTO AplArray *scanned = NULL, *narrow = NULL;
    AplType type = (AplType)right->type;
    AplAround around = apli_around(right, axis);
    TRY(apli_array_new_like(lane == APLI_LANE_INTEGER ? APLI_I64 : APLI_F64, right, &scanned));
    apli_scalar_kernels()->load[type][lane](scanned->data, right->data, right->count);
    bool runs =
        around.inner == 1 && op >= APLI_OP_ADD &&
        (op == APLI_OP_ADD || op == APLI_OP_MULTIPLY || op == APLI_OP_MAXIMUM || op == APLI_OP_MINIMUM);
    AplScalarOp other = op == APLI_OP_SUBTRACT ? APLI_OP_ADD : op;
    *status = 0;
    if (!runs) *status = forward(env, op, other, lane, around, scanned->data);
    for (int64_t row = 0; runs && row < around.outer; row++) {
        uint8_t *values = scanned->data + row * around.length * 8;
        *status |= lane == APLI_LANE_INTEGER ? forward_integers(op, (int64_t *)values, around.length)
                                             : forward_doubles(op, (double *)values, around.length);
    }
    if (*status) return APL_OK;
    if (lane == APLI_LANE_INTEGER) {
        TRY(apli_squeeze(&scanned));
    } else if (apli_type_is_real(type) && type != APLI_F64) {
        TRY(apli_array_new_like(type, right, &narrow));
        apli_elem_convert(type, narrow->data, 0, APLI_F64, scanned->data, 0, right->count);
        *result = apli_move(&narrow);
        return APL_OK;
    } else {
        scanned->weak = right->weak || apli_type_is_integer(type);
        for (int64_t i = 0; i < scanned->count; i++)
            if (!isfinite(((double *)scanned->data)[i]))
                *status = APLI_SCALAR_DOMAIN; /* the general way reports it */
        if (*status) return APL_OK;
    }
    *result = apli_move(&scanned);
    return APL_OK;
}

AplErr apli_scan_numbers(AplEnv *env, AplScalarOp op, AplArray *right, int axis, AplArray **result,
                         bool *done) {
    *done = false;
    TRY(apli_check(env));
    bool boolean = right->type == APLI_BOOL;
    if (boolean && axis == right->rank - 1) {
        TRY(scan_bits(op, right, result, done));
        if (*done) return APL_OK;
    }
    if (boolean && op == APLI_OP_AND) op = APLI_OP_MINIMUM;
    if (boolean && op == APLI_OP_OR) op = APLI_OP_MAXIMUM;
    switch (op) {
    case APLI_OP_ADD:
    case APLI_OP_MULTIPLY:
    case APLI_OP_MAXIMUM:
    case APLI_OP_MINIMUM:
    case APLI_OP_SUBTRACT: break;
    default: return APL_OK;
    }
    int status = APLI_SCALAR_OVERFLOW;
    bool integers = apli_type_is_integer((AplType)right->type);
    if (integers) TRY(scan_lane(env, op, APLI_LANE_INTEGER, right, axis, result, &status));
    if (status == APLI_SCALAR_OVERFLOW)
        TRY(scan_lane(env, op, APLI_LANE_DOUBLE, right, axis, result, &status));
    *done = status == 0;
    return APL_OK;
}

/* ---- any function -------------------------------------------------------------------------------------- */

static AplErr scan_general(AplEnv *env, const AplFunction *function, AplArray *first, AplArray **result) {
    int64_t length = first->shape[0];
    AplArray **cells = NULL;
    APLI_AUTO AplArray *beginnings = NULL, *mixed = NULL;
    TRY(apli_vector_new(APLI_NESTED, length, &beginnings));
    cells = apli_items(beginnings);
    int64_t shape[APLI_MAX_RANK];
    memcpy(shape, first->shape, first->rank * sizeof *shape);
    int64_t cell = first->count / length;
    bool weak = true, nested = false;
    AplType type = APLI_BOOL;
    for (int64_t i = 0; i < length; i++) {
        APLI_AUTO AplArray *beginning = NULL;
        TRY(apli_cells(first, 0, i + 1, &beginning));
        TRY(apli_fold_windows(env, function, beginning, i + 1, 1, false, &cells[i]));
        nested |= cells[i]->type == APLI_NESTED;
    }
    type = nested ? APLI_NESTED : apli_meet_all(cells, length, &weak);
    TRY(apli_array_new(type, first->rank, shape, &mixed));
    mixed->weak = weak && type == APLI_F64;
    for (int64_t i = 0; i < length; i++) {
        APLI_AUTO AplArray *converted = NULL;
        TRY(apli_convert(cells[i], type, &converted));
        apli_copy(mixed, i * cell, converted, 0, cell);
    }
    *result = apli_move(&mixed);
    return APL_OK;
}

static AplErr scan(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *argument, bool last,
                   AplArray **result) {
    APLI_AUTO AplArray *right = NULL, *first = NULL, *scanned = NULL;
    const AplFunction *function = self->left.function;
    FAIL_IF(!function, APL_SYNTAX, "a scan needs a function");
    FAIL_IF(left, APL_SYNTAX, "a scan takes no left argument");
    if (argument->rank == 0) {
        FAIL_IF(self->axis, APL_RANK, "a scalar has no axis to scan along");
        *result = apli_array_retain(argument);
        return APL_OK;
    }
    int axis;
    TRY(apli_reduced_axis(env, self, argument->rank, last, &axis));
    TRY(apli_plain(argument, &right));
    if (right->count == 0 || right->shape[axis] == 1) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    AplScalarOp op = apli_function_op(function);
    if (op != APLI_OP_NONE && apli_type_is_number((AplType)right->type)) {
        bool done;
        TRY(apli_scan_numbers(env, op, right, axis, result, &done));
        if (done) return APL_OK;
    }
    TRY(apli_axis_first(right, axis, &first));
    TRY(scan_general(env, function, first, &scanned));
    return apli_axis_back(scanned, axis, result);
}

AplErr apli_scan_last(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right,
                      AplArray **result) {
    return scan(env, self, left, right, true, result);
}

AplErr apli_scan_first(AplEnv *env, const AplFunction *self, AplArray *left, AplArray *right,
                       AplArray **result) {
    return scan(env, self, left, right, false, result);
}
