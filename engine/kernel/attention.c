/* attention: see attention.h. The queries of one key batch row are repeat·Lq rows in a
 * row, so each pair of (key batch row, head) is a small matrix problem of its own. */
#include "kernel/attention.h"

#include <math.h>
#include <string.h>

#include "base/simd.h"
#include "kernel/exp.h"
#include "kernel/lanes.h"

enum { TILE = 32 };   /* keys in a tile: a few vector registers of scores */

/* The j-th key of a tile is column j; columns past the last key are zero. */
typedef float tile[AN_ATTENTION_WIDTH][TILE];

static inline void transpose(tile t, const float *rows, int64_t count, int64_t d, int64_t stride)
{
    if (count < TILE)
        memset(t, 0, (size_t)d * sizeof t[0]);
    for (int64_t j = 0; j < count; j++)
        for (int64_t c = 0; c < d; c++)
            t[c][j] = rows[j * stride + c];
}

/* s[j] = Σ_c x[c]·t[c][j] */
static inline void dots(float s[restrict TILE], const float *x, tile t, int64_t d)
{
    float sum[TILE] = {0};
    for (int64_t c = 0; c < d; c++)
        for (int j = 0; j < TILE; j++)
            sum[j] += x[c] * t[c][j];
    memcpy(s, sum, sizeof sum);
}

/* y[c] += Σ_j w[j]·rows[j][c], TILE columns at a time: their sums stay in registers. */
static inline void add_rows(float *restrict y, const float *w, const float *rows, int64_t count,
                            int64_t d, int64_t stride)
{
    int64_t whole = d - d % TILE;
    for (int64_t lo = 0; lo < whole; lo += TILE) {
        float sum[TILE] = {0};
        for (int64_t j = 0; j < count; j++)
            for (int c = 0; c < TILE; c++)
                sum[c] += w[j] * rows[j * stride + lo + c];
        for (int c = 0; c < TILE; c++)
            y[lo + c] += sum[c];
    }
    for (int64_t j = 0; j < count; j++)
        for (int64_t c = whole; c < d; c++)
            y[c] += w[j] * rows[j * stride + c];
}

/* Eight independent maxima, so that the loop vectorises. */
static inline float largest(const float *p, int64_t n)
{
    float lane[8], top = p[0];
    int64_t whole = n - n % 8;
    for (int c = 0; c < 8; c++)
        lane[c] = top;
    for (int64_t j = 0; j < whole; j += 8)
        for (int c = 0; c < 8; c++)
            lane[c] = p[j + c] > lane[c] ? p[j + c] : lane[c];
    for (int64_t j = whole; j < n; j++)
        top = p[j] > top ? p[j] : top;
    for (int c = 0; c < 8; c++)
        top = lane[c] > top ? lane[c] : top;
    return top;
}

static inline void softmax(float *p, float scale, int64_t n)
{
    const float top = largest(p, n);
    for (int64_t j = 0; j < n; j++)
        p[j] = an_expf(scale * (p[j] - top));
    float inverse = 1.0f / an_lanes_sum(p, n);
    for (int64_t j = 0; j < n; j++)
        p[j] *= inverse;
}

/* Where the r-th query of key batch row `bk` has its row of probabilities. */
static inline int64_t row_of_p(const an_attention_shape *s, int64_t bk, int64_t head, int64_t r)
{
    int64_t batch = bk * s->repeat + r / s->Lq;
    return ((batch * s->heads + head) * s->Lq + r % s->Lq) * s->Lk;
}

