/* embed: see embed.h. The backward pass distributes columns, not rows, over threads: one thread
 * then adds equal indices in order, without atomics. */
#include "kernel/pointwise/embed.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/par.h"
#include "kernel/common/cache.h"

enum { COLUMNS = 2 * AN_LANES }; /* of a chunk: two cache lines of a row */

/* Forward: rows index[i] of the table `from` are copied to the n rows of `to`. Backward: the n rows
 * of `from` are added to rows index[i] of the table `to`. */
typedef struct {
    float *to;
    const float *from;
    const int64_t *index;
    int64_t n, D;
} lookup;

static bool are_indices(const int64_t *index, int64_t n, int64_t V)
{
    for (int64_t i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= V)
            return false;
    return true;
}

static void copy_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const lookup *l = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++)
        memcpy(l->to + i * l->D, l->from + l->index[i] * l->D, (size_t)l->D * sizeof(float));
}

void an_k_embed_forward(float *y, const float *w, const int64_t *index, int64_t n, int64_t V,
                        int64_t D)
{
    AN_ASSERT(n >= 0 && V >= 0 && D >= 0);
    AN_ASSERT_SLOW(are_indices(index, n, V));
    an_par_for(n, an_grain(n, D, AN_GRAIN), copy_rows, &(lookup){y, w, index, n, D});
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

void an_k_embed_backward(float *dw, const float *dy, const int64_t *index, int64_t n, int64_t V,
                         int64_t D)
{
    AN_ASSERT(n >= 0 && V >= 0 && D >= 0);
    AN_ASSERT_SLOW(are_indices(index, n, V));
    an_par_for(D, n * D > AN_GRAIN ? COLUMNS : D, add_columns, &(lookup){dw, dy, index, n, D});
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
    AN_ASSERT(B >= 0 && D >= 2 && D % 2 == 0 && max_period > 1);
    an_par_for(D / 2, an_grain(D / 2, 2 * B, AN_GRAIN), wave, &(waves){y, t, B, D, max_period});
}
