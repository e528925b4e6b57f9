/* attention_body: the attention of one head for a block of queries, at one vector width, AN_VECTOR
 * (common/vector.h). Its products are the loops of microkernel.h of the same width. The weights
 * have one query per column, so that the softmax runs down columns, a whole vector of queries at a
 * time. */
#include "kernel/attention/attention_dispatch.h"
#include "kernel/common/transpose.h"
#include "kernel/common/vector.h"

typedef int32_t NAME(integers) __attribute__((vector_size(4 * LANES)));

/* 2^(scale·x) for x ≤ 0, NaN for NaN, 0 for x ≤ `least` = −127/scale. The method of fast_exp.h,
 * 2^n·2^r with |r| ≤ ½, with 2^r by the fifth-degree polynomial of least relative error (Remez,
 * 7.5e-8), divided by its value at 0: 2^0 is exactly 1, and the softmax cancels the factor. */
INLINE V NAME(power)(V x, V scale, V least)
{
    const V to_nearest = SPREAD(12582912.0f); /* 1.5·2²³ */
    x = MAX(least, x);
    V shifted = FMA(x, scale, to_nearest), n = shifted - to_nearest, r = FMA(x, scale, -n);
    V e = SPREAD(1.327647121e-3f);
    e = FMA(e, r, SPREAD(9.675540634e-3f));
    e = FMA(e, r, SPREAD(5.550712873e-2f));
    e = FMA(e, r, SPREAD(2.402211799e-1f));
    e = FMA(e, r, SPREAD(6.931469172e-1f));
    e = FMA(e, r, SPREAD(1));
    return e * (V)(((NAME(integers))shifted << 23) + (127 << 23)); /* n is in its low bits */
}

/* p (Lk, AN_QUERY_BLOCK) ← e^(scale·p) divided by its column sum, in `vecs` vectors of columns;
 * `binary` is scale·log2(e). Two running maxima per column: with only one, each comparison would
 * wait for the previous one. */
INLINE void NAME(softmax_columns)(float *p, V binary, int64_t Lk, const int vecs)
{
    V least = SPREAD(-127) / binary, top[2][VECS], sum[VECS];
    float *end = p + Lk * AN_QUERY_BLOCK, *row;
    EACH_VEC top[0][v] = top[1][v] = LOAD(p + v * LANES);
    for (row = p; row + AN_QUERY_BLOCK < end; row += 2 * AN_QUERY_BLOCK)
        EACH_VEC
        {
            top[0][v] = MAX(LOAD(row + v * LANES), top[0][v]);
            top[1][v] = MAX(LOAD(row + AN_QUERY_BLOCK + v * LANES), top[1][v]);
        }
    EACH_VEC
    {
        top[0][v] = MAX(LOAD(end - AN_QUERY_BLOCK + v * LANES), MAX(top[0][v], top[1][v]));
        sum[v] = SPREAD(0);
    }
    for (row = p; row < end; row += AN_QUERY_BLOCK)
        EACH_VEC
        {
            V e = NAME(power)(LOAD(row + v * LANES) - top[0][v], binary, least);
            STORE(row + v * LANES, e);
            sum[v] += e;
        }
    EACH_VEC sum[v] = SPREAD(1) / sum[v];
    for (row = p; row < end; row += AN_QUERY_BLOCK)
        EACH_VEC STORE(row + v * LANES, LOAD(row + v * LANES) * sum[v]);
}

/* p (Lk, AN_QUERY_BLOCK) ← softmax(scale·p) down its first `cols` columns, a multiple of 16. */
TARGET static void NAME(softmax)(float *p, float scale, int64_t Lk, int64_t cols)
{
    V binary = SPREAD(1.44269504f * scale);
    int64_t c = 0;
    for (; c + VECS * LANES <= cols; c += VECS * LANES)
        NAME(softmax_columns)(p + c, binary, Lk, VECS);
    for (; c < cols; c += LANES)
        NAME(softmax_columns)(p + c, binary, Lk, 1);
}

/* n rounded up to a multiple of 16, the columns that the products need. */
static int64_t NAME(padded)(int64_t n)
{
    return (n + 15) / 16 * 16;
}

/* ── products ─────────────────────────────────────────────────────────────────────── */

/* The last columns % 16 columns of a product; the rows of a are `row` floats apart. */
TARGET static void NAME(rest)(const an_micro_outer *j, int64_t row)
{
    for (int64_t r = 0; r < j->rows; r++)
        for (int64_t c = j->columns - j->columns % 16; c < j->columns; c++) {
            float sum = 0, *out = j->out + r * j->out_step + c;
            for (int64_t k = 0; k < j->n[2]; k++)
                sum += j->a[r * row + k * j->a_step[2]] * j->b[k * j->b_step[2] + c];
            *out = sum + (j->accumulate ? *out : 0);
        }
}

