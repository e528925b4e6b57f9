/* pool: see pool.h. Every function is one parallel loop over images; within an image the channels,
 * which are contiguous, are the inner loop. */
#include "kernel/pointwise/pool.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/par.h"
#include "base/simd.h"

an_pool_shape an_k_pool_shape(int64_t B, int64_t H, int64_t W, int64_t C, int64_t size,
                              int64_t stride, int64_t pad)
{
    AN_ASSERT(size >= 1 && stride >= 1 && pad >= 0);
    int64_t free_y = H + 2 * pad - size, free_x = W + 2 * pad - size;
    return (an_pool_shape){
        .B = B,
        .H = H,
        .W = W,
        .C = C,
        .size = size,
        .stride = stride,
        .pad = pad,
        .Ho = free_y < 0 ? 0 : free_y / stride + 1,
        .Wo = free_x < 0 ? 0 : free_x / stride + 1,
    };
}

static bool is_pool(const an_pool_shape *s)
{
    return s->B >= 0 && s->C >= 0 && s->size >= 1 && s->stride >= 1 && s->pad >= 0 &&
           2 * s->pad <= s->size && s->Ho >= 1 && s->Wo >= 1;
}

/* ── windows ──────────────────────────────────────────────────────────────────────── */

typedef struct {
    int64_t top, bottom, left, right; /* inside the image, half open */
} window;

static window window_of(int64_t i, int64_t j, const an_pool_shape *s)
{
    int64_t y = i * s->stride - s->pad, x = j * s->stride - s->pad;
    return (window){
        .top = y < 0 ? 0 : y,
        .bottom = y + s->size < s->H ? y + s->size : s->H,
        .left = x < 0 ? 0 : x,
        .right = x + s->size < s->W ? x + s->size : s->W,
    };
}

/* ── maximum ──────────────────────────────────────────────────────────────────────── */

/* best (C) ← max(best, x), and at (C) ← `position` where x was larger. */
AN_SIMD static void update_max(float *restrict best, uint8_t *restrict at, const float *restrict x,
                               uint8_t position, int64_t C)
{
    for (int64_t c = 0; c < C; c++) {
        bool wins = (x[c] > best[c]) | (x[c] != x[c]);
        best[c] = wins ? x[c] : best[c];
        at[c] = wins ? position : at[c];
    }
}

static void max_of_window(float *y, uint8_t *at, const float *x, window in, int64_t top,
                          int64_t left, const an_pool_shape *s)
{
    int64_t C = s->C;
    memcpy(y, x + (in.top * s->W + in.left) * C, sizeof(float) * (size_t)C);
    memset(at, (int)((in.top - top) * s->size + in.left - left), (size_t)C);
    for (int64_t i = in.top; i < in.bottom; i++)
        for (int64_t j = in.left; j < in.right; j++)
            update_max(y, at, x + (i * s->W + j) * C, (uint8_t)((i - top) * s->size + j - left), C);
}

void an_k_max_pool_forward(float *y, uint8_t *at, const float *x, const an_pool_shape *s)
{
    AN_ASSERT(is_pool(s) && s->size <= AN_POOL_SIDE);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < s->B; b++) {
        for (int64_t i = 0; i < s->Ho; i++) {
            for (int64_t j = 0; j < s->Wo; j++) {
                int64_t o = ((b * s->Ho + i) * s->Wo + j) * s->C;
                max_of_window(y + o, at + o, x + b * s->H * s->W * s->C, window_of(i, j, s),
                              i * s->stride - s->pad, j * s->stride - s->pad, s);
            }
        }
    }
}

void an_k_max_pool_backward(float *dx, const float *dy, const uint8_t *at, const an_pool_shape *s)
{
    AN_ASSERT(is_pool(s) && s->size <= AN_POOL_SIDE);
    int64_t offset[AN_POOL_SIDE * AN_POOL_SIDE]; /* of a position in a window, in elements */
    for (int64_t k = 0; k < s->size * s->size; k++)
        offset[k] = (k / s->size * s->W + k % s->size) * s->C;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < s->B; b++) {
        for (int64_t o = 0; o < s->Ho * s->Wo; o++) {
            int64_t i = o / s->Wo * s->stride - s->pad, j = o % s->Wo * s->stride - s->pad;
            int64_t corner = ((b * s->H + i) * s->W + j) * s->C, k = (b * s->Ho * s->Wo + o) * s->C;
            for (int64_t c = 0; c < s->C; c++)
                dx[corner + offset[at[k + c]] + c] += dy[k + c];
        }
    }
}

/* ── average ──────────────────────────────────────────────────────────────────────── */

