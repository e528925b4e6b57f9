/* conv_bf16: the forward pass and the data gradient of conv_bf16.h: which taps of the kernel form a
 * product, and where its grid begins. */
#include "kernel/conv/conv_bf16.h"

#include "base/assert.h"
#include "base/integer.h"
#include "kernel/common/cache.h"
#include "kernel/conv/conv_bf16_product.h"

enum {
    SIDE = AN_BF16_SIDE,
    TASKS = 8, /* per batch with that many images: each task reads all weights */
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

/* ── preparation ────────────────────────────────────────────────────────────────────────────── */

/* The most steps of one of `phases` × `phases` products. */
static int64_t most_steps(const an_conv_shape *s, int64_t in, int64_t phases)
{
    return an_div_up(s->kh, phases) * an_div_up(an_div_up(s->kw, phases) * in, AN_BF16_DEPTH);
}

/* Sets `at` and `steps` of a product from its runs. */
static void lay_steps(an_bf16_product *p, int64_t in)
{
    p->steps = 0;
    for (int64_t i = 0; i < p->run_count; i++)
        for (int64_t k = 0; k < an_bf16_steps_of(&p->runs[i], in); k++)
            p->at[p->steps++] = p->runs[i].at + k * AN_BF16_DEPTH;
}

/* Derives the sizes and allocates the scratch memory. */
static an_code prepare(an_bf16_conv *j, const an_conv_shape *s)
{
    j->images = s->B;
    j->count = j->apart * j->apart;
    j->numbers = an_bf16_positions(&j->grid) * j->in;
    int64_t fit = AN_L2_BLOCK_BYTES / (int64_t)sizeof(uint16_t) / an_max(j->numbers, 1);
    j->group = an_clamp(fit, 1, an_max(an_div_up(s->B, TASKS), 1));
    int64_t steps = most_steps(s, j->in, j->apart), taps = s->kh * s->kw;
    int64_t packed = steps * AN_BF16_PACKED * (j->out / SIDE);
    j->weights = s->O * s->C * taps;
    an_carve_part products = an_carve_shared(&j->scratch, j->count, sizeof(an_bf16_product));
    an_carve_part runs = an_carve_shared(&j->scratch, j->count * taps, sizeof(an_bf16_run));
    an_carve_part at = an_carve_shared(&j->scratch, j->count * steps, sizeof(int64_t));
    an_carve_part rounded = an_carve_shared(&j->scratch, j->weights, sizeof(uint16_t));
    an_carve_part blocks = an_carve_shared(&j->scratch, j->count * packed, sizeof(uint16_t));
    j->whole = j->images * j->numbers < j->count * packed;
    j->grids = j->whole ? an_carve_shared(&j->scratch, j->images * j->numbers + an_bf16_beyond(j),
                                          sizeof(uint16_t))
                        : an_carve_own(&j->scratch, j->group * j->numbers + an_bf16_beyond(j),
                                       sizeof(uint16_t));
    j->tile = an_carve_own(&j->scratch, 4 * SIDE * SIDE, sizeof(float));
    if (an_carve_take(&j->scratch))
        return AN_ENOMEM;
    j->products = an_carve_at(&j->scratch, products);
    j->rounded = an_carve_at(&j->scratch, rounded);
    for (int64_t k = 0; k < j->count; k++)
        j->products[k] =
            (an_bf16_product){.runs = (an_bf16_run *)an_carve_at(&j->scratch, runs) + k * taps,
                              .at = (int64_t *)an_carve_at(&j->scratch, at) + k * steps,
                              .packed = (uint16_t *)an_carve_at(&j->scratch, blocks) + k * packed};
    return AN_OK;
}

/* ── forward ────────────────────────────────────────────────────────────────────────────────── */

/* Where tap (u, v) of position 0 is, in positions. */
static int64_t tap(const an_bf16_grid *g, int64_t u, int64_t v)
{
    return an_bf16_phase_of(g, u, v) * g->H * g->W + an_bf16_shift_of(g, u, v);
}

static void forward_runs(an_bf16_product *p, const an_bf16_conv *j, const an_conv_shape *s)
{
    for (int64_t u = 0; u < s->kh; u++)
        p->runs[p->run_count++] = (an_bf16_run){
            .u = u, .v = 0, .v_step = 1, .count = s->kw, .at = tap(&j->grid, u, 0) * j->in};
    lay_steps(p, j->in);
}

an_code an_k_conv_bf16_forward(void *y, const void *x, const float *w, const float *b,
                               const an_conv_shape *s)
{
    AN_ASSERT(an_k_conv_bf16_fits(s));
    const an_bf16_grid grid = an_bf16_input_lines(s);
    an_bf16_conv j = {.grid = grid,
                      .tail = an_bf16_tail(&grid, s) * s->C,
                      .in = s->C,
                      .out = s->O,
                      .w_in = s->kh * s->kw,
                      .w_out = s->C * s->kh * s->kw,
                      .kw = s->kw,
                      .lines = s->Ho,
                      .columns = s->Wo,
                      .apart = 1,
                      .ahead = s->stride * s->C,
                      .height = s->Ho,
                      .width = s->Wo,
                      .y = y,
                      .x = x,
                      .b = b,
                      .w = w,
                      .narrow = s->narrow};
    j.across = j.grid.W / s->stride;
    if (prepare(&j, s))
        return AN_ENOMEM;
    forward_runs(j.products, &j, s);
    an_bf16_multiply(&j);
    an_carve_release(&j.scratch);
    return AN_OK;
}

/* ── data gradient ──────────────────────────────────────────────────────────────────────────── */

/* dx at line stride·i + r − pad is Σ_m dy[i − m] · w[stride·m + r]: for each r, c < stride a
 * convolution of stride 1, all over the same grid of dy. */
static void data_runs(an_bf16_product *p, const an_bf16_conv *j, const an_conv_shape *s, int64_t r,
                      int64_t c)
{
    int64_t high = an_div_up(s->kh, s->stride), wide = an_div_up(s->kw, s->stride);
    int64_t lines = s->kh > r ? an_div_up(s->kh - r, s->stride) : 0;
    int64_t count = s->kw > c ? an_div_up(s->kw - c, s->stride) : 0;
    for (int64_t m = 0; m < lines && count > 0; m++)
        p->runs[p->run_count++] =
            (an_bf16_run){.u = m * s->stride + r,
                          .v = (count - 1) * s->stride + c,
                          .v_step = -s->stride,
                          .count = count,
                          .at = ((high - 1 - m) * j->grid.W + wide - count) * j->in};
    lay_steps(p, j->in);
    p->line = s->pad_y / s->stride * s->stride + r - s->pad_y;
    p->column = s->pad_x / s->stride * s->stride + c - s->pad_x;
}

/* The grid of dy; its line 0 is the first that a line of dx needs. */
static void data_grid(an_bf16_conv *j, const an_conv_shape *s)
{
    int64_t high = an_div_up(s->kh, s->stride), wide = an_div_up(s->kw, s->stride);
    int64_t first = s->pad_y / s->stride, left = s->pad_x / s->stride;
    j->lines = (s->pad_y + s->H - 1) / s->stride - first + 1;
    j->columns = (s->pad_x + s->W - 1) / s->stride - left + 1;
    j->grid =
        (an_bf16_grid){.h = s->Ho,
                       .w = s->Wo,
                       .C = s->O,
                       .step = 1,
                       .step_x = 1,
                       .down = 1,
                       .side = 1,
                       .top = first - (high - 1),
                       .left = left - (wide - 1),
                       .H = j->lines + high - 1 - an_bf16_shared(s->stride, s->kh, s->pad_y),
                       .W = j->columns + wide - 1 - an_bf16_shared(s->stride, s->kw, s->pad_x)};
    j->tail = an_bf16_tail(&j->grid, s) * s->O;
}

an_code an_k_conv_bf16_data(void *dx, const void *dy, const float *w, bool accumulate,
                            const an_conv_shape *s)
{
    AN_ASSERT(an_k_conv_bf16_data_fits(s));
    an_bf16_conv j = {.in = s->O,
                      .out = s->C,
                      .w_in = s->C * s->kh * s->kw,
                      .w_out = s->kh * s->kw,
                      .kw = s->kw,
                      .apart = s->stride,
                      .ahead = s->O,
                      .height = s->H,
                      .width = s->W,
                      .y = dx,
                      .x = dy,
                      .w = w,
                      .accumulate = accumulate,
                      .narrow = s->narrow};
    data_grid(&j, s);
    j.across = j.grid.W;
    if (prepare(&j, s))
        return AN_ENOMEM;
    for (int64_t k = 0; k < j.count; k++)
        data_runs(&j.products[k], &j, s, k / s->stride, k % s->stride);
    an_bf16_multiply(&j);
    an_carve_release(&j.scratch);
    return AN_OK;
}
