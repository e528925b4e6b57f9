/* embed: rows of a table by index, and the sinusoidal embedding of diffusion times. */
#ifndef AN_KERNEL_POINTWISE_EMBED_H
#define AN_KERNEL_POINTWISE_EMBED_H

#include <stdint.h>

/* y (n, D) = w[index]; w (V, D), index (n) in 0 … V−1. Sizes ≥ 0. */
void an_k_embed_forward(float *y, const float *w, const int64_t *index, int64_t n, int64_t V,
                        int64_t D);
/* dw (V, D): dw[index[i]] += dy[i], in the order of i at any number of threads. */
void an_k_embed_backward(float *dw, const float *dy, const int64_t *index, int64_t n, int64_t V,
                         int64_t D);

/* y (B, D), D even: [cos(t·f_0) … cos(t·f_{D/2−1})  sin(t·f_0) …], f_i = max_period^(−i/(D/2)),
 * max_period > 1. The "timestep_embedding" of DDPM (Ho et al., 2006.11239), in the order used by
 * the code of Dhariwal & Nichol (2105.05233). */
void an_k_timestep_embed(float *y, const int64_t *t, int64_t B, int64_t D, double max_period);

#endif
