/* map: see map.h. A kind is an entry of `kinds`: two loops over one chunk, written so that the
 * compiler vectorises them (tanh, exp and log call libm). */
#include "kernel/pointwise/map.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/cache.h"
#include "kernel/common/fast_exp.h"
#include "kernel/common/overlap.h"

static void relu_forward(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i]; /* this comparison lets a NaN pass */
}

static void relu_backward(float *dx, const float *dy, const float *x, const float *y, int64_t n)
{
    (void)y;
    for (int64_t i = 0; i < n; i++)
        dx[i] = x[i] > 0 ? dy[i] : 0;
}

/* x·Φ(x) = h + h·erf(x/√2) with h = x/2. Within ±5.2, where Φ is 1 within 1e-7, the error function
 * is x times a ratio of polynomials in x², fitted by minimax (error 1.2e-7). Above 5.2 the result
 * is x, below −5.2 it is 0. It needs no exponential and takes half the time of normal_cdf(). */
static inline float gelu(float x)
{
    float low = x < -5.2f ? -5.2f : x, u = low > 5.2f ? 5.2f : low, w = u * u, h = 0.5f * u;
    float above = 1.16814663e-5f;
    above = above * w + 6.28538313e-4f;
    above = above * w + 1.10375369e-2f;
    above = above * w + 9.91879404e-2f;
    above = above * w + 7.97883809e-1f;
    float below = 5.01908119e-7f;
    below = below * w + 1.12743015e-4f;
    below = below * w + 2.70377961e-3f;
    below = below * w + 3.73401344e-2f;
    below = below * w + 2.90974408e-1f;
    below = below * w + 1.0f;
    return h + h * (u * above / below) + (low - u);
}

/* Φ(x), the normal distribution function, from erfc(z) ≈ (a₁t + … + a₅t⁵)·e^{−z²} with
 * t = 1/(1+0.3275911·z) (Abramowitz & Stegun 7.1.26, error below 1.5e-7). `bell` is
 * e^{−x²/2}, which the caller needs for the derivative as well. */
static inline float normal_cdf(float x, float bell)
{
    float z = fabsf(x) * 0.707106781f;
    float t = 1.0f / (1.0f + 0.3275911f * z);
    float poly = 1.061405429f;
    poly = poly * t - 1.453152027f;
    poly = poly * t + 1.421413741f;
    poly = poly * t - 0.284496736f;
    poly = poly * t + 0.254829592f;
    float tail = 0.5f * poly * t * bell;
    return x < 0 ? tail : 1.0f - tail;
}

AN_SIMD static void gelu_forward(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = gelu(x[i]);
}

AN_SIMD static void gelu_backward(float *dx, const float *dy, const float *x, const float *y,
                                  int64_t n)
{
    (void)y;
    for (int64_t i = 0; i < n; i++) {
        float bell = an_expf_below(-0.5f * x[i] * x[i]);
        float density = 0.39894228f * bell;
        dx[i] = dy[i] * (normal_cdf(x[i], bell) + x[i] * density);
    }
}

AN_SIMD static void silu_forward(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] * an_sigmoidf(x[i]);
}

AN_SIMD static void silu_backward(float *dx, const float *dy, const float *x, const float *y,
                                  int64_t n)
{
    (void)y;
    for (int64_t i = 0; i < n; i++) {
        float s = an_sigmoidf(x[i]);
        dx[i] = dy[i] * s * (1.0f + x[i] * (1.0f - s));
    }
}

AN_SIMD static void sigmoid_forward(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = an_sigmoidf(x[i]);
}

AN_SIMD static void sigmoid_backward(float *dx, const float *dy, const float *x, const float *y,
                                     int64_t n)
{
    (void)x;
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] * y[i] * (1.0f - y[i]);
}

static void tanh_forward(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = tanhf(x[i]);
}

static void tanh_backward(float *dx, const float *dy, const float *x, const float *y, int64_t n)
{
    (void)x;
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] * (1.0f - y[i] * y[i]);
}

/* log(1+e) for 0 ≤ e ≤ 1, within 3e-7 relative: 2·artanh(s) with s = e/(2+e) ≤ 1/3, by its
 * series to s¹⁵ (remainder 1e-9). */
static inline float log1p_within(float e)
{
    float s = e / (2 + e), q = s * s, sum = 1.0f / 15;
    sum = sum * q + 1.0f / 13;
    sum = sum * q + 1.0f / 11;
    sum = sum * q + 1.0f / 9;
    sum = sum * q + 1.0f / 7;
    sum = sum * q + 1.0f / 5;
    sum = sum * q + 1.0f / 3;
    return 2 * s * (sum * q + 1);
}

