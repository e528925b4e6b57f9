/* bf16_tile: see bf16_tile.h. The emulation widens both factors, whose product is exact in float32;
 * it is for machines without bf16, and slower there than products of float32. */
#include "kernel/matmul/bf16_tile.h"

#include <string.h>

#include "base/assert.h"
#include "base/narrow_float.h"
#include "base/precision.h"
#include "kernel/matmul/bf16_tile_dispatch.h"

enum { SIDE = AN_BF16_SIDE, PAIRS = AN_BF16_DEPTH / 2 };

/* One row of one block of columns. */
AN_SIMD static void emulated_row(float *restrict c, const an_bf16_tile *j, int row, int column)
{
    float sum[SIDE] = {0};
    for (int64_t s = 0; s < j->steps; s++) {
        const uint16_t *a = j->a + an_bf16_at(j, s) + row * j->a_step;
        const uint16_t *b = j->b + column * j->b_step + s * AN_BF16_PACKED;
        for (int k = 0; k < PAIRS; k++) {
            float even = an_from_bf16(a[2 * k]), odd = an_from_bf16(a[2 * k + 1]);
            uint32_t pairs[SIDE];
            memcpy(pairs, b + k * AN_BF16_DEPTH, sizeof pairs);
            for (int n = 0; n < SIDE; n++)
                sum[n] += even * an_from_bf16((uint16_t)pairs[n]) +
                          odd * an_from_bf16((uint16_t)(pairs[n] >> 16));
        }
    }
    for (int n = 0; n < SIDE; n++)
        c[n] = sum[n] + (j->accumulate ? c[n] : 0);
}

static void emulated_tile(const an_bf16_tile *j)
{
    for (int row = 0; row < (j->rows > SIDE ? 2 * SIDE : SIDE); row++)
        for (int column = 0; column < (j->columns > SIDE ? 2 : 1); column++)
            emulated_row(j->c + row * j->c_step + column * SIDE, j, row, column);
}

void an_k_bf16_begin(void)
{
#ifdef AN_SIMD_X86
    if (an_bf16_unit_now() == AN_BF16_AMX)
        an_bf16_amx_begin();
#endif
}

void an_k_bf16_end(void)
{
#ifdef AN_SIMD_X86
    if (an_bf16_unit_now() == AN_BF16_AMX)
        an_bf16_amx_end();
#endif
}

void an_k_bf16_tile(const an_bf16_tile *j)
{
    AN_ASSERT_SLOW(j->rows >= 1 && j->rows <= 2 * SIDE);
    AN_ASSERT_SLOW(j->columns >= 1 && j->columns <= 2 * SIDE);
    AN_ASSERT_SLOW(j->steps >= 0 && j->c_step >= (j->columns > SIDE ? 2 * SIDE : SIDE));
#ifdef AN_SIMD_X86
    an_bf16_unit unit = an_bf16_unit_now();
    if (unit == AN_BF16_AMX) {
        an_bf16_amx_tile(j);
        return;
    }
    if (unit == AN_BF16_AVX512) {
        an_bf16_avx512_tile(j);
        return;
    }
#endif
    emulated_tile(j);
}
