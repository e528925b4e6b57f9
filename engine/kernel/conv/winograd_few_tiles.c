/* winograd_few_tiles: see winograd_few_tiles.h. */
#include "kernel/conv/winograd_few_tiles.h"

#include <omp.h>
#include <string.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "kernel/matmul/panel.h"
#include "kernel/conv/winograd_map.h"

enum {
    P = AN_TILE_PLANES,
    ROWS = AN_MICRO_ROWS,
    FEW_TILES = 256,
    MANY_WEIGHTS = 8192, /* pairs of channels                                  */
    SLICE = 16,          /* output channels of a task                          */
    BLOCK = 32           /* tiles that are transformed back together           */
};

bool an_k_winograd_few_tiles_fits(const an_conv_shape *s)
{
    return an_k_tile_map(s).tiles <= FEW_TILES && s->C * s->O >= MANY_WEIGHTS;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void all_inputs(float *V, int64_t plane, const float *x, const an_tile_map *map,
                       const float *zeros)
{
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t t = 0; t < map->tiles; t++)
        an_k_tiles_in(V + t * map->s->C, plane, x, t, t + 1, map, zeros);
}

an_code an_k_winograd_few_tiles_forward(float *y, const float *x, const float *w, bool flipped,
                                        const float *b, bool accumulate, const an_conv_shape *s)
{
    an_tile_map map = an_k_tile_map(s);
    int64_t C = s->C, O = s->O, plane = an_tile_plane(map.tiles, C);
    int64_t plane_out = an_tile_plane(BLOCK, SLICE), kernels = an_tile_plane(C, SLICE);
    size_t own = an_scratch_line(sizeof(float) * (size_t)(P * (kernels + plane_out) + SLICE));
    size_t shared = an_scratch_line(sizeof(float) * (size_t)(C + P * plane));
    char *all = an_scratch_take(shared + (size_t)an_threads() * own);
    if (!all)
        return AN_ENOMEM;
    float *zeros = (float *)all, *V = zeros + C;
    memset(zeros, 0, sizeof(float) * (size_t)C);
    all_inputs(V, plane, x, &map, zeros);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t o = 0; o < O; o += SLICE) {
        float *U = (float *)(all + shared + (size_t)omp_get_thread_num() * own);
        float *M = U + P * kernels, *nowhere = M + P * plane_out;
        memset(nowhere, 0, sizeof(float) * SLICE);
        for (int64_t c = 0; c < C; c++)
            an_k_tile_kernel(U + c * SLICE, kernels, w + (flipped ? c * O + o : o * C + c) * 9,
                             9 * (flipped ? 1 : C), flipped);
        for (int64_t lo = 0; lo < map.tiles; lo += BLOCK) {
            int64_t hi = smaller(lo + BLOCK, map.tiles);
            for (int k = 0; k < P; k++)
                an_k_panel_rows(M + k * plane_out, SLICE, V + k * plane + lo * C, C,
                                U + k * kernels, hi - lo, C, SLICE, NULL, false, NULL);
            an_k_tiles_out(y, M, plane_out, lo, hi, o, SLICE, &map, b, accumulate, nowhere);
        }
    }
    an_scratch_give(all);
    return AN_OK;
}

an_code an_k_winograd_few_tiles_weight(float *dw, const float *dy, const float *x,
                                       const an_conv_shape *s)
{
    an_tile_map map = an_k_tile_map(s);
    int64_t C = s->C, O = s->O, line = C > O ? C : O, size = ROWS * AN_MICRO_COLUMNS;
    int64_t plane_in = an_tile_plane(map.tiles, C), plane_out = an_tile_plane(map.tiles, O);
    int64_t down = C / ROWS, across = an_panel_count(O), own = P * size;
    float *zeros = an_scratch_take(
        sizeof(float) * (size_t)(line + P * (plane_in + plane_out) + an_threads() * own));
    if (!zeros)
        return AN_ENOMEM;
    float *V = zeros + line, *Z = V + P * plane_in, *tiles = Z + P * plane_out;
    memset(zeros, 0, sizeof(float) * (size_t)line);
    all_inputs(V, plane_in, x, &map, zeros);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t t = 0; t < map.tiles; t++)
        an_k_tiles_gradient(Z + t * O, plane_out, dy, t, t + 1, &map, zeros);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t n = 0; n < down * across; n++) {
        int64_t c = n % down * ROWS, o = n / down * AN_MICRO_COLUMNS;
        float *dU = tiles + omp_get_thread_num() * own;
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
        for (int64_t at = 0; at < job.columns; at += AN_TILE_LANES)
            for (int64_t r = 0; r < ROWS; r++)
                an_k_tile_kernel_gradient(dw + ((o + at) * C + c + r) * 9, 9 * C,
                                          dU + r * AN_MICRO_COLUMNS + at, size, 1, 0);
    }
    an_scratch_give(zeros);
    return AN_OK;
}
