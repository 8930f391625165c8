/* The table of fused kernels. */
#include "prim/fused/fused.h"

#include <string.h>

const AplFusedKernel apli_fused_kernels[] = {
#define FUSED(name, call) {name, call},
#include "prim/fused/fused.def"
#undef FUSED
};
const int apli_fused_kernel_count = (int)(sizeof apli_fused_kernels / sizeof *apli_fused_kernels);

const AplFusedKernel *apli_fused_kernel_named(const char *name, size_t length) {
    for (int i = 0; i < apli_fused_kernel_count; i++)
        if (strlen(apli_fused_kernels[i].name) == length && strncmp(apli_fused_kernels[i].name, name, length) == 0)
            return &apli_fused_kernels[i];
    return NULL;
}
