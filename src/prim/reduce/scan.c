/* f\ and f⍀: item i of a scan is f/ of the first i items. An associative function goes forward once, and so
   does -, whose reduction adds and subtracts by turns; any other function folds each beginning anew, as its
   definition says. */
#include "prim/reduce/reduce.h"

#include "os/parallel.h"
#include "prim/reduce/reduce_kernels.h"

#include <math.h>
#include <string.h>

/* ---- Booleans along the last axis ---------------------------------------------------------------------- */

/* Bits first..first+count-1 become `value`. */
static void fill_bits(uint8_t *bits, int64_t first, int64_t count, bool value) {
    for (; count > 0 && (first & 7); count--) apli_bit_set(bits, first++, value);
    memset(bits + (first >> 3), value ? 0xFF : 0, (size_t)(count >> 3));
    for (first += count & ~INT64_C(7), count &= 7; count > 0; count--) apli_bit_set(bits, first++, value);
}

/* ∧ ∨ <: all that follows the first 0 or 1 is known. */
static void scan_to_first(AplScalarOp op, const uint8_t *bits, int64_t from, int64_t length, uint8_t *to) {
    const int64_t first = apli_bits_before(bits, from, length, op != APLI_OP_AND);
    fill_bits(to, from, first, op == APLI_OP_AND);
    fill_bits(to, from + first, length - first, op == APLI_OP_OR);
    if (op == APLI_OP_LESS && first < length) apli_bit_set(to, from + first, true);
}

/* ≠ and =: bit i is the parity of the bits up to it, of the zeros for =. A word's parities by doubling. `to` and `bits` begin
   with a word's first bit. */
static void scan_parity(bool equal, const uint8_t *bits, int64_t length, uint8_t *to) {
    const uint64_t flip = equal ? UINT64_MAX : 0;
    uint64_t carried = flip;
    for (int64_t i = 0; i < length; i += 64) {
        const size_t bytes = length - i < 64 ? (size_t)(length - i + 7) / 8 : 8;
        uint64_t word = 0;
        memcpy(&word, bits + i / 8, bytes);
        word ^= flip;
        for (int apart = 1; apart < 64; apart *= 2) word ^= word << apart;
        word ^= carried;
        carried = 0 - (word >> 63);
        memcpy(to + i / 8, &word, bytes);
    }
}

static AplErr scan_bits(AplScalarOp op, const AplArray *right, AplArray **result, bool *done) {
    *done = op == APLI_OP_AND || op == APLI_OP_OR || op == APLI_OP_LESS || op == APLI_OP_NOT_EQUAL ||
            op == APLI_OP_EQUAL;
    if (!*done) return APL_OK;
    APLI_AUTO AplArray *scanned = NULL, *row_bits = NULL;
    const int64_t length = apli_last_axis(right), rows = right->count / length;
    const bool parity = op == APLI_OP_NOT_EQUAL || op == APLI_OP_EQUAL;
    TRY(apli_array_new_like(APLI_BOOL, right, &scanned));
    if (parity && rows > 1) TRY(apli_vector_new(APLI_BOOL, length, &row_bits));
    for (int64_t row = 0; row < rows; row++) {
        const int64_t from = row * length;
        if (!parity) {
            scan_to_first(op, right->data, from, length, scanned->data);
        } else if (rows == 1) {
            scan_parity(op == APLI_OP_EQUAL, right->data, length, scanned->data);
        } else { /* a row may begin between bytes */
            apli_copy(row_bits, 0, right, from, length);
            scan_parity(op == APLI_OP_EQUAL, row_bits->data, length, row_bits->data);
            apli_copy(scanned, from, row_bits, 0, length);
        }
    }
    *result = apli_move(&scanned);
    return APL_OK;
}

/* ---- sums of narrow integers along the last axis ------------------------------------------------------- */

/* Rows cut into parts: first what each part adds and the range of its sums, then, with what comes before it, the
   sums themselves in the smallest type. */
