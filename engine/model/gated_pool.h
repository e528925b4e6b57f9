/* gated_pool: gated attention pooling of a bag of n vectors h_k (Ilse et al., 1802.04712, eq. 9).
 *
 *     a_k ∝ exp( wᵀ ( tanh(V h_k) ⊙ σ(U h_k) ) ),   z = Σ_k a_k h_k
 * V and U are dense layers with bias; w has no bias, because the softmax would cancel it. */
#ifndef AN_MODEL_GATED_POOL_H
#define AN_MODEL_GATED_POOL_H

#include "model/layer.h"

typedef struct {
    an_dense v, u, w;
} an_gated_pool;

/* Declares `name`.v, `name`.u (hidden, width) and `name`.w (1, hidden); both sizes ≥ 1. */
an_gated_pool an_gated_pool_new(an_module *m, const char *name, int64_t width, int64_t hidden);

/* bag (B, n, D) → (B, D); *attention is set to the weights (B, n), whose rows sum to 1. NULL after
 * a failure or for a NULL bag. */
an_tensor *an_gated_pool_apply(const an_gated_pool *p, an_tensor *bag, an_tensor **attention);

#endif
