/* The scalar functions' loops for the instruction set that the compiler was told of. */
#define APLI_ISA(name) name##_plain
#include "prim/scalar/scalar_cpu.inc"

const AplScalarKernels *apli_scalar_kernels(void) { return &apli_scalar_kernels_plain; }
