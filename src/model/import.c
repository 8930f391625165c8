/* Importing: what a file must hold is the table model_tensor.def; checking and defining both walk it. */
#include "model/import.h"

#include "base/text.h"
#include "elem/packed.h"
#include "model/panel_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum Length {
    LENGTH_NONE, /* a vector has no rows */
    LENGTH_WIDTH,
    LENGTH_VOCAB,
    LENGTH_QUERIES,
    LENGTH_KEYS,
    LENGTH_FFN,
    LENGTH_ROPE_PAIRS,
    LENGTH_COUNT
} Length;

typedef struct TensorRow {
    const char *variable, *tensor;
    Length rows, columns;
    bool optional;
    bool layered;
} TensorRow;

static const TensorRow tensor_rows[] = {
#define MODEL_TENSOR(variable, name, rows, columns, optional) \
    {#variable, name, LENGTH_##rows, LENGTH_##columns, optional, false},
#define LAYER_TENSOR(variable, name, rows, columns) {#variable, name, LENGTH_##rows, LENGTH_##columns, false, true},
#include "model/model_tensor.def"
#undef MODEL_TENSOR
#undef LAYER_TENSOR
};

enum { TENSOR_ROWS = sizeof tensor_rows / sizeof *tensor_rows, NAME_CAPACITY = 96 };

struct AplModel {
    AplGguf *gguf;
    AplModelConfig config;
    int64_t lengths[LENGTH_COUNT];
    AplPanelFile *panels; /* or NULL */
};

/* The name of a row's tensor in layer `layer`. */
static void tensor_name(const TensorRow *row, int64_t layer, char name[NAME_CAPACITY]) {
    if (row->layered) snprintf(name, NAME_CAPACITY, "blk.%" PRId64 ".%s", layer, row->tensor);
    else snprintf(name, NAME_CAPACITY, "%s", row->tensor);
}

static const AplGgufTensor *find_tensor(const AplModel *model, const TensorRow *row, int64_t layer) {
    char name[NAME_CAPACITY];
    tensor_name(row, layer, name);
    return apli_gguf_find_tensor(model->gguf, name);
}

/* ---- checks ---------------------------------------------------------------------------------------------------- */

/* The plain type that a tensor type is, APLI_PACKED when a layout reads it, APLI_TYPE_COUNT when nothing does. */
static AplType element_type(const AplGgufTensorType *type) {
    static const struct {
        const char *name;
        AplType type;
    } plain[] = {{"f32", APLI_F32}, {"f16", APLI_F16}, {"bf16", APLI_BF16}, {"f64", APLI_F64}};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(plain[i].name, type->name) == 0) return plain[i].type;
    return apli_packed_layout_named(type->name) ? APLI_PACKED : APLI_TYPE_COUNT;
}

/* The first of `count` plain reals that is NaN or infinite, -1 when there is none. A block is decided at once, so that the
   loop over a good tensor vectorises. */
#define FIND_NONFINITE(type, mask) \
    for (int64_t first = 0; first < count; first += 256) { \
        const int64_t block = count - first < 256 ? count - first : 256; \
        unsigned found = 0; \
        type bits[256]; \
        memcpy(bits, bytes + first * (int64_t)sizeof(type), (size_t)block * sizeof(type)); \
        for (int64_t i = 0; i < block; i++) found |= (bits[i] & (mask)) == (mask); \
        for (int64_t i = 0; found && i < block; i++) \
            if ((bits[i] & (mask)) == (mask)) return first + i; \
    }

static int64_t find_nonfinite(AplType type, const uint8_t *bytes, int64_t count) {
    if (type == APLI_F32) FIND_NONFINITE(uint32_t, 0x7F800000u)
    else if (type == APLI_F16) FIND_NONFINITE(uint16_t, 0x7C00)
    else if (type == APLI_BF16) FIND_NONFINITE(uint16_t, 0x7F80)
    else FIND_NONFINITE(uint64_t, UINT64_C(0x7FF) << 52)
    return -1;
}

static AplErr check_shape(const AplModel *model, const TensorRow *row, const AplGgufTensor *tensor) {
    const uint64_t columns = (uint64_t)model->lengths[row->columns], rows = (uint64_t)model->lengths[row->rows];
    const int rank = row->rows == LENGTH_NONE ? 1 : 2;
    if (tensor->rank == rank && tensor->lengths[0] == columns && (rank == 1 || tensor->lengths[1] == rows)) return APL_OK;
    APLI_AUTO_TEXT found = {0}, expected = {0};
    for (int axis = tensor->rank - 1; axis >= 0; axis--) apli_text_printf(&found, " %" PRIu64, tensor->lengths[axis]);
    if (rank == 2) apli_text_printf(&expected, " %" PRIu64, rows);
    apli_text_printf(&expected, " %" PRIu64, columns);
    return apli_fail(APL_FILE_DATA, "%s: tensor %s has the shape%s, its configuration says%s", apli_gguf_source(model->gguf),
                     tensor->name, apli_text_string(&found), apli_text_string(&expected));
}

