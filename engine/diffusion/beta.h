/* beta: the base noise schedules, β_1 … β_T and ᾱ_t = Π_{i≤t} (1 − β_i), ᾱ_0 = 1.
 *
 * Fill an an_beta_spec with an_beta_default(), change fields, and compute the table with
 * an_alpha_bar(). O(T), once per schedule. */
#ifndef AN_DIFFUSION_BETA_H
#define AN_DIFFUSION_BETA_H

#include <stdint.h>

#include "base/err.h"

#define AN_STEPS_MAX 100000

/* The defaults of every schedule. Lua's options take theirs from here (bind/schedule.c). */
#define AN_STEPS_DEFAULT 1000
#define AN_OFFSET_DEFAULT 0.008 /* 2102.09672 */
#define AN_BETA_MAX_DEFAULT 0.999

/* With f = (t−1)/(T−1) in [0,1] and the end points b0 = start, b1 = end: */
typedef enum {
    AN_BETA_LINEAR,        /* b0 + f (b1 − b0)                        (2006.11239)          */
    AN_BETA_SCALED_LINEAR, /* (√b0 + f (√b1 − √b0))², 8.5e-4 … 0.012  (2112.10752)          */
    AN_BETA_QUADRATIC, /* the same curve, 1e-4 … 0.02             (2010.02502)          */
    AN_BETA_COSINE,  /* ᾱ ∝ cos²((t/T + offset)/(1 + offset)·π/2), β ≤ max (2102.09672) */
    AN_BETA_SIGMOID, /* b0 + (b1 − b0) σ(−6 + 12 f)             (2206.07275)          */
    AN_BETA_CONSTANT /* b1                                                            */
} an_beta_kind;

extern const char *const an_beta_names[]; /* "linear", …, NULL: in the order of the enum */

typedef struct {
    an_beta_kind kind;
    int64_t T;         /* diffusion steps, 1 … AN_STEPS_MAX                                */
    double start, end; /* end points, each in (0,1); the cosine ignores them               */
    double offset;     /* of the cosine, in [0,1)                                          */
    double max;        /* no β is larger, in (0,1)                                         */
} an_beta_spec;

/* The usual end points of `kind` at T = 1000, times 1000/T as in the ADM code (2105.05233)
 * so that ᾱ_T stays about the same, and at most `max`; offset and max are the defaults above. */
an_beta_spec an_beta_default(an_beta_kind kind, int64_t T);

/* Writes ᾱ_0 … ᾱ_T, strictly decreasing until it underflows, to alpha_bar (T+1).
 * AN_EINVAL names the value that is out of range. */
an_code an_alpha_bar(const an_beta_spec *spec, double *alpha_bar);

#endif
