/* winograd_stride2: see winograd_stride2.h. A tile of 4×4 outputs reads x from (8i − 1, 8j − 1),
 * nine positions a side. A tile of the data gradient, 8×8, starts at (8i, 8j) and reads dy from
 * (4i, 4j), five positions a side. With padding 1 the same tiles cover the images of both.
 * Blocks of tiles stay in L2 between the transforms, as in winograd.c. */
#include "kernel/conv/winograd_stride2.h"

#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/carve.h"
#include "kernel/matmul/packed.h"
#include "kernel/conv/winograd_stride2_tile.h"
#include "kernel/conv/winograd_map.h"

enum {
    LINE = AN_STRIDE2_LINE,
    POINTS = AN_STRIDE2_POINTS,
    OUT = AN_STRIDE2_OUT,
    SIDE = AN_STRIDE2_SIDE,
    PARTS = LINE * LINE,
    SUMS = POINTS * POINTS,
    ROWS = AN_MICRO_ROWS,
    BLOCK_MAX = 128,     /* tiles                                                     */
    ENOUGH_TILES = 64,   /* to pay for the transform of the kernels                   */
    MOST_WEIGHTS = 65536 /* pairs of channels: transformed they are 81 floats each    */
};

typedef struct {
    const an_conv_shape *s;
    int64_t down, across, tiles; /* per image, per line, in all            */
    int64_t block;               /* tiles transformed together             */
    int64_t plane_in, plane_out; /* floats from part to part, sum to sum   */
    int64_t plane_kernels;       /* floats from part to part               */
} layout;

static layout layout_of(const an_conv_shape *s)
{
    layout l = {.s = s, .down = an_div_up(s->Ho, OUT), .across = an_div_up(s->Wo, OUT)};
    int64_t tile = PARTS * s->C + SUMS * s->O;
    l.tiles = s->B * l.down * l.across;
    l.block =
        an_round_up(an_min(AN_L2_BLOCK_BYTES / (int64_t)sizeof(float) / tile + 1, BLOCK_MAX), ROWS);
    l.plane_in = an_tile_plane(l.block, s->C);
    l.plane_out = an_tile_plane(l.block, s->O);
    l.plane_kernels = an_tile_plane(s->C, s->O);
    return l;
}

/* What the transforms require; an_k_winograd_stride2_fits() adds the conditions for being
 * faster. */
static bool is_possible(const an_conv_shape *s)
{
    return s->kh == 3 && s->kw == 3 && s->stride == 2 && s->pad_y == 1 && s->pad_x == 1 &&
           s->C % AN_LANES == 0 && s->O % AN_LANES == 0;
}

bool an_k_winograd_stride2_fits(const an_conv_shape *s)
{
    if (!is_possible(s) || s->C * s->O > MOST_WEIGHTS)
        return false;
    layout l = layout_of(s);
    int64_t of_image = l.down * l.across;
    return s->batch * of_image >= ENOUGH_TILES && 4 * of_image * OUT * OUT <= 5 * s->Ho * s->Wo;
}

/* ── tiles ──────────────────────────────────────────────────────────────────────────────── */

/* Pointers to side×side positions of images (B,H,W,C); those of tile t start at (grid·i + offset,
 * grid·j + offset). `outside` for those not in the image. Prefetches the lines that the tiles below
 * read first. */
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
    an_tile_prefetch(x, sizeof *x, at + (side * W - offset) * C, grid, W * C, grid * C,
                     l->s->B * H * W * C);
}

static void inputs(float *V, const float *x, int64_t lo, int64_t hi, const layout *l,
                   const float *zeros)
{
    const an_conv_shape *s = l->s;
    const float *d[PARTS];
    for (int64_t t = lo; t < hi; t++, V += s->C) {
        point(d, LINE, SIDE, -1, x, t, l, s->H, s->W, s->C, zeros);
        an_k_stride2_input(V, l->plane_in, d, s->C);
    }
}

/* Lists the parts whose products are added at point (p, q) of the sums; returns how many. */
static int parts_of(int part[4], int p, int q)
{
    int count = 0;
    for (int i = p; i < LINE; i += POINTS)
        for (int j = q; j < LINE; j += POINTS)
            part[count++] = i * LINE + j;
    return count;
}

/* ── kernels ────────────────────────────────────────────────────────────────────────────── */

/* U ← the transformed kernels (rows, columns) of each of the 81 parts, packed, from w (columns,
 * rows, 3, 3) or, if `flipped`, from (rows, columns, 3, 3) rotated by 180°. */
static void transform_kernels(float *U, int64_t plane, const float *w, bool flipped, int64_t rows,
                              int64_t columns)
{
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t r = 0; r < rows; r++)
        for (int64_t n = 0; n < columns; n += AN_LANES) {
            const float *g = w + (flipped ? r * columns + n : n * rows + r) * 9;
            an_k_stride2_kernel(U + an_packed_index(rows, columns, r, n), plane, g,
                                9 * (flipped ? 1 : rows), flipped);
        }
}

typedef struct {
    an_carve scratch;
    an_carve_part kernels; /* transformed                                               */
    an_carve_part outside, parts,
        sums; /* own: C + O floats read or written outside; V and M, or back */
} work;

