/* Random models: the list of tensors from the shape, their types from the precision, rows made by all threads at once. */
#include "model/random_model.h"

#include "model/gguf_writer.h"
#include "model/random_weights.h"
#include "model/tokenizer_internal.h"
#include "os/parallel.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Shape {
    const char *name;
    int64_t layers, width, heads, kv_heads, ffn, vocabulary;
    double rope_base;
    bool tied;
} Shape;

static const Shape shapes[] = {
#define MODEL_SHAPE(name, layers, width, heads, kv_heads, ffn, vocabulary, rope_base, tied) \
    {name, layers, width, heads, kv_heads, ffn, vocabulary, rope_base, tied},
#include "model/model_shape.def"
#undef MODEL_SHAPE
};

typedef struct Precision {
    const char *name, *layers, *fallback, *embedding, *output, *output_fallback;
    uint32_t file_type;
} Precision;

static const Precision precisions[] = {
#define MODEL_PRECISION(name, layers, fallback, embedding, output, output_fallback, file_type) \
    {name, layers, fallback, embedding, output, output_fallback, file_type},
#include "model/model_precision.def"
#undef MODEL_PRECISION
};

enum {
    SHAPES = sizeof shapes / sizeof *shapes,
    PRECISIONS = sizeof precisions / sizeof *precisions,
    CONTEXT = 1 << 20,
    PART_BYTES = 8 << 20, /* of a tensor, made at once */
    UNIT_BYTES = 256 << 10,
    MOST_TENSORS_OF_A_LAYER = 9,
    NAME_CAPACITY = 64
};

void apli_random_model_shapes(AplText *names) {
    for (int i = 0; i < SHAPES; i++) apli_text_printf(names, "%s%s", i ? ", " : "", shapes[i].name);
}

void apli_random_model_precisions(AplText *names) {
    for (int i = 0; i < PRECISIONS; i++) apli_text_printf(names, "%s%s", i ? ", " : "", precisions[i].name);
}

/* What a model is made of. */
typedef struct Plan {
    Shape shape;
    const Precision *precision;
    uint64_t seed;
} Plan;

static AplErr make_plan(const AplRandomModel *model, Plan *plan) {
    APLI_AUTO_TEXT known = {0};
    const Shape *shape = NULL;
    plan->precision = NULL;
    for (int i = 0; i < SHAPES; i++)
        if (strcmp(shapes[i].name, model->shape) == 0) shape = &shapes[i];
    for (int i = 0; i < PRECISIONS; i++)
        if (strcmp(precisions[i].name, model->precision) == 0) plan->precision = &precisions[i];
    if (!shape) apli_random_model_shapes(&known);
    else apli_random_model_precisions(&known);
    FAIL_IF(!shape, APL_DOMAIN, "there is no shape \"%s\"; there are %s", model->shape, apli_text_string(&known));
    FAIL_IF(!plan->precision, APL_DOMAIN, "weights of \"%s\" bits cannot be made; there are %s", model->precision,
            apli_text_string(&known));
    FAIL_IF(model->layers < 0 || model->layers > 1 << 16, APL_DOMAIN, "a model of %" PRId64 " layers", model->layers);
    plan->shape = *shape;
    if (model->layers) plan->shape.layers = model->layers;
    plan->seed = model->seed;
    return APL_OK;
}

/* ---- tensors ------------------------------------------------------------------------------------------------- */

typedef struct Tensor {
    char name[NAME_CAPACITY];
    const char *type; /* "f32": a norm's gains */
    int64_t rows, columns; /* rows 0: a vector */
    double deviation;
} Tensor;

static const char *type_or(const char *type, const char *fallback, int64_t columns) {
    return (uint64_t)columns % apli_gguf_tensor_type(type)->block_elements ? fallback : type;
}

enum { NO_LAYER = -1 };

static void name_tensor(Tensor *tensor, int64_t layer, const char *name) {
    if (layer == NO_LAYER) snprintf(tensor->name, NAME_CAPACITY, "%s", name);
    else snprintf(tensor->name, NAME_CAPACITY, "blk.%d.%s", (int)layer, name);
}

static Tensor matrix(const Plan *plan, int64_t layer, const char *name, int64_t rows, int64_t columns) {
    const Precision *precision = plan->precision;
    Tensor tensor = {.type = type_or(precision->layers, precision->fallback, columns),
                     .rows = rows, .columns = columns, .deviation = 1 / sqrt((double)columns)};
    name_tensor(&tensor, layer, name);
    return tensor;
}

static Tensor embedding(const Plan *plan) {
    const Precision *precision = plan->precision;
    Tensor tensor = matrix(plan, NO_LAYER, "token_embd.weight", plan->shape.vocabulary, plan->shape.width);
    tensor.type = type_or(plan->shape.tied ? precision->output : precision->embedding, precision->output_fallback,
                          plan->shape.width);
    return tensor;
}

static Tensor output(const Plan *plan) {
    Tensor tensor = matrix(plan, NO_LAYER, "output.weight", plan->shape.vocabulary, plan->shape.width);
    tensor.type = type_or(plan->precision->output, plan->precision->output_fallback, plan->shape.width);
    return tensor;
}

