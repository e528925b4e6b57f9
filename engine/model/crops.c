/* crops: see crops.h. The search for windows runs in double. */
#include "model/crops.h"

#include <math.h>

#include "base/assert.h"
#include "kernel/common/carve.h"
#include "grad/ops.h"
#include "kernel/pointwise/crop.h"
#include "tensor/scope.h"

/* The search for n windows of side s in one image of H×W pixels. */
typedef struct {
    int64_t H, W, n, s;
    const double *sum; /* (H+1, W+1): the map's weight above and left of each pixel corner */
} search;

/* out (h, w) ← Σ_k maps_k · p_k, with 0 where that is not finite. */
static void weigh(double *out, const float *maps, const float *p, int64_t cells, int64_t K)
{
    for (int64_t i = 0; i < cells; i++) {
        double sum = 0;
        for (int64_t k = 0; k < K; k++)
            sum += (double)maps[i * K + k] * p[k];
        out[i] = isfinite(sum) ? sum : 0;
    }
}

/* Integrates along one axis of n pixels: sum at pixel corner x = the integral over [0, x] of the
 * `cells` values v (`stride` apart), each constant over n/cells pixels. */
static void integrate_axis(double *sum, int64_t sum_stride, const double *v, int64_t stride,
                           int64_t cells, int64_t n)
{
    double whole = 0, cell = (double)n / (double)cells;
    int64_t c = 0;
    sum[0] = 0;
    for (int64_t x = 1; x <= n; x++) {
        while (c < cells && (c + 1) * n <= x * cells) /* cells that end at or before x */
            whole += v[c++ * stride] * cell;
        double rest = (double)x - (double)c * cell;
        sum[x * sum_stride] = whole + (c < cells ? v[c * stride] * rest : 0);
    }
}

/* sum (H+1, W+1) ← the summed-area table of map (h, w); row (h, W+1) is work space. */
static void integrate(double *sum, double *row, const double *map, int64_t h, int64_t w, int64_t H,
                      int64_t W)
{
    for (int64_t i = 0; i < h; i++)
        integrate_axis(row + i * (W + 1), 1, map + i * w, 1, w, W);
    for (int64_t x = 0; x <= W; x++)
        integrate_axis(sum + x, W + 1, row + x, W + 1, h, H);
}

static double window_weight(const search *a, int64_t y, int64_t x)
{
    const double *top = a->sum + y * (a->W + 1), *end = a->sum + (y + a->s) * (a->W + 1);
    return end[x + a->s] - end[x] - top[x + a->s] + top[x];
}

static int64_t shared(int64_t a, int64_t b, int64_t s)
{
    int64_t apart = a > b ? a - b : b - a;
    return apart < s ? s - apart : 0;
}

/* Pixels that the window at (y, x) shares with the `count` windows in `chosen`. */
static int64_t overlap(const int64_t *chosen, int64_t count, int64_t y, int64_t x, int64_t s)
{
    int64_t pixels = 0;
    for (int64_t i = 0; i < count; i++)
        pixels += shared(chosen[2 * i], y, s) * shared(chosen[2 * i + 1], x, s);
    return pixels;
}

static void choose(const search *a, int64_t *position)
{
    for (int64_t i = 0; i < a->n; i++) {
        int64_t fewest = INT64_MAX;
        double heaviest = -INFINITY;
        for (int64_t y = 0; y + a->s <= a->H; y++)
            for (int64_t x = 0; x + a->s <= a->W; x++) {
                int64_t pixels = overlap(position, i, y, x, a->s);
                if (pixels > fewest)
                    continue;
                double weight = window_weight(a, y, x);
                if (pixels == fewest && !(weight > heaviest))
                    continue;
                fewest = pixels;
                heaviest = weight;
                position[2 * i] = y;
                position[2 * i + 1] = x;
            }
    }
}

static an_code check(an_tensor *maps, an_tensor *g, int64_t H, int64_t W, int64_t n, int64_t s)
{
    if (an_expect(maps, "saliency (B, h, w, K)", AN_F32, 4) ||
        an_expect(g, "logits g (B, K)", AN_F32, 2))
        return an_err_code();
    if (maps->shape[0] != g->shape[0] || maps->shape[3] != g->shape[1])
        return an_fail(AN_EINVAL, "saliency %s and logits g %s are not of one batch and classes",
                       an_shape_text(maps), an_shape_text(g));
    if (n < 1 || s < 1 || s > H || s > W)
        return an_fail(AN_EINVAL, "%lld crops of side %lld cannot be cut from %lld×%lld images",
                       (long long)n, (long long)s, (long long)H, (long long)W);
    return AN_OK;
}

static an_code choose_all(an_tensor *positions, an_tensor *maps, an_tensor *p, int64_t H, int64_t W,
                          int64_t s)
{
    int64_t B = maps->shape[0], h = maps->shape[1], w = maps->shape[2], K = maps->shape[3];
    int64_t n = positions->shape[1];
    an_carve scratch = {0};
    an_carve_part own_map = an_carve_own(&scratch, h * w, sizeof(double));
    an_carve_part own_rows = an_carve_own(&scratch, h * (W + 1), sizeof(double));
    an_carve_part own_sums = an_carve_own(&scratch, (H + 1) * (W + 1), sizeof(double));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < B; b++) {
        double *map = an_carve_at(&scratch, own_map), *row = an_carve_at(&scratch, own_rows);
        double *sum = an_carve_at(&scratch, own_sums);
        weigh(map, an_f32(maps) + b * h * w * K, an_f32(p) + b * K, h * w, K);
        integrate(sum, row, map, h, w, H, W);
        choose(&(search){H, W, n, s, sum}, an_i64(positions) + b * n * 2);
    }
    an_carve_release(&scratch);
    return AN_OK;
}

an_tensor *an_crops_choose(an_tensor *maps, an_tensor *g, int64_t H, int64_t W, int64_t n,
                           int64_t s)
{
    if (!maps || !g || check(maps, g, H, W, n, s))
        return NULL;
    size_t mark = an_scope_begin();
    an_tensor *p = an_softmax(an_detach(g));
    maps = an_contiguous(an_detach(maps));
    an_tensor *positions = an_tensor_new(AN_I64, 3, (int64_t[]){g->shape[0], n, 2});
    if (p && maps && positions && choose_all(positions, maps, p, H, W, s))
        positions = NULL;
    return an_scope_end(mark, p && maps ? positions : NULL);
}

an_tensor *an_crops_cut(an_tensor *images, an_tensor *positions, int64_t s)
{
    if (!images || !positions)
        return NULL;
    AN_ASSERT(images->dtype == AN_F32 && images->ndim == 4);
    AN_ASSERT(positions->dtype == AN_I64 && positions->ndim == 3 && positions->shape[2] == 2);
    AN_ASSERT(positions->shape[0] == images->shape[0] && an_is_contiguous(positions));
    int64_t B = images->shape[0], n = positions->shape[1], C = images->shape[3];
    size_t mark = an_scope_begin();
    images = an_contiguous(an_detach(images));
    an_tensor *out = an_tensor_new(AN_F32, 4, (int64_t[]){B * n, s, s, C});
    if (images && out)
        an_k_crop(an_f32(out), an_f32(images), an_i64(positions), B, images->shape[1],
                  images->shape[2], C, n, s);
    return an_scope_end(mark, images ? out : NULL);
}
