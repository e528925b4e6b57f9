/* candidates: a row of K class values as C candidates and one value for all other classes, the rest
 * (METHOD §5). index (B, C+1) lists the candidates of an image in ascending order, then K. Row r of
 * `rows` belongs to image r / (rows / B). 1 ≤ C < K. Every loop is O(rows·K). */
#ifndef AN_KERNEL_POINTWISE_CANDIDATES_H
#define AN_KERNEL_POINTWISE_CANDIDATES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t rows, images, K, C;
} an_candidates_shape;

/* A share is never 0: each p_j counts as p_j + this, so that its logarithm is finite. */
#define AN_SHARE_FLOOR 1e-12

/* index ← the C classes of each image with the largest score (images, K); of equal scores the lower
 * class. NaN counts as the lowest score. */
void an_k_candidates_choose(int64_t *index, const float *score, const an_candidates_shape *s);

/* y (rows, C+1): x (rows, K) at the candidates, then `scale` times the sum over the rest. */
void an_k_candidates_gather(float *y, const float *x, const int64_t *index, double scale,
                            const an_candidates_shape *s);
/* Adds to dx (rows, K). */
void an_k_candidates_gather_backward(float *dx, const float *dy, const int64_t *index, double scale,
                                     const an_candidates_shape *s);

/* y (rows, K): x (rows, C+1) at the candidates. With S = Σ_rest p, p (images, K) ≥ 0, a class j of
 * the rest gets x_rest·p_j/S, or x_rest + ln(p_j/S) if the values are logits. */
void an_k_candidates_spread(float *y, const float *x, const float *p, const int64_t *index,
                            bool logits, const an_candidates_shape *s);
/* Adds to dx (rows, C+1) and to dp (images, K); either may be NULL. */
void an_k_candidates_spread_backward(float *dx, float *dp, const float *dy, const float *x,
                                     const float *p, const int64_t *index, bool logits,
                                     const an_candidates_shape *s);

/* to (rows, K, N): from (rows, C+1, N) at the candidates, the rest's row at every other class. */
void an_k_candidates_copy(float *to, const float *from, const int64_t *index, int64_t N,
                          const an_candidates_shape *s);

#endif
