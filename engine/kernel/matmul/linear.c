/* linear: see linear.h. Sizes of 16 or more use packed weights (packed.h), others plain products
 * (gemm.h). The backward pass cuts the rows into slices and processes a slice a few rows at a time:
 * their dx and their part of dw and db, while the rows are in L1 and L2. */
#include "kernel/matmul/linear.h"

#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "base/precision.h"
#include "kernel/common/carve.h"
#include "kernel/common/overlap.h"
#include "base/simd.h"
#include "kernel/matmul/gemm.h"
#include "kernel/matmul/linear_bf16.h"
#include "kernel/matmul/packed.h"
#include "kernel/common/row_sums.h"

enum {
    WORTH = 16,  /* packing pays from this side of a product on                          */
    ROWS = 64,   /* of a forward block                                                   */
    BLOCKS = 4,  /* of a forward chunk: each block prefetches the next one's rows        */
    STEP = 128,  /* rows of a slice at a time: 128 rows of dy and x are 128 KiB at 128 wide */
    SLICES = 8,  /* of the rows, each with its own sums                                  */
    LONG = 1024, /* slices pay from this many rows on, if more than out and in           */
    SUMS = 32    /* columns of dy summed in registers at a time                          */
};

/* A prefetch list of n floats from x on, in as many shares as a product has rows of tiles. */
static an_prefetch prefetch_of(const float *x, int64_t n, int64_t tiles)
{
    an_prefetch list = {0};
    an_prefetch_add(&list, x, n);
    an_prefetch_cut(&list, tiles);
    return list;
}

static int64_t tiles_of(int64_t rows, int64_t columns)
{
    return an_div_up(rows, AN_MICRO_ROWS) * an_panel_count(columns);
}

static bool is_narrow(const an_linear_shape *s)
{
    return an_precision_now() == AN_PRECISION_BF16 && an_k_linear_bf16_fits(s);
}

/* ── forward ──────────────────────────────────────────────────────────────────────── */

typedef struct {
    float *y;
    const float *x, *b;
    an_packed w; /* wᵀ */
    const an_linear_shape *s;
} forward_job;

static void forward_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const forward_job *j = context;
    int64_t out = j->s->out, in = j->s->in;
    (void)chunk;
    for (int64_t end = hi; lo < end; lo = hi) {
        hi = an_min(lo + ROWS, end);
        an_prefetch next =
            prefetch_of(j->x + hi * in, (an_min(hi + ROWS, end) - hi) * in, tiles_of(hi - lo, out));
        an_k_packed_product(j->y + lo * out, out, j->x + lo * in, in, hi - lo, &j->w, j->b, false,
                            &next);
    }
}

an_code an_k_linear_forward(float *y, const float *x, const float *w, const float *b,
                            const an_linear_shape *s)
{
    int64_t rows = s->rows, out = s->out, in = s->in;
    AN_ASSERT(rows >= 0 && out >= 1 && in >= 1);
    AN_ASSERT(an_disjoint(y, rows * out, x, rows * in) && an_disjoint(y, rows * out, w, out * in) &&
              an_disjoint(y, rows * out, b, out));
    if (is_narrow(s))
        return an_k_linear_bf16_forward(y, x, w, b, s);
    if (rows < WORTH || out < WORTH || in < WORTH) {
        for (int64_t r = 0; r < rows && b; r++)
            memcpy(y + r * out, b, sizeof *y * (size_t)out);
        return an_k_gemm_par(false, true, rows, out, in, 1, x, in, w, in, b ? 1 : 0, y, out);
    }
    an_carve scratch = {0};
    float *data = an_carve_one(&scratch, an_packed_floats(in, out), sizeof *data);
    if (!data)
        return AN_ENOMEM;
    forward_job j = {.y = y, .x = x, .b = b, .s = s};
    j.w = an_k_pack(data, true, w, in, in, out);
    an_par_for(rows, BLOCKS * ROWS, forward_rows, &j);
    an_carve_release(&scratch);
    return AN_OK;
}

/* ── backward, one product per gradient ──────────────────────────────────────────────── */

static an_code one_by_one(const an_linear_grads *d, const float *dy, const float *x, const float *w,
                          const an_linear_shape *s)
{
    int64_t rows = s->rows, out = s->out, in = s->in;
    an_code code = AN_OK;
    if (d->dx)
        code = an_k_gemm_par(false, false, rows, in, out, 1, dy, out, w, in, d->beta_x, d->dx, in);
    if (d->dw && code == AN_OK)
        code = an_k_gemm_par(true, false, out, in, rows, 1, dy, out, x, in, d->beta_w, d->dw, in);
    if (d->db && code == AN_OK)
        code = an_k_bias_backward(d->db, dy, rows, out);
    return code;
}

/* ── backward, slice by slice ─────────────────────────────────────────────────────── */

typedef struct {
    const an_linear_grads *d;
    const float *dy, *x;
    an_packed w;
    int64_t rows, out, in, depth;
    float *dw;  /* (slices, out, in) */
    double *db; /* (slices, out)     */
} slices;

