/* linear: see linear.h. Sizes worth it run on packed panels (panel.h), others as products of
 * their own (gemm.h). Backward cuts the rows into slices. A slice goes a few rows at a time:
 * their dx, their part of dw and of db while they are in the cache. */
#include "kernel/linear.h"

#include <string.h>

#include "base/par.h"
#include "base/scratch.h"
#include "base/simd.h"
#include "kernel/gemm.h"
#include "kernel/panel.h"
#include "kernel/rowsum.h"

enum {
    WORTH = 16,  /* a side of a product from which on panels pay       */
    ROWS = 64,   /* of a forward chunk                                 */
    STEP = 128,  /* of a slice at a time                               */
    SLICES = 8,  /* of the rows, each with sums of its own             */
    LONG = 1024  /* rows from which on slices pay, if more than n·out and in */
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ── forward ──────────────────────────────────────────────────────────────────────── */

typedef struct {
    float *y, *panels; /* panels: of each w_i, one after the other */
    const float *x;
    const an_layers *l;
    int64_t floats;    /* of the panels of one                     */
} forward_job;

static void pack_turned(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const forward_job *j = context;
    int64_t out = j->l->out, in = j->l->in, each = an_panel_count(out);
    (void)chunk;
    for (int64_t p = lo; p < hi; p++)
        an_k_panel_pack(j->panels + p / each * j->floats + p % each * in * AN_MICRO_COLUMNS, true,
                        j->l->w[p / each], in, in, out, p % each);
}

static void forward_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const forward_job *j = context;
    int64_t out = j->l->out, in = j->l->in, width = j->l->n * out;
    (void)chunk;
    for (int i = 0; i < j->l->n; i++)
        an_k_panel_rows(j->y + lo * width + i * out, width, j->x + lo * in, in,
                        j->panels + i * j->floats, hi - lo, in, out, j->l->b[i], false);
}

static an_code by_panels(float *y, const float *x, const an_layers *l, int64_t rows)
{
    forward_job j = {.y = y, .x = x, .l = l, .floats = an_panel_floats(l->in, l->out)};
    j.panels = an_scratch_take(sizeof(float) * (size_t)(l->n * j.floats));
    if (!j.panels)
        return AN_ENOMEM;
    an_par_for(l->n * an_panel_count(l->out), 1, pack_turned, &j);
    an_par_for(rows, ROWS, forward_rows, &j);
    an_scratch_give(j.panels);
    return AN_OK;
}

static void start(float *y, int64_t ldy, const float *b, int64_t rows, int64_t out)
{
    for (int64_t r = 0; r < rows; r++)
        memcpy(y + r * ldy, b, sizeof(float) * (size_t)out);
}

an_code an_k_layers_forward(float *y, const float *x, const an_layers *l, int64_t rows)
{
    int64_t out = l->out, in = l->in;
    if (rows >= WORTH && out >= WORTH && in >= WORTH)
        return by_panels(y, x, l, rows);
    an_code code = AN_OK;
    for (int i = 0; i < l->n && code == AN_OK; i++) {
        float *part = y + i * out;
        if (l->b[i])
            start(part, l->n * out, l->b[i], rows, out);
        code = an_k_gemm_par(false, true, rows, out, in, 1, x, in, l->w[i], in, l->b[i] ? 1 : 0,
                             part, l->n * out);
    }
    return code;
}

/* ── backward, everything on its own ──────────────────────────────────────────────── */

static an_code bias_gradients(const an_layers_grads *d, const float *dy, const an_layers *l,
                              int64_t rows)
{
    int64_t out = l->out, width = l->n * out;
    size_t bytes = sizeof(float) * (size_t)width;
    float *sums = an_scratch_take(bytes);
    if (!sums)
        return AN_ENOMEM;
    memset(sums, 0, bytes);
    an_code code = an_k_bias_backward(sums, dy, rows, width);
    for (int64_t c = 0; c < width && code == AN_OK; c++)
        if (d->db[c / out])
            d->db[c / out][c % out] += sums[c];
    an_scratch_give(sums);
    return code;
}

static an_code one_by_one(const an_layers_grads *d, const float *dy, const float *x,
                          const an_layers *l, int64_t rows)
{
    int64_t out = l->out, in = l->in, width = l->n * out;
    an_code code = AN_OK;
    bool biased = false;
    for (int i = 0; i < l->n && code == AN_OK; i++) {
        const float *part = dy + i * out;
        biased = biased || d->db[i];
        if (d->dx)
            code = an_k_gemm_par(false, false, rows, in, out, 1, part, width, l->w[i], in,
                                 i > 0 ? 1 : d->beta_x, d->dx, in);
        if (d->dw[i] && code == AN_OK)
            code = an_k_gemm_par(true, false, out, in, rows, 1, part, width, x, in, d->beta_w[i],
                                 d->dw[i], in);
    }
    return code == AN_OK && biased ? bias_gradients(d, dy, l, rows) : code;
}

