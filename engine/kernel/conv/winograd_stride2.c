/* winograd_stride2: see winograd_stride2.h. Tile t of 4×4 outputs reads x from (8i − 1, 8j − 1),
 * nine positions a side; its data gradient, of 8×8, starts at (8i, 8j) and reads dy from (4i, 4j),
 * five a side: with padding 1 the same tiles cover the images of both.
 * Blocks of tiles stay in the cache from transform to transform, as in winograd.c. */
#include "kernel/conv/winograd_stride2.h"

#include <omp.h>
#include <string.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "kernel/matmul/panel.h"
#include "kernel/conv/winograd_stride2_tile.h"
#include "kernel/conv/winograd_map.h"

enum {
    LINE = AN_HALF_LINE,
    POINTS = AN_HALF_POINTS,
    OUT = AN_HALF_OUT,
    SIDE = AN_HALF_SIDE,
    PARTS = LINE * LINE,
    SUMS = POINTS * POINTS,
    ROWS = AN_MICRO_ROWS,
    BLOCK_BYTES = 512 * 1024, /* of both operands' planes: half of an L2                 */
    BLOCK_MAX = 128,          /* tiles                                                   */
    ENOUGH_TILES = 64,
    MOST_WEIGHTS = 65536 /* pairs of channels: transformed, nine times as many floats */
};

typedef struct {
    const an_conv_shape *s;
    int64_t down, across, tiles; /* per image, per line, in all            */
    int64_t block;               /* tiles transformed together             */
    int64_t plane_in, plane_out; /* floats from part to part, sum to sum   */
    int64_t plane_kernels;       /* floats from part to part               */
    size_t own;                  /* bytes a thread works in                */
} layout;

static int64_t up(int64_t n, int64_t d)
{
    return (n + d - 1) / d;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static layout layout_of(const an_conv_shape *s)
{
    layout l = {.s = s, .down = up(s->Ho, OUT), .across = up(s->Wo, OUT)};
    int64_t tile = PARTS * s->C + SUMS * s->O;
    l.tiles = s->B * l.down * l.across;
    l.block = up(smaller(BLOCK_BYTES / (int64_t)sizeof(float) / tile + 1, BLOCK_MAX), ROWS) * ROWS;
    l.plane_in = an_tile_plane(l.block, s->C);
    l.plane_out = an_tile_plane(l.block, s->O);
    l.plane_kernels = an_tile_plane(s->C, s->O);
    l.own = an_scratch_line(sizeof(float) *
                            (size_t)(s->C + s->O + PARTS * l.plane_in + SUMS * l.plane_out));
    return l;
}

bool an_k_winograd_stride2_fits(const an_conv_shape *s)
{
    if (s->kh != 3 || s->kw != 3 || s->stride != 2 || s->pad_y != 1 || s->pad_x != 1 ||
        s->C % AN_TILE_LANES || s->O % AN_TILE_LANES || s->C * s->O > MOST_WEIGHTS)
        return false;
    layout l = layout_of(s);
    return l.tiles >= ENOUGH_TILES && 4 * l.tiles * OUT * OUT <= 5 * s->B * s->Ho * s->Wo;
}

/* ── tiles ──────────────────────────────────────────────────────────────────────────────── */

/* Pointers to side×side positions, of which tile t has the first at (grid·i + offset, …), in images
 * (B,H,W,C); `outside` where they are outside. The lines that the tiles below will read first
 * are asked for. */
AN_TILE_INLINE void point(const float **to, const int side, int grid, int offset, const float *x,
                          int64_t t, const layout *l, int64_t H, int64_t W, int64_t C,
                          const float *outside)
{
    int64_t image = t / (l->down * l->across);
    int64_t top = t / l->across % l->down * grid + offset, left = t % l->across * grid + offset;
    int64_t at = ((image * H + top) * W + left) * C;
    for (int64_t i = 0; i < side; i++)
        for (int64_t j = 0; j < side; j++) {
            bool inside = (uint64_t)(top + i) < (uint64_t)H && (uint64_t)(left + j) < (uint64_t)W;
            *to++ = inside ? x + at + (i * W + j) * C : outside;
        }
    an_tile_prefetch(x, at + (side * W - offset) * C, grid, W * C, grid * C, l->s->B * H * W * C);
}

static void inputs(float *V, const float *x, int64_t lo, int64_t hi, const layout *l,
                   const float *zeros)
{
    const an_conv_shape *s = l->s;
    const float *d[PARTS];
    for (int64_t t = lo; t < hi; t++, V += s->C) {
        point(d, LINE, SIDE, -1, x, t, l, s->H, s->W, s->C, zeros);
        an_k_half_input(V, l->plane_in, d, s->C);
    }
}

/* The parts that are added up in point (p, q): their numbers, and how many. */
static int parts_of(int part[4], int p, int q)
{
    int count = 0;
    for (int i = p; i < LINE; i += POINTS)
        for (int j = q; j < LINE; j += POINTS)
            part[count++] = i * LINE + j;
    return count;
}

/* ── kernels ────────────────────────────────────────────────────────────────────────────── */

/* U: for each of 81 parts the panels (panel.h) of the transformed kernels (rows, columns), from w
 * (columns, rows, 3, 3), or (rows, columns, 3, 3) turned by 180°. */
static void take_kernels(float *U, int64_t plane, const float *w, bool flipped, int64_t rows,
                         int64_t columns)
{
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t r = 0; r < rows; r++)
        for (int64_t n = 0; n < columns; n += AN_TILE_LANES) {
            int64_t p = n / AN_MICRO_COLUMNS, within = n % AN_MICRO_COLUMNS;
            float *to = U + p * rows * AN_MICRO_COLUMNS + r * an_panel_width(columns, p) + within;
            const float *g = w + (flipped ? r * columns + n : n * rows + r) * 9;
            an_k_half_kernel(to, plane, g, 9 * (flipped ? 1 : rows), flipped);
        }
}