static Tensor gains(int64_t layer, const char *name, int64_t columns) {
    Tensor tensor = {.type = "f32", .columns = columns};
    name_tensor(&tensor, layer, name);
    return tensor;
}

static int layer_tensors(const Plan *plan, int64_t layer, Tensor tensors[MOST_TENSORS_OF_A_LAYER]) {
    const Shape *shape = &plan->shape;
    const int64_t width = shape->width, keys = width / shape->heads * shape->kv_heads;
    int count = 0;
    tensors[count++] = gains(layer, "attn_norm.weight", width);
    tensors[count++] = matrix(plan, layer, "attn_q.weight", width, width);
    tensors[count++] = matrix(plan, layer, "attn_k.weight", keys, width);
    tensors[count++] = matrix(plan, layer, "attn_v.weight", keys, width);
    tensors[count++] = matrix(plan, layer, "attn_output.weight", width, width);
    tensors[count++] = gains(layer, "ffn_norm.weight", width);
    tensors[count++] = matrix(plan, layer, "ffn_gate.weight", shape->ffn, width);
    tensors[count++] = matrix(plan, layer, "ffn_up.weight", shape->ffn, width);
    tensors[count++] = matrix(plan, layer, "ffn_down.weight", width, shape->ffn);
    return count;
}

/* Calls visit(user, tensor, index) for every tensor in the order of the file. */
typedef AplErr Visit(void *user, const Tensor *tensor, int64_t index);

static AplErr visit_tensors(const Plan *plan, Visit *visit, void *user) {
    Tensor tensors[MOST_TENSORS_OF_A_LAYER] = {embedding(plan)};
    int64_t index = 0;
    TRY(visit(user, &tensors[0], index++));
    for (int64_t layer = 0; layer < plan->shape.layers; layer++) {
        const int count = layer_tensors(plan, layer, tensors);
        for (int i = 0; i < count; i++) TRY(visit(user, &tensors[i], index++));
    }
    tensors[0] = gains(NO_LAYER, "output_norm.weight", plan->shape.width);
    TRY(visit(user, &tensors[0], index++));
    if (plan->shape.tied) return APL_OK;
    tensors[0] = output(plan);
    return visit(user, &tensors[0], index++);
}

static AplErr put_tensor(void *user, const Tensor *tensor, int64_t index) {
    (void)index;
    const uint64_t lengths[] = {(uint64_t)tensor->columns, (uint64_t)tensor->rows};
    if (tensor->rows) TRY(apli_random_type(tensor->type));
    return apli_gguf_put_tensor(user, tensor->name, tensor->type, tensor->rows ? 2 : 1, lengths);
}

/* ---- metadata ------------------------------------------------------------------------------------------------ */

/* The vocabulary: tokens 0 to 255 are the bytes in GPT-2's letters, 256 is "th", then come the begin and the end, then
   names. */
enum { TOKEN_TH = 256, TOKEN_BEGIN, TOKEN_END, FIRST_NAME, TOKEN_CAPACITY = 24 };

static void write_token(int64_t id, char token[TOKEN_CAPACITY]) {
    if (id < TOKEN_TH) {
        const size_t length = apli_utf8_put(apli_byte_letter((uint8_t)id), token);
        token[length] = 0;
    } else {
        static const char *const named[] = {"th", "<s>", "</s>"};
        if (id < FIRST_NAME) snprintf(token, TOKEN_CAPACITY, "%s", named[id - TOKEN_TH]);
        else snprintf(token, TOKEN_CAPACITY, "[%" PRId64 "]", id);
    }
}

static AplErr put_tokens(AplGgufWriter *writer, int64_t count) {
    char(*texts)[TOKEN_CAPACITY] = calloc((size_t)count, sizeof *texts);
    const char **tokens = calloc((size_t)count, sizeof *tokens);
    int32_t *types = calloc((size_t)count, sizeof *types);
    const bool enough = texts && tokens && types;
    for (int64_t i = 0; enough && i < count; i++) {
        write_token(i, texts[i]);
        tokens[i] = texts[i];
        types[i] = i <= TOKEN_TH ? APLI_TOKEN_NORMAL : i < FIRST_NAME ? APLI_TOKEN_CONTROL : APLI_TOKEN_UNUSED;
    }
    if (enough) {
        apli_gguf_put_strings(writer, "tokenizer.ggml.tokens", tokens, (uint64_t)count);
        apli_gguf_put_i32s(writer, "tokenizer.ggml.token_type", types, (uint64_t)count);
    }
    free(texts);
    free(tokens);
    free(types);
    FAIL_IF(!enough, APL_WS_FULL, "no memory for a vocabulary of %" PRId64 " tokens", count);
    return APL_OK;
}

