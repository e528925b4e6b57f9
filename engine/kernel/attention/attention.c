/* attention: see attention.h. The queries of one key batch row are repeat·Lq consecutive rows, so
 * each pair of (key batch row, head) is a small matrix problem of its own. Its queries are
 * processed in blocks of at most AN_QUERY_BLOCK, whose scores fit the L1 cache. */
#include "kernel/attention/attention.h"

#include <math.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "kernel/attention/attention_dispatch.h"
#include "kernel/common/carve.h"
#include "kernel/common/overlap.h"

static float scale_of(int64_t d)
{
    return 1.0f / sqrtf((float)d);
}

/* ── queries that share their keys ────────────────────────────────────────────────── */

int64_t an_k_attend_scratch(int64_t Lk, int64_t d)
{
    return AN_QUERY_BLOCK * (d + Lk);
}

void an_k_attend(float *out, int64_t ldo, const an_attend *a, float *scratch)
{
    AN_ASSERT(out && a->q && a->k && a->v && scratch);
    AN_ASSERT(a->queries >= 1 && a->Lk >= 1 && a->heads >= 1);
    AN_ASSERT(a->d >= 1 && a->d <= AN_ATTENTION_WIDTH);
    AN_ASSERT(ldo >= a->heads * a->d && a->ldq >= a->heads * a->d && a->ldk >= a->heads * a->d);
    const an_attention_loops *loops = AN_MICRO_ACTIVE(attention);
    an_attention_job job = {.ldq = a->ldq,
                            .ldk = a->ldk,
                            .Lk = a->Lk,
                            .d = a->d,
                            .scale = scale_of(a->d),
                            .scratch = scratch};
    for (int64_t lo = 0; lo < a->queries; lo += AN_QUERY_BLOCK)
        for (int64_t at = 0; at < a->heads * a->d; at += a->d) {
            job.q = a->q + lo * a->ldq + at;
            job.k = a->k + at;
            job.v = a->v + at;
            job.queries = an_min(AN_QUERY_BLOCK, a->queries - lo);
            loops->attend(out + lo * ldo + at, ldo, &job);
        }
}

/* ── batches: blocks of queries over threads ──────────────────────────────────────── */

/* Queries `lo` … of a (key batch row, head), and where they and their keys begin. */
typedef struct {
    int64_t bk, head, lo, query, key;
} block;

/* What a kernel does with one block. `given` holds its operands and the thread's scratch memory;
 * `arrays` are the kernel's own. */
typedef void (*block_fn)(const an_attention_shape *s, const block *at,
                         const an_attention_job *given, const void *arrays);

/* One call of a kernel for batches. */
typedef struct {
    const an_attention_shape *s;
    const float *q, *k, *v; /* v may be NULL: the weights need q and k only                   */
    block_fn work;
    const void *arrays;
    int64_t scores;      /* arrays of (Lk, AN_QUERY_BLOCK) in a thread's scratch memory     */
    bool heads_together; /* one thread computes the heads of a key batch row, in order      */
} batch;

static block block_at(const an_attention_shape *s, int64_t bk, int64_t head, int64_t lo)
{
    int64_t D = s->heads * s->d;
    return (block){bk, head, lo, (bk * s->repeat * s->Lq + lo) * D + head * s->d,
                   bk * s->Lk * D + head * s->d};
}

static an_attention_job job_at(const batch *b, const block *at, float *scratch)
{
    const an_attention_shape *s = b->s;
    int64_t D = s->heads * s->d;
    return (an_attention_job){.q = b->q + at->query,
                              .k = b->k + at->key,
                              .v = b->v ? b->v + at->key : NULL,
                              .ldq = D,
                              .ldk = D,
                              .Lk = s->Lk,
                              .d = s->d,
                              .scale = scale_of(s->d),
                              .queries = an_min(AN_QUERY_BLOCK, s->repeat * s->Lq - at->lo),
                              .scratch = scratch};
}

static void run_head(const batch *b, int64_t bk, int64_t head, float *scratch)
{
    for (int64_t lo = 0; lo < b->s->repeat * b->s->Lq; lo += AN_QUERY_BLOCK) {
        block at = block_at(b->s, bk, head, lo);
        an_attention_job job = job_at(b, &at, scratch);
        b->work(b->s, &at, &job, b->arrays);
    }
}

static an_code run(const batch *b)
{
    const an_attention_shape *s = b->s;
    an_carve scratch = {0};
    an_carve_part part =
        an_carve_own(&scratch, AN_QUERY_BLOCK * (s->d + b->scores * s->Lk), sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
    int64_t each = b->heads_together ? s->heads : 1;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t first = 0; first < s->Bk * s->heads; first += each)
        for (int64_t pair = first; pair < first + each; pair++)
            run_head(b, pair / s->heads, pair % s->heads, an_carve_at(&scratch, part));
    an_carve_release(&scratch);
    return AN_OK;
}

static bool is_shape(const an_attention_shape *s)
{
    return s->Bk >= 1 && s->repeat >= 1 && s->Lq >= 1 && s->Lk >= 1 && s->heads >= 1 && s->d >= 1 &&
           s->d <= AN_ATTENTION_WIDTH;
}

static int64_t query_floats(const an_attention_shape *s)
{
    return s->Bk * s->repeat * s->Lq * s->heads * s->d;
}

static int64_t key_floats(const an_attention_shape *s)
{
    return s->Bk * s->Lk * s->heads * s->d;
}

static bool is_beta(const float *gradient, float beta)
{
    return !gradient || beta == 0 || beta == 1;
}

