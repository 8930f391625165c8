/* What the session prints: a block of characters, plane by plane, folded at ⎕PW. */
#include "prim/format/block.h"
#include "prim/format/format.h"

enum { INDENT = 6, LEAST_WIDTH = 30, LINE_FEED = 10, RETURN = 13 };

static void put_indent(AplText *out) { apli_text_append(out, "      ", INDENT); }

/* Where the piece of a line that begins at `begin` ends, and where the next one begins: between two columns
   of the array if one ends within `room`, otherwise after room characters. *field is the first column not
   yet seen. */
static int64_t piece_end(const AplBlock *block, int64_t begin, int64_t room, int64_t *field, int64_t *next) {
    int64_t end = 0, i = *field;
    if (block->columns - begin <= room) {
        *next = block->columns;
        return block->columns;
    }
    for (; i < block->field_count && block->ends[i] - begin <= room; i++) end = block->ends[i];
    if (end <= begin) {
        *next = begin + room;
        return *next;
    }
    *field = i;
    *next = i < block->field_count ? block->begins[i] : block->columns;
    return end;
}

static void put_plane(const AplBlock *block, int64_t first, int64_t last, int64_t width, AplText *out) {
    int64_t begin = 0, next, field = 0;
    do {
        int64_t end = piece_end(block, begin, begin ? width - INDENT : width, &field, &next);
        for (int64_t row = first; row < last; row++) {
            if (begin) put_indent(out);
            for (int64_t i = begin; i < end; i++)
                apli_text_append_codepoint(out, block->characters[row * block->columns + i]);
            apli_text_append(out, "\n", 1);
        }
        begin = next;
    } while (begin < block->columns);
}

/* A character vector: line feeds and returns in it begin lines of their own. */
static AplErr display_characters(AplEnv *env, const AplArray *array, int64_t width, AplText *out) {
    int64_t column = 0;
    for (int64_t i = 0; i < array->count; i++) {
        if ((i & 0xFFFFF) == 0xFFFFF) TRY(apli_check(env));
        uint32_t character = apli_char_at(array, i);
        if (character == LINE_FEED || character == RETURN) {
            bool pair =
                character == RETURN && i + 1 < array->count && apli_char_at(array, i + 1) == LINE_FEED;
            i += pair;
            apli_text_append(out, "\n", 1);
            column = 0;
            continue;
        }
        if (column == width) {
            apli_text_append(out, "\n", 1);
            put_indent(out);
            column = INDENT;
        }
        apli_text_append_codepoint(out, character);
        column++;
    }
    apli_text_append(out, "\n", 1);
    return apli_text_status(out);
}

AplErr apli_display(AplEnv *env, AplArray *array, AplText *out) {
    int64_t width = env->print_width < LEAST_WIDTH ? LEAST_WIDTH : env->print_width;
    APLI_AUTO AplArray *plain = NULL;
    TRY(apli_plain(array, &plain));
    if (plain->rank < 2 && apli_type_is_character((AplType)plain->type))
        return display_characters(env, plain, width, out);
    APLI_AUTO_BLOCK block = {0};
    TRY(apli_render(env, plain, true, &block));
    for (int64_t row = 0; row < block.rows;) {
        TRY(apli_check(env));
        int64_t last = row;
        if (block.separators[row]) {
            for (int64_t i = 0; i < block.columns && i < width; i++) apli_text_append(out, " ", 1);
            apli_text_append(out, "\n", 1);
            row++;
            continue;
        }
        while (last < block.rows && !block.separators[last]) last++;
        put_plane(&block, row, last, width, out);
        row = last;
    }
    return apli_text_status(out);
}
