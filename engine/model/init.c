/* init: see init.h. The stream of a parameter is the hash of its name (FNV-1a). */
#include "model/init.h"

#include <math.h>

#include "base/assert.h"
#include "base/rng.h"

an_init an_init_constant(double value)
{
    return (an_init){AN_INIT_CONSTANT, value, 0};
}

an_init an_init_uniform(double low, double high)
{
    AN_ASSERT(low <= high);
    return (an_init){AN_INIT_UNIFORM, high - low, low};
}

an_init an_init_normal(double deviation)
{
    AN_ASSERT(deviation >= 0);
    return (an_init){AN_INIT_NORMAL, deviation, 0};
}

an_init an_init_fan_in(int64_t fan_in)
{
    AN_ASSERT(fan_in >= 1);
    double bound = 1 / sqrt((double)fan_in);
    return an_init_uniform(-bound, bound);
}

an_init an_init_fan_out(int64_t fan_out)
{
    AN_ASSERT(fan_out >= 1);
    return an_init_normal(sqrt(2 / (double)fan_out));
}

static uint64_t hash(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        h = (h ^ *c) * 0x100000001b3u;
    return h;
}

void an_init_fill(an_tensor *x, an_init init, uint64_t seed, const char *name)
{
    AN_ASSERT(x->dtype == AN_F32 && an_is_contiguous(x));
    float *value = an_f32(x);
    int64_t n = an_numel(x);
    uint64_t stream = an_stream("init", hash(name), 0);
    if (init.kind == AN_INIT_UNIFORM)
        an_fill_uniform(value, n, seed, stream, 0);
    else if (init.kind == AN_INIT_NORMAL)
        an_fill_normal(value, n, seed, stream, 0);
    for (int64_t i = 0; i < n; i++)
        value[i] = init.kind == AN_INIT_CONSTANT ? (float)init.scale
                                                 : (float)(init.low + init.scale * value[i]);
}