/* y (Lk, AN_QUERY_BLOCK) = x (Lk, d) · rowsᵀ; `rows` (queries, d) has the row stride of q. */
TARGET static void NAME(against)(float *y, const float *x, const float *rows,
                                 const an_attention_job *a)
{
    an_transpose(a->scratch, AN_QUERY_BLOCK, rows, a->ldq, a->queries, a->d);
    NAME(panel)
    (&(an_micro_panel){.a = x,
                       .b = a->scratch,
                       .rows = a->Lk,
                       .k = a->d,
                       .a_step = a->ldk,
                       .b_step = AN_QUERY_BLOCK,
                       .out = y,
                       .out_step = AN_QUERY_BLOCK,
                       .columns = NAME(padded)(a->queries),
                       .prefetch = a->prefetch});
}

/* y (queries, d) = wᵀ · x (Lk, d), or added to it; w (Lk, AN_QUERY_BLOCK) */
static void NAME(for_queries)(float *y, int64_t ldy, bool add, const float *w, const float *x,
                              const an_attention_job *a)
{
    an_micro_outer job = {.a = w,
                          .b = x,
                          .n = {1, 1, a->Lk},
                          .a_step = {0, 0, AN_QUERY_BLOCK},
                          .b_step = {0, 0, a->ldk},
                          .rows = a->queries,
                          .columns = a->d,
                          .out = y,
                          .out_step = ldy,
                          .accumulate = add,
                          .prefetch = a->prefetch};
    if (a->d % 16)
        NAME(rest)(&job, 1);
    job.columns -= a->d % 16;
    NAME(outer)(&job);
}

/* y (Lk, d) = w · x (queries, d), or added to it; nothing if y is NULL; w (Lk, AN_QUERY_BLOCK) */
static void NAME(for_keys)(float *y, bool add, const float *w, const float *x,
                           const an_attention_job *a)
{
    if (!y)
        return;
    if (a->d % 16)
        NAME(rest)
    (&(an_micro_outer){.a = w,
                       .b = x,
                       .n = {1, 1, a->queries},
                       .a_step = {0, 0, 1},
                       .b_step = {0, 0, a->ldq},
                       .rows = a->Lk,
                       .columns = a->d,
                       .out = y,
                       .out_step = a->ldk,
                       .accumulate = add},
     AN_QUERY_BLOCK);
    NAME(panel)
    (&(an_micro_panel){.a = w,
                       .b = x,
                       .rows = a->Lk,
                       .k = a->queries,
                       .a_step = AN_QUERY_BLOCK,
                       .b_step = a->ldq,
                       .out = y,
                       .out_step = a->ldk,
                       .columns = a->d - a->d % 16,
                       .accumulate = add,
                       .prefetch = a->prefetch});
}

/* ── one head ─────────────────────────────────────────────────────────────────────── */

TARGET static const float *NAME(weights)(const an_attention_job *a)
{
    float *p = a->scratch + a->d * AN_QUERY_BLOCK;
    NAME(against)(p, a->k, a->q, a);
    NAME(softmax)(p, a->scale, a->Lk, NAME(padded)(a->queries));
    return p;
}

TARGET static void NAME(attend)(float *out, int64_t ldo, const an_attention_job *a)
{
    NAME(for_queries)(out, ldo, false, NAME(weights)(a), a->v, a);
}

/* ds ← dS = scale·P·(dP − Σ_j P·dP) down its columns; it holds dP before. */
TARGET static void NAME(score_gradients)(float *ds, const float *p, float scale, int64_t Lk,
                                         int64_t cols)
{
    V factor = SPREAD(scale);
    for (int64_t c = 0; c < cols; c += LANES) {
        V sum[4] = {SPREAD(0), SPREAD(0), SPREAD(0), SPREAD(0)};
        int64_t at = c, end = Lk * AN_QUERY_BLOCK;
        for (; at + 3 * AN_QUERY_BLOCK < end; at += 4 * AN_QUERY_BLOCK)
            for (int i = 0; i < 4; i++)
                sum[i] = FMA(LOAD(p + at + i * AN_QUERY_BLOCK), LOAD(ds + at + i * AN_QUERY_BLOCK),
                             sum[i]);
        for (; at < end; at += AN_QUERY_BLOCK)
            sum[0] = FMA(LOAD(p + at), LOAD(ds + at), sum[0]);
        V shift = (sum[0] + sum[1]) + (sum[2] + sum[3]);
        for (at = c; at < end; at += AN_QUERY_BLOCK)
            STORE(ds + at, factor * LOAD(p + at) * (LOAD(ds + at) - shift));
    }
}

TARGET static void NAME(backward)(const an_attention_job *a, const an_attention_gradients *g)
{
    const float *p = NAME(weights)(a);
    float *ds = a->scratch + (a->d + a->Lk) * AN_QUERY_BLOCK;
    NAME(against)(ds, a->v, g->dout, a);
    NAME(score_gradients)(ds, p, a->scale, a->Lk, NAME(padded)(a->queries));
    if (g->dq)
        NAME(for_queries)(g->dq, a->ldq, g->add_q, ds, a->k, a);
    NAME(for_keys)(g->dk, g->add_k, ds, a->q, a);
    NAME(for_keys)(g->dv, g->add_v, p, g->dout, a);
}

const an_attention_loops NAME(attention) = {NAME(weights), NAME(attend), NAME(backward)};
