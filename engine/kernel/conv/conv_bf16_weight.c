/* conv_bf16_weight: the weight gradient of conv_bf16.h. Sums run over positions, so both operands
 * are transposed: the grid of x by channels, each a row of all positions of some images, and dy by
 * pairs of positions, with zeros where the grid has no output. One group of images at a time is
 * transposed and multiplied; a task is a line of the kernel, 32 channels of x and 32 of dy, and
 * adds to its own sums in the order of the groups.
 *
 * With few channels, such as those of an image, a block of 16 rows would be mostly zeros. The taps
 * of a line of the kernel then count as further channels: row v·C + c is channel c at tap v. */
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/carve.h"
#include "kernel/conv/bf16_grid.h"
#include "kernel/conv/conv_bf16.h"
#include "kernel/matmul/bf16_tile.h"
#include "kernel/matmul/bf16_turn.h"

enum {
    SIDE = AN_BF16_SIDE,
    BLOCK = 2 * SIDE,
    DEPTH = AN_BF16_DEPTH,
    GROUP = 8192, /* positions of a group, about: 1 MiB of 64 channels                     */
    DEEP = 1024   /* terms of a tile at a time: 64 KiB of either operand, for all taps of a line */
};

typedef struct {
    const an_conv_shape *s;
    an_bf16_grid grid, lines; /* lines: of folded taps, not cut */
    const void *x, *dy;
    int64_t images, group; /* of a group at most                                     */
    int64_t phases, area;  /* of an image; positions of a phase                      */
    bool folded;           /* taps of a line are channels                            */
    int64_t across;        /* taps of a line that are not                            */
    int64_t used;          /* channels of x, and of folded taps                      */
    int64_t channels;      /* those, rounded up to 16                                */
    int64_t row, block;    /* numbers of a channel of x; of 16 channels of dy        */
    uint16_t *by_channel;  /* (channels, row): phase, image, position                */
    uint16_t *by_pair;     /* (O / 16, block): pair of positions, channel, position  */
    float *sums;           /* (blocks of c, of o, kh·kw, 32, 32) */
    an_carve scratch;
    an_carve_part line, work, sorted; /* own */
} job;

/* Where position 0 of a phase of image b of the group is in a row. */
static int64_t start_of(const job *j, int64_t phase, int64_t b)
{
    return (phase * j->group + b) * j->area;
}

/* Element i of x or dy. */
static const void *at(const job *j, const void *numbers, int64_t i)
{
    return j->s->narrow ? (const void *)((const uint16_t *)numbers + i)
                        : (const void *)((const float *)numbers + i);
}

/* Transposes x of image b of the group, 16 channels from c on. What is outside the image is zero
 * and remains so from group to group. */
static void turn_x(const job *j, int64_t first, int64_t b, int64_t c)
{
    const an_conv_shape *s = j->s;
    const an_bf16_grid *g = &j->grid;
    const int64_t image = (first + b) * s->H * s->W * s->C;
    float *work = an_carve_at(&j->scratch, j->work);
    for (int64_t phase = 0; phase < j->phases; phase++) {
        uint16_t *to = j->by_channel + c * j->row + start_of(j, phase, b);
        for (int64_t i = 0; i < g->H; i++, to += g->W) {
            an_bf16_part p = an_bf16_inside(g, phase, i);
            if (p.hi > p.lo)
                an_bf16_turn(to + p.lo, j->row, at(j, j->x, image + p.from + c), s->narrow,
                             g->step * g->C, p.hi - p.lo, an_min(s->C - c, SIDE), work);
        }
    }
}

/* The same for folded taps: a line of the image between zeros, in which the channels of all taps of
 * a position are neighbours. */
static void turn_folded(const job *j, int64_t first, int64_t b, int64_t i)
{
    const an_conv_shape *s = j->s;
    const an_bf16_grid *g = &j->grid;
    uint16_t *line = an_carve_at(&j->scratch, j->line);
    float *work = an_carve_at(&j->scratch, j->work);
    for (int64_t phase = 0; phase < j->phases; phase++) {
        an_bf16_part p = an_bf16_inside(&j->lines, phase, i);
        uint16_t *to = j->by_channel + start_of(j, phase, b) + i * g->W;
        memset(line, 0, sizeof *line * (size_t)(j->lines.W * s->C + j->used));
        if (p.hi > p.lo)
            an_bf16_copy(line + p.lo * s->C, j->x, s->narrow,
                         (first + b) * s->H * s->W * s->C + p.from, (p.hi - p.lo) * s->C);
        for (int64_t c = 0; c < j->used; c += SIDE)
            an_bf16_turn(to + c * j->row, j->row, line + c, true, s->stride * s->C, s->Wo,
                         an_min(j->used - c, SIDE), work);
    }
}

