/* broadcast: see broadcast.h. The innermost dimension is one run; the outermost is cut
 * over threads where each index of it owns its targets. */
#include "kernel/broadcast.h"

enum { PARALLEL_FROM = 1 << 15 }; /* elements below which starting threads costs more */

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
    case AN_ADD: run_forward(AN_ADD, y, a, b, n, sa, sb); break;
    case AN_SUB: run_forward(AN_SUB, y, a, b, n, sa, sb); break;
    case AN_MUL: run_forward(AN_MUL, y, a, b, n, sa, sb); break;
    case AN_DIV: run_forward(AN_DIV, y, a, b, n, sa, sb); break;
    }
}

void an_k_binary_forward(an_binary_kind kind, float *y, const float *a, const float *b,
                         const an_broadcast *g)
{
    int64_t total = elements(g);
    if (g->ndim == 0) {
        *y = apply(kind, *a, *b);
        return;
    }
    int last = g->ndim - 1;
    int64_t n = g->shape[last], rows = n ? total / n : 0, cut = 4096;
    int64_t pieces = (n + cut - 1) / cut; /* one long run is cut too, so all threads help */
#pragma omp parallel for schedule(static) collapse(2) if (total >= PARALLEL_FROM)
    for (int64_t row = 0; row < rows; row++)
        for (int64_t piece = 0; piece < pieces; piece++) {
            int64_t pa, pb, from = piece * cut, length = n - from < cut ? n - from : cut;
            locate(g, row, &pa, &pb);
            dispatch_forward(kind, y + row * n + from, a + pa + from * g->sa[last],
                             b + pb + from * g->sb[last], length, g->sa[last], g->sb[last]);
        }
}

/* dy · ∂y/∂a (side 0) or dy · ∂y/∂b (side 1) at one element. */
static inline float slope(an_binary_kind kind, int side, float dy, float a, float b)
{
    switch (kind) {
    case AN_ADD: return dy;
    case AN_SUB: return side ? -dy : dy;
    case AN_MUL: return dy * (side ? a : b);
    default: return side ? -dy * a / (b * b) : dy / b;
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
            d[i * sd] = slope(kind, side, dy[i], a[i * sa], b[i * sb])
                      + (beta == 0 ? 0 : d[i * sd]);
    }
}

static void dispatch_backward(an_binary_kind kind, int side, float *d, float beta,
                              const float *dy, const float *a, const float *b, int64_t n,
                              int64_t sa, int64_t sb)
{
    switch (kind) {
    case AN_ADD: run_backward(AN_ADD, side, d, beta, dy, a, b, n, sa, sb); break;
    case AN_SUB: run_backward(AN_SUB, side, d, beta, dy, a, b, n, sa, sb); break;
    case AN_MUL: run_backward(AN_MUL, side, d, beta, dy, a, b, n, sa, sb); break;
    case AN_DIV: run_backward(AN_DIV, side, d, beta, dy, a, b, n, sa, sb); break;
    }
}

void an_k_binary_backward(an_binary_kind kind, int side, float *d, float beta, const float *dy,
                          const float *a, const float *b, const an_broadcast *g)
{
    int64_t total = elements(g);
    if (g->ndim == 0) {
        *d = slope(kind, side, *dy, *a, *b) + (beta == 0 ? 0 : *d);
        return;
    }
    int last = g->ndim - 1;
    int64_t n = g->shape[last], rows = n ? total / n : 0;
    const int64_t *sd = side ? g->sb : g->sa;
    if (g->ndim == 1 && sd[0] != 0) { /* one run, every element its own target */
        int64_t cut = 4096, pieces = (n + cut - 1) / cut;
#pragma omp parallel for schedule(static) if (total >= PARALLEL_FROM)
        for (int64_t p = 0; p < pieces; p++) {
            int64_t from = p * cut, length = n - from < cut ? n - from : cut;
            dispatch_backward(kind, side, d + from * sd[0], beta, dy + from, a + from * g->sa[0],
                              b + from * g->sb[0], length, g->sa[0], g->sb[0]);
        }
        return;
    }
    int64_t outer = g->ndim > 1 && sd[0] != 0 ? g->shape[0] : 1; /* indices that own targets */
    int64_t each = outer ? rows / outer : 0;
#pragma omp parallel for schedule(static) if (outer > 1 && total >= PARALLEL_FROM)
    for (int64_t o = 0; o < outer; o++)
        for (int64_t row = o * each; row < (o + 1) * each; row++) {
            int64_t pa, pb;
            locate(g, row, &pa, &pb);
            dispatch_backward(kind, side, d + (side ? pb : pa), beta, dy + row * n, a + pa, b + pb,
                              n, g->sa[last], g->sb[last]);
        }
}
