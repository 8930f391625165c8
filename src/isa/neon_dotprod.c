/* Advanced SIMD with the dot-product extension (Armv8.2 and on): only the products of bytes differ from the table "neon". */
#include "isa/neon.inc"
#define ISA(name) name##_neon_dotprod
#define ISA_DOT(sums, codes, quad) ((SUMS)vdotq_s32((int32x4_t)(sums), (int8x16_t)(codes), (int8x16_t)(quad)))
#define ISA_PANELS_ALONE
#include "isa/kernels.inc"
