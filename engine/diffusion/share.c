/* share: the Monte Carlo estimate of the image-needed share. Draw i has the time of stratum i and
 * its own normal vector ε; all classes use both. */
#include "diffusion/share.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/par.h"
#include "base/rng.h"

enum { CHUNK = 256 }; /* draws whose sums one thread keeps */

typedef struct {
    const an_schedule *s;
    const double *log_prior; /* (K) ln π_k, −∞ for a class without images          */
    const double *log_level; /* (K) ln λ_k                                          */
    double *work;            /* (chunks, work_size(K))                              */
    double *needed;          /* (draws, K) 1 − q_c, times the visits in class_speed */
    float *epsilon;          /* (chunks, K) one draw                                */
    int64_t draws, K, T;
    uint64_t seed, stream;
} estimate;

/* The visits (K) and the arrays of same_noise(). */
static int64_t work_size(int64_t K)
{
    return 4 * K + 1;
}

static int64_t time_of(const estimate *e, int64_t draw)
{
    return 1 + (int64_t)(((double)draw + 0.5) * (double)e->T / (double)e->draws);
}

/* Couplings in which every class has the same noise. Against the density without a label, y_t has
 * the log-likelihood r_k ε_k − r_k²/2 under class k ≠ c, r = a/s, and r_c ε_c + r_c²/2 under its
 * own class c. All but the own class's are the same for every c: sums from the left and from the
 * right give the mass of the others without the cancellation of a difference. */
static void same_noise(const estimate *e, int64_t t, const float *epsilon, const double *visits,
                       double *work, double *needed)
{
    const double *a = an_schedule_signal(e->s, t), *noise = an_schedule_noise(e->s, t);
    const int64_t K = e->K;
    double *other = work, *own = work + K, *right = work + 2 * K; /* right has K + 1 values */
    double most = -INFINITY;
    for (int64_t k = 0; k < K; k++) {
        const double r = a[k] / noise[k], prior = e->log_prior[k] + log(fmax(visits[k], 0));
        other[k] = prior + r * (epsilon[k] - r / 2);
        own[k] = prior + r * (epsilon[k] + r / 2);
        most = fmax(most, other[k]);
    }
    if (most == -INFINITY) { /* a step without images of any class */
        memset(needed, 0, (size_t)K * sizeof *needed);
        return;
    }
    right[K] = 0;
    for (int64_t k = K - 1; k >= 0; k--)
        right[k] = right[k + 1] + exp(other[k] - most);
    double left = 0;
    for (int64_t k = 0; k < K; k++) {
        const double others = left + right[k + 1];
        const double odds = exp(own[k] - most) / others;
        needed[k] = others > 0 ? visits[k] / (1 + odds) : 0;
        left += exp(other[k] - most);
    }
}

/* Coupling `sample`: an image of class c is at level λ_c, and likewise hypothesis k at λ_k:
 * ln p(y|k) = −K ln λ_k − |r (e_c − e_k) + λ_c ε|² / (2 λ_k²), r = a/s of λ = 1. */
static void own_noise(const estimate *e, int64_t t, const float *epsilon, double *needed)
{
    const double *lambda = an_schedule_lambda(e->s);
    const double r = an_schedule_signal(e->s, t)[0] / an_schedule_noise(e->s, t)[0];
    const int64_t K = e->K;
    double square = 0;
    for (int64_t k = 0; k < K; k++)
        square += (double)epsilon[k] * epsilon[k];
    for (int64_t c = 0; c < K; c++) {
        const double own = e->log_prior[c] - (double)K * e->log_level[c] - square / 2;
        const double length = lambda[c] * lambda[c] * square;
        double odds = 0; /* of the other classes against c */
        for (int64_t k = 0; k < K; k++) {
            if (k == c)
                continue;
            const double apart = r * lambda[c] * ((double)epsilon[c] - epsilon[k]);
            const double distance = 2 * (r * r + apart) + length;
            const double level = e->log_prior[k] - (double)K * e->log_level[k];
            odds += exp(level - distance / (2 * lambda[k] * lambda[k]) - own);
        }
        needed[c] = isfinite(odds) ? odds / (1 + odds) : 1;
    }
}

