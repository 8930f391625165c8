/* x86-64-v4 with VNNI alone (Cascade Lake, Cooper Lake): products with panels, while the other kernels are AVX2's. */
#include "isa/avx512.inc"
#define ISA(name) name##_avx512_vnni
static inline __m512i spread_bits(__m512i plane, int place, int shift) {
    const __m512i from = _mm512_broadcast_i32x4(_mm_set_epi64x(0x0606060604040404, 0x0202020200000000));
    const __m512i bytes = _mm512_shuffle_epi8(plane, _mm512_add_epi8(from, _mm512_set1_epi8((char)(place / 4 * 8 + place % 4 / 2))));
    const __mmask64 ones = _mm512_test_epi8_mask(bytes, _mm512_set1_epi32((int)(0x08040201u << place % 2 * 4)));
    return _mm512_maskz_mov_epi8(ones, _mm512_set1_epi8((char)(1 << shift)));
}
#define ISA_SPREAD(plane, place, shift) spread_bits((__m512i)(plane), place, shift)
#define ISA_PANELS_ALONE
#include "isa/kernels.inc"