/* Scratch: shared floats, then `own` bytes a thread. */
static char *own_part(char *all, size_t shared, const layout *l)
{
    char *own = all + shared + (size_t)omp_get_thread_num() * l->own;
    memset(own, 0, sizeof(float) * (size_t)(l->s->C + l->s->O)); /* zeros, or nowhere */
    return own;
}

/* ── forward ────────────────────────────────────────────────────────────────────────────── */

/* M (25 sums) ← over its parts, Σ V·U, for `tiles` tiles. */
static void multiply(float *M, const float *V, const float *U, int64_t tiles, const layout *l)
{
    int64_t C = l->s->C, O = l->s->O;
    float nowhere[AN_MICRO_COLUMNS] = {0}, *out[ROWS];
    const float *a[4 * ROWS], *b[4];
    int part[4];
    an_micro_rows job = {.a = a, .b = b, .k = C, .out = out};
    for (int n = 0; n < SUMS; n++, M += l->plane_out) {
        job.segments = parts_of(part, n / POINTS, n % POINTS);
        for (int64_t p = 0; p < an_panel_count(O); p++) {
            job.b_step = an_panel_width(O, p);
            job.columns = an_panel_columns(O, p);
            for (int k = 0; k < job.segments; k++)
                b[k] = U + part[k] * l->plane_kernels + p * AN_MICRO_COLUMNS * C;
            for (int64_t lo = 0; lo < tiles; lo += ROWS) {
                for (int m = 0; m < ROWS; m++) {
                    int64_t row = lo + m < tiles ? lo + m : lo;
                    out[m] = lo + m < tiles ? M + row * O + p * AN_MICRO_COLUMNS : nowhere;
                    for (int k = 0; k < job.segments; k++)
                        a[k * ROWS + m] = V + part[k] * l->plane_in + row * C;
                }
                an_k_micro_rows(&job);
            }
        }
    }
}

an_code an_k_winograd_stride2_forward(float *y, const float *x, const float *w, const float *b,
                                      const an_conv_shape *s)
{
    layout l = layout_of(s);
    size_t shared = an_scratch_line(sizeof(float) * (size_t)(PARTS * l.plane_kernels));
    char *all = an_scratch_take(shared + (size_t)an_threads() * l.own);
    if (!all)
        return AN_ENOMEM;
    float *U = (float *)all;
    take_kernels(U, l.plane_kernels, w, false, s->C, s->O);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t lo = 0; lo < l.tiles; lo += l.block) {
        int64_t hi = smaller(lo + l.block, l.tiles);
        float *zeros = (float *)own_part(all, shared, &l), *nowhere = zeros + s->C;
        float *V = nowhere + s->O, *M = V + PARTS * l.plane_in;
        const float *to[OUT * OUT];
        inputs(V, x, lo, hi, &l, zeros);
        multiply(M, V, U, hi - lo, &l);
        for (int64_t t = lo; t < hi; t++, M += s->O) {
            point(to, OUT, OUT, 0, y, t, &l, s->Ho, s->Wo, s->O, nowhere);
            an_k_half_output((float *const *)to, M, l.plane_out, b, s->O);
        }
    }
    an_scratch_give(all);
    return AN_OK;
}

/* ── data gradient ──────────────────────────────────────────────────────────────────────── */

an_code an_k_winograd_stride2_data(float *dx, const float *dy, const float *w, bool accumulate,
                                   const an_conv_shape *s)
{
    layout l = layout_of(s);
    int64_t C = s->C, O = s->O;
    size_t shared = an_scratch_line(sizeof(float) * (size_t)(PARTS * l.plane_kernels));
    char *all = an_scratch_take(shared + (size_t)an_threads() * l.own);
    if (!all)
        return AN_ENOMEM;
    float *U = (float *)all;
    take_kernels(U, l.plane_kernels, w, true, O, C);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t lo = 0; lo < l.tiles; lo += l.block) {
        int64_t hi = smaller(lo + l.block, l.tiles);
        float *nowhere = (float *)own_part(all, shared, &l), *zeros = nowhere + C;
        float *M = zeros + O, *Z = M + PARTS * l.plane_in;
        const float *d[SIDE * SIDE];
        int part[4];
        for (int64_t t = lo; t < hi; t++) {
            point(d, POINTS, OUT, 0, dy, t, &l, s->Ho, s->Wo, O, zeros);
            an_k_half_turned(Z + (t - lo) * O, l.plane_out, d, O);
        }
        for (int n = 0; n < SUMS; n++)
            for (int k = parts_of(part, n / POINTS, n % POINTS) - 1; k >= 0; k--)
                an_k_panel_rows(M + part[k] * l.plane_in, C, Z + n * l.plane_out, O,
                                U + part[k] * l.plane_kernels, hi - lo, O, C, NULL, false, NULL);
        for (int64_t t = lo; t < hi; t++, M += C) {
            point(d, SIDE, SIDE, 0, dx, t, &l, s->H, s->W, C, nowhere);
            an_k_half_data((float *const *)d, M, l.plane_in, accumulate, C);
        }
    }
    an_scratch_give(all);
    return AN_OK;
}
