/* pool against the definitions, written out naively: windows with padding and overlap, ties,
 * NaN, top-p % selection against a full sort, gradients added to the positions that the forward
 * pass selected. */
#include <stdlib.h>

#include "arrays.h"

#include "kernel/pointwise/pool.h"

static const an_pool_shape shapes[] = {
    {.B = 1, .H = 1, .W = 1, .C = 1, .size = 1, .stride = 1, .pad = 0},
    {.B = 3, .H = 7, .W = 5, .C = 3, .size = 3, .stride = 2, .pad = 1},
    {.B = 2, .H = 6, .W = 9, .C = 4, .size = 2, .stride = 2, .pad = 0},
    {.B = 1, .H = 8, .W = 8, .C = 5, .size = 5, .stride = 1, .pad = 2},
    {.B = 2, .H = 5, .W = 7, .C = 17, .size = 2, .stride = 3, .pad = 1},
};

static an_pool_shape complete(an_pool_shape s, int64_t pad)
{
    return an_k_pool_shape(s.B, s.H, s.W, s.C, s.size, s.stride, pad);
}

/* Element (b,y,x,c), or −1 outside the image. */
static int64_t element(int64_t b, int64_t y, int64_t x, int64_t c, const an_pool_shape *s)
{
    if (y < 0 || y >= s->H || x < 0 || x >= s->W)
        return -1;
    return ((b * s->H + y) * s->W + x) * s->C + c;
}

/* Lists the elements of the window of output k, in order; returns their number. */
static int window(int64_t k, int64_t *elements, const an_pool_shape *s)
{
    int64_t c = k % s->C, j = k / s->C % s->Wo, i = k / s->C / s->Wo % s->Ho;
    int64_t b = k / s->C / s->Wo / s->Ho;
    int n = 0;
    for (int64_t u = 0; u < s->size; u++) {
        for (int64_t v = 0; v < s->size; v++) {
            int64_t e = element(b, i * s->stride + u - s->pad, j * s->stride + v - s->pad, c, s);
            if (e >= 0)
                elements[n++] = e;
        }
    }
    return n;
}

static void maxima(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(shapes); i++) {
        an_pool_shape s = complete(shapes[i], shapes[i].pad);
        int64_t nx = s.B * s.H * s.W * s.C, ny = s.B * s.Ho * s.Wo * s.C, in[64];
        float *x = normals(nx, 1), *dy = normals(ny, 2), *dx = normals(nx, 3);
        float *y = normals(ny, 4), *expected = normals(ny, 4), *expected_dx = normals(nx, 3);
        uint8_t *at = an_alloc((size_t)ny);
        for (int64_t k = 0; k < nx; k++)
            x[k] = roundf(x[k]) - 20; /* many ties, all below 0, the value of padding */
        for (int64_t k = 0; k < ny; k++) {
            int n = window(k, in, &s), best = 0;
            for (int e = 1; e < n; e++)
                if (x[in[e]] > x[in[best]])
                    best = e;
            expected[k] = x[in[best]];
            expected_dx[in[best]] += dy[k];
        }
        an_k_max_pool_forward(y, at, x, &s);
        an_k_max_pool_backward(dx, dy, at, &s);
        assert_close(y, expected, ny, 0, "max");
        assert_close(dx, expected_dx, nx, 1e-6, "max, gradient");
        an_free(x), an_free(dy), an_free(dx), an_free(y), an_free(expected), an_free(expected_dx);
        an_free(at);
    }
}

static void nan_is_not_hidden(void **state)
{
    (void)state;
    an_pool_shape s = an_k_pool_shape(1, 1, 4, 1, 2, 2, 0);
    assert_int_equal(s.Ho, 0);
    s = an_k_pool_shape(1, 2, 4, 1, 2, 2, 0);
    float x[] = {1, NAN, 3, 4, 2, 5, 6, 7}, y[2];
    uint8_t at[2];
    an_k_max_pool_forward(y, at, x, &s);
    assert_true(isnan(y[0]) && y[1] == 7);
    assert_int_equal(at[0], 1);
    assert_int_equal(at[1], 3); /* the last of its window */
}

