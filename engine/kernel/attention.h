/* attention: softmax(q·kᵀ/√d)·v per head (1706.03762), for few queries and up to some
 * hundreds of keys, when several query batches look at the same keys: query batch row i
 * reads key batch row i / repeat, so M noise draws of one image share its keys.
 *
 * A (key batch row, head) pair is one thread's, which makes dk and dv its own and the
 * result independent of the thread count. Keys are read in tiles of 32, transposed on
 * the stack, so that the inner loops run over keys. Cost: 4·Bq·Lq·Lk·D forward, 10·
 * backward; no memory but the probabilities. */
#ifndef AN_KERNEL_ATTENTION_H
#define AN_KERNEL_ATTENTION_H

#include <stdint.h>

#define AN_ATTENTION_WIDTH 256   /* the widest head */

typedef struct {
    int64_t Bk, repeat;   /* key batch rows; query batch rows Bq = Bk·repeat */
    int64_t Lq, Lk;       /* query and key tokens, ≥ 1                      */
    int64_t heads, d;     /* model width D = heads·d, d ≤ AN_ATTENTION_WIDTH */
} an_attention_shape;

/* out (Bq, Lq, D) and p (Bq, heads, Lq, Lk) from q (Bq, Lq, D), k and v (Bk, Lk, D). */
void an_k_attention_forward(float *out, float *p, const float *q, const float *k,
                            const float *v, const an_attention_shape *shape);

/* dq, dk, dv += …, any of them NULL where not wanted; dout and out (Bq, Lq, D), p as the
 * forward left it. */
void an_k_attention_backward(float *dq, float *dk, float *dv, const float *dout,
                             const float *out, const float *p, const float *q, const float *k,
                             const float *v, const an_attention_shape *shape);

/* map (Bq, Lq, Lk): p averaged over the heads. */
void an_k_attention_map(float *map, const float *p, const an_attention_shape *shape);

#endif
