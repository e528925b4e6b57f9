/* winograd_stride2_tile: the transforms of F(4×4, 3×3) for stride 2, 16 channels at a time.
 *
 * Along one axis the outputs are y_i = e_i g_0 + e_{i+1} g_2 + o_i g_1, with e the even and o the
 * odd positions of the input: a kernel of two taps and one of a single tap, both of stride 1. Both
 * are multiplied at the points p = 0, 1, −1, 2, ∞ of F(4, 2) (Lavin & Gray, CVPR 2016); for o the
 * point ∞ is left out, because it would multiply the second tap, which is 0. That makes nine
 * products for four outputs, 81 for 4×4, instead of the definition's 144. A line has nine parts: e
 * at p = 0, 1, −1, 2, ∞, then o at 0, 1, −1, 2. Part 9·i + j of a tile is part i down, j across.
 * Sums over e and o have five parts a line. Part k of a tile starts `plane` floats after part k−1.
 * Channels are a multiple of AN_LANES. Internal to winograd_stride2.c. */
#ifndef AN_KERNEL_CONV_WINOGRAD_STRIDE2_TILE_H
#define AN_KERNEL_CONV_WINOGRAD_STRIDE2_TILE_H

#include <stdbool.h>
#include <stdint.h>

enum { AN_STRIDE2_LINE = 9, AN_STRIDE2_POINTS = 5, AN_STRIDE2_OUT = 4, AN_STRIDE2_SIDE = 8 };

/* to (81) ← the input patch d (9×9). */
void an_k_stride2_input(float *to, int64_t plane, const float *const d[81], int64_t channels);
/* y (4×4) ← the sums m (25) + (b, or nothing). */
void an_k_stride2_output(float *const y[16], const float *m, int64_t plane, const float *b,
                         int64_t channels);
/* to (25) ← the patch d (5×5) of dy, for the data gradient. */
void an_k_stride2_gradient(float *to, int64_t plane, const float *const d[25], int64_t channels);
/* dx (8×8) ← m (81) + (dx if `accumulate`). */
void an_k_stride2_data(float *const dx[64], const float *m, int64_t plane, bool accumulate,
                       int64_t channels);
/* u (81) ← 16 kernels of 3×3, `step` floats apart; rotated by 180° if `flipped`. */
void an_k_stride2_kernel(float *u, int64_t plane, const float *g, int64_t step, bool flipped);

#endif
