/* block: see block.h. One tile, written for two vector widths; the CPU is asked which. */
#include "base/simd.h"
AN_CONTRACT

#include "kernel/block.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef float wide __attribute__((vector_size(64), aligned(4), may_alias));
typedef float half __attribute__((vector_size(32), aligned(4), may_alias));

/* One product, or the columns of it that are worked on. */
typedef struct {
    float *y;
    int64_t ldy;
    an_rows_of x;
    int64_t rows;
    const float *b;
    int64_t ldb;
    const float *start; /* NULL: 0 */
    int64_t lds, depth;
} job;

/* `rows` rows from row r, `vectors` (1 or 2) vectors from column c: constants to the
 * compiler, which unrolls both loops and keeps the sums in registers. */
#define DEFINE_TILE(name, vector, lanes, most)                                             \
    INLINE void name(const job *j, int64_t r, int64_t c, int rows, int vectors)            \
    {                                                                                      \
        vector sum[most][2];                                                               \
        const float *x = j->x.at + r * j->x.row, *b = j->b + c;                            \
        for (int i = 0; i < rows; i++)                                                     \
            for (int v = 0; v < vectors; v++)                                              \
                sum[i][v] = (vector){0};                                                   \
        for (int i = 0; i < rows && j->start; i++)                                         \
            for (int v = 0; v < vectors; v++)                                              \
                sum[i][v] = *(const vector *)(j->start + (r + i) * j->lds + c + v * lanes); \
        for (int64_t k = 0; k < j->depth; k++, x += j->x.step, b += j->ldb) {              \
            vector column[2];                                                              \
            for (int v = 0; v < vectors; v++)                                              \
                column[v] = *(const vector *)(b + v * lanes);                              \
            for (int i = 0; i < rows; i++)                                                 \
                for (int v = 0; v < vectors; v++)                                          \
                    sum[i][v] += x[i * j->x.row] * column[v];                              \
        }                                                                                  \
        for (int i = 0; i < rows; i++)                                                     \
            for (int v = 0; v < vectors; v++)                                              \
                *(vector *)(j->y + (r + i) * j->ldy + c + v * lanes) = sum[i][v];          \
    }

DEFINE_TILE(wide_tile, wide, 16, 12)
DEFINE_TILE(half_tile, half, 8, 6)

#define CASE(tile, n, vectors) case n: tile(j, r, c, n, vectors); break;

INLINE void wide_rows(const job *j, int64_t c, int vectors)
{
    for (int64_t r = 0; r < j->rows; r += 12)
        switch (j->rows - r) {
            CASE(wide_tile, 1, vectors) CASE(wide_tile, 2, vectors) CASE(wide_tile, 3, vectors)
            CASE(wide_tile, 4, vectors) CASE(wide_tile, 5, vectors) CASE(wide_tile, 6, vectors)
            CASE(wide_tile, 7, vectors) CASE(wide_tile, 8, vectors) CASE(wide_tile, 9, vectors)
            CASE(wide_tile, 10, vectors) CASE(wide_tile, 11, vectors)
        default:
            wide_tile(j, r, c, 12, vectors);
        }
}

INLINE void half_rows(const job *j, int64_t c)
{
    for (int64_t r = 0; r < j->rows; r += 6)
        switch (j->rows - r) {
            CASE(half_tile, 1, 2) CASE(half_tile, 2, 2) CASE(half_tile, 3, 2)
            CASE(half_tile, 4, 2) CASE(half_tile, 5, 2)
        default:
            half_tile(j, r, c, 6, 2);
        }
}

/* The columns of a panel that do not fill 16. */
INLINE void rest(const job *j, int64_t c, int64_t cols)
{
    for (int64_t r = 0; r < j->rows; r++) {
        float sum[16] = {0};
        for (int64_t i = 0; i < cols - c && j->start; i++)
            sum[i] = j->start[r * j->lds + c + i];
        for (int64_t k = 0; k < j->depth; k++)
            for (int64_t i = 0; i < cols - c; i++)
                sum[i] += j->x.at[r * j->x.row + k * j->x.step] * j->b[k * j->ldb + c + i];
        memcpy(j->y + r * j->ldy + c, sum, (size_t)(cols - c) * sizeof *sum);
    }
}

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx512f,fma"))) static void panel_avx512(const job *j, int64_t cols)
{
    int64_t c = 0;
    for (; c + 32 <= cols; c += 32)
        wide_rows(j, c, 2);
    for (; c + 16 <= cols; c += 16)
        wide_rows(j, c, 1);
    if (c < cols)
        rest(j, c, cols);
}

__attribute__((target("avx2,fma"))) static void panel_avx2(const job *j, int64_t cols)
{
    int64_t c = 0;
    for (; c + 16 <= cols; c += 16)
        half_rows(j, c);
    if (c < cols)
        rest(j, c, cols);
}
#endif

static void panel_any(const job *j, int64_t cols)
{
    int64_t c = 0;
    for (; c + 16 <= cols; c += 16)
        half_rows(j, c);
    if (c < cols)
        rest(j, c, cols);
}

typedef void (*panel_fn)(const job *j, int64_t cols);

static panel_fn panel_of_this_cpu(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx512f"))
        return panel_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return panel_avx2;
#endif
    return panel_any;
}

void an_k_block(float *y, int64_t ldy, an_rows_of x, int64_t rows, an_columns b,
                const float *start, int64_t lds, int64_t cols, int64_t depth)
{
    panel_fn panel = panel_of_this_cpu();
    for (int64_t c = 0; c < cols; c += AN_PANEL) {
        const job j = {.y = y + c, .ldy = ldy, .x = x, .rows = rows, .ldb = b.row,
                       .b = b.at + c / AN_PANEL * b.panel, .start = start ? start + c : NULL,
                       .lds = lds, .depth = depth};
        panel(&j, cols - c < AN_PANEL ? cols - c : AN_PANEL);
    }
}

/* ── packing ──────────────────────────────────────────────────────────────────────── */

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
    if (__builtin_cpu_supports("avx2")) {
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
