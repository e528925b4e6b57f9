/* conv_widened: see conv_widened.h. */
#include "kernel/conv/conv_widened.h"

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/bf16_round.h"
#include "kernel/common/cache.h"
#include "kernel/common/carve.h"

typedef struct {
    an_conv_shape shape; /* of float32 */
    int64_t in, out;     /* numbers    */
    an_carve scratch;
    float *x, *y;
} widened;

static void widen(float *to, const uint16_t *from, int64_t n)
{
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t k = 0; k < n; k += AN_GRAIN)
        an_bf16_widen(to + k, from + k, an_min(AN_GRAIN, n - k));
}

static void narrow(uint16_t *to, const float *from, int64_t n)
{
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t k = 0; k < n; k += AN_GRAIN)
        an_bf16_round(to + k, from + k, an_min(AN_GRAIN, n - k));
}

/* AN_ENOMEM. */
static an_code begin(widened *j, const an_conv_shape *s)
{
    AN_ASSERT(s->narrow);
    *j =
        (widened){.shape = *s, .in = s->B * s->H * s->W * s->C, .out = s->B * s->Ho * s->Wo * s->O};
    j->shape.narrow = false;
    an_carve_part x = an_carve_shared(&j->scratch, j->in, sizeof(float));
    an_carve_part y = an_carve_shared(&j->scratch, j->out, sizeof(float));
    if (an_carve_take(&j->scratch))
        return AN_ENOMEM;
    j->x = an_carve_at(&j->scratch, x);
    j->y = an_carve_at(&j->scratch, y);
    return AN_OK;
}

an_code an_k_conv_widened_forward(an_conv_forward *wide, uint16_t *y, const uint16_t *x,
                                  const float *w, const float *b, const an_conv_shape *s)
{
    widened j;
    an_code code = begin(&j, s);
    if (code)
        return code;
    widen(j.x, x, j.in);
    code = wide(j.y, j.x, w, b, &j.shape);
    if (!code)
        narrow(y, j.y, j.out);
    an_carve_release(&j.scratch);
    return code;
}

an_code an_k_conv_widened_data(an_conv_data *wide, uint16_t *dx, const uint16_t *dy, const float *w,
                               float beta, const an_conv_shape *s)
{
    widened j;
    an_code code = begin(&j, s);
    if (code)
        return code;
    widen(j.y, dy, j.out);
    if (beta != 0)
        widen(j.x, dx, j.in);
    code = wide(j.x, j.y, w, beta, &j.shape);
    if (!code)
        narrow(dx, j.x, j.in);
    an_carve_release(&j.scratch);
    return code;
}

an_code an_k_conv_widened_weight(an_conv_weight *wide, float *dw, const uint16_t *dy,
                                 const uint16_t *x, const an_conv_shape *s)
{
    widened j;
    an_code code = begin(&j, s);
    if (code)
        return code;
    widen(j.x, x, j.in);
    widen(j.y, dy, j.out);
    code = wide(dw, j.y, j.x, &j.shape);
    an_carve_release(&j.scratch);
    return code;
}
