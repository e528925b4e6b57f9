/* conv: selects the algorithm of a convolution by its sizes alone: Winograd's for 3×3 kernels of
 * stride 1 (winograd.h) and 2 (winograd_stride2.h) where they fit, patches for very few channels
 * (conv_patches.h), otherwise directly from the images (conv_direct.h).
 *
 * In bf16 with AMX, conv_bf16.h computes all sizes that fit it. Without AMX two kinds still use
 * float32: Winograd's algorithm of stride 1, which can read and write bf16 and saves more than
 * AVX512_BF16 does, and the tiny ones of conv_widened.h. */
#include "kernel/conv/conv.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/precision.h"
#include "kernel/common/overlap.h"
#include "kernel/conv/conv_bf16.h"
#include "kernel/conv/conv_direct.h"
#include "kernel/conv/conv_patches.h"
#include "kernel/conv/conv_widened.h"
#include "kernel/conv/winograd.h"
#include "kernel/conv/winograd_stride2.h"

/* The size of n numbers of x or y, in floats. */
static int64_t floats(const an_conv_shape *s, int64_t n)
{
    return s->narrow ? (n + 1) / 2 : n;
}

static int64_t input_floats(const an_conv_shape *s)
{
    return floats(s, s->B * s->H * s->W * s->C);
}

static int64_t output_floats(const an_conv_shape *s)
{
    return floats(s, s->B * s->Ho * s->Wo * s->O);
}

static int64_t weight_floats(const an_conv_shape *s)
{
    return s->O * s->C * s->kh * s->kw;
}

/* Whether maps are stored as bf16, or factors may be rounded to it. */
static bool allows_bf16(const an_conv_shape *s)
{
    return s->narrow || an_precision_now() == AN_PRECISION_BF16;
}

/* Whether Winograd's algorithm for stride 1 computes a convolution. */
static bool is_winograd(const an_conv_shape *s)
{
    return !(allows_bf16(s) && an_bf16_unit_now() == AN_BF16_AMX) && an_k_winograd_fits(s);
}

/* Whether conv_bf16.h, if it `fits`, computes one that Winograd's does not. */
static bool is_bf16(const an_conv_shape *s, bool fits)
{
    return allows_bf16(s) && fits && (an_bf16_unit_now() == AN_BF16_AMX || !an_k_conv_is_tiny(s));
}

/* The shape is what an_k_conv_shape() computes from its first nine fields, and the kernel fits. */
static bool is_consistent(const an_conv_shape *s)
{
    if (s->B < 0 || s->batch < s->B)
        return false;
    if (s->C < 1 || s->O < 1 || s->kh < 1 || s->kw < 1 || s->stride < 1)
        return false;
    return s->pad_y >= 0 && s->pad_x >= 0 && s->Ho >= 1 && s->Wo >= 1 &&
           s->Ho == (s->H + 2 * s->pad_y - s->kh) / s->stride + 1 &&
           s->Wo == (s->W + 2 * s->pad_x - s->kw) / s->stride + 1;
}

bool an_k_conv_narrow_fits(const an_conv_shape *s, bool data)
{
    return an_k_conv_bf16_fits(s) && (!data || an_k_conv_bf16_data_fits(s));
}

an_code an_k_conv_forward(void *y, const void *x, const float *w, const float *b,
                          const an_conv_shape *s)
{
    AN_ASSERT(y && x && w);
    AN_ASSERT(is_consistent(s));
    AN_ASSERT(an_disjoint(y, output_floats(s), x, input_floats(s)) &&
              an_disjoint(y, output_floats(s), w, weight_floats(s)) &&
              an_disjoint(y, output_floats(s), b, s->O));
    if (is_winograd(s))
        return an_k_winograd_forward(y, x, w, false, b, false, s);
    if (is_bf16(s, an_k_conv_bf16_fits(s)))
        return an_k_conv_bf16_forward(y, x, w, b, s);
    if (s->narrow)
        return an_k_conv_widened_forward(an_k_conv_forward, y, x, w, b, s);
    if (an_k_winograd_stride2_fits(s))
        return an_k_winograd_stride2_forward(y, x, w, b, s);
    if (an_k_conv_patches_fit(s))
        return an_k_conv_patches_forward(y, x, w, b, s);
    return an_k_conv_direct_forward(y, x, w, b, s);
}

/* The convolution that maps dy to dx at stride 1: input and output are exchanged, and the padding
 * is kernel − 1 − pad (negative, a crop, if pad ≥ kernel). */
static an_conv_shape transposed(const an_conv_shape *s)
{
    return (an_conv_shape){
        .B = s->B,
        .batch = s->batch,
        .H = s->Ho,
        .W = s->Wo,
        .C = s->O,
        .O = s->C,
        .kh = s->kh,
        .kw = s->kw,
        .stride = 1,
        .pad_y = s->kh - 1 - s->pad_y,
        .pad_x = s->kw - 1 - s->pad_x,
        .Ho = s->H,
        .Wo = s->W,
        .narrow = s->narrow,
    };
}

an_code an_k_conv_backward_data(void *dx, const void *dy, const float *w, float beta,
                                const an_conv_shape *s)
{
    AN_ASSERT(dx && dy && w);
    AN_ASSERT(is_consistent(s));
    AN_ASSERT(an_disjoint(dx, input_floats(s), dy, output_floats(s)) &&
              an_disjoint(dx, input_floats(s), w, weight_floats(s)));
    AN_ASSERT(beta == 0 || beta == 1);
    an_conv_shape back = transposed(s);
    if (s->stride == 1 && is_winograd(&back))
        return an_k_winograd_forward(dx, dy, w, true, NULL, beta != 0, &back);
    if (is_bf16(s, an_k_conv_bf16_data_fits(s)))
        return an_k_conv_bf16_data(dx, dy, w, beta != 0, s);
    if (s->narrow)
        return an_k_conv_widened_data(an_k_conv_backward_data, dx, dy, w, beta, s);
    if (an_k_winograd_stride2_fits(s))
        return an_k_winograd_stride2_data(dx, dy, w, beta != 0, s);
    if (an_k_conv_patches_fit(s))
        return an_k_conv_patches_data(dx, dy, w, beta != 0, s);
    return an_k_conv_direct_data(dx, dy, w, beta, s);
}

an_code an_k_conv_backward_weight(float *dw, const void *dy, const void *x, const an_conv_shape *s)
{
    AN_ASSERT(dw && dy && x);
    AN_ASSERT(is_consistent(s));
    AN_ASSERT(an_disjoint(dw, weight_floats(s), dy, output_floats(s)) &&
              an_disjoint(dw, weight_floats(s), x, input_floats(s)));
    if (is_winograd(s))
        return an_k_winograd_weight(dw, dy, x, s);
    if (is_bf16(s, an_k_conv_bf16_fits(s)))
        return an_k_conv_bf16_weight(dw, dy, x, s);
    if (s->narrow)
        return an_k_conv_widened_weight(an_k_conv_backward_weight, dw, dy, x, s);
    if (an_k_conv_patches_fit(s))
        return an_k_conv_patches_weight(dw, dy, x, s);
    return an_k_conv_direct_weight(dw, dy, x, s);
}
