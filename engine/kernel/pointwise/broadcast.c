/* broadcast: see broadcast.h. The innermost dimension is one loop. The backward pass distributes
 * the outermost dimension over threads if no two of its indices add to the same element. */
#include "kernel/pointwise/broadcast.h"

#include <stdbool.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/cache.h"
#include "kernel/common/overlap.h"

enum { PIECE = 4096 }; /* elements of a row of the innermost dimension for one thread */

static bool is_broadcast(const an_broadcast *g)
{
    return g->ndim >= 0 && g->ndim <= (int)(sizeof g->shape / sizeof *g->shape);
}

void an_k_broadcast_simplify(an_broadcast *g)
{
    AN_ASSERT(is_broadcast(g));
    int n = 0;
    for (int d = 0; d < g->ndim; d++) {
        if (g->shape[d] == 1)
            continue;
        if (n > 0 && g->sa[n - 1] == g->sa[d] * g->shape[d] &&
            g->sb[n - 1] == g->sb[d] * g->shape[d]) {
            g->shape[n - 1] *= g->shape[d];
            g->sa[n - 1] = g->sa[d];
            g->sb[n - 1] = g->sb[d];
            continue;
        }
        g->shape[n] = g->shape[d];
        g->sa[n] = g->sa[d];
        g->sb[n++] = g->sb[d];
    }
    g->ndim = n;
}

static int64_t elements(const an_broadcast *g)
{
    int64_t n = 1;
    for (int d = 0; d < g->ndim; d++)
        n *= g->shape[d];
    return n;
}

/* Floats from the first to the last element that strides ≥ 0 reach. */
static int64_t extent(const an_broadcast *g, const int64_t *stride)
{
    int64_t last = 0;
    for (int d = 0; d < g->ndim; d++)
        last += (g->shape[d] - 1) * stride[d];
    return elements(g) > 0 ? last + 1 : 0;
}

/* a, b ← the offsets at which row number `row` begins, over all dimensions but the last. */
static void locate(const an_broadcast *g, int64_t row, int64_t *a, int64_t *b)
{
    *a = *b = 0;
    for (int d = g->ndim - 2; d >= 0; d--) {
        int64_t i = row % g->shape[d];
        row /= g->shape[d];
        *a += i * g->sa[d];
        *b += i * g->sb[d];
    }
}

static inline float apply(an_binary_kind kind, float a, float b)
{
    return kind == AN_ADD ? a + b : kind == AN_SUB ? a - b : kind == AN_MUL ? a * b : a / b;
}

static inline void run_forward(an_binary_kind kind, float *restrict y, const float *a,
                               const float *b, int64_t n, int64_t sa, int64_t sb)
{
    if (sa == 1 && sb == 1)
        for (int64_t i = 0; i < n; i++)
            y[i] = apply(kind, a[i], b[i]);
    else if (sa == 1 && sb == 0)
        for (int64_t i = 0; i < n; i++)
            y[i] = apply(kind, a[i], *b);
    else
        for (int64_t i = 0; i < n; i++)
            y[i] = apply(kind, a[i * sa], b[i * sb]);
}

/* A constant kind per call: the compiler makes a loop for each. */
static void dispatch_forward(an_binary_kind kind, float *y, const float *a, const float *b,
                             int64_t n, int64_t sa, int64_t sb)
{
    switch (kind) {
    case AN_ADD:
        run_forward(AN_ADD, y, a, b, n, sa, sb);
        break;
    case AN_SUB:
        run_forward(AN_SUB, y, a, b, n, sa, sb);
        break;
    case AN_MUL:
        run_forward(AN_MUL, y, a, b, n, sa, sb);
        break;
    case AN_DIV:
        run_forward(AN_DIV, y, a, b, n, sa, sb);
        break;
    }
}

typedef struct {
    an_binary_kind kind;
    float *y;
    const float *a, *b;
    const an_broadcast *g;
    int64_t pieces; /* of a row of the innermost dimension */
} forward_job;

/* Items are pieces of rows: a single long row is distributed too. */
static void forward_pieces(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const forward_job *job = context;
    const an_broadcast *g = job->g;
    int last = g->ndim - 1;
    int64_t n = g->shape[last];
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        int64_t row = i / job->pieces, from = i % job->pieces * PIECE, pa, pb;
        locate(g, row, &pa, &pb);
        dispatch_forward(job->kind, job->y + row * n + from, job->a + pa + from * g->sa[last],
                         job->b + pb + from * g->sb[last], n - from < PIECE ? n - from : PIECE,
                         g->sa[last], g->sb[last]);
    }
}

void an_k_binary_forward(an_binary_kind kind, float *y, const float *a, const float *b,
                         const an_broadcast *g)
{
    AN_ASSERT(is_broadcast(g));
    AN_ASSERT(an_disjoint(y, elements(g), a, extent(g, g->sa)) &&
              an_disjoint(y, elements(g), b, extent(g, g->sb)));
    if (g->ndim == 0) {
        *y = apply(kind, *a, *b);
        return;
    }
    int64_t total = elements(g), n = g->shape[g->ndim - 1], rows = n ? total / n : 0;
    int64_t pieces = an_div_up(n, PIECE), each = an_min(n, PIECE);
    an_par_for(rows * pieces, an_row_grain(each), forward_pieces,
               &(forward_job){kind, y, a, b, g, pieces});
}

