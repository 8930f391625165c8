/* ⍕: a value as characters. Monadic: as it displays, whatever ⎕PW. Dyadic: numbers in fields of given width
   and precision. */
#include "prim/format/block.h"
#include "prim/format/format.h"
#include "prim/format/numeral.h"

#include <inttypes.h>
#include <string.h>

static bool is_character(const AplArray *array) { return apli_type_is_character((AplType)array->type); }

static AplErr from_block(const AplBlock *block, int rank, const int64_t *shape, bool skip_separators,
                         AplArray **result) {
    APLI_AUTO AplArray *characters = NULL;
    TRY(apli_array_new(APLI_CHAR32, rank, shape, &characters));
    uint32_t *to = (uint32_t *)characters->data;
    for (int64_t row = 0; row < block->rows; row++) {
        if (skip_separators && block->separators[row]) continue;
        memcpy(to, block->characters + row * block->columns, (size_t)block->columns * sizeof *to);
        to += block->columns;
    }
    TRY(apli_squeeze(&characters));
    *result = apli_move(&characters);
    return APL_OK;
}

/* Simple arrays keep their rank (scalars become vectors); nested ones become a vector when they are one
   line and not of higher rank, otherwise a matrix. */
AplErr apli_format(AplEnv *env, AplArray *right, AplArray *axis, AplArray **result) {
    (void)axis;
    if (is_character(right)) {
        *result = apli_array_retain(right);
        return APL_OK;
    }
    APLI_AUTO_BLOCK block = {0};
    TRY(apli_render(env, right, false, &block));
    if (right->type != APLI_NESTED && right->rank > 1) {
        int64_t shape[APLI_MAX_RANK];
        memcpy(shape, right->shape, right->rank * sizeof *shape);
        shape[right->rank - 1] = block.columns;
        return from_block(&block, right->rank, shape, true, result);
    }
    int64_t shape[] = {block.rows, block.columns};
    if (block.rows == 1 && right->rank < 2) return from_block(&block, 1, shape + 1, false, result);
    return from_block(&block, 2, shape, false, result);
}

/* ---- by specification ---------------------------------------------------- */

enum { MACRON = 0xAF, INFINITY_SIGN = 0x221E, MOST_WIDTH = 10000, REAL_DIGITS = 16, EXPONENT_ROOM = 3 };

/* The digit at `position` of a number: '_' where the number has no more digits to tell. */
static uint32_t told(const AplNumeral *numeral, int position) {
    return position >= REAL_DIGITS && numeral->digit_count >= REAL_DIGITS - 1 &&
                   position >= numeral->digit_count
               ? '_'
               : (uint32_t)apli_numeral_digit(numeral, position);
}

/* Where a number goes: what is past the capacity is only counted. */
typedef struct Writer {
    uint32_t *to;
    int capacity, length;
    int exponent_at; /* where the exponent begins, -1 when there is none */
} Writer;

static void put(Writer *writer, uint32_t character) {
    if (writer->length < writer->capacity) writer->to[writer->length] = character;
    writer->length++;
}

static void put_exponent(Writer *writer, int exponent) {
    int magnitude = exponent < 0 ? -exponent : exponent;
    put(writer, 'E');
    writer->exponent_at = writer->length;
    if (exponent < 0) put(writer, MACRON);
    if (magnitude > 99) put(writer, (uint32_t)('0' + magnitude / 100));
    if (magnitude > 9) put(writer, (uint32_t)('0' + magnitude / 10 % 10));
    put(writer, (uint32_t)('0' + magnitude % 10));
}

/* precision: digits behind the point, or when negative the digits of the scaled form. */
static Writer write_specified(const AplArray *array, int64_t index, int precision, uint32_t *to,
                              int capacity) {
    Writer writer = {.to = to, .capacity = capacity, .exponent_at = -1};
    AplNumeral numeral;
    apli_numeral_exact(array, index, &numeral);
    if (!numeral.infinite)
        apli_numeral_round(&numeral, precision < 0 ? -precision : numeral.exponent + 1 + precision);
    if (numeral.negative) put(&writer, MACRON);
    if (numeral.infinite == 'i') {
        put(&writer, INFINITY_SIGN);
    } else if (numeral.infinite) {
        for (const char *letter = "NaN"; *letter; letter++) put(&writer, (uint32_t)*letter);
    } else if (precision < 0) {
        for (int i = 0; i < -precision; i++) {
            if (i == 1) put(&writer, '.');
            put(&writer, told(&numeral, i));
        }
        put_exponent(&writer, numeral.exponent);
    } else {
        for (int power = numeral.exponent > 0 ? numeral.exponent : 0; power >= -precision; power--) {
            if (power == -1) put(&writer, '.');
            put(&writer, told(&numeral, numeral.exponent - power));
        }
    }
    return writer;
}

