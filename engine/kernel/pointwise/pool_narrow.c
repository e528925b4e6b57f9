/* pool_narrow: see pool_narrow.h. The maximum needs no arithmetic, so bf16 is compared as integers.
 * The gradient of an image passes through a few float32 lines: those that a window can reach. */
#include "kernel/pointwise/pool_narrow.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/narrow_float.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/bf16_round.h"
#include "kernel/common/carve.h"

/* ── maximum ──────────────────────────────────────────────────────────────────────── */

static inline bool is_nan(uint16_t h)
{
    return (h & 0x7fff) > 0x7f80;
}

/* Integers in the order of the numbers, with NaN above all. */
static inline int16_t rank_of(uint16_t h)
{
    return is_nan(h) ? INT16_MAX : (int16_t)(h ^ (h & 0x8000 ? 0x7fff : 0));
}

/* best (C) ← max(best, x), and at (C) ← `position` where x was larger. */
AN_SIMD static void update_max(uint16_t *restrict best, uint8_t *restrict at,
                               const uint16_t *restrict x, uint8_t position, int64_t C)
{
    for (int64_t c = 0; c < C; c++) {
        bool wins = (rank_of(x[c]) > rank_of(best[c])) | (int)is_nan(x[c]);
        best[c] = wins ? x[c] : best[c];
        at[c] = wins ? position : at[c];
    }
}

static void max_of_window(uint16_t *y, uint8_t *at, const uint16_t *x, int64_t top, int64_t left,
                          const an_pool_shape *s)
{
    int64_t low = an_max(top, 0), bottom = an_min(top + s->size, s->H);
    int64_t first = an_max(left, 0), right = an_min(left + s->size, s->W);
    memcpy(y, x + (low * s->W + first) * s->C, sizeof *y * (size_t)s->C);
    memset(at, (int)((low - top) * s->size + first - left), (size_t)s->C);
    for (int64_t i = low; i < bottom; i++)
        for (int64_t j = first; j < right; j++)
            update_max(y, at, x + (i * s->W + j) * s->C, (uint8_t)((i - top) * s->size + j - left),
                       s->C);
}

void an_k_max_pool_narrow_forward(uint16_t *y, uint8_t *at, const uint16_t *x,
                                  const an_pool_shape *s)
{
    AN_ASSERT(s->size <= AN_POOL_SIDE && s->Ho >= 1 && s->Wo >= 1);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < s->B; b++)
        for (int64_t o = 0; o < s->Ho * s->Wo; o++) {
            int64_t to = (b * s->Ho * s->Wo + o) * s->C;
            max_of_window(y + to, at + to, x + b * s->H * s->W * s->C,
                          o / s->Wo * s->stride - s->pad, o % s->Wo * s->stride - s->pad, s);
        }
}

/* ── gradient ─────────────────────────────────────────────────────────────────────── */

/* Lines `done` … `begun` − 1 of an image are open: line l is at l % size of `lines`. */
typedef struct {
    const an_pool_shape *s;
    uint16_t *dx;
    bool add;
    float *lines; /* (size, W·C) */
    int64_t done, begun;
} open_lines;

static float *line_at(const open_lines *o, int64_t l)
{
    return o->lines + l % o->s->size * o->s->W * o->s->C;
}

static void close_line(open_lines *o)
{
    int64_t n = o->s->W * o->s->C;
    an_bf16_round(o->dx + o->done * n, line_at(o, o->done), n);
    o->done++;
}

/* Closes the lines above `top` and opens those above `bottom`, at most `size` at a time. */
static void move_to(open_lines *o, int64_t top, int64_t bottom)
{
    int64_t n = o->s->W * o->s->C;
    for (;; o->begun++) {
        bool full = o->begun < bottom && o->begun - o->done == o->s->size;
        while (o->done < o->begun && (o->done < top || full)) {
            close_line(o);
            full = false;
        }
        if (o->begun >= bottom)
            return;
        if (o->add)
            an_bf16_widen(line_at(o, o->begun), o->dx + o->begun * n, n);
        else
            memset(line_at(o, o->begun), 0, sizeof(float) * (size_t)n);
    }
}

static void image_gradient(uint16_t *dx, bool add, const uint16_t *dy, const uint8_t *at,
                           float *lines, const an_pool_shape *s)
{
    open_lines open = {s, dx, add, lines, 0, 0};
    int64_t
        from[AN_POOL_SIDE * AN_POOL_SIDE]; /* in `lines`: of a position of a window at column 0 */
    for (int64_t i = 0; i < s->Ho; i++) {
        int64_t top = i * s->stride - s->pad, bottom = an_min(top + s->size, s->H);
        move_to(&open, top, bottom);
        for (int64_t l = an_max(top, 0); l < bottom; l++)
            for (int64_t k = 0; k < s->size; k++)
                from[(l - top) * s->size + k] = line_at(&open, l) - lines + k * s->C;
        for (int64_t j = 0; j < s->Wo; j++, dy += s->C, at += s->C) {
            float *left = lines + (j * s->stride - s->pad) * s->C;
            for (int64_t c = 0; c < s->C; c++)
                left[from[at[c]] + c] += an_from_bf16(dy[c]);
        }
    }
    move_to(&open, s->H, s->H);
}

an_code an_k_max_pool_narrow_backward(uint16_t *dx, float beta, const uint16_t *dy,
                                      const uint8_t *at, const an_pool_shape *s)
{
    AN_ASSERT(s->size <= AN_POOL_SIDE && s->Ho >= 1 && s->Wo >= 1 && (beta == 0 || beta == 1));
    const int64_t in = s->H * s->W * s->C, out = s->Ho * s->Wo * s->C;
    an_carve scratch = {0};
    an_carve_part lines = an_carve_own(&scratch, s->size * s->W * s->C, sizeof(float));
    if (an_carve_take(&scratch))
        return AN_ENOMEM;
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t b = 0; b < s->B; b++)
        image_gradient(dx + b * in, beta != 0, dy + b * out, at + b * out,
                       an_carve_at(&scratch, lines), s);
    an_carve_release(&scratch);
    return AN_OK;
}