AN_SIMD static void softplus_forward(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = (x[i] < 0 ? 0 : x[i]) + log1p_within(an_expf(-fabsf(x[i])));
}

AN_SIMD static void softplus_backward(float *dx, const float *dy, const float *x, const float *y,
                                      int64_t n)
{
    (void)y;
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] * an_sigmoidf(x[i]);
}

static void exp_forward(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = expf(x[i]); /* libm: overflow must be infinite here */
}

static void exp_backward(float *dx, const float *dy, const float *x, const float *y, int64_t n)
{
    (void)x;
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] * y[i];
}

static void log_forward(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = logf(x[i]);
}

static void log_backward(float *dx, const float *dy, const float *x, const float *y, int64_t n)
{
    (void)y;
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] / x[i];
}

static void sqrt_forward(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = sqrtf(x[i]);
}

static void sqrt_backward(float *dx, const float *dy, const float *x, const float *y, int64_t n)
{
    (void)x;
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] * 0.5f / y[i];
}

static void square_forward(float *y, const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] * x[i];
}

static void square_backward(float *dx, const float *dy, const float *x, const float *y, int64_t n)
{
    (void)y;
    for (int64_t i = 0; i < n; i++)
        dx[i] = dy[i] * 2.0f * x[i];
}

typedef struct {
    void (*forward)(float *y, const float *x, int64_t n);
    void (*backward)(float *dx, const float *dy, const float *x, const float *y, int64_t n);
} loops;

static const loops kinds[] = {
    [AN_RELU] = {relu_forward, relu_backward},
    [AN_GELU] = {gelu_forward, gelu_backward},
    [AN_SILU] = {silu_forward, silu_backward},
    [AN_SIGMOID] = {sigmoid_forward, sigmoid_backward},
    [AN_TANH] = {tanh_forward, tanh_backward},
    [AN_SOFTPLUS] = {softplus_forward, softplus_backward},
    [AN_EXP] = {exp_forward, exp_backward},
    [AN_LOG] = {log_forward, log_backward},
    [AN_SQRT] = {sqrt_forward, sqrt_backward},
    [AN_SQUARE] = {square_forward, square_backward},
};

enum { PIECE = 512 }; /* elements of a derivative on the stack, before it is added */

typedef struct {
    an_map_kind kind;
    float *y;
    const float *x;
} forward_job;

typedef struct {
    an_map_kind kind;
    float *dx, beta;
    const float *dy, *x, *y;
} backward_job;

static void forward_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const forward_job *job = context;
    (void)chunk;
    kinds[job->kind].forward(job->y + lo, job->x + lo, hi - lo);
}

static bool is_kind(an_map_kind kind)
{
    return (size_t)kind < sizeof kinds / sizeof *kinds;
}

void an_k_map_forward(an_map_kind kind, float *y, const float *x, int64_t n)
{
    AN_ASSERT(is_kind(kind) && n >= 0 && an_same_or_disjoint(y, x, n));
    an_par_for(n, AN_GRAIN, forward_part, &(forward_job){kind, y, x});
}

AN_SIMD static void add(float *restrict to, const float *restrict x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += x[i];
}

static void backward_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const backward_job *job = context;
    void (*backward)(float *, const float *, const float *, const float *, int64_t) =
        kinds[job->kind].backward;
    (void)chunk;
    if (job->beta == 0) {
        backward(job->dx + lo, job->dy + lo, job->x + lo, job->y + lo, hi - lo);
        return;
    }
    for (float piece[PIECE]; lo < hi; lo += PIECE) {
        int64_t n = hi - lo < PIECE ? hi - lo : PIECE;
        backward(piece, job->dy + lo, job->x + lo, job->y + lo, n);
        add(job->dx + lo, piece, n);
    }
}

void an_k_map_backward(an_map_kind kind, float *dx, float beta, const float *dy, const float *x,
                       const float *y, int64_t n)
{
    AN_ASSERT(is_kind(kind) && n >= 0 && (beta == 0 || beta == 1));
    AN_ASSERT(an_disjoint(dx, n, x, n) && an_disjoint(dx, n, y, n));
    AN_ASSERT((beta == 0 && dx == dy) || an_disjoint(dx, n, dy, n));
    an_par_for(n, AN_GRAIN, backward_part, &(backward_job){kind, dx, beta, dy, x, y});
}
