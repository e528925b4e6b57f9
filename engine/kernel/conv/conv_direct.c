/* conv_direct: forward pass and data gradient; see conv_direct.h. Both are correlations of an input
 * grid with the taps of a kernel, whose output lands on a grid of its own. Weights are packed once
 * per call, in panels (panel.h) with rows (tap, channel). Work is cut into tasks: some blocks of
 * eight positions, times as many panels as stay in the L2 cache. */
#include "kernel/conv/conv_direct.h"

#include <omp.h>
#include <string.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "kernel/matmul/panel.h"

enum {
    M = AN_MICRO_ROWS,
    N = AN_MICRO_COLUMNS,
    PANEL_BYTES = 384 * 1024,  /* of the panels of a task: part of an L2                */
    IMAGES_BYTES = 512 * 1024, /* of eight images, for a block to be one position of them */
    TASKS = 32,                /* about as many per call …                              */
    LEAST = 4,
    MOST = 64,    /* … of so many blocks                                   */
    CLEAR = 65536 /* floats that a chunk clears                            */
};

typedef struct {
    int64_t y, x, row; /* offset in the input; the first row of its weights in a panel */
} tap;

typedef struct {
    const float *in; /* (B, H, W, pixel), of which a tap takes `depth` floats  */
    int64_t B, H, W, pixel, depth, step;
    tap *taps;
    int64_t count;
    float *out; /* (B, out_H, out_W, columns), written at (i, j)·out_step + … */
    int64_t Ho, Wo, out_H, out_W, out_step, out_y, out_x, columns;
    const float *bias;
    bool accumulate;
    bool by_image;                 /* a block is one position of eight images                */
    int64_t blocks, grain, groups; /* of positions, of blocks in a task, of panels          */
} correlation;

typedef struct {
    float *panels, *zeros; /* packed weights; a pixel outside the image                    */
    int64_t rows;          /* of a panel                                                   */
    int64_t group;         /* panels of a task                                             */
    char *own;             /* per thread: pointers of a block                              */
    size_t own_bytes;
} weights;

static int64_t up(int64_t n, int64_t d)
{
    return (n + d - 1) / d;
}

static int64_t clamp(int64_t n, int64_t lo, int64_t hi)
{
    return n < lo ? lo : n > hi ? hi : n;
}

/* Blocks, tasks: after the grids are set. Depends on sizes alone. */
static void plan(correlation *c, const weights *w)
{
    int64_t bytes = M * c->H * c->W * c->pixel * (int64_t)sizeof(float), area = c->Ho * c->Wo;
    c->by_image = c->B >= M && bytes <= IMAGES_BYTES;
    c->blocks = c->by_image ? up(c->B, M) * area : up(c->B * area, M);
    c->groups = up(an_panel_count(c->columns), w->group);
    c->grain = clamp(up(c->blocks * c->groups, TASKS), LEAST, MOST);
}

static int64_t tasks_of(const correlation *c)
{
    return up(c->blocks, c->grain) * c->groups;
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
        int64_t at = first + (m < k.rows ? m : 0), place = c->by_image ? number % area : at % area;
        k.image[m] = c->by_image ? at : at / area;
        k.i[m] = place / c->Wo;
        k.j[m] = place % c->Wo;
    }
    return k;
}

/* Fills a (segments, 8) and the taps' rows; returns the segments: taps that some position has
 * inside its image. */
