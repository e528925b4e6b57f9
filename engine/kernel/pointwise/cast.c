/* cast: see cast.h. */
#include "kernel/pointwise/cast.h"

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/bf16_round.h"
#include "kernel/common/cache.h"

enum { BLOCK = 1024 };

typedef struct {
    uint16_t *narrow;
    float *wide;
} job;

static void narrow_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    an_bf16_round(j->narrow + lo, j->wide + lo, hi - lo);
}

static void add_to_narrow(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    float sum[BLOCK];
    (void)chunk;
    for (; lo < hi; lo += BLOCK) {
        int64_t n = an_min(BLOCK, hi - lo);
        an_bf16_widen(sum, j->narrow + lo, n);
        for (int64_t i = 0; i < n; i++)
            sum[i] += j->wide[lo + i];
        an_bf16_round(j->narrow + lo, sum, n);
    }
}

static void widen_part(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    (void)chunk;
    an_bf16_widen(j->wide + lo, j->narrow + lo, hi - lo);
}

static void add_to_wide(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const job *j = context;
    float added[BLOCK];
    (void)chunk;
    for (; lo < hi; lo += BLOCK) {
        int64_t n = an_min(BLOCK, hi - lo);
        an_bf16_widen(added, j->narrow + lo, n);
        for (int64_t i = 0; i < n; i++)
            j->wide[lo + i] += added[i];
    }
}

void an_k_narrow(uint16_t *to, const float *from, float beta, int64_t n)
{
    AN_ASSERT(beta == 0 || beta == 1);
    an_par_for(n, AN_GRAIN, beta == 0 ? narrow_part : add_to_narrow, &(job){to, (float *)from});
}

void an_k_widen(float *to, const uint16_t *from, float beta, int64_t n)
{
    AN_ASSERT(beta == 0 || beta == 1);
    an_par_for(n, AN_GRAIN, beta == 0 ? widen_part : add_to_wide, &(job){(uint16_t *)from, to});
}
