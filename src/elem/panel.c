/* Laying packed rows out as panels. The codes come from the unpack functions themselves (elem/packed_unpack.inc), compiled here
   with a `put` that keeps what it is given: every layout is read by the one description of it. */
#include "elem/panel.h"

#include "elem/elem.h"

#include <string.h>

/* What 16 elements are made of; it takes the place of their 16 floats. */
typedef struct Sixteen {
    int8_t codes[16];
    float scale, minimum;
    uint8_t unused[40];
} Sixteen;
_Static_assert(sizeof(Sixteen) == 16 * sizeof(float), "a Sixteen lies where 16 floats would");

#define ISA(name) name##_codes
#define HALF(bits) apli_f16_to_f32(bits)
#define UNPACK_SIXTEEN
#include "elem/packed_unpack.inc"

static AplUnpack *const unpack_codes[APLI_CODEC_COUNT] = {
#define PACKED(id, name, representation, group, elements, bytes) [APLI_CODEC_##id] = ISA(unpack_##name),
#include "elem/packed.def"
#undef PACKED
};

static const AplPanelForm forms[APLI_CODEC_COUNT] = {
    [APLI_CODEC_Q4_0] = {.bits = 4, .unit = 1, .zero = 8},
    [APLI_CODEC_Q4_1] = {.bits = 4, .unit = 1, .minimum = true},
    [APLI_CODEC_Q5_0] = {.bits = 5, .unit = 1, .zero = 16},
    [APLI_CODEC_Q5_1] = {.bits = 5, .unit = 1, .minimum = true},
    [APLI_CODEC_Q8_0] = {.bits = 8, .unit = 1, .zero = 128},
    [APLI_CODEC_Q2_K] = {.bits = 2, .unit = 1, .minimum = true, .levels = true, .scale_at = 80, .minimum_at = 82},
    [APLI_CODEC_Q3_K] = {.bits = 3, .unit = 1, .zero = 4, .levels = true, .scale_at = 108},
    [APLI_CODEC_Q4_K] = {.bits = 4, .unit = 1, .minimum = true, .levels = true, .scale_at = 0, .minimum_at = 2},
    [APLI_CODEC_Q5_K] = {.bits = 5, .unit = 1, .minimum = true, .levels = true, .scale_at = 0, .minimum_at = 2},
    [APLI_CODEC_Q6_K] = {.bits = 6, .unit = 1, .zero = 32, .levels = true, .scale_at = 208},
    [APLI_CODEC_IQ4_NL] = {.bits = 8, .unit = 1, .zero = 128},
    [APLI_CODEC_TQ1_0] = {.bits = 2, .unit = 1, .zero = 1},
    [APLI_CODEC_TQ2_0] = {.bits = 2, .unit = 1, .zero = 1},
    [APLI_CODEC_Q1_0] = {.bits = 1, .unit = 2, .zero = 1},
    [APLI_CODEC_IQ2_BN] = {.bits = 2, .unit = 1, .zero = 1},
    [APLI_CODEC_BINARY] = {.bits = 1, .unit = 2, .zero = 1},
    [APLI_CODEC_TERNARY] = {.bits = 2, .unit = 1, .zero = 1},
    [APLI_CODEC_INT4] = {.bits = 4, .unit = 1, .zero = 8},
    [APLI_CODEC_INT8] = {.bits = 8, .unit = 1, .zero = 128},
};

static int64_t round_up(int64_t count, int64_t step) { return (count + step - 1) / step * step; }

/* A shift of chunks that leaves nothing of any row. */
enum { WHOLE = 31 };

