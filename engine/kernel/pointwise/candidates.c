/* candidates: see candidates.h. A thread processes whole images, so that the draws of an image add
 * to its gradient in their order. The classes are visited in ascending order along with the next
 * candidate: the rest is the classes in between. */
#include "kernel/pointwise/candidates.h"

#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "base/par.h"
#include "kernel/common/cache.h"

typedef struct {
    const an_candidates_shape *s;
    const int64_t *index;
    const float *x, *p, *dy;
    float *y, *dx, *dp;
    int64_t *chosen, N;
    double scale;
    bool logits;
} job;

static void for_images(job *j, an_chunk_fn work)
{
    const an_candidates_shape *s = j->s;
    AN_ASSERT(s->C >= 1 && s->C < s->K && s->images >= 1 && s->rows % s->images == 0);
    int64_t each = s->K * (s->rows / s->images) * (j->N ? j->N : 1);
    an_par_for(s->images, an_grain(s->images, each, AN_GRAIN), work, j);
}

/* ── choosing ─────────────────────────────────────────────────────────────────────── */

/* Whether class a comes before class b in descending order of score. */
static bool before(const float *score, int64_t a, int64_t b)
{
    float x = isnan(score[a]) ? -INFINITY : score[a], y = isnan(score[b]) ? -INFINITY : score[b];
    return x > y || (x == y && a < b);
}

/* Restores the heap below `at`: its first entry is the last of the n in descending order. */
static void sink(int64_t *heap, int64_t n, int64_t at, const float *score)
{
    for (int64_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && before(score, heap[child], heap[child + 1]))
            child++;
        if (before(score, heap[child], heap[at]))
            return;
        int64_t held = heap[at];
        heap[at] = heap[child];
        heap[child] = held;
        at = child;
    }
}

/* A heap of C classes finds the last of the C largest; every class not after it is a candidate. */
static void choose(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    int64_t K = j->s->K, C = j->s->C;
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        const float *score = j->x + b * K;
        int64_t *to = j->chosen + b * (C + 1), n = 0;
        for (int64_t c = 0; c < C; c++)
            to[c] = c;
        for (int64_t at = C / 2; at-- > 0;)
            sink(to, C, at, score);
        for (int64_t k = C; k < K; k++)
            if (before(score, k, to[0])) {
                to[0] = k;
                sink(to, C, 0, score);
            }
        int64_t last = to[0];
        for (int64_t k = 0; k < K; k++)
            if (k == last || before(score, k, last))
                to[n++] = k;
        to[n] = K;
    }
}

void an_k_candidates_choose(int64_t *index, const float *score, const an_candidates_shape *s)
{
    an_candidates_shape of_images = *s;
    of_images.rows = s->images;
    for_images(&(job){.s = &of_images, .x = score, .chosen = index}, choose);
}

/* ── rows of classes to rows of candidates and rest ───────────────────────────────── */

static void gather(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    int64_t K = j->s->K, C = j->s->C, R = j->s->rows / j->s->images;
    (void)chunk;
    for (int64_t r = lo * R; r < hi * R; r++) {
        const int64_t *index = j->index + r / R * (C + 1);
        const float *x = j->x + r * K;
        float *y = j->y + r * (C + 1);
        double rest = 0;
        for (int64_t k = 0, c = 0; k < K; k++)
            if (k == index[c])
                y[c++] = x[k];
            else
                rest += x[k];
        y[C] = (float)(j->scale * rest);
    }
}

void an_k_candidates_gather(float *y, const float *x, const int64_t *index, double scale,
                            const an_candidates_shape *s)
{
    for_images(&(job){.s = s, .index = index, .x = x, .y = y, .scale = scale}, gather);
}

static void gather_backward(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    int64_t K = j->s->K, C = j->s->C, R = j->s->rows / j->s->images;
    (void)chunk;
    for (int64_t r = lo * R; r < hi * R; r++) {
        const int64_t *index = j->index + r / R * (C + 1);
        const float *dy = j->dy + r * (C + 1);
        float *dx = j->dx + r * K, rest = (float)(j->scale * dy[C]);
        for (int64_t k = 0, c = 0; k < K; k++)
            dx[k] += k == index[c] ? dy[c++] : rest;
    }
}

void an_k_candidates_gather_backward(float *dx, const float *dy, const int64_t *index, double scale,
                                     const an_candidates_shape *s)
{
    for_images(&(job){.s = s, .index = index, .dy = dy, .dx = dx, .scale = scale}, gather_backward);
}

/* ── and back ─────────────────────────────────────────────────────────────────────── */

/* S of image b. It differs from gather's sum: every term includes the floor. */
static double rest_of(const job *j, int64_t b)
{
    int64_t K = j->s->K, C = j->s->C;
    const int64_t *index = j->index + b * (C + 1);
    double sum = 0;
    for (int64_t k = 0, c = 0; k < K; k++)
        if (k == index[c])
            c++;
        else
            sum += j->p[b * K + k] + AN_SHARE_FLOOR;
    return sum;
}

