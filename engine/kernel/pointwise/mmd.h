/* mmd: the squared maximum mean discrepancy (Gretton et al., JMLR 13, 2012) between the
 * rows of a and of b, with a mean of RBF kernels k(x, y) = 1/n Σ_i exp(−‖x−y‖²/(2·h_i)):
 *
 *     biased    1/B² Σ_ij [k(a_i,a_j) + k(b_i,b_j) − 2·k(a_i,b_j)]            (their eq. 5)
 *     unbiased  the same without i = j in the first two terms, over B·(B−1)   (eq. 3)
 *
 * Each row meets all the others once, in tiles: O(B²·K) time and O(B·K) memory, never a
 * B×B matrix. Pairs across the sets are met from the side that wants a gradient, where one
 * does not. A row is one thread's; rows are added in order, in double. */
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
    bool unbiased;                     /* wants B ≥ 2; may be negative                   */
} an_mmd_args;

/* *value = MMD²(a, b); a and b (B, K). ga and gb (B, K) [NULL where not wanted] receive,
 * not accumulate, its gradients: value and gradient share every exponential, so one pass
 * yields both. AN_ENOMEM if the scratch of about 2·B·K floats cannot be had. */
an_code an_k_mmd(double *value, float *ga, float *gb, const float *a, const float *b, int64_t B,
                 int64_t K, const an_mmd_args *args);

#endif
