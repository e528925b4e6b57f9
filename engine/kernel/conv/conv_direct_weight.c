/* conv_direct_weight: the weight gradient of conv_direct.h. A tile of 8 input by 32 output channels
 * is summed for all taps, some images at a time that stay in the cache, and then added to dw,
 * transposed. Where that leaves few tiles or much memory to pass over for each, the images
 * are cut into chunks first, whose sums are added in chunk order. */
#include <omp.h>
#include <string.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "kernel/conv/conv_direct.h"
#include "kernel/matmul/microkernel.h"

enum {
    M = AN_MICRO_ROWS,
    N = AN_MICRO_COLUMNS,
    CHUNKS = 8,                  /* of images, at most                                    */
    TILES = 8,                   /* fewer are too few for tasks                           */
    ALL_BYTES = 6 * 1024 * 1024, /* of x and dy, for tiles to pass over them one by one   */
    GROUP_BYTES = 384 * 1024     /* of images that are summed at a time: part of an L2    */
};

typedef struct {
    an_conv_shape s;
    const float *x, *dy;
    int64_t width; /* floats of a dy position                                       */
    int64_t taps;  /* rows of dP are (tap, channel)                                 */
} sum_job;

static int64_t up(int64_t n, int64_t d)
{
    return (n + d - 1) / d;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Output positions lo … hi−1 along one axis whose input, at·stride + offset, lies in 0 … size−1. */
static void range(int64_t *lo, int64_t *hi, int64_t offset, int64_t stride, int64_t size,
                  int64_t outputs)
{
    *lo = offset < 0 ? up(-offset, stride) : 0;
    *hi = offset < size ? smaller((size - 1 - offset) / stride + 1, outputs) : 0;
}

/* out (rows, columns) ←, or +=, the sum over images from … to−1 for one tap. */
static void sum_tap(float *out, int64_t out_step, bool accumulate, const sum_job *j, int64_t t,
                    int64_t channel, int64_t column, int64_t from, int64_t to)
{
    const an_conv_shape *s = &j->s;
    int64_t u = t / s->kw, v = t % s->kw;
    int64_t i_lo, i_hi, j_lo, j_hi, C = s->C;
    range(&i_lo, &i_hi, u - s->pad_y, s->stride, s->H, s->Ho);
    range(&j_lo, &j_hi, v - s->pad_x, s->stride, s->W, s->Wo);
    bool none = i_lo >= i_hi || j_lo >= j_hi;
    int64_t rows = none ? 0 : i_hi - i_lo, places = none ? 0 : j_hi - j_lo;
    an_micro_outer job = {.rows = smaller(M, j->s.C - channel),
                          .columns = smaller(N, j->width - column),
                          .out = out,
                          .out_step = out_step,
                          .accumulate = accumulate};
    if (!none) {
        job.a = j->x + channel +
                ((from * s->H + i_lo * s->stride + u - s->pad_y) * s->W + j_lo * s->stride + v -
                 s->pad_x) *
                    C;
        job.b = j->dy + column + ((from * s->Ho + i_lo) * s->Wo + j_lo) * j->width;
    }
    int64_t n[] = {to - from, rows, places};
    int64_t a[] = {s->H * s->W * C, s->stride * s->W * C, s->stride * C};
    int64_t b[] = {s->Ho * s->Wo * j->width, s->Wo * j->width, j->width};
    int first = places <= 4 && to - from > places; /* the longest loop innermost */
    for (int k = 0; k < 3; k++) {
        int at = (k + first) % 3;
        job.n[k] = n[at], job.a_step[k] = a[at], job.b_step[k] = b[at];
    }
    an_k_micro_outer(&job);
}

/* ── tiles ──────────────────────────────────────────────────────────────────────────────── */

/* dw (O,C,kh,kw) += tile (taps, 8, 32) at (channel …, column …). */
static void add_tile(float *dw, const float *tile, const sum_job *j, int64_t O, int64_t channel,
                     int64_t column)
{
    const an_conv_shape *s = &j->s;
    int64_t area = s->kh * s->kw, rows = smaller(M, j->s.C - channel);
    for (int64_t o = 0; o < smaller(N, O - column); o++) {
        float *to = dw + (column + o) * s->C * area;
        for (int64_t r = 0; r < rows; r++) {
            float *run = to + (channel + r) * area;
            for (int64_t t = 0; t < j->taps; t++)
                run[t] += tile[(t * M + r) * N + o];
        }
    }
}

static int64_t group_of(const sum_job *j, int64_t floats)
{
    int64_t fit = GROUP_BYTES / (int64_t)sizeof(float) / (floats > 0 ? floats : 1);
    return fit < 1 ? 1 : smaller(fit, j->s.B > 0 ? j->s.B : 1);
}

/* All images for one tile after the other. `tiles`: (taps, 8, 32) per thread. */
static void by_tiles(float *dw, const sum_job *j, int64_t O, float *tiles)
{
    const an_conv_shape *s = &j->s;
    int64_t down = up(j->s.C, M), across = up(O, N), size = j->taps * M * N;
    int64_t group = group_of(j, s->H * s->W * 2 * M + s->Ho * s->Wo * N);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t n = 0; n < down * across; n++) {
        int64_t channel = n % down * M, column = n / down * N;
        float *tile = tiles + omp_get_thread_num() * size;
        for (int64_t b = 0; b < s->B; b += group)
            for (int64_t t = 0; t < j->taps; t++)
                sum_tap(tile + t * M * N, N, b > 0, j, t, channel, column, b,
                        smaller(b + group, s->B));
        add_tile(dw, tile, j, O, channel, column);
    }
}

