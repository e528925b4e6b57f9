/* block: see block.h. Panels of 32 columns by 8 rows go to micro.h's loops: `rows` where a row
 * of x is contiguous, `outer` where a column is. */
#include "kernel/block.h"

#include <string.h>

#include "base/simd.h"
#include "kernel/micro.h"

#define INLINE static inline __attribute__((always_inline))

enum { ROWS = AN_MICRO_ROWS };

/* Some columns of one product. */
typedef struct {
    float *y;
    int64_t ldy;
    an_rows_of x;
    int64_t rows;
    const float *b;
    int64_t ldb;
    const float *bias;
    bool accumulate;
    int64_t depth;
} job;

/* Rows r … r+7; those past the last are computed again, into a place that nobody reads. */
static void tile_of_rows(const job *j, int64_t r, int64_t cols)
{
    float unread[AN_PANEL] = {0};
    const float *a[ROWS];
    float *out[ROWS];
    for (int64_t i = 0; i < ROWS; i++) {
        bool wanted = r + i < j->rows;
        a[i] = j->x.at + (wanted ? r + i : r) * j->x.row;
        out[i] = wanted ? j->y + (r + i) * j->ldy : unread;
    }
    an_k_micro_rows(&(an_micro_rows){.a = a, .b = &j->b, .segments = 1, .k = j->depth,
                                     .b_step = j->ldb, .out = out, .columns = cols,
                                     .bias = j->bias, .accumulate = j->accumulate});
}

static void tile_of_columns(const job *j, int64_t r, int64_t cols)
{
    for (int64_t i = r; i < j->rows && i < r + ROWS && j->bias; i++)
        memcpy(j->y + i * j->ldy, j->bias, (size_t)cols * sizeof *j->y);
    an_k_micro_outer(&(an_micro_outer){
        .a = j->x.at + r * j->x.row, .b = j->b, .n = {1, 1, j->depth}, .a_step = {0, 0, j->x.step},
        .b_step = {0, 0, j->ldb}, .rows = j->rows - r < ROWS ? j->rows - r : ROWS, .columns = cols,
        .out = j->y + r * j->ldy, .out_step = j->ldy,
        .accumulate = j->accumulate || j->bias});
}

/* Columns that do not fill a vector: b may end with them. */
static void rest(const job *j, int64_t cols)
{
    for (int64_t r = 0; r < j->rows; r++) {
        float sum[AN_MICRO_HALF] = {0};
        for (int64_t k = 0; k < j->depth; k++)
            for (int64_t c = 0; c < cols; c++)
                sum[c] += j->x.at[r * j->x.row + k * j->x.step] * j->b[k * j->ldb + c];
        for (int64_t c = 0; c < cols; c++)
            j->y[r * j->ldy + c] = sum[c] + (j->bias ? j->bias[c] : 0)
                                 + (j->accumulate ? j->y[r * j->ldy + c] : 0);
    }
}

static void panel(job *j, int64_t cols)
{
    int64_t whole = cols - cols % AN_MICRO_HALF;
    for (int64_t r = 0; r < j->rows && whole; r += ROWS)
        (j->x.step == 1 ? tile_of_rows : tile_of_columns)(j, r, whole);
    j->y += whole;
    j->b += whole;
    j->bias = j->bias ? j->bias + whole : NULL;
    if (whole < cols)
        rest(j, cols - whole);
}

void an_k_block(float *y, int64_t ldy, an_rows_of x, int64_t rows, an_columns b,
                const float *bias, bool accumulate, int64_t cols, int64_t depth)
{
    for (int64_t c = 0; c < cols; c += AN_PANEL) {
        job j = {.y = y + c, .ldy = ldy, .x = x, .rows = rows, .ldb = b.row, .depth = depth,
                 .b = b.at + c / AN_PANEL * b.panel, .bias = bias ? bias + c : NULL,
                 .accumulate = accumulate};
        panel(&j, cols - c < AN_PANEL ? cols - c : AN_PANEL);
    }
}

