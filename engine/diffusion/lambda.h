/* lambda: the class noise levels λ_j and the imbalance-sensitive bound (METHOD §3).
 *
 * A policy gives a raw level per class from the training counts n_j; normalisation keeps
 * the noise budget at 1; clipping keeps every level in [min, max]. O(K). */
#ifndef AN_DIFFUSION_LAMBDA_H
#define AN_DIFFUSION_LAMBDA_H

#include <stdint.h>

#include "base/err.h"

typedef enum {
    AN_LAMBDA_ISOTROPIC, /* 1                                                            */
    AN_LAMBDA_POWER,     /* n_j^(−gamma)                                                 */
    AN_LAMBDA_BOUND,     /* the minimiser of the bound: (p A / (q Dn √n_j))^(1/(p+q))    */
    AN_LAMBDA_EFFECTIVE, /* √((1−beta)/(1−beta^n_j)), effective number (1901.05555)      */
    AN_LAMBDA_MANUAL     /* as given                                                     */
} an_lambda_policy;

typedef enum {
    AN_NORMALISE_MEAN,      /* mean of λ = 1                                             */
    AN_NORMALISE_GEOMETRIC, /* geometric mean = 1                                        */
    AN_NORMALISE_PRIOR,     /* Σ π_j λ_j = 1, π_j = n_j / Σ n                            */
    AN_NORMALISE_MAX,       /* largest λ = 1                                             */
    AN_NORMALISE_NONE       /* left as the policy gave them, then clipped                */
} an_normalise;

extern const char *const an_lambda_names[]; /* in the order of the enums, NULL last   */
extern const char *const an_normalise_names[];

/* E(λ) = 1/K Σ_j [ A / (λ_j^p √n_j) + Dn λ_j^q ]; all four finite and > 0. */
typedef struct {
    double A, Dn, p, q;
} an_bound_spec;

typedef struct {
    an_lambda_policy policy;
    double gamma; /* power: finite, negative gives head classes the larger level */
    double beta;  /* effective: [0, 1)                                          */
    an_bound_spec bound;
    const double *manual; /* (K), manual only                                           */
    an_normalise normalise;
    double min, max; /* 0 ≤ min ≤ max; 0 and INFINITY mean no clipping             */
} an_lambda_spec;

/* gamma ¼, beta 0.999, A = Dn = p = q = 1, normalised to mean 1, not clipped. */
an_lambda_spec an_lambda_default(an_lambda_policy policy);

/* Writes λ (K). counts (K) [opt] are training images per class: every n_j ≥ 1 is required
 * by power, bound, effective and by normalise = prior. AN_EINVAL names the class, 1-based.
 * Guarantee: every λ_j is finite, > 0 and in [min, max], and the normalisation holds to
 * rounding. Both are possible exactly when min ≤ 1 ≤ max; other ranges are refused (with
 * normalise = none any range is taken). */
an_code an_lambda(const an_lambda_spec *spec, int64_t K, const int64_t *counts, double *lambda);

/* The bound at λ (K): value [opt], per-class terms [opt] (K each) before the 1/K:
 * generalisation A/(λ^p √n) and denoising Dn λ^q. Errors as an_lambda(). */
an_code an_bound(const an_bound_spec *spec, int64_t K, const int64_t *counts, const double *lambda,
                 double *value, double *generalisation, double *denoising);

#endif
