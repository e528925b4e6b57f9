/* convolution: the definition of a convolution and its gradients, seven nested loops in double, and
 * the problems that the tests of engine/kernel/conv compare with it. */
#ifndef AN_TESTS_CONVOLUTION_H
#define AN_TESTS_CONVOLUTION_H

#include "arrays.h"
#include "worse.h"

#include "kernel/conv/conv.h"

typedef struct {
    an_conv_shape s;
    int64_t nx, nw, ny;
    float *x, *w, *b, *dy; /* standard normal */
} conv_problem;

static inline conv_problem conv_problem_of(an_conv_shape s)
{
    conv_problem p = {.s = s};
    p.nx = s.B * s.H * s.W * s.C;
    p.nw = s.O * s.C * s.kh * s.kw;
    p.ny = s.B * s.Ho * s.Wo * s.O;
    p.x = normals(p.nx, 1);
    p.w = normals(p.nw, 2);
    p.b = normals(s.O, 3);
    p.dy = normals(p.ny, 4);
    return p;
}

static inline void conv_problem_free(conv_problem *p)
{
    an_free(p->x), an_free(p->w), an_free(p->b), an_free(p->dy);
}

/* With (y, x) = (i·stride + u − pad, j·stride + v − pad) inside the image,
 *   y[b,i,j,o]  += x[b,y,x,c] · w[o,c,u,v]
 *   dx[b,y,x,c] += dy[b,i,j,o] · w[o,c,u,v]
 *   dw[o,c,u,v] += dy[b,i,j,o] · x[b,y,x,c]
 * for each of y, dx and dw that is not NULL. */
static inline void conv_definition(double *y, double *dx, double *dw, const conv_problem *p)
{
    const an_conv_shape *s = &p->s;
    for (int64_t out = 0; out < p->ny; out++) {
        int64_t o = out % s->O, j = out / s->O % s->Wo, i = out / s->O / s->Wo % s->Ho;
        int64_t b = out / s->O / s->Wo / s->Ho;
        for (int64_t u = 0; u < s->kh; u++)
            for (int64_t v = 0; v < s->kw; v++) {
                int64_t row = i * s->stride + u - s->pad_y, column = j * s->stride + v - s->pad_x;
                if (row < 0 || row >= s->H || column < 0 || column >= s->W)
                    continue;
                for (int64_t c = 0; c < s->C; c++) {
                    int64_t in = ((b * s->H + row) * s->W + column) * s->C + c;
                    int64_t weight = ((o * s->C + c) * s->kh + u) * s->kw + v;
                    if (y)
                        y[out] += (double)p->x[in] * (double)p->w[weight];
                    if (dx)
                        dx[in] += (double)p->dy[out] * (double)p->w[weight];
                    if (dw)
                        dw[weight] += (double)p->dy[out] * (double)p->x[in];
                }
            }
    }
}

/* |got − expected| ≤ tolerance · max|expected| */
static inline void assert_within(const float *got, const double *expected, int64_t n,
                                 double tolerance)
{
    double largest = 0, error = 0;
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs(expected[i]));
        error = worse(error, fabs((double)got[i] - expected[i]));
    }
    if (!(error <= tolerance * largest))
        fail_msg("error %g of %g, more than %g", error, largest, tolerance);
}

#endif
