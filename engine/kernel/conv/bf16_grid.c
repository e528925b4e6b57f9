/* bf16_grid: see bf16_grid.h. */
#include "kernel/conv/bf16_grid.h"

#include <string.h>

#include "base/integer.h"
#include "kernel/common/bf16_round.h"

an_bf16_grid an_bf16_input_grid(const an_conv_shape *s)
{
    return (an_bf16_grid){.h = s->H,
                          .w = s->W,
                          .C = s->C,
                          .step = s->stride,
                          .down = an_min(s->stride, s->kh),
                          .side = an_min(s->stride, s->kw),
                          .top = -s->pad_y,
                          .left = -s->pad_x,
                          .H = s->Ho + (s->kh - 1) / s->stride,
                          .W = an_round_up(s->Wo + (s->kw - 1) / s->stride, 2)};
}

an_bf16_part an_bf16_inside(const float *image, const an_bf16_grid *g, int64_t phase, int64_t line)
{
    int64_t i = line * g->step + phase / g->side + g->top;
    int64_t left = phase % g->side + g->left; /* of position 0 */
    an_bf16_part p = {image, 0, 0};
    if (i < 0 || i >= g->h || left >= g->w)
        return p;
    p.lo = left < 0 ? an_div_up(-left, g->step) : 0;
    p.hi = an_min(g->W, an_div_up(g->w - left, g->step));
    p.from = image + (i * g->w + left + p.lo * g->step) * g->C;
    return p;
}

void an_k_bf16_grid(uint16_t *to, const float *image, const an_bf16_grid *g)
{
    int64_t line = g->W * g->C;
    for (int64_t phase = 0; phase < g->down * g->side; phase++)
        for (int64_t i = 0; i < g->H; i++, to += line) {
            an_bf16_part p = an_bf16_inside(image, g, phase, i);
            if (p.hi <= p.lo) {
                memset(to, 0, sizeof *to * (size_t)line);
                continue;
            }
            memset(to, 0, sizeof *to * (size_t)(p.lo * g->C));
            if (g->step == 1)
                an_bf16_round(to + p.lo * g->C, p.from, (p.hi - p.lo) * g->C);
            else
                for (int64_t j = p.lo; j < p.hi; j++)
                    an_bf16_round(to + j * g->C, p.from + (j - p.lo) * g->step * g->C, g->C);
            memset(to + p.hi * g->C, 0, sizeof *to * (size_t)((g->W - p.hi) * g->C));
        }
}
