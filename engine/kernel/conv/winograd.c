/* winograd: see winograd.h. Tiles are transformed a block at a time, so that a block's planes stay
 * in the cache between the transform that writes them and the 36 products that read them.
 * Few tiles with many channels, where the transformed kernels outweigh the tiles, are cut by
 * channels instead: winograd_few_tiles.c. */
#include "kernel/conv/winograd.h"

#include <omp.h>
#include <string.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "kernel/matmul/panel.h"
#include "kernel/conv/winograd_few_tiles.h"
#include "kernel/conv/winograd_map.h"

enum {
    P = AN_TILE_PLANES,
    ROWS = AN_MICRO_ROWS,
    BLOCK_BYTES = 512 * 1024, /* of both operands' planes: half of an L2               */
    BLOCK_MAX = 128,          /* tiles                                                 */
    ENOUGH_TILES = 8,
    CHUNKS = 8,                    /* partial weight gradients, at most                     */
    CHUNK_BYTES = 16 * 1024 * 1024 /* of all of them together                               */
};

typedef struct {
    an_tile_map map;
    int64_t block;                              /* tiles transformed together        */
    int64_t plane_in, plane_out, plane_kernels; /* floats from one plane to the next */
    size_t own;                                 /* bytes a thread works in           */
} layout;

static int64_t up(int64_t n, int64_t d)
{
    return (n + d - 1) / d;
}

/* Wide layers overflow the cache whatever the block: there the transformed kernels, which
 * each block passes over, must not outweigh its tiles. */
static layout layout_of(const an_conv_shape *s)
{
    layout l = {.map = an_k_tile_map(s)};
    int64_t least = up(2 * s->C * s->O, s->C + s->O);
    l.block = BLOCK_BYTES / (int64_t)sizeof(float) / P / (s->C + s->O);
    l.block = l.block < least ? least : l.block;
    l.block = up(l.block > BLOCK_MAX ? BLOCK_MAX : l.block, ROWS) * ROWS;
    l.plane_in = an_tile_plane(l.block, s->C);
    l.plane_out = an_tile_plane(l.block, s->O);
    l.plane_kernels = an_tile_plane(s->C, s->O);
    l.own = an_scratch_line(sizeof(float) * (size_t)(s->C + s->O + P * (l.plane_in + l.plane_out)));
    return l;
}

bool an_k_winograd_fits(const an_conv_shape *s)
{
    if (s->kh != 3 || s->kw != 3 || s->stride != 1 || s->C % AN_TILE_LANES || s->O % AN_TILE_LANES)
        return false;
    an_tile_map m = an_k_tile_map(s);
    int64_t computed = m.tiles * AN_TILE_OUT * AN_TILE_OUT, wanted = s->B * s->Ho * s->Wo;
    return m.tiles >= ENOUGH_TILES && 4 * computed <= 5 * wanted;
}

/* ── forward, and the data gradient ──────────────────────────────────────────────────────── */

/* U: for each of 36 planes the panels (panel.h) of the transformed kernels (C, O). */
static void take_kernels(float *U, int64_t plane, const float *w, bool flipped,
                         const an_conv_shape *s)
{
    int64_t C = s->C, O = s->O;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t c = 0; c < C; c++)
        for (int64_t o = 0; o < O; o += AN_TILE_LANES) {
            int64_t p = o / AN_MICRO_COLUMNS, within = o % AN_MICRO_COLUMNS;
            float *to = U + p * C * AN_MICRO_COLUMNS + c * an_panel_width(O, p) + within;
            const float *g = w + (flipped ? c * O + o : o * C + c) * 9;
            an_k_tile_kernel(to, plane, g, 9 * (flipped ? 1 : C), flipped);
        }
}

