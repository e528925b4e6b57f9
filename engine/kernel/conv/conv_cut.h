/* conv_cut: the weight gradient of a convolution by slices of the batch (base/ranks/cut.h), in two
 * calls. Between them the caller computes the data gradient while the sum is sent to rank 0. */
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

/* Sums this rank's slices of dy and x and begins to send the result. The cut must have a grain; s
 * is the shape of this rank's images. After AN_ENOMEM, do not call finish. */
an_code an_k_conv_cut_start(an_conv_cut *job, const void *dy, const void *x, const an_conv_shape *s,
                            const an_cut *cut);
/* On rank 0: dw += the sum over the whole batch. On other ranks dw is unchanged. */
void an_k_conv_cut_finish(an_conv_cut *job, float *dw);

#endif
