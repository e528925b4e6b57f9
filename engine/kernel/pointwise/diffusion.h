/* diffusion: the forward process of one label coordinate, and how a network's output is read
 * (METHOD §1, §2). This is the only copy of these formulas: the recorded operations of
 * grad/rules_diffusion.c use them in float, the chains of diffusion/process.c in double, because
 * 1/a grows to 1e4 and more at t = T and magnifies what a float rounds away.
 *
 * Letters: a, s signal and noise at time t; m the prior mean; y0 the label; e the noise ε;
 * y the noised label y_t; x the network's output; z = y − m, z0 = y0 − m. */
#ifndef AN_KERNEL_POINTWISE_DIFFUSION_H
#define AN_KERNEL_POINTWISE_DIFFUSION_H

#include <stdint.h>

/* What a network predicts:
 *   epsilon  x = ε;    y0  x = y0 (so ẑ0 = x − m);    v  x = a ε − s z0 (2202.00512).
 * v is inverted with a² + s², which is not always 1, depending on the coupling. */
typedef enum { AN_PREDICT_EPSILON, AN_PREDICT_Y0, AN_PREDICT_V } an_prediction;
extern const char *const an_prediction_names[]; /* "epsilon", "y0", "v", NULL */

/* Defines the formulas for one type of number: an_NAME_SUFFIX. */
#define AN_DIFFUSION_FORMULAS(number, suffix)                                                      \
    /* y_t = m + a (y0 − m) + s ε */                                                            \
    static inline number an_noised_##suffix(number a, number s, number m, number y0, number e)     \
    {                                                                                              \
        return m + a * (y0 - m) + s * e;                                                           \
    }                                                                                              \
    /* What the output is trained to be. */                                                        \
    static inline number an_target_##suffix(an_prediction p, number a, number s, number m,         \
                                            number y0, number e)                                   \
    {                                                                                              \
        return p == AN_PREDICT_EPSILON ? e : p == AN_PREDICT_Y0 ? y0 : a * e - s * (y0 - m);       \
    }                                                                                              \
    /* z0 read from the output x at z = y_t − m. */                                              \
    static inline number an_z0_##suffix(an_prediction p, number a, number s, number m, number z,   \
                                        number x)                                                  \
    {                                                                                              \
        if (p == AN_PREDICT_EPSILON)                                                               \
            return (z - s * x) / a;                                                                \
        return p == AN_PREDICT_Y0 ? x - m : (a * z - s * x) / (a * a + s * s);                     \
    }                                                                                              \
    /* ε read from the output x at z = y_t − m. */                                              \
    static inline number an_epsilon_##suffix(an_prediction p, number a, number s, number m,        \
                                             number z, number x)                                   \
    {                                                                                              \
        if (p == AN_PREDICT_EPSILON)                                                               \
            return x;                                                                              \
        return p == AN_PREDICT_Y0 ? (z - a * (x - m)) / s : (a * x + s * z) / (a * a + s * s);     \
    }

AN_DIFFUSION_FORMULAS(float, f)
AN_DIFFUSION_FORMULAS(double, d)

/* The functions below run over n ≥ 0 elements, in parallel over fixed chunks. Every array has n
 * floats; an output may also be an input. Gradients are added to each d… [opt]. */

/* Above this many elements threads pay: a chunk's formulas take some nanoseconds per element,
 * forming a team some microseconds. Also for the loops of diffusion/process.c. */
enum { AN_DIFFUSION_PARALLEL = 8192 };

typedef struct {
    const float *a,
        *s; /* signal and noise of each element, ≥ 0; > 0 where a formula divides by it */
    const float *m;
} an_diffusion_at;

/* y_t, and its gradient: dy0 += a dy, dm += (1 − a) dy. */
void an_k_noised_forward(float *y, const float *y0, const float *e, an_diffusion_at at, int64_t n);
void an_k_noised_backward(float *dy0, float *dm, const float *dy, an_diffusion_at at, int64_t n);
/* The gradients of its coefficients: da += (y0 − m) dy, ds += e dy. */
void an_k_noised_slopes(float *da, float *ds, const float *dy, const float *y0, const float *e,
                        an_diffusion_at at, int64_t n);

/* The target of v: dy0 −= s dx, dm += s dx. The target of epsilon and y0 is the input itself. */
void an_k_target_v_forward(float *x, const float *y0, const float *e, an_diffusion_at at,
                           int64_t n);
void an_k_target_v_backward(float *dy0, float *dm, const float *dx, an_diffusion_at at, int64_t n);
/* da += e dx, ds −= (y0 − m) dx */
void an_k_target_v_slopes(float *da, float *ds, const float *dx, const float *y0, const float *e,
                          an_diffusion_at at, int64_t n);

/* ẑ0 (or ε̂) of the output x at y_t; dx, dy, dm from the gradient dr of the result. */
typedef enum { AN_READ_Z0, AN_READ_EPSILON } an_reading;
void an_k_read_forward(an_reading what, an_prediction p, float *r, const float *y, const float *x,
                       an_diffusion_at at, int64_t n);
void an_k_read_backward(an_reading what, an_prediction p, float *dx, float *dy, float *dm,
                        const float *dr, an_diffusion_at at, int64_t n);
/* The gradients of its coefficients from dr, with y and x as in the forward pass. */
void an_k_read_slopes(an_reading what, an_prediction p, float *da, float *ds, const float *dr,
                      const float *y, const float *x, an_diffusion_at at, int64_t n);

#endif
