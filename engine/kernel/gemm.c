/* gemm: the only place that calls a BLAS. OpenBLAS runs single-threaded inside our own
 * threads: its own cuts depend on the number of threads, ours on the sizes alone.
 * Order of calls: an_k_gemm_batch → an_k_gemm_par → an_k_gemm → cblas_sgemm. */
#include "kernel/gemm.h"

#include <cblas.h>

#include "base/mem.h"
#include "base/par.h"

enum {
    ROWS = 256,    /* of C per chunk when M is cut                                */
    SLICES = 8,    /* of K at most when K is cut: the scratch is SLICES·M·N floats */
    LONG_K = 2048  /* K is cut from here on, if also longer than M and N           */
};

/* Before main(), so that no call races with it. */
__attribute__((constructor)) static void keep_blas_single_threaded(void)
{
    openblas_set_num_threads(1);
}

const char *an_k_gemm_library(void)
{
    return openblas_get_config();
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void an_k_gemm(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha,
               const float *A, int64_t lda, const float *B, int64_t ldb,
               float beta, float *C, int64_t ldc)
{
    if (M == 0 || N == 0)
        return;
    cblas_sgemm(CblasRowMajor, ta ? CblasTrans : CblasNoTrans, tb ? CblasTrans : CblasNoTrans,
                (blasint)M, (blasint)N, (blasint)K, alpha, A, (blasint)lda, B, (blasint)ldb,
                beta, C, (blasint)ldc);
}

static void cut_rows(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha,
                     const float *A, int64_t lda, const float *B, int64_t ldb,
                     float beta, float *C, int64_t ldc)
{
    int64_t chunks = an_chunks(M, ROWS);
#pragma omp parallel for schedule(dynamic) num_threads(an_threads()) if (chunks > 1)
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t lo = chunk * ROWS, rows = smaller(ROWS, M - lo);
        an_k_gemm(ta, tb, rows, N, K, alpha, A + (ta ? lo : lo * lda), lda, B, ldb,
                  beta, C + lo * ldc, ldc);
    }
}

/* C ← beta·C + Σ_slice partial, in slice order; rows of C are independent. */
static void add_slices(const float *partial, int64_t slices, int64_t M, int64_t N,
                       float beta, float *C, int64_t ldc)
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

static an_code cut_depth(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha,
                         const float *A, int64_t lda, const float *B, int64_t ldb,
                         float beta, float *C, int64_t ldc)
{
    int64_t depth = (K + SLICES - 1) / SLICES, slices = an_chunks(K, depth);
    float *partial = an_alloc(sizeof(float) * (size_t)(slices * M * N));
    if (!partial)
        return AN_ENOMEM;
#pragma omp parallel for schedule(dynamic) num_threads(an_threads())
    for (int64_t s = 0; s < slices; s++) {
        int64_t lo = s * depth, k = smaller(depth, K - lo);
        an_k_gemm(ta, tb, M, N, k, alpha, A + (ta ? lo * lda : lo), lda,
                  B + (tb ? lo : lo * ldb), ldb, 0, partial + s * M * N, N);
    }
    add_slices(partial, slices, M, N, beta, C, ldc);
    an_free(partial);
    return AN_OK;
}

an_code an_k_gemm_par(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha,
                      const float *A, int64_t lda, const float *B, int64_t ldb,
                      float beta, float *C, int64_t ldc)
{
    if (K >= LONG_K && K > M && K > N)
        return cut_depth(ta, tb, M, N, K, alpha, A, lda, B, ldb, beta, C, ldc);
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
        an_k_gemm(ta, tb, M, N, K, 1, A + g * M * K, lda, B + g * K * N, ldb,
                  beta, C + g * M * N, N);
    return AN_OK;
}

void an_k_gemm_naive(bool ta, bool tb, int64_t M, int64_t N, int64_t K, float alpha,
                     const float *A, int64_t lda, const float *B, int64_t ldb,
                     float beta, float *C, int64_t ldc)
{
    for (int64_t m = 0; m < M; m++) {
        for (int64_t n = 0; n < N; n++) {
            double sum = 0;
            for (int64_t k = 0; k < K; k++)
                sum += (double)A[ta ? k * lda + m : m * lda + k]
                     * (double)B[tb ? n * ldb + k : k * ldb + n];
            float *c = C + m * ldc + n;
            *c = (float)(alpha * sum + (beta == 0 ? 0 : (double)beta * *c));
        }
    }
}
