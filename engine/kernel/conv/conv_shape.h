/* conv_shape: the sizes of a convolution, for conv.h and its algorithms. */
#ifndef AN_KERNEL_CONV_CONV_SHAPE_H
#define AN_KERNEL_CONV_CONV_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t B, H, W, C; /* the input                                        */
    int64_t O, kh, kw;  /* the kernels                                      */
    int64_t stride, pad_y, pad_x;
    int64_t Ho, Wo; /* the output: floor((H + 2·pad − kh)/stride) + 1   */
    int64_t batch;  /* images of the whole batch, of which B are here. It selects the algorithm
                       it, so that an image has the same bits in each part of a batch */
    bool narrow;    /* x, y and their gradients are bf16, not float32           */
} an_conv_shape;

/* Also computes Ho and Wo; batch is B, and numbers are float32. Ho or Wo is < 1 if the kernel does
 * not fit in the padded image; no function of conv.h may then be called. stride ≥ 1, pad ≥ 0. */
an_conv_shape an_k_conv_shape(int64_t B, int64_t H, int64_t W, int64_t C, int64_t O, int64_t kh,
                              int64_t kw, int64_t stride, int64_t pad);

#endif