/* How a panel is divided into pieces, and what a piece has where. */
static void plan_pieces(AplPanels *panels) {
    const AplPanelForm *form = &panels->form;
    const bool whole = form->single || panels->span_shift < 0;
    /* chunks whose numbers fill whole lines: 32 f16, or 8 or 16 spans with the f16 of one or two blocks */
    panels->piece_shift = whole ? WHOLE : form->levels ? (form->halves ? 3 : 4) : form->halves ? 0 : panels->span_shift + 1;
    while (!form->levels && panels->piece_shift < 3 && panels->chunks % (INT64_C(2) << panels->piece_shift) == 0) panels->piece_shift++;
    const int64_t chunks = whole ? panels->chunks : INT64_C(1) << panels->piece_shift;
    const int64_t spans = whole ? panels->spans : form->halves ? chunks * 2 : chunks >> panels->span_shift;
    const int64_t number_bytes = form->levels ? 1 : form->single ? 4 : 2;
    panels->bytes_at = form->levels ? chunks * APLI_PANEL_CHUNK / APLI_PANEL_BLOCK * APLI_PANEL_ROWS * (form->halves ? 4 : 2) : 0;
    panels->minimums_at = round_up(panels->bytes_at + spans * APLI_PANEL_ROWS * number_bytes, 64);
    panels->codes_at = panels->minimums_at * (form->minimum ? 2 : 1);
    panels->piece_bytes = panels->codes_at + chunks * form->bits * 64;
    panels->panel_bytes = round_up(panels->chunks, chunks) / chunks * panels->codes_at + panels->chunks * form->bits * 64;
}

bool apli_panels_plan(const AplPackedLayout *layout, int64_t rows, int64_t columns, AplPanels *panels) {
    const AplPanelForm *form = &forms[layout->codec];
    const int64_t span = layout->group ? layout->group : round_up(columns, APLI_PANEL_CHUNK);
    if (!form->bits || columns < 16 || columns % 16 != 0 || (span != 16 && span % APLI_PANEL_CHUNK != 0)) return false;
    *panels = (AplPanels){.form = *form, .rows = rows, .columns = columns};
    panels->form.span = span;
    panels->form.halves = span == 16;
    panels->form.single |= layout->group == 0;
    panels->count = round_up(rows, APLI_PANEL_ROWS) / APLI_PANEL_ROWS;
    panels->chunks = round_up(columns, APLI_PANEL_CHUNK) / APLI_PANEL_CHUNK;
    panels->spans = panels->form.halves ? panels->chunks * 2 : round_up(columns, span) / span;
    const int64_t span_chunks = (span + APLI_PANEL_CHUNK - 1) / APLI_PANEL_CHUNK;
    const bool power = (span_chunks & (span_chunks - 1)) == 0;
    panels->span_shift = panels->form.single ? WHOLE : power ? __builtin_ctzll((unsigned long long)span_chunks) : -1;
    plan_pieces(panels);
    return true;
}

/* Where lane 4k+2r+h of vector g is that of row 4k+2g+r and half h: 16g + the lane. */
static int lane_of(int row, int half) { return row / 2 % 2 * APLI_PANEL_ROWS + row / 4 * 4 + row % 2 * 2 + half; }

/* A row's number of span `span` of a piece; with two levels, `halves` is where the layout has the f16 of its block. */
static void store_number(const AplPanels *panels, uint8_t *numbers, int64_t span, int row, float value, const uint8_t *halves) {
    const bool by_lanes = panels->form.halves;
    const int64_t index = by_lanes ? span / 2 * 2 * APLI_PANEL_ROWS + lane_of(row, span % 2) : span * APLI_PANEL_ROWS + row;
    uint16_t half;
    if (panels->form.levels) {
        memcpy(&half, halves, sizeof half);
        const float block = apli_f16_to_f32(half);
        const int64_t of_block = span * panels->form.span / APLI_PANEL_BLOCK;
        const int64_t at = by_lanes ? of_block * 2 * APLI_PANEL_ROWS + lane_of(row, span % 2) : of_block * APLI_PANEL_ROWS + row;
        memcpy(numbers + at * 2, &half, sizeof half);
        /* value is the product of both, exactly; a minimum is taken away: its byte is below 0 */
        numbers[panels->bytes_at + index] = (uint8_t)(int8_t)(block == 0 ? 0 : value / block);
    } else if (panels->form.single) {
        memcpy(numbers + index * 4, &value, sizeof value);
    } else {
        half = apli_f32_to_f16(value); /* exact: it was an f16 */
        memcpy(numbers + index * 2, &half, sizeof half);
    }
}

enum { VECTOR_BYTES = APLI_PANEL_ROWS * 4, VECTORS = APLI_PANEL_VECTORS };

