/* aplaca inspect: what a GGUF file holds. */
#include "cli/command.h"
#include "cli/default_model.h"
#include "cli/option.h"
#include "cli/terminal.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char about[] =
    "Shows what a GGUF file holds: the model, the bits a weight takes, the memory that running it needs,\n"
    "metadata, tensors. Without --tensors or --metadata, all of it; without a MODEL, the default one.";

enum {
    ITEMS_SHOWN = 6,
    TEXT_SHOWN = 200
}; /* of an array, and bytes of a text, in the list of all metadata */

typedef struct Inspection {
    const AplGguf *gguf;
    AplModel *model;                    /* NULL when it cannot be run */
    char reason[APLI_MESSAGE_CAPACITY]; /* why not */
    int64_t context;
    bool json, tensors;
    const char *key;
} Inspection;

static void append_item(AplText *text, const AplGgufEntry *entry, uint64_t index, bool whole) {
    size_t length;
    if (entry->type == APLI_GGUF_STRING) {
        const char *string = apli_gguf_string_at(entry, index, &length);
        const bool cut = !whole && length > TEXT_SHOWN;
        if (entry->is_array) apli_text_append_string(text, "\"");
        apli_text_append_visible(text, string, cut ? TEXT_SHOWN : length);
        if (cut) apli_text_printf(text, "… (%zu bytes)", length);
        if (entry->is_array) apli_text_append_string(text, "\"");
    } else if (entry->type == APLI_GGUF_BOOL) {
        apli_text_append_string(text, apli_gguf_integer_at(entry, index) ? "true" : "false");
    } else if (entry->type == APLI_GGUF_U64) {
        apli_text_printf(text, "%" PRIu64, (uint64_t)apli_gguf_integer_at(entry, index));
    } else if (apli_gguf_is_integer(entry->type)) {
        apli_text_printf(text, "%" PRId64, apli_gguf_integer_at(entry, index));
    } else {
        apli_text_printf(text, "%.9g", apli_gguf_real_at(entry, index));
    }
}

static void append_entry(AplText *text, const AplGgufEntry *entry, bool whole) {
    const uint64_t shown = whole || entry->count <= ITEMS_SHOWN ? entry->count : ITEMS_SHOWN;
    for (uint64_t i = 0; i < shown; i++) {
        if (i) apli_text_append_string(text, whole ? "\n" : ", ");
        append_item(text, entry, i, whole);
    }
    if (shown < entry->count)
        apli_text_printf(text, ", … (%" PRIu64 " × %s)", entry->count, apli_gguf_type_name(entry->type));
}

/* A text of the file, which may be anything, as JSON. */
static json_t *json_text(const char *bytes, size_t length) {
    json_t *text = json_stringn(bytes, length);
    if (text) return text;
    APLI_AUTO_TEXT visible = {0};
    apli_text_append_visible(&visible, bytes, length);
    return json_string(apli_text_string(&visible));
}

static json_t *json_item(const AplGgufEntry *entry, uint64_t index) {
    size_t length;
    if (entry->type == APLI_GGUF_STRING) {
        const char *string = apli_gguf_string_at(entry, index, &length);
        return json_text(string, length);
    }
    if (entry->type == APLI_GGUF_BOOL) return json_boolean(apli_gguf_integer_at(entry, index));
    if (apli_gguf_is_integer(entry->type)) return json_integer(apli_gguf_integer_at(entry, index));
    json_t *real = json_real(apli_gguf_real_at(entry, index));
    return real ? real : json_null(); /* JSON has no infinity */
}

static json_t *json_entry(const AplGgufEntry *entry, bool whole) {
    if (!entry->is_array) return json_item(entry, 0);
    if (!whole && entry->count > ITEMS_SHOWN)
        return json_pack("{s:s, s:I}", "array_of", apli_gguf_type_name(entry->type), "count",
                         (json_int_t)entry->count);
    json_t *items = json_array();
    for (uint64_t i = 0; i < entry->count; i++) json_array_append_new(items, json_item(entry, i));
    return items;
}

/* The shape as rows and columns: the axis that moves fastest last. */
static void append_shape(AplText *text, const AplGgufTensor *tensor) {
    for (int i = tensor->rank - 1; i >= 0; i--)
        apli_text_printf(text, "%s%" PRIu64, i < tensor->rank - 1 ? " " : "", tensor->lengths[i]);
}

