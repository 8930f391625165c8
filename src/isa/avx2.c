/* x86-64-v3: AVX2, FMA, F16C. */
#include "isa/avx2.inc"
#define ISA(name) name##_avx2
#define ISA_NAME "avx2"
/* the pairs' sums stay below 2^15: 2 × 63 × 127 */
#define ISA_DOT(sums, codes, quad) \
    ((sums) + (SUMS)_mm256_madd_epi16(_mm256_maddubs_epi16((__m256i)(codes), (__m256i)(quad)), _mm256_set1_epi16(1)))
/* codes -128..127 without their sign, which goes to the other factor: 2 × 128 × 127 stays below 2^15 */
#define ISA_SIGNED_BYTES
#define ISA_DOT_BYTES(sums, codes, quad) \
    ISA_DOT(sums, _mm256_abs_epi8((__m256i)(codes)), _mm256_sign_epi8((__m256i)(quad), (__m256i)(codes)))
#include "isa/kernels.inc"
