/* gradcheck: see gradcheck.h. One backward pass, then two forward passes per element examined; the
 * differences are computed in double from float32 outputs. */
#include "grad/gradcheck.h"

#include <math.h>

#include "base/assert.h"
#include "base/rng.h"
#include "grad/ops.h"
#include "grad/tape.h"
#include "tensor/scope.h"

enum { SAMPLE = 48, SEED = 20240229 };

typedef struct {
    an_check_fn fn;
    an_tensor **inputs;
    int n;
    void *ctx;
} problem;

typedef struct {
    double error, analytic, numeric;
    int input;
    int64_t element;
} finding;

static void drop_gradients(const problem *p)
{
    for (int i = 0; i < p->n; i++) {
        if (p->inputs[i]) {
            an_release(p->inputs[i]->grad);
            p->inputs[i]->grad = NULL;
        }
    }
}

static double direction(int64_t element)
{
    return an_normal(SEED, an_stream("gradcheck direction", 0, 0), (uint64_t)element);
}

/* L = Σ d·fn(inputs), without recording. NAN after a failure. */
static double project(const problem *p)
{
    bool recording = an_set_recording(false);
    size_t mark = an_scope_begin();
    an_tensor *out = an_contiguous(p->fn(p->inputs, p->ctx));
    double sum = out ? 0 : NAN;
    for (int64_t i = 0; out && i < an_numel(out); i++)
        sum += direction(i) * (double)an_f32(out)[i];
    an_scope_end(mark, NULL);
    an_set_recording(recording);
    return sum;
}

/* Fills .grad of the inputs with the gradient of L. */
static an_code differentiate(const problem *p)
{
    drop_gradients(p);
    size_t mark = an_scope_begin();
    an_tensor *out = p->fn(p->inputs, p->ctx);
    an_tensor *d = out ? an_tensor_new(AN_F32, out->ndim, out->shape) : NULL;
    for (int64_t i = 0; d && i < an_numel(d); i++)
        an_f32(d)[i] = (float)direction(i);
    an_tensor *loss = an_sum(an_mul(out, d), AN_ALL, false);
    an_code code = loss ? an_backward(loss) : an_err_code();
    if (code != AN_OK)
        an_tape_clear();
    an_scope_end(mark, NULL);
    return code;
}

/* The i-th element of x in row-major order, whatever its strides. */
static float *element(an_tensor *x, int64_t i)
{
    float *at = an_f32(x);
    for (int d = x->ndim - 1; d >= 0; i /= x->shape[d], d--)
        at += i % x->shape[d] * x->stride[d];
    return at;
}

/* Uses the exact float32 steps, since x+step and x−step are rounded. */
static double central_difference(const problem *p, float *x, double step)
{
    float kept = *x, above = (float)(kept + step), below = (float)(kept - step);
    *x = above;
    double up = project(p);
    *x = below;
    double down = project(p);
    *x = kept;
    return (up - down) / ((double)above - (double)below);
}

static void examine(const problem *p, int input, double step, finding *worst)
{
    an_tensor *x = p->inputs[input];
    int64_t count = an_numel(x), examined = count < SAMPLE ? count : SAMPLE;
    uint64_t stream = an_stream("gradcheck sample", (uint64_t)input, 0);
    for (int64_t k = 0; k < examined; k++) {
        int64_t i = examined == count ? k : an_below(SEED, stream, (uint64_t)k, count);
        double analytic = an_grad(x) ? (double)an_f32(x->grad)[i] : 0;
        double numeric = central_difference(p, element(x, i), step);
        double error = fabs(analytic - numeric) / fmax(1, fmax(fabs(analytic), fabs(numeric)));
        if (!(error <= worst->error) && !isnan(worst->error))
            *worst = (finding){error, analytic, numeric, input, i};
    }
}

an_code an_gradcheck(an_check_fn fn, an_tensor **inputs, int n, void *ctx, double step,
                     double tolerance)
{
    AN_ASSERT(fn && n >= 1 && step > 0);
    for (int i = 0; i < n; i++)
        AN_ASSERT(!inputs[i] || !an_has_repeats(inputs[i]));
    problem p = {fn, inputs, n, ctx};
    finding worst = {.error = -1};
    an_err_clear();
    an_code code = differentiate(&p);
    for (int i = 0; i < n && code == AN_OK; i++)
        if (inputs[i] && inputs[i]->requires_grad)
            examine(&p, i, step, &worst);
    drop_gradients(&p);
    if (code != AN_OK)
        return code;
    if (isnan(worst.error) && an_err_code() != AN_OK)
        return an_err_code(); /* fn failed at a moved input, with a message */
    if (worst.error < 0)
        return an_fail(AN_EINVAL,
                       "gradcheck: no input requires a gradient, so nothing was compared");
    if (!(worst.error <= tolerance))
        return an_fail(AN_EINVAL,
                       "gradcheck: input %d %s, element %lld: analytic %.6g, numeric %.6g "
                       "(error %.3g, tolerance %.3g)",
                       worst.input, an_shape_text(inputs[worst.input]), (long long)worst.element,
                       worst.analytic, worst.numeric, worst.error, tolerance);
    return AN_OK;
}