enum { PART = 1 << 16 };

typedef struct Sums {
    const AplReduceKernels *kernels;
    AplType type, result_type;
    const uint8_t *values;
    uint8_t *to;
    int64_t length, parts_a_row;
    int64_t *added, *least, *most; /* of each part; then `added` is what comes before it */
} Sums;

static int64_t part_of(const Sums *sums, int64_t unit, int64_t *count) {
    const int64_t first = unit % sums->parts_a_row * PART, left = sums->length - first;
    *count = left < PART ? left : PART;
    return unit / sums->parts_a_row * sums->length + first;
}

static void range_of_part(void *context, int64_t unit, int thread) {
    (void)thread;
    const Sums *sums = context;
    int64_t count, first = part_of(sums, unit, &count);
    const uint8_t *values = sums->values + apli_type_bytes(sums->type, first);
    if (sums->type != APLI_BOOL) {
        sums->added[unit] = sums->kernels->range_of_sums[sums->type](values, count, &sums->least[unit], &sums->most[unit]);
        return;
    }
    sums->added[unit] = sums->most[unit] = apli_bits_count(values, count);
    sums->least[unit] = apli_bit_get(values, 0);
}

static void sums_of_part(void *context, int64_t unit, int thread) {
    (void)thread;
    const Sums *sums = context;
    int64_t count, first = part_of(sums, unit, &count);
    sums->kernels->sums[sums->type][sums->result_type](sums->to + apli_type_bytes(sums->result_type, first),
                                                       sums->values + apli_type_bytes(sums->type, first), count,
                                                       sums->added[unit]);
}

/* +\ of Booleans or integers of at most 32 bits; rows of Booleans begin on a byte. */
static AplErr scan_sums(AplArray *right, AplArray **result) {
    APLI_AUTO AplArray *room = NULL, *scanned = NULL;
    const int64_t length = apli_last_axis(right), rows = right->count / length;
    Sums sums = {.kernels = apli_kernels()->reduce, .type = (AplType)right->type, .values = right->data, .length = length,
                 .parts_a_row = (length + PART - 1) / PART};
    const int64_t units = rows * sums.parts_a_row;
    TRY(apli_vector_new(APLI_I64, 3 * units, &room));
    sums.added = apli_integer_data(room);
    sums.least = sums.added + units;
    sums.most = sums.least + units;
    const int threads = length < PART ? 1 : apli_parallel_threads();
    apli_parallel(units, threads, range_of_part, &sums);
    int64_t least = INT64_MAX, most = INT64_MIN, before = 0;
    for (int64_t unit = 0; unit < units; unit++) {
        if (unit % sums.parts_a_row == 0) before = 0;
        if (before + sums.least[unit] < least) least = before + sums.least[unit];
        if (before + sums.most[unit] > most) most = before + sums.most[unit];
        const int64_t added = sums.added[unit];
        sums.added[unit] = before;
        before += added;
    }
    sums.result_type = apli_type_for_range(least, most);
    if (sums.result_type == APLI_BOOL) sums.result_type = APLI_I8;
    TRY(apli_array_new_like(sums.result_type, right, &scanned));
    sums.to = scanned->data;
    apli_parallel(units, threads, sums_of_part, &sums);
    if (least >= 0 && most <= 1) TRY(apli_squeeze(&scanned));
    *result = apli_move(&scanned);
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
    bool narrow = right->type <= APLI_I32 && right->count < INT64_C(1) << 32; /* sums fit in 64 bits */
    if (op == APLI_OP_ADD && narrow && axis == right->rank - 1) {
        APLI_AUTO AplArray *bytes = NULL;
        bool between_bytes = boolean && (right->shape[axis] & 7) && right->count > right->shape[axis];
        TRY(apli_convert(right, between_bytes ? APLI_I8 : (AplType)right->type, &bytes));
        *done = true;
        return scan_sums(bytes, result);
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
