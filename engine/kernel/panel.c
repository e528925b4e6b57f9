/* panel: see panel.h. */
#include "kernel/panel.h"

#include <stddef.h>
#include <string.h>

enum { ROWS = AN_MICRO_ROWS, COLUMNS = AN_MICRO_COLUMNS };

void an_k_panel_pack(float *panel, const float *B, int64_t k_step, int64_t n_step, int64_t K,
                     int64_t N, int64_t p)
{
    int64_t columns = an_panel_columns(N, p), width = an_panel_width(N, p);
    const float *from = B + p * COLUMNS * n_step;
    for (int64_t k = 0; k < K; k++, panel += width, from += k_step) {
        if (n_step == 1)
            memcpy(panel, from, sizeof(float) * (size_t)columns);
        else
            for (int64_t n = 0; n < columns; n++)
                panel[n] = from[n * n_step];
        for (int64_t n = columns; n < width; n++)
            panel[n] = 0;
    }
}

void an_k_panel_rows(float *C, int64_t ldc, const float *A, int64_t lda, const float *panels,
                     int64_t M, int64_t K, int64_t N, const float *bias, bool accumulate)
{
    float nowhere[COLUMNS] = {0};
    for (int64_t p = 0; p < an_panel_count(N); p++) {
        const float *a[ROWS], *b = panels + p * K * COLUMNS;
        float *out[ROWS];
        an_micro_rows job = {.a = a, .b = &b, .segments = 1, .k = K, .out = out,
                             .b_step = an_panel_width(N, p), .columns = an_panel_columns(N, p),
                             .bias = bias ? bias + p * COLUMNS : NULL, .accumulate = accumulate};
        for (int64_t lo = 0; lo < M; lo += ROWS) {
            for (int64_t m = 0; m < ROWS; m++) {
                int64_t row = lo + m < M ? lo + m : lo;
                a[m] = A + row * lda;
                out[m] = lo + m < M ? C + row * ldc + p * COLUMNS : nowhere;
            }
            an_k_micro_rows(&job);
        }
    }
}
