/* bf16_turn: see bf16_turn.h. */
#include "kernel/matmul/bf16_turn.h"

#include "base/assert.h"
#include "base/integer.h"
#include "base/simd.h"
#include "kernel/common/bf16_round.h"
#include "kernel/common/transpose.h"
#include "kernel/matmul/bf16_tile.h"

enum { SIDE = AN_BF16_SIDE, DEPTH = AN_BF16_DEPTH };

void an_bf16_pack(uint16_t *packed, int64_t first, const uint16_t *from, int64_t column, int64_t K,
                  int64_t term)
{
    for (int64_t k = first; k < first + K; k++, from += term) {
        uint16_t *to = packed + k / DEPTH * AN_BF16_PACKED + k % DEPTH / 2 * DEPTH + k % 2;
        for (int n = 0; n < SIDE; n++)
            to[2 * n] = from[n * column];
    }
}

/* to[i] ← from[i], i < n; where there is `spare` room, up to seven more. */
AN_BF16_INLINE void round_row(uint16_t *to, const float *from, int64_t n, bool spare)
{
    for (int64_t i = 0; i < n; i += AN_BF16_EIGHT) {
        an_bf16_eight narrow;
        an_bf16_narrow(&narrow, from + i);
        if (spare || n - i >= AN_BF16_EIGHT)
            memcpy(to + i, &narrow, sizeof narrow);
        else
            memcpy(to + i, &narrow, sizeof *to * (size_t)(n - i));
    }
}

AN_SIMD void an_bf16_turn(uint16_t *to, int64_t ld, const float *from, int64_t apart, int64_t n,
                          int64_t count, bool spare, float *work)
{
    int64_t width = an_round_up(n, SIDE);
    AN_ASSERT_SLOW(count >= 1 && count <= SIDE);
    an_transpose(work, width, from, apart, n, count);
    for (int64_t k = 0; k < count; k++)
        round_row(to + k * ld, work + k * width, n, spare);
}

AN_SIMD void an_bf16_pairs(uint16_t *to, int64_t block, const float *from, int64_t rows, int64_t N)
{
    for (int64_t h = 0; h < N; h += SIDE, to += block)
        for (int64_t j = 0; j < rows; j += 2)
            for (int64_t n = 0; n < SIDE; n += AN_BF16_EIGHT) {
                const float *even = from + j * N + h + n;
                an_bf16_words pairs, odd;
                an_bf16_upper(&pairs, even);
                pairs >>= 16;
                if (j + 1 < rows) {
                    an_bf16_upper(&odd, even + N);
                    pairs |= odd & 0xffff0000u;
                }
                memcpy(to + j * SIDE + 2 * n, &pairs, sizeof pairs);
            }
}
