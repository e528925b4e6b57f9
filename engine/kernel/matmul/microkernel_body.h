/* microkernel_body: the loops of microkernel.h at one vector width, AN_VECTOR (common/vector.h).
 * Columns are a multiple of 16 here; microkernel.c handles the others. */
#include "base/assert.h"
#include "base/integer.h"
#include "kernel/common/vector.h"
#include "kernel/matmul/microkernel_dispatch.h"

/* Out of line: if it were inlined, registers would be saved for every tile. */
static __attribute__((noinline)) void NAME(prefetch_share)(an_prefetch *list)
{
    AN_ASSERT_SLOW(list->cut);
    for (int64_t left = list->share, n; left > 0 && list->next < list->parts; left -= n) {
        an_cache_lines *part = &list->part[list->next];
        n = left < part->lines ? left : part->lines;
        for (int64_t i = 0; i < n; i++)
            __builtin_prefetch(part->at + i * AN_LANES, 0, 2);
        list->next += n == part->lines;
        part->at += n * AN_LANES;
        part->lines -= n;
    }
}

INLINE void NAME(rows_tile)(const an_micro_rows *j, int row, int64_t column, const int rows,
                            const int vecs)
{
    V sum[ROWS][VECS], line[VECS];
    int64_t k_end = j->k, step = j->b_step;
    EACH_ROW
    { /* fetches the output lines while the sums run */
        __builtin_prefetch(j->out[row + r] + column, 1);
        __builtin_prefetch(j->out[row + r] + column + vecs * LANES - 1, 1);
    }
    EACH_ROW EACH_VEC sum[r][v] = SPREAD(0);
    for (int64_t s = 0; s < j->segments; s++) {
        const float *a[ROWS], *b = j->b[s] + column;
        EACH_ROW a[r] = j->a[s * AN_MICRO_ROWS + row + r];
        for (int64_t k = 0; k < k_end; k++, b += step) {
            EACH_VEC line[v] = LOAD(b + v * LANES);
            EACH_ROW
            {
                V one = SPREAD(a[r][k]);
                EACH_VEC sum[r][v] = FMA(one, line[v], sum[r][v]);
            }
        }
    }
    if (j->bias)
        EACH_VEC
        {
            V add = LOAD(j->bias + column + v * LANES);
            EACH_ROW sum[r][v] = ADD(sum[r][v], add);
        }
    EACH_ROW
    {
        float *to = j->out[row + r] + column;
        EACH_VEC
        {
            if (j->accumulate)
                sum[r][v] = ADD(sum[r][v], LOAD(to + v * LANES));
            STORE(to + v * LANES, sum[r][v]);
        }
    }
}

TARGET void NAME(rows)(const an_micro_rows *j)
{
    int64_t column = 0;
    for (; column + VECS * LANES <= j->columns; column += VECS * LANES)
        for (int row = 0; row < AN_MICRO_ROWS; row += ROWS)
            NAME(rows_tile)(j, row, column, ROWS, VECS);
    for (; column < j->columns; column += LANES)
        for (int row = 0; row < AN_MICRO_ROWS; row += ROWS)
            NAME(rows_tile)(j, row, column, ROWS, 1);
}

INLINE void NAME(panel_tile)(const an_micro_panel *j, int64_t row, int64_t column, const int rows,
                             const int vecs)
{
    V sum[TALL][VECS], line[VECS];
    int64_t k_end = j->k, a_step = j->a_step, b_step = j->b_step, out_step = j->out_step;
    const float *a = j->a + row * a_step, *b = j->b + column;
    float *out = j->out + row * out_step + column;
    EACH_ROW EACH_VEC __builtin_prefetch(out + r * out_step + v * LANES, 1);
    EACH_ROW EACH_VEC sum[r][v] = SPREAD(0);
    for (int64_t k = 0; k < k_end; k++, b += b_step) {
        EACH_VEC line[v] = LOAD(b + v * LANES);
        EACH_ROW
        {
            V one = SPREAD(a[r * a_step + k]);
            EACH_VEC sum[r][v] = FMA(one, line[v], sum[r][v]);
        }
    }
    if (j->bias)
        EACH_VEC
        {
            V add = LOAD(j->bias + column + v * LANES);
            EACH_ROW sum[r][v] = ADD(sum[r][v], add);
        }
    EACH_ROW EACH_VEC
    {
        float *to = out + r * out_step + v * LANES;
        if (j->accumulate)
            sum[r][v] = ADD(sum[r][v], LOAD(to));
        STORE(to, sum[r][v]);
    }
}

