/* conv_kernels: the engine's side of the kernel table. Reads a line per measurement, prints
 * seconds: conv B H C O kernel stride    → forward, data gradient, weight gradient gemm M N K
 * threads            → one product on each of `threads` threads at once */
#include <omp.h>
#include <stdio.h>

#include "base/memory/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "kernel/conv/conv.h"
#include "kernel/matmul/gemm.h"

static float *normals(int64_t n)
{
    float *x = an_alloc(sizeof(float) * (size_t)n);
    if (x)
        an_fill_normal(x, n, 1, 2, 0);
    return x;
}

static void conv(int B, int H, int C, int O, int kernel, int stride)
{
    an_conv_shape s = an_k_conv_shape(B, H, H, C, O, kernel, kernel, stride, kernel / 2);
    int64_t nx = s.B * s.H * s.W * s.C, ny = s.B * s.Ho * s.Wo * s.O;
    float *x = normals(nx), *dx = normals(nx), *y = normals(ny), *dy = normals(ny);
    float *w = normals((int64_t)C * O * kernel * kernel),
          *dw = normals((int64_t)C * O * kernel * kernel);
    double at[4] = {0};
    if (x && dx && y && dy && w && dw)
        for (int round = 0; round < 2; round++) { /* the first warms up */
            at[0] = omp_get_wtime();
            an_k_conv_forward(y, x, w, NULL, &s);
            at[1] = omp_get_wtime();
            an_k_conv_backward_data(dx, dy, w, 0, &s);
            at[2] = omp_get_wtime();
            an_k_conv_backward_weight(dw, dy, x, &s);
            at[3] = omp_get_wtime();
        }
    printf("%g %g %g\n", at[1] - at[0], at[2] - at[1], at[3] - at[2]);
    an_free(x), an_free(dx), an_free(y), an_free(dy), an_free(w), an_free(dw);
}

static void gemm(int M, int N, int K, int threads)
{
    double start = 0, end = 0;
#pragma omp parallel num_threads(threads)
    {
        float *A = normals((int64_t)M * K), *B = normals((int64_t)K * N),
              *C = normals((int64_t)M * N);
        for (int round = 0; A && B && C && round < 2; round++) {
#pragma omp barrier
#pragma omp master
            start = omp_get_wtime();
            an_k_gemm(false, false, M, N, K, 1, A, K, B, N, 0, C, N);
#pragma omp barrier
#pragma omp master
            end = omp_get_wtime();
        }
        an_free(A), an_free(B), an_free(C);
    }
    printf("%g\n", end - start);
}

int main(void)
{
    char line[128];
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        int n[6];
        if (sscanf(line, "conv %d %d %d %d %d %d", n, n + 1, n + 2, n + 3, n + 4, n + 5) == 6)
            conv(n[0], n[1], n[2], n[3], n[4], n[5]);
        else if (sscanf(line, "gemm %d %d %d %d", n, n + 1, n + 2, n + 3) == 4)
            gemm(n[0], n[1], n[2], n[3]);
        else
            return fprintf(stderr, "conv_kernels: cannot read: %s", line), 2;
    }
    return 0;
}
