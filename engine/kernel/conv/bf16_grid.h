/* bf16_grid: an image padded with zeros and rounded to bf16, laid out so that a convolution is a
 * sum of products of shifted matrices.
 *
 * A grid with a step above 1 is cut into phases: phase (r, c) contains every step-th line from r on
 * and, of each, every step-th position from c on. All positions that one tap of a kernel of that
 * stride reads are then neighbours in one phase, and the tap is a constant distance. Where they
 * need not be neighbours in memory (conv_bf16.c), lines are not cut: outputs are then step·C
 * numbers apart. Positions are counted through the lines of a phase, so a block of 16 may begin in
 * one line and end in the next; what it computes at the zeros between them is not stored. With a
 * step of 1 the grids of consecutive images form one long image, whose zeros are shared by
 * neighbours: those after a line are those before the next line, and likewise for images. */
#ifndef AN_KERNEL_CONV_BF16_GRID_H
#define AN_KERNEL_CONV_BF16_GRID_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/conv/conv_shape.h"

typedef struct {
    int64_t h, w, C;    /* of the image (h,w,C), channels-last                                */
    int64_t step;       /* of the lines of a phase in the image                               */
    int64_t step_x;     /* of the positions of a line in the image                            */
    int64_t down, side; /* phases in each direction: 1 … step                                 */
    int64_t top, left;  /* line and position in the image where phase (0, 0) begins; may be < 0 */
    int64_t H, W;       /* lines of a phase, and positions of a line; W is even               */
} an_bf16_grid;

/* Positions of all phases of an image. */
static inline int64_t an_bf16_positions(const an_bf16_grid *g)
{
    return g->down * g->side * g->H * g->W;
}

/* A tap (u, v) is in one phase, counted by lines and then by columns, at a constant distance. */
static inline int64_t an_bf16_phase_of(const an_bf16_grid *g, int64_t u, int64_t v)
{
    return u % g->step * g->side + v % g->step_x;
}

static inline int64_t an_bf16_shift_of(const an_bf16_grid *g, int64_t u, int64_t v)
{
    return u / g->step * g->W + v / g->step_x;
}

/* The grid of a convolution's input: cut into phases, with an even W, or with uncut lines of
 * `stride` positions per output. The last grid of several is followed by an_bf16_tail() positions
 * of zeros. */
an_bf16_grid an_bf16_input_grid(const an_conv_shape *s);
an_bf16_grid an_bf16_input_lines(const an_conv_shape *s);

/* Lines and positions that grids of a convolution of stride 1 share with the next one: those of the
 * padding, where it is the same on both sides of an image. */
static inline int64_t an_bf16_shared(int64_t stride, int64_t kernel, int64_t pad)
{
    return stride == 1 && kernel == 2 * pad + 1 ? pad : 0;
}

static inline int64_t an_bf16_tail(const an_bf16_grid *g, const an_conv_shape *s)
{
    return an_bf16_shared(s->stride, s->kh, s->pad_y) * g->W +
           an_bf16_shared(s->stride, s->kw, s->pad_x);
}

/* to (phases, H, W, C) ← an image of float32, or of bf16 if `narrow`. */
void an_k_bf16_grid(uint16_t *to, const void *image, bool narrow, const an_bf16_grid *g);

/* to ← n numbers from `from` on, float32, or bf16 if `narrow`. */
void an_bf16_copy(uint16_t *to, const void *numbers, bool narrow, int64_t from, int64_t n);

/* The part of line `line` of a phase that comes from the image: positions lo … hi−1 (none if
 * hi ≤ lo), step_x·C numbers apart. */
typedef struct {
    int64_t from; /* of the first of them in the image, in numbers */
    int64_t lo, hi;
} an_bf16_part;

an_bf16_part an_bf16_inside(const an_bf16_grid *g, int64_t phase, int64_t line);

#endif
