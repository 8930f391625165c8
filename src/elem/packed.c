/* The packed layouts: their table, the native ones made on demand, and their plain unpacking. */
#include "elem/packed.h"

#include "elem/elem.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const float apli_nf4_values[16] = {
    -1.0f,
    -0.6961928009986877f,
    -0.5250730514526367f,
    -0.39491748809814453f,
    -0.28444138169288635f,
    -0.18477343022823334f,
    -0.09105003625154495f,
    0.0f,
    0.07958029955625534f,
    0.16093020141124725f,
    0.24611230194568634f,
    0.33791524171829224f,
    0.44070982933044434f,
    0.5626170039176941f,
    0.7229568362236023f,
    1.0f,
};

const float apli_iq4_nl_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

#define ISA(name) name##_plain
#define HALF(bits) apli_f16_to_f32(bits)
#include "elem/packed_unpack.inc"

static const AplPackedLayout fixed_layouts[APLI_CODEC_COUNT] = {
#define PACKED(id, name, representation, group, elements, bytes) \
    {#name, representation, group, elements, bytes, APLI_CODEC_##id, ISA(unpack_##name)},
#include "elem/packed.def"
#undef PACKED
};

/* Native layouts with a group size, made when first asked for. */
typedef struct GroupedLayout {
    AplPackedLayout layout;
    char name[40];
    struct GroupedLayout *next;
} GroupedLayout;

static GroupedLayout *grouped_layouts;
static pthread_mutex_t grouped_lock = PTHREAD_MUTEX_INITIALIZER;

/* Bytes of the codes of one group of `count` elements. */
static int64_t code_bytes(AplCodec codec, int64_t count) {
    switch (codec) {
    case APLI_CODEC_BINARY: return (count + 7) / 8;
    case APLI_CODEC_IQ2_BN:
    case APLI_CODEC_TERNARY: return (count + 3) / 4;
    case APLI_CODEC_INT4:
    case APLI_CODEC_NF4: return (count + 1) / 2;
    case APLI_CODEC_INT12: return count + (count + 1) / 2;
    default: return count;
    }
}

int64_t apli_packed_row_bytes(const AplPackedLayout *layout, int64_t columns) {
    if (layout->block_elements) return columns / layout->block_elements * layout->block_bytes;
    return APLI_PACKED_ROW_SCALE_BYTES + code_bytes(layout->codec, columns);
}

static AplErr find_grouped(const AplPackedLayout *family, int64_t group, const AplPackedLayout **layout) {
    for (GroupedLayout *made = grouped_layouts; made; made = made->next) {
        if (made->layout.codec != family->codec || made->layout.group != group) continue;
        *layout = &made->layout;
        return APL_OK;
    }
    GroupedLayout *made = malloc(sizeof *made);
    FAIL_IF(!made, APL_WS_FULL, "no memory for the layout %s %" PRId64, family->name, group);
    snprintf(made->name, sizeof made->name, "%s %" PRId64, family->name, group);
    made->layout = *family;
    made->layout.name = made->name;
    made->layout.group = made->layout.block_elements = group;
    made->layout.block_bytes = APLI_PACKED_SCALE_BYTES + code_bytes(family->codec, group);
    made->next = grouped_layouts;
    grouped_layouts = made;
    *layout = &made->layout;
    return APL_OK;
}

AplErr apli_packed_layout(int representation, int64_t group, int64_t columns, const AplPackedLayout **layout) {
    const AplPackedLayout *family = NULL;
    for (int codec = APLI_CODEC_BINARY; codec < APLI_CODEC_COUNT; codec++)
        if (fixed_layouts[codec].representation == representation) family = &fixed_layouts[codec];
    FAIL_IF(!family, APL_DOMAIN, "%d is not a packed type; they are 13 23 43 45 83 123", representation);
    FAIL_IF(group < 0, APL_DOMAIN, "the group size %" PRId64 " of a packed type is negative", group);
    if (group == 0) {
        *layout = family;
        return APL_OK;
    }
    FAIL_IF(columns % group != 0, APL_DOMAIN, "groups of %" PRId64 " do not divide a last axis of %" PRId64, group, columns);
    if (group == 32 && (family->codec == APLI_CODEC_INT4 || family->codec == APLI_CODEC_INT8)) {
        *layout = &fixed_layouts[family->codec == APLI_CODEC_INT4 ? APLI_CODEC_Q4_0 : APLI_CODEC_Q8_0];
        return APL_OK;
    }
    if (group == 128 && family->codec == APLI_CODEC_BINARY) {
        *layout = &fixed_layouts[APLI_CODEC_Q1_0];
        return APL_OK;
    }
    pthread_mutex_lock(&grouped_lock);
    AplErr outcome = find_grouped(family, group, layout);
    pthread_mutex_unlock(&grouped_lock);
    return outcome;
}

const AplPackedLayout *apli_packed_layout_named(const char *name) {
    for (int codec = 0; codec < APLI_CODEC_COUNT; codec++)
        if (strcmp(fixed_layouts[codec].name, name) == 0) return &fixed_layouts[codec];
    return NULL;
}

/* Where the f16 numbers of a block lie; one of them twice when there is only one. */
static void half_places(AplCodec codec, int places[2]) {
    places[0] = places[1] = 0;
    switch (codec) {
    case APLI_CODEC_Q4_1:
    case APLI_CODEC_Q5_1:
    case APLI_CODEC_Q4_K:
    case APLI_CODEC_Q5_K: places[1] = 2; break;
    case APLI_CODEC_Q2_K:
        places[0] = 80;
        places[1] = 82;
        break;
    case APLI_CODEC_Q3_K: places[0] = places[1] = 108; break;
    case APLI_CODEC_Q6_K: places[0] = places[1] = 208; break;
    case APLI_CODEC_TQ1_0: places[0] = places[1] = 52; break;
    case APLI_CODEC_TQ2_0: places[0] = places[1] = 64; break;
    default: break;
    }
}

static bool half_is_finite(const uint8_t *bytes) {
    uint16_t bits;
    memcpy(&bits, bytes, sizeof bits);
    return (bits & 0x7C00) != 0x7C00;
}

int64_t apli_packed_find_nonfinite(const AplPackedLayout *layout, const uint8_t *bytes, int64_t rows, int64_t columns) {
    if (layout->block_elements == 0) {
        for (int64_t row = 0; row < rows; row++) {
            float scale;
            memcpy(&scale, bytes + row * apli_packed_row_bytes(layout, columns), sizeof scale);
            if (!isfinite(scale)) return row * columns;
        }
        return -1;
    }
    int places[2];
    half_places(layout->codec, places);
    for (int64_t block = 0; block < rows * (columns / layout->block_elements); block++, bytes += layout->block_bytes)
        if (!half_is_finite(bytes + places[0]) || !half_is_finite(bytes + places[1])) return block * layout->block_elements;
    return -1;
}
