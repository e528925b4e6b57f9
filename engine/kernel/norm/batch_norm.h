/* batch_norm: what both directions of batch normalisation share. Internal to batch_norm*.c.
 *
 * Few features make short rows, and short loops cost more than their work. So rows are seen
 * `fold` at a time, as one row of W = fold·C columns whose coefficients repeat; the columns'
 * sums are added up at the end. */
#ifndef AN_KERNEL_NORM_BATCH_NORM_H
#define AN_KERNEL_NORM_BATCH_NORM_H

#include <stdint.h>

typedef struct {
    const float *x, *mean, *rstd, *gamma, *beta; /* x (rows, W), the others (W) */
    int64_t W;
} an_bn;

/* Rows seen as one. */
int64_t an_bn_fold(int64_t N, int64_t C);

/* The coefficients, each repeated to W columns of `room` (4, W). */
an_bn an_bn_widened(float *room, const float *x, const float *mean, const float *rstd,
                    const float *gamma, const float *beta, int64_t C, int64_t fold);

/* sums (n, fold·C) → its first C of each row of n, where the folds are added. */
void an_bn_unfold(double *sums, int64_t n, int64_t C, int64_t fold);

/* Rows that a thread takes at a time. */
static inline int64_t an_bn_grain(int64_t W)
{
    const int64_t floats = 16384;
    return W < floats ? floats / W : 1;
}

#endif
