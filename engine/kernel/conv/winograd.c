/* winograd: see winograd.h. Tiles are transformed a block at a time, so that a block's planes stay
 * in L2 between the transform that writes them and the 36 products that read them. Few tiles with
 * many channels, where the transformed kernels are larger than the tiles, are cut by channels
 * instead: winograd_few_tiles.c. */
#include "kernel/conv/winograd.h"

#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/carve.h"
#include "kernel/matmul/packed.h"
#include "kernel/conv/winograd_few_tiles.h"
#include "kernel/conv/winograd_map.h"

enum {
    P = AN_TILE_PLANES,
    ROWS = AN_MICRO_ROWS,
    BLOCK_MAX = 128,               /* tiles                                    */
    ENOUGH_TILES = 8,              /* to pay for the transform of the kernels  */
    CHUNKS = 8,                    /* partial weight gradients, at most …      */
    CHUNK_BYTES = 16 * 1024 * 1024 /* … and of all of them: more would be slower to write and add
                                      than the tiles are to transform */
};

typedef struct {
    an_tile_map map;
    int64_t block;                              /* tiles transformed together        */
    int64_t plane_in, plane_out, plane_kernels; /* floats from one plane to the next */
} layout;

/* The planes of both operands of a block fit in L2 together. Wide layers overflow L2 whatever the
 * block: there a block must be at least as large as the transformed kernels that it reads. */
static layout layout_of(const an_conv_shape *s)
{
    layout l = {.map = an_k_tile_map(s)};
    int64_t least = an_div_up(2 * s->C * s->O, s->C + s->O);
    l.block = AN_L2_BLOCK_BYTES / (int64_t)sizeof(float) / P / (s->C + s->O);
    l.block = an_round_up(an_min(an_max(l.block, least), BLOCK_MAX), ROWS);
    l.plane_in = an_tile_plane(l.block, s->C);
    l.plane_out = an_tile_plane(l.block, s->O);
    l.plane_kernels = an_tile_plane(s->C, s->O);
    return l;
}

/* What the transforms require; an_k_winograd_fits() adds the conditions for being faster. */
static bool is_possible(const an_conv_shape *s)
{
    return s->kh == 3 && s->kw == 3 && s->stride == 1 && s->C % AN_LANES == 0 &&
           s->O % AN_LANES == 0;
}

bool an_k_winograd_fits(const an_conv_shape *s)
{
    if (!is_possible(s))
        return false;
    an_tile_map m = an_k_tile_map(s);
    int64_t of_image = m.down * m.across, computed = of_image * AN_TILE_OUT * AN_TILE_OUT;
    return s->batch * of_image >= ENOUGH_TILES && 2 * computed <= 3 * s->Ho * s->Wo;
}

/* ── forward, and the data gradient ──────────────────────────────────────────────────────── */

/* U ← the transformed kernels (C, O) of each of the 36 planes, packed. */
static void transform_kernels(float *U, int64_t plane, const float *w, bool flipped,
                              const an_conv_shape *s)
{
    int64_t C = s->C, O = s->O;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t c = 0; c < C; c++)
        for (int64_t o = 0; o < O; o += AN_LANES) {
            const float *g = w + (flipped ? c * O + o : o * C + c) * 9;
            an_k_tile_kernel(U + an_packed_index(C, O, c, o), plane, g, 9 * (flipped ? 1 : C),
                             flipped);
        }
}

