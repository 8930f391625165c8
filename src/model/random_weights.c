/* Random weights: a block's codes are random bits, made fit for the type; then its scale is put where the type has it.
   Codes that are all equally likely have the deviation `spread` (in units of the scale), by arithmetic:
       q8_0   -127..127                  √((255²-1)÷12) = 73.6
       q4_0   -8..7                      √((16²-1)÷12)  = 4.61 (the mean, -½, is left in)
       q6_k   -32..31, sub-scale 64      √((64²-1)÷12) × 64 = 1182
       q4_k   0..15, sub-scale 32, its minimum 32 × 7.5 scales   4.61 × 32 = 147.5
       iq4_nl its 16 values              the root of their mean square, 72.3 (the mean, -2.6, is left in)
       tq2_0  -1 0 0 1                   √½
       iq2_bn the same, one f32 scale a row
       q1_0   ±1                         1 */
#include "model/random_weights.h"

#include "base/random.h"
#include "elem/elem.h"
#include "model/gguf.h"

#include <math.h>
#include <string.h>

/* Turns a block of random bytes into valid codes; scales[0] is the block's scale as f16, scales[1] that of minimums. */
typedef void Finish(uint8_t *block, const uint16_t scales[2]);

static void finish_q8_0(uint8_t *block, const uint16_t scales[2]) {
    for (int i = 2; i < 34; i++) block[i] = (uint8_t)(block[i] == 0x80 ? 0x81 : block[i]);
    memcpy(block, scales, 2);
}

static void finish_scale_first(uint8_t *block, const uint16_t scales[2]) { memcpy(block, scales, 2); }

static void finish_q6_k(uint8_t *block, const uint16_t scales[2]) {
    memset(block + 192, 64, 16);
    memcpy(block + 208, scales, 2);
}

static void finish_q4_k(uint8_t *block, const uint16_t scales[2]) {
    /* twelve bytes hold 16 numbers of 6 bits: the low four bits of the last eight are in the last four bytes, the high
       two bits in the others' top; here all are 32 */
    memset(block + 4, 32 | 2 << 6, 8);
    memset(block + 12, 0, 4);
    memcpy(block, scales, 4);
}

/* Codes of two random bits, which are added: 0 1 1 2. */
static void make_ternary(uint8_t *codes, int bytes) {
    for (int i = 0; i < bytes; i++) codes[i] = (uint8_t)((codes[i] & 0x55) + (codes[i] >> 1 & 0x55));
}

static void finish_tq2_0(uint8_t *block, const uint16_t scales[2]) {
    make_ternary(block, 64);
    memcpy(block + 64, scales, 2);
}

static void finish_iq2_bn(uint8_t *block, const uint16_t scales[2]) {
    (void)scales;
    make_ternary(block, 16);
}

static const struct RandomType {
    const char *name;
    double spread, minimum; /* the scale of minimums ÷ the scale */
    Finish *finish;
} random_types[] = {
    {"q8_0", 73.6, 0, finish_q8_0},      {"q4_0", 4.61, 0, finish_scale_first}, {"q6_k", 1182, 0, finish_q6_k},
    {"q4_k", 147.5, 7.5, finish_q4_k},   {"iq4_nl", 72.3, 0, finish_scale_first}, {"tq2_0", 0.7071, 0, finish_tq2_0},
    {"iq2_bn", 0.7071, 0, finish_iq2_bn}, {"q1_0", 1, 0, finish_scale_first},
};

static const struct RandomType *find(const char *name) {
    for (size_t i = 0; i < sizeof random_types / sizeof *random_types; i++)
        if (strcmp(random_types[i].name, name) == 0) return &random_types[i];
    return NULL;
}

AplErr apli_random_type(const char *type) {
    FAIL_IF(!find(type), APL_DOMAIN, "random weights of type %s cannot be made", type);
    return APL_OK;
}

int64_t apli_random_row_bytes(const char *type, int64_t columns) {
    const AplGgufTensorType *form = apli_gguf_tensor_type(type);
    return (int64_t)form->row_bytes + columns / (int64_t)form->block_elements * (int64_t)form->block_bytes;
}

/* Scales between ⅔ and 4÷3 of the middle one. */
enum { SCALES = 8 };

static void make_scales(const struct RandomType *kind, double deviation, uint16_t scales[SCALES][2]) {
    for (int i = 0; i < SCALES; i++) {
        const double scale = deviation / kind->spread * (2.0 / 3 + i * (2.0 / 3) / (SCALES - 1));
        scales[i][0] = apli_f32_to_f16((float)scale);
        scales[i][1] = apli_f32_to_f16((float)(scale * kind->minimum));
    }
}

static void fill_random(uint64_t *state, uint8_t *bytes, int64_t size) {
    int64_t i = 0;
    for (; i + 8 <= size; i += 8) {
        const uint64_t random = apli_random_u64(state);
        memcpy(bytes + i, &random, 8);
    }
    const uint64_t last = apli_random_u64(state);
    memcpy(bytes + i, &last, (size_t)(size - i));
}

void apli_random_rows(const char *type, int64_t first_row, int64_t rows, int64_t columns, double deviation, uint64_t seed,
                      uint8_t *bytes) {
    const struct RandomType *kind = find(type);
    const AplGgufTensorType *form = apli_gguf_tensor_type(type);
    const int64_t row_bytes = apli_random_row_bytes(type, columns), blocks = columns / (int64_t)form->block_elements;
    const float row_scale = (float)(deviation / kind->spread);
    uint16_t scales[SCALES][2];
    make_scales(kind, deviation, scales);
    for (int64_t row = 0; row < rows; row++, bytes += row_bytes) {
        uint64_t state = seed + (uint64_t)(first_row + row);
        state = apli_random_u64(&state); /* neighbouring seeds give unrelated rows */
        fill_random(&state, bytes, row_bytes);
        if (form->row_bytes) memcpy(bytes, &row_scale, sizeof row_scale);
        uint64_t choice = 0;
        for (int64_t block = 0; block < blocks; block++) {
            if (block % 16 == 0) choice = apli_random_u64(&state);
            kind->finish(bytes + form->row_bytes + (uint64_t)block * form->block_bytes, scales[choice % SCALES]);
            choice /= SCALES;
        }
    }
}
