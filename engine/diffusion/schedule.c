/* schedule: combines ᾱ (beta.c) and the levels λ_j into the tables a and s. */
#include "diffusion/schedule.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"

const char *const an_coupling_names[] = {"variance",    "speed", "sample",
                                         "class_speed", "image", NULL};

struct an_schedule {
    an_schedule_spec about;
    int64_t *counts;   /* (K) or NULL   */
    double *lambda;    /* (K)           */
    double *alpha_bar; /* (T+1)         */
    double *signal;    /* (T+1, K)      */
    double *noise;     /* (T+1, K)      */
};

/* The smallest ᾱ^λ; its root is the smallest signal, see the header. */
static const double SIGNAL_SQUARED_MIN = 1e-20;
/* Outside these a noise level or its square leaves the range of a float. */
static const double NOISE_MIN = 1e-15, NOISE_MAX = 1e15;

static void *copy_of(const void *from, size_t bytes)
{
    void *to = an_alloc(bytes);
    if (to)
        memcpy(to, from, bytes);
    return to;
}

static an_code allocate(an_schedule *s, const an_schedule_spec *spec)
{
    const size_t K = (size_t)spec->K, rows = (size_t)spec->beta.T + 1;
    if (K > SIZE_MAX / sizeof(double) / rows)
        return an_fail(AN_ENOMEM, "a schedule of %zu × %zu does not fit in memory", rows, K);
    s->lambda = copy_of(spec->lambda, K * sizeof(double));
    s->alpha_bar = an_alloc(rows * sizeof(double));
    s->signal = an_alloc(rows * K * sizeof(double));
    s->noise = an_alloc(rows * K * sizeof(double));
    if (spec->counts)
        s->counts = copy_of(spec->counts, K * sizeof(int64_t));
    const bool complete =
        s->lambda && s->alpha_bar && s->signal && s->noise && !spec->counts == !s->counts;
    s->about = *spec;
    s->about.counts = s->counts;
    s->about.lambda = s->lambda;
    return complete ? AN_OK : AN_ENOMEM; /* an_alloc recorded the failure */
}

/* One coordinate at one time. λ = 1 changes no operand: x^1 and 1·x are exact. */
static void coefficients(an_coupling coupling, double alpha_bar, double lambda, double *a,
                         double *s)
{
    const double exponent = coupling == AN_COUPLE_SPEED ? lambda : 1;
    const double level = coupling == AN_COUPLE_VARIANCE ? lambda : 1;
    const double squared = fmax(pow(alpha_bar, exponent), SIGNAL_SQUARED_MIN);
    *a = sqrt(squared);
    *s = level * sqrt(1 - squared);
}

static an_code tabulate(an_schedule *s)
{
    const int64_t K = s->about.K, T = s->about.beta.T;
    for (int64_t t = 0; t <= T; t++)
        for (int64_t j = 0; j < K; j++)
            coefficients(s->about.coupling, s->alpha_bar[t], s->lambda[j], &s->signal[t * K + j],
                         &s->noise[t * K + j]);
    for (int64_t j = 0; j < K; j++)
        if (s->noise[K + j] < NOISE_MIN || s->noise[T * K + j] > NOISE_MAX)
            return an_fail(AN_EINVAL,
                           "class %lld: lambda[%lld] = %g gives noise from %g to %g; "
                           "clip the levels with lambda.min and lambda.max",
                           (long long)j + 1, (long long)j + 1, s->lambda[j], s->noise[K + j],
                           s->noise[T * K + j]);
    return AN_OK;
}

static an_code check(const an_schedule_spec *spec)
{
    if (spec->K < 1)
        return an_fail(AN_EINVAL, "K = %lld classes: expected at least 1", (long long)spec->K);
    if (spec->beta.T < 1 || spec->beta.T > AN_STEPS_MAX)
        return an_fail(AN_EINVAL, "T = %lld diffusion steps: expected 1 … %d",
                       (long long)spec->beta.T, AN_STEPS_MAX);
    for (int64_t j = 0; j < spec->K; j++)
        if (!(isfinite(spec->lambda[j]) && spec->lambda[j] > 0))
            return an_fail(AN_EINVAL,
                           "class %lld has lambda[%lld] = %g: a noise level must be "
                           "finite and above 0",
                           (long long)j + 1, (long long)j + 1, spec->lambda[j]);
    for (int64_t j = 0; spec->counts && j < spec->K; j++)
        if (spec->counts[j] < 0)
            return an_fail(AN_EINVAL,
                           "class %lld has counts[%lld] = %lld: a count cannot be "
                           "negative",
                           (long long)j + 1, (long long)j + 1, (long long)spec->counts[j]);
    return AN_OK;
}

an_schedule *an_schedule_new(const an_schedule_spec *spec)
{
    AN_ASSERT(spec && (spec->K < 1 || spec->lambda));
    if (check(spec) != AN_OK)
        return NULL;
    an_schedule *s = an_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    an_code code = allocate(s, spec);
    if (code == AN_OK)
        code = an_alpha_bar(&spec->beta, s->alpha_bar);
    if (code == AN_OK)
        code = tabulate(s);
    if (code != AN_OK) {
        an_schedule_free(s);
        return NULL;
    }
    return s;
}

void an_schedule_free(an_schedule *s)
{
    if (!s)
        return;
    an_free(s->counts);
    an_free(s->lambda);
    an_free(s->alpha_bar);
    an_free(s->signal);
    an_free(s->noise);
    an_free(s);
}

const an_schedule_spec *an_schedule_about(const an_schedule *s)
{
    return &s->about;
}

const double *an_schedule_lambda(const an_schedule *s)
{
    return s->lambda;
}

double an_schedule_alpha_bar(const an_schedule *s, int64_t t)
{
    AN_ASSERT(t >= 0 && t <= s->about.beta.T);
    return s->alpha_bar[t];
}

double an_schedule_log_snr(const an_schedule *s, int64_t t)
{
    const double alpha_bar = fmax(an_schedule_alpha_bar(s, t), 1e-300);
    return log(alpha_bar) - log1p(-alpha_bar);
}

const double *an_schedule_signal(const an_schedule *s, int64_t t)
{
    AN_ASSERT(t >= 0 && t <= s->about.beta.T);
    return s->signal + t * s->about.K;
}

const double *an_schedule_noise(const an_schedule *s, int64_t t)
{
    AN_ASSERT(t >= 0 && t <= s->about.beta.T);
    return s->noise + t * s->about.K;
}
