/* schedule: the tables a[t][j] and s[t][j] of the forward process (METHOD §1)
 *
 *     y_t = m + a_t (y0 − m) + s_t ε          per class coordinate j, t = 0 … T
 *
 * in double, computed once from ᾱ (beta.h) and the class noise levels λ_j, which a policy of
 * lua/aniso/method/lambda.lua chooses. Immutable after an_schedule_new(), so it can be read from
 * any thread. 16·(T+1)·K bytes. */
#ifndef AN_DIFFUSION_SCHEDULE_H
#define AN_DIFFUSION_SCHEDULE_H

#include "diffusion/beta.h"

typedef struct an_schedule an_schedule;

typedef enum {
    AN_COUPLE_VARIANCE, /* a = √ᾱ_t,      s = λ_j √(1 − ᾱ_t)                               */
    AN_COUPLE_SPEED, /* a = √(ᾱ_t^λ_j), s = √(1 − ᾱ_t^λ_j)                              */
    AN_COUPLE_SAMPLE, /* a = √ᾱ_t,      s = √(1 − ᾱ_t), times a level per row (process.h) */
    AN_COUPLE_CLASS_SPEED, /* as isotropic; an image of class c is at its own time (below)        */
    AN_COUPLE_IMAGE /* a = √ᾱ_t, s = √(1 − ᾱ_t), times levels per row and class (process.h)     */
} an_coupling;

extern const char *const an_coupling_names[]; /* NULL last */

typedef struct {
    an_beta_spec beta;
    const double *lambda; /* (K) class noise levels λ_j, each finite and > 0 */
    an_coupling coupling;
    int64_t K;             /* classes, ≥ 1 */
    const int64_t *counts; /* (K) [opt] training images per class, each ≥ 0 */
} an_schedule_spec;

/* Copies what `spec` points to. NULL after AN_EINVAL (a value out of range, a class whose
 * level leaves no usable noise) or AN_ENOMEM. λ ≡ 1 gives the same bits in every coupling.
 * Signals below 1e-10 are kept at 1e-10, so that dividing by them stays finite in float. */
an_schedule *an_schedule_new(const an_schedule_spec *spec);
void an_schedule_free(an_schedule *s); /* NULL is allowed */

const an_schedule_spec *an_schedule_about(const an_schedule *s);   /* the spec it was made from */
const double *an_schedule_lambda(const an_schedule *s);            /* (K)                   */
double an_schedule_alpha_bar(const an_schedule *s, int64_t t);     /* t in 0 … T            */
const double *an_schedule_signal(const an_schedule *s, int64_t t); /* a_t (K)             */
const double *an_schedule_noise(const an_schedule *s, int64_t t);  /* s_t (K)             */

/* ln(ᾱ_t/(1−ᾱ_t)) in double, infinite at t = 0; ᾱ below 1e-300 counts as 1e-300. */
double an_schedule_log_snr(const an_schedule *s, int64_t t);
/* The first t in 1 … T whose log-SNR is at most `level`; T if there is none. O(log T). */
int64_t an_schedule_time_of(const an_schedule *s, double level);

/* Coupling `class_speed`: an image of class c at time t has diffused to t′, where the log-SNR
 * ℓ(t′) = ℓ(t) − 2 ln λ_c. Times are continuous there: the step t is the interval (t−1, t], on
 * which ℓ is linear (on (0, 1] it is 1 − ᾱ that is linear, because ℓ(0) is infinite), and t′ is the
 * step whose interval contains the moved time, or T if that is beyond T. See an_times_of_labels()
 * in process.h. Writes to visits (K) how often each class is at step t = 1 … T in training,
 * relative to a class of λ = 1, for t drawn uniformly; Σ_t visits = T. All are 1 in other
 * couplings. */
void an_schedule_visits(const an_schedule *s, int64_t t, double *visits);

/* Times of a chain with S of the T steps: times[0] = T > … > times[S] = 0 (S+1 values). */
typedef enum {
    AN_SPACING_UNIFORM,   /* even in t, the first at T (“trailing”, 2305.08891)        */
    AN_SPACING_QUADRATIC, /* even in √t: more steps near 0 (2010.02502)               */
    AN_SPACING_LOGSNR     /* even in ln(ᾱ/(1−ᾱ)) (2211.01095)                         */
} an_spacing;

extern const char *const an_spacing_names[]; /* NULL last */

/* S in 1 … T, else AN_EINVAL. */
an_code an_times(const an_schedule *s, int64_t S, an_spacing spacing, int64_t *times);

#endif
