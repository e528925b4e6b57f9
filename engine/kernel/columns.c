/* columns: gather and scatter of convolution patches; see columns.h. Both walk the same
 * runs: for each row and each kernel line u, floats first … first+count−1 of the line lie
 * inside the image, at x + from. */
#include "kernel/columns.h"

#include <string.h>

#include "base/simd.h"

enum { TILE_BYTES = 512 * 1024, TILE_ROWS_MIN = 16, TILE_ROWS_MAX = 1024 };

typedef struct {
    int64_t b, top, left;  /* image, and the patch's corner in it (may be negative) */
} corner;

typedef struct {
    int64_t from, first, count;  /* count 0: the line lies outside */
} run;

int64_t an_k_patch(const an_conv_shape *s)
{
    return s->kh * s->kw * s->C;
}

int64_t an_k_tile_rows(const an_conv_shape *s)
{
    int64_t rows = TILE_BYTES / (int64_t)sizeof(float) / an_k_patch(s);
    if (rows < TILE_ROWS_MIN)
        return TILE_ROWS_MIN;
    return rows < TILE_ROWS_MAX ? rows : TILE_ROWS_MAX;
}

bool an_k_is_pointwise(const an_conv_shape *s)
{
    return s->kh == 1 && s->kw == 1 && s->stride == 1 && s->pad_y == 0 && s->pad_x == 0;
}

static corner corner_of(const an_conv_shape *s, int64_t row)
{
    int64_t j = row % s->Wo, i = row / s->Wo % s->Ho;
    return (corner){row / s->Wo / s->Ho, i * s->stride - s->pad_y, j * s->stride - s->pad_x};
}

static run run_of(const an_conv_shape *s, corner at, int64_t u)
{
    int64_t y = at.top + u;
    int64_t lo = at.left < 0 ? -at.left : 0;
    int64_t hi = at.left + s->kw > s->W ? s->W - at.left : s->kw;
    if (y < 0 || y >= s->H || lo >= hi)
        return (run){0, 0, 0};
    return (run){((at.b * s->H + y) * s->W + at.left + lo) * s->C, lo * s->C, (hi - lo) * s->C};
}

void an_k_gather(float *cols, const float *x, int64_t lo, int64_t hi, const an_conv_shape *s)
{
    int64_t line = s->kw * s->C;
    for (int64_t row = lo; row < hi; row++) {
        corner at = corner_of(s, row);
        for (int64_t u = 0; u < s->kh; u++, cols += line) {
            run r = run_of(s, at, u);
            if (r.count < line)
                memset(cols, 0, sizeof(float) * (size_t)line);
            memcpy(cols + r.first, x + r.from, sizeof(float) * (size_t)r.count);
        }
    }
}

AN_SIMD static void add(float *restrict to, const float *restrict from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

void an_k_scatter(float *dx, const float *dcols, int64_t lo, int64_t hi, const an_conv_shape *s)
{
    int64_t line = s->kw * s->C;
    for (int64_t row = lo; row < hi; row++) {
        corner at = corner_of(s, row);
        for (int64_t u = 0; u < s->kh; u++, dcols += line) {
            run r = run_of(s, at, u);
            add(dx + r.from, dcols + r.first, r.count);
        }
    }
}
