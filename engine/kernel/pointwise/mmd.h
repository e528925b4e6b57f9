/* mmd: the squared maximum mean discrepancy (Gretton et al., JMLR 13, 2012) between the
 * rows of a and of b, with a mean of RBF kernels k(x, y) = 1/n Σ_i exp(−‖x−y‖²/(2·h_i)):
 *
 *     biased    1/B² Σ_ij [k(a_i,a_j) + k(b_i,b_j) − 2·k(a_i,b_j)]            (their eq. 5)
 *     unbiased  the same without i = j in the first two terms, over B·(B−1)   (eq. 3)
 *
 * Each row is compared with all others, in tiles: O(B²·K) time and O(B·K) memory, without a B×B
 * matrix. If only one set needs a gradient, pairs across the sets are computed from its rows only.
 * One thread computes a row; rows are added in order, in double. */
#ifndef AN_KERNEL_POINTWISE_MMD_H
#define AN_KERNEL_POINTWISE_MMD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define AN_MMD_KERNELS 8

typedef struct {
    int n;                             /* kernels, 1 … AN_MMD_KERNELS                    */
    double multiplier[AN_MMD_KERNELS]; /* h_i = base·multiplier_i, > 0                   */
    double base;                       /* ≤ 0: 2K, which is E‖x−y‖² of two N(0, I_K)     */
    bool unbiased;                     /* requires B ≥ 2; the value may be negative      */
} an_mmd_args;

/* *value = MMD²(a, b); a and b (B, K), B and K ≥ 1. ga and gb (B, K) are overwritten with its
 * gradients; NULL: not computed. Value and gradient share every exponential, so one pass computes
 * both. AN_ENOMEM without scratch memory for about 2·B·K floats. */
an_code an_k_mmd(double *value, float *ga, float *gb, const float *a, const float *b, int64_t B,
                 int64_t K, const an_mmd_args *args);

#endif