/* The part of the next key batch row that this head will read, in `count` arrays: the first `rows`
 * of them are (·, Lq, D), the others (·, Lk, D). It is prefetched in as many shares as this block's
 * products have tiles. The pieces of a head's part are too far apart for the hardware
 * prefetcher. */
static an_prefetch prefetch_next(const an_attention_shape *s, const block *at,
                                 const float *const *array, int rows, int count, int64_t tiles)
{
    an_prefetch next = {0};
    for (int i = 0; i < count && at->lo == 0 && at->bk + 1 < s->Bk; i++) {
        int64_t floats = (i < rows ? s->repeat * s->Lq : s->Lk) * s->d;
        if (array[i])
            an_prefetch_add(&next, array[i] + ((at->bk + 1) * s->heads + at->head) * floats,
                            floats);
    }
    an_prefetch_cut(&next, tiles);
    return next;
}

static int64_t tiles(int64_t rows)
{
    return an_div_up(rows, AN_MICRO_ROWS);
}

/* ── forward ──────────────────────────────────────────────────────────────────────── */

typedef struct {
    float *out;
    const float *q, *k, *v;
} forward_arrays;

static void forward_block(const an_attention_shape *s, const block *at,
                          const an_attention_job *given, const void *arrays)
{
    const forward_arrays *a = arrays;
    const float *const streams[] = {a->q, a->out, a->k, a->v};
    an_prefetch next = prefetch_next(s, at, streams, 2, 4, tiles(s->Lk) + tiles(given->queries));
    an_attention_job job = *given;
    job.prefetch = &next;
    AN_MICRO_ACTIVE(attention)->attend(a->out + at->query, job.ldq, &job);
}

an_code an_k_attention_forward(float *out, const float *q, const float *k, const float *v,
                               const an_attention_shape *s)
{
    AN_ASSERT(out && q && k && v && is_shape(s));
    AN_ASSERT(an_disjoint(out, query_floats(s), q, query_floats(s)) &&
              an_disjoint(out, query_floats(s), k, key_floats(s)) &&
              an_disjoint(out, query_floats(s), v, key_floats(s)));
    const forward_arrays arrays = {out, q, k, v};
    return run(&(batch){s, q, k, v, forward_block, &arrays, .scores = 1});
}

/* ── backward ─────────────────────────────────────────────────────────────────────── */

typedef struct {
    const an_attention_grads *g;
    const float *dout, *q, *k, *v;
} backward_arrays;

static void backward_block(const an_attention_shape *s, const block *at,
                           const an_attention_job *given, const void *arrays)
{
    const backward_arrays *a = arrays;
    const an_attention_grads *g = a->g;
    const float *const streams[] = {a->q, a->dout, g->dq, a->k, a->v, g->dk, g->dv};
    const an_attention_gradients gradients = {
        .dout = a->dout + at->query,
        .dq = g->dq ? g->dq + at->query : NULL,
        .dk = g->dk ? g->dk + at->key : NULL,
        .dv = g->dv ? g->dv + at->key : NULL,
        .add_q = g->beta_q != 0,
        .add_k = at->lo > 0 || g->beta_k != 0,
        .add_v = at->lo > 0 || g->beta_v != 0,
    };
    an_prefetch next =
        prefetch_next(s, at, streams, 3, 7, 4 * tiles(s->Lk) + tiles(given->queries));
    an_attention_job job = *given;
    job.prefetch = &next;
    AN_MICRO_ACTIVE(attention)->backward(&job, &gradients);
}

/* Whether the gradients dx of x and dy of y may be written one after the other. */
static bool may_share(const float *dx, const float *dy, const float *x, const float *y,
                      float beta_x, float beta_y)
{
    return !dx || dx != dy || (x == y && beta_x == 1 && beta_y == 1);
}

an_code an_k_attention_backward(const an_attention_grads *g, const float *dout, const float *q,
                                const float *k, const float *v, const an_attention_shape *s)
{
    AN_ASSERT(g && dout && q && k && v && is_shape(s));
    AN_ASSERT(is_beta(g->dq, g->beta_q) && is_beta(g->dk, g->beta_k) && is_beta(g->dv, g->beta_v));
    AN_ASSERT(may_share(g->dq, g->dk, q, k, g->beta_q, g->beta_k));
    AN_ASSERT(may_share(g->dq, g->dv, q, v, g->beta_q, g->beta_v));
    AN_ASSERT(may_share(g->dk, g->dv, k, v, g->beta_k, g->beta_v));
    const backward_arrays arrays = {g, dout, q, k, v};
    return run(&(batch){s, q, k, v, backward_block, &arrays, .scores = 2});
}

/* ── map ──────────────────────────────────────────────────────────────────────────── */

/* Adds one head's share to the map's rows of the block's queries. */
static void map_block(const an_attention_shape *s, const block *at, const an_attention_job *job,
                      const void *arrays)
{
    float *const *map = arrays, *to = *map + (at->bk * s->repeat * s->Lq + at->lo) * s->Lk;
    const float *p = AN_MICRO_ACTIVE(attention)->weights(job);
    float weight = 1.0f / (float)s->heads;
    for (int64_t i = 0; i < job->queries; i++)
        for (int64_t j = 0; j < s->Lk; j++)
            to[i * s->Lk + j] =
                (at->head == 0 ? 0 : to[i * s->Lk + j]) + weight * p[j * AN_QUERY_BLOCK + i];
}

an_code an_k_attention_map(float *map, const float *q, const float *k, const an_attention_shape *s)
{
    AN_ASSERT(map && q && k && is_shape(s));
    return run(&(batch){s, q, k, NULL, map_block, &map, .scores = 1, .heads_together = true});
}
