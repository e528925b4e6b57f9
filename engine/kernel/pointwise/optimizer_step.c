/* optimizer_step: see optimizer_step.h. Bias corrections and rates are computed once in double. */
#include "kernel/pointwise/optimizer_step.h"

#include <math.h>
#include <string.h>

#include "base/par.h"
#include "base/simd.h"

enum { GRAIN = 16384, PARTS = 256, SMALLEST_PART = 4096, LANES = 16 };

AN_SIMD static void average(float *restrict e, const float *restrict p, int64_t n, float keep,
                            float take)
{
    for (int64_t i = 0; i < n; i++)
        e[i] = keep * e[i] + take * p[i];
}

/* The average of the parameters `at` …, while these are still in the cache. */
static void follow(const an_step_extras *with, const float *p, int64_t at, int64_t n)
{
    if (with->e)
        average(with->e + at, p + at, n, (float)with->keep, (float)(1 - with->keep));
}

/* ── AdamW ────────────────────────────────────────────────────────────────────────── */

typedef struct {
    float keep, beta1, rest1, beta2, rest2, rate, unbias, eps, scale;
} adamw_numbers;

AN_SIMD static void adamw(float *restrict p, const float *restrict given, float *restrict m,
                          float *restrict v, int64_t n, const adamw_numbers *a)
{
    const adamw_numbers c = *a;
    for (int64_t i = 0; i < n; i++) {
        float g = c.scale * given[i];
        m[i] = c.beta1 * m[i] + c.rest1 * g;
        v[i] = c.beta2 * v[i] + c.rest2 * g * g;
        p[i] = c.keep * p[i] - c.rate * m[i] / (sqrtf(v[i]) * c.unbias + c.eps);
    }
}

typedef struct {
    float *p, *m, *v;
    const float *g;
    adamw_numbers numbers;
    const an_step_extras *with;
} adamw_job;

static void adamw_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const adamw_job *job = context;
    (void)chunk;
    adamw(job->p + lo, job->g + lo, job->m + lo, job->v + lo, hi - lo, &job->numbers);
    follow(job->with, job->p, lo, hi - lo);
}

void an_k_adamw(float *p, const float *g, float *m, float *v, int64_t n, const an_adamw_args *args)
{
    const adamw_numbers numbers = {
        .keep = (float)(1 - args->lr * args->decay),
        .beta1 = (float)args->beta1,
        .rest1 = (float)(1 - args->beta1),
        .beta2 = (float)args->beta2,
        .rest2 = (float)(1 - args->beta2),
        .rate = (float)(args->lr / (1 - pow(args->beta1, (double)args->t))),
        .unbias = (float)(1 / sqrt(1 - pow(args->beta2, (double)args->t))),
        .eps = (float)args->eps,
        .scale = (float)args->with.scale,
    };
    an_par_for(n, GRAIN, adamw_part, &(adamw_job){p, m, v, g, numbers, &args->with});
}

/* ── SGD ──────────────────────────────────────────────────────────────────────────── */

typedef struct {
    float lr, decay, scale, momentum, ahead, direct;
} sgd_numbers;

AN_SIMD static void plain_sgd(float *restrict p, const float *restrict g, int64_t n,
                              const sgd_numbers *a)
{
    const sgd_numbers c = *a;
    for (int64_t i = 0; i < n; i++)
        p[i] -= c.lr * (c.scale * g[i] + c.decay * p[i]);
}

AN_SIMD static void momentum_sgd(float *restrict p, const float *restrict g, float *restrict buf,
                                 int64_t n, const sgd_numbers *a)
{
    const sgd_numbers c = *a;
    for (int64_t i = 0; i < n; i++) {
        float d = c.scale * g[i] + c.decay * p[i];
        buf[i] = c.momentum * buf[i] + d;
        p[i] -= c.lr * (c.direct * d + c.ahead * buf[i]);
    }
}

typedef struct {
    float *p, *buf; /* buf NULL: no momentum */
    const float *g;
    sgd_numbers numbers;
    const an_step_extras *with;
} sgd_job;

static void sgd_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const sgd_job *job = context;
    (void)chunk;
    if (job->buf)
        momentum_sgd(job->p + lo, job->g + lo, job->buf + lo, hi - lo, &job->numbers);
    else
        plain_sgd(job->p + lo, job->g + lo, hi - lo, &job->numbers);
    follow(job->with, job->p, lo, hi - lo);
}

void an_k_sgd(float *p, const float *g, float *buf, int64_t n, const an_sgd_args *args)
{
    const float momentum = (float)args->momentum;
    const sgd_numbers numbers = {
        .lr = (float)args->lr,
        .decay = (float)args->decay,
        .scale = (float)args->with.scale,
        .momentum = momentum,
        .ahead = args->nesterov ? momentum : 1,
        .direct = args->nesterov ? 1 : 0,
    };
    if (args->momentum == 0)
        buf = NULL;
    if (buf && args->first)
        memset(buf, 0, (size_t)n * sizeof *buf);
    an_par_for(n, GRAIN, sgd_part, &(sgd_job){p, buf, g, numbers, &args->with});
}

/* ── averages, norms ──────────────────────────────────────────────────────────────── */

typedef struct {
    const float *p;
    an_step_extras with;
} ema_job;

static void ema_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const ema_job *job = context;
    (void)chunk;
    follow(&job->with, job->p, lo, hi - lo);
}

void an_k_ema(float *e, const float *p, double decay, int64_t n)
{
    an_par_for(n, GRAIN, ema_part, &(ema_job){p, {.e = e, .keep = decay}});
}

typedef struct {
    const float *g;
    double part[PARTS];
} squares_job;

/* In as many sums as the widest vectors have floats, whatever the machine's are. */
AN_SIMD static double sum_squares_of(const float *g, int64_t n)
{
    double lane[LANES] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += (double)g[i + k] * (double)g[i + k];
    for (; i < n; i++)
        sum += (double)g[i] * (double)g[i];
    for (int k = 0; k < LANES; k++)
        sum += lane[k];
    return sum;
}

static void squares_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    squares_job *job = context;
    job->part[chunk] = sum_squares_of(job->g + lo, hi - lo);
}

/* The parts depend on n alone, never on the threads. */
double an_k_sum_squares(const float *g, int64_t n)
{
    int64_t length = (n + PARTS - 1) / PARTS;
    if (length < SMALLEST_PART)
        length = SMALLEST_PART;
    squares_job job = {.g = g};
    an_par_for(n, length, squares_part, &job);
    double sum = 0;
    for (int i = 0; i < PARTS; i++)
        sum += job.part[i];
    return sum;
}

static void scale_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const ema_job *job = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++)
        job->with.e[i] *= (float)job->with.scale;
}

void an_k_scale(float *g, double factor, int64_t n)
{
    an_par_for(n, GRAIN, scale_part, &(ema_job){NULL, {.e = g, .scale = factor}});
}
