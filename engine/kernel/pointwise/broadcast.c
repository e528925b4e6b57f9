/* broadcast: see broadcast.h. The innermost dimension is one run; the outermost is cut
 * over threads where each index of it owns its targets. */
#include "kernel/pointwise/broadcast.h"

#include "base/par.h"

enum {
    GRAIN = 1 << 14, /* elements of a chunk: for fewer, starting threads costs more */
    CUT = 4096       /* of the innermost dimension                                  */
};

void an_k_broadcast_simplify(an_broadcast *g)
{
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

/* Where index `row` of all dimensions but the last starts in a and b. */
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

/* The compiler makes one loop per kind out of this. */
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
    int side;
    float beta;
    float *y; /* or the gradient of a side                          */
    const float *a, *b, *dy;
    const an_broadcast *g;
    int64_t pieces; /* of a row of the innermost dimension, or rows each  */
} binary_job;

/* A long row is cut too, so that all threads help; a chunk is a few rows' pieces. */
static void forward_pieces(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const binary_job *job = context;
    const an_broadcast *g = job->g;
    int last = g->ndim - 1;
    int64_t n = g->shape[last];
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        int64_t row = i / job->pieces, from = i % job->pieces * CUT, pa, pb;
        locate(g, row, &pa, &pb);
        dispatch_forward(job->kind, job->y + row * n + from, job->a + pa + from * g->sa[last],
                         job->b + pb + from * g->sb[last], n - from < CUT ? n - from : CUT,
                         g->sa[last], g->sb[last]);
    }
}

void an_k_binary_forward(an_binary_kind kind, float *y, const float *a, const float *b,
                         const an_broadcast *g)
{
    if (g->ndim == 0) {
        *y = apply(kind, *a, *b);
        return;
    }
    int64_t total = elements(g), n = g->shape[g->ndim - 1], rows = n ? total / n : 0;
    int64_t pieces = (n + CUT - 1) / CUT, each = n < CUT ? n : CUT;
    binary_job job = {.kind = kind, .y = y, .a = a, .b = b, .g = g, .pieces = pieces};
    an_par_for(rows * pieces, each ? GRAIN / each : 1, forward_pieces, &job);
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
        double sum = 0; /* a long sum into one element keeps its digits */
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

/* Parts of the one row there is; every element is its own target. */
static void backward_pieces(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const binary_job *job = context;
    int64_t sa = job->g->sa[0], sb = job->g->sb[0];
    (void)chunk;
    dispatch_backward(job->kind, job->side, job->y + lo * (job->side ? sb : sa), job->beta,
                      job->dy + lo, job->a + lo * sa, job->b + lo * sb, hi - lo, sa, sb);
}

/* Indices of the outermost dimension, each with `pieces` rows. */
static void backward_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const binary_job *job = context;
    const an_broadcast *g = job->g;
    int last = g->ndim - 1;
    int64_t n = g->shape[last];
    (void)chunk;
    for (int64_t row = lo * job->pieces; row < hi * job->pieces; row++) {
        int64_t pa, pb;
        locate(g, row, &pa, &pb);
        dispatch_backward(job->kind, job->side, job->y + (job->side ? pb : pa), job->beta,
                          job->dy + row * n, job->a + pa, job->b + pb, n, g->sa[last], g->sb[last]);
    }
}

void an_k_binary_backward(an_binary_kind kind, int side, float *d, float beta, const float *dy,
                          const float *a, const float *b, const an_broadcast *g)
{
    if (g->ndim == 0) {
        *d = slope(kind, side, *dy, *a, *b) + (beta == 0 ? 0 : *d);
        return;
    }
    int64_t total = elements(g), n = g->shape[g->ndim - 1], rows = n ? total / n : 0;
    const int64_t *sd = side ? g->sb : g->sa;
    binary_job job = {
        .kind = kind, .side = side, .beta = beta, .y = d, .a = a, .b = b, .dy = dy, .g = g};
    if (g->ndim == 1 && sd[0] != 0) {
        an_par_for(n, GRAIN, backward_pieces, &job);
        return;
    }
    int64_t outer = g->ndim > 1 && sd[0] != 0 ? g->shape[0] : 1; /* indices that own targets */
    job.pieces = outer ? rows / outer : 0;
    int64_t each = job.pieces * n;
    an_par_for(outer, each > 0 && each < GRAIN ? GRAIN / each : 1, backward_rows, &job);
}