an_code an_k_winograd_forward(void *y, const void *x, const float *w, bool flipped, const float *b,
                              bool accumulate, const an_conv_shape *s)
{
    AN_ASSERT(is_possible(s));
    if (an_k_winograd_few_tiles_fits(s))
        return an_k_winograd_few_tiles_forward(y, x, w, flipped, b, accumulate, s);
    layout l = layout_of(s);
    int64_t C = s->C, O = s->O;
    an_carve scratch = {0};
    an_carve_part kernels = an_carve_shared(&scratch, P * l.plane_kernels, sizeof(float));
    an_carve_part outside = an_carve_own(&scratch, C + O, sizeof(float));
    an_carve_part in = an_carve_own(&scratch, P * l.plane_in, sizeof(float));
    an_carve_part out = an_carve_own(&scratch, P * l.plane_out, sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    float *U = an_carve_at(&scratch, kernels);
    transform_kernels(U, l.plane_kernels, w, flipped, s);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t lo = 0; lo < l.map.tiles; lo += l.block) {
        int64_t hi = an_min(lo + l.block, l.map.tiles);
        float *zeros = an_carve_at(&scratch, outside), *unused = zeros + C;
        float *V = an_carve_at(&scratch, in), *M = an_carve_at(&scratch, out);
        memset(zeros, 0, sizeof(float) * (size_t)(C + O));
        an_k_tiles_in(V, l.plane_in, x, lo, hi, &l.map, zeros);
        for (int k = 0; k < P; k++)
            an_k_packed_product(M + k * l.plane_out, O, V + k * l.plane_in, C, hi - lo,
                                &(an_packed){U + k * l.plane_kernels, C, O}, NULL, false, NULL);
        an_k_tiles_out(y, M, l.plane_out, lo, hi, 0, O, &l.map, b, accumulate, unused);
    }
    an_carve_release(&scratch);
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
static void add_kernel_gradients(float *dw, const float *dU, int64_t plane, int64_t chunks,
                                 const an_conv_shape *s)
{
    int64_t C = s->C, O = s->O;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t o = 0; o < O; o += AN_LANES)
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
                          .a = V,
                          .rows = C,
                          .out_step = O,
                          .accumulate = accumulate};
    for (int64_t o = 0; o < O; o += AN_MICRO_COLUMNS) {
        job.b = Z + o;
        job.columns = an_panel_columns(O, o / AN_MICRO_COLUMNS);
        job.out = dU + o;
        an_k_micro_outer(&job);
    }
}

an_code an_k_winograd_weight(float *dw, const void *dy, const void *x, const an_conv_shape *s)
{
    AN_ASSERT(is_possible(s));
    if (an_k_winograd_few_tiles_fits(s))
        return an_k_winograd_few_tiles_weight(dw, dy, x, s);
    layout l = layout_of(s);
    int64_t C = s->C, O = s->O, n = P * l.plane_kernels;
    int64_t grain = an_div_up(l.map.tiles, weight_chunks(s)),
            chunks = an_chunks(l.map.tiles, grain);
    an_carve scratch = {0};
    an_carve_part sums = an_carve_shared(&scratch, chunks * n, sizeof(float));
    an_carve_part outside = an_carve_own(&scratch, C + O, sizeof(float));
    an_carve_part in = an_carve_own(&scratch, P * l.plane_in, sizeof(float));
    an_carve_part out = an_carve_own(&scratch, P * l.plane_out, sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    float *dU = an_carve_at(&scratch, sums);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t first = chunk * grain, end = an_min(first + grain, l.map.tiles);
        float *zeros = an_carve_at(&scratch, outside);
        float *V = an_carve_at(&scratch, in), *Z = an_carve_at(&scratch, out);
        memset(zeros, 0, sizeof(float) * (size_t)(C + O));
        for (int64_t lo = first, hi; lo < end; lo = hi) {
            hi = an_min(lo + l.block, end);
            an_k_tiles_in(V, l.plane_in, x, lo, hi, &l.map, zeros);
            an_k_tiles_gradient(Z, l.plane_out, dy, lo, hi, &l.map, zeros);
            for (int k = 0; k < P; k++)
                sum_tiles(dU + chunk * n + k * l.plane_kernels, V + k * l.plane_in,
                          Z + k * l.plane_out, hi - lo, lo > first, s);
        }
    }
    add_kernel_gradients(dw, dU, l.plane_kernels, chunks, s);
    an_carve_release(&scratch);
    return AN_OK;
}
