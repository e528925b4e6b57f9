/* microkernel_job: the arguments of microkernel.h's loops, shared by its variants per vector
 * width. */
#ifndef AN_KERNEL_MATMUL_MICROKERNEL_JOB_H
#define AN_KERNEL_MATMUL_MICROKERNEL_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "kernel/common/prefetch.h"

enum { AN_MICRO_ROWS = 8, AN_MICRO_COLUMNS = 2 * AN_LANES };

typedef struct {
    const float *const *a; /* (segments, 8) pointers to k floats each                      */
    const float *const *b; /* (segments) pointers to (k, b_step)                           */
    int64_t segments, k;
    int64_t b_step;    /* floats from one k to the next; that many are readable up to
                          columns rounded up to 16                                     */
    float *const *out; /* (8) pointers; unused rows may share one                      */
    int64_t columns;   /* 1 … 32                                                       */
    const float *bias; /* (columns), added; or NULL                                    */
    bool accumulate;   /* add to out                                                   */
} an_micro_rows;

typedef struct {
    const float *a, *b; /* rows a_step apart; b as above                            */
    int64_t rows, k, a_step, b_step;
    float *out;                /* rows out_step apart                                      */
    int64_t out_step, columns; /* a multiple of 16                                         */
    const float *bias;         /* (columns), added; or NULL                                */
    bool accumulate;
    an_prefetch *prefetch; /* or NULL                                                  */
} an_micro_panel;

typedef struct {
    const float *a, *b;
    int64_t n[3], a_step[3], b_step[3]; /* three nested counts, the outermost first        */
    int64_t rows, columns;              /* 1 … 8; 1 … 32, b readable up to columns rounded up
                                           to 16; or any rows by a multiple of 16 columns   */
    float *out;
    int64_t out_step; /* floats from row to row                           */
    bool accumulate;
    an_prefetch *prefetch; /* or NULL                                          */
} an_micro_outer;

#endif
