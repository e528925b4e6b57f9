/* winograd_few_tiles: see winograd_few_tiles.h. */
#include "kernel/conv/winograd_few_tiles.h"

#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/carve.h"
#include "kernel/matmul/packed.h"
#include "kernel/conv/winograd_map.h"

enum {
    P = AN_TILE_PLANES,
    ROWS = AN_MICRO_ROWS,
    FEW_TILES = 128,
    MANY_WEIGHTS = 8192, /* pairs of channels                                   */
    SLICE = AN_LANES,    /* output channels of a task                           */
    BLOCK = 32           /* tiles that go through the inverse transform together */
};

bool an_k_winograd_few_tiles_fits(const an_conv_shape *s)
{
    return an_k_tile_map(s).tiles <= FEW_TILES && s->C * s->O >= MANY_WEIGHTS;
}

static void all_inputs(float *V, int64_t plane, const void *x, const an_tile_map *map,
                       const float *zeros)
{
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t t = 0; t < map->tiles; t++)
        an_k_tiles_in(V + t * map->s->C, plane, x, t, t + 1, map, zeros);
}

an_code an_k_winograd_few_tiles_forward(void *y, const void *x, const float *w, bool flipped,
                                        const float *b, bool accumulate, const an_conv_shape *s)
{
    AN_ASSERT(an_k_winograd_few_tiles_fits(s));
    an_tile_map map = an_k_tile_map(s);
    int64_t C = s->C, O = s->O, plane = an_tile_plane(map.tiles, C);
    int64_t plane_out = an_tile_plane(BLOCK, SLICE), kernels = an_tile_plane(C, SLICE);
    an_carve scratch = {0};
    an_carve_part outside = an_carve_shared(&scratch, C, sizeof(float));
    an_carve_part in = an_carve_shared(&scratch, P * plane, sizeof(float));
    an_carve_part slice = an_carve_own(&scratch, P * kernels, sizeof(float));
    an_carve_part out = an_carve_own(&scratch, P * plane_out, sizeof(float));
    an_carve_part unwritten = an_carve_own(&scratch, SLICE, sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    float *zeros = an_carve_at(&scratch, outside), *V = an_carve_at(&scratch, in);
    memset(zeros, 0, sizeof(float) * (size_t)C);
    all_inputs(V, plane, x, &map, zeros);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t o = 0; o < O; o += SLICE) {
        float *U = an_carve_at(&scratch, slice), *M = an_carve_at(&scratch, out);
        float *unused = an_carve_at(&scratch, unwritten);
        memset(unused, 0, sizeof(float) * SLICE);
        for (int64_t c = 0; c < C; c++)
            an_k_tile_kernel(U + c * SLICE, kernels, w + (flipped ? c * O + o : o * C + c) * 9,
                             9 * (flipped ? 1 : C), flipped);
        for (int64_t lo = 0; lo < map.tiles; lo += BLOCK) {
            int64_t hi = an_min(lo + BLOCK, map.tiles);
            for (int k = 0; k < P; k++)
                an_k_packed_product(M + k * plane_out, SLICE, V + k * plane + lo * C, C, hi - lo,
                                    &(an_packed){U + k * kernels, C, SLICE}, NULL, false, NULL);
            an_k_tiles_out(y, M, plane_out, lo, hi, o, SLICE, &map, b, accumulate, unused);
        }
    }
    an_carve_release(&scratch);
    return AN_OK;
}

an_code an_k_winograd_few_tiles_weight(float *dw, const void *dy, const void *x,
                                       const an_conv_shape *s)
{
    AN_ASSERT(an_k_winograd_few_tiles_fits(s));
    an_tile_map map = an_k_tile_map(s);
    int64_t C = s->C, O = s->O, size = ROWS * AN_MICRO_COLUMNS;
    int64_t plane_in = an_tile_plane(map.tiles, C), plane_out = an_tile_plane(map.tiles, O);
    int64_t down = C / ROWS, across = an_panel_count(O);
    an_carve scratch = {0};
    an_carve_part outside = an_carve_shared(&scratch, an_max(C, O), sizeof(float));
    an_carve_part in = an_carve_shared(&scratch, P * plane_in, sizeof(float));
    an_carve_part out = an_carve_shared(&scratch, P * plane_out, sizeof(float));
    an_carve_part tile = an_carve_own(&scratch, P * size, sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    float *zeros = an_carve_at(&scratch, outside);
    float *V = an_carve_at(&scratch, in), *Z = an_carve_at(&scratch, out);
    memset(zeros, 0, sizeof(float) * (size_t)an_max(C, O));
    all_inputs(V, plane_in, x, &map, zeros);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t t = 0; t < map.tiles; t++)
        an_k_tiles_gradient(Z + t * O, plane_out, dy, t, t + 1, &map, zeros);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t n = 0; n < down * across; n++) {
        int64_t c = n % down * ROWS, o = n / down * AN_MICRO_COLUMNS;
        float *dU = an_carve_at(&scratch, tile);
        an_micro_outer job = {.n = {1, 1, map.tiles},
                              .a_step = {0, 0, C},
                              .b_step = {0, 0, O},
                              .rows = ROWS,
                              .columns = an_panel_columns(O, n / down),
                              .out_step = AN_MICRO_COLUMNS};
        for (int k = 0; k < P; k++) {
            job.a = V + k * plane_in + c;
            job.b = Z + k * plane_out + o;
            job.out = dU + k * size;
            an_k_micro_outer(&job);
        }
        for (int64_t at = 0; at < job.columns; at += AN_LANES)
            for (int64_t r = 0; r < ROWS; r++)
                an_k_tile_kernel_gradient(dw + ((o + at) * C + c + r) * 9, 9 * C,
                                          dU + r * AN_MICRO_COLUMNS + at, size, 1, 0);
    }
    an_carve_release(&scratch);
    return AN_OK;
}
