/* gemm: the only file that calls a BLAS. OpenBLAS runs single-threaded inside our own threads: its
 * cuts depend on the number of threads, ours only on the sizes.
 * Order of calls: an_k_gemm_batch → an_k_gemm_par → an_k_gemm → cblas_sgemm or, for the products of
 * layers, our own loops over packed matrices, which are a tenth faster and copy no part of A. */
#include "kernel/matmul/gemm.h"

#include <cblas.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/integer.h"
#include "base/par.h"
#include "kernel/common/carve.h"
#include "kernel/common/overlap.h"
#include "kernel/matmul/packed.h"

enum {
    ROWS = 64,     /* of C per chunk when M is cut                                        */
    SLICES = 8,    /* of K at most when K is cut: the scratch is SLICES·M·N floats        */
    LONG_K = 1024, /* from this K on, K is cut if it is also longer than M and N          */
    MANY = 256,    /* from this many rows on, cutting M gives enough chunks: K is not cut */
    DEEP = 128,    /* of K at a time: 128·(24 + 32) floats of both operands are 28 KiB, in L1 */
    HIGH = 24,     /* rows of an outer product at a time: a multiple of 6 and of 8           */
    WORTH = 16     /* below, the BLAS is faster: packing would cost as much as the product */
};

_Static_assert(DEEP *(HIGH + AN_MICRO_COLUMNS) * sizeof(float) <= AN_L1_BYTES,
               "both operands of an outer product fit L1");

/* Runs before main(), so that no call races with it. */
__attribute__((constructor)) static void keep_blas_single_threaded(void)
{
    openblas_set_num_threads(1);
}

const char *an_k_gemm_library(void)
{
    return openblas_get_config();
}

/* The row lengths are at least those of the matrices as stored. */
static bool are_strides(bool ta, bool tb, int64_t M, int64_t N, int64_t K, int64_t lda, int64_t ldb,
                        int64_t ldc)
{
    return M >= 0 && N >= 0 && K >= 0 && lda >= (ta ? M : K) && ldb >= (tb ? K : N) && ldc >= N;
}

/* Floats from the first to the last of `rows` rows of `width`, ld apart. */
static int64_t extent(int64_t rows, int64_t width, int64_t ld)
{
    return rows > 0 && width > 0 ? (rows - 1) * ld + width : 0;
}

/* C overlaps neither operand. */
static bool is_apart(bool ta, bool tb, int64_t M, int64_t N, int64_t K, const float *A, int64_t lda,
                     const float *B, int64_t ldb, const float *C, int64_t ldc)
{
    int64_t written = extent(M, N, ldc);
    return an_disjoint(C, written, A, extent(ta ? K : M, ta ? M : K, lda)) &&
           an_disjoint(C, written, B, extent(tb ? N : K, tb ? K : N, ldb));
}

void an_k_gemm(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha, const float *A,
               int64_t lda, const float *B, int64_t ldb, float beta, float *C, int64_t ldc)
{
    AN_ASSERT(are_strides(ta, tb, M, N, K, lda, ldb, ldc));
    AN_ASSERT(is_apart(ta, tb, M, N, K, A, lda, B, ldb, C, ldc));
    if (M == 0 || N == 0)
        return;
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                (blasint)M, (blasint)N, (blasint)K, alpha, A, (blasint)lda, B, (blasint)ldb, beta,
                C, (blasint)ldc);
}

/* A product whose rows of C are cut into chunks. */
typedef struct {
    bool ta, tb;
    int64_t N, K;
    float alpha, beta;
    const float *A, *B;
    int64_t lda, ldb;
    float *C;
    int64_t ldc;
    an_packed packed; /* op(B) */
} product;

static void some_rows(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const product *p = context;
    (void)chunk;
    an_k_gemm(p->ta, p->tb, hi - lo, p->N, p->K, p->alpha, p->A + (p->ta ? lo : lo * p->lda),
              p->lda, p->B, p->ldb, p->beta, p->C + lo * p->ldc, p->ldc);
}

