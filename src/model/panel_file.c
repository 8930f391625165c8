/* The file of a model's panels: a plan of what lies where, and a key. */
#include "model/panel_file.h"

#include "elem/panel.h"
#include "os/cache_file.h"
#include "prim/inner_product/panel_product.h"

#include <blake2.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* To be changed with the form of panels, as far as the plan's numbers do not tell it: files of another form are not found. */
#define FORM "aplaca panels 6"

enum { KEY_BYTES = 16, NAME_CAPACITY = 64, SAMPLE = 4096, WORTH_A_FILE = 1 << 24 };

typedef struct Planned {
    const AplGgufTensor *tensor;
    AplPanels panels;
    uint64_t offset;
} Planned;

struct AplPanelFile {
    Planned *planned;
    int64_t count;
    uint64_t size;
    char name[NAME_CAPACITY];
    AplMap *map; /* NULL while the file is not there */
};

static const AplPackedLayout *layout_of(const AplGgufTensor *tensor) { return apli_packed_layout_named(tensor->type->name); }

static void plan(AplPanelFile *file, const AplGgufTensor *tensor) {
    Planned *planned = &file->planned[file->count];
    const AplPackedLayout *layout = layout_of(tensor);
    if (!layout || tensor->rank != 2) return;
    if (!apli_panels_plan(layout, (int64_t)tensor->lengths[1], (int64_t)tensor->lengths[0], &planned->panels)) return;
    planned->tensor = tensor;
    planned->offset = file->size;
    file->size += (uint64_t)(planned->panels.count * planned->panels.panel_bytes);
    file->count++;
}

static void add(blake2b_state *state, const AplGguf *gguf, uint64_t offset, uint64_t size) {
    blake2b_update(state, apli_map_bytes(apli_gguf_map(gguf)) + offset, size);
}

/* The file's name: a digest of what tells its content. False when the model's file is gone. */
static bool name_file(AplPanelFile *file, const AplGguf *gguf) {
    blake2b_state state;
    struct stat status;
    uint64_t header = apli_gguf_file_size(gguf);
    if (stat(apli_gguf_source(gguf), &status) != 0) return false;
    for (uint64_t i = 0; i < apli_gguf_tensor_count(gguf); i++) {
        const AplGgufTensor *tensor = apli_gguf_tensor(gguf, i);
        header = tensor->offset < header ? tensor->offset : header;
    }
    const int64_t facts[] = {(int64_t)apli_gguf_file_size(gguf), status.st_mtim.tv_sec, status.st_mtim.tv_nsec, (int64_t)file->size};
    blake2b_init(&state, KEY_BYTES);
    blake2b_update(&state, (const uint8_t *)FORM, sizeof FORM);
    blake2b_update(&state, (const uint8_t *)facts, sizeof facts);
    add(&state, gguf, 0, header);
    for (int64_t i = 0; i < file->count; i++) {
        const AplGgufTensor *tensor = file->planned[i].tensor;
        const uint64_t size = tensor->size < SAMPLE ? tensor->size : SAMPLE;
        const AplPanels *panels = &file->planned[i].panels;
        const int64_t form[] = {panels->bytes_at, panels->minimums_at, panels->codes_at, panels->piece_bytes, panels->panel_bytes};
        blake2b_update(&state, (const uint8_t *)form, sizeof form);
        add(&state, gguf, tensor->offset, size);
        add(&state, gguf, tensor->offset + (tensor->size - size) / 2, size);
        add(&state, gguf, tensor->offset + tensor->size - size, size);
    }
    uint8_t key[KEY_BYTES];
    blake2b_final(&state, key, sizeof key);
    for (int i = 0; i < KEY_BYTES; i++) snprintf(file->name + 2 * i, NAME_CAPACITY - 2 * (size_t)i, "%02x", key[i]);
    snprintf(file->name + 2 * KEY_BYTES, NAME_CAPACITY - 2 * KEY_BYTES, ".panels");
    return true;
}

AplErr apli_panel_file_open(const AplGguf *gguf, const AplGgufTensor *const *matrices, int64_t count, AplPanelFile **result) {
    *result = NULL;
    /* a file in memory (os/new_file.h) goes with its process, and nobody finds its panels again */
    if (!apli_gguf_map(gguf) || strncmp(apli_gguf_source(gguf), "/proc/", 6) == 0) return APL_OK;
    AplPanelFile *file = calloc(1, sizeof *file);
    if (file) file->planned = calloc((size_t)count + 1, sizeof *file->planned);
    if (!file || !file->planned) {
        free(file);
        apli_fail(APL_WS_FULL, "%s: no memory to plan the panels of %" PRId64 " matrices", apli_gguf_source(gguf), count);
        return APL_WS_FULL;
    }
    for (int64_t i = 0; i < count; i++) plan(file, matrices[i]);
    if (file->size < WORTH_A_FILE || !name_file(file, gguf)) {
        apli_panel_file_close(file);
        return APL_OK;
    }
    file->map = apli_cache_find(file->name, file->size);
    *result = file;
    return APL_OK;
}

static const Planned *find(const AplPanelFile *file, const AplGgufTensor *tensor) {
    for (int64_t i = 0; file && i < file->count; i++)
        if (file->planned[i].tensor == tensor) return &file->planned[i];
    return NULL;
}

bool apli_panel_file_has(const AplPanelFile *file, const AplGgufTensor *tensor) {
    return file && file->map && find(file, tensor);
}

typedef struct Making {
    const AplPanelFile *file;
    const AplPanelProgress *progress;
} Making;

static void tell(const Making *making, uint64_t done) {
    if (making->progress) making->progress->show(making->progress->user, (int64_t)done, (int64_t)making->file->size);
}

static AplErr fill(void *context, uint8_t *bytes) {
    const Making *making = context;
    const AplPanelFile *file = making->file;
    for (int64_t i = 0; i < file->count; i++) {
        const Planned *planned = &file->planned[i];
        tell(making, planned->offset);
        TRY(apli_panels_fill(&planned->panels, layout_of(planned->tensor), planned->tensor->bytes, bytes + planned->offset));
    }
    tell(making, file->size);
    return APL_OK;
}

AplErr apli_panel_file_make(AplPanelFile *file, const AplPanelProgress *progress) {
    if (file->map) return APL_OK;
    return apli_cache_make(file->name, file->size, fill, &(Making){file, progress}, &file->map);
}

AplErr apli_panel_file_attach(const AplPanelFile *file, const AplGgufTensor *tensor, AplArray *array) {
    if (!apli_panel_file_has(file, tensor)) return APL_OK;
    const Planned *planned = find(file, tensor);
    AplPanels panels = planned->panels;
    panels.bytes = apli_map_bytes(file->map) + planned->offset;
    panels.release = apli_map_release;
    panels.owner = file->map;
    TRY(apli_attach_panels(array, &panels));
    apli_map_retain(file->map);
    return APL_OK;
}

void apli_panel_file_close(AplPanelFile *file) {
    if (!file) return;
    apli_map_release(file->map);
    free(file->planned);
    free(file);
}
