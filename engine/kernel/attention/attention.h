/* attention: softmax(q·kᵀ/√d)·v per head (Vaswani et al., 1706.03762, eq. 1), for a few queries and
 * up to some hundreds of keys. Several query batch rows share their keys: query batch row i attends
 * to key batch row i / repeat, so that the M noise draws of an image share its keys.
 *
 * One thread computes each pair of (key batch row, head) and is the only one to write its dk and
 * dv, so the result does not depend on the number of threads. The weights of a pair have one query
 * per column: the softmax runs down the columns, 16 queries at once, and every product is one of
 * the loops of kernel/matmul/microkernel.h. The weights are not kept: the backward pass recomputes
 * them while the pair is in the L1 cache, which is faster than reading them from memory (Dao et
 * al., 2205.14135). Cost: 4·Bq·Lq·Lk·D operations forward, 10· backward. */
#ifndef AN_KERNEL_ATTENTION_ATTENTION_H
#define AN_KERNEL_ATTENTION_ATTENTION_H

#include <stdint.h>

#include "base/err.h"

#define AN_ATTENTION_WIDTH 256 /* the widest head */

typedef struct {
    int64_t Bk, repeat; /* key batch rows; query batch rows Bq = Bk·repeat */
    int64_t Lq, Lk;     /* query and key tokens                            */
    int64_t heads, d;   /* model width D = heads·d, d ≤ AN_ATTENTION_WIDTH */
} an_attention_shape;   /* all ≥ 1 */

/* out (Bq, Lq, D) from q (Bq, Lq, D), k and v (Bk, Lk, D), all contiguous; out overlaps none of
 * them. AN_ENOMEM without scratch memory, also from the two functions below. */
an_code an_k_attention_forward(float *out, const float *q, const float *k, const float *v,
                               const an_attention_shape *shape);

/* The gradients of q, k and v; NULL: not computed. beta 0: overwritten without being read, 1: added
 * to. If q and k (or v) are the same array, their gradients may be too, with beta 1. */
typedef struct {
    float *dq, *dk, *dv, beta_q, beta_k, beta_v;
} an_attention_grads;

/* dout (Bq, Lq, D) is the gradient of out; q, k, v as in the forward pass. */
an_code an_k_attention_backward(const an_attention_grads *g, const float *dout, const float *q,
                                const float *k, const float *v, const an_attention_shape *shape);

/* map (Bq, Lq, Lk): the weights averaged over the heads. */
an_code an_k_attention_map(float *map, const float *q, const float *k,
                           const an_attention_shape *shape);

/* All heads of some queries that share Lk keys. Rows of q (queries, D) are ldq floats apart, rows
 * of k and v (Lk, D) ldk; D = heads·d ≤ ldq, ldk. All sizes ≥ 1. */
typedef struct {
    const float *q, *k, *v;
    int64_t ldq, ldk, queries, Lk, heads, d;
} an_attend;

int64_t an_k_attend_scratch(int64_t Lk, int64_t d); /* floats of `scratch` below */

/* out (queries, D), rows ldo ≥ D floats apart, on the calling thread, without allocation. */
void an_k_attend(float *out, int64_t ldo, const an_attend *a, float *scratch);

#endif
