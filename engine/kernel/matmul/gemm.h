/* gemm: matrix products, C ← alpha·op(A)·op(B) + beta·C, all row-major.
 *
 * op(A) is (M,K), op(B) is (K,N), C is (M,N); op transposes where its flag (ta, tb) is set: A is
 * then stored as (K,M) with row length lda, B as (N,K) with row length ldb. Sizes may be 0. C
 * overlaps neither operand. beta = 0 writes C without reading it; beta = 1 adds the product, for
 * example to a gradient. Cost: 2·M·N·K operations. */
#ifndef AN_KERNEL_MATMUL_GEMM_H
#define AN_KERNEL_MATMUL_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kernel/matmul/microkernel.h"

/* The BLAS in use, such as "OpenBLAS 0.3.21 … Haswell", for the provenance of a run. */
const char *an_k_gemm_library(void);

/* On the calling thread only, so usable inside a parallel loop. */
void an_k_gemm(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha, const float *A,
               int64_t lda, const float *B, int64_t ldb, float beta, float *C, int64_t ldc);

/* On all threads. Cuts M into blocks. If K is much longer than M and N (in a weight gradient K is
 * the rows of a batch), cuts K and adds the partial products in order. The cuts depend only on the
 * sizes, so the bits do not depend on the number of threads. With alpha 1, beta 0 or 1 and sizes of
 * 16 or more it uses our own loops (packed.h, or outer products for AᵀB), otherwise the BLAS.
 * AN_ENOMEM. */
an_code an_k_gemm_par(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha,
                      const float *A, int64_t lda, const float *B, int64_t ldb, float beta,
                      float *C, int64_t ldc);

/* C (M,N) ← AᵀB + (C if `accumulate`) on the calling thread, A (K,M), B (K,N), as outer products in
 * order of K, for sums over rows. N is a multiple of 16. One share of `prefetch` (may be NULL) is
 * prefetched per row of tiles. */
void an_k_gemm_outer(float *C, int64_t ldc, int64_t M, int64_t N, int64_t K, const float *A,
                     int64_t lda, const float *B, int64_t ldb, bool accumulate,
                     an_prefetch *prefetch);

/* G dense products, A (G, M·K), B (G, K·N), C (G, M·N), one per iteration of a parallel
 * loop; G = 1 is an_k_gemm_par. */
an_code an_k_gemm_batch(bool ta, bool tb, int64_t G, int64_t M, int64_t N, int64_t K,
                        const float *A, const float *B, float beta, float *C);

/* The definition, three loops with sums in double: the reference that tests compare with. */
void an_k_gemm_naive(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha, const float *A,
                     int64_t lda, const float *B, int64_t ldb, float beta, float *C, int64_t ldc);

#endif
