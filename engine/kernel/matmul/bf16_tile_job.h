/* bf16_tile_job: the operands and the result of one call of bf16_tile.h. */
#ifndef AN_KERNEL_MATMUL_BF16_TILE_JOB_H
#define AN_KERNEL_MATMUL_BF16_TILE_JOB_H

#include <stdbool.h>
#include <stdint.h>

enum {
    AN_BF16_SIDE = 16,   /* rows and columns of a block                        */
    AN_BF16_DEPTH = 32,  /* terms of a step                                    */
    AN_BF16_PACKED = 512 /* numbers of a packed block: one step of 16 columns */
};

typedef struct {
    const uint16_t *a;     /* row r at step s: a + at[s] + r·a_step, 32 numbers            */
    const int64_t *at;     /* NULL: s·32                                                   */
    int64_t a_step;        /* numbers                                                      */
    const uint16_t *b;     /* columns 16h … 16h+15 at step s: b + h·b_step + s·512         */
    int64_t b_step, steps; /* steps ≥ 0; without any the sums are 0                        */
    float *c;              /* row r: c + r·c_step                                          */
    int64_t c_step;
    bool accumulate;       /* adds to c                                                    */
    int64_t rows, columns; /* 1 … 32; whole blocks of 16 are computed and stored            */
} an_bf16_tile;

#endif