static void some_draws(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const estimate *e = context;
    const int64_t K = e->K;
    const bool of_images = an_schedule_about(e->s)->coupling == AN_COUPLE_SAMPLE;
    double *visits = e->work + chunk * work_size(K), *rest = visits + K;
    float *epsilon = e->epsilon + chunk * K;
    for (int64_t i = lo; i < hi; i++) {
        const int64_t t = time_of(e, i);
        an_fill_normal(epsilon, K, e->seed, e->stream, (uint64_t)(i * K));
        if (of_images) {
            own_noise(e, t, epsilon, e->needed + i * K);
            continue;
        }
        if (i == lo || t != time_of(e, i - 1))
            an_schedule_visits(e->s, t, visits);
        same_noise(e, t, epsilon, visits, rest, e->needed + i * K);
    }
}

/* Means and standard errors of the draws, the mean over classes last. */
static void summarise(const estimate *e, an_share *out)
{
    const int64_t K = e->K;
    const double draws = (double)e->draws;
    memset(out->share, 0, (size_t)(K + 1) * sizeof *out->share);
    memset(out->error, 0, (size_t)(K + 1) * sizeof *out->error);
    memset(out->curve, 0, (size_t)(out->bins * K) * sizeof *out->curve);
    for (int64_t i = 0; i < e->draws; i++) {
        const double *row = e->needed + i * K, *before = i > 0 ? row - K : row;
        double difference = 0;
        const int64_t bin = (time_of(e, i) * out->bins - 1) / e->T;
        for (int64_t c = 0; c < K; c++) {
            out->share[c] += row[c] / draws;
            out->share[K] += row[c] / draws / (double)K;
            out->error[c] += (row[c] - before[c]) * (row[c] - before[c]);
            difference += (row[c] - before[c]) / (double)K;
            out->curve[bin * K + c] += row[c];
        }
        out->error[K] += difference * difference;
    }
    for (int64_t c = 0; c <= K; c++)
        out->error[c] = sqrt(out->error[c] / 2 / (draws - 1) / draws);
    for (int64_t i = 0, bin = 0, first = 0; i < e->draws; i++) {
        const bool last = i + 1 == e->draws || (time_of(e, i + 1) * out->bins - 1) / e->T != bin;
        for (int64_t c = 0; last && c < K; c++)
            out->curve[bin * K + c] /= (double)(i + 1 - first);
        first = last ? i + 1 : first;
        bin += last;
    }
}

static void fill_logs(const an_schedule_spec *about, double *log_prior, double *log_level)
{
    double images = 0;
    for (int64_t k = 0; about->counts && k < about->K; k++)
        images += (double)about->counts[k];
    for (int64_t k = 0; k < about->K; k++) {
        log_prior[k] = images > 0 ? log((double)about->counts[k] / images) : -log((double)about->K);
        log_level[k] = log(about->lambda[k]);
    }
}

an_code an_schedule_share(const an_schedule *s, int64_t draws, uint64_t seed, an_share *out)
{
    const an_schedule_spec *about = an_schedule_about(s);
    const int64_t K = about->K, T = about->beta.T, chunks = an_chunks(draws, CHUNK);
    AN_ASSERT(draws >= 2 && out && out->bins >= 1 && out->bins <= T && out->bins <= draws);
    double *needed = an_alloc((size_t)(draws * K) * sizeof *needed);
    double *work = an_alloc((size_t)(chunks * work_size(K) + 2 * K) * sizeof *work);
    float *epsilon = an_alloc((size_t)(chunks * K) * sizeof *epsilon);
    const bool complete = needed && work && epsilon;
    if (complete) {
        double *logs = work + chunks * work_size(K);
        fill_logs(about, logs, logs + K);
        estimate e = {
            s, logs, logs + K, work, needed, epsilon, draws, K, T, seed, an_stream("share", 0, 0)};
        an_par_for(draws, CHUNK, some_draws, &e);
        summarise(&e, out);
    }
    an_free(epsilon);
    an_free(work);
    an_free(needed);
    return complete ? AN_OK : AN_ENOMEM; /* an_alloc recorded the failure */
}
