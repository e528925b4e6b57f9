/* diffusion: loops over the formulas of diffusion.h, and their derivatives. Every result is linear
 * in y0, m, y and x, so their gradients require only the coefficients a and s; the gradients of a
 * and s (…_slopes) require what the forward pass read. */
#include "kernel/pointwise/diffusion.h"

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/par.h"

const char *const an_prediction_names[] = {"epsilon", "y0", "v", NULL};

typedef struct {
    an_reading what;
    an_prediction p;
    an_diffusion_at at;
    float *out, *also, *third;
    const float *y, *x;
    const float *g; /* …_slopes: the gradient of the result; y and x are those of the formula */
} job;

/* The divisor of the formula, a, s or a² + s², is above 0 in every element. */
static bool can_be_read(const job *j, int64_t n)
{
    bool by_a = j->what == AN_READ_Z0 && j->p == AN_PREDICT_EPSILON;
    bool by_s = j->what == AN_READ_EPSILON && j->p == AN_PREDICT_Y0;
    for (int64_t i = 0; i < n; i++) {
        float a = j->at.a[i], s = j->at.s[i];
        if ((by_a && !(a > 0)) || (by_s && !(s > 0)) ||
            (j->p == AN_PREDICT_V && !(a * a + s * s > 0)))
            return false;
    }
    return true;
}

static void run(an_chunk_fn work, job *j, int64_t n)
{
    AN_ASSERT(n >= 0 && j->at.a && j->at.s);
    an_par_for(n, an_grain(n, 1, AN_DIFFUSION_PARALLEL), work, j);
}

/* ── y_t ────────────────────────────────────────────────────────────────────────── */

static void noised(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++)
        j->out[i] = an_noised_f(j->at.a[i], j->at.s[i], j->at.m[i], j->y[i], j->x[i]);
}

void an_k_noised_forward(float *y, const float *y0, const float *e, an_diffusion_at at, int64_t n)
{
    run(noised, &(job){.at = at, .out = y, .y = y0, .x = e}, n);
}

static void noised_back(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        float g = j->y[i], through = j->at.a[i] * g;
        if (j->out)
            j->out[i] += through;
        if (j->also)
            j->also[i] += g - through;
    }
}

void an_k_noised_backward(float *dy0, float *dm, const float *dy, an_diffusion_at at, int64_t n)
{
    run(noised_back, &(job){.at = at, .out = dy0, .also = dm, .y = dy}, n);
}

static void noised_slopes(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        if (j->out)
            j->out[i] += j->g[i] * (j->y[i] - j->at.m[i]);
        if (j->also)
            j->also[i] += j->g[i] * j->x[i];
    }
}

void an_k_noised_slopes(float *da, float *ds, const float *dy, const float *y0, const float *e,
                        an_diffusion_at at, int64_t n)
{
    run(noised_slopes, &(job){.at = at, .out = da, .also = ds, .g = dy, .y = y0, .x = e}, n);
}

/* ── the target of v ────────────────────────────────────────────────────────────── */

static void target_v(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++)
        j->out[i] = an_target_f(AN_PREDICT_V, j->at.a[i], j->at.s[i], j->at.m[i], j->y[i], j->x[i]);
}

void an_k_target_v_forward(float *x, const float *y0, const float *e, an_diffusion_at at, int64_t n)
{
    run(target_v, &(job){.at = at, .out = x, .y = y0, .x = e}, n);
}

static void target_v_back(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        float through = j->at.s[i] * j->x[i];
        if (j->out)
            j->out[i] -= through;
        if (j->also)
            j->also[i] += through;
    }
}

void an_k_target_v_backward(float *dy0, float *dm, const float *dx, an_diffusion_at at, int64_t n)
{
    run(target_v_back, &(job){.at = at, .out = dy0, .also = dm, .x = dx}, n);
}

static void target_v_slopes(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        if (j->out)
            j->out[i] += j->g[i] * j->x[i];
        if (j->also)
            j->also[i] -= j->g[i] * (j->y[i] - j->at.m[i]);
    }
}

void an_k_target_v_slopes(float *da, float *ds, const float *dx, const float *y0, const float *e,
                          an_diffusion_at at, int64_t n)
{
    run(target_v_slopes, &(job){.at = at, .out = da, .also = ds, .g = dx, .y = y0, .x = e}, n);
}

/* ── reading a prediction ───────────────────────────────────────────────────────── */