/* ── packing ──────────────────────────────────────────────────────────────────────── */

typedef float half __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t order __attribute__((vector_size(32)));

/* to[c·ldt + r] = from[r·ldf + c] for r, c < 8; rows from `count` on are taken as 0. */
INLINE void transpose8(float *to, int64_t ldt, const float *from, int64_t ldf, int64_t count)
{
    const order low2 = {0, 8, 1, 9, 4, 12, 5, 13}, high2 = {2, 10, 3, 11, 6, 14, 7, 15};
    const order low4 = {0, 1, 8, 9, 4, 5, 12, 13}, high4 = {2, 3, 10, 11, 6, 7, 14, 15};
    const order low8 = {0, 1, 2, 3, 8, 9, 10, 11}, high8 = {4, 5, 6, 7, 12, 13, 14, 15};
    half a[8], b[8];
    for (int r = 0; r < 8; r++)
        a[r] = r < count ? *(const half *)(from + r * ldf) : (half){0};
    for (int r = 0; r < 8; r += 2) {
        b[r] = __builtin_shuffle(a[r], a[r + 1], low2);
        b[r + 1] = __builtin_shuffle(a[r], a[r + 1], high2);
    }
    for (int r = 0; r < 8; r += 4)
        for (int i = 0; i < 2; i++) {
            a[r + 2 * i] = __builtin_shuffle(b[r + i], b[r + i + 2], low4);
            a[r + 2 * i + 1] = __builtin_shuffle(b[r + i], b[r + i + 2], high4);
        }
    for (int i = 0; i < 4; i++) {
        *(half *)(to + i * ldt) = __builtin_shuffle(a[i], a[i + 4], low8);
        *(half *)(to + (i + 4) * ldt) = __builtin_shuffle(a[i], a[i + 4], high8);
    }
}

INLINE void transpose(float *to, int64_t ldt, const float *from, int64_t ldf, int64_t rows,
                      int64_t cols)
{
    for (int64_t r = 0; r < rows; r += 8) {
        int64_t count = rows - r < 8 ? rows - r : 8, c = 0;
        for (; c + 8 <= cols; c += 8)
            transpose8(to + c * ldt + r, ldt, from + r * ldf + c, ldf, count);
        for (; c < cols; c++)
            for (int64_t i = 0; i < 8; i++)
                to[c * ldt + r + i] = i < count ? from[(r + i) * ldf + c] : 0;
    }
}

/* to (cols, ≥ rows) = fromᵀ: columns up to the next multiple of 8 become 0. */
#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) static void transpose_avx2(float *to, int64_t ldt,
                                                           const float *from, int64_t ldf,
                                                           int64_t rows, int64_t cols)
{
    transpose(to, ldt, from, ldf, rows, cols);
}
#endif

static void transpose_any(float *to, int64_t ldt, const float *from, int64_t ldf, int64_t rows,
                          int64_t cols)
{
#if defined(__x86_64__) && defined(__GNUC__)
    if (an_simd_level() >= AN_SIMD_AVX2) {
        transpose_avx2(to, ldt, from, ldf, rows, cols);
        return;
    }
#endif
    transpose(to, ldt, from, ldf, rows, cols);
}

an_columns an_k_pack(float *packed, const float *w, int64_t ldw, int64_t out, int64_t in)
{
    for (int64_t first = 0; first < out; first += AN_PANEL) {
        int64_t count = out - first < AN_PANEL ? out - first : AN_PANEL;
        int64_t filled = (count + 7) / 8 * 8, used = (count + 15) / 16 * 16;
        float *panel = packed + first * in;
        transpose_any(panel, AN_PANEL, w + first * ldw, ldw, count, in);
        for (int64_t k = 0; k < in && filled < used; k++)
            memset(panel + k * AN_PANEL + filled, 0, 8 * sizeof *panel);
    }
    return (an_columns){packed, AN_PANEL, AN_PANEL * in};
}