static AplErr check_values(const AplModel *model, const AplGgufTensor *tensor) {
    const char *source = apli_gguf_source(model->gguf);
    const AplType type = element_type(tensor->type);
    const int64_t columns = (int64_t)tensor->lengths[0], count = (int64_t)tensor->count;
    FAIL_IF(type == APLI_TYPE_COUNT, APL_NONCE, "%s: tensor %s is %s, which cannot be computed with", source, tensor->name,
            tensor->type->name);
    int64_t index = type == APLI_PACKED ? apli_packed_find_nonfinite(apli_packed_layout_named(tensor->type->name),
                                                                     tensor->bytes, count / columns, columns)
                                        : find_nonfinite(type, tensor->bytes, count);
    FAIL_IF(index >= 0, APL_FILE_DATA, "%s: tensor %s has %s that is NaN or infinite at (%" PRId64 ";%" PRId64 ")", source,
            tensor->name, type == APLI_PACKED ? "a scale" : "an element", index / columns, index % columns);
    return APL_OK;
}

/* Every tensor that the configuration asks for is there, with its shape and finite values. */
static AplErr check_tensors(const AplModel *model) {
    uint64_t checked = 0;
    for (int i = 0; i < TENSOR_ROWS; i++) {
        const TensorRow *row = &tensor_rows[i];
        for (int64_t layer = 0; layer < (row->layered ? model->config.layers : 1); layer++) {
            const AplGgufTensor *tensor = find_tensor(model, row, layer);
            char name[NAME_CAPACITY];
            tensor_name(row, layer, name);
            if (!tensor && row->optional) continue;
            FAIL_IF(!tensor, APL_FILE_DATA, "%s: tensor %s is missing", apli_gguf_source(model->gguf), name);
            TRY(check_shape(model, row, tensor));
            checked++;
        }
    }
    if (checked == apli_gguf_tensor_count(model->gguf)) return APL_OK;
    /* a tensor that no row accounts for would silently be left out of the computation */
    for (uint64_t i = 0; i < apli_gguf_tensor_count(model->gguf); i++) {
        const AplGgufTensor *tensor = apli_gguf_tensor(model->gguf, i);
        bool known = false;
        for (int j = 0; j < TENSOR_ROWS && !known; j++) {
            int64_t layer = 0;
            char name[NAME_CAPACITY];
            if (tensor_rows[j].layered && sscanf(tensor->name, "blk.%9" SCNd64, &layer) != 1) continue;
            tensor_name(&tensor_rows[j], layer, name);
            known = strcmp(name, tensor->name) == 0 && layer < model->config.layers;
        }
        FAIL_IF(!known, APL_NONCE, "%s: tensor %s has no part in a %s model of %" PRId64 " layers",
                apli_gguf_source(model->gguf), tensor->name, model->config.family->name, model->config.layers);
    }
    return APL_OK;
}

/* What products multiply with. */
static bool is_multiplied(const AplModel *model, const TensorRow *row) {
    if (row->rows == LENGTH_NONE) return false;
    /* the embedding only where it is the output too */
    return strcmp(row->variable, "EMBEDDING") != 0 || !apli_gguf_find_tensor(model->gguf, "output.weight");
}

/* The file of panels, if there is to be one. */
static AplErr open_panels(AplModel *model) {
    const AplGgufTensor **matrices = calloc(apli_gguf_tensor_count(model->gguf) + 1, sizeof *matrices);
    int64_t count = 0;
    FAIL_IF(!matrices, APL_WS_FULL, "%s: no memory to list its tensors", apli_gguf_source(model->gguf));
    for (int i = 0; i < TENSOR_ROWS; i++)
        for (int64_t layer = 0; layer < (tensor_rows[i].layered ? model->config.layers : 1); layer++) {
            const AplGgufTensor *tensor = find_tensor(model, &tensor_rows[i], layer);
            if (tensor && is_multiplied(model, &tensor_rows[i])) matrices[count++] = tensor;
        }
    AplErr error = apli_panel_file_open(model->gguf, matrices, count, &model->panels);
    free(matrices);
    return error;
}

