/* process: the steps between two times of METHOD §1–2, row by row, without network or gradient. The
 * formulas of one time (y_t, the target, ẑ0 and ε̂) are in kernel/pointwise/diffusion.h.
 *
 * Every array is (B,K) row-major float unless stated otherwise; rows may be at different
 * times. Coefficients are computed in double from the schedule's tables. An output may be
 * an input of the same call. Arrays not marked [opt] are required. Every an_code is AN_OK or
 * AN_EINVAL naming the row (from 1).
 * O(B·K), parallel over rows, same bits at any thread count. */
#ifndef AN_DIFFUSION_PROCESS_H
#define AN_DIFFUSION_PROCESS_H

#include "diffusion/schedule.h"
#include "kernel/pointwise/diffusion.h"

typedef struct {
    const an_schedule *schedule;
    int64_t B;
    const int64_t *t;   /* (B) times in 0 … T                                            */
    const int64_t *u;   /* (B) earlier times in 0 … t−1; NULL if only t is used          */
    const float *level; /* (B) λ of each row, finite, > 0. Coupling `sample`: multiplies s,
                           required. `image`: the same, (B,K). `class_speed`: the row is at the
                           signal and noise of its own time, a/r and λ s/r with
                           r² = a² + λ² s², ln(a/s) less by ln λ; NULL in a reverse chain.
                           Refused by the others.                                        */
} an_rows;

/* Levels (B) for coupling `sample`: λ_c of the labels, or λ(x) = Σ_j m_j λ_j / Σ_j m_j of the
 * priors m; a prior without mass counts as uniform. Defined for every coupling. */
an_code an_levels_of_labels(const an_schedule *s, int64_t B, const int64_t *labels, float *level);
void an_levels_of_priors(const an_schedule *s, int64_t B, const float *m, float *level);

/* Levels (B,K) for coupling `image`, with mean 1 over the classes of each image:
 * λ_j(x) ∝ λ_j √(m_j (1 − m_j) + c n_j^(−½)) with c = floor > 0, the prior's own uncertainty about
 * the class (in the spirit of NsDiff, 2505.04278). A row of m without mass counts as uniform.
 * AN_EINVAL: a floor that is not a finite number above 0, a class without training images. */
an_code an_levels_of_uncertainty(const an_schedule *s, int64_t B, const float *m, double floor,
                                 float *level);

/* The step t′ in 1 … T that an image of class labels[b] has reached at time t[b] in coupling
 * `class_speed` (schedule.h), both (B); defined for every coupling. The continuous time is t[b] −
 * within[b], within (B) in [0, 1). Drawn uniformly, `within` makes the share of a class's images at
 * each step exactly an_schedule_visits(), so that rounding does not reveal the class. λ_c = 1
 * leaves t as it is. AN_EINVAL: a label outside 0 … K − 1, a time outside 1 … T, a `within` outside
 * [0, 1). */
an_code an_times_of_labels(const an_schedule *s, int64_t B, const int64_t *labels, const int64_t *t,
                           const float *within, int64_t *out);

/* out[b][j] = a or s at (t_b, j), with the row's level. */
typedef enum { AN_SIGNAL, AN_NOISE } an_coefficient;
an_code an_gather(const an_rows *rows, an_coefficient which, float *out);

/* One step of the Markov chain from u to t > u: y_t = m + c (y_u − m) + τ ε with c = a_t/a_u and
 * τ² = s_t² − c² s_u². From y0 to any t in one draw: an_noised() of grad/ops.h. */
an_code an_forward_step(const an_rows *rows, const float *y_u, const float *m, const float *epsilon,
                        float *y_t);

/* (ẑ0, ε̂) from the network's output at y_t, t ≥ 1. With clip > 0 (0: off) the estimate
 * m + ẑ0 is clamped to [−clip, 1+clip], and ε̂ of a clamped value is recomputed from it: at t = T,
 * 1/a is 1e4 and more and magnifies a small error of ε̂ in ẑ0. */
an_code an_estimate(const an_rows *rows, an_prediction prediction, double clip, const float *y_t,
                    const float *m, const float *output, float *z0, float *epsilon);

/* The Gaussian z_u | z_t, z0: mean and variance, 0 ≤ variance ≤ s_u². */
an_code an_posterior(const an_rows *rows, const float *z0, const float *z_t, float *mean,
                     float *variance);

/* DDIM(η) from t to u (2010.02502), η in [0,1]; η = 1 is the DDPM posterior at any stride.
 * The estimates contain y_t: z_t = a ẑ0 + s ε̂. noise [opt when η = 0] is ξ. */
an_code an_ddim_step(const an_rows *rows, double eta, const float *m, const float *z0,
                     const float *epsilon, const float *noise, float *y_u);

/* DPM-Solver++(2M), data prediction (2211.01095, algorithm 2), per coordinate in ln(a/s).
 * z0_before and t_before (B) are the estimate and the time of the previous step, both NULL in the
 * first step, which is of first order; so is a step to u = 0, where ln(a/s) is infinite and
 * y_0 = m + ẑ0. */
an_code an_dpm_step(const an_rows *rows, const float *y_t, const float *m, const float *z0,
                    const float *z0_before, const int64_t *t_before, float *y_u);

#endif