static void averages(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT(shapes); i++) {
        an_pool_shape s = complete(shapes[i], 0);
        int64_t nx = s.B * s.H * s.W * s.C, ny = s.B * s.Ho * s.Wo * s.C, in[64];
        float *x = normals(nx, 1), *dy = normals(ny, 2), *dx = normals(nx, 3);
        float *y = normals(ny, 4), *expected = normals(ny, 4), *expected_dx = normals(nx, 3);
        for (int64_t k = 0; k < ny; k++) {
            int n = window(k, in, &s);
            expected[k] = 0;
            for (int e = 0; e < n; e++) {
                expected[k] += x[in[e]] / (float)n;
                expected_dx[in[e]] += dy[k] / (float)n;
            }
        }
        an_k_avg_pool_forward(y, x, &s);
        an_k_avg_pool_backward(dx, dy, &s);
        assert_close(y, expected, ny, 1e-6, "mean");
        assert_close(dx, expected_dx, nx, 1e-6, "mean, gradient");
        an_free(x), an_free(dy), an_free(dx), an_free(y), an_free(expected), an_free(expected_dx);
    }
}

static void global_averages(void **state)
{
    (void)state;
    enum { B = 3, N = 35, C = 7 };
    float *x = normals(B * N * C, 1), *dx = normals(B * N * C, 2),
          *expected_dx = normals(B * N * C, 2);
    float *dy = normals(B * C, 3), y[B * C], expected[B * C] = {0};
    for (int k = 0; k < B * N * C; k++) {
        int at = k / (N * C) * C + k % C;
        expected[at] += x[k] / N;
        expected_dx[k] += dy[at] / N;
    }
    an_k_global_pool_forward(y, x, B, N, C);
    an_k_global_pool_backward(dx, dy, B, N, C, 1);
    assert_close(y, expected, B * C, 1e-6, "global mean");
    assert_close(dx, expected_dx, B * N * C, 1e-6, "global mean, gradient");
    for (int k = 0; k < B * N * C; k++)
        dx[k] = NAN, expected_dx[k] = dy[k / (N * C) * C + k % C] / N;
    an_k_global_pool_backward(dx, dy, B, N, C, 0);
    assert_close(dx, expected_dx, B * N * C, 1e-6, "global mean, gradient overwritten");
    an_free(x), an_free(dx), an_free(expected_dx), an_free(dy);
}

typedef struct {
    float value;
    int64_t position;
} place;

static int larger_first(const void *a, const void *b)
{
    const place *p = a, *q = b;
    if (p->value != q->value)
        return p->value > q->value ? -1 : 1;
    return p->position < q->position ? -1 : 1;
}

static void top_positions(void **state)
{
    (void)state;
    enum { B = 3, N = 49, C = 6 };
    const int64_t tops[] = {1, 2, 10, 48, 49};
    float *x = normals(B * N * C, 1), *dy = normals(B * C, 2), y[B * C];
    for (int k = 0; k < B * N * C; k++)
        x[k] = roundf(2 * x[k]); /* ties */
    for (int t = 0; t < COUNT(tops); t++) {
        int64_t top = tops[t], at[B * C * N];
        float *dx = normals(B * N * C, 3), *expected_dx = normals(B * N * C, 3),
              expected[B * C] = {0};
        an_k_top_pool_forward(y, at, x, B, N, C, top);
        an_k_top_pool_backward(dx, dy, at, B, N, C, top);
        for (int k = 0; k < B * C; k++) {
            place places[N];
            for (int p = 0; p < N; p++)
                places[p] = (place){x[(k / C * N + p) * C + k % C], p};
            qsort(places, N, sizeof *places, larger_first);
            for (int64_t p = 0; p < top; p++) {
                assert_int_equal(at[k * top + p], places[p].position);
                expected[k] += places[p].value / (float)top;
                expected_dx[(k / C * N + places[p].position) * C + k % C] += dy[k] / (float)top;
            }
        }
        assert_close(y, expected, B * C, 1e-6, "top mean");
        assert_close(dx, expected_dx, B * N * C, 1e-6, "top mean, gradient");
        an_free(dx), an_free(expected_dx);
    }
    an_free(x), an_free(dy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maxima),        cmocka_unit_test(nan_is_not_hidden),
        cmocka_unit_test(averages),      cmocka_unit_test(global_averages),
        cmocka_unit_test(top_positions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
