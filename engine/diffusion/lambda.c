/* lambda: policy → normalise and clip together → check. The scale that satisfies both is
 * found by bisection, because the budget of clip(scale·raw) never falls as scale grows. */
#include "diffusion/lambda.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

const char *const an_lambda_names[] = {"isotropic", "power", "bound", "effective", "manual", NULL};
const char *const an_normalise_names[] = {"mean", "geometric", "prior", "max", "none", NULL};

an_lambda_spec an_lambda_default(an_lambda_policy policy)
{
    return (an_lambda_spec){.policy = policy,
                            .gamma = 0.25,
                            .beta = 0.999,
                            .bound = {.A = 1, .Dn = 1, .p = 1, .q = 1},
                            .normalise = AN_NORMALISE_MEAN,
                            .min = 0,
                            .max = INFINITY};
}

/* ── checks ─────────────────────────────────────────────────────────────────────── */

static bool positive(double x)
{
    return isfinite(x) && x > 0;
}

static an_code check_counts(int64_t K, const int64_t *counts, const char *who)
{
    if (!counts)
        return an_fail(AN_EINVAL, "%s needs the training images per class: give counts", who);
    for (int64_t j = 0; j < K; j++)
        if (counts[j] < 1)
            return an_fail(AN_EINVAL,
                           "class %lld has counts[%lld] = %lld: %s needs at least one "
                           "image of each class (merge or drop the class, or use lambda = "
                           "\"isotropic\" or \"manual\")",
                           (long long)j + 1, (long long)j + 1, (long long)counts[j], who);
    return AN_OK;
}

static an_code check_levels(int64_t K, const double *lambda)
{
    for (int64_t j = 0; j < K; j++)
        if (!positive(lambda[j]))
            return an_fail(AN_EINVAL,
                           "class %lld has lambda[%lld] = %g: a noise level must be "
                           "finite and above 0",
                           (long long)j + 1, (long long)j + 1, lambda[j]);
    return AN_OK;
}

static an_code check_bound(const an_bound_spec *b)
{
    if (positive(b->A) && positive(b->Dn) && positive(b->p) && positive(b->q))
        return AN_OK;
    return an_fail(AN_EINVAL,
                   "bound with A = %g, Dn = %g, p = %g, q = %g: all four must be "
                   "finite and above 0",
                   b->A, b->Dn, b->p, b->q);
}

static an_code check(const an_lambda_spec *spec, int64_t K, const int64_t *counts)
{
    if (K < 1)
        return an_fail(AN_EINVAL, "K = %lld classes: expected at least 1", (long long)K);
    if (!isfinite(spec->gamma))
        return an_fail(AN_EINVAL, "lambda.gamma = %g: expected a finite number", spec->gamma);
    if (!(spec->beta >= 0 && spec->beta < 1))
        return an_fail(AN_EINVAL, "lambda.beta = %g: expected a number in [0, 1)", spec->beta);
    if (!(spec->min >= 0 && spec->min <= spec->max && spec->max > 0))
        return an_fail(AN_EINVAL, "lambda.min = %g, lambda.max = %g: expected 0 <= min <= max",
                       spec->min, spec->max);
    if (spec->normalise != AN_NORMALISE_NONE && !(spec->min <= 1 && spec->max >= 1))
        return an_fail(AN_EINVAL,
                       "lambda.min = %g, lambda.max = %g: normalised levels need "
                       "min <= 1 <= max (or normalise = \"none\")",
                       spec->min, spec->max);
    if (spec->policy == AN_LAMBDA_MANUAL)
        return spec->manual ? check_levels(K, spec->manual)
                            : an_fail(AN_EINVAL, "lambda = \"manual\" needs one level per class");
    if (spec->policy != AN_LAMBDA_ISOTROPIC) {
        const an_code code = check_counts(K, counts, an_lambda_names[spec->policy]);
        if (code != AN_OK)
            return code;
    }
    return check_bound(&spec->bound);
}

/* ── policies ───────────────────────────────────────────────────────────────────── */

