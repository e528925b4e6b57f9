/* bf16_round: see bf16_round.h. */
#include "kernel/common/bf16_round.h"

#include "base/simd.h"

AN_SIMD void an_bf16_round(uint16_t *restrict to, const float *restrict from, int64_t n)
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