static void cut_rows(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha, const float *A,
                     int64_t lda, const float *B, int64_t ldb, float beta, float *C, int64_t ldc)
{
    product p = {ta, tb, N, K, alpha, beta, A, B, lda, ldb, C, ldc, {0}};
    an_par_for(M, 4 * ROWS, some_rows, &p);
}

static void rows_by_packed(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const product *p = context;
    (void)chunk;
    an_k_packed_product(p->C + lo * p->ldc, p->ldc, p->A + lo * p->lda, p->lda, hi - lo, &p->packed,
                        NULL, p->beta == 1, NULL);
}

/* C ← A·op(B) + (C if `accumulate`), op(B) packed once for all rows. */
static an_code by_packed(bool tb, int64_t M, int64_t N, int64_t K, const float *A, int64_t lda,
                         const float *B, int64_t ldb, bool accumulate, float *C, int64_t ldc)
{
    an_carve scratch = {0};
    float *data = an_carve_one(&scratch, an_packed_floats(K, N), sizeof *data);
    if (!data)
        return AN_ENOMEM;
    product p = {.K = K, .N = N, .A = A, .lda = lda, .C = C, .ldc = ldc, .beta = accumulate};
    p.packed = an_k_pack(data, tb, B, ldb, K, N);
    an_par_for(M, ROWS, rows_by_packed, &p);
    an_carve_release(&scratch);
    return AN_OK;
}

/* C ← beta·C + Σ_slice partial, in slice order; rows of C are independent. */
static void add_slices(const float *partial, int64_t slices, int64_t M, int64_t N, float beta,
                       float *C, int64_t ldc)
{
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t m = 0; m < M; m++) {
        float *row = C + m * ldc;
        for (int64_t n = 0; n < N; n++)
            row[n] = beta == 0 ? 0 : beta * row[n];
        for (int64_t s = 0; s < slices; s++) {
            const float *add = partial + (s * M + m) * N;
            for (int64_t n = 0; n < N; n++)
                row[n] += add[n];
        }
    }
}

void an_k_gemm_outer(float *C, int64_t ldc, int64_t M, int64_t N, int64_t K, const float *A,
                     int64_t lda, const float *B, int64_t ldb, bool accumulate,
                     an_prefetch *prefetch)
{
    AN_ASSERT(N % AN_LANES == 0 && are_strides(true, false, M, N, K, lda, ldb, ldc));
    AN_ASSERT(is_apart(true, false, M, N, K, A, lda, B, ldb, C, ldc));
    for (int64_t k = 0; k < K; k += DEEP)
        for (int64_t n = 0; n < N; n += AN_MICRO_COLUMNS)
            for (int64_t m = 0; m < M; m += HIGH)
                an_k_micro_outer(&(an_micro_outer){.a = A + k * lda + m,
                                                   .b = B + k * ldb + n,
                                                   .n = {1, 1, an_min(DEEP, K - k)},
                                                   .a_step = {0, 0, lda},
                                                   .b_step = {0, 0, ldb},
                                                   .accumulate = accumulate || k > 0,
                                                   .rows = an_min(HIGH, M - m),
                                                   .out = C + m * ldc + n,
                                                   .out_step = ldc,
                                                   .columns = an_min(AN_MICRO_COLUMNS, N - n),
                                                   .prefetch = prefetch});
}

