/* panel: a matrix packed once for many products by microkernel.h's row loop.
 *
 * B (K,N) is cut into panels of 32 columns; panel p starts K·32·p floats in and holds
 * (K, width) row by row, where width is 32, or 16 if 16 columns or fewer are left. Columns
 * past N are zero. Multiply many row blocks with one packed B; blocks may be done by
 * different threads. */
#ifndef AN_KERNEL_MATMUL_PANEL_H
#define AN_KERNEL_MATMUL_PANEL_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/matmul/microkernel.h"

static inline int64_t an_panel_count(int64_t N)
{
    return (N + AN_MICRO_COLUMNS - 1) / AN_MICRO_COLUMNS;
}

/* Columns of panel p: those that are wanted. */
static inline int64_t an_panel_columns(int64_t N, int64_t p)
{
    int64_t left = N - p * AN_MICRO_COLUMNS;
    return left < AN_MICRO_COLUMNS ? left : AN_MICRO_COLUMNS;
}

/* Floats from one row of panel p to the next: 32 or 16. */
static inline int64_t an_panel_width(int64_t N, int64_t p)
{
    return an_panel_columns(N, p) > AN_MICRO_HALF ? AN_MICRO_COLUMNS : AN_MICRO_HALF;
}

/* Floats of all panels. */
static inline int64_t an_panel_floats(int64_t K, int64_t N)
{
    return N <= 0 ? 0
                  : K * ((an_panel_count(N) - 1) * AN_MICRO_COLUMNS +
                         an_panel_width(N, an_panel_count(N) - 1));
}

/* Panel p (K, width) ← columns of B (K,N), rows ldb apart, or stored (N,K) if `tb`. */
void an_k_panel_pack(float *panel, bool tb, const float *B, int64_t ldb, int64_t K, int64_t N,
                     int64_t p);

/* The transposing half of it, for other orders: `columns` arrays of K floats, `step` apart, become
 * columns; element k of each lands in row k % inner · jump + k / inner. */
void an_k_panel_transpose(float *panel, int64_t width, const float *from, int64_t step,
                          int64_t columns, int64_t K, int64_t inner, int64_t jump);

/* C (M,N) ← A (M,K)·B + (bias (N), or nothing if NULL) + (C if `accumulate`), B packed, on the
 * calling thread. A's rows are contiguous. `ahead` (NULL for nothing) is asked for
 * meanwhile, a share per eight rows of a panel. */
void an_k_panel_rows(float *C, int64_t ldc, const float *A, int64_t lda, const float *panels,
                     int64_t M, int64_t K, int64_t N, const float *bias, bool accumulate,
                     an_prefetch *ahead);

#endif
