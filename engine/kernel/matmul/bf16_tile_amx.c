/* bf16_tile_amx: the tile of bf16_tile.h with AMX: four tile registers of sums, two per operand,
 * and 16 by 16 by 32 products per instruction. */
#include "base/simd.h"

#ifdef AN_SIMD_X86
#include <immintrin.h>
#include <string.h>

#include "kernel/matmul/bf16_tile_dispatch.h"

#define TARGET __attribute__((target("amx-tile,amx-bf16,avx512f")))
#define INLINE static inline __attribute__((always_inline)) TARGET

enum { LINE = 64 }; /* bytes of a row of a tile register */

/* Intel SDM, LDTILECFG: 64 bytes. */
typedef struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} configuration;

TARGET void an_bf16_amx_begin(void)
{
    configuration all;
    memset(&all, 0, sizeof all);
    all.palette = 1;
    for (int t = 0; t < 8; t++) {
        all.bytes[t] = LINE;
        all.rows[t] = AN_BF16_SIDE;
    }
    _tile_loadconfig(&all);
}

TARGET void an_bf16_amx_end(void)
{
    _tile_release();
}

/* Sums 0 and 1 are the first block of rows, 2 and 3 the second. */
INLINE void begin_sums(const an_bf16_tile *j, const int rows, const int columns)
{
    const size_t step = (size_t)j->c_step * sizeof(float);
    float *below = j->c + AN_BF16_SIDE * j->c_step;
    if (j->accumulate) {
        _tile_loadd(0, j->c, step);
        if (columns > 1)
            _tile_loadd(1, j->c + AN_BF16_SIDE, step);
        if (rows > 1)
            _tile_loadd(2, below, step);
        if (rows > 1 && columns > 1)
            _tile_loadd(3, below + AN_BF16_SIDE, step);
        return;
    }
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

INLINE void end_sums(const an_bf16_tile *j, const int rows, const int columns)
{
    const size_t step = (size_t)j->c_step * sizeof(float);
    float *below = j->c + AN_BF16_SIDE * j->c_step;
    _tile_stored(0, j->c, step);
    if (columns > 1)
        _tile_stored(1, j->c + AN_BF16_SIDE, step);
    if (rows > 1)
        _tile_stored(2, below, step);
    if (rows > 1 && columns > 1)
        _tile_stored(3, below + AN_BF16_SIDE, step);
}

INLINE void sized(const an_bf16_tile *j, const int rows, const int columns)
{
    const size_t step = (size_t)j->a_step * sizeof *j->a;
    const int64_t below = AN_BF16_SIDE * j->a_step;
    begin_sums(j, rows, columns);
    for (int64_t s = 0; s < j->steps; s++) {
        const uint16_t *a = j->a + an_bf16_at(j, s), *b = j->b + s * AN_BF16_PACKED;
        _tile_loadd(4, a, step);
        _tile_loadd(6, b, LINE);
        _tile_dpbf16ps(0, 4, 6);
        if (columns > 1) {
            _tile_loadd(7, b + j->b_step, LINE);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (rows > 1) {
            _tile_loadd(5, a + below, step);
            _tile_dpbf16ps(2, 5, 6);
        }
        if (rows > 1 && columns > 1)
            _tile_dpbf16ps(3, 5, 7);
    }
    end_sums(j, rows, columns);
}

TARGET void an_bf16_amx_tile(const an_bf16_tile *j)
{
    const bool high = j->rows > AN_BF16_SIDE, wide = j->columns > AN_BF16_SIDE;
    if (high && wide)
        sized(j, 2, 2);
    else if (high)
        sized(j, 2, 1);
    else if (wide)
        sized(j, 1, 2);
    else
        sized(j, 1, 1);
}
#endif