typedef struct Specification {
    int64_t width;
    int precision;
    int exponent_room;
    int64_t begin;
} Specification;

/* The width that a column needs when none is given: the longest of its numbers, and a blank. */
static void fit_width(const AplArray *array, int64_t column, int64_t columns, Specification *field) {
    int64_t width = 0;
    int exponent = 1;
    for (int64_t i = column; i < array->count; i += columns) {
        Writer writer = write_specified(array, i, field->precision, NULL, 0);
        if (writer.length > width) width = writer.length;
        if (writer.length - writer.exponent_at > exponent) exponent = writer.length - writer.exponent_at;
    }
    field->exponent_room = exponent;
    field->width = width + 1;
}

static AplErr read_specification(const AplArray *left, const AplArray *right, int64_t columns,
                                 Specification *fields, int64_t *width) {
    const int64_t *numbers = (const int64_t *)left->data;
    *width = 0;
    for (int64_t i = 0; i < columns; i++) {
        const int64_t *pair = numbers + (left->count > 2 ? 2 * i : 0);
        int64_t field_width = left->count == 1 ? 0 : pair[0],
                precision = left->count == 1 ? pair[0] : pair[1];
        FAIL_IF(field_width < 0 || field_width > MOST_WIDTH || precision > MOST_WIDTH ||
                    precision < -MOST_WIDTH,
                APL_DOMAIN, "a field of width %" PRId64 " and precision %" PRId64, field_width, precision);
        fields[i] = (Specification){field_width, (int)precision, EXPONENT_ROOM, *width};
        if (field_width == 0) fit_width(right, i, columns, &fields[i]);
        *width += fields[i].width;
    }
    return APL_OK;
}

static void write_row(const AplArray *array, int64_t first, int64_t columns, const Specification *fields,
                      uint32_t *to) {
    for (int64_t i = 0; i < columns; i++) {
        const Specification *field = &fields[i];
        int width = (int)field->width;
        Writer writer = write_specified(array, first + i, field->precision, NULL, 0);
        uint32_t filling = writer.length > width ? '*' : ' ';
        for (int j = 0; j < width; j++) to[field->begin + j] = filling;
        if (writer.length > width) continue;
        int lead = width - writer.length;
        if (writer.exponent_at >= 0) { /* exponents begin in one column where there is room */
            int left = width - writer.exponent_at,
                room = left < field->exponent_room ? left : field->exponent_room;
            if (room > writer.length - writer.exponent_at) lead = left - room;
        }
        write_specified(array, first + i, field->precision, to + field->begin + lead, width - lead);
    }
}

AplErr apli_format_by_specification(AplEnv *env, AplArray *left, AplArray *right, AplArray *axis,
                                    AplArray **result) {
    (void)axis;
    FAIL_IF(!apli_type_is_number((AplType)right->type), APL_DOMAIN,
            "⍕ with a specification takes simple numbers");
    FAIL_IF(left->rank > 1, APL_RANK, "the specification of ⍕ has rank %d", left->rank);
    APLI_AUTO AplArray *specification = NULL, *storage = NULL, *characters = NULL;
    TRY(apli_integers(left, "the specification of ⍕", &specification));
    int64_t columns = apli_last_axis(right), width;
    FAIL_IF(left->count != 1 && left->count != 2 && left->count != 2 * columns, APL_LENGTH,
            "the specification of ⍕ has %" PRId64 " numbers for %" PRId64 " columns", left->count, columns);
    int64_t size[] = {columns ? columns : 1, (int64_t)sizeof(Specification)}, shape[APLI_MAX_RANK] = {0};
    TRY(apli_array_new(APLI_CHAR8, 2, size, &storage));
    Specification *fields = (Specification *)storage->data;
    TRY(read_specification(specification, right, columns, fields, &width));
    int rank = right->rank ? right->rank : 1;
    if (right->rank) memcpy(shape, right->shape, right->rank * sizeof *shape);
    shape[rank - 1] = width;
    TRY(apli_array_new(APLI_CHAR32, rank, shape, &characters));
    int64_t rows = columns ? right->count / columns : 0;
    for (int64_t row = 0; row < rows; row++) {
        if ((row & 0xFFF) == 0xFFF) TRY(apli_check(env));
        write_row(right, row * columns, columns, fields, (uint32_t *)characters->data + row * width);
    }
    TRY(apli_squeeze(&characters));
    *result = apli_move(&characters);
    return APL_OK;
}
