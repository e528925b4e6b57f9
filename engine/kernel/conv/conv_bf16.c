/* conv_bf16: the forward pass and the data gradient, see conv_bf16.h. A task is some images: their
 * grids stay in L2 while all output channels are computed from them, 32 positions by 32 channels at
 * a time. */
#include "kernel/conv/conv_bf16.h"

#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/bf16_round.h"
#include "kernel/common/cache.h"
#include "kernel/common/carve.h"
#include "kernel/conv/bf16_grid.h"
#include "kernel/matmul/bf16_store.h"
#include "kernel/matmul/bf16_tile.h"
#include "kernel/matmul/bf16_turn.h"

enum {
    SIDE = AN_BF16_SIDE,
    BLOCK = 2 * SIDE, /* positions and channels of a tile          */
    DEPTH = AN_BF16_DEPTH,
    TASKS = 8, /* per batch, where images are that many: each task reads all weights */
    STRIDE = 4 /* at most: a data gradient is a product per phase, stride² of them */
};

bool an_k_conv_bf16_fits(const an_conv_shape *s)
{
    return s->O % SIDE == 0 && s->stride <= STRIDE;
}

bool an_k_conv_bf16_data_fits(const an_conv_shape *s)
{
    return s->C % SIDE == 0 && s->stride <= STRIDE;
}

/* ── taps ───────────────────────────────────────────────────────────────────────────────────── */

/* Taps of one line of the kernel that are neighbours in the grid: columns v, v + v_step, …, `count`
 * of them, each `in` numbers. */
typedef struct {
    int64_t u, v, v_step, count;
    int64_t at; /* of the first in the grid, in numbers */
} run;

/* The runs of one product, whose output position (i, j) is line i·apart + line, column
 * j·apart + column of an image. */
typedef struct {
    run *runs;
    int64_t run_count;
    int64_t *at, steps; /* of the tiles                                      */
    uint16_t *packed;   /* blocks of 16 channels, each `steps` packed blocks */
    int64_t line, column;
} product;

typedef struct {
    an_bf16_grid grid;
    int64_t in, out;        /* channels                                                    */
    int64_t w_in, w_out;    /* floats of w from one channel to the next                    */
    int64_t kw;             /* floats of w from one line of the kernel to the next         */
    int64_t lines, columns; /* output positions of each product                            */
    int64_t apart;
    int64_t height, width; /* of an output image                                          */
    product *products;     /* apart², all over the same grid                              */
    int64_t count;
    float *y;
    const float *x, *b, *w;
    bool accumulate;
    int64_t images, group; /* of a task at most    */
    int64_t numbers;       /* of an image's grid   */
    uint16_t *narrow;      /* w, rounded           */
    an_carve scratch;
    an_carve_part grids, tile; /* own */
} job;

static int64_t steps_of(const run *r, int64_t in)
{
    return an_div_up(r->count * in, DEPTH);
}

/* The most steps of one of `phases` × `phases` products. */
static int64_t most_steps(const an_conv_shape *s, int64_t in, int64_t phases)
{
    int64_t high = an_div_up(s->kh, phases), sides = phases == 1 ? an_min(s->stride, s->kw) : 1;
    return high * (an_div_up(an_div_up(s->kw, phases) * in, DEPTH) + sides);
}

/* packed ← the block of 16 output channels from o on, w rounded. */
static void pack_block(const job *j, const product *p, int64_t o)
{
    uint16_t *packed = p->packed + o / SIDE * p->steps * AN_BF16_PACKED;
    for (int64_t i = 0; i < p->run_count; i++) {
        const run *r = &p->runs[i];
        int64_t steps = steps_of(r, j->in);
        memset(packed, 0, sizeof *packed * (size_t)(steps * AN_BF16_PACKED));
        for (int64_t t = 0; t < r->count; t++) {
            const uint16_t *from = j->narrow + o * j->w_out + r->u * j->kw + r->v + t * r->v_step;
            an_bf16_pack(packed, t * j->in, from, j->w_out, j->in, j->w_in);
        }
        packed += steps * AN_BF16_PACKED;
    }
}

/* Sets `at` and `steps` of a product from its runs. */
static void lay_steps(product *p, int64_t in)
{
    p->steps = 0;
    for (int64_t i = 0; i < p->run_count; i++)
        for (int64_t k = 0; k < steps_of(&p->runs[i], in); k++)
            p->at[p->steps++] = p->runs[i].at + k * DEPTH;
}

/* ── product ────────────────────────────────────────────────────────────────────────────────── */

