/* Renders a value into a block of characters, as Dyalog APL displays it ("Display of Arrays" in its
   Programming Reference).

   Each column of the last axis has one format over all rows and planes. Numbers in a column align their
   points, or their Es when one of them needs the scaled form; a column with a number is right-justified,
   any other left-justified. A nested item is its own display with a blank on either side. Columns of single
   characters stand side by side; a column with numbers keeps one blank from each neighbour, into which the
   blank behind a nested item of that column falls. */
#include "prim/format/block.h"

#include "prim/format/numeral.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MACRON = 0xAF, INFINITY_SIGN = 0x221E, MOST_LINES = 1 << 30 };

typedef struct Field {
    bool numbers, nested, scaled;
    int whole, fraction, mantissa, exponent; /* widths; mantissa: digits behind the scaled form's point */
    int64_t number_width, width;             /* without pads */
    int64_t begin;                           /* where the pads, or the text without them, begin */
} Field;

typedef struct Render {
    AplEnv *env;
    const AplArray *array;
    AplBlock *items; /* of a nested array: the non-simple items' displays, else empty blocks */
    Field *fields;
    int64_t *heights; /* of the rows; NULL: 1 each */
    int64_t rows, columns;
} Render;

void apli_block_free(AplBlock *block) {
    free(block->characters);
    free(block->separators);
    free(block->begins);
    free(block->ends);
    *block = (AplBlock){0};
}

/* count × size zeroed bytes (never none); WS FULL. */
static AplErr allocate(int64_t count, size_t size, void *result) {
    void *memory = count < 0 ? NULL : calloc(count ? (size_t)count : 1, size);
    FAIL_IF(!memory, APL_WS_FULL, "no memory for a display of %" PRId64 " parts", count);
    memcpy(result, &memory, sizeof memory);
    return APL_OK;
}

static bool is_character(const AplArray *array) { return apli_type_is_character((AplType)array->type); }
static bool is_simple_scalar(const AplArray *item) { return item->rank == 0 && item->type != APLI_NESTED; }

/* ---- formats of the columns ---------------------------------------------------- */

static void see_number(const Render *render, Field *field, const AplArray *array, int64_t index) {
    AplNumeral numeral;
    apli_numeral(array, index, render->env->print_precision, &numeral);
    int whole = apli_numeral_whole(&numeral), fraction = apli_numeral_fraction(&numeral);
    field->numbers = true;
    field->scaled |= numeral.scaled;
    if (whole > field->whole) field->whole = whole;
    if (fraction > field->fraction) field->fraction = fraction;
    if (numeral.infinite) return;
    if (numeral.digit_count - 1 > field->mantissa) field->mantissa = numeral.digit_count - 1;
    int exponent = apli_numeral_exponent_width(&numeral);
    if (exponent > field->exponent) field->exponent = exponent;
}

/* The whole part of a scaled number is one digit and perhaps a sign. */
static void see_scaled(const Render *render, Field *field, const AplArray *array, int64_t index) {
    AplNumeral numeral;
    apli_numeral(array, index, render->env->print_precision, &numeral);
    int whole = numeral.infinite ? apli_numeral_whole(&numeral) : 1 + numeral.negative;
    if (whole > field->whole) field->whole = whole;
}

typedef void See(const Render *render, Field *field, const AplArray *array, int64_t index);

static AplErr see_column(Render *render, int64_t column, See *see) {
    const AplArray *array = render->array;
    Field *field = &render->fields[column];
    for (int64_t row = 0; row < render->rows; row++) {
        int64_t index = row * render->columns + column;
        if ((row & 0xFFF) == 0) TRY(apli_check(render->env));
        if (array->type != APLI_NESTED) {
            if (!is_character(array)) see(render, field, array, index);
            continue;
        }
        const AplArray *item = apli_items(array)[index];
        if (!is_simple_scalar(item)) {
            field->nested = true;
            if (render->items[index].columns > field->width) field->width = render->items[index].columns;
        } else if (!is_character(item)) {
            see(render, field, item, 0);
        } else if (field->width < 1) {
            field->width = 1;
        }
    }
    return APL_OK;
}

