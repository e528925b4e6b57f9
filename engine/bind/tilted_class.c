/* tilted_class: see tilted_class.h. The products q_k exp(−τ ln π_k) have the order of the lines and
 * require no logarithm. The lines themselves are compared where two products are too close for
 * their order to be certain, and where a value is outside the limits below. The image's own class
 * is highest in one interval of tilts, whose ends follow from K crossings of lines. */
#include "bind/tilted_class.h"

#include <math.h>

#include "base/simd.h"

/* ── by lines ───────────────────────────────────────────────────────────────────── */

/* The lines of one image. */
typedef struct {
    const double *logs, *shares; /* ln q_k, ln π_k */
    const double *taus;
    int64_t K, truth;
} image;

static int64_t called_at(const image *of, double tau)
{
    int64_t best = 0;
    double top = of->logs[0] - tau * of->shares[0];
    for (int64_t k = 1; k < of->K; k++) {
        const double value = of->logs[k] - tau * of->shares[k];
        if (value > top) {
            best = k;
            top = value;
        }
    }
    return best;
}

/* The tilts, low … high, at which the line of the image's class is not below another. */
typedef struct {
    double low, high;
} interval;

static interval interval_of(const image *of)
{
    const double own_log = of->logs[of->truth], own_share = of->shares[of->truth];
    interval out = {-INFINITY, INFINITY};
    for (int64_t k = 0; k < of->K; k++) {
        const double above = own_log - of->logs[k], slope = own_share - of->shares[k];
        if (slope > 0)
            out.high = fmin(out.high, above / slope);
        else if (slope < 0)
            out.low = fmax(out.low, above / slope);
        else if (above < 0)
            out.high = -INFINITY;
    }
    return out;
}

