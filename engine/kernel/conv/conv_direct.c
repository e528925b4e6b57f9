/* conv_direct: forward pass and data gradient; see conv_direct.h. Both correlate an input grid with
 * the taps of a kernel and write to an output grid. Weights are packed once per call (packed.h),
 * with a row per (tap, channel). A task is some blocks of eight positions times as many panels as
 * stay in L2. */
#include "kernel/conv/conv_direct.h"

#include <string.h>

#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/carve.h"
#include "kernel/matmul/packed.h"

enum {
    M = AN_MICRO_ROWS,
    N = AN_MICRO_COLUMNS,
    TASKS = 32,       /* about as many per call: enough to balance 16 threads … */
    LEAST_BLOCKS = 4, /* the fewest blocks of a task: fewer are not worth one    */
    MOST_BLOCKS = 64  /* the most blocks of a task: the last one ends soon       */
};

typedef struct {
    int64_t y, x, row; /* offset in the input; the first of its `depth` rows in packed weights */
} tap;

typedef struct {
    const float *in;              /* (B, H, W, depth)                                          */
    int64_t B, H, W, depth, step; /* step: input positions from output to output    */
    tap *taps;
    int64_t count;
    float *out; /* (B, out_H, out_W, columns), written at (i, j)·out_step + (out_y, out_x) */
    int64_t Ho, Wo, out_H, out_W, out_step, out_y, out_x, columns;
    const float *bias;
    bool accumulate;
    bool by_image;  /* a block is one position of eight images, not eight of one */
    int64_t blocks; /* of eight positions                                        */
    int64_t grain;  /* blocks of a task                                          */
    int64_t groups; /* of panels                                                 */
} correlation;

typedef struct {
    an_carve scratch;
    an_carve_part pointers, segments; /* own: (taps, 8) inputs and (taps) weights; (taps) rows    */
    float *data, *zeros;              /* packed weights (rows, columns); a pixel outside an image */
    int64_t rows;
    int64_t group; /* panels of a task */
} weights;

/* Sets blocks and tasks, from the grids and sizes alone. */
static void plan(correlation *c, const weights *w)
{
    int64_t bytes = M * c->H * c->W * c->depth * (int64_t)sizeof(float), area = c->Ho * c->Wo;
    c->by_image = c->B >= M && bytes <= AN_L2_BLOCK_BYTES;
    c->blocks = c->by_image ? an_div_up(c->B, M) * area : an_div_up(c->B * area, M);
    c->groups = an_div_up(an_panel_count(c->columns), w->group);
    c->grain = an_clamp(an_div_up(c->blocks * c->groups, TASKS), LEAST_BLOCKS, MOST_BLOCKS);
}

static int64_t tasks_of(const correlation *c)
{
    return an_div_up(c->blocks, c->grain) * c->groups;
}

/* ── a block of eight positions ─────────────────────────────────────────────────────────── */

typedef struct {
    int64_t image[M], i[M], j[M];
    int64_t rows; /* the others repeat the first */
} block;

static block block_of(const correlation *c, int64_t number)
{
    block k;
    int64_t area = c->Ho * c->Wo, first = c->by_image ? number / area * M : number * M;
    int64_t left = (c->by_image ? c->B : c->B * area) - first;
    k.rows = left < M ? left : M;
    for (int64_t m = 0; m < M; m++) {
        int64_t at = first + (m < k.rows ? m : 0),
                position = c->by_image ? number % area : at % area;
        k.image[m] = c->by_image ? at : at / area;
        k.i[m] = position / c->Wo;
        k.j[m] = position % c->Wo;
    }
    return k;
}

/* Fills a (segments, 8) and the taps' rows; returns the number of segments: the taps that are
 * inside the image for at least one position. */
static int64_t find_inputs(const float **a, int64_t *rows, const correlation *c, const block *k,
                           const float *zeros)
{
    const float *corner[M];
    int64_t segments = 0, line = c->W * c->depth;
    for (int m = 0; m < M; m++)
        corner[m] = c->in + k->image[m] * c->H * line + k->i[m] * c->step * line +
                    k->j[m] * c->step * c->depth;
    for (const tap *t = c->taps; t < c->taps + c->count; t++) {
        int64_t jump = t->y * line + t->x * c->depth;
        bool any = false;
        for (int m = 0; m < M; m++) {
            bool inside = (uint64_t)(k->i[m] * c->step + t->y) < (uint64_t)c->H &&
                          (uint64_t)(k->j[m] * c->step + t->x) < (uint64_t)c->W;
            a[segments * M + m] = inside ? corner[m] + jump : zeros;
            any |= inside;
        }
        rows[segments] = t->row;
        segments += any;
    }
    return segments;
}

