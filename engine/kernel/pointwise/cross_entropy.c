/* cross_entropy: see cross_entropy.h. The backward pass recomputes the sums of a row instead of
 * storing its probabilities. */
#include "kernel/pointwise/cross_entropy.h"

#include <math.h>
#include <stdbool.h>

#include "base/assert.h"
#include "base/par.h"

enum { PARALLEL_FROM = 4096 }; /* logits: for fewer, starting threads costs more */

static inline double weight_of(const an_cross_entropy_args *args, int64_t c)
{
    return args->weight ? args->weight[c] : 1.0;
}

static inline double score(const an_cross_entropy_args *args, const float *x, int64_t y, int64_t c)
{
    double z = x[c];
    if (args->adjust)
        z += args->adjust[c];
    if (args->margin && c == y)
        z -= args->margin[c];
    return args->scale * z;
}

/* The sums over classes that determine the loss of a row. */
typedef struct {
    double log_sum; /* log Σ e^z: log p_c = z_c − log_sum                      */
    double rest;    /* 1 − p_y, the sum of the others: exact near p_y = 1      */
    double entropy; /* Σ_c q_c·(−log p_c)                                      */
    double mass;    /* Σ_c q_c                                                 */
} row_sums;

static row_sums sums_of_row(const float *x, int64_t y, int64_t K, const an_cross_entropy_args *args)
{
    double top = -INFINITY, others = 0, spread = 0, spread_mass = 0;
    for (int64_t c = 0; c < K; c++)
        top = fmax(top, score(args, x, y, c));
    for (int64_t c = 0; c < K; c++)
        others += c == y ? 0 : exp(score(args, x, y, c) - top);
    double own = exp(score(args, x, y, y) - top), log_sum = top + log(own + others);
    for (int64_t c = 0; c < K && args->smoothing > 0; c++) {
        spread += weight_of(args, c) * (log_sum - score(args, x, y, c));
        spread_mass += weight_of(args, c);
    }
    double sharp = (1 - args->smoothing) * weight_of(args, y), even = args->smoothing / (double)K;
    double minus_log_p = own > others ? log1p(others / own) : log_sum - score(args, x, y, y);
    return (row_sums){.log_sum = log_sum,
                      .rest = others / (own + others),
                      .entropy = sharp * minus_log_p + even * spread,
                      .mass = sharp + even * spread_mass};
}

static bool is_loss(int64_t B, int64_t K, const an_cross_entropy_args *args)
{
    return B >= 1 && K >= 1 && args->scale > 0 && args->focal >= 0 && args->smoothing >= 0 &&
           args->smoothing < 1;
}

static bool are_labels(const int64_t *labels, int64_t B, int64_t K)
{
    for (int64_t b = 0; b < B; b++)
        if (labels[b] < 0 || labels[b] >= K)
            return false;
    return true;
}

static double total_weight(const int64_t *labels, int64_t B, const an_cross_entropy_args *args)
{
    double total = 0;
    for (int64_t b = 0; b < B; b++)
        total += weight_of(args, labels[b]);
    return total;
}

/* A batch, and the array for the losses (B) or the gradients (B, K) of its rows. */
typedef struct {
    float *to;
    double factor; /* of the gradients */
    const float *logits;
    const int64_t *labels;
    int64_t K;
    const an_cross_entropy_args *args;
} batch;

static void loss_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const batch *l = context;
    (void)chunk;
    for (int64_t b = lo; b < hi; b++) {
        row_sums s = sums_of_row(l->logits + b * l->K, l->labels[b], l->K, l->args);
        l->to[b] = (float)(pow(s.rest, l->args->focal) * s.entropy);
    }
}

double an_k_cross_entropy_forward(float *row, const float *logits, const int64_t *labels, int64_t B,
                                  int64_t K, const an_cross_entropy_args *args)
{
    AN_ASSERT(is_loss(B, K, args));
    AN_ASSERT_SLOW(are_labels(labels, B, K));
    batch l = {.to = row, .logits = logits, .labels = labels, .K = K, .args = args};
    an_par_for(B, an_grain(B, K, PARALLEL_FROM), loss_rows, &l);
    double sum = 0;
    for (int64_t b = 0; b < B; b++)
        sum += row[b];
    return sum / total_weight(labels, B, args);
}

/* With F = (1−p_y)^focal and E = Σ q·(−log p):  dL/dz_k = F·(p_k Σq − q_k) + E·dF/dz_k,
 * where dF/dz_k is −focal·F·p_y at k = y and focal·F·p_y·p_k/(1−p_y) elsewhere; that
 * quotient is at most 1, so nothing overflows as p_y → 1. */
static void row_backward(float *dx, double factor, const float *x, int64_t y, int64_t K,
                         const an_cross_entropy_args *args)
{
    row_sums s = sums_of_row(x, y, K, args);
    double F = pow(s.rest, args->focal);
    double slope = args->focal * F * (1 - s.rest) * s.entropy;
    for (int64_t c = 0; c < K; c++) {
        double p = exp(score(args, x, y, c) - s.log_sum);
        double q = args->smoothing * weight_of(args, c) / (double)K;
        double d = F * (p * s.mass - q);
        if (c == y)
            d -= F * (1 - args->smoothing) * weight_of(args, y) + slope;
        else if (s.rest > 0)
            d += slope * p / s.rest;
        dx[c] += (float)(factor * args->scale * d);
    }
}

static void gradient_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const batch *l = context;
    (void)chunk;
    for (int64_t b = lo; b < hi; b++)
        row_backward(l->to + b * l->K, l->factor, l->logits + b * l->K, l->labels[b], l->K,
                     l->args);
}

void an_k_cross_entropy_backward(float *dlogits, double dloss, const float *logits,
                                 const int64_t *labels, int64_t B, int64_t K,
                                 const an_cross_entropy_args *args)
{
    AN_ASSERT(is_loss(B, K, args));
    AN_ASSERT_SLOW(are_labels(labels, B, K));
    batch l = {dlogits, dloss / total_weight(labels, B, args), logits, labels, K, args};
    an_par_for(B, an_grain(B, K, PARALLEL_FROM), gradient_rows, &l);
}
