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
#define ISA_NARROW_HALVES(values, halves) \
    _mm_storeu_si128((__m128i *)(halves), _mm256_cvtps_ph(_mm256_loadu_ps(values), _MM_FROUND_TO_NEAREST_INT))
#define ISA_MOST(a, b) ((Vector)_mm256_max_ps((__m256)(a), (__m256)(b)))
#define ISA_LARGEST(a) largest_of_quad(_mm_max_ps(_mm256_castps256_ps128((__m256)(a)), _mm256_extractf128_ps((__m256)(a), 1)))
static inline float largest_of_quad(__m128 quad) {
    const __m128 pair = _mm_max_ps(quad, _mm_movehl_ps(quad, quad));
    return _mm_cvtss_f32(_mm_max_ss(pair, _mm_shuffle_ps(pair, pair, 1)));
}
#define ISA_QUADS(p, stride) \
    ((Vector)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps((p) + (stride)), 1))
#define ISA_PAIRS_LOW(a, b) ((Vector)_mm256_unpacklo_ps((__m256)(a), (__m256)(b)))
#define ISA_PAIRS_HIGH(a, b) ((Vector)_mm256_unpackhi_ps((__m256)(a), (__m256)(b)))
#define ISA_HALVES_LOW(a, b) ((Vector)_mm256_unpacklo_pd((__m256d)(a), (__m256d)(b)))
#define ISA_HALVES_HIGH(a, b) ((Vector)_mm256_unpackhi_pd((__m256d)(a), (__m256d)(b)))
#define ISA_STRIP_ROWS 4
#define ISA_TILE_ROWS 2
#define ISA_TILE_TOKENS 2
#include "isa/kernels.inc"
