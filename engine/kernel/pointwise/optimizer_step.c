/* optimizer_step: see optimizer_step.h. Bias corrections and learning rates are computed once
 * per call, in double. */
#include "kernel/pointwise/optimizer_step.h"

#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/cache.h"
#include "kernel/common/overlap.h"

enum {
    PARTS = 256,         /* partial sums of squares, at most                              */
    SMALLEST_PART = 4096 /* elements                                                      */
};

AN_SIMD static void ema(float *restrict average, const float *restrict p, int64_t n, float decay,
                        float rest)
{
    for (int64_t i = 0; i < n; i++)
        average[i] = decay * average[i] + rest * p[i];
}

static void update_ema(float *average, const float *p, double decay, int64_t n)
{
    ema(average, p, n, (float)decay, (float)(1 - decay));
}

/* Updates the average of the parameters lo … hi−1 while they are in the cache. */
static void follow(const an_step_extras *with, const float *p, int64_t lo, int64_t hi)
{
    if (with->ema)
        update_ema(with->ema + lo, p + lo, with->ema_decay, hi - lo);
}

static bool is_step(const an_step_extras *with, const float *p, const float *g, int64_t n)
{
    return n >= 0 && with->ema_decay >= 0 && with->ema_decay <= 1 && an_disjoint(p, n, g, n) &&
           an_disjoint(with->ema, n, p, n) && an_disjoint(with->ema, n, g, n);
}

/* ── AdamW ────────────────────────────────────────────────────────────────────────── */

typedef struct {
    float shrink; /* 1 − lr·decay                                    */
    float beta1, rest1, beta2, rest2;
    float rate;   /* lr over the bias correction of m                */
    float unbias; /* 1 over the root of the bias correction of v     */
    float eps, scale;
} adamw_constants;

AN_SIMD static void adamw(float *restrict p, const float *restrict gradient, float *restrict m,
                          float *restrict v, int64_t n, const adamw_constants *a)
{
    const adamw_constants c = *a;
    for (int64_t i = 0; i < n; i++) {
        float g = c.scale * gradient[i];
        m[i] = c.beta1 * m[i] + c.rest1 * g;
        v[i] = c.beta2 * v[i] + c.rest2 * g * g;
        p[i] = c.shrink * p[i] - c.rate * m[i] / (sqrtf(v[i]) * c.unbias + c.eps);
    }
}

typedef struct {
    float *p, *m, *v;
    const float *g;
    adamw_constants constants;
    const an_step_extras *with;
} adamw_job;

static void adamw_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const adamw_job *job = context;
    (void)chunk;
    adamw(job->p + lo, job->g + lo, job->m + lo, job->v + lo, hi - lo, &job->constants);
    follow(job->with, job->p, lo, hi);
}

void an_k_adamw(float *p, const float *g, float *m, float *v, int64_t n, const an_adamw_args *args)
{
    AN_ASSERT(args->t >= 1 && is_step(&args->with, p, g, n));
    AN_ASSERT(an_disjoint(m, n, v, n) && an_disjoint(p, n, m, n) && an_disjoint(p, n, v, n));
    AN_ASSERT(an_disjoint(g, n, m, n) && an_disjoint(g, n, v, n));
    AN_ASSERT(an_disjoint(args->with.ema, n, m, n) && an_disjoint(args->with.ema, n, v, n));
    const adamw_constants constants = {
        .shrink = (float)(1 - args->lr * args->decay),
        .beta1 = (float)args->beta1,
        .rest1 = (float)(1 - args->beta1),
        .beta2 = (float)args->beta2,
        .rest2 = (float)(1 - args->beta2),
        .rate = (float)(args->lr / (1 - pow(args->beta1, (double)args->t))),
        .unbias = (float)(1 / sqrt(1 - pow(args->beta2, (double)args->t))),
        .eps = (float)args->eps,
        .scale = (float)args->with.gradient_scale,
    };
    an_par_for(n, AN_GRAIN, adamw_part, &(adamw_job){p, m, v, g, constants, &args->with});
}

/* ── SGD ──────────────────────────────────────────────────────────────────────────── */

typedef struct {
    float lr, decay, scale, momentum;
    float of_buffer, of_gradient; /* their factors in the update */
} sgd_constants;

