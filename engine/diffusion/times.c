/* times: which S of the T steps a shorter chain visits. A chain always starts at T, where y_T is
 * drawn, and ends at 0. Declared in schedule.h. O(S log T). */
#include <math.h>
#include <stddef.h>

#include "base/assert.h"
#include "diffusion/schedule.h"

const char *const an_spacing_names[] = {"uniform", "quadratic", "logsnr", NULL};

int64_t an_schedule_time_of(const an_schedule *s, double level)
{
    /* the log-SNR falls as t grows */
    int64_t low = 1, high = an_schedule_about(s)->beta.T;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (an_schedule_log_snr(s, middle) <= level)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* The i-th time by its formula, before duplicates are separated. */
static int64_t spaced(const an_schedule *s, int64_t S, an_spacing spacing, int64_t i)
{
    const int64_t T = an_schedule_about(s)->beta.T;
    const double left = (double)(S - i) / (double)S;
    if (spacing == AN_SPACING_QUADRATIC)
        return (int64_t)floor((double)T * left * left + 0.5);
    if (spacing == AN_SPACING_LOGSNR && S > 1) {
        const double from = an_schedule_log_snr(s, T), to = an_schedule_log_snr(s, 1);
        return an_schedule_time_of(s, from + (to - from) * (double)i / (double)(S - 1));
    }
    return (T * (S - i) + S / 2) / S;
}

an_code an_times(const an_schedule *s, int64_t S, an_spacing spacing, int64_t *times)
{
    AN_ASSERT(spacing <= AN_SPACING_LOGSNR && times);
    const int64_t T = an_schedule_about(s)->beta.T;
    if (S < 1 || S > T)
        return an_fail(AN_EINVAL, "%lld sampling steps: expected 1 … T = %lld", (long long)S,
                       (long long)T);
    times[S] = 0;
    for (int64_t i = S - 1; i >= 0; i--) {
        /* At most T−i, so that the i earlier times fit; above the later time. */
        const int64_t exact = spaced(s, S, spacing, i), most = T - i, least = times[i + 1] + 1;
        const int64_t fits = exact < most ? exact : most;
        times[i] = fits > least ? fits : least;
    }
    times[0] = T;
    return AN_OK;
}