/* The lowest `bits` bits of a chunk's codes as one plane. */
static void store_plane(const uint8_t codes[VECTORS][VECTOR_BYTES], int bits, int shift, uint8_t *plane) {
    const int each = 8 / bits, vectors = VECTORS / each; /* codes of a byte, vectors of the plane */
    if (bits == 1) {
        for (int row = 0; row < APLI_PANEL_ROWS; row++) {
            uint32_t bits_of_row = 0;
            for (int column = 0; column < APLI_PANEL_CHUNK; column++) {
                const int lane = lane_of(row, column / 16), v = lane / APLI_PANEL_ROWS * 4 + column % 16 / 4;
                bits_of_row |= (codes[v][lane % APLI_PANEL_ROWS * 4 + column % 4] >> shift & 1u) << column;
            }
            memcpy(plane + row * 4, &bits_of_row, 4); /* machines are little-endian */
        }
        return;
    }
    const unsigned mask = (1u << bits) - 1;
    for (int v = 0; v < vectors; v++)
        for (int i = 0; i < VECTOR_BYTES; i++) {
            unsigned byte = 0;
            for (int k = 0; k < each; k++) byte |= (codes[v + k * vectors][i] >> shift & mask) << (k * bits);
            plane[v * VECTOR_BYTES + i] = (uint8_t)byte;
        }
}

void apli_panel_pack(const AplPanels *panels, const AplPackedLayout *layout, const uint8_t *rows, int64_t panel, float *scratch,
                     uint8_t *to) {
    const AplPanelForm *form = &panels->form;
    const int bits = form->bits, low = apli_plane_bits(bits);
    const int64_t columns = panels->columns, row_bytes = apli_packed_row_bytes(layout, columns);
    const int64_t first = panel * APLI_PANEL_ROWS;
    const int count = panels->rows - first < APLI_PANEL_ROWS ? (int)(panels->rows - first) : APLI_PANEL_ROWS;
    Sixteen *sixteens = (Sixteen *)scratch; /* (count, columns ÷ 16) */
    for (int64_t chunk = 0; chunk < panels->chunks; chunk += INT64_C(1) << panels->piece_shift)
        memset(to + apli_piece_at(panels, chunk), 0, (size_t)panels->codes_at);
    for (int row = 0; row < count; row++)
        unpack_codes[layout->codec](layout, rows + (first + row) * row_bytes, columns, scratch + row * columns);
    for (int64_t span = 0; span < panels->spans && span * form->span < columns; span++) {
        const int64_t chunk = span * form->span / APLI_PANEL_CHUNK, index = apli_numbers_at(panels, chunk) + (form->halves ? span % 2 : 0);
        uint8_t *numbers = to + apli_piece_at(panels, chunk);
        for (int row = 0; row < count; row++) {
            const Sixteen *sixteen = &sixteens[(row * columns + span * form->span) / 16];
            const uint8_t *block = rows + (first + row) * row_bytes;
            if (form->levels) block += span * form->span / APLI_PANEL_BLOCK * layout->block_bytes;
            store_number(panels, numbers, index, row, sixteen->scale, block + form->scale_at);
            if (form->minimum)
                store_number(panels, numbers + panels->minimums_at, index, row, sixteen->minimum, block + form->minimum_at);
        }
    }
    for (int64_t chunk = 0; chunk < panels->chunks; chunk++) {
        uint8_t codes[VECTORS][VECTOR_BYTES] = {0};
        for (int row = 0; row < count; row++)
            for (int64_t half = chunk * 2; half < chunk * 2 + 2 && half < columns / 16; half++) {
                uint8_t unsigned_codes[16];
                for (int i = 0; i < 16; i++)
                    unsigned_codes[i] = (uint8_t)((sixteens[row * columns / 16 + half].codes[i] + form->zero) >> (form->unit / 2));
                const int at = lane_of(row, (int)(half % 2));
                for (int i = 0; i < 4; i++)
                    memcpy(&codes[at / APLI_PANEL_ROWS * 4 + i][at % APLI_PANEL_ROWS * 4], unsigned_codes + i * 4, 4);
            }
        uint8_t *plane = to + apli_codes_at(panels, chunk, bits);
        store_plane((const uint8_t(*)[VECTOR_BYTES])codes, low, 0, plane);
        if (low < bits) store_plane((const uint8_t(*)[VECTOR_BYTES])codes, bits - low, low, plane + low * 64);
    }
}
