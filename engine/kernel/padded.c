/* padded: see padded.h. */
#include "kernel/padded.h"

#include <string.h>

#include "base/par.h"

enum { FEW_CHANNELS = 4 };

bool an_k_padded_pays(const an_conv_shape *s)
{
    return s->C <= FEW_CHANNELS && s->kw > 1;
}

an_conv_shape an_k_padded_shape(const an_conv_shape *s)
{
    an_conv_shape p = *s;
    p.H = (s->Ho - 1) * s->stride + s->kh;
    p.W = (s->Wo - 1) * s->stride + s->kw;
    p.pad_y = p.pad_x = 0;
    return p;
}

void an_k_pad(float *to, const float *x, const an_conv_shape *s, const an_conv_shape *p)
{
    size_t line = sizeof(float) * (size_t)(p->W * p->C);
    int64_t width = p->W - s->pad_x < s->W ? p->W - s->pad_x : s->W;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t row = 0; row < s->B * p->H; row++) {
        int64_t b = row / p->H, i = row % p->H - s->pad_y;
        float *line_to = to + row * p->W * p->C;
        memset(line_to, 0, line);
        if (i >= 0 && i < s->H && width > 0)
            memcpy(line_to + s->pad_x * s->C, x + (b * s->H + i) * s->W * s->C,
                   sizeof(float) * (size_t)(width * s->C));
    }
}
