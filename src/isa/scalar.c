/* The plain kernels: the specification of the others, and what runs where there is nothing better. */
#define ISA(name) name##_scalar
#define ISA_NAME "scalar"
#define HALF(bits) apli_f16_to_f32(bits)
#include "isa/kernels.inc"
