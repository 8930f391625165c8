/* x86-64-v4 with VNNI, BF16 and VBMI. */
#include <immintrin.h>
#define ISA(name) name##_avx512
#define ISA_NAME "avx512"
#define HALF(bits) _cvtsh_ss(bits)
#define ISA_VECTOR_BYTES 64
#define ISA_FMA(a, b, c) ((Vector)_mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c)))
#define ISA_WIDEN(codes, part) ((Vector)_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32((__m128i)(codes))))
#define ISA_LOOKUP(table, codes, part) \
    ((Vector)_mm512_permutexvar_ps(_mm512_cvtepi8_epi32((__m128i)(codes)), _mm512_loadu_ps(table)))
#define ISA_SPLAT_HALF(bits) ((Vector)_mm512_cvtph_ps(_mm256_set1_epi16((short)(bits))))
#define ISA_WIDEN_HALVES(halves) ((Vector)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(halves))))
#define ISA_TILE_ROWS 4
#define ISA_TILE_TOKENS 4
#include "isa/kernels.inc"
