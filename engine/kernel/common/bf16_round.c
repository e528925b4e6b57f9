/* bf16_round: see bf16_round.h. */
#include "kernel/common/bf16_round.h"

#include "base/narrow_float.h"
#include "base/precision.h"
#include "base/simd.h"
#include "kernel/common/bf16_round_dispatch.h"

enum {
    LINE = 32,   /* numbers of a cache line                                                     */
    AHEAD = 2048 /* numbers between a load and its prefetch: the hardware prefetcher does not
                    cross pages                                                                 */
};

AN_SIMD static void round_by_bits(uint16_t *restrict to, const float *restrict from, int64_t n)
{
    int64_t i = 0;
    for (; i + AN_BF16_EIGHT <= n; i += AN_BF16_EIGHT) {
        an_bf16_eight narrow;
        an_bf16_narrow(&narrow, from + i);
        memcpy(to + i, &narrow, sizeof narrow);
    }
    if (i < n) {
        float rest[AN_BF16_EIGHT] = {0};
        memcpy(rest, from + i, sizeof *from * (size_t)(n - i));
        an_bf16_eight narrow;
        an_bf16_narrow(&narrow, rest);
        memcpy(to + i, &narrow, sizeof *to * (size_t)(n - i));
    }
}

void an_bf16_round(uint16_t *to, const float *from, int64_t n)
{
#ifdef AN_SIMD_X86
    if (an_bf16_unit_now() >= AN_BF16_AVX512) {
        an_bf16_avx512_round(to, from, n);
        return;
    }
#endif
    round_by_bits(to, from, n);
}

AN_SIMD void an_bf16_widen(float *to, const uint16_t *from, int64_t n)
{
    int64_t i = 0;
    for (; i + LINE <= n; i += LINE) {
        __builtin_prefetch(from + i + AHEAD);
        for (int64_t k = 0; k < LINE; k += AN_BF16_EIGHT)
            an_bf16_widen_eight(to + i + k, from + i + k);
    }
    for (; i < n; i++)
        to[i] = an_from_bf16(from[i]);
}