static double bits_per_weight(const AplGguf *gguf) {
    double bits = 0, count = 0;
    for (uint64_t i = 0; i < apli_gguf_tensor_count(gguf); i++) {
        bits += 8.0 * (double)apli_gguf_tensor(gguf, i)->size;
        count += (double)apli_gguf_tensor(gguf, i)->count;
    }
    return count > 0 ? bits / count : 0;
}

static double weight_count(const AplGguf *gguf) {
    double count = 0;
    for (uint64_t i = 0; i < apli_gguf_tensor_count(gguf); i++)
        count += (double)apli_gguf_tensor(gguf, i)->count;
    return count;
}

static void print_summary(const Inspection *inspection) {
    const AplGguf *gguf = inspection->gguf;
    APLI_AUTO_TEXT text = {0};
    apli_text_printf(&text, "file             %s, GGUF %" PRIu32 ", ", apli_gguf_source(gguf),
                     apli_gguf_version(gguf));
    apli_text_append_bytes(&text, (double)apli_gguf_file_size(gguf));
    apli_text_printf(&text, "\nweights          %.4g million, %.2f bits each\n", weight_count(gguf) / 1e6,
                     bits_per_weight(gguf));
    if (!inspection->model) {
        apli_text_printf(&text, "cannot be run    %s\n", inspection->reason);
    } else {
        const AplModelConfig *config = apli_model_config(inspection->model);
        size_t length;
        const char *name = apli_model_name(inspection->model, &length);
        apli_text_append_string(&text, "model            ");
        apli_text_append_visible(&text, name, length);
        apli_text_printf(&text, ", family %s\n", config->family->name);
        apli_text_printf(&text,
                         "layers           %" PRId64 ", width %" PRId64 ", feed-forward %" PRId64
                         "\nattention        %" PRId64 " heads of %" PRId64 " on %" PRId64
                         " keys and values\ncontext          %" PRId64 " tokens, vocabulary %" PRId64 "\n",
                         config->layers, config->width, config->ffn_width, config->heads, config->head_dim,
                         config->kv_heads, config->context, config->vocab);
        apli_text_append_string(&text, "memory to run    ");
        apli_text_append_bytes(&text, (double)apli_model_memory_need(inspection->model, inspection->context));
        apli_text_printf(&text, " at a context of %" PRId64 " (--ctx)\n", inspection->context);
    }
    fputs(apli_text_string(&text), stdout);
}

static void print_metadata(const AplGguf *gguf) {
    printf("\nmetadata, %" PRIu64 " entries\n", apli_gguf_entry_count(gguf));
    for (uint64_t i = 0; i < apli_gguf_entry_count(gguf); i++) {
        const AplGgufEntry *entry = apli_gguf_entry(gguf, i);
        APLI_AUTO_TEXT value = {0};
        append_entry(&value, entry, false);
        printf("  %-42s %s\n", entry->key, apli_text_string(&value));
    }
}

static void print_tensors(const AplGguf *gguf) {
    printf("%-32s %-8s %-16s %12s\n", "tensor", "type", "shape", "bytes");
    for (uint64_t i = 0; i < apli_gguf_tensor_count(gguf); i++) {
        const AplGgufTensor *tensor = apli_gguf_tensor(gguf, i);
        APLI_AUTO_TEXT shape = {0};
        append_shape(&shape, tensor);
        printf("%-32s %-8s %-16s %12" PRIu64 "\n", tensor->name, tensor->type->name, apli_text_string(&shape),
               tensor->size);
    }
}

static json_t *json_tensors(const AplGguf *gguf) {
    json_t *tensors = json_array();
    for (uint64_t i = 0; i < apli_gguf_tensor_count(gguf); i++) {
        const AplGgufTensor *tensor = apli_gguf_tensor(gguf, i);
        json_t *shape = json_array();
        for (int axis = tensor->rank - 1; axis >= 0; axis--)
            json_array_append_new(shape, json_integer((json_int_t)tensor->lengths[axis]));
        json_array_append_new(tensors, json_pack("{s:s, s:s, s:o, s:I}", "name", tensor->name, "type",
                                                 tensor->type->name, "shape", shape, "bytes",
                                                 (json_int_t)tensor->size));
    }
    return tensors;
}

