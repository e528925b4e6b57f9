/* bf16_tile_avx512: the tile of bf16_tile.h with AVX512_BF16, eight rows at a time. */
#include "base/simd.h"

#ifdef AN_SIMD_X86
#include <immintrin.h>
#include <string.h>

#include "kernel/matmul/bf16_tile_dispatch.h"

#define TARGET __attribute__((target("avx512f,avx512bf16")))
#define INLINE static inline __attribute__((always_inline)) TARGET
#define EACH_ROW _Pragma("GCC unroll 8") for (int r = 0; r < ROWS; r++)
#define EACH_COLUMN _Pragma("GCC unroll 2") for (int n = 0; n < columns; n++)

enum { ROWS = 8 };

/* The pair of terms at `a` in all lanes. */
INLINE __m512bh spread(const uint16_t *a)
{
    int32_t pair;
    memcpy(&pair, a, sizeof pair);
    return (__m512bh)_mm512_set1_epi32(pair);
}

INLINE void some_rows(const an_bf16_tile *j, int row, const int columns)
{
    __m512 sum[ROWS][2];
    const int64_t step = j->a_step;
    EACH_ROW EACH_COLUMN sum[r][n] = _mm512_setzero_ps();
    for (int64_t s = 0; s < j->steps; s++) {
        const uint16_t *a = j->a + an_bf16_at(j, s) + row * step, *b = j->b + s * AN_BF16_PACKED;
        for (int k = 0; k < AN_BF16_DEPTH; k += 2, b += AN_BF16_DEPTH) {
            __m512bh line[2];
            EACH_COLUMN line[n] = (__m512bh)_mm512_loadu_si512(b + n * j->b_step);
            EACH_ROW
            {
                __m512bh one = spread(a + r * step + k);
                EACH_COLUMN sum[r][n] = _mm512_dpbf16_ps(sum[r][n], one, line[n]);
            }
        }
    }
    EACH_ROW EACH_COLUMN
    {
        float *to = j->c + (row + r) * j->c_step + n * AN_BF16_SIDE;
        if (j->accumulate)
            sum[r][n] = _mm512_add_ps(sum[r][n], _mm512_loadu_ps(to));
        _mm512_storeu_ps(to, sum[r][n]);
    }
}

TARGET void an_bf16_avx512_tile(const an_bf16_tile *j)
{
    const int rows = j->rows > AN_BF16_SIDE ? 2 * AN_BF16_SIDE : AN_BF16_SIDE;
    for (int row = 0; row < rows; row += ROWS)
        if (j->columns > AN_BF16_SIDE)
            some_rows(j, row, 2);
        else
            some_rows(j, row, 1);
}
#endif
