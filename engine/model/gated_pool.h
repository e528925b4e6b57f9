/* gated_pool: attention pooling of a bag of vectors (Ilse et al., 1802.04712, eq. 9).
 *
 *     a_k ∝ exp( wᵀ ( tanh(V h_k) ⊙ σ(U h_k) ) ),   z = Σ_k a_k h_k
 * V and U are dense layers with bias; w has none, for softmax would cancel it. */
#ifndef AN_MODEL_GATED_POOL_H
#define AN_MODEL_GATED_POOL_H

#include "model/layer.h"

typedef struct {
    an_dense v, u, w;
} an_gated;

/* Declares `name`.v, `name`.u (hidden, width) and `name`.w (1, hidden). */
an_gated an_gated_new(an_module *m, const char *name, int64_t width, int64_t hidden);

/* bag (B, n, D) → (B, D); *attention (B, n) receives the weights, rows of sum 1. */
an_tensor *an_gated_pool(const an_gated *p, an_tensor *bag, an_tensor **attention);

#endif
