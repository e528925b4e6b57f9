/* conv_shape: see conv_shape.h. */
#include "kernel/conv/conv_shape.h"

#include "base/assert.h"

an_conv_shape an_k_conv_shape(int64_t B, int64_t H, int64_t W, int64_t C, int64_t O, int64_t kh,
                              int64_t kw, int64_t stride, int64_t pad)
{
    AN_ASSERT(stride >= 1 && pad >= 0);
    int64_t free_y = H + 2 * pad - kh, free_x = W + 2 * pad - kw;
    return (an_conv_shape){
        .B = B,
        .batch = B,
        .H = H,
        .W = W,
        .C = C,
        .O = O,
        .kh = kh,
        .kw = kw,
        .stride = stride,
        .pad_y = pad,
        .pad_x = pad,
        .Ho = free_y < 0 ? 0 : free_y / stride + 1,
        .Wo = free_x < 0 ? 0 : free_x / stride + 1,
    };
}