static void find_outputs(float **out, float *unused, const correlation *c, const block *k)
{
    for (int m = 0; m < M; m++) {
        int64_t i = k->i[m] * c->out_step + c->out_y, j = k->j[m] * c->out_step + c->out_x;
        out[m] = m < k->rows ? c->out + ((k->image[m] * c->out_H + i) * c->out_W + j) * c->columns
                             : unused;
    }
}

static void run_task(const correlation *c, const weights *w, int64_t task)
{
    int64_t first = task / c->groups * c->grain, last = first + c->grain;
    int64_t panel_lo = task % c->groups * w->group, panel_hi = panel_lo + w->group;
    int64_t panels = an_panel_count(c->columns);
    const float **a = an_carve_at(&w->scratch, w->pointers), **b = a + c->count * M;
    int64_t *rows = an_carve_at(&w->scratch, w->segments);
    float unused[N] = {0}, *to[M], *out[M];
    an_micro_rows job = {.a = a, .b = b, .k = c->depth, .out = out, .accumulate = c->accumulate};
    for (int64_t n = first; n < last && n < c->blocks; n++) {
        block k = block_of(c, n);
        job.segments = find_inputs(a, rows, c, &k, w->zeros);
        find_outputs(to, unused, c, &k);
        for (int64_t p = panel_lo; p < panel_hi && p < panels; p++) {
            job.b_step = an_panel_width(c->columns, p);
            job.columns = an_panel_columns(c->columns, p);
            job.bias = c->bias ? c->bias + p * N : NULL;
            for (int64_t s = 0; s < job.segments; s++)
                b[s] = w->data + an_panel_start(w->rows, p) + rows[s] * job.b_step;
            for (int m = 0; m < M; m++)
                out[m] = to[m] == unused ? unused : to[m] + p * N;
            an_k_micro_rows(&job);
        }
    }
}

/* ── weights ────────────────────────────────────────────────────────────────────────────── */

/* Packs panel p: row (t, d), column n is w[n, d, t], or w[d, n, t] if `exchanged` (input and output
 * channels swapped, for the data gradient). */
static void pack_panel(float *data, const float *w, int64_t area, int64_t depth, bool exchanged,
                       int64_t columns, int64_t p)
{
    int64_t count = an_panel_columns(columns, p), width = an_panel_width(columns, p);
    float *panel = data + an_panel_start(area * depth, p);
    if (!exchanged)
        an_k_pack_permuted(panel, width, w + p * N * depth * area, depth * area, count,
                           depth * area, area, depth);
    for (int64_t d = 0; exchanged && d < depth; d++)
        an_k_pack_permuted(panel + d * width, width, w + (d * columns + p * N) * area, area, count,
                           area, area, depth);
}

/* Allocates the packed weights (area·depth, columns), the pointers of a block, and `correlations`
 * with all their taps. */
static an_code prepare(weights *w, int64_t area, int64_t depth, int64_t columns,
                       int64_t correlations, correlation **c, tap **taps)
{
    *w = (weights){.rows = area * depth};
    an_carve_part data =
        an_carve_shared(&w->scratch, an_packed_floats(w->rows, columns), sizeof(float));
    an_carve_part zeros = an_carve_shared(&w->scratch, depth, sizeof(float));
    an_carve_part all = an_carve_shared(&w->scratch, correlations, sizeof(correlation));
    an_carve_part all_taps = an_carve_shared(&w->scratch, area, sizeof(tap));
    w->pointers = an_carve_own(&w->scratch, area * (M + 1), sizeof(float *));
    w->segments = an_carve_own(&w->scratch, area, sizeof(int64_t));
    if (an_carve_take(&w->scratch))
        return AN_ENOMEM;
    w->data = an_carve_at(&w->scratch, data);
    w->zeros = an_carve_at(&w->scratch, zeros);
    *c = an_carve_at(&w->scratch, all);
    *taps = an_carve_at(&w->scratch, all_taps);
    w->group = an_max(AN_L2_REUSED_BYTES / (int64_t)sizeof(float) / N / w->rows, 1);
    memset(w->zeros, 0, sizeof(float) * (size_t)depth);
    return AN_OK;
}

static void pack(weights *w, const float *from, int64_t area, int64_t depth, bool exchanged,
                 int64_t columns)
{
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t p = 0; p < an_panel_count(columns); p++)
        pack_panel(w->data, from, area, depth, exchanged, columns, p);
}

