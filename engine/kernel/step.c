/* step: see step.h. Bias corrections and rates are computed once in double. */
#include "kernel/step.h"

#include <math.h>
#include <string.h>

enum { PARALLEL_FROM = 16384, PARTS = 256, SMALLEST_PART = 4096 };

void an_k_adamw(float *p, const float *g, float *m, float *v, int64_t n,
                const an_adamw_args *args)
{
    const float keep = (float)(1 - args->lr * args->decay);
    const float beta1 = (float)args->beta1, rest1 = (float)(1 - args->beta1);
    const float beta2 = (float)args->beta2, rest2 = (float)(1 - args->beta2);
    const float rate = (float)(args->lr / (1 - pow(args->beta1, (double)args->t)));
    const float unbias = (float)(1 / sqrt(1 - pow(args->beta2, (double)args->t)));
    const float eps = (float)args->eps;
#pragma omp parallel for simd schedule(static) if (parallel : n > PARALLEL_FROM)
    for (int64_t i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + rest1 * g[i];
        v[i] = beta2 * v[i] + rest2 * g[i] * g[i];
        p[i] = keep * p[i] - rate * m[i] / (sqrtf(v[i]) * unbias + eps);
    }
}

static void plain_sgd(float *p, const float *g, int64_t n, float lr, float decay)
{
#pragma omp parallel for simd schedule(static) if (parallel : n > PARALLEL_FROM)
    for (int64_t i = 0; i < n; i++)
        p[i] -= lr * (g[i] + decay * p[i]);
}

void an_k_sgd(float *p, const float *g, float *buf, int64_t n, const an_sgd_args *args)
{
    const float lr = (float)args->lr, decay = (float)args->decay;
    if (!buf || args->momentum == 0) {
        plain_sgd(p, g, n, lr, decay);
        return;
    }
    const float momentum = (float)args->momentum;
    if (args->first)
        memset(buf, 0, (size_t)n * sizeof *buf);
    const float ahead = args->nesterov ? momentum : 1.0f, direct = args->nesterov ? 1.0f : 0.0f;
#pragma omp parallel for simd schedule(static) if (parallel : n > PARALLEL_FROM)
    for (int64_t i = 0; i < n; i++) {
        float d = g[i] + decay * p[i];
        buf[i] = momentum * buf[i] + d;
        p[i] -= lr * (direct * d + ahead * buf[i]);
    }
}

void an_k_ema(float *e, const float *p, double decay, int64_t n)
{
    const float keep = (float)decay, take = (float)(1 - decay);
#pragma omp parallel for simd schedule(static) if (parallel : n > PARALLEL_FROM)
    for (int64_t i = 0; i < n; i++)
        e[i] = keep * e[i] + take * p[i];
}

static double sum_squares_of(const float *g, int64_t n)
{
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t i = 0; i < n; i++)
        sum += (double)g[i] * g[i];
    return sum;
}

/* The parts depend on n alone, never on the threads. */
double an_k_sum_squares(const float *g, int64_t n)
{
    int64_t length = (n + PARTS - 1) / PARTS;
    if (length < SMALLEST_PART)
        length = SMALLEST_PART;
    double part[PARTS] = {0}, sum = 0;
#pragma omp parallel for schedule(static) if (n > PARALLEL_FROM)
    for (int64_t i = 0; i < PARTS; i++)
        if (i * length < n)
            part[i] = sum_squares_of(g + i * length,
                                     n - i * length < length ? n - i * length : length);
    for (int i = 0; i < PARTS; i++)
        sum += part[i];
    return sum;
}

void an_k_scale(float *g, double factor, int64_t n)
{
    const float by = (float)factor;
#pragma omp parallel for simd schedule(static) if (parallel : n > PARALLEL_FROM)
    for (int64_t i = 0; i < n; i++)
        g[i] *= by;
}