/* ── backward, slice by slice ─────────────────────────────────────────────────────── */

typedef struct {
    const an_layers_grads *d;
    const float *dy, *x, *panels; /* panels: of all w_i below one another, (n·out, in) */
    int64_t rows, width, in, depth;
    bool weighted, biased;
    float *dw;  /* (slices, n·out, in) */
    double *db; /* (slices, n·out)     */
} slices;

AN_SIMD static void add_rows(double *restrict sums, const float *restrict dy, int64_t rows,
                             int64_t width)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = 0; c < width; c++)
            sums[c] += (double)dy[r * width + c];
}

static void run_slice(const slices *j, int64_t s)
{
    int64_t first = s * j->depth, end = smaller(first + j->depth, j->rows);
    int64_t width = j->width, in = j->in;
    double *db = j->db + s * width;
    memset(db, 0, sizeof *db * (size_t)width);
    for (int64_t lo = first; lo < end; lo += STEP) {
        int64_t rows = smaller(STEP, end - lo);
        const float *dy = j->dy + lo * width;
        if (j->d->dx)
            an_k_panel_rows(j->d->dx + lo * in, in, dy, width, j->panels, rows, width, in, NULL,
                            j->d->beta_x == 1);
        if (j->weighted)
            an_k_gemm_outer(j->dw + s * width * in, width, in, rows, dy, width, j->x + lo * in, in,
                            lo > first);
        if (j->biased)
            add_rows(db, dy, rows, width);
    }
}

/* The slices' sums to the gradients of row m of all weights below one another. */
static void fold_row(const slices *j, int64_t count, int64_t out, int64_t m)
{
    int64_t i = m / out, in = j->in;
    if (j->d->dw[i]) {
        float *to = j->d->dw[i] + m % out * in;
        if (j->d->beta_w[i] == 0)
            memset(to, 0, sizeof *to * (size_t)in);
        for (int64_t s = 0; s < count; s++)
            for (int64_t c = 0; c < in; c++)
                to[c] += j->dw[(s * j->width + m) * in + c];
    }
    if (j->d->db[i]) {
        double sum = 0;
        for (int64_t s = 0; s < count; s++)
            sum += j->db[s * j->width + m];
        j->d->db[i][m % out] += (float)sum;
    }
}

static void pack_below(float *panels, const an_layers *l, int64_t p)
{
    int64_t out = l->out, in = l->in, step = an_panel_width(in, p);
    float *panel = panels + p * l->n * out * AN_MICRO_COLUMNS;
    for (int i = 0; i < l->n; i++)
        an_k_panel_pack(panel + i * out * step, false, l->w[i], in, out, in, p);
}

static an_code by_slices(slices *j, const an_layers *l)
{
    int64_t count = an_chunks(j->rows, j->depth), width = j->width, in = j->in;
    size_t packed = an_scratch_line(sizeof(float) * (size_t)an_panel_floats(width, in));
    size_t sums = an_scratch_line(sizeof(double) * (size_t)(count * width));
    char *scratch = an_scratch_take(packed + sums + sizeof(float) * (size_t)(count * width * in));
    if (!scratch)
        return AN_ENOMEM;
    float *panels = (float *)scratch;
    j->panels = panels;
    j->db = (double *)(scratch + packed);
    j->dw = (float *)(scratch + packed + sums);
#pragma omp parallel num_threads(an_threads())
    {
#pragma omp for schedule(static)
        for (int64_t p = 0; p < an_panel_count(in); p++)
            pack_below(panels, l, p);
#pragma omp for schedule(dynamic)
        for (int64_t s = 0; s < count; s++)
            run_slice(j, s);
#pragma omp for schedule(static)
        for (int64_t m = 0; m < width; m++)
            fold_row(j, count, l->out, m);
    }
    an_scratch_give(scratch);
    return AN_OK;
}

an_code an_k_layers_backward(const an_layers_grads *d, const float *dy, const float *x,
                             const an_layers *l, int64_t rows)
{
    int64_t width = l->n * l->out, in = l->in;
    if (rows < LONG || rows <= width || rows <= in || width < WORTH || in % AN_MICRO_HALF != 0)
        return one_by_one(d, dy, x, l, rows);
    slices j = {.d = d, .dy = dy, .x = x, .rows = rows, .width = width, .in = in,
                .depth = (rows + SLICES - 1) / SLICES};
    for (int i = 0; i < l->n; i++) {
        j.weighted = j.weighted || d->dw[i];
        j.biased = j.biased || d->db[i];
    }
    return by_slices(&j, l);
}
