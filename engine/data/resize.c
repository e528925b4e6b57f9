/* resize: see resize.h. Two separable passes over weight tables, rows first:
 * O(height·width + H·width) for shrinking. A pixel is a vector of four floats. */
#include "data/resize.h"

#include <math.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/simd.h"

const char *const an_aspect_names[AN_ASPECTS + 1] = {
    [AN_STRETCH] = "stretch", [AN_CROP] = "crop", [AN_PAD] = "pad"};

typedef float pixel __attribute__((vector_size(16)));

/* For each of the n targets along an axis: `count` source positions from `first`, with weights that
 * sum to 1, followed by zeros, at weight[target·most …]. */
typedef struct axis {
    int n, most, widest; /* widest: the largest count */
    int *first, *count;
    float *weight;
} axis;

static double smaller(double a, double b)
{
    return a < b ? a : b;
}

/* The length of [lo, hi) inside source pixel k. */
static double shared(double lo, double hi, int k)
{
    return smaller(hi, k + 1) - (lo > k ? lo : k);
}

/* Target i covers [from + i·step, from + (i+1)·step) of the source's `size` pixels. */
static void cover(axis *a, int i, double from, double step, int size)
{
    double lo = from + i * step, hi = lo + step;
    int first = (int)floor(lo + 1e-9), last = (int)ceil(hi - 1e-9) - 1;
    if (first < 0)
        first = 0;
    if (last > size - 1)
        last = size - 1;
    if (last < first)
        last = first;
    a->first[i] = first, a->count[i] = last - first + 1;
    double total = 0;
    for (int k = first; k <= last; k++)
        total += shared(lo, hi, k);
    for (int k = first; k <= last; k++)
        a->weight[i * a->most + k - first] = (float)(shared(lo, hi, k) / total);
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
    if (a->count[i] == 2)
        a->weight[i * a->most + 1] = f;
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
    if (!a->first || !a->weight)
        return axis_free(a), AN_ENOMEM;
    a->count = a->first + n;
    a->widest = 0;
    for (int i = 0; i < n; i++) {
        (step > 1 ? cover : interpolate)(a, i, from, step, size);
        if (a->count[i] > a->widest)
            a->widest = a->count[i];
    }
    return AN_OK;
}

/* Separate from the sums: as one long loop, the conversion runs at the full vector width. */
static AN_SIMD void to_float(const uint8_t *bytes, int n, float *out)
{
    for (int i = 0; i < n; i++)
        out[i] = bytes[i];
}

/* One source row (width + widest, 4) → (x->n, 4). Every target uses `widest` pixels, some with
 * weight 0: one loop length for all is faster than the shortest for each. */
static AN_SIMD void squeeze_row(const pixel *row, const axis *x, pixel *out)
{
    for (int i = 0; i < x->n; i++) {
        const pixel *p = row + x->first[i];
        const float *w = x->weight + i * x->most;
        pixel sum = {0};
        for (int k = 0; k < x->widest; k++)
            sum += w[k] * p[k];
        out[i] = sum;
    }
}

/* sum (n) += w · row (n) */
static void add_row(pixel *sum, float w, const pixel *row, int n)
{
    for (int i = 0; i < n; i++)
        sum[i] += w * row[i];
}

static void store_row(const pixel *sum, int n, uint8_t *dst)
{
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            float value = sum[i][c] + 0.5f;
            dst[3 * i + c] = (uint8_t)(value < 255 ? value : 255);
        }
}

/* dst points at the first target pixel; its rows are `pitch` bytes apart. A source row on the
 * border between two target rows is squeezed once. */
static an_code passes(const uint8_t *src, int width, const axis *y, const axis *x, uint8_t *dst,
                      int pitch)
{
    int n = x->n, squeezed = -1;
    size_t pixels = (size_t)width + (size_t)x->widest;
    pixel *source = an_calloc(pixels + (size_t)n * 2, sizeof *source);
    if (!source)
        return AN_ENOMEM;
    pixel *row = source + pixels, *sum = row + n;
    for (int i = 0; i < y->n; i++) {
        memset(sum, 0, (size_t)n * sizeof *sum);
        for (int k = 0; k < y->count[i]; k++) {
            int at = y->first[i] + k;
            if (at != squeezed) {
                to_float(src + (int64_t)at * width * 4, 4 * width, (float *)source);
                squeeze_row(source, x, row);
                squeezed = at;
            }
            add_row(sum, y->weight[i * y->most + k], row, n);
        }
        store_row(sum, n, dst + (int64_t)i * pitch);
    }
    an_free(source);
    return AN_OK;
}

an_code an_resize(const uint8_t *src, int height, int width, uint8_t *dst, int H, int W,
                  an_aspect aspect)
{
    AN_ASSERT(src && dst);
    AN_ASSERT(height >= 1 && width >= 1 && H >= 1 && W >= 1);
    double use_h = height, use_w = width; /* the part of the source that is used     */
    int put_h = H, put_w = W;             /* the part of the target that it fills    */
    double wide = (double)width * H, tall = (double)height * W;
    if (aspect == AN_CROP && wide > tall)
        use_w = tall / H;
    if (aspect == AN_CROP && wide < tall)
        use_h = wide / W;
    if (aspect == AN_PAD && wide > tall)
        put_h = (int)fmax(1, round(tall / width));
    if (aspect == AN_PAD && wide < tall)
        put_w = (int)fmax(1, round(wide / height));
    axis x, y;
    an_code code = axis_make(&x, put_w, (width - use_w) / 2, use_w, width);
    if (code != AN_OK)
        return code;
    code = axis_make(&y, put_h, (height - use_h) / 2, use_h, height);
    if (code == AN_OK) {
        if (put_h < H || put_w < W)
            memset(dst, 0, (size_t)H * (size_t)W * 3);
        int64_t corner = ((int64_t)((H - put_h) / 2) * W + (W - put_w) / 2) * 3;
        code = passes(src, width, &y, &x, dst + corner, W * 3);
        axis_free(&y);
    }
    axis_free(&x);
    return code;
}
