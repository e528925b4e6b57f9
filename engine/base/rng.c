/* rng: see rng.h. Philox4x32-10, constants from Salmon et al. (SC 2011), table 2. */
#include "base/rng.h"

#include <math.h>

#include "base/assert.h"
#include "base/par.h"

enum { FILL = 4096 }; /* elements of a chunk: about 40 µs of normals */

static const double TWO_PI = 6.283185307179586476925;

uint64_t an_stream(const char *purpose, uint64_t a, uint64_t b)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a over the name, then both coordinates */
    for (const unsigned char *c = (const unsigned char *)purpose; *c; c++)
        h = (h ^ *c) * 0x100000001b3u;
    const uint64_t coordinate[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        h ^= coordinate[i] + 0x9e3779b97f4a7c15u + (h << 6) + (h >> 2);
        h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u; /* splitmix64 finaliser */
        h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
        h ^= h >> 31;
    }
    return h;
}

void an_philox(uint64_t seed, uint64_t stream, uint64_t index, uint32_t out[4])
{
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32);
    uint32_t c2 = (uint32_t)stream, c3 = (uint32_t)(stream >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/* Two words to a double in [0, 1) with 53 random bits. */
static double unit(uint32_t high, uint32_t low)
{
    return (double)((((uint64_t)high << 32) | low) >> 11) * 0x1p-53;
}

double an_uniform(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t w[4];
    an_philox(seed, stream, index, w);
    return unit(w[0], w[1]);
}

double an_normal(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint32_t w[4];
    an_philox(seed, stream, index, w);
    double radius = sqrt(-2.0 * log(1.0 - unit(w[0], w[1]))); /* 1−u is in (0, 1] */
    return radius * cos(TWO_PI * unit(w[2], w[3]));
}

int64_t an_below(uint64_t seed, uint64_t stream, uint64_t index, int64_t n)
{
    AN_ASSERT(n >= 1);
    uint32_t w[4];
    an_philox(seed, stream, index, w);
    uint64_t word = ((uint64_t)w[0] << 32) | w[1];
    return (int64_t)((unsigned __int128)word * (uint64_t)n >> 64); /* bias < n/2^64 */
}

/* out receives the elements first, first + 1, … of a stream. */
typedef struct {
    float *out;
    uint64_t seed, stream, first;
} fill_job;

static void fill_uniform(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const fill_job *f = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++) {
        float u = (float)an_uniform(f->seed, f->stream, f->first + (uint64_t)i);
        f->out[i] = u < 1.0f ? u : 0x1.fffffep-1f; /* rounding to float must not reach 1 */
    }
}

void an_fill_uniform(float *out, int64_t n, uint64_t seed, uint64_t stream, uint64_t first)
{
    an_par_for(n, FILL, fill_uniform, &(fill_job){out, seed, stream, first});
}

static void fill_normal(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const fill_job *f = context;
    (void)chunk;
    for (int64_t i = lo; i < hi; i++)
        f->out[i] = (float)an_normal(f->seed, f->stream, f->first + (uint64_t)i);
}

void an_fill_normal(float *out, int64_t n, uint64_t seed, uint64_t stream, uint64_t first)
{
    an_par_for(n, FILL, fill_normal, &(fill_job){out, seed, stream, first});
}

void an_permutation(int64_t *out, int64_t n, uint64_t seed, uint64_t stream)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = i;
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = an_below(seed, stream, (uint64_t)i, i + 1);
        int64_t other = out[i];
        out[i] = out[j];
        out[j] = other;
    }
}