/* Transposes line i of dy of image b of the group; positions of the grid without an output become
 * zeros. */
static void turn_dy(const job *j, int64_t first, int64_t b, int64_t i)
{
    const an_conv_shape *s = j->s;
    uint16_t *to = j->by_pair + (b * j->area + i * j->grid.W) * SIDE;
    int64_t used = i < s->Ho ? an_round_up(s->Wo, 2) : 0;
    if (used > 0)
        an_bf16_pairs(to, j->block, at(j, j->dy, ((first + b) * s->Ho + i) * s->Wo * s->O),
                      s->narrow, s->Wo, s->O);
    for (int64_t o = 0; o < s->O; o += SIDE)
        memset(to + o / SIDE * j->block + used * SIDE, 0,
               sizeof *to * (size_t)((j->grid.W - used) * SIDE));
}

/* Sums of a tap of 32 by 32 channels are contiguous. */
static float *sums_of(const job *j, int64_t tap, int64_t c, int64_t o)
{
    int64_t block = c / BLOCK * an_div_up(j->s->O, BLOCK) + o / BLOCK;
    return j->sums + (block * j->s->kh * j->across + tap) * BLOCK * BLOCK;
}

/* Adds the group's products of line u of the kernel to the sums of a block of channels. */
static void add_line(const job *j, int64_t u, int64_t c, int64_t o, int64_t terms, bool first)
{
    const an_conv_shape *s = j->s;
    for (int64_t k = 0; k < terms; k += DEEP)
        for (int64_t v = 0; v < j->across; v++) {
            int64_t phase = start_of(j, an_bf16_phase_of(&j->grid, u, v), 0);
            int64_t tap = phase + an_bf16_shift_of(&j->grid, u, v);
            an_k_bf16_tile(&(an_bf16_tile){.a = j->by_channel + c * j->row + tap + k,
                                           .a_step = j->row,
                                           .b = j->by_pair + o / SIDE * j->block + k * SIDE,
                                           .b_step = j->block,
                                           .steps = an_div_up(an_min(terms - k, DEEP), DEPTH),
                                           .c = sums_of(j, u * j->across + v, c, o),
                                           .c_step = BLOCK,
                                           .accumulate = !first || k > 0,
                                           .rows = an_min(j->channels - c, BLOCK),
                                           .columns = an_min(s->O - o, BLOCK)});
        }
}

/* Inside a parallel region: transposes `count` images from `first` on and adds their products. */
static void run_group(const job *j, int64_t first, int64_t count)
{
    const an_conv_shape *s = j->s;
    int64_t terms = count * j->area, padded = an_round_up(terms, DEPTH);
    int64_t wide = an_div_up(j->channels, BLOCK), out = an_div_up(s->O, BLOCK);
#pragma omp for schedule(static) nowait
    for (int64_t k = 0; k < (j->folded ? 0 : count * (j->channels / SIDE)); k++)
        turn_x(j, first, k % count, k / count * SIDE);
#pragma omp for schedule(static) nowait
    for (int64_t l = 0; l < (j->folded ? count * j->grid.H : 0); l++)
        turn_folded(j, first, l / j->grid.H, l % j->grid.H);
#pragma omp for schedule(static) nowait
    for (int64_t l = 0; l < count * j->grid.H; l++)
        turn_dy(j, first, l / j->grid.H, l % j->grid.H);
#pragma omp for schedule(static)
    for (int64_t o = 0; o < s->O / SIDE; o++)
        memset(j->by_pair + o * j->block + terms * SIDE, 0,
               sizeof *j->by_pair * (size_t)((padded - terms) * SIDE));
#pragma omp for schedule(dynamic)
    for (int64_t task = 0; task < s->kh * wide * out; task++)
        add_line(j, task / (wide * out), task / out % wide * BLOCK, task % out * BLOCK, terms,
                 first == 0);
}

/* to (n) += from */
AN_SIMD static void add_to(float *restrict to, const float *restrict from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += from[i];
}

/* dw (O, C, kh, kw) += the sums of 16 output channels from o on. They pass through `sorted` (16,
 * channels of a block · taps), so that dw is read and written in its own order. */
