/* winograd_stride2_tile: see winograd_stride2_tile.h. Each two-sided product goes over columns,
 * then rows; a lane is a channel, so every vector width gives the same bits. */
#include "kernel/conv/winograd_stride2_tile.h"

#include "base/assert.h"
#include "base/simd.h"
#include "kernel/conv/winograd_tile.h"

enum { L = AN_LANES, NINE = AN_STRIDE2_LINE, FIVE = AN_STRIDE2_POINTS };
typedef float lanes __attribute__((vector_size(L * sizeof(float)), aligned(4), may_alias));

#define AT(x)                                                                                      \
    (*(const lanes *)(x)) /* not a function: returning `lanes` would depend on the ABI             \
                           */

/* o (5) ← Bᵀ (i_0, i_step, …) */
static inline void points_line(lanes *o, const lanes *i, int step)
{
    lanes a = i[3 * step] - i[step], b = i[step] + i[step];
    o[0] = 2 * (i[0] - i[2 * step]) + a;
    o[1] = b + i[2 * step] - i[3 * step];
    o[2] = 3 * i[2 * step] - b - i[3 * step];
    o[3] = a;
    o[4] = i[4 * step] - i[2 * step] - 2 * a;
}

/* o (9) ← i (9) */
static inline void input_line(lanes *o, const lanes *i)
{
    lanes a = i[7] - i[3], b = i[3] + i[3];
    points_line(o, i, 2);
    o[5] = 2 * (i[1] - i[5]) + a;
    o[6] = b + i[5] - i[7];
    o[7] = 3 * i[5] - b - i[7];
    o[8] = a;
}

/* o_0, o_step, … (4) ← Aᵀ i, of which the last of five is 0 if NULL. */
static inline void output_line(lanes *o, int step, const lanes *i, const lanes *last)
{
    lanes a = i[1] + i[2], b = i[1] - i[2];
    o[0] = i[0] + a + i[3];
    o[step] = b + 2 * i[3];
    o[2 * step] = a + 4 * i[3];
    o[3 * step] = b + 8 * i[3];
    if (last)
        o[3 * step] += *last;
}

/* o (8) ← i (9): odd positions come first. */
static inline void data_line(lanes *o, const lanes *i)
{
    output_line(o, 2, i + FIVE, 0);
    output_line(o + 1, 2, i, i + 4);
}

/* o (9) ← G i (3) */
static inline void kernel_line(lanes *o, const lanes *i)
{
    o[0] = i[0] / 2;
    o[1] = (i[0] + i[2]) / 2;
    o[2] = (i[0] - i[2]) / 6;
    o[3] = (i[0] + 2 * i[2]) / 6;
    o[4] = i[2];
    o[5] = o[6] = i[1] / 2;
    o[7] = o[8] = i[1] / 6;
}

/* ── tiles ──────────────────────────────────────────────────────────────────────────────── */

typedef void line_transform(lanes *o, const lanes *i);
/* Inlined so that sizes and `line` are constants. */
#define INLINE static inline __attribute__((always_inline))

/* to (out²) ← d (in²) */
INLINE void forward_transform(float *to, int64_t plane, const float *const *d, int64_t channels,
                              const int in, const int out, line_transform *line)
{
    for (int64_t c = 0; c < channels; c += L) {
        lanes half[NINE][NINE], from[NINE], o[NINE];
        for (int j = 0; j < in; j++) {
            for (int i = 0; i < in; i++)
                from[i] = AT(d[in * i + j] + c);
            line(o, from);
            for (int i = 0; i < out; i++)
                half[i][j] = o[i];
        }
        for (int i = 0; i < out; i++) {
            line(o, half[i]);
            for (int j = 0; j < out; j++)
                *(lanes *)(to + (out * i + j) * plane + c) = o[j];
        }
    }
}

/* y (out²) ← m (in²) + b, or + y */
INLINE void inverse_transform(float *const *y, const float *m, int64_t plane, const float *b,
                              bool accumulate, int64_t channels, const int in, const int out,
                              line_transform *line)
{
    for (int64_t c = 0; c < channels; c += L) {
        lanes half[NINE][NINE], from[NINE], o[NINE];
        for (int j = 0; j < in; j++) {
            for (int i = 0; i < in; i++)
                from[i] = AT(m + (in * i + j) * plane + c);
            line(o, from);
            for (int i = 0; i < out; i++)
                half[i][j] = o[i];
        }
        for (int i = 0; i < out; i++) {
            line(o, half[i]);
            for (int j = 0; j < out; j++) {
                lanes *to = (lanes *)(y[out * i + j] + c);
                if (b)
                    o[j] += AT(b + c);
                else if (accumulate)
                    o[j] += *to;
                *to = o[j];
            }
        }
    }
}

static inline void gradient_line(lanes *o, const lanes *i)
{
    points_line(o, i, 1);
}

static inline void sums_line(lanes *o, const lanes *i)
{
    output_line(o, 1, i, i + 4);
}

AN_SIMD void an_k_stride2_input(float *to, int64_t plane, const float *const d[81],
                                int64_t channels)
{
    AN_ASSERT_SLOW(channels >= 0 && channels % AN_LANES == 0);
    forward_transform(to, plane, d, channels, NINE, NINE, input_line);
}

AN_SIMD void an_k_stride2_gradient(float *to, int64_t plane, const float *const d[25],
                                   int64_t channels)
{
    AN_ASSERT_SLOW(channels >= 0 && channels % AN_LANES == 0);
    forward_transform(to, plane, d, channels, FIVE, FIVE, gradient_line);
}

AN_SIMD void an_k_stride2_output(float *const y[16], const float *m, int64_t plane, const float *b,
                                 int64_t channels)
{
    AN_ASSERT_SLOW(channels >= 0 && channels % AN_LANES == 0);
    inverse_transform(y, m, plane, b, false, channels, FIVE, AN_STRIDE2_OUT, sums_line);
}

AN_SIMD void an_k_stride2_data(float *const dx[64], const float *m, int64_t plane, bool accumulate,
                               int64_t channels)
{
    AN_ASSERT_SLOW(channels >= 0 && channels % AN_LANES == 0);
    inverse_transform(dx, m, plane, 0, accumulate, channels, NINE, AN_STRIDE2_SIDE, data_line);
}

/* ── kernels ────────────────────────────────────────────────────────────────────────────── */

AN_SIMD void an_k_stride2_kernel(float *u, int64_t plane, const float *g, int64_t step,
                                 bool flipped)
{
    float kernels[9][L];
    const float *d[9];
    for (int k = 0; k < 9; k++) {
        for (int l = 0; l < L; l++)
            kernels[k][l] = g[l * step + (flipped ? 8 - k : k)];
        d[k] = kernels[k];
    }
    forward_transform(u, plane, d, L, 3, NINE, kernel_line);
}
