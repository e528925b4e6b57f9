/* embed: see embed.h. Backward cuts the columns, not the rows, among the threads: two
 * equal indices then never meet in different threads and no atomics are needed. */
#include "kernel/pointwise/embed.h"

#include <math.h>
#include <string.h>

#include "base/par.h"

enum { PARALLEL_FROM = 16384, COLUMNS = 32 };

/* A table w (·, D), and n rows y that stand for its rows index[i]; backward their gradients. */
typedef struct {
    float *to;
    const float *from;
    const int64_t *index;
    int64_t n, D;
} lookup;

static void copy_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const lookup *l = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++)
        memcpy(l->to + i * l->D, l->from + l->index[i] * l->D, (size_t)l->D * sizeof(float));
}

void an_k_embed_forward(float *y, const float *w, const int64_t *index, int64_t n, int64_t D)
{
    an_par_for(n, an_grain(n, D, PARALLEL_FROM), copy_rows, &(lookup){y, w, index, n, D});
}

static void add_columns(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const lookup *l = context;
    (void)chunk;
    for (int64_t i = 0; i < l->n; i++) {
        float *restrict to = l->to + l->index[i] * l->D;
        const float *from = l->from + i * l->D;
        for (int64_t c = lo; c < hi; c++)
            to[c] += from[c];
    }
}

void an_k_embed_backward(float *dw, const float *dy, const int64_t *index, int64_t n, int64_t D)
{
    an_par_for(D, n * D > PARALLEL_FROM ? COLUMNS : D, add_columns, &(lookup){dw, dy, index, n, D});
}

typedef struct {
    float *y;
    const int64_t *t;
    int64_t B, D;
    double max_period;
} waves;

static void wave(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const waves *w = context;
    int64_t half = w->D / 2;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        double frequency = exp(-log(w->max_period) * (double)i / (double)half);
        for (int64_t b = 0; b < w->B; b++) {
            w->y[b * w->D + i] = (float)cos((double)w->t[b] * frequency);
            w->y[b * w->D + half + i] = (float)sin((double)w->t[b] * frequency);
        }
    }
}

void an_k_timestep_embed(float *y, const int64_t *t, int64_t B, int64_t D, double max_period)
{
    an_par_for(D / 2, an_grain(D / 2, 2 * B, PARALLEL_FROM), wave,
               &(waves){y, t, B, D, max_period});
}