static int64_t point(const float **a, int64_t *rows, const correlation *c, const block *k,
                     const float *zeros)
{
    const float *corner[M];
    int64_t segments = 0, line = c->W * c->pixel;
    for (int m = 0; m < M; m++)
        corner[m] = c->in + k->image[m] * c->H * line + k->i[m] * c->step * line +
                    k->j[m] * c->step * c->pixel;
    for (const tap *t = c->taps; t < c->taps + c->count; t++) {
        int64_t jump = t->y * line + t->x * c->pixel;
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

static void land(float **out, float *nowhere, const correlation *c, const block *k)
{
    for (int m = 0; m < M; m++) {
        int64_t i = k->i[m] * c->out_step + c->out_y, j = k->j[m] * c->out_step + c->out_x;
        out[m] = m < k->rows ? c->out + ((k->image[m] * c->out_H + i) * c->out_W + j) * c->columns
                             : nowhere;
    }
}

static void run_task(const correlation *c, const weights *w, int64_t task)
{
    int64_t first = task / c->groups * c->grain, last = first + c->grain;
    int64_t panel_lo = task % c->groups * w->group, panel_hi = panel_lo + w->group;
    int64_t panels = an_panel_count(c->columns);
    char *own = w->own + (size_t)omp_get_thread_num() * w->own_bytes;
    const float **a = (const float **)own, **b = a + c->count * M;
    int64_t *rows = (int64_t *)(b + c->count);
    float nowhere[N] = {0}, *to[M], *out[M];
    an_micro_rows job = {.a = a, .b = b, .k = c->depth, .out = out, .accumulate = c->accumulate};
    for (int64_t n = first; n < last && n < c->blocks; n++) {
        block k = block_of(c, n);
        job.segments = point(a, rows, c, &k, w->zeros);
        land(to, nowhere, c, &k);
        for (int64_t p = panel_lo; p < panel_hi && p < panels; p++) {
            job.b_step = an_panel_width(c->columns, p);
            job.columns = an_panel_columns(c->columns, p);
            job.bias = c->bias ? c->bias + p * N : NULL;
            for (int64_t s = 0; s < job.segments; s++)
                b[s] = w->panels + p * N * w->rows + rows[s] * job.b_step;
            for (int m = 0; m < M; m++)
                out[m] = to[m] == nowhere ? nowhere : to[m] + p * N;
            an_k_micro_rows(&job);
        }
    }
}

/* ── weights ────────────────────────────────────────────────────────────────────────────── */

/* Panel p (area·depth rows) ← w: row (t, d), column n is w[n, d, t], or w[d, n, t] if `turned`. */
static void pack_panel(float *panel, const float *w, int64_t area, int64_t depth, bool turned,
                       int64_t columns, int64_t p)
{
    int64_t wanted = an_panel_columns(columns, p), width = an_panel_width(columns, p);
    if (!turned)
        an_k_panel_transpose(panel, width, w + p * N * depth * area, depth * area, wanted,
                             depth * area, area, depth);
    for (int64_t d = 0; turned && d < depth; d++)
        an_k_panel_transpose(panel + d * width, width, w + (d * columns + p * N) * area, area,
                             wanted, area, area, depth);
}

/* Scratch for packed weights (area·depth rows) and pointers; `extra` floats more at *more. */
static an_code take(weights *w, int64_t area, int64_t depth, int64_t columns, int64_t extra,
                    float **more)
{
    int64_t floats = an_panel_floats(area * depth, columns), zeros = depth;
    size_t pointers = (size_t)area * (M + 2) * sizeof(void *);
    size_t panel_line = an_scratch_line(sizeof(float) * (size_t)floats);
    size_t zero_line = an_scratch_line(sizeof(float) * (size_t)zeros);
    w->own_bytes = an_scratch_line(pointers);
    char *all = an_scratch_take(panel_line + zero_line + (size_t)an_threads() * w->own_bytes +
                                sizeof(float) * (size_t)extra);
    if (!all)
        return AN_ENOMEM;
    w->panels = (float *)all;
    w->zeros = (float *)(all + panel_line);
    w->own = all + panel_line + zero_line;
    *more = (float *)(w->own + (size_t)an_threads() * w->own_bytes);
    w->rows = area * depth;
    w->group = clamp(PANEL_BYTES / (int64_t)sizeof(float) / N / w->rows, 1, INT64_MAX);
    memset(w->zeros, 0, sizeof(float) * (size_t)zeros);
    return AN_OK;
}

static void pack(weights *w, const float *from, int64_t area, int64_t depth, bool turned,
                 int64_t columns)
{
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t p = 0; p < an_panel_count(columns); p++)
        pack_panel(w->panels + p * N * w->rows, from, area, depth, turned, columns, p);
}

/* ── forward ────────────────────────────────────────────────────────────────────────────── */

typedef struct {
    const correlation *c; /* one behind the other share a row of tasks */
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
    float *more;
    if (take(&k, area, s->C, s->O, up(area * (int64_t)sizeof(tap), sizeof(float)), &more))
        return AN_ENOMEM;
    tap *taps = (tap *)more;
    correlation c = {.in = x,
                     .B = s->B,
                     .H = s->H,
                     .W = s->W,
                     .pixel = s->C,
                     .depth = s->C,
                     .step = s->stride,
                     .taps = taps,
                     .out = y,
                     .Ho = s->Ho,
                     .Wo = s->Wo,
                     .out_H = s->Ho,
                     .out_W = s->Wo,
                     .out_step = 1,
                     .columns = s->O,
                     .bias = b};
    for (; c.count < area; c.count++)
        taps[c.count] =
            (tap){c.count / s->kw - s->pad_y, c.count % s->kw - s->pad_x, c.count * s->C};
    plan(&c, &k);
    pack(&k, w, area, s->C, false, s->O);
    run(&c, 1, &k);
    an_scratch_give(k.panels);
    return AN_OK;
}

/* ── data gradient ──────────────────────────────────────────────────────────────────────── */

/* The phase of outputs (y, x) modulo the stride: dx[y + stride·i] takes dy[i + (y + pad −
 * u)/stride] for the lines u of the kernel where that division is exact. */
static void phase(correlation *c, const an_conv_shape *s, int64_t y, int64_t x)
{
    c->out_y = y;
    c->out_x = x;
    c->Ho = s->H > y ? up(s->H - y, s->stride) : 0;
    c->Wo = s->W > x ? up(s->W - x, s->stride) : 0;
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
    int64_t bytes = phases * (int64_t)sizeof(correlation) + area * (int64_t)sizeof(tap);
    weights k;
    float *more;
    if (take(&k, area, s->O, s->C, up(bytes, sizeof(float)), &more))
        return AN_ENOMEM;
    correlation *c = (correlation *)more;
    tap *taps = (tap *)(c + phases); /* each tap belongs to one phase */
    for (int64_t n = 0; n < phases; n++) {
        c[used] = (correlation){.in = dy,
                                .B = s->B,
                                .H = s->Ho,
                                .W = s->Wo,
                                .pixel = s->O,
                                .depth = s->O,
                                .step = 1,
                                .taps = taps,
                                .out = dx,
                                .out_H = s->H,
                                .out_W = s->W,
                                .out_step = s->stride,
                                .columns = s->C,
                                .accumulate = beta != 0};
        phase(&c[used], s, n / s->stride, n % s->stride);
        plan(&c[used], &k);
        taps += c[used].count;
        used += c[used].count > 0;
    }
    if (used < phases && beta == 0) { /* positions that no tap reaches: add to zeros */
        an_par_for(s->B * s->H * s->W * s->C, CLEAR, clear_part, dx);
        for (int64_t n = 0; n < used; n++)
            c[n].accumulate = true;
    }
    pack(&k, w, area, s->O, true, s->C);
    run(c, used, &k);
    an_scratch_give(k.panels);
    return AN_OK;
}
