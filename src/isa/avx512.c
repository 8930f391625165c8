/* x86-64-v4 with VNNI, VBMI and VPOPCNTDQ. */
#include "isa/avx512.inc"
#define ISA(name) name##_avx512
#define ISA_NAME "avx512"
/* each byte takes the 8 bits from its own bit on, turned so that this lies at `shift`; two rows in each eight bytes */
#define FROM_BIT(step, shift) \
    _mm512_add_epi8(_mm512_broadcast_i32x4(_mm_set_epi64x(0x3332313023222120, 0x1312111003020100)), \
                    _mm512_set1_epi8((char)((step) * 4 + 64 - (shift))))
#define TWO_ROWS(plane, place) ((place) < 4 ? _mm512_unpacklo_epi64(plane, plane) : _mm512_unpackhi_epi64(plane, plane))
#define ISA_SPREAD(plane, place, shift) \
    _mm512_and_si512(_mm512_multishift_epi64_epi8(FROM_BIT((place) % 4, shift), TWO_ROWS((__m512i)(plane), place)), \
                     _mm512_set1_epi8(1 << (shift)))
#include "isa/kernels.inc"
