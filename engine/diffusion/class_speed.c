/* class_speed: the coupling in which an image of class c diffuses ahead of or behind the base
 * schedule, by 2 ln λ_c in log-SNR. Declared in schedule.h and process.h. Step t of the tables
 * represents the continuous times (t−1, t]; the map between two classes' times is exact on these
 * intervals and rounds to a step only at the end. */
#include <math.h>
#include <stddef.h>

#include "base/assert.h"
#include "diffusion/process.h"

/* The log-SNR at a continuous time in (0, T]. */
static double log_snr_at(const an_schedule *s, double time)
{
    if (time <= 1) {
        const double noise = time * (1 - an_schedule_alpha_bar(s, 1)); /* 1 − ᾱ */
        return log1p(-noise) - log(noise);
    }
    const double step = ceil(time), left = step - time;
    const double late = an_schedule_log_snr(s, (int64_t)step);
    return late + left * (an_schedule_log_snr(s, (int64_t)step - 1) - late);
}

/* Its inverse: the continuous time at which the log-SNR is `level`; T if there is none. */
static double time_at(const an_schedule *s, double level)
{
    if (level >= an_schedule_log_snr(s, 1))
        return 1 / (1 + exp(level)) / (1 - an_schedule_alpha_bar(s, 1));
    const int64_t step = an_schedule_time_of(s, level);
    const double late = an_schedule_log_snr(s, step), early = an_schedule_log_snr(s, step - 1);
    if (level <= late) /* equal, or beyond T */
        return (double)step;
    return (double)step - (level - late) / (early - late);
}

void an_schedule_visits(const an_schedule *s, int64_t t, double *visits)
{
    const an_schedule_spec *about = an_schedule_about(s);
    const double *lambda = an_schedule_lambda(s);
    const int64_t T = about->beta.T;
    AN_ASSERT(t >= 1 && t <= T && visits);
    for (int64_t c = 0; c < about->K; c++) {
        const double shift = 2 * log(lambda[c]);
        visits[c] = 1;
        if (about->coupling != AN_COUPLE_CLASS_SPEED || lambda[c] == 1)
            continue;
        /* the base times whose moved time is at most t, less those at most t − 1 */
        const double last = t == T ? (double)T : time_at(s, an_schedule_log_snr(s, t) + shift);
        const double first = t == 1 ? 0 : time_at(s, an_schedule_log_snr(s, t - 1) + shift);
        visits[c] = last - first;
    }
}

static an_code check_row(const an_schedule *s, int64_t b, int64_t label, int64_t t, float within)
{
    const long long row = (long long)b + 1, K = an_schedule_about(s)->K;
    const long long T = an_schedule_about(s)->beta.T;
    if (label < 0 || label >= K)
        return an_fail(AN_EINVAL, "row %lld: label %lld is outside 0 … K − 1 = %lld", row,
                       (long long)label, K - 1);
    if (t < 1 || t > T)
        return an_fail(AN_EINVAL, "row %lld: t = %lld is outside 1 … T = %lld", row, (long long)t,
                       T);
    if (!(within >= 0 && within < 1))
        return an_fail(AN_EINVAL, "row %lld: within = %g is outside [0, 1)", row, (double)within);
    return AN_OK;
}

an_code an_times_of_labels(const an_schedule *s, int64_t B, const int64_t *labels, const int64_t *t,
                           const float *within, int64_t *out)
{
    AN_ASSERT(B == 0 || (labels && t && within && out));
    for (int64_t b = 0; b < B; b++) {
        const an_code code = check_row(s, b, labels[b], t[b], within[b]);
        if (code != AN_OK)
            return code;
        const double lambda = an_schedule_lambda(s)[labels[b]];
        if (lambda == 1) {
            out[b] = t[b];
            continue;
        }
        const double level = log_snr_at(s, (double)t[b] - within[b]) - 2 * log(lambda);
        out[b] = an_schedule_time_of(s, level);
    }
    return AN_OK;
}
