/* batch_norm_fold: short rows joined to long ones. Internal to batch_norm*.c.
 *
 * With few features a row is short, and the overhead of the inner loop exceeds its work. Both
 * passes therefore treat `fold` consecutive rows of x (N,C) as one row of W = fold·C columns
 * whose coefficients repeat; the sums of the columns are added up at the end. */
#ifndef AN_KERNEL_NORM_BATCH_NORM_FOLD_H
#define AN_KERNEL_NORM_BATCH_NORM_FOLD_H

#include <stdint.h>

#include "base/assert.h"
#include "base/ranks/cut.h"

/* Numbers in a block of rows that are widened together, 8 KiB: a few blocks fit in L1. */
enum { AN_NORM_BLOCK = 2048 };

/* The rows of W columns that are widened together. */
static inline int64_t an_norm_block_rows(int64_t W)
{
    AN_ASSERT(W <= AN_NORM_BLOCK);
    return AN_NORM_BLOCK / W;
}

typedef struct {
    const float *x, *mean, *rstd, *gamma, *beta; /* x (rows, W), the others (W) */
    int64_t W;
} an_folded_norm;

/* The number of rows that form one long row, a power of two that divides N. */
int64_t an_norm_fold(int64_t N, int64_t C);

/* The same if rows must not be joined across slices: it divides the rows of one image. */
int64_t an_norm_cut_fold(int64_t N, int64_t C, const an_cut *cut);

/* Repeats each coefficient (C) to W = fold·C columns; `storage` (4, W) holds the result. */
an_folded_norm an_norm_repeat(float *storage, const float *x, const float *mean, const float *rstd,
                              const float *gamma, const float *beta, int64_t C, int64_t fold);

/* Reduces each of the n rows of sums (n, fold·C) to its first C columns, the total over folds. */
void an_norm_unfold(double *sums, int64_t n, int64_t C, int64_t fold);

#endif
