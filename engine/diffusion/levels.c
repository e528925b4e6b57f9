/* levels: the noise levels of rows, from an image's class or from its prior. */
#include <math.h>

#include "base/assert.h"
#include "diffusion/process.h"

an_code an_levels_of_labels(const an_schedule *s, int64_t B, const int64_t *labels, float *level)
{
    AN_ASSERT(B == 0 || (labels && level));
    const int64_t K = an_schedule_about(s)->K;
    for (int64_t b = 0; b < B; b++) {
        if (labels[b] < 0 || labels[b] >= K)
            return an_fail(AN_EINVAL, "row %lld: label %lld is outside 0 … K − 1 = %lld",
                           (long long)b + 1, (long long)labels[b], (long long)K - 1);
        level[b] = (float)an_schedule_lambda(s)[labels[b]];
    }
    return AN_OK;
}

void an_levels_of_priors(const an_schedule *s, int64_t B, const float *m, float *level)
{
    AN_ASSERT(B == 0 || (m && level));
    const int64_t K = an_schedule_about(s)->K;
    const double *lambda = an_schedule_lambda(s);
    for (int64_t b = 0; b < B; b++) {
        double sum = 0, mass = 0, plain = 0;
        for (int64_t j = 0; j < K; j++) {
            sum += m[b * K + j] * lambda[j];
            mass += m[b * K + j];
            plain += lambda[j];
        }
        level[b] = (float)(mass > 0 && sum > 0 ? sum / mass : plain / (double)K);
    }
}

/* A prior without mass counts as uniform, m = 1/K. */
static void levels_of_row(const an_schedule_spec *about, const float *m, double floor, float *level)
{
    const int64_t K = about->K;
    double mass = 0, sum = 0;
    for (int64_t j = 0; j < K; j++)
        mass += m[j];
    for (int64_t j = 0; j < K; j++) {
        const double share = mass > 0 ? fmin(fmax(m[j] / mass, 0), 1) : 1 / (double)K;
        const double least = floor / sqrt((double)about->counts[j]);
        const double own = about->lambda[j] * sqrt(share * (1 - share) + least);
        level[j] = (float)own;
        sum += own;
    }
    for (int64_t j = 0; j < K; j++)
        level[j] = (float)(level[j] * (double)K / sum);
}

an_code an_levels_of_uncertainty(const an_schedule *s, int64_t B, const float *m, double floor,
                                 float *level)
{
    AN_ASSERT(B == 0 || (m && level));
    const an_schedule_spec *about = an_schedule_about(s);
    if (!(isfinite(floor) && floor > 0))
        return an_fail(AN_EINVAL, "floor = %g: expected a finite number above 0", floor);
    for (int64_t j = 0; j < about->K; j++)
        if (!about->counts || about->counts[j] < 1)
            return an_fail(AN_EINVAL,
                           "class %lld: the levels of an image need its training images, counts of "
                           "at least 1",
                           (long long)j + 1);
    for (int64_t b = 0; b < B; b++)
        levels_of_row(about, m + b * about->K, floor, level + b * about->K);
    return AN_OK;
}
