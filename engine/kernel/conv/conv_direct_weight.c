/* conv_direct_weight: the weight gradient of conv_direct.h. A tile of 8 input by 32 output channels
 * is summed for all taps, over groups of images that stay in L2, then transposed and added to dw.
 * Where there are too few tiles for the threads, or the images are too large for every tile to pass
 * over all of them, the images are cut into chunks, whose sums are added in chunk order. */
#include <string.h>

#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/carve.h"
#include "kernel/conv/conv_direct.h"
#include "kernel/matmul/microkernel.h"

enum {
    M = AN_MICRO_ROWS,
    N = AN_MICRO_COLUMNS,
    CHUNKS = 8, /* of images, at most: each needs a copy of dw           */
    TILES = 8   /* from this many on, tiles are enough to share among threads */
};

typedef struct {
    an_conv_shape s;
    const float *x, *dy;
    int64_t width; /* floats of a dy position                                       */
    int64_t taps;  /* rows of dP are (tap, channel)                                 */
    const an_carve *scratch;
    an_carve_part tile; /* own: (taps, 8, 32)                                            */
} sum_job;

/* Output positions lo … hi−1 along one axis whose input, at·stride + offset, is in 0 … size−1. */
static void valid_range(int64_t *lo, int64_t *hi, int64_t offset, int64_t stride, int64_t size,
                        int64_t outputs)
{
    *lo = offset < 0 ? an_div_up(-offset, stride) : 0;
    *hi = offset < size ? an_min((size - 1 - offset) / stride + 1, outputs) : 0;
}

/* out (rows, columns) ←, or +=, the sum over images from … to−1 for one tap. */
static void sum_tap(float *out, int64_t out_step, bool accumulate, const sum_job *j, int64_t t,
                    int64_t channel, int64_t column, int64_t from, int64_t to)
{
    const an_conv_shape *s = &j->s;
    int64_t u = t / s->kw, v = t % s->kw;
    int64_t i_lo, i_hi, j_lo, j_hi, C = s->C;
    valid_range(&i_lo, &i_hi, u - s->pad_y, s->stride, s->H, s->Ho);
    valid_range(&j_lo, &j_hi, v - s->pad_x, s->stride, s->W, s->Wo);
    bool none = i_lo >= i_hi || j_lo >= j_hi;
    int64_t rows = none ? 0 : i_hi - i_lo, positions = none ? 0 : j_hi - j_lo;
    an_micro_outer job = {.rows = an_min(M, j->s.C - channel),
                          .columns = an_min(N, j->width - column),
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
    int64_t n[] = {to - from, rows, positions};
    int64_t a[] = {s->H * s->W * C, s->stride * s->W * C, s->stride * C};
    int64_t b[] = {s->Ho * s->Wo * j->width, s->Wo * j->width, j->width};
    int first = positions <= 4 && to - from > positions; /* the longest loop innermost */
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
    int64_t area = s->kh * s->kw, rows = an_min(M, j->s.C - channel);
    for (int64_t o = 0; o < an_min(N, O - column); o++) {
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
    int64_t fit = AN_L2_REUSED_BYTES / (int64_t)sizeof(float) / (floats > 0 ? floats : 1);
    return fit < 1 ? 1 : an_min(fit, j->s.B > 0 ? j->s.B : 1);
}

/* One tile after another, each over all images. */
static void by_tiles(float *dw, const sum_job *j, int64_t O)
{
    const an_conv_shape *s = &j->s;
    int64_t down = an_div_up(j->s.C, M), across = an_div_up(O, N);
    int64_t group = group_of(j, s->H * s->W * 2 * M + s->Ho * s->Wo * N);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t n = 0; n < down * across; n++) {
        int64_t channel = n % down * M, column = n / down * N;
        float *tile = an_carve_at(j->scratch, j->tile);
        for (int64_t b = 0; b < s->B; b += group)
            for (int64_t t = 0; t < j->taps; t++)
                sum_tap(tile + t * M * N, N, b > 0, j, t, channel, column, b,
                        an_min(b + group, s->B));
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
                            j, t, channel, column, b, an_min(b + group, hi));
}

static void add_chunks(float *dw, const float *partial, int64_t chunks, const sum_job *j, int64_t O)
{
    int64_t down = an_div_up(j->s.C, M), across = an_div_up(O, N), n = j->taps * j->s.C * j->width;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t k = 0; k < down * across; k++) {
        int64_t channel = k % down * M, column = k / down * N;
        int64_t rows = an_min(M, j->s.C - channel), columns = an_min(N, j->width - column);
        float *tile = an_carve_at(j->scratch, j->tile);
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

static void by_chunks(float *dw, const sum_job *j, int64_t O, int64_t grain, float *partial)
{
    int64_t n = j->taps * j->s.C * j->width, chunks = an_chunks(j->s.B, grain);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t chunk = 0; chunk < chunks; chunk++)
        sum_chunk(partial + chunk * n, j, chunk * grain, an_min((chunk + 1) * grain, j->s.B));
    add_chunks(dw, partial, chunks, j, O);
}

/* ── gradient ───────────────────────────────────────────────────────────────────────────── */

/* to (rows, width) ← from (rows, O), padded with zeros. */
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
    an_carve scratch = {0};
    sum_job j = {.s = *s,
                 .x = x,
                 .dy = dy,
                 .scratch = &scratch,
                 .width = an_round_up(s->O, AN_LANES),
                 .taps = s->kh * s->kw};
    int64_t pixels = s->B * s->H * s->W * s->C, positions = s->B * s->Ho * s->Wo;
    int64_t tiles = an_div_up(s->C, M) * an_div_up(s->O, N), grain = an_div_up(s->B, CHUNKS);
    bool cut = tiles < TILES ||
               (pixels + positions * j.width) * (int64_t)sizeof(float) > AN_L3_SHARE_BYTES;
    int64_t partials = cut && grain ? an_chunks(s->B, grain) * j.taps * s->C * j.width : 0;
    int64_t copy = j.width > s->O ? positions * j.width : 0;
    an_carve_part partial = an_carve_shared(&scratch, partials, sizeof(float));
    an_carve_part wide = an_carve_shared(&scratch, copy, sizeof(float));
    j.tile = an_carve_own(&scratch, j.taps * M * N, sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    if (copy) {
        widen(an_carve_at(&scratch, wide), dy, positions, s->O, j.width);
        j.dy = an_carve_at(&scratch, wide);
    }
    if (!cut)
        by_tiles(dw, &j, s->O);
    else if (s->B > 0)
        by_chunks(dw, &j, s->O, grain, an_carve_at(&scratch, partial));
    an_carve_release(&scratch);
    return AN_OK;
}
