/* resize: see resize.h. Two separable passes over weight tables, rows first:
 * O(height·width + H·width) for shrinking. */
#include "data/resize.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

/* For each of the n targets along an axis: `count` source positions from `first`, with
 * weights (sum 1) at weight[target·most …]. */
typedef struct axis {
    int n, most;
    int *first, *count;
    float *weight;
} axis;

/* Target i covers [from + i·step, from + (i+1)·step) of the source's `size` pixels. */
static void cover(axis *a, int i, double from, double step, int size)
{
    double lo = from + i * step, hi = lo + step;
    int first = (int)floor(lo + 1e-9), last = (int)ceil(hi - 1e-9) - 1;
    if (first < 0) first = 0;
    if (last > size - 1) last = size - 1;
    if (last < first) last = first;
    a->first[i] = first, a->count[i] = last - first + 1;
    double total = 0;
    for (int k = first; k <= last; k++)
        total += fmin(hi, k + 1) - fmax(lo, k);
    for (int k = first; k <= last; k++)
        a->weight[i * a->most + k - first] = (float)((fmin(hi, k + 1) - fmax(lo, k)) / total);
}

/* The two source pixels around the centre of target i; the border pixel repeats outside. */
static void interpolate(axis *a, int i, double from, double step, int size)
{
    double centre = from + (i + 0.5) * step - 0.5;
    centre = fmin(fmax(centre, 0), size - 1);
    int first = (int)floor(centre);
    float f = (float)(centre - first);
    a->first[i] = first, a->count[i] = first + 1 < size ? 2 : 1;
    a->weight[i * a->most] = a->count[i] == 2 ? 1 - f : 1;
    if (a->count[i] == 2) a->weight[i * a->most + 1] = f;
}

static void axis_free(axis *a)
{
    an_free(a->first);
    an_free(a->weight);
}

/* n targets over the part [from, from + length) of an axis of `size` source pixels. */
static an_code axis_make(axis *a, int n, double from, double length, int size)
{
    double step = length / n;
    a->n = n, a->most = (int)ceil(step) + 2;
    a->first = an_calloc((size_t)n * 2, sizeof *a->first);
    a->weight = an_calloc((size_t)n * (size_t)a->most, sizeof *a->weight);
    if (!a->first || !a->weight) return axis_free(a), AN_ENOMEM;
    a->count = a->first + n;
    for (int i = 0; i < n; i++)
        (step > 1 ? cover : interpolate)(a, i, from, step, size);
    return AN_OK;
}

/* One source row (width, 3) → (x->n, 3). */
static void squeeze_row(const uint8_t *row, const axis *x, float *out)
{
    for (int i = 0; i < x->n; i++) {
        const uint8_t *p = row + 3 * x->first[i];
        const float *w = x->weight + i * x->most;
        float r = 0, g = 0, b = 0;
        for (int k = 0; k < x->count[i]; k++, p += 3)
            r += w[k] * p[0], g += w[k] * p[1], b += w[k] * p[2];
        out[3 * i] = r, out[3 * i + 1] = g, out[3 * i + 2] = b;
    }
}

/* dst points at the first target pixel; `pitch` bytes lie between its rows. */
static an_code passes(const uint8_t *src, int width, const axis *y, const axis *x, uint8_t *dst,
                      int pitch)
{
    int n = 3 * x->n;
    float *row = an_alloc((size_t)n * 2 * sizeof *row);
    if (!row) return AN_ENOMEM;
    float *sum = row + n;
    for (int i = 0; i < y->n; i++) {
        memset(sum, 0, (size_t)n * sizeof *sum);
        for (int k = 0; k < y->count[i]; k++) {
            float w = y->weight[i * y->most + k];
            squeeze_row(src + (int64_t)(y->first[i] + k) * width * 3, x, row);
            for (int c = 0; c < n; c++)
                sum[c] += w * row[c];
        }
        for (int c = 0; c < n; c++)
            dst[(int64_t)i * pitch + c] = (uint8_t)fminf(sum[c] + 0.5f, 255.0f);
    }
    an_free(row);
    return AN_OK;
}

an_code an_resize(const uint8_t *src, int height, int width, uint8_t *dst, int H, int W,
                  an_aspect aspect)
{
    double use_h = height, use_w = width; /* the part of the source that is shown    */
    int put_h = H, put_w = W;             /* the part of the target that it fills    */
    double wide = (double)width * H, tall = (double)height * W;
    if (aspect == AN_CROP && wide > tall) use_w = tall / H;
    if (aspect == AN_CROP && wide < tall) use_h = wide / W;
    if (aspect == AN_PAD && wide > tall) put_h = (int)fmax(1, round(tall / width));
    if (aspect == AN_PAD && wide < tall) put_w = (int)fmax(1, round(wide / height));
    axis x, y;
    an_code code = axis_make(&x, put_w, (width - use_w) / 2, use_w, width);
    if (code != AN_OK) return code;
    code = axis_make(&y, put_h, (height - use_h) / 2, use_h, height);
    if (code == AN_OK) {
        if (put_h < H || put_w < W) memset(dst, 0, (size_t)H * (size_t)W * 3);
        int64_t corner = ((int64_t)((H - put_h) / 2) * W + (W - put_w) / 2) * 3;
        code = passes(src, width, &y, &x, dst + corner, W * 3);
        axis_free(&y);
    }
    axis_free(&x);
    return code;
}
