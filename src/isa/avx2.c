/* x86-64-v3: AVX2, FMA, F16C. */
#include <immintrin.h>
#include <stdint.h>
#include <string.h>
#define ISA(name) name##_avx2
#define ISA_NAME "avx2"
#define ISA_SIGNS_8(lanes) (uint32_t)_mm256_movemask_epi8((__m256i)(lanes))
#define ISA_SIGNS_16(lanes) (uint32_t)_pext_u32((uint32_t)_mm256_movemask_epi8((__m256i)(lanes)), 0xAAAAAAAA)
#define ISA_SIGNS_32(lanes) (uint32_t)_mm256_movemask_ps((__m256)(lanes))
#define ISA_SIGNS_64(lanes) (uint32_t)_mm256_movemask_pd((__m256d)(lanes))
#define ISA_PEXT(word, mask) _pext_u64(word, mask)
#define ISA_PDEP(word, mask) _pdep_u64(word, mask)
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
typedef __m256i Words;
#define EIGHT(at, row, i) _mm_loadu_si128((const __m128i *)((at)[row] + 2 * (i)))
#define ISA_EIGHTS(at, i) _mm256_inserti128_si256(_mm256_castsi128_si256(EIGHT(at, 0, i)), EIGHT(at, 4, i), 1)
#define ISA_WORDS_LOW(a, b) _mm256_unpacklo_epi16(a, b)
#define ISA_WORDS_HIGH(a, b) _mm256_unpackhi_epi16(a, b)
#define ISA_WORD_PAIRS_LOW(a, b) _mm256_unpacklo_epi32(a, b)
#define ISA_WORD_PAIRS_HIGH(a, b) _mm256_unpackhi_epi32(a, b)
#define ISA_TWO_COLUMNS(words, to, stride) \
    do { \
        const Words both = _mm256_permute4x64_epi64(words, 0xD8); \
        _mm256_storeu_ps(to, _mm256_cvtph_ps(_mm256_castsi256_si128(both))); \
        _mm256_storeu_ps((to) + (stride), _mm256_cvtph_ps(_mm256_extracti128_si256(both, 1))); \
    } while (0)
#define ISA_STRIP_ROWS 4
#define ISA_TILE_ROWS 2
#define ISA_TILE_TOKENS 2
/* the pairs' sums stay below 2^15: 2 × 63 × 127 */
#define ISA_DOT(sums, codes, quad) \
    ((sums) + (SUMS)_mm256_madd_epi16(_mm256_maddubs_epi16((__m256i)(codes), (__m256i)(quad)), _mm256_set1_epi16(1)))
/* codes 0..255 as low seven bits and the eighth: 2 × 127 × 127 and 2 × 128 × 127 stay below 2^15 */
#define ISA_DOT_BYTES(sums, codes, quad) \
    ISA_DOT(ISA_DOT(sums, (codes) & 127, quad), (codes) & 128, quad)
static inline __m256i spread_avx2(__m256i plane, int step, int shift) {
    const __m256i bytes = _mm256_shuffle_epi8(
        plane, _mm256_add_epi8(_mm256_setr_epi64x(0, 0x0808080808080808, 0, 0x0808080808080808), _mm256_set1_epi8((char)step)));
    const __m256i each = _mm256_set1_epi64x((long long)0x8040201008040201);
    return _mm256_and_si256(_mm256_cmpeq_epi8(_mm256_and_si256(bytes, each), each), _mm256_set1_epi8((char)(1 << shift)));
}
#define ISA_SPREAD(plane, step, shift) spread_avx2((__m256i)(plane), step, shift)
#define FOLD(lanes, combine) \
    __m128i half = combine(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1)); \
    half = combine(half, _mm_unpackhi_epi64(half, half)); \
    return _mm_cvtsi128_si32(combine(half, _mm_shuffle_epi32(half, 1)))
static inline int32_t most_integer_avx2(__m256i lanes) { FOLD(lanes, _mm_max_epi32); }
static inline int32_t sum_integers_avx2(__m256i lanes) { FOLD(lanes, _mm_add_epi32); }
#define ISA_MOST_INTEGER(lanes) most_integer_avx2((__m256i)(lanes))
#define ISA_SUM_INTEGERS(lanes) sum_integers_avx2((__m256i)(lanes))
#define ISA_REGISTER "x"
#define ISA_BLOCK_PANELS 1
#define ISA_BLOCK_TOKENS 4
#include "isa/kernels.inc"
