/* modulate: adaptive layer norm and the gated residual, the two ends of a transformer
 * sub-layer whose shift, scale and gate come from a condition (DiT, 2212.09748):
 *
 *     u = LN(x)(1 + scale) + shift,  LN over C without weight and bias;   x + (1 + gate)·y
 * Here for a block of rows with one condition, on the calling thread, nothing kept. */
#ifndef AN_KERNEL_MODULATE_H
#define AN_KERNEL_MODULATE_H

#include <stdint.h>

/* rstd (rows) = 1/√(variance of the row + eps); x (rows, C). */
void an_k_row_rstd(float *rstd, const float *x, double eps, int64_t rows, int64_t C);

/* y (rows, C) = (x − mean of the row)(1 + scale), scale (C): LN(x)(1 + scale) without rstd. */
void an_k_centre_rows(float *y, const float *x, const float *scale, int64_t rows, int64_t C);

/* u (rows, C) = LN(x)(1 + scale) + shift; scale, shift (C). u may be x. */
void an_k_modulate_rows(float *u, const float *x, const float *scale, const float *shift,
                        double eps, int64_t rows, int64_t C);

/* x += (1 + gate)·y, then u as above, while the row is in the nearest cache. */
void an_k_join_rows(float *u, float *x, const float *y, const float *gate, const float *scale,
                    const float *shift, double eps, int64_t rows, int64_t C);

#endif