static an_code take(work *k, const layout *l)
{
    *k = (work){0};
    k->kernels = an_carve_shared(&k->scratch, PARTS * l->plane_kernels, sizeof(float));
    k->outside = an_carve_own(&k->scratch, l->s->C + l->s->O, sizeof(float));
    k->parts = an_carve_own(&k->scratch, PARTS * l->plane_in, sizeof(float));
    k->sums = an_carve_own(&k->scratch, SUMS * l->plane_out, sizeof(float));
    return an_carve_take(&k->scratch);
}

/* The calling thread's C + O zeros. */
static float *clear_outside(const work *k, const layout *l)
{
    float *zeros = an_carve_at(&k->scratch, k->outside);
    memset(zeros, 0, sizeof(float) * (size_t)(l->s->C + l->s->O));
    return zeros;
}

/* ── forward ────────────────────────────────────────────────────────────────────────────── */

/* M (25 sums) ← over its parts, Σ V·U, for `tiles` tiles. */
static void multiply(float *M, const float *V, const float *U, int64_t tiles, const layout *l)
{
    int64_t C = l->s->C, O = l->s->O;
    float unused[AN_MICRO_COLUMNS] = {0}, *out[ROWS];
    const float *a[4 * ROWS], *b[4];
    int part[4];
    an_micro_rows job = {.a = a, .b = b, .k = C, .out = out};
    for (int n = 0; n < SUMS; n++, M += l->plane_out) {
        job.segments = parts_of(part, n / POINTS, n % POINTS);
        for (int64_t p = 0; p < an_panel_count(O); p++) {
            job.b_step = an_panel_width(O, p);
            job.columns = an_panel_columns(O, p);
            for (int k = 0; k < job.segments; k++)
                b[k] = U + part[k] * l->plane_kernels + an_panel_start(C, p);
            for (int64_t lo = 0; lo < tiles; lo += ROWS) {
                for (int m = 0; m < ROWS; m++) {
                    int64_t row = lo + m < tiles ? lo + m : lo;
                    out[m] = lo + m < tiles ? M + row * O + p * AN_PANEL : unused;
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
    AN_ASSERT(is_possible(s));
    layout l = layout_of(s);
    work own;
    if (take(&own, &l))
        return AN_ENOMEM;
    float *U = an_carve_at(&own.scratch, own.kernels);
    transform_kernels(U, l.plane_kernels, w, false, s->C, s->O);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t lo = 0; lo < l.tiles; lo += l.block) {
        int64_t hi = an_min(lo + l.block, l.tiles);
        float *zeros = clear_outside(&own, &l), *unused = zeros + s->C;
        float *V = an_carve_at(&own.scratch, own.parts), *M = an_carve_at(&own.scratch, own.sums);
        const float *to[OUT * OUT];
        inputs(V, x, lo, hi, &l, zeros);
        multiply(M, V, U, hi - lo, &l);
        for (int64_t t = lo; t < hi; t++, M += s->O) {
            point(to, OUT, OUT, 0, y, t, &l, s->Ho, s->Wo, s->O, unused);
            an_k_stride2_output((float *const *)to, M, l.plane_out, b, s->O);
        }
    }
    an_carve_release(&own.scratch);
    return AN_OK;
}

/* ── data gradient ──────────────────────────────────────────────────────────────────────── */

an_code an_k_winograd_stride2_data(float *dx, const float *dy, const float *w, bool accumulate,
                                   const an_conv_shape *s)
{
    AN_ASSERT(is_possible(s));
    layout l = layout_of(s);
    int64_t C = s->C, O = s->O;
    work own;
    if (take(&own, &l))
        return AN_ENOMEM;
    float *U = an_carve_at(&own.scratch, own.kernels);
    transform_kernels(U, l.plane_kernels, w, true, O, C);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t lo = 0; lo < l.tiles; lo += l.block) {
        int64_t hi = an_min(lo + l.block, l.tiles);
        float *unused = clear_outside(&own, &l), *zeros = unused + C;
        float *M = an_carve_at(&own.scratch, own.parts), *Z = an_carve_at(&own.scratch, own.sums);
        const float *d[SIDE * SIDE];
        int part[4];
        for (int64_t t = lo; t < hi; t++) {
            point(d, POINTS, OUT, 0, dy, t, &l, s->Ho, s->Wo, O, zeros);
            an_k_stride2_gradient(Z + (t - lo) * O, l.plane_out, d, O);
        }
        for (int n = 0; n < SUMS; n++)
            for (int k = parts_of(part, n / POINTS, n % POINTS) - 1; k >= 0; k--)
                an_k_packed_product(M + part[k] * l.plane_in, C, Z + n * l.plane_out, O, hi - lo,
                                    &(an_packed){U + part[k] * l.plane_kernels, O, C}, NULL, false,
                                    NULL);
        for (int64_t t = lo; t < hi; t++, M += C) {
            point(d, SIDE, SIDE, 0, dx, t, &l, s->H, s->W, C, unused);
            an_k_stride2_data((float *const *)d, M, l.plane_in, accumulate, C);
        }
    }
    an_carve_release(&own.scratch);
    return AN_OK;
}