/* The first tilt of the grid that is at least `least`; `tilts` if none is. */
static int64_t first_from(const image *of, int64_t tilts, double least)
{
    int64_t low = 0, high = tilts;
    while (low < high) {
        const int64_t middle = low + (high - low) / 2;
        if (of->taus[middle] < least)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Adds 1 to a class at the tilts first … last: a step up and a step down. */
static void count(int64_t K, int64_t k, int64_t first, int64_t last, int64_t *correct)
{
    correct[first * K + k]++;
    correct[(last + 1) * K + k]--;
}

/* NaN has no order, and the line of a class without training images is infinite except at 0. */
static bool is_defined(const image *of)
{
    bool all = true;
    for (int64_t k = 0; k < of->K; k++)
        all = all && !isnan(of->logs[k]) && isfinite(of->shares[k]);
    return all;
}

static bool is_called(const image *of, int64_t tilt)
{
    return called_at(of, of->taus[tilt]) == of->truth;
}

/* The ends of the interval are rounded, and ties depend on the order, so the tilts there are
 * tried. */
static void count_interval(const image *of, int64_t tilts, int64_t *correct)
{
    const double ROUNDING = 1e-9;
    const interval on = interval_of(of);
    if (on.low > on.high + ROUNDING)
        return;
    int64_t first = first_from(of, tilts, on.low - ROUNDING);
    int64_t last = first_from(of, tilts, on.high + ROUNDING) - 1;
    while (first <= last && !is_called(of, first))
        first++;
    while (first <= last && !is_called(of, last))
        last--;
    if (first <= last)
        count(of->K, of->truth, first, last, correct);
}

static void count_by_lines(const image *of, int64_t tilts, int64_t *correct)
{
    if (!is_defined(of)) {
        for (int64_t t = 0; t < tilts; t++)
            if (is_called(of, t))
                count(of->K, of->truth, t, t, correct);
    } else if (isinf(of->logs[of->truth])) { /* the same at every tilt */
        if (is_called(of, 0))
            count(of->K, of->truth, 0, tilts - 1, correct);
    } else {
        count_interval(of, tilts, correct);
    }
}

static image lines_of(const an_tilts *of, const double *q, int64_t truth)
{
    for (int64_t k = 0; k < of->K; k++)
        of->work[k] = log(q[k]);
    return (image){
        .logs = of->work, .shares = of->shares, .taus = of->taus, .K = of->K, .truth = truth};
}

/* ── by products ────────────────────────────────────────────────────────────────── */

/* Of a larger and a smaller product at least this apart, relatively, the lines have the same
 * order: their rounding errors are below 1e-13. */
static const double APART = 1e-9;

/* Within these limits no product that decides is rounded to 0 or infinity. */
static const double LARGEST_EXPONENT = 200, SMALLEST_OWN = 1e-100, LARGEST = 1e30;

/* Evenly spaced tilts share the ratios of their factors; the error is far below APART. */
void an_tilts_prepare(an_tilts *of)
{
    const double EVEN = 1e-13, *taus = of->taus;
    double *ratios = of->work, step = 0;
    int64_t from = 0; /* the tilts from … t are `step` apart */
    of->has_factors = true;
    for (int64_t t = 0; t < of->tilts; t++) {
        double *factors = of->factors + t * of->K;
        const bool is_even =
            t > 1 && fabs(taus[t] - (taus[from] + (double)(t - from) * step)) < EVEN;
        if (!is_even) {
            from = t > 0 ? t - 1 : 0;
            step = t > 0 ? taus[t] - taus[from] : taus[0];
        }
        for (int64_t k = 0; k < of->K; k++) {
            if (!is_even)
                ratios[k] = exp(-step * of->shares[k]);
            factors[k] = t > 0 ? factors[k - of->K] * ratios[k] : ratios[k];
            of->has_factors &= fabs(taus[t] * of->shares[k]) <= LARGEST_EXPONENT;
        }
    }
}

/* Whether all K values are within the limits; NaN is not. */
static inline bool are_ordinary(const double *q, int64_t K)
{
    int64_t outside = 0;
    for (int64_t k = 0; k < K; k++)
        outside |= !(q[k] >= 0) | !(q[k] <= LARGEST);
    return !outside;
}

static bool is_less(double value, double than)
{
    return value < than * (1 - APART);
}

/* An image's own class and another one: their products at tilt t are q factors[t K]. */
typedef struct {
    double own_q, q;
    const double *own_factors, *factors;
    double slope; /* ln π of the own class less that of the other one */
    const double *taus;
    int64_t K;
} pair;

static bool is_above(const pair *of, int64_t t)
{
    return is_less(of->q * of->factors[t * of->K], of->own_q * of->own_factors[t * of->K]);
}

static bool is_below(const pair *of, int64_t t)
{
    return is_less(of->own_q * of->own_factors[t * of->K], of->q * of->factors[t * of->K]);
}

/* Of the tilts first … last, between which the classes cross, the last one before the crossing. */
static int64_t before_crossing(const pair *of, int64_t first, int64_t last)
{
    const bool at_first = is_above(of, first);
    const double tau = log(of->own_q / of->q) / of->slope;
    const double share = (tau - of->taus[first]) / (of->taus[last] - of->taus[first]);
    const int64_t guess = first + (int64_t)(fmin(fmax(share, 0), 1) * (double)(last - first));
    if (guess < last && is_above(of, guess) == at_first && is_above(of, guess + 1) != at_first)
        return guess; /* always, for evenly spaced tilts */
    while (last - first > 1) {
        const int64_t middle = first + (last - first) / 2;
        if (is_above(of, middle) == at_first)
            first = middle;
        else
            last = middle;
    }
    return first;
}

/* Of the tilts first … last, those at which the own class is above the other one: as lines cross
 * once, they begin with the first or end with the last tilt. None: first > last. False where
 * the order of the products is uncertain. */
static inline bool narrow(const pair *of, int64_t *first, int64_t *last)
{
    const bool at_first = is_above(of, *first), at_last = is_above(of, *last);
    if (at_first && at_last)
        return true;
    if (!at_first && !at_last) {
        const bool none = is_below(of, *first) && is_below(of, *last);
        *first = *last + 1;
        return none;
    }
    const int64_t before = before_crossing(of, *first, *last);
    if (at_first)
        *last = before;
    else
        *first = before + 1;
    return is_below(of, at_first ? before + 1 : before);
}

/* Marks the classes that are not below the own one at both the first and the last tilt, among them
 * the own one itself. All others are below it at every tilt. */
static inline void mark_rivals(const an_tilts *of, const double *restrict q, int64_t truth,
                               int64_t *restrict rivals)
{
    const double *first = of->factors, *last = of->factors + (of->tilts - 1) * of->K;
    const double at_first = q[truth] * first[truth] * (1 - APART);
    const double at_last = q[truth] * last[truth] * (1 - APART);
    for (int64_t k = 0; k < of->K; k++)
        rivals[k] = !(q[k] * first[k] < at_first) | !(q[k] * last[k] < at_last);
}

/* Adds the image; false, and nothing added, where the order of the products is uncertain. */
AN_SIMD static bool count_by_products(const an_tilts *of, const double *q, int64_t truth,
                                      int64_t *correct)
{
    if (!of->has_factors || !are_ordinary(q, of->K) || q[truth] < SMALLEST_OWN)
        return false;
    mark_rivals(of, q, truth, of->rivals);
    pair with = {
        .own_q = q[truth], .own_factors = of->factors + truth, .taus = of->taus, .K = of->K};
    int64_t first = 0, last = of->tilts - 1;
    for (int64_t k = 0; k < of->K && first <= last; k++) {
        if (!of->rivals[k] || k == truth)
            continue;
        with.q = q[k];
        with.factors = of->factors + k;
        with.slope = of->shares[truth] - of->shares[k];
        if (!narrow(&with, &first, &last))
            return false;
    }
    if (first <= last)
        count(of->K, truth, first, last, correct);
    return true;
}

/* The class of the highest product at a tilt; −1 where the order of the products is uncertain. */
static int64_t highest_product(const an_tilts *of, const double *q, int64_t t)
{
    if (!of->has_factors || !are_ordinary(q, of->K))
        return -1;
    double best = 0, second = 0;
    int64_t at = -1;
    for (int64_t k = 0; k < of->K; k++) {
        const double value = q[k] * of->factors[t * of->K + k];
        if (value > best) {
            second = best;
            best = value;
            at = k;
        } else if (value > second) {
            second = value;
        }
    }
    return at >= 0 && q[at] >= SMALLEST_OWN && is_less(second, best) ? at : -1;
}

/* ── either ─────────────────────────────────────────────────────────────────────── */

int64_t an_tilts_class(const an_tilts *of, const double *q, int64_t t)
{
    const int64_t at = highest_product(of, q, t);
    if (at >= 0)
        return at;
    const image lines = lines_of(of, q, 0);
    return called_at(&lines, of->taus[t]);
}

void an_tilts_count(const an_tilts *of, const double *q, int64_t truth, int64_t *correct)
{
    if (count_by_products(of, q, truth, correct))
        return;
    const image lines = lines_of(of, q, truth);
    count_by_lines(&lines, of->tilts, correct);
}
