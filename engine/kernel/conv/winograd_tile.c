/* winograd_tile: see winograd_tile.h. Each two-sided product goes over columns, then rows; a lane
 * is a channel, so every vector width gives the same bits. */
#include "kernel/conv/winograd_tile.h"

#include <string.h>

#include "base/assert.h"
#include "base/simd.h"
#include "kernel/common/bf16_round.h"

enum { L = AN_LANES };
typedef float lanes __attribute__((vector_size(L * sizeof(float)), aligned(4), may_alias));
typedef uint32_t words __attribute__((vector_size(L * sizeof(uint32_t))));
typedef uint16_t halves __attribute__((vector_size(L * sizeof(uint16_t)), aligned(2), may_alias));

/* Not functions: returning `lanes` would depend on the ABI. */
#define AT(x) (*(const lanes *)(x))
#define NARROW_AT(x) ((lanes)(__builtin_convertvector(*(const halves *)(x), words) << 16))
/* Channels c … c+15 of a position, stored as bf16 or as float32. */
#define CHANNELS(x, c)                                                                             \
    (narrow ? NARROW_AT((const uint16_t *)(x) + (c)) : AT((const float *)(x) + (c)))

#define INLINE static inline __attribute__((always_inline))

/* o ← Bᵀ i */
static inline void input_line(lanes o[6], const lanes i[6])
{
    lanes a = i[4] - 4 * i[2], b = i[3] - 4 * i[1], c = i[4] - i[2], d = 2 * (i[3] - i[1]);
    o[0] = 4 * i[0] - 5 * i[2] + i[4];
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + d;
    o[4] = c - d;
    o[5] = 4 * i[1] - 5 * i[3] + i[5];
}

/* Rows `first` and `second` of BᵀdB, from those rows of Bᵀd. */
static inline void input_rows(float *to, int64_t plane, int first, const lanes one[6], int second,
                              const lanes other[6])
{
    lanes out[6];
    input_line(out, one);
    for (int j = 0; j < 6; j++)
        *(lanes *)(to + (6 * first + j) * plane) = out[j];
    input_line(out, other);
    for (int j = 0; j < 6; j++)
        *(lanes *)(to + (6 * second + j) * plane) = out[j];
}

/* o ← Aᵀ i */
static inline void output_line(lanes o[4], const lanes i[6])
{
    lanes a = i[1] + i[2], b = i[1] - i[2], c = i[3] + i[4], d = i[3] - i[4];
    o[0] = i[0] + a + c;
    o[1] = b + 2 * d;
    o[2] = a + 4 * c;
    o[3] = b + 8 * d + i[5];
}

/* o ← A i */
static inline void gradient_line(lanes o[6], const lanes i[4])
{
    lanes a = i[0] + i[2], b = i[1] + i[3], c = i[0] + 4 * i[2], d = 2 * i[1] + 8 * i[3];
    o[0] = i[0];
    o[1] = a + b;
    o[2] = a - b;
    o[3] = c + d;
    o[4] = c - d;
    o[5] = i[3];
}

/* Two rows of Bᵀd at a time; the inputs are loaded again for each pair. All six would not fit in
 * the registers, and a spill is a store, which costs twice as much as a load. */
INLINE void input(float *to, int64_t plane, const void *const d[36], int64_t channels,
                  const bool narrow)
{
    for (int64_t c = 0; c < channels; c += L, to += L) {
        lanes one[6], other[6];
        for (int j = 0; j < 6; j++) {
            lanes a = CHANNELS(d[24 + j], c) - 4 * CHANNELS(d[12 + j], c);
            lanes b = CHANNELS(d[18 + j], c) - 4 * CHANNELS(d[6 + j], c);
            one[j] = a + b;
            other[j] = a - b;
        }
        input_rows(to, plane, 1, one, 2, other);
        for (int j = 0; j < 6; j++) {
            lanes a = CHANNELS(d[24 + j], c) - CHANNELS(d[12 + j], c);
            lanes b = 2 * (CHANNELS(d[18 + j], c) - CHANNELS(d[6 + j], c));
            one[j] = a + b;
            other[j] = a - b;
        }
        input_rows(to, plane, 3, one, 4, other);
        for (int j = 0; j < 6; j++) {
            one[j] = 4 * CHANNELS(d[j], c) - 5 * CHANNELS(d[12 + j], c) + CHANNELS(d[24 + j], c);
            other[j] =
                4 * CHANNELS(d[6 + j], c) - 5 * CHANNELS(d[18 + j], c) + CHANNELS(d[30 + j], c);
        }
        input_rows(to, plane, 0, one, 5, other);
    }
}

AN_SIMD void an_k_tile_input(float *to, int64_t plane, const void *const d[36], bool narrow,
                             int64_t channels)
{
    AN_ASSERT_SLOW(channels >= 0 && channels % AN_LANES == 0);
    if (narrow)
        input(to, plane, d, channels, true);
    else
        input(to, plane, d, channels, false);
}

