/* gemm: matrix products, C ← alpha·op(A)·op(B) + beta·C, everything row-major.
 *
 * op(A) is (M,K), op(B) is (K,N), C is (M,N); op transposes where its flag is set: A is
 * then stored (K,M) with row length lda, B (N,K) with row length ldb. beta = 0 writes C
 * without reading it. A gradient product is the same call with beta = 1. */
#ifndef AN_KERNEL_MATMUL_GEMM_H
#define AN_KERNEL_MATMUL_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kernel/matmul/microkernel.h"

/* The BLAS behind the products: "OpenBLAS 0.3.21 … Haswell", for the record of a run. */
const char *an_k_gemm_library(void);

/* On the calling thread alone: call it freely from inside a parallel loop. */
void an_k_gemm(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha, const float *A,
               int64_t lda, const float *B, int64_t ldb, float beta, float *C, int64_t ldc);

/* On all threads. Cuts M; where K is long beside M and N (the weight gradient, K being the
 * rows of a batch) cuts K and adds partial products in order. The cuts depend on the
 * sizes only, so the bits do not depend on the threads. With alpha 1, beta 0 or 1 and sizes
 * worth it the loops are ours (kernel/matmul/packed.h, or outer products for AᵀB), else BLAS's.
 * AN_ENOMEM.
 */
an_code an_k_gemm_par(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha,
                      const float *A, int64_t lda, const float *B, int64_t ldb, float beta,
                      float *C, int64_t ldc);

/* C (M,N) ← AᵀB + (C if `accumulate`) on the calling thread, A (K,M), B (K,N): outer products
 * in order of K, for sums over rows. N is a multiple of 16. A share of
 * `prefetch` (NULL for nothing) is prefetched per tile of 8 by 32. */
void an_k_gemm_outer(float *C, int64_t ldc, int64_t M, int64_t N, int64_t K, const float *A,
                     int64_t lda, const float *B, int64_t ldb, bool accumulate,
                     an_prefetch *prefetch);

/* G dense products, A (G, M·K), B (G, K·N), C (G, M·N), one per iteration of a parallel
 * loop; G = 1 is an_k_gemm_par. */
an_code an_k_gemm_batch(bool ta, bool tb, int64_t G, int64_t M, int64_t N, int64_t K,
                        const float *A, const float *B, float beta, float *C);

/* The definition, three loops and double sums: what tests compare the others with. */
void an_k_gemm_naive(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha, const float *A,
                     int64_t lda, const float *B, int64_t ldb, float beta, float *C, int64_t ldc);

#endif
