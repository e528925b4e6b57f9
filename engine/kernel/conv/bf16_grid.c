/* bf16_grid: see bf16_grid.h. */
#include "kernel/conv/bf16_grid.h"

#include <string.h>

#include "base/integer.h"
#include "kernel/common/bf16_round.h"

/* Positions that the taps of a line of outputs, `stride` apart, reach. */
static int64_t across(const an_conv_shape *s)
{
    return s->Wo + (s->kw - 1) / s->stride - an_bf16_shared(s->stride, s->kw, s->pad_x);
}

an_bf16_grid an_bf16_input_grid(const an_conv_shape *s)
{
    int64_t shared = an_bf16_shared(s->stride, s->kh, s->pad_y);
    return (an_bf16_grid){.h = s->H,
                          .w = s->W,
                          .C = s->C,
                          .step = s->stride,
                          .step_x = s->stride,
                          .down = an_min(s->stride, s->kh),
                          .side = an_min(s->stride, s->kw),
                          .top = -s->pad_y,
                          .left = -s->pad_x,
                          .H = s->Ho + (s->kh - 1) / s->stride - shared,
                          .W = an_round_up(across(s), 2)};
}

an_bf16_grid an_bf16_input_lines(const an_conv_shape *s)
{
    an_bf16_grid g = an_bf16_input_grid(s);
    g.step_x = g.side = 1;
    g.W = across(s) * s->stride;
    return g;
}

an_bf16_part an_bf16_inside(const an_bf16_grid *g, int64_t phase, int64_t line)
{
    int64_t i = line * g->step + phase / g->side + g->top;
    int64_t left = phase % g->side + g->left; /* of position 0 */
    an_bf16_part p = {0, 0, 0};
    if (i < 0 || i >= g->h || left >= g->w)
        return p;
    p.lo = left < 0 ? an_div_up(-left, g->step_x) : 0;
    p.hi = an_min(g->W, an_div_up(g->w - left, g->step_x));
    p.from = (i * g->w + left + p.lo * g->step_x) * g->C;
    return p;
}

void an_bf16_copy(uint16_t *to, const void *image, bool narrow, int64_t from, int64_t n)
{
    if (narrow)
        memcpy(to, (const uint16_t *)image + from, sizeof *to * (size_t)n);
    else
        an_bf16_round(to, (const float *)image + from, n);
}

void an_k_bf16_grid(uint16_t *to, const void *image, bool narrow, const an_bf16_grid *g)
{
    int64_t line = g->W * g->C;
    for (int64_t phase = 0; phase < g->down * g->side; phase++)
        for (int64_t i = 0; i < g->H; i++, to += line) {
            an_bf16_part p = an_bf16_inside(g, phase, i);
            if (p.hi <= p.lo) {
                memset(to, 0, sizeof *to * (size_t)line);
                continue;
            }
            memset(to, 0, sizeof *to * (size_t)(p.lo * g->C));
            if (g->step_x == 1)
                an_bf16_copy(to + p.lo * g->C, image, narrow, p.from, (p.hi - p.lo) * g->C);
            else
                for (int64_t j = p.lo; j < p.hi; j++)
                    an_bf16_copy(to + j * g->C, image, narrow,
                                 p.from + (j - p.lo) * g->step_x * g->C, g->C);
            memset(to + p.hi * g->C, 0, sizeof *to * (size_t)((g->W - p.hi) * g->C));
        }
}
