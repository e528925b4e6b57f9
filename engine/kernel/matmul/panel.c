/* panel: see panel.h. */
#include "kernel/matmul/panel.h"

#include <stddef.h>
#include <string.h>

enum { ROWS = AN_MICRO_ROWS, COLUMNS = AN_MICRO_COLUMNS };

/* By way of a small tile: rows of a panel may lie a power of two apart and share cache sets. */
void an_k_panel_transpose(float *panel, int64_t width, const float *from, int64_t step,
                          int64_t columns, int64_t K, int64_t inner, int64_t jump)
{
    enum { DEEP = 16 };
    float tile[DEEP][COLUMNS] = {{0}};
    int64_t low = 0, high = 0; /* k % inner, k / inner */
    for (int64_t first = 0; first < K; first += DEEP) {
        int64_t deep = K - first < DEEP ? K - first : DEEP;
        if (deep == DEEP)
            for (int64_t n = 0; n < columns; n++)
                for (int64_t k = 0; k < DEEP; k++)
                    tile[k][n] = from[n * step + first + k];
        else
            for (int64_t n = 0; n < columns; n++)
                for (int64_t k = 0; k < deep; k++)
                    tile[k][n] = from[n * step + first + k];
        for (int64_t k = 0; k < deep; k++) {
            float *to = panel + (low * jump + high) * width;
            memcpy(to, tile[k], sizeof(float) * AN_MICRO_HALF);
            if (width > AN_MICRO_HALF)
                memcpy(to + AN_MICRO_HALF, tile[k] + AN_MICRO_HALF, sizeof(float) * AN_MICRO_HALF);
            if (++low == inner)
                low = 0, high++;
        }
    }
}

void an_k_panel_pack(float *panel, bool tb, const float *B, int64_t ldb, int64_t K, int64_t N,
                     int64_t p)
{
    int64_t columns = an_panel_columns(N, p), width = an_panel_width(N, p);
    if (tb) {
        an_k_panel_transpose(panel, width, B + p * COLUMNS * ldb, ldb, columns, K, 1, 0);
        return;
    }
    for (int64_t k = 0; k < K; k++, panel += width) {
        memcpy(panel, B + k * ldb + p * COLUMNS, sizeof(float) * (size_t)columns);
        memset(panel + columns, 0, sizeof(float) * (size_t)(width - columns));
    }
}

/* Panel p where its columns are no multiple of sixteen: tile by tile, by way of the stack. */
static void odd_panel(float *C, int64_t ldc, const float *A, int64_t lda, const float *panel,
                      int64_t M, int64_t K, int64_t width, int64_t columns, const float *bias,
                      bool accumulate)
{
    float nowhere[COLUMNS] = {0};
    const float *a[ROWS];
    float *out[ROWS];
    an_micro_rows job = {.a = a,
                         .b = &panel,
                         .segments = 1,
                         .k = K,
                         .out = out,
                         .b_step = width,
                         .columns = columns,
                         .bias = bias,
                         .accumulate = accumulate};
    for (int64_t lo = 0; lo < M; lo += ROWS) {
        for (int64_t m = 0; m < ROWS; m++) {
            int64_t row = lo + m < M ? lo + m : lo;
            a[m] = A + row * lda;
            out[m] = lo + m < M ? C + row * ldc : nowhere;
        }
        an_k_micro_rows(&job);
    }
}

void an_k_panel_rows(float *C, int64_t ldc, const float *A, int64_t lda, const float *panels,
                     int64_t M, int64_t K, int64_t N, const float *bias, bool accumulate,
                     an_prefetch *ahead)
{
    for (int64_t p = 0; p < an_panel_count(N); p++) {
        int64_t columns = an_panel_columns(N, p), width = an_panel_width(N, p), at = p * COLUMNS;
        const float *panel = panels + K * at, *add = bias ? bias + at : NULL;
        if (columns % AN_MICRO_HALF)
            odd_panel(C + at, ldc, A, lda, panel, M, K, width, columns, add, accumulate);
        else
            an_k_micro_panel(&(an_micro_panel){.a = A,
                                               .b = panel,
                                               .rows = M,
                                               .k = K,
                                               .a_step = lda,
                                               .b_step = width,
                                               .out = C + at,
                                               .out_step = ldc,
                                               .columns = columns,
                                               .bias = add,
                                               .accumulate = accumulate,
                                               .ahead = ahead});
    }
}
