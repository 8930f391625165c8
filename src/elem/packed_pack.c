/* Packing rows of f32 into the native layouts. One rule a codec, for each group of n values x:
       binary   scale = mean |x|; code is 1 where x ≥ 0 (XNOR-Net, arXiv 1603.05279; Q1_0)
       ternary  scale = mean |x|; code is x ÷ scale, rounded half to even, clipped to -1..1 (BitNet b1.58, arXiv 2402.17764)
       int4     scale = the x of greatest magnitude ÷ -8; code is x ÷ scale + 8, rounded half up, clipped to 0..15 (Q4_0)
       nf4      scale = max |x|; the nearest of the 16 values to x ÷ scale, the lower of two equally near (QLoRA,
                arXiv 2305.14314)
       int8     scale = max |x| ÷ 127; x ÷ scale rounded half away from zero (Q8_0)
       int12    elem/packed_pack_int12.inc
   Codes are computed with the f32 scale, before an f16 stores it, as the reference does (PyPI `gguf`, gguf.quants). */
#include "elem/elem.h"
#include "elem/packed.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define ISA(name) name##_plain
#include "elem/packed_pack_int12.inc"

static float mean_magnitude(const float *values, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += fabs((double)values[i]);
    return count ? (float)(sum / (double)count) : 0;
}

/* The value of greatest magnitude, the first of several. */
static float extreme(const float *values, int64_t count) {
    float found = 0;
    for (int64_t i = 0; i < count; i++)
        if (fabsf(values[i]) > fabsf(found)) found = values[i];
    return found;
}

static float group_scale(AplCodec codec, const float *values, int64_t count) {
    switch (codec) {
    case APLI_CODEC_BINARY:
    case APLI_CODEC_TERNARY: return mean_magnitude(values, count);
    case APLI_CODEC_INT4: return extreme(values, count) / -8;
    case APLI_CODEC_NF4: return fabsf(extreme(values, count));
    default: return fabsf(extreme(values, count)) / 127;
    }
}

static float clip(float value, float low, float high) { return fminf(fmaxf(value, low), high); }

static int nearest_nf4(float value) {
    int code = 0;
    while (code < 15 && value > (apli_nf4_values[code] + apli_nf4_values[code + 1]) / 2) code++;
    return code;
}

/* The code of a value in units of the scale, as the layout stores it. */
static uint8_t code_of(AplCodec codec, float ratio) {
    switch (codec) {
    case APLI_CODEC_BINARY: return ratio >= 0;
    case APLI_CODEC_TERNARY: return (uint8_t)(clip(rintf(ratio), -1, 1) + 1);
    case APLI_CODEC_INT4: return (uint8_t)clip(ratio + 8.5f, 0, 15);
    case APLI_CODEC_NF4: return (uint8_t)nearest_nf4(ratio);
    default: return (uint8_t)(int8_t)clip(roundf(ratio), -127, 127);
    }
}

/* Where code i of a group of n lies: its byte and its first bit. */
static int64_t code_place(AplCodec codec, int64_t i, int64_t n, int *bit) {
    int64_t plane = 1;
    *bit = 0;
    switch (codec) {
    case APLI_CODEC_BINARY: *bit = (int)(i & 7); return i >> 3;
    case APLI_CODEC_TERNARY:
        plane = (n + 3) / 4;
        *bit = (int)(i / plane) * 2;
        return i % plane;
    case APLI_CODEC_INT4:
    case APLI_CODEC_NF4:
        plane = (n + 1) / 2;
        *bit = (int)(i / plane) * 4;
        return i % plane;
    default: return i;
    }
}

/* Packs one group into codes that are zero. */
static void pack_codes(AplCodec codec, const float *values, int64_t n, float scale, uint8_t *codes) {
    const float reciprocal = scale == 0 ? 0 : 1 / scale;
    for (int64_t i = 0; i < n; i++) {
        /* the sign is all that a binary code keeps; a subnormal scale has no reciprocal */
        float ratio = codec == APLI_CODEC_BINARY ? values[i]
                      : isfinite(reciprocal)     ? values[i] * reciprocal
                                                 : values[i] / scale;
        int bit;
        int64_t byte = code_place(codec, i, n, &bit);
        codes[byte] = (uint8_t)(codes[byte] | code_of(codec, ratio) << bit);
    }
}

AplErr apli_packed_pack(const AplPackedLayout *layout, const float *values, int64_t rows, int64_t columns, uint8_t *bytes) {
    AplCodec codec = layout->codec == APLI_CODEC_Q4_0   ? APLI_CODEC_INT4
                     : layout->codec == APLI_CODEC_Q8_0 ? APLI_CODEC_INT8
                     : layout->codec == APLI_CODEC_Q1_0 ? APLI_CODEC_BINARY
                                                        : layout->codec;
    FAIL_IF(codec < APLI_CODEC_BINARY, APL_NONCE, "packing to %s", layout->name);
    for (int64_t i = 0; i < rows * columns; i++)
        FAIL_IF(!isfinite(values[i]), APL_DOMAIN, "element (%" PRId64 ";%" PRId64 ") is %g, a packed type holds finite numbers",
                i / columns, i % columns, (double)values[i]);
    const int64_t n = layout->group ? layout->group : columns, row_bytes = apli_packed_row_bytes(layout, columns);
    memset(bytes, 0, (size_t)(rows * row_bytes));
    for (int64_t row = 0; row < rows; row++, bytes += row_bytes, values += columns) {
        uint8_t *block = bytes;
        for (int64_t first = 0; first < columns; first += n, block += layout->block_bytes) {
            uint8_t *codes = block + (layout->group ? APLI_PACKED_SCALE_BYTES : APLI_PACKED_ROW_SCALE_BYTES);
            float scale;
            if (codec == APLI_CODEC_INT12) ISA(pack_int12)(values + first, n, codes, &scale);
            else scale = group_scale(codec, values + first, n);
            uint16_t half = apli_f32_to_f16(scale);
            FAIL_IF(layout->group && isinf(apli_f16_to_f32(half)), APL_DOMAIN,
                    "the scale %g of the group at (%" PRId64 ";%" PRId64 ") is past float16; group 0 has float32 scales",
                    (double)scale, row, first);
            if (layout->group) memcpy(block, &half, sizeof half);
            else memcpy(block, &scale, sizeof scale);
            if (codec != APLI_CODEC_INT12) pack_codes(codec, values + first, n, scale, codes);
        }
    }
    return APL_OK;
}
