/* attention: see attention.h. The queries of one key batch row are repeat·Lq rows in a
 * row, so each pair of (key batch row, head) is a small matrix problem of its own; its
 * queries go in chunks, so that the scores of a chunk stay in the cache. */
#include "kernel/attention.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/par.h"
#include "base/scratch.h"
#include "base/simd.h"
#include "kernel/block.h"
#include "kernel/exp.h"
#include "kernel/lanes.h"

enum { QUERIES = 64 }; /* in a chunk */

static int64_t padded(int64_t n)
{
    return (n + AN_LANES - 1) / AN_LANES * AN_LANES;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Down each of `cols` columns (a multiple of 16) of p (Lk, ld): e^(scale·p) over its sum. */
AN_SIMD static void softmax(float *p, int64_t ld, float scale, int64_t Lk, int64_t cols)
{
    for (int64_t c = 0; c < cols; c += AN_LANES) {
        float top[AN_LANES], sum[AN_LANES] = {0};
        memcpy(top, p + c, sizeof top);
        for (int64_t j = 1; j < Lk; j++) {
            const float *row = p + j * ld + c;
#pragma GCC unroll 1
            for (int l = 0; l < AN_LANES; l++)
                top[l] = row[l] > top[l] ? row[l] : top[l];
        }
        for (int64_t j = 0; j < Lk; j++) {
            float *restrict row = p + j * ld + c;
            for (int l = 0; l < AN_LANES; l++) {
                row[l] = an_expf_below(scale * (row[l] - top[l]));
                sum[l] += row[l];
            }
        }
        for (int l = 0; l < AN_LANES; l++)
            sum[l] = 1.0f / sum[l];
        for (int64_t j = 0; j < Lk; j++)
            for (int l = 0; l < AN_LANES; l++)
                p[j * ld + c + l] *= sum[l];
    }
}

/* A chunk: p (Lk, ld), a column per row of q, and out (rows, d). `packed` is for q. */
static void attend(float *out, int64_t ldo, float *p, int64_t ld, const float *q, int64_t ldq,
                   const float *k, const float *v, int64_t ldk, int64_t rows, int64_t Lk,
                   int64_t d, float *packed)
{
    an_columns queries = an_k_pack(packed, q, ldq, rows, d);
    an_k_block(p, ld, an_k_rows(k, ldk), Lk, queries, NULL, false, padded(rows), d);
    softmax(p, ld, 1.0f / sqrtf((float)d), Lk, padded(rows));
    an_k_block(out, ldo, an_k_turned(p, ld), rows, an_k_columns(v, ldk), NULL, false, d,
               Lk);
}

/* ── keeping nothing ──────────────────────────────────────────────────────────────── */

int64_t an_k_attend_scratch(int64_t Lk, int64_t d)
{
    return QUERIES * (d + Lk);
}

void an_k_attend(float *out, int64_t ldo, const an_attend *a, float *scratch)
{
    int64_t d = a->d;
    for (int64_t lo = 0; lo < a->queries; lo += QUERIES) {
        int64_t rows = smaller(QUERIES, a->queries - lo);
        for (int64_t at = 0; at < a->heads * d; at += d)
            attend(out + lo * ldo + at, ldo, scratch + QUERIES * d, padded(rows),
                   a->q + lo * a->ldq + at, a->ldq, a->k + at, a->v + at, a->ldk, rows, a->Lk, d,
                   scratch);
    }
}

/* Asks for `cols` floats of each of `rows` rows. A head's part of a row is shorter than what the
 * processor looks ahead by itself: a pair asks for what its head wants of the next image. */
static void ask(const float *x, int64_t ld, int64_t rows, int64_t cols)
{
    for (int64_t r = 0; r < rows && x; r++)
        for (int64_t c = 0; c < cols; c += AN_LANES)
            __builtin_prefetch(x + r * ld + c, 0, 2);
}

/* ── keeping the weights ──────────────────────────────────────────────────────────── */

int64_t an_k_attention_numbers(const an_attention_shape *s)
{
    return s->Bk * s->heads * s->Lk * padded(s->repeat * s->Lq);
}

int64_t an_k_attention_place(const an_attention_shape *s, int64_t b, int64_t head, int64_t i,
                             int64_t j)
{
    int64_t query = b % s->repeat * s->Lq + i;
    return ((b / s->repeat * s->heads + head) * s->Lk + j) * padded(s->repeat * s->Lq) + query;
}

/* The thread's own part of scratch, if each has `bytes`. */
static float *mine(char *scratch, size_t bytes)
{
    return (float *)(scratch + (size_t)omp_get_thread_num() * bytes);
}

an_code an_k_attention_forward(float *out, float *p, const float *q, const float *k,
                               const float *v, const an_attention_shape *s)
{
    int64_t D = s->heads * s->d, queries = s->repeat * s->Lq, ld = padded(queries);
    size_t bytes = sizeof(float) * QUERIES * (size_t)s->d;
    char *scratch = an_scratch_take((size_t)an_threads() * bytes);
    if (!scratch)
        return AN_ENOMEM;
#pragma omp parallel for schedule(static) collapse(2) num_threads(an_threads())
    for (int64_t bk = 0; bk < s->Bk; bk++)
        for (int64_t head = 0; head < s->heads; head++)
            for (int64_t lo = 0; lo < queries; lo += QUERIES) {
                int64_t query = (bk * queries + lo) * D + head * s->d;
                int64_t key = bk * s->Lk * D + head * s->d;
                if (lo == 0 && bk + 1 < s->Bk) {
                    ask(q + query + queries * D, D, queries, s->d);
                    ask(k + key + s->Lk * D, D, s->Lk, s->d);
                    ask(v + key + s->Lk * D, D, s->Lk, s->d);
                }
                attend(out + query, D, p + (bk * s->heads + head) * s->Lk * ld + lo, ld, q + query,
                       D, k + key, v + key, D, smaller(QUERIES, queries - lo), s->Lk, s->d,
                       mine(scratch, bytes));
            }
    an_scratch_give(scratch);
    return AN_OK;
}

/* ── backward ─────────────────────────────────────────────────────────────────────── */

/* The gradients, and what they are made of. */
typedef struct {
    const an_attention_grads *g;
    const float *dout, *out, *p, *q, *k, *v;
} backward_arrays;

/* The gradient of the scores is dS = P·(dP − Σ_j P·dP), and that sum over all keys is
 * dout·out. ds (Lk, QUERIES): from dP to dS; p with row length ld. */
AN_SIMD static void score_gradients(float *restrict ds, const float *restrict p, int64_t ld,
                                    const float *shift, float scale, int64_t Lk, int64_t cols)
{
    for (int64_t j = 0; j < Lk; j++)
        for (int64_t c = 0; c < cols; c++)
            ds[j * QUERIES + c] = scale * p[j * ld + c] * (ds[j * QUERIES + c] - shift[c]);
}

/* For the head's part of the next image; query, key and p are where this one's start. */
static void ask_next(const backward_arrays *a, const an_attention_shape *s, int64_t query,
                     int64_t key, const float *p)
{
    int64_t D = s->heads * s->d, queries = s->repeat * s->Lq, ld = padded(queries);
    const float *rows[] = {a->q, a->dout, a->out, a->g->dq};
    const float *keys[] = {a->k, a->v, a->g->dk, a->g->dv};
    for (int i = 0; i < 4; i++) {
        ask(rows[i] ? rows[i] + query + queries * D : NULL, D, queries, s->d);
        ask(keys[i] ? keys[i] + key + s->Lk * D : NULL, D, s->Lk, s->d);
    }
    ask(p + s->heads * s->Lk * ld, ld, s->Lk, ld);
}

/* `rows` queries from the lo-th of a pair. scratch: a pack of them, and ds. */
static void backward_chunk(const backward_arrays *a, const an_attention_shape *s, int64_t bk,
                           int64_t head, int64_t lo, int64_t rows, float *scratch)
{
    int64_t D = s->heads * s->d, d = s->d, queries = s->repeat * s->Lq, ld = padded(queries);
    int64_t query = (bk * queries + lo) * D + head * d, key = bk * s->Lk * D + head * d;
    const float *p = a->p + (bk * s->heads + head) * s->Lk * ld + lo, *dout = a->dout + query;
    const an_attention_grads *g = a->g;
    float *ds = scratch + QUERIES * d, shift[QUERIES];
    if (lo == 0 && bk + 1 < s->Bk)
        ask_next(a, s, query, key, p);
    for (int64_t r = 0; r < rows; r++)
        shift[r] = an_lanes_dot(dout + r * D, a->out + query + r * D, d);
    an_columns packed = an_k_pack(scratch, dout, D, rows, d);
    an_k_block(ds, QUERIES, an_k_rows(a->v + key, D), s->Lk, packed, NULL, false,
               padded(rows), d);
    score_gradients(ds, p, ld, shift, 1.0f / sqrtf((float)d), s->Lk, rows);
    if (g->dq)
        an_k_block(g->dq + query, D, an_k_turned(ds, QUERIES), rows, an_k_columns(a->k + key, D),
                   NULL, g->beta_q != 0, d, s->Lk);
    if (g->dk)
        an_k_block(g->dk + key, D, an_k_rows(ds, QUERIES), s->Lk, an_k_columns(a->q + query, D),
                   NULL, lo > 0 || g->beta_k != 0, d, rows);
    if (g->dv)
        an_k_block(g->dv + key, D, an_k_rows(p, ld), s->Lk, an_k_columns(dout, D), NULL,
                   lo > 0 || g->beta_v != 0, d, rows);
}

an_code an_k_attention_backward(const an_attention_grads *g, const float *dout, const float *out,
                                const float *p, const float *q, const float *k, const float *v,
                                const an_attention_shape *s)
{
    int64_t queries = s->repeat * s->Lq;
    size_t bytes = sizeof(float) * QUERIES * (size_t)(s->d + s->Lk);
    char *scratch = an_scratch_take((size_t)an_threads() * bytes);
    if (!scratch)
        return AN_ENOMEM;
    backward_arrays arrays = {g, dout, out, p, q, k, v};
#pragma omp parallel for schedule(static) collapse(2) num_threads(an_threads())
    for (int64_t bk = 0; bk < s->Bk; bk++)
        for (int64_t head = 0; head < s->heads; head++)
            for (int64_t lo = 0; lo < queries; lo += QUERIES)
                backward_chunk(&arrays, s, bk, head, lo, smaller(QUERIES, queries - lo),
                               mine(scratch, bytes));
    an_scratch_give(scratch);
    return AN_OK;
}

void an_k_attention_map(float *map, const float *p, const an_attention_shape *s)
{
    float inverse = 1.0f / (float)s->heads;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < s->Bk * s->repeat; b++)
        for (int64_t i = 0; i < s->Lq; i++)
            for (int64_t j = 0; j < s->Lk; j++) {
                float sum = 0;
                for (int64_t head = 0; head < s->heads; head++)
                    sum += p[an_k_attention_place(s, b, head, i, j)];
                map[(b * s->Lq + i) * s->Lk + j] = sum * inverse;
            }
}