/* Stores the rows of a tile that are positions of the output: those from q on. */
AN_SIMD static void store(const job *j, const product *p, float *y, int64_t q, int64_t rows,
                          int64_t channels, const float *b, const float *tile)
{
    int64_t i = q / j->grid.W, at = q % j->grid.W;
    for (int64_t r = 0; r < rows; r++, at++) {
        if (at == j->grid.W) {
            at = 0;
            i++;
        }
        int64_t line = i * j->apart + p->line, column = at * j->apart + p->column;
        if (at < j->columns && line >= 0 && line < j->height && column >= 0 && column < j->width)
            an_bf16_store(y + (line * j->width + column) * j->out, tile + r * BLOCK, b,
                          j->accumulate, channels);
    }
}

static void image_channels(const job *j, const product *p, int64_t image, const uint16_t *grid,
                           int64_t o, float *tile)
{
    int64_t positions = (j->lines - 1) * j->grid.W + j->columns;
    int64_t channels = an_min(j->out - o, BLOCK), block = p->steps * AN_BF16_PACKED;
    float *y = j->y + image * j->height * j->width * j->out + o;
    for (int64_t q = 0; q < positions; q += BLOCK) {
        int64_t rows = an_min(positions - q, BLOCK);
        an_k_bf16_tile(&(an_bf16_tile){.a = grid + q * j->in,
                                       .at = p->at,
                                       .a_step = j->in,
                                       .b = p->packed + o / SIDE * block,
                                       .b_step = block,
                                       .steps = p->steps,
                                       .c = tile,
                                       .c_step = BLOCK,
                                       .rows = rows,
                                       .columns = channels});
        store(j, p, y, q, rows, channels, j->b ? j->b + o : NULL, tile);
    }
}

/* Numbers that a last block of rows, or a last step of a run, reads beyond the grid. */
static int64_t beyond(const job *j)
{
    return SIDE * j->in + DEPTH;
}

static void some_images(const job *j, int64_t lo, int64_t hi)
{
    uint16_t *grids = an_carve_at(&j->scratch, j->grids);
    float *tile = an_carve_at(&j->scratch, j->tile);
    const int64_t image = j->grid.h * j->grid.w * j->grid.C;
    for (int64_t b = lo; b < hi; b++)
        an_k_bf16_grid(grids + (b - lo) * j->numbers, j->x + b * image, &j->grid);
    memset(grids + (hi - lo) * j->numbers, 0, sizeof *grids * (size_t)beyond(j));
    for (int64_t k = 0; k < j->count; k++)
        for (int64_t o = 0; o < j->out; o += BLOCK)
            for (int64_t b = lo; b < hi; b++)
                image_channels(j, &j->products[k], b, grids + (b - lo) * j->numbers, o, tile);
}

static void multiply(const job *j)
{
    int64_t tasks = an_div_up(j->images, j->group), blocks = j->out / SIDE;
#pragma omp parallel num_threads(an_threads())
    {
#pragma omp for schedule(static)
        for (int64_t k = 0; k < j->count * blocks; k++)
            pack_block(j, &j->products[k / blocks], k % blocks * SIDE);
        an_k_bf16_begin();
#pragma omp for schedule(dynamic)
        for (int64_t task = 0; task < tasks; task++)
            some_images(j, task * j->group, an_min((task + 1) * j->group, j->images));
        an_k_bf16_end();
    }
}

/* Takes the scratch and rounds w. */
static an_code prepare(job *j, const an_conv_shape *s)
{
    j->images = s->B;
    j->count = j->apart * j->apart;
    j->numbers = an_bf16_positions(&j->grid) * j->in;
    int64_t fit = AN_L2_BLOCK_BYTES / (int64_t)sizeof(uint16_t) / an_max(j->numbers, 1);
    j->group = an_clamp(fit, 1, an_max(an_div_up(s->B, TASKS), 1));
    int64_t steps = most_steps(s, j->in, j->apart), taps = s->kh * s->kw;
    int64_t packed = steps * AN_BF16_PACKED * (j->out / SIDE), weights = s->O * s->C * taps;
    an_carve_part products = an_carve_shared(&j->scratch, j->count, sizeof(product));
    an_carve_part runs = an_carve_shared(&j->scratch, j->count * taps, sizeof(run));
    an_carve_part at = an_carve_shared(&j->scratch, j->count * steps, sizeof(int64_t));
    an_carve_part narrow = an_carve_shared(&j->scratch, weights, sizeof(uint16_t));
    an_carve_part blocks = an_carve_shared(&j->scratch, j->count * packed, sizeof(uint16_t));
    j->grids = an_carve_own(&j->scratch, j->group * j->numbers + beyond(j), sizeof(uint16_t));
    j->tile = an_carve_own(&j->scratch, BLOCK * BLOCK, sizeof(float));
    if (an_carve_take(&j->scratch))
        return AN_ENOMEM;
    j->products = an_carve_at(&j->scratch, products);
    j->narrow = an_carve_at(&j->scratch, narrow);
    for (int64_t k = 0; k < j->count; k++)
        j->products[k] =
            (product){.runs = (run *)an_carve_at(&j->scratch, runs) + k * taps,
                      .at = (int64_t *)an_carve_at(&j->scratch, at) + k * steps,
                      .packed = (uint16_t *)an_carve_at(&j->scratch, blocks) + k * packed};
    an_bf16_round(j->narrow, j->w, weights);
    return AN_OK;
}

