/* x86-64-v4 with VNNI, VBMI and VPOPCNTDQ. */
#include "isa/avx512.inc"
#define ISA(name) name##_avx512
#define ISA_NAME "avx512"
/* each byte takes the 8 bits from its own bit on, turned so that this lies at `shift` */
#define FROM_BIT(step, shift) \
    _mm512_add_epi8(_mm512_set1_epi64(0x0706050403020100), _mm512_set1_epi8((char)((step) * 8 + 64 - (shift))))
#define ISA_SPREAD(plane, step, shift) \
    _mm512_and_si512(_mm512_multishift_epi64_epi8(FROM_BIT(step, shift), (__m512i)(plane)), _mm512_set1_epi8(1 << (shift)))
#include "isa/kernels.inc"
