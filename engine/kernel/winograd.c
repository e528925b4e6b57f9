/* winograd: tiles are transformed a block at a time, so that a block's planes stay in the
 * cache between the transform that writes them and the 36 products that read them. */
#include "kernel/winograd.h"

#include <omp.h>

#include "base/mem.h"
#include "base/par.h"
#include "kernel/gemm.h"
#include "kernel/winograd_tile.h"

enum {
    P = AN_TILE_PLANES,
    SKEW = AN_TILE_LANES,          /* floats between planes: equal strides share cache sets */
    BLOCK_BYTES = 768 * 1024,      /* of both operands' planes: three quarters of an L2     */
    BLOCK_MAX = 256,               /* tiles                                                 */
    ENOUGH_TILES = 96,
    CHUNKS = 8,                    /* partial weight gradients, at most                     */
    CHUNK_BYTES = 16 * 1024 * 1024 /* of all of them together                               */
};

typedef struct {
    const an_conv_shape *s;
    int64_t down, across, tiles; /* per image, per line, in all      */
    int64_t block;               /* tiles transformed together       */
    int64_t plane_in, plane_out; /* floats from one plane to the next */
} layout;

static int64_t up(int64_t n, int64_t d)
{
    return (n + d - 1) / d;
}

/* Wide layers overflow the cache whatever the block: there the transformed kernels, which
 * each block passes over, must not outweigh its tiles. */
static layout layout_of(const an_conv_shape *s)
{
    int64_t least = up(2 * s->C * s->O, s->C + s->O);
    layout l = {.s = s, .down = up(s->Ho, AN_TILE_OUT), .across = up(s->Wo, AN_TILE_OUT)};
    l.tiles = s->B * l.down * l.across;
    l.block = BLOCK_BYTES / (int64_t)sizeof(float) / P / (s->C + s->O);
    l.block = l.block < least ? least : l.block;
    l.block = l.block > BLOCK_MAX ? BLOCK_MAX : l.block;
    l.plane_in = l.block * s->C + SKEW;
    l.plane_out = l.block * s->O + SKEW;
    return l;
}

bool an_k_winograd_fits(const an_conv_shape *s)
{
    if (s->kh != 3 || s->kw != 3 || s->stride != 1 || s->C % AN_TILE_LANES || s->O % AN_TILE_LANES)
        return false;
    layout l = layout_of(s);
    int64_t computed = l.tiles * AN_TILE_OUT * AN_TILE_OUT, wanted = s->B * s->Ho * s->Wo;
    return l.tiles >= ENOUGH_TILES && 4 * computed <= 5 * wanted;
}

/* ── where tiles lie ────────────────────────────────────────────────────────────────────── */

typedef struct {
    int64_t image, top, left; /* of the tile's outputs */
} place;

static place place_of(const layout *l, int64_t tile)
{
    return (place){tile / (l->down * l->across), tile / l->across % l->down * AN_TILE_OUT,
                   tile % l->across * AN_TILE_OUT};
}

/* Pointers to side×side positions from (top, left) of an image; `outside` for the rest. */
static void positions(const float **to, int side, const float *x, place p, int64_t H, int64_t W,
                      int64_t C, const float *outside)
{
    for (int64_t i = p.top; i < p.top + side; i++)
        for (int64_t j = p.left; j < p.left + side; j++)
            *to++ = i < 0 || i >= H || j < 0 || j >= W ? outside
                                                       : x + ((p.image * H + i) * W + j) * C;
}

static void take_inputs(float *V, const float *x, int64_t lo, int64_t hi, const layout *l,
                        const float *zeros)
{
    const an_conv_shape *s = l->s;
    const float *d[P];
    for (int64_t t = lo; t < hi; t++) {
        place p = place_of(l, t);
        p.top -= s->pad_y;
        p.left -= s->pad_x;
        positions(d, AN_TILE_IN, x, p, s->H, s->W, s->C, zeros);
        an_k_tile_input(V + (t - lo) * s->C, l->plane_in, d, s->C);
    }
}

static void take_gradients(float *Z, const float *dy, int64_t lo, int64_t hi, const layout *l,
                           const float *zeros)
{
    const an_conv_shape *s = l->s;
    const float *d[AN_TILE_OUT * AN_TILE_OUT];
    for (int64_t t = lo; t < hi; t++) {
        positions(d, AN_TILE_OUT, dy, place_of(l, t), s->Ho, s->Wo, s->O, zeros);
        an_k_tile_gradient(Z + (t - lo) * s->O, l->plane_out, d, s->O);
    }
}

/* `nowhere` (O) takes what falls outside the image. */
static void give_outputs(float *y, const float *M, int64_t lo, int64_t hi, const layout *l,
                         const float *b, bool accumulate, float *nowhere)
{
    const an_conv_shape *s = l->s;
    const float *to[AN_TILE_OUT * AN_TILE_OUT];
    for (int64_t t = lo; t < hi; t++) {
        positions(to, AN_TILE_OUT, y, place_of(l, t), s->Ho, s->Wo, s->O, nowhere);
        an_k_tile_output((float *const *)to, M + (t - lo) * s->O, l->plane_out, b, accumulate,
                         s->O);
    }
}

/* ── forward, and the data gradient ──────────────────────────────────────────────────────── */

