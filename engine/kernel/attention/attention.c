/* attention: see attention.h. The queries of one key batch row are repeat·Lq rows in a
 * row, so each pair of (key batch row, head) is a small matrix problem of its own; its
 * queries go in chunks, so that the scores of a chunk stay in the cache. */
#include "kernel/attention/attention.h"

#include <math.h>
#include <omp.h>

#include "base/par.h"
#include "base/memory/scratch.h"
#include "kernel/attention/attention_dispatch.h"

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static float scale_of(int64_t d)
{
    return 1.0f / sqrtf((float)d);
}

int64_t an_k_attend_scratch(int64_t Lk, int64_t d)
{
    return AN_FEW * (d + Lk);
}

void an_k_attend(float *out, int64_t ldo, const an_attend *a, float *scratch)
{
    const an_attention_loops *loops = AN_MICRO_ACTIVE(attention);
    an_attention_job job = {.ldq = a->ldq,
                            .ldk = a->ldk,
                            .Lk = a->Lk,
                            .d = a->d,
                            .scale = scale_of(a->d),
                            .scratch = scratch};
    for (int64_t lo = 0; lo < a->queries; lo += AN_FEW)
        for (int64_t at = 0; at < a->heads * a->d; at += a->d) {
            job.q = a->q + lo * a->ldq + at;
            job.k = a->k + at;
            job.v = a->v + at;
            job.queries = smaller(AN_FEW, a->queries - lo);
            loops->attend(out + lo * ldo + at, ldo, &job);
        }
}

/* ── batches of rows ──────────────────────────────────────────────────────────────── */

/* Queries `lo` … of a (key batch row, head), and where they and their keys begin. */
typedef struct {
    int64_t bk, head, lo, query, key;
} place;

static place place_of(const an_attention_shape *s, int64_t bk, int64_t head, int64_t lo)
{
    int64_t D = s->heads * s->d;
    return (place){bk, head, lo, (bk * s->repeat * s->Lq + lo) * D + head * s->d,
                   bk * s->Lk * D + head * s->d};
}

static an_attention_job job_at(const place *at, const an_attention_shape *s, const float *q,
                               const float *k, const float *v, float *scratch)
{
    int64_t D = s->heads * s->d;
    return (an_attention_job){.q = q + at->query,
                              .k = k + at->key,
                              .v = v ? v + at->key : NULL,
                              .ldq = D,
                              .ldk = D,
                              .Lk = s->Lk,
                              .d = s->d,
                              .scale = scale_of(s->d),
                              .queries = smaller(AN_FEW, s->repeat * s->Lq - at->lo),
                              .scratch = scratch};
}

/* The next key batch row's part of `count` arrays, the first `rows` of them (·, Lq, D), the others
 * (·, Lk, D); by each head a share of it, in as many pieces as this one's products have tiles. A
 * head's own part lies in pieces too far apart for the processor to look ahead by itself. */
static an_prefetch look_ahead(const place *at, const an_attention_shape *s,
                              const float *const *array, int rows, int count, int64_t tiles)
{
    an_prefetch a = {0};
    int64_t all = 0;
    for (int i = 0; i < count && at->lo == 0 && at->bk + 1 < s->Bk; i++) {
        int64_t numbers = (i < rows ? s->repeat * s->Lq : s->Lk) * s->d;
        if (!array[i])
            continue;
        a.part[a.parts].at = array[i] + ((at->bk + 1) * s->heads + at->head) * numbers;
        all += a.part[a.parts++].lines = (numbers + AN_LINE - 1) / AN_LINE;
    }
    a.share = (all + tiles - 1) / tiles;
    return a;
}

static int64_t tiles(int64_t rows)
{
    return (rows + AN_MICRO_ROWS - 1) / AN_MICRO_ROWS;
}

/* Scratch of a thread for `arrays` of (Lk, AN_FEW), and the calling thread's. */
static size_t share(const an_attention_shape *s, int64_t arrays)
{
    return sizeof(float) * AN_FEW * (size_t)(s->d + arrays * s->Lk);
}

static float *mine(char *scratch, size_t bytes)
{
    return (float *)(scratch + (size_t)omp_get_thread_num() * bytes);
}