static void spread(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    int64_t K = j->s->K, C = j->s->C, R = j->s->rows / j->s->images;
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        const int64_t *index = j->index + b * (C + 1);
        double whole = rest_of(j, b);
        for (int64_t k = 0, c = 0; k < K; k++) {
            bool candidate = k == index[c];
            double share = (j->p[b * K + k] + AN_SHARE_FLOOR) / whole;
            float part = candidate ? 0 : (float)(j->logits ? log(share) : share);
            for (int64_t r = b * R; r < (b + 1) * R; r++) {
                float rest = j->x[r * (C + 1) + C];
                j->y[r * K + k] = candidate   ? j->x[r * (C + 1) + c]
                                  : j->logits ? rest + part
                                              : rest * part;
            }
            c += candidate;
        }
    }
}

void an_k_candidates_spread(float *y, const float *x, const float *p, const int64_t *index,
                            bool logits, const an_candidates_shape *s)
{
    for_images(&(job){.s = s, .index = index, .x = x, .p = p, .y = y, .logits = logits}, spread);
}

/* The sums over the rest that the gradients of row r require: of dy, and of dy times the share. */
typedef struct {
    double plain, shared;
} rest_sums;

static rest_sums sums_of(const job *j, int64_t b, int64_t r, double whole)
{
    int64_t K = j->s->K, C = j->s->C;
    const int64_t *index = j->index + b * (C + 1);
    const float *dy = j->dy + r * K, *p = j->p + b * K;
    rest_sums sums = {0};
    for (int64_t k = 0, c = 0; k < K; k++)
        if (k == index[c]) {
            c++;
        } else {
            sums.plain += dy[k];
            sums.shared += dy[k] * (p[k] + AN_SHARE_FLOOR) / whole;
        }
    return sums;
}

static void add_to_row(const job *j, int64_t b, int64_t r, rest_sums sums)
{
    int64_t K = j->s->K, C = j->s->C;
    const int64_t *index = j->index + b * (C + 1);
    float *dx = j->dx + r * (C + 1);
    for (int64_t c = 0; c < C; c++)
        dx[c] += j->dy[r * K + index[c]];
    dx[C] += (float)(j->logits ? sums.plain : sums.shared);
}

/* ∂(p_k/S) = (δ − p_k/S)/S and ∂ ln(p_k/S) = δ/p_k − 1/S */
static void add_to_shares(const job *j, int64_t b, int64_t r, rest_sums sums, double whole)
{
    int64_t K = j->s->K, C = j->s->C;
    const int64_t *index = j->index + b * (C + 1);
    double rest = j->x[r * (C + 1) + C];
    for (int64_t k = 0, c = 0; k < K; k++) {
        if (k == index[c]) {
            c++;
            continue;
        }
        double dy = j->dy[r * K + k], p = j->p[b * K + k] + AN_SHARE_FLOOR;
        j->dp[b * K + k] +=
            (float)(j->logits ? dy / p - sums.plain / whole : rest * (dy - sums.shared) / whole);
    }
}

static void spread_backward(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    int64_t R = j->s->rows / j->s->images;
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        double whole = rest_of(j, b);
        for (int64_t r = b * R; r < (b + 1) * R; r++) {
            rest_sums sums = sums_of(j, b, r, whole);
            if (j->dx)
                add_to_row(j, b, r, sums);
            if (j->dp)
                add_to_shares(j, b, r, sums, whole);
        }
    }
}

void an_k_candidates_spread_backward(float *dx, float *dp, const float *dy, const float *x,
                                     const float *p, const int64_t *index, bool logits,
                                     const an_candidates_shape *s)
{
    job j = {.s = s, .index = index, .x = x, .p = p, .dy = dy, .dx = dx, .dp = dp};
    j.logits = logits;
    for_images(&j, spread_backward);
}

static void copy(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    int64_t K = j->s->K, C = j->s->C, R = j->s->rows / j->s->images, N = j->N;
    (void)chunk;
    for (int64_t r = lo * R; r < hi * R; r++) {
        const int64_t *index = j->index + r / R * (C + 1);
        for (int64_t k = 0, c = 0; k < K; k++) {
            bool candidate = k == index[c];
            const float *from = j->x + (r * (C + 1) + (candidate ? c : C)) * N;
            memcpy(j->y + (r * K + k) * N, from, (size_t)N * sizeof *from);
            c += candidate;
        }
    }
}

void an_k_candidates_copy(float *to, const float *from, const int64_t *index, int64_t N,
                          const an_candidates_shape *s)
{
    for_images(&(job){.s = s, .index = index, .x = from, .y = to, .N = N}, copy);
}
