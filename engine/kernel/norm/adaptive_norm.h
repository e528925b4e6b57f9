/* adaptive_norm: adaptive layer norm and the gated residual, the two ends of a transformer
 * sub-layer whose shift, scale and gate come from a condition (DiT, 2212.09748):
 *
 *     u = LN(x)(1 + scale) + shift,  LN over C without weight and bias;   x + (1 + gate)·y
 * First for a block of rows with one condition, on the calling thread, nothing kept; then for a
 * batch of groups of rows, each with a condition of its own, forward and backward. */
#ifndef AN_KERNEL_NORM_ADAPTIVE_NORM_H
#define AN_KERNEL_NORM_ADAPTIVE_NORM_H

#include <stdint.h>

/* rstd (rows) = 1/√(variance of the row + eps); x (rows, C). */
void an_k_row_rstd(float *rstd, const float *x, double eps, int64_t rows, int64_t C);

/* y (rows, C) = (x − mean of the row)(1 + scale), scale (C): LN(x)(1 + scale) without rstd. */
void an_k_centre_rows(float *y, const float *x, const float *scale, int64_t rows, int64_t C);

/* u (rows, C) = LN(x)(1 + scale) + shift; scale, shift (C). u may be x. */
void an_k_adaptive_norm_rows(float *u, const float *x, const float *scale, const float *shift,
                             double eps, int64_t rows, int64_t C);

/* x += (1 + gate)·y, then u as above, while the row is in the nearest cache. */
void an_k_join_rows(float *u, float *x, const float *y, const float *gate, const float *scale,
                    const float *shift, double eps, int64_t rows, int64_t C);

/* Row r of x (groups·rows, C) is under condition r / rows, whose vectors (C) lie `step` floats
 * behind those of the one before. */
typedef struct {
    int64_t groups, rows, C, step;
} an_conditions;

/* u, and what backward wants of it: mean and rstd (groups·rows). */
void an_k_adaptive_norm_forward(float *u, float *mean, float *rstd, const float *x,
                                const float *scale, const float *shift, double eps,
                                const an_conditions *s);

/* dx = … + beta·dx with beta 0 or 1, where it is not NULL; dscale and dshift, as far apart as
 * scale, += sums over the rows of each group, both or neither NULL. */
void an_k_adaptive_norm_backward(float *dx, float beta, float *dscale, float *dshift,
                                 const float *du, const float *x, const float *mean,
                                 const float *rstd, const float *scale, const an_conditions *s);

/* z = x + (1 + gate)·y */
void an_k_join_forward(float *z, const float *x, const float *y, const float *gate,
                       const an_conditions *s);

/* dy = (1 + gate)·dz + beta·dy and dgate += …, NULL where not wanted; dx is dz. */
void an_k_join_backward(float *dy, float beta, float *dgate, const float *dz, const float *y,
                        const float *gate, const an_conditions *s);

#endif