/* U (36, C, O) ← the transformed kernels; sixteen at a time, so that whole lines are written. */
static void take_kernels(float *U, const float *w, bool flipped, const an_conv_shape *s)
{
    int64_t C = s->C, O = s->O;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t c = 0; c < C; c++) {
        for (int64_t o = 0; o < O; o += AN_TILE_LANES) {
            float u[AN_TILE_LANES][P], turned[9];
            for (int64_t l = 0; l < AN_TILE_LANES; l++) {
                const float *g = w + (flipped ? c * O + o + l : (o + l) * C + c) * 9;
                for (int k = 0; k < 9; k++)
                    turned[k] = g[flipped ? 8 - k : k];
                an_k_tile_kernel(u[l], turned);
            }
            for (int k = 0; k < P; k++)
                for (int l = 0; l < AN_TILE_LANES; l++)
                    U[(k * C + c) * O + o + l] = u[l][k];
        }
    }
}

/* A zeroed line, then the planes of both operands, per thread. */
static int64_t own_floats(const layout *l)
{
    const an_conv_shape *s = l->s;
    return (s->C > s->O ? s->C : s->O) + s->O + P * (l->plane_in + l->plane_out);
}

static float *own_line(float *all, const layout *l)
{
    float *line = all + omp_get_thread_num() * own_floats(l);
    int64_t n = l->s->C > l->s->O ? l->s->C : l->s->O;
    for (int64_t i = 0; i < n; i++)
        line[i] = 0;
    return line;
}

an_code an_k_winograd_forward(float *y, const float *x, const float *w, bool flipped,
                              const float *b, bool accumulate, const an_conv_shape *s)
{
    layout l = layout_of(s);
    int64_t C = s->C, O = s->O, line = C > O ? C : O;
    float *U = an_alloc(sizeof(float) * (size_t)(P * C * O + an_threads() * own_floats(&l)));
    if (!U)
        return AN_ENOMEM;
    take_kernels(U, w, flipped, s);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t lo = 0; lo < l.tiles; lo += l.block) {
        int64_t hi = lo + l.block < l.tiles ? lo + l.block : l.tiles;
        float *zeros = own_line(U + P * C * O, &l), *nowhere = zeros + line;
        float *V = nowhere + O, *M = V + P * l.plane_in;
        take_inputs(V, x, lo, hi, &l, zeros);
        for (int k = 0; k < P; k++)
            an_k_gemm(false, false, hi - lo, O, C, 1, V + k * l.plane_in, C, U + k * C * O, O,
                      0, M + k * l.plane_out, O);
        give_outputs(y, M, lo, hi, &l, b, accumulate, nowhere);
    }
    an_free(U);
    return AN_OK;
}

/* ── weight gradient ────────────────────────────────────────────────────────────────────── */

static int64_t weight_chunks(const layout *l)
{
    int64_t fit = CHUNK_BYTES / (int64_t)sizeof(float) / P / l->s->C / l->s->O, chunks = CHUNKS;
    while (chunks > 2 && chunks > fit)
        chunks /= 2;
    return chunks;
}

/* dw += Gᵀ (Σ_chunk dU) G, chunks in order; sixteen at a time, so that whole lines are read. */
static void give_kernels(float *dw, const float *dU, int64_t chunks, const an_conv_shape *s)
{
    int64_t C = s->C, O = s->O;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t c = 0; c < C; c++) {
        for (int64_t o = 0; o < O; o += AN_TILE_LANES) {
            float sum[AN_TILE_LANES][P] = {{0}};
            for (int64_t chunk = 0; chunk < chunks; chunk++)
                for (int k = 0; k < P; k++)
                    for (int l = 0; l < AN_TILE_LANES; l++)
                        sum[l][k] += dU[((chunk * P + k) * C + c) * O + o + l];
            for (int64_t l = 0; l < AN_TILE_LANES; l++)
                an_k_tile_kernel_gradient(dw + ((o + l) * C + c) * 9, sum[l]);
        }
    }
}

an_code an_k_winograd_weight(float *dw, const float *dy, const float *x, const an_conv_shape *s)
{
    layout l = layout_of(s);
    int64_t C = s->C, O = s->O, line = C > O ? C : O, n = P * C * O;
    int64_t grain = up(l.tiles, weight_chunks(&l)), chunks = an_chunks(l.tiles, grain);
    float *dU = an_alloc(sizeof(float) * (size_t)(chunks * n + an_threads() * own_floats(&l)));
    if (!dU)
        return AN_ENOMEM;
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t first = chunk * grain, end = first + grain < l.tiles ? first + grain : l.tiles;
        float *zeros = own_line(dU + chunks * n, &l);
        float *V = zeros + line + O, *Z = V + P * l.plane_in;
        for (int64_t lo = first, hi; lo < end; lo = hi) {
            hi = lo + l.block < end ? lo + l.block : end;
            take_inputs(V, x, lo, hi, &l, zeros);
            take_gradients(Z, dy, lo, hi, &l, zeros);
            for (int k = 0; k < P; k++)
                an_k_gemm(true, false, C, O, hi - lo, 1, V + k * l.plane_in, C,
                          Z + k * l.plane_out, O, lo == first ? 0 : 1, dU + chunk * n + k * C * O,
                          O);
        }
    }
    give_kernels(dw, dU, chunks, s);
    an_free(dU);
    return AN_OK;
}
