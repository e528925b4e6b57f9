/* attention: softmax(q·kᵀ/√d)·v per head (1706.03762), for few queries and up to some
 * hundreds of keys, when several query batches look at the same keys: query batch row i
 * reads key batch row i / repeat, so M noise draws of one image share its keys.
 *
 * A (key batch row, head) pair is one thread's, which makes dk and dv its own and the
 * result independent of the thread count. A pair's weights have a query per column: then
 * softmax runs down the columns, 16 queries at once, and all products are those of a block
 * (block.h). Nobody keeps them: the backward pass makes them again while it has a pair in the
 * nearest cache, for less than reading them back would cost (2205.14135). Cost:
 * 4·Bq·Lq·Lk·D forward, 10· backward. */
#ifndef AN_KERNEL_ATTENTION_ATTENTION_H
#define AN_KERNEL_ATTENTION_ATTENTION_H

#include <stdint.h>

#include "base/err.h"

#define AN_ATTENTION_WIDTH 256 /* the widest head */

typedef struct {
    int64_t Bk, repeat; /* key batch rows; query batch rows Bq = Bk·repeat */
    int64_t Lq, Lk;     /* query and key tokens, ≥ 1                      */
    int64_t heads, d;   /* model width D = heads·d, d ≤ AN_ATTENTION_WIDTH */
} an_attention_shape;

/* out (Bq, Lq, D) from q (Bq, Lq, D), k and v (Bk, Lk, D). AN_ENOMEM (scratch), as the others. */
an_code an_k_attention_forward(float *out, const float *q, const float *k, const float *v,
                               const an_attention_shape *shape);

/* Where gradients go, NULL where not wanted. beta 0: overwritten without being read, 1: added to.
 */
typedef struct {
    float *dq, *dk, *dv, beta_q, beta_k, beta_v;
} an_attention_grads;

/* dout (Bq, Lq, D). */
an_code an_k_attention_backward(const an_attention_grads *g, const float *dout, const float *q,
                                const float *k, const float *v, const an_attention_shape *shape);

/* map (Bq, Lq, Lk): the weights averaged over the heads. */
an_code an_k_attention_map(float *map, const float *q, const float *k,
                           const an_attention_shape *shape);

/* All heads of some queries that share Lk keys, on the calling thread, keeping nothing:
 * out (queries, heads·d) with row length ldo from q with row length ldq, k and v with ldk. */
typedef struct {
    const float *q, *k, *v;
    int64_t ldq, ldk, queries, Lk, heads, d;
} an_attend;

int64_t an_k_attend_scratch(int64_t Lk, int64_t d); /* numbers it wants */
void an_k_attend(float *out, int64_t ldo, const an_attend *a, float *scratch);

#endif