/* dy · ∂y/∂a (side 0) or dy · ∂y/∂b (side 1) at one element. */
static inline float slope(an_binary_kind kind, int side, float dy, float a, float b)
{
    switch (kind) {
    case AN_ADD:
        return dy;
    case AN_SUB:
        return side ? -dy : dy;
    case AN_MUL:
        return dy * (side ? a : b);
    default:
        return side ? -dy * a / (b * b) : dy / b;
    }
}

static inline void run_backward(an_binary_kind kind, int side, float *d, float beta,
                                const float *dy, const float *a, const float *b, int64_t n,
                                int64_t sa, int64_t sb)
{
    int64_t sd = side ? sb : sa;
    if (sd == 0) {
        double sum = 0; /* in double: the sum may be long */
        for (int64_t i = 0; i < n; i++)
            sum += slope(kind, side, dy[i], a[i * sa], b[i * sb]);
        *d = (float)sum + (beta == 0 ? 0 : *d);
    } else if (sa == 1 && sb == 1 && beta == 0) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++)
            d[i] = slope(kind, side, dy[i], a[i], b[i]);
    } else if (sa == 1 && sb == 1) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; i++)
            d[i] += slope(kind, side, dy[i], a[i], b[i]);
    } else {
        for (int64_t i = 0; i < n; i++)
            d[i * sd] =
                slope(kind, side, dy[i], a[i * sa], b[i * sb]) + (beta == 0 ? 0 : d[i * sd]);
    }
}

static void dispatch_backward(an_binary_kind kind, int side, float *d, float beta, const float *dy,
                              const float *a, const float *b, int64_t n, int64_t sa, int64_t sb)
{
    switch (kind) {
    case AN_ADD:
        run_backward(AN_ADD, side, d, beta, dy, a, b, n, sa, sb);
        break;
    case AN_SUB:
        run_backward(AN_SUB, side, d, beta, dy, a, b, n, sa, sb);
        break;
    case AN_MUL:
        run_backward(AN_MUL, side, d, beta, dy, a, b, n, sa, sb);
        break;
    case AN_DIV:
        run_backward(AN_DIV, side, d, beta, dy, a, b, n, sa, sb);
        break;
    }
}

typedef struct {
    an_binary_kind kind;
    int side;
    float beta, *d;
    const float *dy, *a, *b;
    const an_broadcast *g;
    int64_t rows; /* per index of the outermost dimension */
} backward_job;

/* Elements of the only row; each adds to its own element. */
static void backward_pieces(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const backward_job *job = context;
    int64_t sa = job->g->sa[0], sb = job->g->sb[0];
    (void)chunk;
    dispatch_backward(job->kind, job->side, job->d + lo * (job->side ? sb : sa), job->beta,
                      job->dy + lo, job->a + lo * sa, job->b + lo * sb, hi - lo, sa, sb);
}

/* Indices of the outermost dimension, each with `rows` rows. */
static void backward_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const backward_job *job = context;
    const an_broadcast *g = job->g;
    int last = g->ndim - 1;
    int64_t n = g->shape[last];
    (void)chunk;
    for (int64_t row = lo * job->rows; row < hi * job->rows; row++) {
        int64_t pa, pb;
        locate(g, row, &pa, &pb);
        dispatch_backward(job->kind, job->side, job->d + (job->side ? pb : pa), job->beta,
                          job->dy + row * n, job->a + pa, job->b + pb, n, g->sa[last], g->sb[last]);
    }
}

/* The operand has as many elements as the result. */
static bool is_full(const an_broadcast *g, int side)
{
    bool full = true;
    for (int d = 0; d < g->ndim; d++)
        full = full && (g->shape[d] == 1 || (side ? g->sb : g->sa)[d] != 0);
    return full;
}

void an_k_binary_backward(an_binary_kind kind, int side, float *d, float beta, const float *dy,
                          const float *a, const float *b, const an_broadcast *g)
{
    AN_ASSERT(is_broadcast(g) && (side == 0 || side == 1));
    AN_ASSERT(beta == 1 || (beta == 0 && is_full(g, side)));
    if (g->ndim == 0) {
        *d = slope(kind, side, *dy, *a, *b) + (beta == 0 ? 0 : *d);
        return;
    }
    int64_t total = elements(g), n = g->shape[g->ndim - 1], rows = n ? total / n : 0;
    const int64_t *sd = side ? g->sb : g->sa;
    backward_job job = {kind, side, beta, d, dy, a, b, g, .rows = 0};
    if (g->ndim == 1 && sd[0] != 0) {
        an_par_for(n, AN_GRAIN, backward_pieces, &job);
        return;
    }
    int64_t outer = g->ndim > 1 && sd[0] != 0 ? g->shape[0] : 1; /* independent indices */
    job.rows = outer ? rows / outer : 0;
    int64_t each = job.rows * n;
    an_par_for(outer, an_row_grain(each), backward_rows, &job);
}