/* Chooses the formats and the places of the columns; *width is the block's. */
static AplErr choose_fields(Render *render, int64_t *width) {
    bool characters = is_character(render->array);
    int64_t position = 0;
    for (int64_t column = 0; column < render->columns; column++) {
        Field *field = &render->fields[column], *before = column ? field - 1 : NULL;
        TRY(see_column(render, column, see_number));
        if (field->scaled) {
            field->whole = 0;
            TRY(see_column(render, column, see_scaled));
            field->number_width =
                field->whole + (field->mantissa ? 1 + field->mantissa : 0) + 1 + field->exponent;
        } else {
            field->number_width = field->whole + (field->fraction ? 1 + field->fraction : 0);
        }
        if (field->number_width > field->width) field->width = field->number_width;
        if (render->array->type != APLI_NESTED && field->width == 0) {
            field->width = 1; /* a column of characters, or of no numbers */
            field->numbers = !characters;
        }
        if (before) position += before->numbers || field->numbers ? !(before->numbers && before->nested) : 0;
        field->begin = position;
        position += field->width + 2 * field->nested;
    }
    *width = position;
    return APL_OK;
}

/* ---- writing ---------------------------------------------------- */

/* Writes a number into its column's number_width characters. */
static void write_number(const Render *render, const Field *field, const AplArray *array, int64_t index,
                         uint32_t *to) {
    AplNumeral numeral;
    apli_numeral(array, index, render->env->print_precision, &numeral);
    int whole = field->scaled && !numeral.infinite ? 1 + numeral.negative : apli_numeral_whole(&numeral);
    to += field->whole - whole;
    if (numeral.negative) *to++ = MACRON;
    if (numeral.infinite) {
        static const uint32_t nan[] = {'N', 'a', 'N'};
        if (numeral.infinite == 'n') memcpy(to, nan, sizeof nan);
        else *to = INFINITY_SIGN;
        return;
    }
    if (field->scaled) {
        *to++ = (uint32_t)numeral.digits[0];
        if (field->mantissa) *to++ = '.';
        for (int i = 1; i <= field->mantissa; i++) *to++ = (uint32_t)apli_numeral_digit(&numeral, i);
        *to++ = 'E';
        if (numeral.exponent < 0) *to++ = MACRON;
        int magnitude = abs(numeral.exponent);
        if (magnitude > 99) *to++ = (uint32_t)('0' + magnitude / 100);
        if (magnitude > 9) *to++ = (uint32_t)('0' + magnitude / 10 % 10);
        *to = (uint32_t)('0' + magnitude % 10);
        return;
    }
    int fraction = apli_numeral_fraction(&numeral);
    for (int power = numeral.exponent > 0 ? numeral.exponent : 0; power >= -fraction; power--) {
        if (power == -1) *to++ = '.';
        *to++ = (uint32_t)apli_numeral_digit(&numeral, numeral.exponent - power);
    }
}

static void write_item(const Render *render, AplBlock *block, int64_t line, int64_t row, int64_t column) {
    const Field *field = &render->fields[column];
    const AplArray *array = render->array;
    int64_t index = row * render->columns + column;
    uint32_t *to = block->characters + line * block->columns + field->begin + field->nested;
    if (array->type == APLI_NESTED) {
        const AplBlock *item = &render->items[index];
        array = apli_items(array)[index];
        index = 0;
        if (!is_simple_scalar(array)) {
            if (field->numbers) to += field->width - item->columns;
            for (int64_t i = 0; i < item->rows; i++)
                memcpy(to + i * block->columns, item->characters + i * item->columns,
                       (size_t)item->columns * sizeof *to);
            return;
        }
    }
    if (is_character(array)) to[field->numbers ? field->width - 1 : 0] = apli_char_at(array, index);
    else write_number(render, field, array, index, to + field->width - field->number_width);
}

/* Blank lines before plane `plane` (of the axes but the last two): one, and one more for each axis that
   starts again. */
static int64_t blank_lines(const AplArray *array, int64_t plane) {
    int64_t lines = plane > 0;
    for (int axis = array->rank - 3; plane > 0 && axis > 0 && plane % array->shape[axis] == 0; axis--) {
        plane /= array->shape[axis];
        lines++;
    }
    return lines;
}

