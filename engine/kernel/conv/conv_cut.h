/* conv_cut: the weight gradient of a convolution by slices of the batch (base/ranks/cut.h), in two
 * calls: between them the caller computes the data gradient, while the sum travels to rank 0. */
#ifndef AN_KERNEL_CONV_CONV_CUT_H
#define AN_KERNEL_CONV_CONV_CUT_H

#include "base/ranks/cut.h"
#include "kernel/common/carve.h"
#include "kernel/conv/conv.h"

typedef struct {
    an_carve scratch;
    float *sum, *other; /* (O,C,kh,kw) each */
    int64_t n;
    bool shared;
} an_conv_cut;

/* Sums this rank's slices of dy and x, whose cut has a grain, and begins to send the result. s: the
 * shape of this rank's images. AN_ENOMEM: call nothing else. */
an_code an_k_conv_cut_start(an_conv_cut *job, const void *dy, const void *x, const an_conv_shape *s,
                            const an_cut *cut);
/* dw += the sum over the whole batch, on rank 0; on other ranks dw stays. */
void an_k_conv_cut_finish(an_conv_cut *job, float *dw);

#endif
