/* winograd_tile: the transforms of F(4×4, 3×3), 16 channels at a time.
 *
 * With d a 6×6 input patch, g a 3×3 kernel and Y the 4×4 outputs (Lavin & Gray, "Fast
 * algorithms for convolutional neural networks", CVPR 2016, points 0, ±1, ±2, ∞):
 *   Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A
 *   dg = Gᵀ [ (Bᵀ d B) ⊙ (A dY Aᵀ) ] G
 * A transformed tile is 36 planes; plane k of tile t starts `plane` floats after plane k−1.
 * Channels are a multiple of AN_LANES. Positions of d, dy and y hold float32, or bf16 if `narrow`;
 * everything else is float32. Internal to winograd*.c. */
#ifndef AN_KERNEL_CONV_WINOGRAD_TILE_H
#define AN_KERNEL_CONV_WINOGRAD_TILE_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/common/cache.h"

enum { AN_TILE_OUT = 4, AN_TILE_IN = 6, AN_TILE_PLANES = 36 };

/* to ← Bᵀ d B; d[6·i + j] points to the channels of patch position (i, j). */
void an_k_tile_input(float *to, int64_t plane, const void *const d[36], bool narrow,
                     int64_t channels);
/* to ← A dY Aᵀ; dy[4·i + j] points to the channels of output position (i, j). */
void an_k_tile_gradient(float *to, int64_t plane, const void *const dy[16], bool narrow,
                        int64_t channels);
/* y[4·i + j] ← Aᵀ m A + (b, or y if `accumulate`, or nothing). */
void an_k_tile_output(void *const y[16], const float *m, int64_t plane, const float *b,
                      bool accumulate, bool narrow, int64_t channels);
/* u ← G g Gᵀ for 16 kernels of 3×3, `step` floats apart; rotated by 180° if `flipped`. */
void an_k_tile_kernel(float *u, int64_t plane, const float *g, int64_t step, bool flipped);
/* 16 dg (3×3), `step` floats apart, += Gᵀ (Σ_n du_n) G over `count` du, `next` floats apart.
 */
void an_k_tile_kernel_gradient(float *dg, int64_t step, const float *du, int64_t plane,
                               int64_t count, int64_t next);

#endif