an_code an_k_winograd_forward(float *y, const float *x, const float *w, bool flipped,
                              const float *b, bool accumulate, const an_conv_shape *s)
{
    if (an_k_winograd_few_tiles_fits(s))
        return an_k_winograd_few_tiles_forward(y, x, w, flipped, b, accumulate, s);
    layout l = layout_of(s);
    int64_t C = s->C, O = s->O;
    size_t shared = an_scratch_line(sizeof(float) * (size_t)(P * l.plane_kernels));
    char *all = an_scratch_take(shared + (size_t)an_threads() * l.own);
    if (!all)
        return AN_ENOMEM;
    float *U = (float *)all;
    take_kernels(U, l.plane_kernels, w, flipped, s);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t lo = 0; lo < l.map.tiles; lo += l.block) {
        int64_t hi = lo + l.block < l.map.tiles ? lo + l.block : l.map.tiles;
        float *zeros = (float *)(all + shared + (size_t)omp_get_thread_num() * l.own);
        float *nowhere = zeros + C, *V = nowhere + O, *M = V + P * l.plane_in;
        memset(zeros, 0, sizeof(float) * (size_t)(C + O));
        an_k_tiles_in(V, l.plane_in, x, lo, hi, &l.map, zeros);
        for (int k = 0; k < P; k++)
            an_k_panel_rows(M + k * l.plane_out, O, V + k * l.plane_in, C, U + k * l.plane_kernels,
                            hi - lo, C, O, NULL, false, NULL);
        an_k_tiles_out(y, M, l.plane_out, lo, hi, 0, O, &l.map, b, accumulate, nowhere);
    }
    an_scratch_give(all);
    return AN_OK;
}

/* ── weight gradient ────────────────────────────────────────────────────────────────────────── */

static int64_t weight_chunks(const an_conv_shape *s)
{
    int64_t fit = CHUNK_BYTES / (int64_t)sizeof(float) / P / s->C / s->O, chunks = CHUNKS;
    while (chunks > 2 && chunks > fit)
        chunks /= 2;
    return chunks;
}

/* dw += Gᵀ (Σ_chunk dU) G, chunks in order. */
static void give_kernels(float *dw, const float *dU, int64_t plane, int64_t chunks,
                         const an_conv_shape *s)
{
    int64_t C = s->C, O = s->O;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t o = 0; o < O; o += AN_TILE_LANES)
        for (int64_t c = 0; c < C; c++)
            an_k_tile_kernel_gradient(dw + (o * C + c) * 9, 9 * C, dU + c * O + o, plane, chunks,
                                      P * plane);
}

/* dU (C, O) ←, or +=, Vᵀ·Z over `tiles` tiles. */
static void sum_tiles(float *dU, const float *V, const float *Z, int64_t tiles, bool accumulate,
                      const an_conv_shape *s)
{
    int64_t C = s->C, O = s->O;
    an_micro_outer job = {.n = {1, 1, tiles},
                          .a_step = {0, 0, C},
                          .b_step = {0, 0, O},
                          .rows = ROWS,
                          .out_step = O,
                          .accumulate = accumulate};
    for (int64_t o = 0; o < O; o += AN_MICRO_COLUMNS)
        for (int64_t c = 0; c < C; c += ROWS) {
            job.a = V + c;
            job.b = Z + o;
            job.columns = an_panel_columns(O, o / AN_MICRO_COLUMNS);
            job.out = dU + c * O + o;
            an_k_micro_outer(&job);
        }
}

an_code an_k_winograd_weight(float *dw, const float *dy, const float *x, const an_conv_shape *s)
{
    if (an_k_winograd_few_tiles_fits(s))
        return an_k_winograd_few_tiles_weight(dw, dy, x, s);
    layout l = layout_of(s);
    int64_t C = s->C, O = s->O, n = P * l.plane_kernels;
    int64_t grain = up(l.map.tiles, weight_chunks(s)), chunks = an_chunks(l.map.tiles, grain);
    size_t shared = an_scratch_line(sizeof(float) * (size_t)(chunks * n));
    char *all = an_scratch_take(shared + (size_t)an_threads() * l.own);
    if (!all)
        return AN_ENOMEM;
    float *dU = (float *)all;
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t first = chunk * grain,
                end = first + grain < l.map.tiles ? first + grain : l.map.tiles;
        float *zeros = (float *)(all + shared + (size_t)omp_get_thread_num() * l.own);
        float *V = zeros + C + O, *Z = V + P * l.plane_in;
        memset(zeros, 0, sizeof(float) * (size_t)(C + O));
        for (int64_t lo = first, hi; lo < end; lo = hi) {
            hi = lo + l.block < end ? lo + l.block : end;
            an_k_tiles_in(V, l.plane_in, x, lo, hi, &l.map, zeros);
            an_k_tiles_gradient(Z, l.plane_out, dy, lo, hi, &l.map, zeros);
            for (int k = 0; k < P; k++)
                sum_tiles(dU + chunk * n + k * l.plane_kernels, V + k * l.plane_in,
                          Z + k * l.plane_out, hi - lo, lo > first, s);
        }
    }
    give_kernels(dw, dU, l.plane_kernels, chunks, s);
    an_scratch_give(all);
    return AN_OK;
}
