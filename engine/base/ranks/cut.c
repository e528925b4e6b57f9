/* cut: see cut.h. */
#include "base/ranks/cut.h"

#include "base/assert.h"
#include "base/integer.h"
#include "base/ranks/ranks.h"

static _Thread_local an_cut now;

an_cut an_cut_of(int64_t B, bool shared)
{
    AN_ASSERT(B >= 1);
    an_cut cut = {.grain = an_div_up(B, AN_SLICES), .batch = B, .own = B, .slices = AN_SLICES};
    int64_t lo, hi;
    if (!shared || an_ranks() == 1)
        return cut;
    an_cut_images(&lo, &hi, &cut, an_ranks() - 1);
    if (lo == hi)
        return cut;
    an_cut_images(&lo, &hi, &cut, an_rank());
    cut.own = hi - lo;
    cut.slices = AN_SLICES / an_ranks();
    cut.shared = true;
    return cut;
}

void an_cut_images(int64_t *lo, int64_t *hi, const an_cut *cut, int rank)
{
    int64_t each = AN_SLICES / an_ranks() * cut->grain;
    *lo = an_min(rank * each, cut->batch);
    *hi = an_min(*lo + each, cut->batch);
}

an_cut an_cut_unsliced(an_cut cut)
{
    cut.grain = 0;
    return cut;
}

void an_cut_slice(int64_t *lo, int64_t *hi, const an_cut *cut, int64_t s)
{
    *lo = an_min(s * cut->grain, cut->own);
    *hi = an_min(*lo + cut->grain, cut->own);
}

an_cut an_cut_use(an_cut cut)
{
    an_cut former = now;
    now = cut;
    return former;
}

an_cut an_cut_now(void)
{
    return now;
}
