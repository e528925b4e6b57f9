/* vote: class probabilities from the label vectors ŷ0 at the ends of R reverse chains per image,
 * and two measures of the chains' disagreement (METHOD §2, CARD 2206.07275).
 * With a tilt (METHOD §2) the class probabilities q become q̃_j ∝ q_j exp(κ_j).
 * O(B·R·K), for the interval O(B·K·R log R). */
#ifndef AN_DIFFUSION_VOTE_H
#define AN_DIFFUSION_VOTE_H

#include <stdint.h>

#include "base/err.h"

typedef enum {
    AN_VOTE_DISTANCE, /* p_j ∝ exp(−(ŷ_j − 1)² / temperature)                             */
    AN_VOTE_PLAIN     /* p_j ∝ max(ŷ_j, 0); uniform if none is above 0                    */
} an_vote_kind;

extern const char *const an_vote_names[]; /* "distance", "plain", NULL */

/* x (B,K), clamped at 0 and normalised, q_j ∝ max(x_j, 0), uniform if none is above 0, and then
 * tilted: out_j ∝ q_j exp(κ_j). kappa (K); out may be x. AN_EINVAL: a size below 1, a κ or x that
 * is not finite (names the class or the row, from 1). O(B·K). */
an_code an_tilt(int64_t B, int64_t K, const double *kappa, const float *x, float *out);

/* y0 (B·R, K): rows b·R … b·R+R−1 are the chains of image b.
 * probability (B,K): mean over the chains; sums to 1.
 * kappa (K) [opt]: tilts the mean, as an_tilt() does with the mean in float; width and agreement
 * are then those of the tilted chains.
 * width (B,K) [opt]: the 2.5 % … 97.5 % interval of the chains' probabilities.
 * agreement (B) [opt]: share of the chains whose top class is that of the mean.
 * AN_EINVAL: a size below 1, temperature not above 0, a ŷ0 or κ that is not finite (names the
 * row or the class, from 1). */
an_code an_vote(an_vote_kind kind, double temperature, const double *kappa, int64_t B, int64_t R,
                int64_t K, const float *y0, float *probability, float *width, float *agreement);

#endif
