/* adaptive_norm: adaptive layer normalisation and the gated residual, the beginning and the end of
 * a transformer sub-layer whose shift, scale and gate come from a condition (DiT, 2212.09748):
 *
 *     u = LN(x)(1 + scale) + shift,  LN over C without weight and bias;   z = x + (1 + gate)·y
 *
 * Two forms. For a block of rows under one condition: on the calling thread, without saving
 * anything for a backward pass. For groups of rows, each under its own condition: parallel, forward
 * and backward; the result does not depend on the number of threads. */
#ifndef AN_KERNEL_NORM_ADAPTIVE_NORM_H
#define AN_KERNEL_NORM_ADAPTIVE_NORM_H

#include <stdint.h>

/* ── one condition: rows ≥ 0, C ≥ 1, eps > 0, vectors scale, shift, gate (C) ─────────────── */

/* rstd (rows) = 1/√(variance of the row + eps); x (rows, C). */
void an_k_row_rstd(float *rstd, const float *x, double eps, int64_t rows, int64_t C);

/* y (rows, C) = (x − mean of the row)(1 + scale), which is LN(x)(1 + scale)/rstd. */
void an_k_centre_rows(float *y, const float *x, const float *scale, int64_t rows, int64_t C);

/* x (rows, C) += (1 + gate)·y, then u (rows, C) = LN(x)(1 + scale) + shift while the row is in the
 * L1 cache. x and y do not overlap. */
void an_k_gated_residual_norm(float *u, float *x, const float *y, const float *gate,
                              const float *scale, const float *shift, double eps, int64_t rows,
                              int64_t C);

/* ── groups of rows ───────────────────────────────────────────────────────────────── */

/* Row r of x (groups·rows, C) is under condition r / rows, whose vectors (C) begin `stride` ≥ C
 * floats after those of the condition before it. */
typedef struct {
    int64_t groups, rows, C, stride;
} an_conditions;

/* u (groups·rows, C), and mean and rstd (groups·rows) for the backward pass. eps > 0. */
void an_k_adaptive_norm_forward(float *u, float *mean, float *rstd, const float *x,
                                const float *scale, const float *shift, double eps,
                                const an_conditions *s);

/* dx = its gradient + beta·dx with beta 0 (dx is not read) or 1, without overlap with du and x;
 * NULL: not computed. dscale and dshift, with the stride of scale, += sums over the rows of each
 * group; both or neither are NULL. */
void an_k_adaptive_norm_backward(float *dx, float beta, float *dscale, float *dshift,
                                 const float *du, const float *x, const float *mean,
                                 const float *rstd, const float *scale, const an_conditions *s);

/* z = x + (1 + gate)·y, all (groups·rows, C). z overlaps neither x nor y. */
void an_k_gated_residual_forward(float *z, const float *x, const float *y, const float *gate,
                                 const an_conditions *s);

/* dy = (1 + gate)·dz + beta·dy with beta 0 (dy is not read) or 1, and dgate, with the stride of
 * gate, += the sums of dz·y over the rows of each group. Either may be NULL. dy and dz do not
 * overlap. The gradient of x is dz. */
void an_k_gated_residual_backward(float *dy, float beta, float *dgate, const float *dz,
                                  const float *y, const float *gate, const an_conditions *s);

#endif
