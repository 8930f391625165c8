/* x86-64-v3: AVX2, FMA, F16C. */
#include "isa/avx2.inc"
#define ISA(name) name##_avx2
#define ISA_NAME "avx2"
/* the pairs' sums stay below 2^15: 2 × 63 × 127 */
#define ISA_DOT(sums, codes, quad) \
    ((sums) + (SUMS)_mm256_madd_epi16(_mm256_maddubs_epi16((__m256i)(codes), (__m256i)(quad)), _mm256_set1_epi16(1)))
/* codes 0..255 as low seven bits and the eighth: 2 × 127 × 127 and 2 × 128 × 127 stay below 2^15 */
#define ISA_DOT_BYTES(sums, codes, quad) \
    ISA_DOT(ISA_DOT(sums, (codes) & 127, quad), (codes) & 128, quad)
#include "isa/kernels.inc"