static an_code cut_depth(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha,
                         const float *A, int64_t lda, const float *B, int64_t ldb, float beta,
                         float *C, int64_t ldc)
{
    bool own = ta && !tb && alpha == 1 && N % AN_LANES == 0;
    int64_t depth = an_div_up(K, SLICES), slices = an_chunks(K, depth);
    an_carve scratch = {0};
    float *partial = an_carve_one(&scratch, slices * M * N, sizeof *partial);
    if (!partial)
        return AN_ENOMEM;
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t s = 0; s < slices; s++) {
        int64_t lo = s * depth, k = an_min(depth, K - lo);
        const float *a = A + (ta ? lo * lda : lo), *b = B + (tb ? lo : lo * ldb);
        if (own)
            an_k_gemm_outer(partial + s * M * N, N, M, N, k, a, lda, b, ldb, false, NULL);
        else
            an_k_gemm(ta, tb, M, N, k, alpha, a, lda, b, ldb, 0, partial + s * M * N, N);
    }
    add_slices(partial, slices, M, N, beta, C, ldc);
    an_carve_release(&scratch);
    return AN_OK;
}

static bool worth_packing(int64_t M, int64_t N, int64_t K)
{
    return M >= WORTH && N >= WORTH && K >= WORTH;
}

static void rows_by_outer(void *context, int64_t lo, int64_t hi, int64_t chunk)
{
    const product *p = context;
    (void)chunk;
    an_k_gemm_outer(p->C + lo * p->ldc, p->ldc, hi - lo, p->N, p->K, p->A + lo, p->lda, p->B,
                    p->ldb, p->beta == 1, NULL);
}

/* C ← AᵀB + (C if `accumulate`). */
static void by_outer(int64_t M, int64_t N, int64_t K, const float *A, int64_t lda, const float *B,
                     int64_t ldb, bool accumulate, float *C, int64_t ldc)
{
    product p = {true, false, N, K, 1, accumulate, A, B, lda, ldb, C, ldc, {0}};
    an_par_for(M, ROWS, rows_by_outer, &p);
}

an_code an_k_gemm_par(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha,
                      const float *A, int64_t lda, const float *B, int64_t ldb, float beta,
                      float *C, int64_t ldc)
{
    AN_ASSERT(are_strides(ta, tb, M, N, K, lda, ldb, ldc));
    AN_ASSERT(is_apart(ta, tb, M, N, K, A, lda, B, ldb, C, ldc));
    bool own = alpha == 1 && (beta == 0 || beta == 1) && worth_packing(M, N, K);
    if (K >= LONG_K && K > M && K > N && (ta || M < MANY))
        return cut_depth(ta, tb, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
    if (own && !ta)
        return by_packed(tb, M, N, K, A, lda, B, ldb, beta == 1, C, ldc);
    if (own && !tb && N % AN_LANES == 0)
        by_outer(M, N, K, A, lda, B, ldb, beta == 1, C, ldc);
    else
        cut_rows(ta, tb, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
    return AN_OK;
}

an_code an_k_gemm_batch(bool ta, bool tb, int64_t G, int64_t M, int64_t N, int64_t K,
                        const float *A, const float *B, float beta, float *C)
{
    int64_t lda = ta ? M : K, ldb = tb ? K : N;
    if (G == 1)
        return an_k_gemm_par(ta, tb, M, N, K, 1, A, lda, B, ldb, beta, C, N);
#pragma omp parallel for schedule(static) num_threads(an_threads())
    for (int64_t g = 0; g < G; g++)
        an_k_gemm(ta, tb, M, N, K, 1, A + g * M * K, lda, B + g * K * N, ldb, beta, C + g * M * N,
                  N);
    return AN_OK;
}

void an_k_gemm_naive(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha, const float *A,
                     int64_t lda, const float *B, int64_t ldb, float beta, float *C, int64_t ldc)
{
    for (int64_t m = 0; m < M; m++) {
        for (int64_t n = 0; n < N; n++) {
            double sum = 0;
            for (int64_t k = 0; k < K; k++)
                sum += (double)A[ta ? k * lda + m : m * lda + k] *
                       (double)B[tb ? n * ldb + k : k * ldb + n];
            float *c = C + m * ldc + n;
            *c = (float)(alpha * sum + (beta == 0 ? 0 : (double)beta * *c));
        }
    }
}
