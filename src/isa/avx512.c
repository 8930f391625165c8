/* x86-64-v4 with VNNI, VBMI and VPOPCNTDQ. */
#include <immintrin.h>
#define ISA(name) name##_avx512
#define ISA_NAME "avx512"
#define ISA_INTEGER_EQ _MM_CMPINT_EQ
#define ISA_INTEGER_LT _MM_CMPINT_LT
#define ISA_INTEGER_LE _MM_CMPINT_LE
#define ISA_INTEGER_GE _MM_CMPINT_NLT
#define ISA_INTEGER_GT _MM_CMPINT_NLE
#define ISA_REAL_EQ _CMP_EQ_OQ
#define ISA_REAL_LT _CMP_LT_OQ
#define ISA_REAL_LE _CMP_LE_OQ
#define ISA_REAL_GE _CMP_GE_OQ
#define ISA_REAL_GT _CMP_GT_OQ
#define ISA_COMPARED_i8(a, b, RELATION) _mm512_cmp_epi8_mask((__m512i)(a), (__m512i)(b), ISA_INTEGER_##RELATION)
#define ISA_COMPARED_i16(a, b, RELATION) _mm512_cmp_epi16_mask((__m512i)(a), (__m512i)(b), ISA_INTEGER_##RELATION)
#define ISA_COMPARED_i32(a, b, RELATION) _mm512_cmp_epi32_mask((__m512i)(a), (__m512i)(b), ISA_INTEGER_##RELATION)
#define ISA_COMPARED_i64(a, b, RELATION) _mm512_cmp_epi64_mask((__m512i)(a), (__m512i)(b), ISA_INTEGER_##RELATION)
#define ISA_COMPARED_f32(a, b, RELATION) _mm512_cmp_ps_mask((__m512)(a), (__m512)(b), ISA_REAL_##RELATION)
#define ISA_COMPARED_f64(a, b, RELATION) _mm512_cmp_pd_mask((__m512d)(a), (__m512d)(b), ISA_REAL_##RELATION)
#define ISA_PEXT(word, mask) _pext_u64(word, mask)
#define ISA_PDEP(word, mask) _pdep_u64(word, mask)
#define HALF(bits) _cvtsh_ss(bits)
#define ISA_VECTOR_BYTES 64
#define ISA_FMA(a, b, c) ((Vector)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define ISA_WIDEN(codes, part) ((Vector)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32((__m128i)(codes))))
#define ISA_LOOKUP(table, codes, part) \
    ((Vector)_mm512_permutexvar_ps(_mm512_cvtepi8_epi32((__m128i)(codes)), _mm512_loadu_ps(table)))
#define ISA_SPLAT_HALF(bits) ((Vector)_mm512_cvtph_ps(_mm256_set1_epi16((short)(bits))))
#define ISA_WIDEN_HALVES(halves) ((Vector)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(halves))))
#define ISA_NARROW_HALVES(values, halves) \
    _mm256_storeu_si256((__m256i *)(halves), _mm512_cvtps_ph(_mm512_loadu_ps(values), _MM_FROUND_TO_NEAREST_INT))
#define ISA_MOST(a, b) ((Vector)_mm512_max_ps((__m512)(a), (__m512)(b)))
#define ISA_LARGEST(a) _mm512_reduce_max_ps((__m512)(a))
#define ISA_QUADS(p, stride) \
    ((Vector)_mm512_insertf32x4( \
        _mm512_insertf32x4(_mm512_insertf32x4(_mm512_castps128_ps512(_mm_loadu_ps(p)), _mm_loadu_ps((p) + (stride)), 1), \
                           _mm_loadu_ps((p) + 2 * (stride)), 2), \
        _mm_loadu_ps((p) + 3 * (stride)), 3))
#define ISA_PAIRS_LOW(a, b) ((Vector)_mm512_unpacklo_ps((__m512)(a), (__m512)(b)))
#define ISA_PAIRS_HIGH(a, b) ((Vector)_mm512_unpackhi_ps((__m512)(a), (__m512)(b)))
#define ISA_HALVES_LOW(a, b) ((Vector)_mm512_unpacklo_pd((__m512d)(a), (__m512d)(b)))
#define ISA_HALVES_HIGH(a, b) ((Vector)_mm512_unpackhi_pd((__m512d)(a), (__m512d)(b)))
typedef __m512i Words;
#define EIGHT(at, row, i) _mm_loadu_si128((const __m128i *)((at)[row] + 2 * (i)))
#define ISA_EIGHTS(at, i) \
    _mm512_inserti32x4( \
        _mm512_inserti32x4(_mm512_inserti32x4(_mm512_castsi128_si512(EIGHT(at, 0, i)), EIGHT(at, 4, i), 1), EIGHT(at, 8, i), 2), \
        EIGHT(at, 12, i), 3)
#define ISA_WORDS_LOW(a, b) _mm512_unpacklo_epi16(a, b)
#define ISA_WORDS_HIGH(a, b) _mm512_unpackhi_epi16(a, b)
#define ISA_WORD_PAIRS_LOW(a, b) _mm512_unpacklo_epi32(a, b)
#define ISA_WORD_PAIRS_HIGH(a, b) _mm512_unpackhi_epi32(a, b)
#define ISA_TWO_COLUMNS(words, to, stride) \
    do { \
        const Words both = _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), words); \
        _mm512_storeu_ps(to, _mm512_cvtph_ps(_mm512_castsi512_si256(both))); \
        _mm512_storeu_ps((to) + (stride), _mm512_cvtph_ps(_mm512_extracti64x4_epi64(both, 1))); \
    } while (0)
#define ISA_STRIP_ROWS 8
#define ISA_TILE_ROWS 4
#define ISA_TILE_TOKENS 4
#define ISA_DOT(sums, codes, quad) \
    ((SUMS)_mm512_dpbusd_epi32((__m512i)(sums), (__m512i)(codes), (__m512i)(quad)))
#define ISA_DOT_BYTES ISA_DOT
/* each byte takes the 8 bits from its own bit on, turned so that this lies at `shift` */
#define FROM_BIT(step, shift) \
    _mm512_add_epi8(_mm512_set1_epi64(0x0706050403020100), _mm512_set1_epi8((char)((step) * 8 + 64 - (shift))))
#define ISA_SPREAD(plane, step, shift) \
    _mm512_and_si512(_mm512_multishift_epi64_epi8(FROM_BIT(step, shift), (__m512i)(plane)), _mm512_set1_epi8(1 << (shift)))
#define ISA_MOST_INTEGER(lanes) _mm512_reduce_max_epi32((__m512i)(lanes))
#define ISA_SUM_INTEGERS(lanes) _mm512_reduce_add_epi32((__m512i)(lanes))
#define ISA_REGISTER "v"
#define ISA_BLOCK_PANELS 2
#define ISA_BLOCK_TOKENS 6
#include "isa/kernels.inc"