static AplErr write_block(Render *render, int64_t width, AplBlock *block) {
    const AplArray *array = render->array;
    int64_t plane_rows = array->rank > 1 ? array->shape[array->rank - 2] : 1;
    int64_t planes = array->rank > 2 ? apli_product(array->shape, array->rank - 2) : 1;
    int64_t lines = 0;
    for (int64_t plane = 0; plane < planes; plane++) lines += blank_lines(array, plane);
    for (int64_t row = 0; row < render->rows; row++) lines += render->heights ? render->heights[row] : 1;
    int64_t size;
    FAIL_IF(__builtin_mul_overflow(lines, width, &size) || size > INT64_MAX / 16, APL_WS_FULL,
            "a display of %" PRId64 " lines of %" PRId64 " characters", lines, width);
    block->rows = lines;
    block->columns = width;
    TRY(allocate(size, sizeof *block->characters, &block->characters));
    TRY(allocate(lines, sizeof *block->separators, &block->separators));
    for (int64_t i = 0; i < size; i++) block->characters[i] = ' ';
    int64_t line = 0;
    for (int64_t plane = 0, row = 0; plane < planes; plane++) {
        for (int64_t i = blank_lines(array, plane); i > 0; i--) block->separators[line++] = true;
        for (int64_t i = 0; i < plane_rows; i++, row++) {
            if ((row & 0xFFF) == 0xFFF) TRY(apli_check(render->env));
            for (int64_t column = 0; column < render->columns; column++)
                write_item(render, block, line, row, column);
            line += render->heights ? render->heights[row] : 1;
        }
    }
    return APL_OK;
}

static AplErr render_items(Render *render) {
    const AplArray *array = render->array;
    TRY(allocate(array->count, sizeof *render->items, &render->items));
    TRY(allocate(render->rows, sizeof *render->heights, &render->heights));
    for (int64_t row = 0; row < render->rows; row++) {
        render->heights[row] = 1;
        for (int64_t i = row * render->columns; i < (row + 1) * render->columns; i++) {
            AplArray *item = apli_items(array)[i];
            if ((i & 0xFFF) == 0) TRY(apli_check(render->env));
            if (is_simple_scalar(item)) continue;
            APLI_AUTO AplArray *plain = NULL;
            TRY(apli_plain(item, &plain));
            TRY(apli_render(render->env, plain, false, &render->items[i]));
            if (render->items[i].rows > render->heights[row]) render->heights[row] = render->items[i].rows;
        }
    }
    return APL_OK;
}

static void render_free(Render *render) {
    for (int64_t i = 0; render->items && i < render->array->count; i++) apli_block_free(&render->items[i]);
    free(render->items);
    free(render->fields);
    free(render->heights);
}

AplErr apli_render(AplEnv *env, const AplArray *array, bool folds, AplBlock *block) {
    TRY(apli_check(env));
    int64_t columns = apli_last_axis(array);
    int64_t rows = array->rank > 1 ? apli_product(array->shape, array->rank - 1) : 1;
    __attribute__((cleanup(render_free)))
    Render render = {.env = env, .array = array, .rows = columns ? rows : 0, .columns = columns};
    int64_t planes = array->rank > 2 ? apli_product(array->shape, array->rank - 2) : 1;
    FAIL_IF(rows > MOST_LINES || planes > MOST_LINES, APL_WS_FULL,
            "a display of %" PRId64 " planes, %" PRId64 " lines", planes, rows);
    int64_t width;
    TRY(allocate(columns, sizeof *render.fields, &render.fields));
    if (array->type == APLI_NESTED && array->count) TRY(render_items(&render));
    TRY(choose_fields(&render, &width));
    render.rows = rows;
    if (!array->count) render.columns = 0; /* nothing to write, though there may be empty lines */
    TRY(write_block(&render, width, block));
    if (!folds || is_character(array) || !columns) return APL_OK;
    TRY(allocate(columns, sizeof *block->begins, &block->begins));
    TRY(allocate(columns, sizeof *block->ends, &block->ends));
    block->field_count = columns;
    for (int64_t i = 0; i < columns; i++) {
        block->begins[i] = render.fields[i].begin;
        block->ends[i] = render.fields[i].begin + render.fields[i].width + 2 * render.fields[i].nested;
    }
    return APL_OK;
}
