/* bf16_round_avx512: bf16_round.h with AVX512_BF16. Its instruction rounds 16 numbers and flushes
 * subnormal ones to zero; the instructions that multiply bf16 read them as zero too. */
#include "base/simd.h"

#ifdef AN_SIMD_X86
#include <immintrin.h>
#include <stdint.h>

#include "kernel/common/bf16_round_dispatch.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

enum { SIDE = 16 };

TARGET void an_bf16_avx512_round(uint16_t *to, const float *from, int64_t n)
{
    int64_t i = 0;
    for (; i + SIDE <= n; i += SIDE)
        _mm256_storeu_si256((__m256i *)(to + i),
                            (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(from + i)));
    const __mmask16 rest = (__mmask16)((1u << (n - i)) - 1);
    if (rest)
        _mm256_mask_storeu_epi16(
            to + i, rest, (__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(rest, from + i)));
}
#endif
