/* share: the share of time in which the image is needed, per class (METHOD §3),
 *
 *     R_c = E_t E_{y_t | c} [ 1 − q_c(y_t) ]          q_k(y_t) ∝ π_k p_t(y_t | k)
 *
 * where q is the posterior of the classes given only y_t and the class shares. The prior mean m is
 * the same for every image here (a constant), so it cancels out of q. t is uniform in 1 … T.
 *
 * In `sample`, p_t(y_t | k) has the level λ_k of its class. In `class_speed`, t′ is given along
 * with y_t, as it is to the network: the shares at step t′ are then ∝ π_k v_k(t′), and a class is
 * at t′ v_c(t′) times as often as in the isotropic process (an_schedule_visits). */
#ifndef AN_DIFFUSION_SHARE_H
#define AN_DIFFUSION_SHARE_H

#include "diffusion/schedule.h"

typedef struct {
    double *share, *error; /* (K+1): R_c and its standard error; last, of the mean over classes */
    double *curve;         /* (bins, K): the same over time, bin by bin                         */
    int64_t bins; /* given: 1 … min(T, draws); bin i has the times i·T/bins < t ≤ (i+1)·T/bins */
} an_share;

/* Monte Carlo with `draws` ≥ 2 normal vectors, the same for all classes and levels; the times are
 * stratified. The prior shares are those of the schedule's counts, 1/K without counts. The standard
 * errors come from differences of neighbours in time and are upper estimates. O(draws·K), in
 * `sample` O(draws·K²); parallel, same bits at any thread count. AN_ENOMEM. */
an_code an_schedule_share(const an_schedule *s, int64_t draws, uint64_t seed, an_share *out);

#endif
