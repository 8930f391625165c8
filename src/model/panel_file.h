/* The panels of a model's matrices (elem/panel.h) in a file that is made at the first use of a model and mapped at every later
   one (os/cache_file.h). Its key tells the content: the model file's header, its size and time of modification, the beginning,
   middle and end of every matrix, and the form of the panels. A model whose panels are there was checked when they were made. */
#ifndef APLI_MODEL_PANEL_FILE_H
#define APLI_MODEL_PANEL_FILE_H

#include "array/array.h"
#include "model/gguf.h"

typedef struct AplPanelFile AplPanelFile;

/* Plans the panels of those of the matrices that have some and looks for their file. *result is NULL when there is nothing to keep
   in a file: the model was opened from memory, or its panels are small and quickly made. WS FULL. */
AplErr apli_panel_file_open(const AplGguf *gguf, const AplGgufTensor *const *matrices, int64_t count, AplPanelFile **result);
/* Whether the tensor's panels are there, made from this very content. */
bool apli_panel_file_has(const AplPanelFile *file, const AplGgufTensor *tensor);
/* Hears of the bytes of panels made so far, of all, before the first matrix and after each; NULL: nobody does. */
typedef struct AplPanelProgress {
    void (*show)(void *user, int64_t done, int64_t total);
    void *user;
} AplPanelProgress;
/* Makes the file unless it is there; where there can be no such file, nothing happens, and the products make panels. WS FULL. */
AplErr apli_panel_file_make(AplPanelFile *file, const AplPanelProgress *progress);
/* Gives the tensor's array its panels, if they are there. */
AplErr apli_panel_file_attach(const AplPanelFile *file, const AplGgufTensor *tensor, AplArray *array);
void apli_panel_file_close(AplPanelFile *file); /* NULL is allowed; arrays keep the mapping */

#endif