static void read_chunk(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        float a = j->at.a[i], s = j->at.s[i], m = j->at.m[i], z = j->y[i] - m;
        j->out[i] = j->what == AN_READ_Z0 ? an_z0_f(j->p, a, s, m, z, j->x[i])
                                          : an_epsilon_f(j->p, a, s, m, z, j->x[i]);
    }
}

void an_k_read_forward(an_reading what, an_prediction p, float *r, const float *y, const float *x,
                       an_diffusion_at at, int64_t n)
{
    job j = {.what = what, .p = p, .at = at, .out = r, .y = y, .x = x};
    AN_ASSERT_SLOW(can_be_read(&j, n));
    run(read_chunk, &j, n);
}

/* The gradients with respect to x, y and m. Where m enters only through z = y − m, that of m is
 * minus that of y; the prediction y0 subtracts m from x as well. */
typedef struct {
    float x, y, m;
} slopes;

static inline slopes slopes_of(an_reading what, an_prediction p, float a, float s, float g)
{
    if (what == AN_READ_Z0) {
        if (p == AN_PREDICT_Y0)
            return (slopes){g, 0, -g};
        float over = p == AN_PREDICT_EPSILON ? g / a : g / (a * a + s * s);
        float y = p == AN_PREDICT_EPSILON ? over : over * a;
        return (slopes){-over * s, y, -y};
    }
    if (p == AN_PREDICT_EPSILON)
        return (slopes){g, 0, 0};
    if (p == AN_PREDICT_Y0) {
        float over = g / s, x = -over * a;
        return (slopes){x, over, -over - x};
    }
    float over = g / (a * a + s * s), y = over * s;
    return (slopes){over * a, y, -y};
}

static void read_back(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        slopes d = slopes_of(j->what, j->p, j->at.a[i], j->at.s[i], j->y[i]);
        if (j->out)
            j->out[i] += d.x;
        if (j->also)
            j->also[i] += d.y;
        if (j->third)
            j->third[i] += d.m;
    }
}

void an_k_read_backward(an_reading what, an_prediction p, float *dx, float *dy, float *dm,
                        const float *dr, an_diffusion_at at, int64_t n)
{
    job j = {.what = what, .p = p, .at = at, .out = dx, .also = dy, .third = dm, .y = dr};
    AN_ASSERT_SLOW(can_be_read(&j, n));
    run(read_back, &j, n);
}

/* The derivatives of a reading with respect to a and s, where r is the reading itself. */
typedef struct {
    float a, s;
} coefficient_slopes;

static inline coefficient_slopes by_coefficients(an_reading what, an_prediction p, float a, float s,
                                                 float m, float z, float x)
{
    if (p == AN_PREDICT_V) {
        float over = 1 / (a * a + s * s);
        float r = what == AN_READ_Z0 ? an_z0_f(p, a, s, m, z, x) : an_epsilon_f(p, a, s, m, z, x);
        return what == AN_READ_Z0
                   ? (coefficient_slopes){(z - 2 * a * r) * over, (-x - 2 * s * r) * over}
                   : (coefficient_slopes){(x - 2 * a * r) * over, (z - 2 * s * r) * over};
    }
    if (what == AN_READ_Z0 && p == AN_PREDICT_EPSILON)
        return (coefficient_slopes){-an_z0_f(p, a, s, m, z, x) / a, -x / a};
    if (what == AN_READ_EPSILON && p == AN_PREDICT_Y0)
        return (coefficient_slopes){(m - x) / s, -an_epsilon_f(p, a, s, m, z, x) / s};
    return (coefficient_slopes){0, 0};
}

static void read_slopes(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        float m = j->at.m[i];
        coefficient_slopes d =
            by_coefficients(j->what, j->p, j->at.a[i], j->at.s[i], m, j->y[i] - m, j->x[i]);
        if (j->out)
            j->out[i] += j->g[i] * d.a;
        if (j->also)
            j->also[i] += j->g[i] * d.s;
    }
}

void an_k_read_slopes(an_reading what, an_prediction p, float *da, float *ds, const float *dr,
                      const float *y, const float *x, an_diffusion_at at, int64_t n)
{
    job j = {.what = what, .p = p, .at = at, .out = da, .also = ds, .g = dr, .y = y, .x = x};
    AN_ASSERT_SLOW(can_be_read(&j, n));
    run(read_slopes, &j, n);
}
