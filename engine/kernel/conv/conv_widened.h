/* conv_widened: convolutions of maps stored as bf16 by the float32 algorithms: the input is widened
 * and the output rounded, both in scratch memory. For images with fewer positions than the kernel
 * has taps: there conv_direct.h skips the taps outside the image, while conv_bf16.h multiplies
 * zeros.
 *
 * Shapes and errors as in conv.h; s->narrow. The first argument is the function of conv.h that
 * computes the same in float32. Internal to conv.c. */
#ifndef AN_KERNEL_CONV_CONV_WIDENED_H
#define AN_KERNEL_CONV_CONV_WIDENED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "kernel/conv/conv_shape.h"

/* Fewer output positions than taps. */
static inline bool an_k_conv_is_tiny(const an_conv_shape *s)
{
    return s->Ho * s->Wo < s->kh * s->kw;
}

typedef an_code an_conv_forward(void *y, const void *x, const float *w, const float *b,
                                const an_conv_shape *s);
typedef an_code an_conv_data(void *dx, const void *dy, const float *w, float beta,
                             const an_conv_shape *s);
typedef an_code an_conv_weight(float *dw, const void *dy, const void *x, const an_conv_shape *s);

an_code an_k_conv_widened_forward(an_conv_forward *wide, uint16_t *y, const uint16_t *x,
                                  const float *w, const float *b, const an_conv_shape *s);
an_code an_k_conv_widened_data(an_conv_data *wide, uint16_t *dx, const uint16_t *dy, const float *w,
                               float beta, const an_conv_shape *s);
an_code an_k_conv_widened_weight(an_conv_weight *wide, float *dw, const uint16_t *dy,
                                 const uint16_t *x, const an_conv_shape *s);

#endif
