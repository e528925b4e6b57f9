/* bf16_round: see bf16_round.h. */
#include "kernel/common/bf16_round.h"

#include "base/precision.h"
#include "base/simd.h"
#include "kernel/common/bf16_round_dispatch.h"

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