/* No NaN, no infinity. What has panels was looked at when they were made. */
static AplErr check_all_values(const AplModel *model) {
    for (uint64_t i = 0; i < apli_gguf_tensor_count(model->gguf); i++) {
        const AplGgufTensor *tensor = apli_gguf_tensor(model->gguf, i);
        if (!apli_panel_file_has(model->panels, tensor)) TRY(check_values(model, tensor));
    }
    return APL_OK;
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

static AplErr check_model(AplModel *model) {
    AplModelConfig *config = &model->config;
    TRY(apli_model_config_read(model->gguf, config));
    model->lengths[LENGTH_WIDTH] = config->width;
    model->lengths[LENGTH_VOCAB] = config->vocab;
    model->lengths[LENGTH_QUERIES] = config->heads * config->head_dim;
    model->lengths[LENGTH_KEYS] = config->kv_heads * config->head_dim;
    model->lengths[LENGTH_FFN] = config->ffn_width;
    model->lengths[LENGTH_ROPE_PAIRS] = config->rope_dims / 2;
    TRY(check_tensors(model));
    TRY(open_panels(model));
    return check_all_values(model);
}

/* Takes the open file. */
static AplErr open_gguf(AplGguf *gguf, AplModel **result) {
    AplModel *model = calloc(1, sizeof *model);
    AplErr outcome;
    if (!model) {
        outcome = apli_fail(APL_WS_FULL, "%s: no memory to open it", apli_gguf_source(gguf));
        apli_gguf_close(gguf);
        return outcome;
    }
    model->gguf = gguf;
    outcome = check_model(model);
    if (outcome != APL_OK) {
        apli_model_close(model);
        return outcome;
    }
    *result = model;
    return APL_OK;
}

AplErr apli_model_open(const char *path, AplModel **result) {
    AplGguf *gguf;
    TRY(apli_gguf_open(path, &gguf));
    return open_gguf(gguf, result);
}

AplErr apli_model_open_memory(const char *source, const void *bytes, size_t size, AplModel **result) {
    AplGguf *gguf;
    TRY(apli_gguf_open_memory(source, bytes, size, &gguf));
    return open_gguf(gguf, result);
}

void apli_model_close(AplModel *model) {
    if (!model) return;
    apli_panel_file_close(model->panels);
    apli_gguf_close(model->gguf);
    free(model);
}

AplErr apli_model_prepare(AplModel *model, const AplPanelProgress *progress) {
    return model->panels ? apli_panel_file_make(model->panels, progress) : APL_OK;
}

/* ---- arrays ------------------------------------------------------------------------------------------------------ */

/* A borrowed view of the tensor's bytes that keeps the mapping. */
static AplErr borrow(const AplModel *model, const AplGgufTensor *tensor, AplType type, int rank, const int64_t *shape,
                     AplArray **result) {
    AplMap *map = apli_gguf_map(model->gguf);
    AplErr outcome = apli_array_borrow(type, rank, shape, (void *)(uintptr_t)tensor->bytes, (size_t)tensor->size,
                                       map ? apli_map_release : NULL, map, result);
    if (outcome == APL_OK && map) apli_map_retain(map);
    return outcome;
}

/* A tensor as an array of its own shape: packed, or plain of the file's type. */
static AplErr tensor_array(const AplModel *model, const AplGgufTensor *tensor, AplArray **result) {
    int64_t shape[APLI_GGUF_MAX_RANK];
    for (int axis = 0; axis < tensor->rank; axis++) shape[axis] = (int64_t)tensor->lengths[tensor->rank - 1 - axis];
    const AplType type = element_type(tensor->type);
    if (type == APLI_PACKED) {
        const int64_t size = (int64_t)tensor->size;
        APLI_AUTO AplArray *bytes = NULL, *packed = NULL;
        TRY(borrow(model, tensor, APLI_I8, 1, &size, &bytes));
        TRY(apli_packed_new(apli_packed_layout_named(tensor->type->name), tensor->rank, shape, bytes->storage, bytes->data,
                            &packed));
        TRY(apli_panel_file_attach(model->panels, tensor, packed));
        *result = apli_move(&packed);
        return APL_OK;
    }
    /* a file may choose an alignment smaller than its elements */
    if ((uintptr_t)tensor->bytes % (uintptr_t)(apli_types[type].bits / 8) == 0)
        return borrow(model, tensor, type, tensor->rank, shape, result);
    TRY(apli_array_new(type, tensor->rank, shape, result));
    memcpy((*result)->data, tensor->bytes, (size_t)tensor->size);
    return APL_OK;
}

/* A vector tensor in f32. */
static AplErr vector_array(const AplModel *model, const AplGgufTensor *tensor, AplArray **result) {
    APLI_AUTO AplArray *array = NULL, *plain = NULL;
    TRY(tensor_array(model, tensor, &array));
    TRY(apli_plain(array, &plain));
    return apli_convert(plain, APLI_F32, result);
}

static AplErr stack_weights(const AplModel *model, const TensorRow *row, AplArray **result) {
    const int64_t layers = model->config.layers;
    AplArray **cells = calloc((size_t)layers, sizeof *cells);
    FAIL_IF(!cells, APL_WS_FULL, "no memory for %" PRId64 " layers of %s", layers, row->variable);
    AplErr outcome = APL_OK;
    for (int64_t layer = 0; layer < layers && outcome == APL_OK; layer++)
        outcome = tensor_array(model, find_tensor(model, row, layer), &cells[layer]);
    if (outcome == APL_OK) outcome = apli_stack(cells, layers, result);
    for (int64_t layer = 0; layer < layers; layer++) apli_array_release(cells[layer]);
    free(cells);
    return outcome;
}

/* Vectors of all layers as the rows of a matrix. */
static AplErr gather_vectors(const AplModel *model, const TensorRow *row, AplArray **result) {
    const int64_t shape[] = {model->config.layers, model->lengths[row->columns]};
    APLI_AUTO AplArray *matrix = NULL;
    TRY(apli_array_new(APLI_F32, 2, shape, &matrix));
    for (int64_t layer = 0; layer < shape[0]; layer++) {
        APLI_AUTO AplArray *vector = NULL;
        TRY(vector_array(model, find_tensor(model, row, layer), &vector));
        apli_copy(matrix, layer * shape[1], vector, 0, shape[1]);
    }
    *result = apli_move(&matrix);
    return APL_OK;
}

/* What each pair's angle is divided by: the file's factors, times the linear scaling. */
static AplErr rope_factors(const AplModel *model, const AplGgufTensor *tensor, AplArray **result) {
    APLI_AUTO AplArray *factors = NULL, *from_file = NULL;
    TRY(apli_vector_new(APLI_F64, model->config.rope_dims / 2, &factors));
    if (tensor) TRY(vector_array(model, tensor, &from_file));
    for (int64_t i = 0; i < factors->count; i++)
        ((double *)factors->data)[i] = model->config.rope_scale * (from_file ? apli_f64_at(from_file, i) : 1);
    factors->weak = true;
    *result = apli_move(&factors);
    return APL_OK;
}

static AplErr row_array(const AplModel *model, const TensorRow *row, AplArray **result) {
    const AplGgufTensor *tensor = find_tensor(model, row, 0);
    if (row->columns == LENGTH_ROPE_PAIRS) return rope_factors(model, tensor, result);
    if (row->layered) return row->rows == LENGTH_NONE ? gather_vectors(model, row, result) : stack_weights(model, row, result);
    return row->rows == LENGTH_NONE ? vector_array(model, tensor, result) : tensor_array(model, tensor, result);
}

typedef struct Definer {
    AplModelDefine *define;
    void *user;
} Definer;

static AplErr define_integer(const Definer *definer, const char *name, int64_t value) {
    APLI_AUTO AplArray *scalar = NULL;
    TRY(apli_scalar_i64(value, &scalar));
    return definer->define(definer->user, name, scalar);
}

static AplErr define_real(const Definer *definer, const char *name, double value) {
    APLI_AUTO AplArray *scalar = NULL;
    TRY(apli_scalar_f64(value, &scalar));
    return definer->define(definer->user, name, scalar);
}

static AplErr define_text(const Definer *definer, const char *name, const char *value) {
    APLI_AUTO AplArray *text = NULL;
    TRY(apli_string(value, strlen(value), &text));
    return definer->define(definer->user, name, text);
}

static AplErr define_config(const AplModelConfig *config, const Definer *definer) {
    TRY(define_integer(definer, "NUM_LAYERS", config->layers));
    TRY(define_integer(definer, "NUM_HEADS", config->heads));
    TRY(define_integer(definer, "KV_GROUPS", config->kv_heads));
    TRY(define_integer(definer, "HEAD_DIM", config->head_dim));
    TRY(define_integer(definer, "WIDTH", config->width));
    TRY(define_integer(definer, "FFN_WIDTH", config->ffn_width));
    TRY(define_integer(definer, "VOCAB_SIZE", config->vocab));
    TRY(define_integer(definer, "CONTEXT_LENGTH", config->context));
    TRY(define_integer(definer, "WINDOW_SIZE", config->window));
    TRY(define_integer(definer, "ROPE_DIMS", config->rope_dims));
    TRY(define_real(definer, "ROPE_BASE", config->rope_base));
    TRY(define_real(definer, "NORM_EPSILON", config->norm_epsilon));
    TRY(define_text(definer, "MODEL_FAMILY", config->family->name));
    TRY(define_text(definer, "ACTIVATION", config->family->activation));
    TRY(define_text(definer, "NORM_TYPE", config->family->norm));
    TRY(define_text(definer, "ROPE_PAIRING", config->family->rope_pairing));
    return define_text(definer, "ATTENTION_VARIANT", config->window ? "sliding" : "full");
}

AplErr apli_model_define(const AplModel *model, AplModelDefine *define, void *user) {
    const Definer definer = {define, user};
    APLI_AUTO AplArray *embedding = NULL;
    TRY(define_config(&model->config, &definer));
    for (int i = 0; i < TENSOR_ROWS; i++) {
        const TensorRow *row = &tensor_rows[i];
        APLI_AUTO AplArray *array = NULL;
        if (strcmp(row->variable, "OUTPUT") == 0 && !find_tensor(model, row, 0)) array = apli_array_retain(embedding);
        else TRY(row_array(model, row, &array));
        if (strcmp(row->variable, "EMBEDDING") == 0) embedding = apli_array_retain(array);
        TRY(define(user, row->variable, array));
    }
    return APL_OK;
}

/* ---- questions --------------------------------------------------------------------------------------------------- */

const AplGguf *apli_model_gguf(const AplModel *model) { return model->gguf; }
const AplModelConfig *apli_model_config(const AplModel *model) { return &model->config; }

/* The string of a key, `absent` when there is none or it is no string. */
static const char *string_or(const AplModel *model, const char *key, const char *absent, size_t *length) {
    const AplGgufEntry *entry = apli_gguf_find(model->gguf, key);
    if (entry && !entry->is_array && entry->type == APLI_GGUF_STRING) return apli_gguf_string_at(entry, 0, length);
    *length = absent ? strlen(absent) : 0;
    return absent;
}

const char *apli_model_name(const AplModel *model, size_t *length) { return string_or(model, "general.name", "", length); }

const char *apli_model_chat_template(const AplModel *model, size_t *length) {
    return string_or(model, "tokenizer.chat_template", NULL, length);
}

double apli_model_bits_per_weight(const AplModel *model) {
    double bytes = 0, elements = 0;
    for (uint64_t i = 0; i < apli_gguf_tensor_count(model->gguf); i++) {
        bytes += (double)apli_gguf_tensor(model->gguf, i)->size;
        elements += (double)apli_gguf_tensor(model->gguf, i)->count;
    }
    return bytes * 8 / elements;
}

static bool is_output(const AplModel *model, const AplGgufTensor *tensor) {
    const bool tied = !apli_gguf_find_tensor(model->gguf, "output.weight");
    return strcmp(tensor->name, tied ? "token_embd.weight" : "output.weight") == 0;
}

/* Whether the tensor belongs to a layer of the first `layers` (0: all). */
static bool is_of_layers(const AplGgufTensor *tensor, int64_t layers) {
    return strncmp(tensor->name, "blk.", 4) == 0 && (!layers || atoll(tensor->name + 4) < layers);
}

uint64_t apli_model_weight_bytes(const AplModel *model, int64_t layers) {
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < apli_gguf_tensor_count(model->gguf); i++) {
        const AplGgufTensor *tensor = apli_gguf_tensor(model->gguf, i);
        const bool is_embedding = strcmp(tensor->name, "token_embd.weight") == 0;
        if (strncmp(tensor->name, "blk.", 4) == 0 ? is_of_layers(tensor, layers) : !is_embedding || is_output(model, tensor))
            bytes += tensor->size;
    }
    return bytes;
}

uint64_t apli_model_layer_products(const AplModel *model, int64_t layers) {
    uint64_t count = 0;
    for (uint64_t i = 0; i < apli_gguf_tensor_count(model->gguf); i++) {
        const AplGgufTensor *tensor = apli_gguf_tensor(model->gguf, i);
        if (tensor->rank == 2 && is_of_layers(tensor, layers)) count += tensor->count;
    }
    return count;
}

uint64_t apli_model_output_products(const AplModel *model) {
    return (uint64_t)model->config.vocab * (uint64_t)model->config.width;
}

uint64_t apli_model_memory_need(const AplModel *model, int64_t context) {
    const AplModelConfig *config = &model->config;
    double cache = 2.0 * sizeof(uint16_t) * (double)config->layers * (double)context * (double)(config->kv_heads * config->head_dim);
    return apli_gguf_file_size(model->gguf) + (uint64_t)fmin(cache, 1e18);
}