static json_t *json_everything(const Inspection *inspection) {
    const AplGguf *gguf = inspection->gguf;
    json_t *metadata = json_object();
    for (uint64_t i = 0; i < apli_gguf_entry_count(gguf); i++)
        json_object_set_new(metadata, apli_gguf_entry(gguf, i)->key,
                            json_entry(apli_gguf_entry(gguf, i), false));
    json_t *object =
        json_pack("{s:o, s:I, s:I, s:f, s:f, s:o, s:o}", "file",
                  json_text(apli_gguf_source(gguf), strlen(apli_gguf_source(gguf))), "gguf_version",
                  (json_int_t)apli_gguf_version(gguf), "file_bytes", (json_int_t)apli_gguf_file_size(gguf),
                  "weights", weight_count(gguf), "bits_per_weight", bits_per_weight(gguf), "metadata",
                  metadata, "tensors", json_tensors(gguf));
    if (!inspection->model) {
        json_object_set_new(object, "cannot_be_run",
                            json_text(inspection->reason, strlen(inspection->reason)));
        return object;
    }
    json_object_set_new(object, "context", json_integer(inspection->context));
    json_object_set_new(
        object, "memory_bytes",
        json_integer((json_int_t)apli_model_memory_need(inspection->model, inspection->context)));
    return object;
}

static AplErr print_json(json_t *value) {
    FAIL_IF(!value, APL_WS_FULL, "no memory for the JSON");
    json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    putchar('\n');
    json_decref(value);
    return APL_OK;
}

static AplErr print_inspection(const Inspection *inspection) {
    const AplGguf *gguf = inspection->gguf;
    if (inspection->key) {
        const AplGgufEntry *entry = apli_gguf_find(gguf, inspection->key);
        FAIL_IF(!entry, APL_DOMAIN, "%s: the metadata has no %s", apli_gguf_source(gguf), inspection->key);
        if (inspection->json) return print_json(json_entry(entry, true));
        APLI_AUTO_TEXT value = {0};
        append_entry(&value, entry, true);
        puts(apli_text_string(&value));
        return apli_text_status(&value);
    }
    if (inspection->json)
        return print_json(inspection->tensors ? json_tensors(gguf) : json_everything(inspection));
    if (!inspection->tensors) {
        print_summary(inspection);
        print_metadata(gguf);
        putchar('\n');
    }
    print_tensors(gguf);
    return APL_OK;
}

static AplErr inspect(const char *named, Inspection *inspection) {
    APLI_AUTO_TEXT path = {0};
    AplGguf *gguf;
    TRY(apli_model_path(named, &path));
    TRY(apli_gguf_open(path.bytes, &gguf));
    inspection->gguf = gguf;
    if (apli_model_open(path.bytes, &inspection->model) != APL_OK)
        snprintf(inspection->reason, sizeof inspection->reason, "%s", apli_error_message());
    if (inspection->model && !inspection->context) {
        const int64_t trained = apli_model_config(inspection->model)->context;
        inspection->context = trained < 2048 ? trained : 2048;
    }
    AplErr error = print_inspection(inspection);
    apli_model_close(inspection->model);
    apli_gguf_close(gguf);
    return error;
}

int command_inspect(int count, char **arguments) {
    Inspection inspection = {0};
    const AplOption options[] = {
        {"--tensors", APLI_OPTION_FLAG, &inspection.tensors, NULL,
         "the tensors only: name, type, shape, bytes", 0, 0},
        {"--metadata", APLI_OPTION_TEXT, &inspection.key, "KEY", "the whole value of this entry only", 0, 0},
        {"--ctx", APLI_OPTION_INTEGER, &inspection.context, "N",
         "context length that the memory is told for (2048)", 1, 1 << 24},
        {"--json", APLI_OPTION_FLAG, &inspection.json, NULL, "print JSON; long arrays only with --metadata",
         0, 0},
    };
    const AplSyntax syntax = {"inspect",
                              "aplaca inspect [MODEL.gguf] [OPTIONS]",
                              about,
                              options,
                              sizeof options / sizeof *options,
                              0,
                              1,
                              "model"};
    int operands, status = apli_options_parse(&syntax, count, arguments, &operands);
    if (status >= 0) return status;
    AplErr error = inspect(operands ? arguments[0] : NULL, &inspection);
    return error ? apli_complain(error) : 0;
}