/* ── forward ────────────────────────────────────────────────────────────────────────────── */

typedef struct {
    const correlation *c; /* their tasks are numbered consecutively */
    const weights *w;
} correlations;

static void run_nth(void *context, int64_t task, int64_t end, int64_t chunk)
{
    const correlations *all = context;
    const correlation *own = all->c;
    (void)end, (void)chunk;
    for (; task >= tasks_of(own); own++)
        task -= tasks_of(own);
    run_task(own, all->w, task);
}

static void run(const correlation *c, int64_t count, const weights *w)
{
    int64_t tasks = 0;
    for (int64_t n = 0; n < count; n++)
        tasks += tasks_of(c + n);
    an_par_for(tasks, 1, run_nth, &(correlations){c, w});
}

an_code an_k_conv_direct_forward(float *y, const float *x, const float *w, const float *b,
                                 const an_conv_shape *s)
{
    int64_t area = s->kh * s->kw;
    weights k;
    correlation *c;
    tap *taps;
    if (prepare(&k, area, s->C, s->O, 1, &c, &taps))
        return AN_ENOMEM;
    *c = (correlation){.in = x,
                       .B = s->B,
                       .H = s->H,
                       .W = s->W,
                       .depth = s->C,
                       .step = s->stride,
                       .taps = taps,
                       .count = area,
                       .out = y,
                       .Ho = s->Ho,
                       .Wo = s->Wo,
                       .out_H = s->Ho,
                       .out_W = s->Wo,
                       .out_step = 1,
                       .columns = s->O,
                       .bias = b};
    for (int64_t t = 0; t < area; t++)
        taps[t] = (tap){t / s->kw - s->pad_y, t % s->kw - s->pad_x, t * s->C};
    plan(c, &k);
    pack(&k, w, area, s->C, false, s->O);
    run(c, 1, &k);
    an_carve_release(&k.scratch);
    return AN_OK;
}

/* ── data gradient ──────────────────────────────────────────────────────────────────────── */

/* The correlation of the outputs that are (y, x) modulo the stride: dx[y + stride·i] receives
 * dy[i + (y + pad − u)/stride] for the lines u of the kernel where that division is exact. */
static void set_phase(correlation *c, const an_conv_shape *s, int64_t y, int64_t x)
{
    c->out_y = y;
    c->out_x = x;
    c->Ho = s->H > y ? an_div_up(s->H - y, s->stride) : 0;
    c->Wo = s->W > x ? an_div_up(s->W - x, s->stride) : 0;
    c->count = 0;
    for (int64_t u = 0; u < s->kh; u++)
        for (int64_t v = 0; v < s->kw; v++) {
            int64_t down = y + s->pad_y - u, right = x + s->pad_x - v;
            if (down % s->stride == 0 && right % s->stride == 0)
                c->taps[c->count++] =
                    (tap){down / s->stride, right / s->stride, (u * s->kw + v) * s->O};
        }
}

static void clear_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    (void)chunk;
    memset((float *)context + lo, 0, sizeof(float) * (size_t)(hi - lo));
}

an_code an_k_conv_direct_data(float *dx, const float *dy, const float *w, float beta,
                              const an_conv_shape *s)
{
    int64_t area = s->kh * s->kw, phases = s->stride * s->stride, used = 0;
    weights k;
    correlation *c;
    tap *taps; /* each belongs to one phase */
    if (prepare(&k, area, s->O, s->C, phases, &c, &taps))
        return AN_ENOMEM;
    for (int64_t n = 0; n < phases; n++) {
        c[used] = (correlation){.in = dy,
                                .B = s->B,
                                .H = s->Ho,
                                .W = s->Wo,
                                .depth = s->O,
                                .step = 1,
                                .taps = taps,
                                .out = dx,
                                .out_H = s->H,
                                .out_W = s->W,
                                .out_step = s->stride,
                                .columns = s->C,
                                .accumulate = beta != 0};
        set_phase(&c[used], s, n / s->stride, n % s->stride);
        plan(&c[used], &k);
        taps += c[used].count;
        used += c[used].count > 0;
    }
    if (used < phases && beta == 0) { /* no tap reaches some positions: add to zeros */
        an_par_for(s->B * s->H * s->W * s->C, 4 * AN_GRAIN, clear_part, dx);
        for (int64_t n = 0; n < used; n++)
            c[n].accumulate = true;
    }
    pack(&k, w, area, s->O, true, s->C);
    run(c, used, &k);
    an_carve_release(&k.scratch);
    return AN_OK;
}