static AplErr put_metadata(const Plan *plan, AplGgufWriter *writer) {
    const Shape *shape = &plan->shape;
    APLI_AUTO_TEXT name = {0};
    static const char *const merges[] = {"t h"};
    const bool number = plan->precision->name[0] <= '9';
    apli_text_printf(&name, "%s, random, %s%s", shape->name, plan->precision->name, number ? " bits" : "");
    TRY(apli_text_status(&name));
    apli_gguf_put_string(writer, "general.architecture", "llama");
    apli_gguf_put_string(writer, "general.name", name.bytes);
    apli_gguf_put_u32(writer, "general.file_type", plan->precision->file_type);
    apli_gguf_put_u32(writer, "llama.block_count", (uint32_t)shape->layers);
    apli_gguf_put_u32(writer, "llama.context_length", CONTEXT);
    apli_gguf_put_u32(writer, "llama.embedding_length", (uint32_t)shape->width);
    apli_gguf_put_u32(writer, "llama.feed_forward_length", (uint32_t)shape->ffn);
    apli_gguf_put_u32(writer, "llama.attention.head_count", (uint32_t)shape->heads);
    apli_gguf_put_u32(writer, "llama.attention.head_count_kv", (uint32_t)shape->kv_heads);
    apli_gguf_put_f32(writer, "llama.attention.layer_norm_rms_epsilon", 1e-5f);
    apli_gguf_put_u32(writer, "llama.rope.dimension_count", (uint32_t)(shape->width / shape->heads));
    apli_gguf_put_f32(writer, "llama.rope.freq_base", (float)shape->rope_base);
    apli_gguf_put_u32(writer, "llama.vocab_size", (uint32_t)shape->vocabulary);
    apli_gguf_put_string(writer, "tokenizer.ggml.model", "gpt2");
    apli_gguf_put_string(writer, "tokenizer.ggml.pre", "gpt-2");
    TRY(put_tokens(writer, shape->vocabulary));
    apli_gguf_put_strings(writer, "tokenizer.ggml.merges", merges, 1);
    apli_gguf_put_u32(writer, "tokenizer.ggml.bos_token_id", TOKEN_BEGIN);
    apli_gguf_put_u32(writer, "tokenizer.ggml.eos_token_id", TOKEN_END);
    apli_gguf_put_boolean(writer, "tokenizer.ggml.add_bos_token", true);
    return APL_OK;
}

/* ---- data ---------------------------------------------------------------------------------------------------- */

typedef struct Filling {
    const Plan *plan;
    AplGgufWriter *writer;
    uint8_t *part; /* PART_BYTES */
    const Tensor *tensor;
    int64_t first_row, rows, unit_rows, row_bytes;
    uint64_t seed;
} Filling;

static void fill_unit(void *user, int64_t unit, int thread) {
    (void)thread;
    const Filling *filling = user;
    const int64_t first = unit * filling->unit_rows, left = filling->rows - first;
    apli_random_rows(filling->tensor->type, filling->first_row + first, left < filling->unit_rows ? left : filling->unit_rows,
                     filling->tensor->columns, filling->tensor->deviation, filling->seed,
                     filling->part + first * filling->row_bytes);
}

static AplErr write_gains(const Filling *filling, const Tensor *tensor) {
    float *values = (float *)filling->part;
    for (int64_t i = 0; i < tensor->columns; i++) values[i] = 1;
    return apli_gguf_write(filling->writer, values, (size_t)tensor->columns * sizeof *values);
}

static AplErr write_tensor(void *user, const Tensor *tensor, int64_t index) {
    Filling *filling = user;
    if (!tensor->rows) return write_gains(filling, tensor);
    filling->tensor = tensor;
    filling->row_bytes = apli_random_row_bytes(tensor->type, tensor->columns);
    filling->unit_rows = UNIT_BYTES / filling->row_bytes + 1;
    filling->seed = filling->plan->seed + (uint64_t)index * UINT64_C(0x100000000);
    const int64_t part_rows = PART_BYTES / filling->row_bytes;
    for (filling->first_row = 0; filling->first_row < tensor->rows; filling->first_row += part_rows) {
        const int64_t left = tensor->rows - filling->first_row;
        filling->rows = left < part_rows ? left : part_rows;
        apli_parallel((filling->rows + filling->unit_rows - 1) / filling->unit_rows, apli_parallel_threads(), fill_unit,
                      filling);
        TRY(apli_gguf_write(filling->writer, filling->part, (size_t)(filling->rows * filling->row_bytes)));
    }
    return APL_OK;
}

static AplErr write_model(const Plan *plan, Filling *filling, AplNewFile *file) {
    filling->part = malloc(PART_BYTES);
    FAIL_IF(!filling->part, APL_WS_FULL, "no memory to make %d MB of weights at once", PART_BYTES >> 20);
    TRY(apli_gguf_writer_new(&filling->writer));
    TRY(put_metadata(plan, filling->writer));
    TRY(visit_tensors(plan, put_tensor, filling->writer));
    TRY(apli_gguf_begin(filling->writer, file));
    TRY(visit_tensors(plan, write_tensor, filling));
    return apli_gguf_finish(filling->writer);
}

AplErr apli_random_model_write(const AplRandomModel *model, AplNewFile *file) {
    Plan plan;
    TRY(make_plan(model, &plan));
    Filling filling = {.plan = &plan};
    AplErr error = write_model(&plan, &filling, file);
    apli_gguf_writer_free(filling.writer);
    free(filling.part);
    return error;
}