INLINE void NAME(outer_tile)(const an_micro_outer *j, int64_t row, int64_t column, const int rows,
                             const int vecs)
{
    V sum[TALL][VECS], line[VECS];
    int64_t steps = j->n[2], a_step = j->a_step[2], b_step = j->b_step[2];
    float *out = j->out + row * j->out_step + column;
    EACH_ROW EACH_VEC sum[r][v] = SPREAD(0);
    if (j->accumulate)
        EACH_ROW EACH_VEC sum[r][v] = LOAD(out + r * j->out_step + v * LANES);
    for (int64_t i = 0; i < j->n[0]; i++)
        for (int64_t h = 0; h < j->n[1]; h++) {
            const float *a = j->a + i * j->a_step[0] + h * j->a_step[1] + row;
            const float *b = j->b + i * j->b_step[0] + h * j->b_step[1] + column;
            for (int64_t p = 0; p < steps; p++, a += a_step, b += b_step) {
                EACH_VEC line[v] = LOAD(b + v * LANES);
                EACH_ROW
                {
                    V one = SPREAD(a[r]);
                    EACH_VEC sum[r][v] = FMA(one, line[v], sum[r][v]);
                }
            }
        }
    EACH_ROW EACH_VEC STORE(out + r * j->out_step + v * LANES, sum[r][v]);
}

/* `rows` ≥ 1 rows in as few tiles of at most TALL rows as possible, whose heights differ by at most
 * one: a low tile has too few sums to hide the latency of an FMA. */
typedef struct {
    int64_t row, height, taller; /* the next tile; how many more have one row more */
} NAME(tiles);

static inline NAME(tiles) NAME(tiles_of)(int64_t rows)
{
    int64_t count = an_div_up(rows, TALL);
    return (NAME(tiles)){0, rows / count, rows % count};
}

static inline int64_t NAME(height_of)(const NAME(tiles) * t)
{
    return t->height + (t->taller > 0);
}

static inline void NAME(next_tile)(NAME(tiles) * t)
{
    t->row += NAME(height_of)(t);
    t->taller -= t->taller > 0;
}

/* A tile of 1 … TALL rows by one or VECS vectors, each a constant so that the loops unroll. */
#define CASE(tile, n)                                                                              \
    case n:                                                                                        \
        if (wide)                                                                                  \
            tile(j, row, column, n, VECS);                                                         \
        else                                                                                       \
            tile(j, row, column, n, 1);                                                            \
        break;
#if TALL == 8
#define MORE_CASES(tile) CASE(tile, 5) CASE(tile, 6) CASE(tile, 7) CASE(tile, 8)
#elif TALL == 6
#define MORE_CASES(tile) CASE(tile, 5) CASE(tile, 6)
#else
#define MORE_CASES(tile)
#endif
#define EVERY_CASE(tile) CASE(tile, 1) CASE(tile, 2) CASE(tile, 3) CASE(tile, 4) MORE_CASES(tile)

TARGET static void NAME(panel_rows)(const an_micro_panel *j, int64_t row, int64_t height,
                                    int64_t column, bool wide)
{
    switch (height) {
        EVERY_CASE(NAME(panel_tile))
    }
}

TARGET void NAME(panel)(const an_micro_panel *j)
{
    if (j->rows == 0)
        return;
    for (int64_t column = 0, width; column < j->columns; column += width) {
        bool wide = column + VECS * LANES <= j->columns;
        width = wide ? VECS * LANES : LANES;
        for (NAME(tiles) t = NAME(tiles_of)(j->rows); t.row < j->rows; NAME(next_tile)(&t)) {
            if (j->prefetch)
                NAME(prefetch_share)(j->prefetch);
            NAME(panel_rows)(j, t.row, NAME(height_of)(&t), column, wide);
        }
    }
}

TARGET static void NAME(outer_rows)(const an_micro_outer *j, int64_t row, int64_t height,
                                    int64_t column, bool wide)
{
    switch (height) {
        EVERY_CASE(NAME(outer_tile))
    }
}

TARGET void NAME(outer)(const an_micro_outer *j)
{
    if (j->rows == 0)
        return;
    for (NAME(tiles) t = NAME(tiles_of)(j->rows); t.row < j->rows; NAME(next_tile)(&t)) {
        int64_t column = 0, height = NAME(height_of)(&t);
        if (j->prefetch)
            NAME(prefetch_share)(j->prefetch);
        for (; column + VECS * LANES <= j->columns; column += VECS * LANES)
            NAME(outer_rows)(j, t.row, height, column, true);
        for (; column < j->columns; column += LANES)
            NAME(outer_rows)(j, t.row, height, column, false);
    }
}
