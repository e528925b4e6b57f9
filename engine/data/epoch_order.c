/* epoch_order: see epoch_order.h. O(n log K). */
#include "data/epoch_order.h"

#include <math.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/rng.h"

const char *const an_class_sampling_names[AN_SAMPLINGS + 1] = {
    [AN_INSTANCE] = "instance",       [AN_CLASS_BALANCED] = "class_balanced",
    [AN_SQUARE_ROOT] = "square_root", [AN_PROGRESSIVE] = "progressive",
    [AN_SEQUENTIAL] = "sequential",
};

/* cumulative[j] = p_0 + … + p_j; classes without images have probability 0. */
static void sum_probabilities(const int64_t *count, int64_t n, int K, an_class_sampling sampling,
                              double t, double *cumulative)
{
    double total = 0;
    int present = 0;
    for (int j = 0; j < K; j++)
        present += count[j] > 0;
    for (int j = 0; j < K; j++) {
        double balanced = count[j] ? 1.0 / present : 0, p = balanced;
        if (sampling == AN_SQUARE_ROOT)
            p = sqrt((double)count[j]);
        if (sampling == AN_PROGRESSIVE)
            p = (1 - t) * (double)count[j] / (double)n + t * balanced;
        cumulative[j] = total += p;
    }
    for (int j = 0; j < K; j++)
        cumulative[j] /= total;
}

/* The first class whose cumulative probability exceeds u; never one of probability 0. */
static int class_at(const double *cumulative, int K, double u)
{
    int lo = 0, hi = K - 1;
    while (lo < hi) {
        int middle = (lo + hi) / 2;
        if (cumulative[middle] > u)
            hi = middle;
        else
            lo = middle + 1;
    }
    return lo;
}

/* members: the positions of class j at members[start[j]] … members[start[j+1]−1]. */
static void sort_by_class(const int *labels, int64_t n, int K, int64_t *start, int64_t *members)
{
    for (int j = 0; j <= K; j++)
        start[j] = 0;
    for (int64_t i = 0; i < n; i++)
        start[labels[i] + 1]++;
    for (int j = 0; j < K; j++)
        start[j + 1] += start[j];
    for (int64_t i = 0; i < n; i++)
        members[start[labels[i]]++] = i;
    for (int j = K; j > 0; j--)
        start[j] = start[j - 1];
    start[0] = 0;
}

static an_code draw(const int *labels, int64_t n, int K, an_class_sampling sampling, uint64_t seed,
                    uint64_t stream, double t, int64_t *out)
{
    int64_t *members = an_alloc((size_t)(n + K + 1 + K) * sizeof *members);
    double *cumulative = an_alloc((size_t)K * sizeof *cumulative);
    if (!members || !cumulative)
        return an_free(members), an_free(cumulative), AN_ENOMEM;
    int64_t *start = members + n, *count = start + K + 1;
    sort_by_class(labels, n, K, start, members);
    for (int j = 0; j < K; j++)
        count[j] = start[j + 1] - start[j];
    sum_probabilities(count, n, K, sampling, t, cumulative);
    for (int64_t i = 0; i < n; i++) {
        int j = class_at(cumulative, K, an_uniform(seed, stream, 2 * (uint64_t)i));
        out[i] = members[start[j] + an_below(seed, stream, 2 * (uint64_t)i + 1, count[j])];
    }
    an_free(members);
    an_free(cumulative);
    return AN_OK;
}

an_code an_epoch_order(const int *labels, int64_t n, int K, an_class_sampling sampling,
                       uint64_t seed, int64_t epoch, int64_t first, int64_t epochs, int64_t *out)
{
    AN_ASSERT(n >= 0 && K >= 1 && epoch >= 0);
    for (int64_t i = 0; i < n; i++)
        AN_ASSERT_SLOW(labels[i] >= 0 && labels[i] < K);
    uint64_t stream = an_stream("order", (uint64_t)epoch, 0);
    double t = epochs > 1 ? fmin(fmax((double)(epoch - first) / (double)(epochs - 1), 0), 1) : 1;
    if (sampling == AN_SEQUENTIAL) {
        for (int64_t i = 0; i < n; i++)
            out[i] = i;
        return AN_OK;
    }
    if (sampling == AN_INSTANCE) {
        an_permutation(out, n, seed, stream);
        return AN_OK;
    }
    return n > 0 ? draw(labels, n, K, sampling, seed, stream, t, out) : AN_OK;
}
