/* beta: one function gives β_t for every kind; ᾱ is its running product in double. */
#include "diffusion/beta.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"

const char *const an_beta_names[] = {"linear",  "scaled_linear", "quadratic", "cosine",
                                     "sigmoid", "constant",      NULL};

static const double PI = 3.14159265358979323846;

an_beta_spec an_beta_default(an_beta_kind kind, int64_t T)
{
    const double ratio = 1000.0 / (T < 1 ? 1.0 : (double)T);
    an_beta_spec spec = {.kind = kind,
                         .T = T,
                         .start = 1e-4,
                         .end = 0.02,
                         .offset = AN_OFFSET_DEFAULT,
                         .max = AN_BETA_MAX_DEFAULT};
    if (kind == AN_BETA_SCALED_LINEAR) {
        spec.start = 8.5e-4;
        spec.end = 0.012;
    }
    spec.start = fmin(spec.start * ratio, spec.max);
    spec.end = fmin(spec.end * ratio, spec.max);
    return spec;
}

static bool inside(double x, double low, double high)
{
    return x > low && x < high; /* false for NaN */
}

static an_code check(const an_beta_spec *spec)
{
    if (spec->T < 1 || spec->T > AN_STEPS_MAX)
        return an_fail(AN_EINVAL, "T = %lld diffusion steps: expected 1 … %d", (long long)spec->T,
                       AN_STEPS_MAX);
    if (spec->kind < AN_BETA_LINEAR || spec->kind > AN_BETA_CONSTANT)
        return an_fail(AN_EINVAL, "unknown base schedule number %d", (int)spec->kind);
    if (!inside(spec->start, 0, 1))
        return an_fail(AN_EINVAL, "beta_start = %g: expected a number in (0, 1)", spec->start);
    if (!inside(spec->end, 0, 1))
        return an_fail(AN_EINVAL, "beta_end = %g: expected a number in (0, 1)", spec->end);
    if (!(spec->offset >= 0 && spec->offset < 1))
        return an_fail(AN_EINVAL, "offset = %g: expected a number in [0, 1)", spec->offset);
    if (!inside(spec->max, 0, 1))
        return an_fail(AN_EINVAL, "beta_max = %g: expected a number in (0, 1)", spec->max);
    return AN_OK;
}

static double cosine_level(const an_beta_spec *spec, int64_t t)
{
    const double x = ((double)t / (double)spec->T + spec->offset) / (1 + spec->offset);
    const double c = cos(x * PI / 2);
    return c * c;
}

static double beta_at(const an_beta_spec *spec, int64_t t)
{
    const double b0 = spec->start, b1 = spec->end;
    const double f = spec->T == 1 ? 1 : (double)(t - 1) / (double)(spec->T - 1);
    switch (spec->kind) {
    case AN_BETA_LINEAR:
        return b0 + f * (b1 - b0);
    case AN_BETA_SCALED_LINEAR:
    case AN_BETA_QUADRATIC: {
        const double root = sqrt(b0) + f * (sqrt(b1) - sqrt(b0));
        return root * root;
    }
    case AN_BETA_COSINE:
        return 1 - cosine_level(spec, t) / cosine_level(spec, t - 1);
    case AN_BETA_SIGMOID:
        return b0 + (b1 - b0) / (1 + exp(6 - 12 * f));
    case AN_BETA_CONSTANT:
        return b1;
    }
    return b1;
}

an_code an_alpha_bar(const an_beta_spec *spec, double *alpha_bar)
{
    AN_ASSERT(alpha_bar);
    const an_code code = check(spec);
    if (code != AN_OK)
        return code;
    alpha_bar[0] = 1;
    for (int64_t t = 1; t <= spec->T; t++)
        alpha_bar[t] = alpha_bar[t - 1] * (1 - fmin(beta_at(spec, t), spec->max));
    return AN_OK;
}
