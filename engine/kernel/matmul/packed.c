/* packed: see packed.h. */
#include "kernel/matmul/packed.h"

#include <omp.h>
#include <stddef.h>
#include <string.h>

#include "base/assert.h"
#include "base/par.h"
#include "base/simd.h"
#include "kernel/common/overlap.h"
#include "kernel/common/transpose.h"

enum {
    ROWS = AN_MICRO_ROWS,
    DEEP = 16,           /* rows of the intermediate tile of an_k_pack_permuted()             */
    PACK_ALONE = 1 << 13 /* floats up to which one thread packs faster than several can start */
};

/* ── packing ────────────────────────────────────────────────────────────────────────────── */

#ifdef AN_SIMD_X86
__attribute__((target("avx2"))) static void
transpose_avx2(float *to, int64_t ldt, const float *from, int64_t ldf, int64_t rows, int64_t cols)
{
    an_transpose(to, ldt, from, ldf, rows, cols);
}
#endif

static void transpose(float *to, int64_t ldt, const float *from, int64_t ldf, int64_t rows,
                      int64_t cols)
{
#ifdef AN_SIMD_X86
    if (an_simd_level() >= AN_SIMD_AVX2) {
        transpose_avx2(to, ldt, from, ldf, rows, cols);
        return;
    }
#endif
    an_transpose(to, ldt, from, ldf, rows, cols);
}

/* Through a small tile: rows of a panel may be a power of two apart and share cache sets. */
void an_k_pack_permuted(float *panel, int64_t width, const float *from, int64_t step,
                        int64_t columns, int64_t K, int64_t inner, int64_t jump)
{
    float tile[DEEP][AN_PANEL];
    int64_t low = 0, high = 0; /* k % inner, k / inner */
    AN_ASSERT(width == AN_LANES || width == AN_PANEL);
    AN_ASSERT(columns >= 1 && columns <= width && inner >= 1);
    for (int64_t first = 0; first < K; first += DEEP) {
        int64_t deep = an_min(DEEP, K - first);
        transpose(tile[0], AN_PANEL, from + first, step, columns, deep);
        for (int64_t k = 0; k < deep; k++) {
            float *to = panel + (low * jump + high) * width;
            memcpy(to, tile[k], sizeof(float) * AN_LANES);
            if (width > AN_LANES)
                memcpy(to + AN_LANES, tile[k] + AN_LANES, sizeof(float) * AN_LANES);
            if (++low == inner)
                low = 0, high++;
        }
    }
}

void an_k_pack_panel(float *data, bool transposed, const float *B, int64_t ldb, int64_t K,
                     int64_t N, int64_t p)
{
    AN_ASSERT(p >= 0 && p < an_panel_count(N));
    AN_ASSERT(ldb >= (transposed ? K : N));
    int64_t columns = an_panel_columns(N, p), width = an_panel_width(N, p);
    float *panel = data + an_panel_start(K, p);
    if (transposed) {
        transpose(panel, width, B + p * AN_PANEL * ldb, ldb, columns, K);
        return;
    }
    for (int64_t k = 0; k < K; k++, panel += width) {
        memcpy(panel, B + k * ldb + p * AN_PANEL, sizeof(float) * (size_t)columns);
        memset(panel + columns, 0, sizeof(float) * (size_t)(width - columns));
    }
}

typedef struct {
    float *data;
    bool transposed;
    const float *B;
    int64_t ldb, K, N;
} pack_job;

static void pack_some(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const pack_job *j = context;
    (void)chunk;
    for (int64_t p = lo; p < hi; p++)
        an_k_pack_panel(j->data, j->transposed, j->B, j->ldb, j->K, j->N, p);
}

an_packed an_k_pack(float *data, bool transposed, const float *B, int64_t ldb, int64_t K, int64_t N)
{
    AN_ASSERT(!omp_in_parallel());
    int64_t panels = an_panel_count(N), grain = an_grain(panels, K * AN_PANEL, PACK_ALONE);
    an_par_for(panels, grain, pack_some, &(pack_job){data, transposed, B, ldb, K, N});
    return (an_packed){data, K, N};
}

/* ── product ────────────────────────────────────────────────────────────────────────────── */

/* A panel whose columns are not a multiple of 16: 8 rows at a time, through a tile on the stack. */
static void partial_panel(const an_micro_panel *p)
{
    float unused[AN_PANEL] = {0};
    const float *a[ROWS];
    float *out[ROWS];
    an_micro_rows job = {.a = a,
                         .b = &p->b,
                         .segments = 1,
                         .k = p->k,
                         .b_step = p->b_step,
                         .out = out,
                         .columns = p->columns,
                         .bias = p->bias,
                         .accumulate = p->accumulate};
    for (int64_t lo = 0; lo < p->rows; lo += ROWS) {
        for (int64_t m = 0; m < ROWS; m++) {
            int64_t row = lo + m < p->rows ? lo + m : lo;
            a[m] = p->a + row * p->a_step;
            out[m] = lo + m < p->rows ? p->out + row * p->out_step : unused;
        }
        an_k_micro_rows(&job);
    }
}

void an_k_packed_product(float *C, int64_t ldc, const float *A, int64_t lda, int64_t M,
                         const an_packed *B, const float *bias, bool accumulate,
                         an_prefetch *prefetch)
{
    AN_ASSERT(M >= 0 && lda >= B->K && ldc >= B->N);
    AN_ASSERT(M == 0 || an_disjoint(C, (M - 1) * ldc + B->N, A, (M - 1) * lda + B->K));
    AN_ASSERT(M == 0 ||
              an_disjoint(C, (M - 1) * ldc + B->N, B->data, an_packed_floats(B->K, B->N)));
    AN_ASSERT(M == 0 || an_disjoint(C, (M - 1) * ldc + B->N, bias, B->N));
    for (int64_t p = 0; p < an_panel_count(B->N); p++) {
        int64_t first = p * AN_PANEL;
        an_micro_panel job = {.a = A,
                              .b = B->data + an_panel_start(B->K, p),
                              .rows = M,
                              .k = B->K,
                              .a_step = lda,
                              .b_step = an_panel_width(B->N, p),
                              .out = C + first,
                              .out_step = ldc,
                              .columns = an_panel_columns(B->N, p),
                              .bias = bias ? bias + first : NULL,
                              .accumulate = accumulate,
                              .prefetch = prefetch};
        (job.columns % AN_LANES ? partial_panel : an_k_micro_panel)(&job);
    }
}