/* ── chunks of images ───────────────────────────────────────────────────────────────────── */

/* partial (taps·depth, width) ← the sum over images lo … hi−1. */
static void sum_chunk(float *partial, const sum_job *j, int64_t lo, int64_t hi)
{
    const an_conv_shape *s = &j->s;
    int64_t group = group_of(j, s->H * s->W * s->C + s->Ho * s->Wo * j->width);
    for (int64_t b = lo; b < hi; b += group)
        for (int64_t t = 0; t < j->taps; t++)
            for (int64_t column = 0; column < j->width; column += N)
                for (int64_t channel = 0; channel < j->s.C; channel += M)
                    sum_tap(partial + (t * j->s.C + channel) * j->width + column, j->width, b > lo,
                            j, t, channel, column, b, smaller(b + group, hi));
}

static void add_chunks(float *dw, const float *partial, int64_t chunks, const sum_job *j, int64_t O,
                       float *tiles)
{
    int64_t down = up(j->s.C, M), across = up(O, N), n = j->taps * j->s.C * j->width;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t k = 0; k < down * across; k++) {
        int64_t channel = k % down * M, column = k / down * N;
        int64_t rows = smaller(M, j->s.C - channel), columns = smaller(N, j->width - column);
        float *tile = tiles + omp_get_thread_num() * j->taps * M * N;
        for (int64_t row = 0; row < j->taps * rows; row++) {
            int64_t t = row / rows, r = row % rows;
            const float *from = partial + (t * j->s.C + channel + r) * j->width + column;
            float sum[N] = {0};
            for (int64_t chunk = 0; chunk < chunks; chunk++)
                for (int64_t o = 0; o < columns; o++)
                    sum[o] += from[chunk * n + o];
            memcpy(tile + (t * M + r) * N, sum, sizeof sum);
        }
        add_tile(dw, tile, j, O, channel, column);
    }
}

static void by_chunks(float *dw, const sum_job *j, int64_t O, int64_t grain, float *partial,
                      float *tiles)
{
    int64_t n = j->taps * j->s.C * j->width, chunks = an_chunks(j->s.B, grain);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        sum_chunk(partial + chunk * n, j, chunk * grain, smaller((chunk + 1) * grain, j->s.B));
    add_chunks(dw, partial, chunks, j, O, tiles);
}

/* ── the whole ──────────────────────────────────────────────────────────────────────────── */

/* to (rows, width) ← from (rows, O) and zeros. */
static void widen(float *to, const float *from, int64_t rows, int64_t O, int64_t width)
{
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t r = 0; r < rows; r++) {
        memcpy(to + r * width, from + r * O, sizeof(float) * (size_t)O);
        memset(to + r * width + O, 0, sizeof(float) * (size_t)(width - O));
    }
}

an_code an_k_conv_direct_weight(float *dw, const float *dy, const float *x, const an_conv_shape *s)
{
    sum_job j = {.s = *s,
                 .x = x,
                 .dy = dy,
                 .width = up(s->O, AN_MICRO_HALF) * AN_MICRO_HALF,
                 .taps = s->kh * s->kw};
    int64_t pixels = s->B * s->H * s->W * s->C, places = s->B * s->Ho * s->Wo;
    int64_t tiles = up(s->C, M) * up(s->O, N), grain = up(s->B, CHUNKS);
    bool cut = tiles < TILES || (pixels + places * j.width) * (int64_t)sizeof(float) > ALL_BYTES;
    int64_t partials = cut && grain ? an_chunks(s->B, grain) * j.taps * s->C * j.width : 0;
    int64_t copy = j.width > s->O ? places * j.width : 0, own = an_threads() * j.taps * M * N;
    float *all = an_scratch_take(sizeof(float) * (size_t)(own + partials + copy));
    if (!all)
        return AN_ENOMEM;
    float *partial = all + own, *wide = partial + partials;
    if (copy)
        widen(wide, dy, places, s->O, j.width), j.dy = wide;
    if (!cut)
        by_tiles(dw, &j, s->O, all);
    else if (s->B > 0)
        by_chunks(dw, &j, s->O, grain, partial, all);
    an_scratch_give(all);
    return AN_OK;
}