INLINE void gradient(float *to, int64_t plane, const void *const dy[16], int64_t channels,
                     const bool narrow)
{
    for (int64_t c = 0; c < channels; c += L) {
        lanes half[6][4], in[4], out[6];
        for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 4; i++)
                in[i] = CHANNELS(dy[4 * i + j], c);
            gradient_line(out, in);
            for (int i = 0; i < 6; i++)
                half[i][j] = out[i];
        }
        for (int i = 0; i < 6; i++) {
            gradient_line(out, half[i]);
            for (int j = 0; j < 6; j++)
                *(lanes *)(to + (6 * i + j) * plane + c) = out[j];
        }
    }
}

AN_SIMD void an_k_tile_gradient(float *to, int64_t plane, const void *const dy[16], bool narrow,
                                int64_t channels)
{
    AN_ASSERT_SLOW(channels >= 0 && channels % AN_LANES == 0);
    if (narrow)
        gradient(to, plane, dy, channels, true);
    else
        gradient(to, plane, dy, channels, false);
}

/* y ← 16 rounded numbers. */
INLINE void store_narrow(uint16_t *y, const lanes *value)
{
    float numbers[L];
    memcpy(numbers, value, sizeof numbers);
    for (int k = 0; k < L; k += AN_BF16_EIGHT) {
        an_bf16_eight rounded;
        an_bf16_narrow(&rounded, numbers + k);
        memcpy(y + k, &rounded, sizeof rounded);
    }
}

INLINE void output(void *const y[16], const float *m, int64_t plane, const float *b,
                   bool accumulate, int64_t channels, const bool narrow)
{
    for (int64_t c = 0; c < channels; c += L) {
        lanes half[4][6], in[6], out[4];
        for (int j = 0; j < 6; j++) {
            for (int i = 0; i < 6; i++)
                in[i] = AT(m + (6 * i + j) * plane + c);
            output_line(out, in);
            for (int i = 0; i < 4; i++)
                half[i][j] = out[i];
        }
        for (int i = 0; i < 4; i++) {
            output_line(out, half[i]);
            for (int j = 0; j < 4; j++) {
                void *to = y[4 * i + j];
                if (b)
                    out[j] += AT(b + c);
                else if (accumulate)
                    out[j] += CHANNELS(to, c);
                if (narrow)
                    store_narrow((uint16_t *)to + c, &out[j]);
                else
                    *(lanes *)((float *)to + c) = out[j];
            }
        }
    }
}

AN_SIMD void an_k_tile_output(void *const y[16], const float *m, int64_t plane, const float *b,
                              bool accumulate, bool narrow, int64_t channels)
{
    AN_ASSERT_SLOW(channels >= 0 && channels % AN_LANES == 0);
    if (narrow)
        output(y, m, plane, b, accumulate, channels, true);
    else
        output(y, m, plane, b, accumulate, channels, false);
}

/* o ← G i */
static inline void kernel_line(lanes o[6], const lanes i[3])
{
    lanes ends = i[0] + i[2], wide = i[0] / 24 + i[2] / 6, slope = i[1] / 12;
    o[0] = i[0] / 4;
    o[1] = -(ends + i[1]) / 6;
    o[2] = -(ends - i[1]) / 6;
    o[3] = wide + slope;
    o[4] = wide - slope;
    o[5] = i[2];
}

AN_SIMD void an_k_tile_kernel(float *u, int64_t plane, const float *g, int64_t step, bool flipped)
{
    float kernels[9][L];
    lanes half[6][3], in[3], out[6];
    for (int l = 0; l < L; l++)
        for (int k = 0; k < 9; k++)
            kernels[flipped ? 8 - k : k][l] = g[l * step + k];
    for (int j = 0; j < 3; j++) {
        for (int i = 0; i < 3; i++)
            in[i] = AT(kernels[3 * i + j]);
        kernel_line(out, in);
        for (int i = 0; i < 6; i++)
            half[i][j] = out[i];
    }
    for (int i = 0; i < 6; i++) {
        kernel_line(out, half[i]);
        for (int j = 0; j < 6; j++)
            *(lanes *)(u + (6 * i + j) * plane) = out[j];
    }
}

/* o ← Gᵀ i */
static inline void kernel_gradient_line(lanes o[3], const lanes i[6])
{
    lanes near = i[1] + i[2], far = i[3] + i[4];
    o[0] = i[0] / 4 - near / 6 + far / 24;
    o[1] = (i[2] - i[1]) / 6 + (i[3] - i[4]) / 12;
    o[2] = far / 6 - near / 6 + i[5];
}

AN_SIMD void an_k_tile_kernel_gradient(float *dg, int64_t step, const float *du, int64_t plane,
                                       int64_t count, int64_t next)
{
    float kernels[9][L];
    lanes half[3][6], in[6], out[3];
    for (int j = 0; j < 6; j++) {
        for (int i = 0; i < 6; i++) {
            const float *from = du + (6 * i + j) * plane;
            in[i] = AT(from);
            for (int64_t n = 1; n < count; n++)
                in[i] += AT(from + n * next);
        }
        kernel_gradient_line(out, in);
        for (int i = 0; i < 3; i++)
            half[i][j] = out[i];
    }
    for (int i = 0; i < 3; i++) {
        kernel_gradient_line(out, half[i]);
        for (int j = 0; j < 3; j++)
            *(lanes *)kernels[3 * i + j] = out[j];
    }
    for (int l = 0; l < L; l++)
        for (int k = 0; k < 9; k++)
            dg[l * step + k] += kernels[k][l];
}