/* ── forward ────────────────────────────────────────────────────────────────────────────────── */

/* Where tap (u, v) of position 0 is, in positions. */
static int64_t tap(const an_bf16_grid *g, int64_t u, int64_t v)
{
    return an_bf16_phase_of(g, u, v) * g->H * g->W + an_bf16_shift_of(g, u, v);
}

static void forward_runs(product *p, const job *j, const an_conv_shape *s)
{
    for (int64_t u = 0; u < s->kh; u++)
        for (int64_t v = 0; v < j->grid.side; v++)
            p->runs[p->run_count++] = (run){.u = u,
                                            .v = v,
                                            .v_step = s->stride,
                                            .count = an_div_up(s->kw - v, s->stride),
                                            .at = tap(&j->grid, u, v) * j->in};
    lay_steps(p, j->in);
}

an_code an_k_conv_bf16_forward(float *y, const float *x, const float *w, const float *b,
                               const an_conv_shape *s)
{
    AN_ASSERT(an_k_conv_bf16_fits(s));
    job j = {.grid = an_bf16_input_grid(s),
             .in = s->C,
             .out = s->O,
             .w_in = s->kh * s->kw,
             .w_out = s->C * s->kh * s->kw,
             .kw = s->kw,
             .lines = s->Ho,
             .columns = s->Wo,
             .apart = 1,
             .height = s->Ho,
             .width = s->Wo,
             .y = y,
             .x = x,
             .b = b,
             .w = w};
    if (prepare(&j, s))
        return AN_ENOMEM;
    forward_runs(j.products, &j, s);
    multiply(&j);
    an_carve_release(&j.scratch);
    return AN_OK;
}

/* ── data gradient ──────────────────────────────────────────────────────────────────────────── */

/* dx at line stride·i + r − pad is Σ_m dy[i − m] · w[stride·m + r]: for each r, c < stride a
 * convolution of stride 1, all over the same grid of dy. */
static void data_runs(product *p, const job *j, const an_conv_shape *s, int64_t r, int64_t c)
{
    int64_t high = an_div_up(s->kh, s->stride), wide = an_div_up(s->kw, s->stride);
    int64_t lines = s->kh > r ? an_div_up(s->kh - r, s->stride) : 0;
    int64_t count = s->kw > c ? an_div_up(s->kw - c, s->stride) : 0;
    for (int64_t m = 0; m < lines && count > 0; m++)
        p->runs[p->run_count++] = (run){.u = m * s->stride + r,
                                        .v = (count - 1) * s->stride + c,
                                        .v_step = -s->stride,
                                        .count = count,
                                        .at = ((high - 1 - m) * j->grid.W + wide - count) * j->in};
    lay_steps(p, j->in);
    p->line = s->pad_y / s->stride * s->stride + r - s->pad_y;
    p->column = s->pad_x / s->stride * s->stride + c - s->pad_x;
}

/* The grid of dy, whose line 0 is the first that a line of dx needs. */
static void data_grid(job *j, const an_conv_shape *s)
{
    int64_t high = an_div_up(s->kh, s->stride), wide = an_div_up(s->kw, s->stride);
    int64_t first = s->pad_y / s->stride, left = s->pad_x / s->stride;
    j->lines = (s->pad_y + s->H - 1) / s->stride - first + 1;
    j->columns = (s->pad_x + s->W - 1) / s->stride - left + 1;
    j->grid = (an_bf16_grid){.h = s->Ho,
                             .w = s->Wo,
                             .C = s->O,
                             .step = 1,
                             .down = 1,
                             .side = 1,
                             .top = first - (high - 1),
                             .left = left - (wide - 1),
                             .H = j->lines + high - 1,
                             .W = an_round_up(j->columns + wide - 1, 2)};
}

an_code an_k_conv_bf16_data(float *dx, const float *dy, const float *w, bool accumulate,
                            const an_conv_shape *s)
{
    AN_ASSERT(an_k_conv_bf16_data_fits(s));
    job j = {.in = s->O,
             .out = s->C,
             .w_in = s->C * s->kh * s->kw,
             .w_out = s->kh * s->kw,
             .kw = s->kw,
             .apart = s->stride,
             .height = s->H,
             .width = s->W,
             .y = dx,
             .x = dy,
             .w = w,
             .accumulate = accumulate};
    data_grid(&j, s);
    if (prepare(&j, s))
        return AN_ENOMEM;
    for (int64_t k = 0; k < j.count; k++)
        data_runs(&j.products[k], &j, s, k / s->stride, k % s->stride);
    multiply(&j);
    an_carve_release(&j.scratch);
    return AN_OK;
}