AN_SIMD static void plain_sgd(float *restrict p, const float *restrict g, int64_t n,
                              const sgd_constants *a)
{
    const sgd_constants c = *a;
    for (int64_t i = 0; i < n; i++)
        p[i] -= c.lr * (c.scale * g[i] + c.decay * p[i]);
}

AN_SIMD static void momentum_sgd(float *restrict p, const float *restrict g, float *restrict buf,
                                 int64_t n, const sgd_constants *a)
{
    const sgd_constants c = *a;
    for (int64_t i = 0; i < n; i++) {
        float d = c.scale * g[i] + c.decay * p[i];
        buf[i] = c.momentum * buf[i] + d;
        p[i] -= c.lr * (c.of_gradient * d + c.of_buffer * buf[i]);
    }
}

typedef struct {
    float *p, *buf; /* buf NULL: no momentum */
    const float *g;
    sgd_constants constants;
    const an_step_extras *with;
} sgd_job;

static void sgd_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const sgd_job *job = context;
    (void)chunk;
    if (job->buf)
        momentum_sgd(job->p + lo, job->g + lo, job->buf + lo, hi - lo, &job->constants);
    else
        plain_sgd(job->p + lo, job->g + lo, hi - lo, &job->constants);
    follow(job->with, job->p, lo, hi);
}

void an_k_sgd(float *p, const float *g, float *buf, int64_t n, const an_sgd_args *args)
{
    AN_ASSERT(buf || args->momentum == 0);
    AN_ASSERT(is_step(&args->with, p, g, n) && an_disjoint(buf, n, p, n));
    AN_ASSERT(an_disjoint(buf, n, g, n) && an_disjoint(buf, n, args->with.ema, n));
    const float momentum = (float)args->momentum;
    const sgd_constants constants = {
        .lr = (float)args->lr,
        .decay = (float)args->decay,
        .scale = (float)args->with.gradient_scale,
        .momentum = momentum,
        .of_buffer = args->nesterov ? momentum : 1,
        .of_gradient = args->nesterov ? 1 : 0,
    };
    if (args->momentum == 0)
        buf = NULL;
    if (buf && args->first)
        memset(buf, 0, (size_t)n * sizeof *buf);
    an_par_for(n, AN_GRAIN, sgd_part, &(sgd_job){p, buf, g, constants, &args->with});
}

/* ── average, norm ──────────────────────────────────────────────────────────────── */

typedef struct {
    float *average;
    const float *p;
    double decay;
} ema_job;

static void ema_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const ema_job *job = context;
    (void)chunk;
    update_ema(job->average + lo, job->p + lo, job->decay, hi - lo);
}

void an_k_ema(float *average, const float *p, double decay, int64_t n)
{
    AN_ASSERT(n >= 0 && decay >= 0 && decay <= 1 && an_disjoint(average, n, p, n));
    an_par_for(n, AN_GRAIN, ema_part, &(ema_job){average, p, decay});
}

typedef struct {
    const float *g;
    double part[PARTS];
} squares_job;

/* The number of running sums is fixed, so that every vector width gives the same bits. */
AN_SIMD static double sum_squares_of(const float *g, int64_t n)
{
    double lane[AN_LANES] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + AN_LANES <= n; i += AN_LANES)
        for (int k = 0; k < AN_LANES; k++)
            lane[k] += (double)g[i + k] * (double)g[i + k];
    for (; i < n; i++)
        sum += (double)g[i] * (double)g[i];
    for (int k = 0; k < AN_LANES; k++)
        sum += lane[k];
    return sum;
}

static void squares_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    squares_job *job = context;
    job->part[chunk] = sum_squares_of(job->g + lo, hi - lo);
}

/* The parts depend on n alone, not on the number of threads. */
double an_k_sum_squares(const float *g, int64_t n)
{
    AN_ASSERT(n >= 0);
    int64_t length = an_div_up(n, PARTS);
    if (length < SMALLEST_PART)
        length = SMALLEST_PART;
    squares_job job = {.g = g};
    an_par_for(n, length, squares_part, &job);
    double sum = 0;
    for (int i = 0; i < PARTS; i++)
        sum += job.part[i];
    return sum;
}

typedef struct {
    float *g, factor;
} scale_job;

static void scale_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const scale_job *job = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++)
        job->g[i] *= job->factor;
}

void an_k_scale(float *g, double factor, int64_t n)
{
    AN_ASSERT(n >= 0);
    an_par_for(n, AN_GRAIN, scale_part, &(scale_job){g, (float)factor});
}