AN_SIMD static void forward_pair(float *out, float *p, const float *q, const float *k,
                                 const float *v, const an_attention_shape *s, int64_t bk,
                                 int64_t head)
{
    int64_t D = s->heads * s->d, queries = s->repeat * s->Lq;
    int64_t at_query = bk * queries * D + head * s->d, at_key = bk * s->Lk * D + head * s->d;
    tile keys;
    for (int64_t j = 0; j < s->Lk; j += TILE) {
        int64_t count = s->Lk - j < TILE ? s->Lk - j : TILE;
        transpose(keys, k + at_key + j * D, count, s->d, D);
        for (int64_t r = 0; r < queries; r++) {
            float score[TILE];
            dots(score, q + at_query + r * D, keys, s->d);
            memcpy(p + row_of_p(s, bk, head, r) + j, score, (size_t)count * sizeof *p);
        }
    }
    float scale = 1.0f / sqrtf((float)s->d);
    for (int64_t r = 0; r < queries; r++) {
        float *row = p + row_of_p(s, bk, head, r), *y = out + at_query + r * D;
        softmax(row, scale, s->Lk);
        memset(y, 0, (size_t)s->d * sizeof *y);
        add_rows(y, row, v + at_key, s->Lk, s->d, D);
    }
}

void an_k_attention_forward(float *out, float *p, const float *q, const float *k,
                            const float *v, const an_attention_shape *shape)
{
#pragma omp parallel for schedule(static) collapse(2)
    for (int64_t bk = 0; bk < shape->Bk; bk++)
        for (int64_t head = 0; head < shape->heads; head++)
            forward_pair(out, p, q, k, v, shape, bk, head);
}

/* The gradients, and what they are made of. */
typedef struct {
    float *dq, *dk, *dv;
    const float *dout, *out, *p, *q, *k, *v;
} backward_arrays;

/* The gradient of the scores is dS = P·(dP − Σ_j P·dP) with dP = dout·vᵀ, and that sum
 * over all keys is dout·out: so each tile of keys can be finished alone. */
AN_SIMD static void backward_pair(const backward_arrays *a, const an_attention_shape *s,
                                  int64_t bk, int64_t head)
{
    int64_t D = s->heads * s->d, d = s->d, queries = s->repeat * s->Lq;
    int64_t at_query = bk * queries * D + head * d, at_key = bk * s->Lk * D + head * d;
    float scale = 1.0f / sqrtf((float)d);
    tile values;
    for (int64_t j = 0; j < s->Lk; j += TILE) {
        int64_t count = s->Lk - j < TILE ? s->Lk - j : TILE, key = at_key + j * D;
        transpose(values, a->v + key, count, d, D);
        for (int64_t r = 0; r < queries; r++) {
            int64_t query = at_query + r * D;
            const float *p = a->p + row_of_p(s, bk, head, r) + j;
            float ds[TILE], shift = an_lanes_dot(a->dout + query, a->out + query, d);
            dots(ds, a->dout + query, values, d);
            for (int64_t i = 0; i < count; i++)
                ds[i] = scale * p[i] * (ds[i] - shift);
            if (a->dq)
                add_rows(a->dq + query, ds, a->k + key, count, d, D);
            for (int64_t i = 0; i < count && a->dk; i++)
                add_rows(a->dk + key + i * D, ds + i, a->q + query, 1, d, D);
            for (int64_t i = 0; i < count && a->dv; i++)
                add_rows(a->dv + key + i * D, p + i, a->dout + query, 1, d, D);
        }
    }
}

void an_k_attention_backward(float *dq, float *dk, float *dv, const float *dout,
                             const float *out, const float *p, const float *q, const float *k,
                             const float *v, const an_attention_shape *shape)
{
    backward_arrays arrays = {dq, dk, dv, dout, out, p, q, k, v};
#pragma omp parallel for schedule(static) collapse(2)
    for (int64_t bk = 0; bk < shape->Bk; bk++)
        for (int64_t head = 0; head < shape->heads; head++)
            backward_pair(&arrays, shape, bk, head);
}

void an_k_attention_map(float *map, const float *p, const an_attention_shape *shape)
{
    int64_t block = shape->Lq * shape->Lk, heads = shape->heads;
    float inverse = 1.0f / (float)heads;
#pragma omp parallel for schedule(static)
    for (int64_t b = 0; b < shape->Bk * shape->repeat; b++)
        for (int64_t i = 0; i < block; i++) {
            float sum = 0;
            for (int64_t h = 0; h < heads; h++)
                sum += p[(b * heads + h) * block + i];
            map[b * block + i] = sum * inverse;
        }
}