AN_SIMD static void add_rows(double *restrict sums, const float *restrict dy, int64_t rows,
                             int64_t width)
{
    int64_t whole = width - width % SUMS;
    for (int64_t c = 0; c < whole; c += SUMS) {
        double sum[SUMS];
        memcpy(sum, sums + c, sizeof sum);
        for (int64_t r = 0; r < rows; r++)
            for (int i = 0; i < SUMS; i++)
                sum[i] += (double)dy[r * width + c + i];
        memcpy(sums + c, sum, sizeof sum);
    }
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = whole; c < width; c++)
            sums[c] += (double)dy[r * width + c];
}

static void run_slice(const slices *j, int64_t s)
{
    int64_t first = s * j->depth, end = an_min(first + j->depth, j->rows);
    int64_t out = j->out, in = j->in;
    double *db = j->db + s * out;
    memset(db, 0, sizeof *db * (size_t)out);
    for (int64_t lo = first; lo < end; lo += STEP) {
        int64_t rows = an_min(STEP, end - lo);
        const float *dy = j->dy + lo * out, *x = j->x + lo * in;
        an_prefetch own = prefetch_of(x, rows * in, tiles_of(rows, in));
        an_prefetch next =
            prefetch_of(dy + rows * out, an_min(STEP, end - lo - rows) * out, tiles_of(out, in));
        if (j->d->dx)
            an_k_packed_product(j->d->dx + lo * in, in, dy, out, rows, &j->w, NULL,
                                j->d->beta_x == 1, &own);
        if (j->d->dw)
            an_k_gemm_outer(j->dw + s * out * in, in, out, in, rows, dy, out, x, in, lo > first,
                            &next);
        if (j->d->db)
            add_rows(db, dy, rows, out);
    }
}

/* Adds the slices' sums to the gradients of output m. */
static void fold_row(const slices *j, int64_t count, int64_t m)
{
    int64_t out = j->out, in = j->in;
    if (j->d->dw) {
        float *to = j->d->dw + m * in;
        if (j->d->beta_w == 0)
            memset(to, 0, sizeof *to * (size_t)in);
        for (int64_t s = 0; s < count; s++)
            for (int64_t c = 0; c < in; c++)
                to[c] += j->dw[(s * out + m) * in + c];
    }
    if (j->d->db) {
        double sum = 0;
        for (int64_t s = 0; s < count; s++)
            sum += j->db[s * out + m];
        j->d->db[m] += (float)sum;
    }
}

static an_code by_slices(slices *j, const float *w)
{
    int64_t count = an_chunks(j->rows, j->depth), out = j->out, in = j->in;
    an_carve scratch = {0};
    an_carve_part packed = an_carve_shared(&scratch, an_packed_floats(out, in), sizeof(float));
    an_carve_part db = an_carve_shared(&scratch, count * out, sizeof(double));
    an_carve_part dw = an_carve_shared(&scratch, count * out * in, sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    float *data = an_carve_at(&scratch, packed);
    j->w = (an_packed){data, out, in};
    j->db = an_carve_at(&scratch, db);
    j->dw = an_carve_at(&scratch, dw);
#pragma omp parallel num_threads(an_threads())
    {
#pragma omp for schedule(static)
        for (int64_t p = 0; p < an_panel_count(in); p++)
            an_k_pack_panel(data, false, w, in, out, in, p);
#pragma omp for schedule(dynamic)
        for (int64_t s = 0; s < count; s++)
            run_slice(j, s);
#pragma omp for schedule(static)
        for (int64_t m = 0; m < out; m++)
            fold_row(j, count, m);
    }
    an_carve_release(&scratch);
    return AN_OK;
}

an_code an_k_linear_backward(const an_linear_grads *d, const float *dy, const float *x,
                             const float *w, const an_linear_shape *s)
{
    int64_t rows = s->rows, out = s->out, in = s->in;
    AN_ASSERT(rows >= 0 && out >= 1 && in >= 1);
    AN_ASSERT(!d->dx || d->beta_x == 0 || d->beta_x == 1);
    AN_ASSERT(!d->dw || d->beta_w == 0 || d->beta_w == 1);
    AN_ASSERT(an_disjoint(d->dx, rows * in, dy, rows * out) &&
              an_disjoint(d->dx, rows * in, x, rows * in) &&
              an_disjoint(d->dx, rows * in, w, out * in) &&
              an_disjoint(d->dx, rows * in, d->dw, out * in) &&
              an_disjoint(d->dx, rows * in, d->db, out));
    if (is_narrow(s)) {
        an_code code = d->db ? an_k_bias_backward(d->db, dy, rows, out) : AN_OK;
        return code ? code : an_k_linear_bf16_backward(d, dy, x, w, s);
    }
    if (rows < LONG || rows <= out || rows <= in || out < WORTH || in % AN_LANES != 0)
        return one_by_one(d, dy, x, w, s);
    slices j = {.d = d,
                .dy = dy,
                .x = x,
                .rows = rows,
                .out = out,
                .in = in,
                .depth = an_div_up(rows, SLICES)};
    return by_slices(&j, w);
}
