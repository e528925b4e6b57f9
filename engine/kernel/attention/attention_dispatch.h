/* attention_dispatch: the attention of one head, compiled once per vector width from
 * attention_body.h. Internal to attention*.c. */
#ifndef AN_KERNEL_ATTENTION_ATTENTION_DISPATCH_H
#define AN_KERNEL_ATTENTION_ATTENTION_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/matmul/microkernel_dispatch.h"

enum { AN_QUERY_BLOCK = 32 }; /* queries processed together, at most */

/* At most AN_QUERY_BLOCK queries of one head that share their keys. */
typedef struct {
    const float *q, *k, *v;
    int64_t ldq, ldk, queries, Lk, d;
    float scale;    /* of the scores: 1/√d                                                  */
    float *scratch; /* (d + 2·Lk, AN_QUERY_BLOCK): q or dout transposed, the weights p, and
                       dS, which only the backward pass uses: otherwise d + Lk rows suffice   */
    an_prefetch *prefetch; /* or NULL */
} an_attention_job;

/* Rows of dout and dq are ldq floats apart, those of dk and dv ldk; NULL: not computed. add_…: adds
 * to the array instead of overwriting it. */
typedef struct {
    const float *dout;
    float *dq, *dk, *dv;
    bool add_q, add_k, add_v;
} an_attention_gradients;

typedef struct {
    const float *(*weights)(const an_attention_job *a); /* p (Lk, AN_QUERY_BLOCK), in the scratch */
    void (*attend)(float *out, int64_t ldo, const an_attention_job *a);
    void (*backward)(const an_attention_job *a, const an_attention_gradients *g);
} an_attention_loops;

extern const an_attention_loops an_micro_baseline_attention;
#ifdef AN_SIMD_X86
extern const an_attention_loops an_micro_avx2_attention, an_micro_avx512_attention;
#endif

#endif
