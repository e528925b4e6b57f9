/* long_tail: see long_tail.h. O(n + K log K). */
#include "data/long_tail.h"

#include <math.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/memory/mem.h"
#include "base/rng.h"

const char *const an_profile_names[AN_PROFILES + 1] = {
    [AN_NATURAL] = "natural", [AN_EXP] = "exp", [AN_STEP] = "step"};

/* Rounding must not turn 300/3 into 99: 1/r has no exact value. */
#define SLACK 1e-9

typedef struct ranked {
    int64_t n;
    int k;
} ranked;

static int largest_first(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return x->k - y->k;
}

/* The classes that `step` makes rare. */
static int rare_classes(const an_long_tail *tail, int K)
{
    return (int)floor(tail->share * K + 0.5);
}

/* Images of the i-th class in the order of the profile. */
static int64_t profile_at(const an_long_tail *tail, int64_t most, int i, int K)
{
    int rare = rare_classes(tail, K);
    double exponent = tail->profile == AN_EXP ? (double)i / (K > 1 ? K - 1 : 1) : i >= K - rare;
    return (int64_t)floor((double)most * pow(tail->ratio, -exponent) + SLACK);
}

an_code an_long_tail_counts(const an_long_tail *tail, const int64_t *counts, int K, int64_t *kept)
{
    AN_ASSERT(K >= 1 && tail->profile < AN_PROFILES);
    ranked *order = an_alloc((size_t)K * sizeof *order);
    if (!order)
        return AN_ENOMEM;
    int64_t most = 0;
    for (int k = 0; k < K; k++) {
        order[k] = (ranked){counts[k], k};
        most = an_max(most, counts[k]);
    }
    if (tail->by_size)
        qsort(order, (size_t)K, sizeof *order, largest_first);
    for (int i = 0; i < K; i++) {
        int k = order[i].k;
        kept[k] = tail->profile == AN_NATURAL ? counts[k]
                                              : an_min(counts[k], profile_at(tail, most, i, K));
    }
    an_free(order);
    return AN_OK;
}

/* Keeps `keep` of the n training images of class k, whose positions in the listing are `items`. */
static an_code cut_class(an_listing *list, int k, const int64_t *items, int64_t n, int64_t keep,
                         uint64_t seed)
{
    int64_t *order = an_alloc((size_t)n * sizeof *order + 1);
    if (!order)
        return AN_ENOMEM;
    an_permutation(order, n, seed, an_stream("long tail", (uint64_t)k, 0));
    for (int64_t i = keep; i < n; i++)
        list->items[items[order[i]]].part = AN_UNUSED;
    an_free(order);
    return AN_OK;
}

/* items (n): the training images, class by class; first (K): where each class begins, moved to its
 * end. */
static void sort_by_class(const an_listing *list, const int64_t *counts, int64_t *first,
                          int64_t *items)
{
    for (int k = 1; k < list->K; k++)
        first[k] = first[k - 1] + counts[k - 1];
    for (int64_t i = 0; i < list->n; i++)
        if (list->items[i].part == AN_TRAIN)
            items[first[list->items[i].label]++] = i;
}

static an_code check(const an_long_tail *tail, int K)
{
    if (!(tail->ratio > 1 && isfinite(tail->ratio)))
        return an_fail(AN_EINVAL, "long_tail: ratio = %g must be above 1", tail->ratio);
    if (tail->profile == AN_STEP && !(tail->share > 0 && tail->share < 1))
        return an_fail(AN_EINVAL, "long_tail: share = %g must be above 0 and below 1", tail->share);
    int rare = rare_classes(tail, K);
    if (tail->profile == AN_STEP && (rare == 0 || rare == K))
        return an_fail(AN_EINVAL, "long_tail: share = %g makes %s of the %d classes rare",
                       tail->share, rare == 0 ? "none" : "all", K);
    return AN_OK;
}

/* counts, kept, first (K) are zero, items has room for all images. */
static an_code cut(an_listing *list, const an_long_tail *tail, uint64_t seed, int64_t *counts,
                   int64_t *kept, int64_t *first, int64_t *items)
{
    for (int64_t i = 0; i < list->n; i++)
        counts[list->items[i].label] += list->items[i].part == AN_TRAIN;
    an_code code = an_long_tail_counts(tail, counts, list->K, kept);
    sort_by_class(list, counts, first, items);
    for (int k = 0; k < list->K && code == AN_OK; k++) {
        if (kept[k] < 1)
            return an_fail(
                AN_EFORMAT,
                "%s: long_tail with ratio %g leaves class '%s' without a training image; "
                "lower the ratio",
                list->source, tail->ratio, list->classes[k]);
        if (kept[k] < counts[k])
            code = cut_class(list, k, items + first[k] - counts[k], counts[k], kept[k], seed);
    }
    return code;
}

an_code an_long_tail_cut(an_listing *list, const an_long_tail *tail, uint64_t seed)
{
    AN_ASSERT(list->sealed);
    for (int64_t i = 0; i < list->n; i++)
        AN_ASSERT_SLOW(list->items[i].part != AN_UNASSIGNED);
    if (tail->profile == AN_NATURAL)
        return AN_OK;
    an_code code = check(tail, list->K);
    if (code != AN_OK)
        return code;
    size_t K = (size_t)list->K;
    int64_t *numbers = an_calloc(K * 3 + (size_t)list->n, sizeof *numbers);
    if (!numbers)
        return AN_ENOMEM;
    code = cut(list, tail, seed, numbers, numbers + K, numbers + 2 * K, numbers + 3 * K);
    an_free(numbers);
    return code;
}
