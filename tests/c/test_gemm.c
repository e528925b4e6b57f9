/* gemm and rowsum against naive loops: all transpositions, sizes that are not multiples of a tile,
 * both partitions, and the same bits on one thread and on three. */
#include "arrays.h"

#include "kernel/matmul/gemm.h"
#include "kernel/common/row_sums.h"

typedef struct {
    int64_t M, N, K;
} sizes;

/* The naive product itself, against numbers computed by hand. */
static void naive_is_the_definition(void **state)
{
    (void)state;
    const float A[] = {1, 2, 3, 4, 5, 6}, B[] = {1, 0, -1, 2, 0, 1};
    const float At[] = {1, 4, 2, 5, 3, 6}, Bt[] = {1, -1, 0, 0, 2, 1};
    for (int t = 0; t < 4; t++) {
        float C[] = {10, 20, 30, 40};
        bool ta = t & 1, tb = t & 2;
        an_k_gemm_naive(ta, tb, 2, 2, 3, 2, ta ? At : A, ta ? 2 : 3, tb ? Bt : B, tb ? 3 : 2, 0.5f,
                        C, 2);
        assert_close(C, (float[]){3, 24, 13, 52}, 4, 0, "2·A·B + C/2");
    }
}

static void check_product(sizes s, bool ta, bool tb, float alpha, float beta)
{
    enum { GAP = 3 }; /* the row stride exceeds the width */
    int64_t lda = (ta ? s.M : s.K) + GAP, ldb = (tb ? s.K : s.N) + GAP, ldc = s.N + GAP;
    int64_t a = (ta ? s.K : s.M) * lda, b = (tb ? s.N : s.K) * ldb, c = s.M * ldc;
    float *A = normals(a, 1), *B = normals(b, 2), *expected = normals(c, 3);
    float *one = normals(c, 3), *all = normals(c, 3);
    double tolerance = 1e-6 * (10 + sqrt((double)s.K)) * 2;
    an_k_gemm_naive(ta, tb, s.M, s.N, s.K, alpha, A, lda, B, ldb, beta, expected, ldc);
    an_k_gemm(ta, tb, s.M, s.N, s.K, alpha, A, lda, B, ldb, beta, one, ldc);
    assert_close(one, expected, c, tolerance, "one thread");
    assert_int_equal(AN_OK,
                     an_k_gemm_par(ta, tb, s.M, s.N, s.K, alpha, A, lda, B, ldb, beta, all, ldc));
    assert_close(all, expected, c, tolerance, "all threads");
    an_free(A), an_free(B), an_free(expected), an_free(one), an_free(all);
}

static void products(void **state)
{
    (void)state;
    const sizes cases[] = {{1, 1, 1},    {1, 7, 5},      {13, 1, 9},     {3, 17, 1},
                           {31, 33, 29}, {513, 5, 11},   {300, 19, 37},  {7, 11, 2049},
                           {3, 2, 4111}, {131, 48, 270}, {300, 32, 1500}};
    for (int i = 0; i < COUNT(cases); i++)
        for (int t = 0; t < 16; t++)
            check_product(cases[i], t & 1, t & 2, t & 4 ? 1 : 1.5f, t & 8 ? 1 : 0);
}

/* With beta = 0, C may be uninitialised and must not be read. */
static void beta_zero_does_not_read(void **state)
{
    (void)state;
    const int64_t depths[] = {4, 3000};
    for (int i = 0; i < COUNT(depths); i++) {
        float *A = normals(2 * depths[i], 1), *B = normals(2 * depths[i], 2);
        float C[] = {NAN, NAN, NAN, NAN}, expected[4];
        an_k_gemm_naive(false, false, 2, 2, depths[i], 1, A, depths[i], B, 2, 0, expected, 2);
        an_k_gemm_par(false, false, 2, 2, depths[i], 1, A, depths[i], B, 2, 0, C, 2);
        assert_close(C, expected, 4, 1e-4, "over NaN");
        an_free(A), an_free(B);
    }
}

static void batches(void **state)
{
    (void)state;
    enum { G = 5, M = 7, N = 3, K = 11 };
    float *A = normals(G * M * K, 1), *B = normals(G * K * N, 2);
    float got[G * M * N], expected[G * M * N];
    for (int g = 0; g < G; g++)
        an_k_gemm_naive(true, false, M, N, K, 1, A + g * M * K, M, B + g * K * N, N, 0,
                        expected + g * M * N, N);
    assert_int_equal(AN_OK, an_k_gemm_batch(true, false, G, M, N, K, A, B, 0, got));
    assert_close(got, expected, G * M * N, 1e-5, "batch");
    an_free(A), an_free(B);
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    const sizes cases[] = {{1000, 24, 40}, {24, 40, 5000}};
    for (int i = 0; i < COUNT(cases); i++) {
        sizes s = cases[i];
        float *A = normals(s.M * s.K, 1), *B = normals(s.K * s.N, 2);
        float *one = normals(s.M * s.N, 3), *three = normals(s.M * s.N, 3);
        an_set_threads(1);
        an_k_gemm_par(false, false, s.M, s.N, s.K, 1, A, s.K, B, s.N, 1, one, s.N);
        an_set_threads(3);
        an_k_gemm_par(false, false, s.M, s.N, s.K, 1, A, s.K, B, s.N, 1, three, s.N);
        an_set_threads(0);
        assert_memory_equal(one, three, sizeof(float) * (size_t)(s.M * s.N));
        an_free(A), an_free(B), an_free(one), an_free(three);
    }
}

static void bias_is_summed(void **state)
{
    (void)state;
    enum { ROWS = 5000, WIDTH = 13 };
    float *dy = normals(ROWS * WIDTH, 1), db[2][WIDTH], expected[WIDTH];
    for (int c = 0; c < WIDTH; c++) {
        double sum = 0;
        for (int r = 0; r < ROWS; r++)
            sum += (double)dy[r * WIDTH + c];
        db[0][c] = db[1][c] = 100;
        expected[c] = (float)(100 + sum);
    }
    for (int run = 0; run < 2; run++) {
        an_set_threads(run == 0 ? 1 : 3);
        assert_int_equal(AN_OK, an_k_bias_backward(db[run], dy, ROWS, WIDTH));
    }
    an_set_threads(0);
    assert_close(db[0], expected, WIDTH, 1e-6, "column sums, accumulated");
    assert_memory_equal(db[0], db[1], sizeof db[0]);
    an_free(dy);
}

/* Splitting K allocates memory; a failed allocation is reported and leaks nothing. */
static void out_of_memory_is_reported(void **state)
{
    (void)state;
    float *A = normals(3000, 1), *B = normals(3000, 2), C = 5;
    int64_t live = an_mem_live();
    an_mem_fail_at(1);
    assert_int_equal(AN_ENOMEM,
                     an_k_gemm_par(false, false, 1, 1, 3000, 1, A, 3000, B, 1, 1, &C, 1));
    for (int nth = 1; nth <= 2; nth++) {
        an_mem_fail_at(nth);
        assert_int_equal(AN_ENOMEM, an_k_bias_backward(&C, A, 3000, 1));
    }
    an_mem_fail_at(0);
    assert_true(C == 5);
    assert_int_equal(live, an_mem_live());
    an_free(A), an_free(B);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(naive_is_the_definition),       cmocka_unit_test(products),
        cmocka_unit_test(beta_zero_does_not_read),       cmocka_unit_test(batches),
        cmocka_unit_test(bits_do_not_depend_on_threads), cmocka_unit_test(bias_is_summed),
        cmocka_unit_test(out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
