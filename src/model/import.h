/* Importing a model: a file becomes the variables that the model's APL reads. Weights stay where the mapped file has them.

   Arrays: EMBEDDING OUTPUT (vocabulary, width); WQ WK WV WO W_GATE W_UP W_DOWN (layers, outputs, inputs), stacked;
   NORM_ATTENTION NORM_FFN (layers, width) and NORM_FINAL (width) in f32; ROPE_FACTORS (ROPE_DIMS÷2), what the angle of each
   pair is divided by. OUTPUT is EMBEDDING itself where the file ties them.
   Scalars: NUM_LAYERS NUM_HEADS KV_GROUPS (key/value heads) HEAD_DIM WIDTH FFN_WIDTH VOCAB_SIZE CONTEXT_LENGTH ROPE_BASE
   ROPE_DIMS NORM_EPSILON WINDOW_SIZE (0: none).
   Texts: MODEL_FAMILY ACTIVATION NORM_TYPE ATTENTION_VARIANT ('full' 'sliding') ROPE_PAIRING ('interleaved' 'halves'). */
#ifndef APLI_MODEL_IMPORT_H
#define APLI_MODEL_IMPORT_H

#include "array/array.h"
#include "model/gguf.h"
#include "model/model_config.h"
#include "model/panel_file.h"
#include "model/tokenizer.h"

typedef struct AplModel AplModel;

/* Opens a GGUF file and checks all of it: the shape of every tensor against the configuration, no tensor that the family
   does not know, no NaN or infinity among plain weights and the scales of packed ones. Errors name the file and the tensor,
   what was expected and what was found. */
AplErr apli_model_open(const char *path, AplModel **result);
/* The same from bytes that outlive the model and its arrays. */
AplErr apli_model_open_memory(const char *source, const void *bytes, size_t size, AplModel **result);
/* Before the arrays are defined: lays the matrices out for products with activations of 8 bits, at the first use of a model, in a
   file that later uses map (model/panel_file.h, also for the progress). WS FULL. */
AplErr apli_model_prepare(AplModel *model, const AplPanelProgress *progress);
void apli_model_close(AplModel *model); /* NULL is allowed; arrays that were defined keep the mapping */

/* Calls define(user, name, value) for every variable; value is borrowed. The first error ends it. */
typedef AplErr AplModelDefine(void *user, const char *name, AplArray *value);
AplErr apli_model_define(const AplModel *model, AplModelDefine *define, void *user);

/* Also for `inspect`: the metadata and the tensors as the file lists them. */
const AplGguf *apli_model_gguf(const AplModel *model);
const AplModelConfig *apli_model_config(const AplModel *model);
/* general.name, "" when absent; not NUL-terminated. */
const char *apli_model_name(const AplModel *model, size_t *length);
/* tokenizer.chat_template, NULL when absent; not NUL-terminated. */
const char *apli_model_chat_template(const AplModel *model, size_t *length);
/* Bytes of all tensors × 8 ÷ their elements. */
double apli_model_bits_per_weight(const AplModel *model);
/* Bytes of weights that one token reads, and multiplications by weights that it takes, in the first `layers` layers (0: all)
   and the output. Of an embedding that is not the output, a token reads one row, which is not counted. */
uint64_t apli_model_weight_bytes(const AplModel *model, int64_t layers);
uint64_t apli_model_layer_products(const AplModel *model, int64_t layers); /* in the layers */
uint64_t apli_model_output_products(const AplModel *model);                /* in the output */
/* Bytes that answering needs at a context length: the file, and keys and values in f16 for every layer and position. */
uint64_t apli_model_memory_need(const AplModel *model, int64_t context);
/* The tokenizer that the file describes, owned by the caller; it does not need the model any more. */
AplErr apli_model_tokenizer(const AplModel *model, AplTokenizer **result);

#endif
