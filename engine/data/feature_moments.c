/* feature_moments: an_features_moments(), see features.h. The rows are cut into a fixed number of
 * pieces; each has its own sums, which are added in order. Values are taken relative to the first
 * token, so that a large mean costs the variance no digits. */
#include <math.h>

#include "base/assert.h"
#include "base/memory/mem.h"
#include "base/par.h"
#include "base/stop.h"
#include "data/features.h"

#define PIECES 64

typedef struct moments {
    const an_features *f;
    const int64_t *rows;
    int64_t count;
    const float *origin; /* (D) */
    double *sums;        /* (PIECES, 2, D): of x − origin and of its square */
    float *token;        /* (PIECES, D) */
} moments;

static void add_piece(void *context, int64_t lo, int64_t hi, int64_t piece)
{
    moments *m = context;
    int64_t D = m->f->width;
    double *sum = m->sums + piece * 2 * D, *square = sum + D;
    float *token = m->token + piece * D;
    for (int64_t i = lo; i < hi && !an_stop_requested(); i++)
        for (int64_t t = 0; t < m->f->tokens; t++) {
            an_features_take_token(m->f, m->rows[i], t, token);
            for (int64_t d = 0; d < D; d++) {
                double x = (double)token[d] - m->origin[d];
                sum[d] += x, square[d] += x * x;
            }
        }
}

/* Mean and deviation of number d from the sums of all pieces. */
static void finish(const moments *m, int64_t pieces, int64_t d, float *mean, float *std)
{
    int64_t D = m->f->width;
    double sum = 0, square = 0, n = (double)(m->count * m->f->tokens);
    for (int64_t p = 0; p < pieces; p++)
        sum += m->sums[p * 2 * D + d], square += m->sums[p * 2 * D + D + d];
    double shift = sum / n, variance = fmax(square / n - shift * shift, 0);
    double centre = m->origin[d] + shift, size = sqrt(centre * centre + variance);
    double deviation = sqrt(variance);
    *mean = (float)centre;
    *std = deviation > 1e-6 * size && (float)deviation > 0 ? (float)deviation : 1;
}

an_code an_features_moments(const an_features *f, const int64_t *rows, int64_t count, float *mean,
                            float *std)
{
    AN_ASSERT(count >= 1);
    int64_t D = f->width;
    float *origin = an_alloc((size_t)D * sizeof *origin);
    moments m = {f,
                 rows,
                 count,
                 origin,
                 an_calloc((size_t)(PIECES * 2 * D), sizeof(double)),
                 an_alloc((size_t)(PIECES * D) * sizeof(float))};
    an_code code = origin && m.sums && m.token ? AN_OK : AN_ENOMEM;
    if (code == AN_OK) {
        int64_t grain = (count + PIECES - 1) / PIECES, pieces = an_chunks(count, grain);
        an_features_take_token(f, rows[0], 0, origin);
        an_par_for(count, grain, add_piece, &m);
        code = an_stop_check();
        for (int64_t d = 0; code == AN_OK && d < D; d++)
            finish(&m, pieces, d, &mean[d], &std[d]);
    }
    an_free(origin);
    an_free(m.sums);
    an_free(m.token);
    return code;
}