/* to (C) += scale·from (C) */
static void add_scaled(float *restrict to, const float *restrict from, float scale, int64_t C)
{
    for (int64_t c = 0; c < C; c++)
        to[c] += scale * from[c];
}

void an_k_avg_pool_forward(float *y, const float *x, const an_pool_shape *s)
{
    AN_ASSERT(is_pool(s) && s->pad == 0);
    int64_t C = s->C, outputs = s->Ho * s->Wo;
    float share = 1.0f / (float)(s->size * s->size);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < s->B; b++) {
        for (int64_t o = 0; o < outputs; o++) {
            window in = window_of(o / s->Wo, o % s->Wo, s);
            float *to = y + (b * outputs + o) * C;
            memset(to, 0, sizeof(float) * (size_t)C);
            for (int64_t i = in.top; i < in.bottom; i++)
                for (int64_t j = in.left; j < in.right; j++)
                    add_scaled(to, x + ((b * s->H + i) * s->W + j) * C, share, C);
        }
    }
}

void an_k_avg_pool_backward(float *dx, const float *dy, const an_pool_shape *s)
{
    AN_ASSERT(is_pool(s) && s->pad == 0);
    int64_t C = s->C, outputs = s->Ho * s->Wo;
    float share = 1.0f / (float)(s->size * s->size);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < s->B; b++) {
        for (int64_t o = 0; o < outputs; o++) {
            window in = window_of(o / s->Wo, o % s->Wo, s);
            const float *from = dy + (b * outputs + o) * C;
            for (int64_t i = in.top; i < in.bottom; i++)
                for (int64_t j = in.left; j < in.right; j++)
                    add_scaled(dx + ((b * s->H + i) * s->W + j) * C, from, share, C);
        }
    }
}

void an_k_global_pool_forward(float *y, const float *x, int64_t B, int64_t n, int64_t C)
{
    AN_ASSERT(B >= 0 && n >= 1 && C >= 0);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < B; b++) {
        memset(y + b * C, 0, sizeof(float) * (size_t)C);
        for (int64_t p = 0; p < n; p++)
            add_scaled(y + b * C, x + (b * n + p) * C, 1.0f / (float)n, C);
    }
}

void an_k_global_pool_backward(float *dx, const float *dy, int64_t B, int64_t n, int64_t C,
                               float beta)
{
    AN_ASSERT(B >= 0 && n >= 1 && C >= 0 && (beta == 0 || beta == 1));
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < B; b++)
        for (int64_t p = 0; p < n; p++) {
            float *to = dx + (b * n + p) * C;
            if (beta == 0)
                memset(to, 0, sizeof(float) * (size_t)C);
            add_scaled(to, dy + b * C, 1.0f / (float)n, C);
        }
}

/* ── top-p % ──────────────────────────────────────────────────────────────────────── */

/* at (top) ← the positions of the largest of the n elements of x, `step` floats apart, largest
 * first. An insertion sort of `top` elements: most are smaller than the last one kept. */
static void select_top(int64_t *at, const float *x, int64_t n, int64_t step, int64_t top)
{
    int64_t kept = 0;
    for (int64_t p = 0; p < n; p++) {
        float value = x[p * step];
        if (kept == top && !(value > x[at[top - 1] * step]))
            continue;
        int64_t slot = kept < top ? kept++ : top - 1;
        for (; slot > 0 && value > x[at[slot - 1] * step]; slot--)
            at[slot] = at[slot - 1];
        at[slot] = p;
    }
}

void an_k_top_pool_forward(float *y, int64_t *at, const float *x, int64_t B, int64_t n, int64_t C,
                           int64_t top)
{
    AN_ASSERT(B >= 0 && C >= 0 && top >= 1 && top <= n);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < B; b++) {
        for (int64_t c = 0; c < C; c++) {
            const float *map = x + b * n * C + c;
            int64_t *chosen = at + (b * C + c) * top;
            select_top(chosen, map, n, C, top);
            double sum = 0;
            for (int64_t k = 0; k < top; k++)
                sum += (double)map[chosen[k] * C];
            y[b * C + c] = (float)(sum / (double)top);
        }
    }
}

void an_k_top_pool_backward(float *dx, const float *dy, const int64_t *at, int64_t B, int64_t n,
                            int64_t C, int64_t top)
{
    AN_ASSERT(B >= 0 && C >= 0 && top >= 1 && top <= n);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < B; b++)
        for (int64_t c = 0; c < C; c++)
            for (int64_t k = 0; k < top; k++)
                dx[(b * n + at[(b * C + c) * top + k]) * C + c] += dy[b * C + c] / (float)top;
}
