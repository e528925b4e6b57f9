/* block: see block.h. Panels of 32 columns go to microkernel.h. */
#include "kernel/matmul/block.h"

#include "base/simd.h"
#include "kernel/matmul/microkernel.h"
#include "kernel/common/transpose.h"

/* Columns that do not fill a vector: b may end with them. */
static void rest(const an_micro_panel *j)
{
    for (int64_t r = 0; r < j->rows; r++) {
        float sum[AN_MICRO_HALF] = {0};
        for (int64_t k = 0; k < j->k; k++)
            for (int64_t c = 0; c < j->columns; c++)
                sum[c] += j->a[r * j->a_step + k] * j->b[k * j->b_step + c];
        for (int64_t c = 0; c < j->columns; c++)
            j->out[r * j->out_step + c] = sum[c] + (j->bias ? j->bias[c] : 0);
    }
}

void an_k_block(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t rows, an_columns b,
                const float *bias, int64_t cols, int64_t depth)
{
    an_micro_panel job = {
        .a = x, .rows = rows, .k = depth, .a_step = ldx, .b_step = b.row, .out_step = ldy};
    int64_t whole = cols - cols % AN_MICRO_HALF;
    for (int64_t c = 0; c < cols; c += job.columns) {
        job.columns = whole - c < AN_PANEL ? whole - c : AN_PANEL;
        if (c == whole)
            job.columns = cols - whole;
        job.b = b.at + c / AN_PANEL * b.panel + c % AN_PANEL;
        job.out = y + c;
        job.bias = bias ? bias + c : NULL;
        (c < whole ? an_k_micro_panel : rest)(&job);
    }
}

/* ── packing ──────────────────────────────────────────────────────────────────────── */

#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) static void turn_avx2(float *to, const float *from, int64_t ldf,
                                                      int64_t rows, int64_t cols)
{
    an_transpose(to, AN_PANEL, from, ldf, rows, cols);
}
#endif

static void turn(float *to, const float *from, int64_t ldf, int64_t rows, int64_t cols)
{
#if defined(__x86_64__) && defined(__GNUC__)
    if (an_simd_level() >= AN_SIMD_AVX2) {
        turn_avx2(to, from, ldf, rows, cols);
        return;
    }
#endif
    an_transpose(to, AN_PANEL, from, ldf, rows, cols);
}

an_columns an_k_pack(float *packed, const float *w, int64_t ldw, int64_t out, int64_t in)
{
    for (int64_t first = 0; first < out; first += AN_PANEL)
        turn(packed + first * in, w + first * ldw, ldw,
             out - first < AN_PANEL ? out - first : AN_PANEL, in);
    return (an_columns){packed, AN_PANEL, AN_PANEL * in};
}