static void add_sums(const job *j, float *dw, int64_t o)
{
    const an_conv_shape *s = j->s;
    float *sorted = an_carve_at(&j->scratch, j->sorted);
    int64_t taps = s->kh * s->kw, whole = s->kh * j->across;
    for (int64_t first = 0, last; first < j->used; first = last) {
        last = j->folded ? j->used : an_min(first + BLOCK, j->used);
        int64_t base = j->folded ? 0 : first, count = (j->folded ? s->C : last - first) * taps;
        for (int64_t r = first; r < last; r++)
            for (int64_t t = 0; t < whole; t++) {
                const float *from = sums_of(j, t, r, o) + r % BLOCK * BLOCK + o % BLOCK;
                int64_t tap = j->folded ? t * s->kw + r / s->C : t;
                float *to = sorted + (r % s->C - base) * taps + tap;
                for (int n = 0; n < SIDE; n++)
                    to[n * count] = from[n];
            }
        for (int64_t n = 0; n < SIDE; n++)
            add_to(dw + ((o + n) * s->C + base) * taps, sorted + n * count, count);
    }
}

static job job_of(const void *dy, const void *x, const an_conv_shape *s)
{
    job j = {.s = s, .grid = an_bf16_input_grid(s), .x = x, .dy = dy, .images = s->B};
    j.folded = s->C < SIDE && s->kw > 1;
    j.across = j.folded ? 1 : s->kw;
    j.used = j.folded ? s->kw * s->C : s->C;
    if (j.folded) {
        j.lines = an_bf16_input_lines(s);
        j.grid.side = 1;
        j.grid.W = an_round_up(s->Wo, 2);
    }
    j.phases = j.grid.down * j.grid.side;
    j.area = j.grid.H * j.grid.W;
    j.group = an_clamp(GROUP / j.area, 1, an_max(s->B, 1));
    j.channels = an_round_up(j.used, SIDE);
    /* The last step reads beyond the last position; rows whole pages apart would share cache
     * lines. */
    int64_t needed = j.phases * j.group * j.area + (s->kh + 1) * j.grid.W + 2 * DEPTH;
    j.row = (an_div_up(needed, DEPTH) | 1) * DEPTH;
    j.block = an_round_up(j.group * j.area, DEPTH) * SIDE;
    return j;
}

static an_code take(job *j)
{
    const an_conv_shape *s = j->s;
    int64_t weights = s->kh * j->across * an_round_up(j->used, BLOCK) * an_round_up(s->O, BLOCK);
    an_carve_part x = an_carve_shared(&j->scratch, j->channels * j->row, sizeof(uint16_t));
    an_carve_part dy = an_carve_shared(&j->scratch, s->O / SIDE * j->block, sizeof(uint16_t));
    an_carve_part sums = an_carve_shared(&j->scratch, weights, sizeof(float));
    int64_t line = j->folded ? j->lines.W * s->C + j->used : 0;
    j->line = an_carve_own(&j->scratch, line, sizeof(uint16_t));
    int64_t sorted = SIDE * an_min(s->C, BLOCK) * s->kh * s->kw;
    j->sorted = an_carve_own(&j->scratch, sorted, sizeof(float));
    j->work = an_carve_own(&j->scratch, SIDE * an_round_up(j->grid.W, SIDE), sizeof(float));
    if (an_carve_take(&j->scratch))
        return AN_ENOMEM;
    j->by_channel = an_carve_at(&j->scratch, x);
    j->by_pair = an_carve_at(&j->scratch, dy);
    j->sums = an_carve_at(&j->scratch, sums);
    return AN_OK;
}

an_code an_k_conv_bf16_weight(float *dw, const void *dy, const void *x, const an_conv_shape *s)
{
    AN_ASSERT(an_k_conv_bf16_fits(s));
    job j = job_of(dy, x, s);
    if (s->B == 0)
        return AN_OK;
    if (take(&j))
        return AN_ENOMEM;
#pragma omp parallel num_threads(an_threads())
    {
#pragma omp for schedule(static)
        for (int64_t c = 0; c < j.channels; c++)
            memset(j.by_channel + c * j.row, 0, sizeof *j.by_channel * (size_t)j.row);
        an_k_bf16_begin();
        for (int64_t first = 0; first < j.images; first += j.group)
            run_group(&j, first, an_min(j.group, j.images - first));
        an_k_bf16_end();
#pragma omp for schedule(static)
        for (int64_t o = 0; o < s->O; o += SIDE)
            add_sums(&j, dw, o);
    }
    an_carve_release(&j.scratch);
    return AN_OK;
}
