/* vote: one image at a time: a probability per chain, their mean, their spread. */
#include "diffusion/vote.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/order.h"

const char *const an_vote_names[] = {"distance", "plain", NULL};

/* The class probabilities p (K) of one chain's ŷ0 (K). */
static void chain(an_vote_kind kind, double temperature, int64_t K, const float *y0, double *p)
{
    double nearest = INFINITY, sum = 0;
    for (int64_t j = 0; j < K; j++)
        nearest = fmin(nearest, (y0[j] - 1.0) * (y0[j] - 1.0));
    for (int64_t j = 0; j < K; j++) {
        const double miss = (y0[j] - 1.0) * (y0[j] - 1.0);
        p[j] = kind == AN_VOTE_DISTANCE ? exp((nearest - miss) / temperature) : fmax(y0[j], 0);
        sum += p[j];
    }
    for (int64_t j = 0; j < K; j++)
        p[j] = sum > 0 ? p[j] / sum : 1.0 / (double)K;
}

/* Tilts p (K) ≥ 0 in place: multiplies each class by exp(κ), shifted so that the largest κ is 0 and
 * no factor overflows, and divides by the sum. If no element is above 0, p counts as uniform. */
static void tilt(int64_t K, const double *kappa, double *p)
{
    double largest = -INFINITY, mass = 0, sum = 0;
    for (int64_t j = 0; j < K; j++) {
        largest = fmax(largest, kappa[j]);
        mass += p[j];
    }
    for (int64_t j = 0; j < K; j++) {
        p[j] = (mass > 0 ? p[j] : 1) * exp(kappa[j] - largest);
        sum += p[j];
    }
    for (int64_t j = 0; j < K; j++)
        p[j] = sum > 0 ? p[j] / sum : 1.0 / (double)K; /* 0: every factor underflowed */
}

static an_code check_kappa(int64_t K, const double *kappa)
{
    for (int64_t j = 0; kappa && j < K; j++)
        if (!isfinite(kappa[j]))
            return an_fail(AN_EINVAL, "class %lld has the tilt %g: expected a finite number",
                           (long long)j + 1, kappa[j]);
    return AN_OK;
}

an_code an_tilt(int64_t B, int64_t K, const double *kappa, const float *x, float *out)
{
    AN_ASSERT(kappa && x && out);
    if (B < 1 || K < 1)
        return an_fail(AN_EINVAL, "%lld rows of %lld classes: each must be at least 1",
                       (long long)B, (long long)K);
    if (check_kappa(K, kappa) != AN_OK)
        return AN_EINVAL;
    double *p = an_alloc((size_t)K * sizeof *p);
    if (!p)
        return AN_ENOMEM;
    an_code code = AN_OK;
    for (int64_t b = 0; code == AN_OK && b < B; b++) {
        for (int64_t j = 0; j < K; j++) {
            p[j] = fmax(x[b * K + j], 0);
            if (!isfinite(x[b * K + j]))
                code = an_fail(AN_EINVAL, "row %lld: %g cannot be tilted: expected finite numbers",
                               (long long)b + 1, x[b * K + j]);
        }
        tilt(K, kappa, p);
        for (int64_t j = 0; j < K; j++)
            out[b * K + j] = (float)p[j];
    }
    an_free(p);
    return code;
}

static int64_t best(int64_t K, const double *p)
{
    int64_t winner = 0;
    for (int64_t j = 1; j < K; j++)
        winner = p[j] > p[winner] ? j : winner;
    return winner;
}

/* The quantile of sorted values, linear between neighbours. */
static double quantile(const double *sorted, int64_t n, double q)
{
    const double at = q * (double)(n - 1);
    const int64_t low = (int64_t)at, high = low + 1 < n ? low + 1 : low;
    return sorted[low] + (at - (double)low) * (sorted[high] - sorted[low]);
}

/* Tilts the image's mean, rounded as it would be stored, and its chains. */
static void tilt_image(int64_t R, int64_t K, const double *kappa, double *p, double *mean)
{
    for (int64_t j = 0; j < K; j++)
        mean[j] = (float)mean[j];
    tilt(K, kappa, mean);
    for (int64_t r = 0; r < R; r++)
        tilt(K, kappa, p + r * K);
}

/* One image from its chains' probabilities p (R,K), which a tilt changes; `mean` (K) and `sorted`
 * (R) are work space. */
static void image(int64_t R, int64_t K, const double *kappa, double *p, double *mean,
                  double *sorted, float *probability, float *width, float *agreement)
{
    for (int64_t j = 0; j < K; j++) {
        mean[j] = 0;
        for (int64_t r = 0; r < R; r++)
            mean[j] += p[r * K + j] / (double)R;
    }
    if (kappa)
        tilt_image(R, K, kappa, p, mean);
    for (int64_t j = 0; j < K; j++) {
        probability[j] = (float)mean[j];
        if (!width)
            continue;
        for (int64_t r = 0; r < R; r++)
            sorted[r] = p[r * K + j];
        qsort(sorted, (size_t)R, sizeof *sorted, an_lowest_first);
        width[j] = (float)(quantile(sorted, R, 0.975) - quantile(sorted, R, 0.025));
    }
    int64_t same = 0;
    for (int64_t r = 0; agreement && r < R; r++)
        same += best(K, p + r * K) == best(K, mean);
    if (agreement)
        *agreement = (float)((double)same / (double)R);
}

static an_code check(double temperature, int64_t B, int64_t R, int64_t K, const float *y0)
{
    if (B < 1 || R < 1 || K < 1)
        return an_fail(AN_EINVAL,
                       "%lld images of %lld chains over %lld classes: each must be at "
                       "least 1",
                       (long long)B, (long long)R, (long long)K);
    if (!(isfinite(temperature) && temperature > 0))
        return an_fail(AN_EINVAL, "temperature = %g: expected a finite number above 0",
                       temperature);
    for (int64_t i = 0; i < B * R * K; i++)
        if (!isfinite(y0[i]))
            return an_fail(AN_EINVAL,
                           "row %lld: the chain ended at %g, not at a number; lower "
                           "the learning rate or clip the estimates",
                           (long long)(i / K) + 1, y0[i]);
    return AN_OK;
}

an_code an_vote(an_vote_kind kind, double temperature, const double *kappa, int64_t B, int64_t R,
                int64_t K, const float *y0, float *probability, float *width, float *agreement)
{
    AN_ASSERT(kind <= AN_VOTE_PLAIN && y0 && probability);
    an_code code = check(temperature, B, R, K, y0);
    if (code == AN_OK)
        code = check_kappa(K, kappa);
    if (code != AN_OK)
        return code;
    double *scratch = an_alloc((size_t)(R * K + K + R) * sizeof *scratch);
    if (!scratch)
        return AN_ENOMEM;
    for (int64_t b = 0; b < B; b++) {
        for (int64_t r = 0; r < R; r++)
            chain(kind, temperature, K, y0 + (b * R + r) * K, scratch + r * K);
        image(R, K, kappa, scratch, scratch + R * K, scratch + R * K + K, probability + b * K,
              width ? width + b * K : NULL, agreement ? agreement + b : NULL);
    }
    an_free(scratch);
    return AN_OK;
}
