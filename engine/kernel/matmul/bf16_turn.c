/* bf16_turn: see bf16_turn.h. */
#include "kernel/matmul/bf16_turn.h"

#include "base/assert.h"
#include "base/integer.h"
#include "base/precision.h"
#include "base/simd.h"
#include "kernel/common/bf16_round.h"
#include "kernel/common/transpose.h"
#include "kernel/matmul/bf16_tile.h"
#include "kernel/matmul/bf16_turn_dispatch.h"

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

AN_SIMD static void turn_by_bits(uint16_t *to, int64_t ld, const float *from, int64_t apart,
                                 int64_t n, int64_t count, float *work)
{
    int64_t width = an_round_up(n, SIDE);
    an_transpose(work, width, from, apart, n, count);
    for (int64_t k = 0; k < count; k++)
        for (int64_t i = 0; i < n; i += AN_BF16_EIGHT) {
            an_bf16_eight narrow;
            an_bf16_narrow(&narrow, work + k * width + i);
            memcpy(to + k * ld + i, &narrow,
                   n - i < AN_BF16_EIGHT ? sizeof *to * (size_t)(n - i) : sizeof narrow);
        }
}

static void turn_narrow(uint16_t *to, int64_t ld, const uint16_t *from, int64_t apart, int64_t n,
                        int64_t count)
{
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < count; k++)
            to[k * ld + i] = from[i * apart + k];
}

void an_bf16_turn(uint16_t *to, int64_t ld, const void *from, bool narrow, int64_t apart, int64_t n,
                  int64_t count, float *work)
{
    AN_ASSERT_SLOW(count >= 1 && count <= SIDE);
#ifdef AN_SIMD_X86
    if (an_bf16_unit_now() >= AN_BF16_AVX512) {
        an_bf16_avx512_turn(to, ld, from, narrow, apart, n, count);
        return;
    }
#endif
    if (narrow)
        turn_narrow(to, ld, from, apart, n, count);
    else
        turn_by_bits(to, ld, from, apart, n, count, work);
}

AN_SIMD static void pairs_by_bits(uint16_t *to, int64_t block, const float *from, int64_t rows,
                                  int64_t N)
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

static void pairs_narrow(uint16_t *to, int64_t block, const uint16_t *from, int64_t rows, int64_t N)
{
    for (int64_t h = 0; h < N; h += SIDE, to += block)
        for (int64_t j = 0; j < rows; j += 2)
            for (int64_t n = 0; n < SIDE; n++) {
                to[j * SIDE + 2 * n] = from[j * N + h + n];
                to[j * SIDE + 2 * n + 1] = j + 1 < rows ? from[(j + 1) * N + h + n] : 0;
            }
}

void an_bf16_pairs(uint16_t *to, int64_t block, const void *from, bool narrow, int64_t rows,
                   int64_t N)
{
#ifdef AN_SIMD_X86
    if (an_bf16_unit_now() >= AN_BF16_AVX512) {
        an_bf16_avx512_pairs(to, block, from, narrow, rows, N);
        return;
    }
#endif
    if (narrow)
        pairs_narrow(to, block, from, rows, N);
    else
        pairs_by_bits(to, block, from, rows, N);
}
