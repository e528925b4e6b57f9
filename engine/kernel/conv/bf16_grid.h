/* bf16_grid: an image between zeros, rounded to bf16, in the form in which a convolution is a sum
 * of products of shifted matrices.
 *
 * A grid with `step` > 1 is cut into phases: phase (r, c) has every step-th line from r on, and of
 * it every step-th position from c on. All positions that a kernel of that stride meets with one of
 * its taps are then neighbours in one phase, and the tap is a constant distance. Positions are
 * counted through the lines of a phase, so a block of 16 may begin in one line and end in the next;
 * what it computes at the zeros between them is not stored. */
#ifndef AN_KERNEL_CONV_BF16_GRID_H
#define AN_KERNEL_CONV_BF16_GRID_H

#include <stdint.h>

#include "kernel/conv/conv_shape.h"

typedef struct {
    int64_t h, w, C;    /* of the image (h,w,C), channels-last                                */
    int64_t step;       /* of the phases in the image                                         */
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
    return u % g->step * g->side + v % g->step;
}

static inline int64_t an_bf16_shift_of(const an_bf16_grid *g, int64_t u, int64_t v)
{
    return u / g->step * g->W + v / g->step;
}

/* The grid of a convolution's input, with one line of zeros between two lines of an image for each
 * tap beyond the first. */
an_bf16_grid an_bf16_input_grid(const an_conv_shape *s);

/* to (phases, H, W, C) ← an image. */
void an_k_bf16_grid(uint16_t *to, const float *image, const an_bf16_grid *g);

/* The part of line `line` of a phase that comes from the image: positions lo … hi−1 (none if
 * hi ≤ lo), step·C floats apart. */
typedef struct {
    const float *from; /* the first of them */
    int64_t lo, hi;
} an_bf16_part;

an_bf16_part an_bf16_inside(const float *image, const an_bf16_grid *g, int64_t phase, int64_t line);

#endif
