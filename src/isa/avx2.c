/* x86-64-v3: AVX2, FMA, F16C. */
#include <immintrin.h>
#define ISA(name) name##_avx2
#define ISA_NAME "avx2"
#define HALF(bits) _cvtsh_ss(bits)
#define ISA_VECTOR_BYTES 32
#define ISA_FMA(a, b, c) ((Vector)_mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c)))
#define CODES_PART(codes, part) \
    _mm256_cvtepi8_epi32((part) ? _mm_unpackhi_epi64((__m128i)(codes), (__m128i)(codes)) : (__m128i)(codes))
#define ISA_WIDEN(codes, part) ((Vector)_mm256_cvtepi32_ps(CODES_PART(codes, part)))
/* the codes' bit 3 chooses between the two halves of the table */
#define ISA_LOOKUP(table, codes, part) \
    ((Vector)_mm256_blendv_ps(_mm256_permutevar8x32_ps(_mm256_loadu_ps(table), CODES_PART(codes, part)), \
                              _mm256_permutevar8x32_ps(_mm256_loadu_ps((table) + 8), CODES_PART(codes, part)), \
                              _mm256_castsi256_ps(_mm256_slli_epi32(CODES_PART(codes, part), 28))))
#define ISA_SPLAT_HALF(bits) ((Vector)_mm256_cvtph_ps(_mm_set1_epi16((short)(bits))))
#define ISA_WIDEN_HALVES(halves) ((Vector)_mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(halves))))
#define ISA_TILE_ROWS 2
#define ISA_TILE_TOKENS 2
#include "isa/kernels.inc"
