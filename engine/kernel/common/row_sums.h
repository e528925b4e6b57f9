/* row_sums: sums over the rows of a batch, with the same bits at any number of threads.
 *
 * Bias gradients, batch statistics and the gradients of γ and β are such sums. Rows are cut into
 * chunks of a fixed size, one thread sums a chunk in double, and the chunks' sums are added in
 * chunk order. */
#ifndef AN_KERNEL_COMMON_ROW_SUMS_H
#define AN_KERNEL_COMMON_ROW_SUMS_H

#include <stdint.h>

#include "base/err.h"
#include "base/ranks/cut.h"

/* Adds the contributions of rows lo … hi−1 to sums (n). */
typedef void (*an_k_row_fn)(double *sums, const void *context, int64_t lo, int64_t hi);

/* sums (n) ← Σ over `rows` ≥ 0 rows of `width` floats each, n ≥ 1; the width determines the chunk
 * size. AN_ENOMEM. */
an_code an_k_row_sums(double *sums, int64_t n, an_k_row_fn add, const void *context, int64_t rows,
                      int64_t width);

/* The same for a whole batch of which `rows` belong to the images of this rank: summed by slices
 * and their tree. As above if `cut` is NULL or has no grain. All ranks of a shared cut must call
 * it. */
an_code an_k_cut_row_sums(double *sums, int64_t n, an_k_row_fn add, const void *context,
                          int64_t rows, int64_t width, const an_cut *cut);

/* db (width) += Σ_rows dy (rows, width). AN_ENOMEM. */
an_code an_k_bias_backward(float *db, const float *dy, int64_t rows, int64_t width);

#endif
