/* x86-64-v3 with AVX-VNNI, for processors that have it and no AVX-512: only the products of bytes differ from AVX2's. */
#include "isa/avx2.inc"
#define ISA(name) name##_avx_vnni
#define ISA_DOT(sums, codes, quad) \
    ((SUMS)_mm256_dpbusd_avx_epi32((__m256i)(sums), (__m256i)(codes), (__m256i)(quad)))
#define ISA_DOT_BYTES ISA_DOT
#define ISA_PANELS_ALONE
#include "isa/kernels.inc"
