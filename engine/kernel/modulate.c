/* modulate: see modulate.h. */
#include "kernel/modulate.h"

#include <math.h>

#include "base/simd.h"
#include "kernel/lanes.h"

typedef struct {
    float mean, rstd;
} moments;

/* In two passes: the second is over numbers without their mean, so floats are enough. */
static inline moments moments_of(const float *x, double eps, int64_t C)
{
    float lane[AN_LANES] = {0}, mean = an_lanes_sum(x, C) / (float)C;
    int64_t whole = C - C % AN_LANES;
    for (int64_t c = 0; c < whole; c += AN_LANES)
        for (int l = 0; l < AN_LANES; l++)
            lane[l] += (x[c + l] - mean) * (x[c + l] - mean);
    for (int64_t c = whole; c < C; c++)
        lane[c - whole] += (x[c] - mean) * (x[c] - mean);
    return (moments){mean, 1.0f / sqrtf(an_lanes_fold(lane) / (float)C + (float)eps)};
}

static inline void modulate_row(float *u, const float *x, const float *restrict scale,
                                const float *restrict shift, double eps, int64_t C)
{
    moments m = moments_of(x, eps, C);
    for (int64_t c = 0; c < C; c++)
        u[c] = (x[c] - m.mean) * m.rstd * (1.0f + scale[c]) + shift[c];
}

AN_SIMD void an_k_row_rstd(float *rstd, const float *x, double eps, int64_t rows, int64_t C)
{
    for (int64_t r = 0; r < rows; r++)
        rstd[r] = moments_of(x + r * C, eps, C).rstd;
}

AN_SIMD void an_k_centre_rows(float *y, const float *x, const float *scale, int64_t rows,
                              int64_t C)
{
    for (int64_t r = 0; r < rows; r++) {
        float mean = an_lanes_sum(x + r * C, C) / (float)C;
        for (int64_t c = 0; c < C; c++)
            y[r * C + c] = (x[r * C + c] - mean) * (1.0f + scale[c]);
    }
}

AN_SIMD void an_k_modulate_rows(float *u, const float *x, const float *scale, const float *shift,
                                double eps, int64_t rows, int64_t C)
{
    for (int64_t r = 0; r < rows; r++)
        modulate_row(u + r * C, x + r * C, scale, shift, eps, C);
}

AN_SIMD void an_k_join_rows(float *u, float *x, const float *y, const float *gate,
                            const float *scale, const float *shift, double eps, int64_t rows,
                            int64_t C)
{
    for (int64_t r = 0; r < rows; r++) {
        float *restrict to = x + r * C;
        const float *restrict from = y + r * C;
        for (int64_t c = 0; c < C; c++)
            to[c] += (1.0f + gate[c]) * from[c];
        modulate_row(u + r * C, to, scale, shift, eps, C);
    }
}
