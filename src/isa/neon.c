/* Advanced SIMD as every AArch64 processor has it. */
#include "isa/neon.inc"
#define ISA(name) name##_neon
#define ISA_NAME "neon"
/* two products stay below 2^15: 2 × 128 × 127 */
static inline int32x4_t neon_dot(int32x4_t sums, int8x16_t codes, int8x16_t quad) {
    const int16x8_t low = vmull_s8(vget_low_s8(codes), vget_low_s8(quad)), high = vmull_high_s8(codes, quad);
    return vpadalq_s16(sums, vpaddq_s16(low, high));
}
#define ISA_DOT(sums, codes, quad) ((SUMS)neon_dot((int32x4_t)(sums), (int8x16_t)(codes), (int8x16_t)(quad)))
#include "isa/kernels.inc"
