/* conv_bf16_product: convolutions as sums over taps of products of a grid and packed weights.
 * Internal to conv_bf16*.c. */
#ifndef AN_KERNEL_CONV_CONV_BF16_PRODUCT_H
#define AN_KERNEL_CONV_CONV_BF16_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/integer.h"
#include "kernel/common/carve.h"
#include "kernel/conv/bf16_grid.h"
#include "kernel/matmul/bf16_tile.h"

/* Taps of one line of the kernel, which are neighbours in the grid: columns v, v + v_step, …,
 * `count` of them, each `in` numbers. */
typedef struct {
    int64_t u, v, v_step, count;
    int64_t at; /* of the first in the grid, in numbers */
} an_bf16_run;

/* The runs of one product; its output position (i, j) is at line i·apart + line, column
 * j·apart + column of an image. */
typedef struct {
    an_bf16_run *runs;
    int64_t run_count;
    int64_t *at, steps; /* of the tiles                                      */
    uint16_t *packed;   /* blocks of 16 channels, each `steps` packed blocks */
    int64_t line, column;
} an_bf16_product;

typedef struct {
    an_bf16_grid grid;
    int64_t in, out;        /* channels                                                    */
    int64_t w_in, w_out;    /* floats of w from one channel to the next                    */
    int64_t weights;        /* floats of w                                                 */
    int64_t kw;             /* floats of w from one line of the kernel to the next         */
    int64_t lines, columns; /* output positions of each product                            */
    int64_t apart;
    int64_t ahead;         /* numbers in the grid from one output position to the next     */
    int64_t across;        /* output positions in a line of the grid                       */
    int64_t height, width; /* of an output image                                           */
    an_bf16_product *products;
    int64_t count; /* apart², all over the same grid */
    void *y;
    const void *x;
    const float *b, *w;
    bool accumulate, narrow; /* narrow: x and y are bf16                                     */
    bool whole;              /* a task covers all images                                     */
    int64_t images, group;   /* group: the most of a task, unless it covers all              */
    int64_t numbers, tail;   /* of an image's grid; zeros that follow the last one, at least */
    uint16_t *rounded;       /* w                                                            */
    an_carve scratch;
    an_carve_part grids; /* shared by all threads if a task covers all images, else own */
    an_carve_part tile;  /* own */
} an_bf16_conv;

/* The steps that a run takes. */
static inline int64_t an_bf16_steps_of(const an_bf16_run *r, int64_t in)
{
    return an_div_up(r->count * in, AN_BF16_DEPTH);
}

/* Numbers that the last block of rows, or the last step of a run, reads beyond the grids. */
static inline int64_t an_bf16_beyond(const an_bf16_conv *j)
{
    return AN_BF16_SIDE * j->ahead + AN_BF16_DEPTH + j->tail;
}

/* Rounds and packs w, and computes all products. */
void an_bf16_multiply(const an_bf16_conv *j);

#endif