static double raw_level(const an_lambda_spec *spec, double n, double manual)
{
    const an_bound_spec *b = &spec->bound;
    switch (spec->policy) {
    case AN_LAMBDA_ISOTROPIC:
        return 1;
    case AN_LAMBDA_POWER:
        return pow(n, -spec->gamma);
    case AN_LAMBDA_BOUND: /* dE/dλ = 0 */
        return pow(b->p * b->A / (b->q * b->Dn * sqrt(n)), 1 / (b->p + b->q));
    case AN_LAMBDA_EFFECTIVE: /* expm1 keeps beta → 1 accurate, where it tends to 1/√n */
        return sqrt((1 - spec->beta) / -expm1(n * log(spec->beta)));
    case AN_LAMBDA_MANUAL:
        return manual;
    }
    return NAN;
}

/* ── normalisation and clipping ─────────────────────────────────────────────────── */

static double clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

/* The budget of clip(scale·raw): exactly 1 for levels that are all exactly 1. */
static double budget(const an_lambda_spec *spec, int64_t K, const int64_t *counts,
                     const double *raw, double scale, double low, double high)
{
    double sum = 0, weight = 0, largest = 0;
    for (int64_t j = 0; j < K; j++) {
        const double x = clip(scale * raw[j], low, high);
        const double n = spec->normalise == AN_NORMALISE_PRIOR ? (double)counts[j] : 1;
        sum += n * (spec->normalise == AN_NORMALISE_GEOMETRIC ? log(x) : x);
        weight += n;
        largest = fmax(largest, x);
    }
    if (spec->normalise == AN_NORMALISE_MAX)
        return largest;
    return spec->normalise == AN_NORMALISE_GEOMETRIC ? exp(sum / weight) : sum / weight;
}

static double find_scale(const an_lambda_spec *spec, int64_t K, const int64_t *counts,
                         const double *raw)
{
    const double free_scale = 1 / budget(spec, K, counts, raw, 1, 0, INFINITY);
    bool touches = false;
    for (int64_t j = 0; j < K; j++)
        touches |= free_scale * raw[j] < spec->min || free_scale * raw[j] > spec->max;
    if (!touches)
        return free_scale;
    double low = free_scale, high = free_scale;
    for (int i = 0; i < 1024 && budget(spec, K, counts, raw, low, spec->min, spec->max) > 1; i++)
        low /= 2;
    for (int i = 0; i < 1024 && budget(spec, K, counts, raw, high, spec->min, spec->max) < 1; i++)
        high *= 2;
    for (int i = 0; i < 200; i++) {
        const double middle = low + (high - low) / 2;
        if (budget(spec, K, counts, raw, middle, spec->min, spec->max) < 1)
            low = middle;
        else
            high = middle;
    }
    return high;
}

an_code an_lambda(const an_lambda_spec *spec, int64_t K, const int64_t *counts, double *lambda)
{
    an_code code = check(spec, K, counts);
    if (code == AN_OK && spec->normalise == AN_NORMALISE_PRIOR)
        code = check_counts(K, counts, "normalise = \"prior\"");
    if (code != AN_OK)
        return code;
    for (int64_t j = 0; j < K; j++)
        lambda[j] =
            raw_level(spec, counts ? (double)counts[j] : 1, spec->manual ? spec->manual[j] : NAN);
    code = check_levels(K, lambda);
    if (code != AN_OK)
        return code;
    const double scale =
        spec->normalise == AN_NORMALISE_NONE ? 1 : find_scale(spec, K, counts, lambda);
    for (int64_t j = 0; j < K; j++)
        lambda[j] = clip(scale * lambda[j], spec->min, spec->max);
    return check_levels(K, lambda);
}

/* ── the bound ──────────────────────────────────────────────────────────────────── */

an_code an_bound(const an_bound_spec *spec, int64_t K, const int64_t *counts, const double *lambda,
                 double *value, double *generalisation, double *denoising)
{
    an_code code = check_bound(spec);
    if (code == AN_OK)
        code = check_counts(K, counts, "the bound");
    if (code == AN_OK)
        code = check_levels(K, lambda);
    if (code != AN_OK)
        return code;
    double sum = 0;
    for (int64_t j = 0; j < K; j++) {
        const double g = spec->A / (pow(lambda[j], spec->p) * sqrt((double)counts[j]));
        const double d = spec->Dn * pow(lambda[j], spec->q);
        sum += g + d;
        if (generalisation)
            generalisation[j] = g;
        if (denoising)
            denoising[j] = d;
    }
    if (value)
        *value = sum / (double)K;
    return AN_OK;
}