an_code an_k_attention_forward(float *out, const float *q, const float *k, const float *v,
                               const an_attention_shape *s)
{
    const an_attention_loops *loops = AN_MICRO_ACTIVE(attention);
    int64_t queries = s->repeat * s->Lq;
    size_t bytes = share(s, 1);
    char *scratch = an_scratch_take((size_t)an_threads() * bytes);
    if (!scratch)
        return AN_ENOMEM;
    const float *const arrays[] = {q, out, k, v};
#pragma omp parallel for schedule(static) collapse(2) num_threads(an_threads())
    for (int64_t bk = 0; bk < s->Bk; bk++)
        for (int64_t head = 0; head < s->heads; head++)
            for (int64_t lo = 0; lo < queries; lo += AN_FEW) {
                place at = place_of(s, bk, head, lo);
                an_attention_job job = job_at(&at, s, q, k, v, mine(scratch, bytes));
                an_prefetch ahead =
                    look_ahead(&at, s, arrays, 2, 4, tiles(s->Lk) + tiles(job.queries));
                job.ahead = &ahead;
                loops->attend(out + at.query, job.ldq, &job);
            }
    an_scratch_give(scratch);
    return AN_OK;
}

static an_attention_gradients gradients_at(const place *at, const an_attention_grads *g,
                                           const float *dout)
{
    return (an_attention_gradients){
        .dout = dout + at->query,
        .dq = g->dq ? g->dq + at->query : NULL,
        .dk = g->dk ? g->dk + at->key : NULL,
        .dv = g->dv ? g->dv + at->key : NULL,
        .add_q = g->beta_q != 0,
        .add_k = at->lo > 0 || g->beta_k != 0,
        .add_v = at->lo > 0 || g->beta_v != 0,
    };
}

an_code an_k_attention_backward(const an_attention_grads *g, const float *dout, const float *q,
                                const float *k, const float *v, const an_attention_shape *s)
{
    const an_attention_loops *loops = AN_MICRO_ACTIVE(attention);
    int64_t queries = s->repeat * s->Lq;
    size_t bytes = share(s, 2);
    char *scratch = an_scratch_take((size_t)an_threads() * bytes);
    if (!scratch)
        return AN_ENOMEM;
    const float *const arrays[] = {q, dout, g->dq, k, v, g->dk, g->dv};
#pragma omp parallel for schedule(static) collapse(2) num_threads(an_threads())
    for (int64_t bk = 0; bk < s->Bk; bk++)
        for (int64_t head = 0; head < s->heads; head++)
            for (int64_t lo = 0; lo < queries; lo += AN_FEW) {
                place at = place_of(s, bk, head, lo);
                an_attention_job job = job_at(&at, s, q, k, v, mine(scratch, bytes));
                an_attention_gradients own = gradients_at(&at, g, dout);
                an_prefetch ahead =
                    look_ahead(&at, s, arrays, 3, 7, 4 * tiles(s->Lk) + tiles(job.queries));
                job.ahead = &ahead;
                loops->backward(&job, &own);
            }
    an_scratch_give(scratch);
    return AN_OK;
}

/* What one head adds to `queries` rows of the map. */
static void add_to_map(float *map, const float *p, const an_attention_shape *s, int64_t queries,
                       bool first)
{
    float weight = 1.0f / (float)s->heads;
    for (int64_t i = 0; i < queries; i++)
        for (int64_t j = 0; j < s->Lk; j++)
            map[i * s->Lk + j] = (first ? 0 : map[i * s->Lk + j]) + weight * p[j * AN_FEW + i];
}

an_code an_k_attention_map(float *map, const float *q, const float *k, const an_attention_shape *s)
{
    const an_attention_loops *loops = AN_MICRO_ACTIVE(attention);
    int64_t queries = s->repeat * s->Lq;
    size_t bytes = share(s, 1);
    char *scratch = an_scratch_take((size_t)an_threads() * bytes);
    if (!scratch)
        return AN_ENOMEM;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t bk = 0; bk < s->Bk; bk++)
        for (int64_t head = 0; head < s->heads; head++)
            for (int64_t lo = 0; lo < queries; lo += AN_FEW) {
                place at = place_of(s, bk, head, lo);
                an_attention_job job = job_at(&at, s, q, k, NULL, mine(scratch, bytes));
                add_to_map(map + (bk * queries + lo) * s->Lk, loops->weights(&job), s, job.queries,
                           head == 0);
            }
    an_scratch_give(scratch);
    return AN_OK;
}
