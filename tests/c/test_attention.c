/* attention against its definition in double, and its gradients against finite differences of that
 * definition, for few and many keys and queries, shared keys, and heads of various widths. The bits
 * depend neither on the other queries nor on the number of threads nor on the vector width. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/par.h"
#include "base/rng.h"
#include "base/simd.h"
#include "kernel/attention/attention.h"

enum { MAX_ELEMENTS = 4096 };

/* The definition in double; also returns p (Bq, heads, Lq, Lk). */
static void reference(double *out, double *p, const double *q, const double *k, const double *v,
                      const an_attention_shape *s)
{
    int64_t D = s->heads * s->d;
    memset(out, 0, (size_t)(s->Bk * s->repeat * s->Lq * D) * sizeof *out);
    for (int64_t b = 0; b < s->Bk * s->repeat; b++)
        for (int64_t h = 0; h < s->heads; h++)
            for (int64_t i = 0; i < s->Lq; i++) {
                const double *query = q + (b * s->Lq + i) * D + h * s->d;
                double *row = p + ((b * s->heads + h) * s->Lq + i) * s->Lk, sum = 0;
                for (int64_t j = 0; j < s->Lk; j++) {
                    const double *key = k + (b / s->repeat * s->Lk + j) * D + h * s->d;
                    double dot = 0;
                    for (int64_t c = 0; c < s->d; c++)
                        dot += query[c] * key[c];
                    sum += row[j] = exp(dot / sqrt((double)s->d));
                }
                for (int64_t j = 0; j < s->Lk; j++) {
                    const double *value = v + (b / s->repeat * s->Lk + j) * D + h * s->d;
                    row[j] /= sum;
                    for (int64_t c = 0; c < s->d; c++)
                        out[(b * s->Lq + i) * D + h * s->d + c] += row[j] * value[c];
                }
            }
}

typedef struct {
    int64_t n_q, n_k, n_p;
    float q[MAX_ELEMENTS], k[MAX_ELEMENTS], v[MAX_ELEMENTS], out[MAX_ELEMENTS], map[MAX_ELEMENTS],
        dout[MAX_ELEMENTS];
    double x[3][MAX_ELEMENTS], expected[MAX_ELEMENTS],
        expected_p[MAX_ELEMENTS]; /* q, k, v; out; p */
} problem;

static problem pr;

static void fill(const an_attention_shape *s)
{
    pr.n_q = s->Bk * s->repeat * s->Lq * s->heads * s->d;
    pr.n_k = s->Bk * s->Lk * s->heads * s->d;
    pr.n_p = s->Bk * s->repeat * s->heads * s->Lq * s->Lk;
    assert_true(pr.n_q <= MAX_ELEMENTS && pr.n_k <= MAX_ELEMENTS && pr.n_p <= MAX_ELEMENTS);
    an_fill_normal(pr.q, pr.n_q, 1, 1, 0);
    an_fill_normal(pr.k, pr.n_k, 1, 2, 0);
    an_fill_normal(pr.v, pr.n_k, 1, 3, 0);
    an_fill_normal(pr.dout, pr.n_q, 1, 4, 0);
    for (int64_t i = 0; i < MAX_ELEMENTS; i++) {
        pr.x[0][i] = pr.q[i];
        pr.x[1][i] = pr.k[i];
        pr.x[2][i] = pr.v[i];
    }
}

static double loss(const an_attention_shape *s)
{
    double sum = 0;
    reference(pr.expected, pr.expected_p, pr.x[0], pr.x[1], pr.x[2], s);
    for (int64_t i = 0; i < pr.n_q; i++)
        sum += pr.expected[i] * pr.dout[i];
    return sum;
}

static void assert_near(double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance * fmax(1, fabs(expected))))
        fail_msg("got %.9g, expected %.9g", got, expected);
}

static const an_attention_shape shapes[] = {
    {.Bk = 1, .repeat = 1, .Lq = 1, .Lk = 1, .heads = 1, .d = 1},
    {.Bk = 2, .repeat = 3, .Lq = 7, .Lk = 7, .heads = 2, .d = 5},
    {.Bk = 2, .repeat = 2, .Lq = 3, .Lk = 70, .heads = 2, .d = 8},
    {.Bk = 1, .repeat = 2, .Lq = 2, .Lk = 64, .heads = 1, .d = 33},
    {.Bk = 1, .repeat = 10, .Lq = 7, .Lk = 5, .heads = 2, .d = 16}, /* three chunks of queries */
    {.Bk = 3, .repeat = 4, .Lq = 5, .Lk = 9, .heads = 2, .d = 32},  /* whole vectors only */
    {.Bk = 2, .repeat = 1, .Lq = 4, .Lk = 6, .heads = 2, .d = 100}, /* with a remainder */
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void forward_is_the_definition(void **state)
{
    (void)state;
    for (int n = 0; n < SHAPES; n++) {
        fill(&shapes[n]);
        an_k_attention_forward(pr.out, pr.q, pr.k, pr.v, &shapes[n]);
        loss(&shapes[n]);
        for (int64_t i = 0; i < pr.n_q; i++)
            assert_near(pr.out[i], pr.expected[i], 2e-6);
    }
}

static void backward_is_its_derivative(void **state)
{
    (void)state;
    static float d[3][MAX_ELEMENTS];
    for (int n = 0; n < SHAPES; n++) {
        const an_attention_shape *s = &shapes[n];
        fill(s);
        an_k_attention_forward(pr.out, pr.q, pr.k, pr.v, s);
        for (int64_t i = 0; i < MAX_ELEMENTS; i++)
            d[0][i] = d[1][i] = d[2][i] = 1;
        an_attention_grads g = {d[0], d[1], d[2], 1, 1, 1};
        an_k_attention_backward(&g, pr.dout, pr.q, pr.k, pr.v, s);
        for (int side = 0; side < 3; side++)
            for (int64_t i = 0; i < (side ? pr.n_k : pr.n_q); i += 13) {
                double keep = pr.x[side][i], h = 1e-5;
                pr.x[side][i] = keep + h;
                double up = loss(s);
                pr.x[side][i] = keep - h;
                double down = loss(s);
                pr.x[side][i] = keep;
                assert_near(d[side][i], 1 + (up - down) / (2 * h), 1e-5);
            }
    }
}

static void absent_gradients_are_skipped(void **state)
{
    (void)state;
    static float whole[MAX_ELEMENTS], alone[MAX_ELEMENTS], spare[2][MAX_ELEMENTS];
    const an_attention_shape *s = &shapes[1];
    fill(s);
    memset(whole, 0, sizeof whole);
    memset(alone, 0, sizeof alone);
    an_k_attention_forward(pr.out, pr.q, pr.k, pr.v, s);
    an_attention_grads all = {spare[0], whole, spare[1], 1, 1, 1}, one = {.dk = alone, .beta_k = 1};
    an_k_attention_backward(&all, pr.dout, pr.q, pr.k, pr.v, s);
    an_k_attention_backward(&one, pr.dout, pr.q, pr.k, pr.v, s);
    assert_memory_equal(whole, alone, sizeof whole);
}

/* beta 0 does not read the array and gives the bits of beta 1 on zeros. */
static void gradients_may_be_overwritten(void **state)
{
    (void)state;
    static float added[3][MAX_ELEMENTS], put[3][MAX_ELEMENTS];
    for (int n = 0; n < SHAPES; n++) {
        const an_attention_shape *s = &shapes[n];
        fill(s);
        an_k_attention_forward(pr.out, pr.q, pr.k, pr.v, s);
        for (int64_t i = 0; i < MAX_ELEMENTS; i++) {
            added[0][i] = added[1][i] = added[2][i] = 0;
            put[0][i] = put[1][i] = put[2][i] = NAN;
        }
        an_attention_grads g = {added[0], added[1], added[2], 1, 1, 1};
        an_attention_grads h = {put[0], put[1], put[2], 0, 0, 0};
        an_k_attention_backward(&g, pr.dout, pr.q, pr.k, pr.v, s);
        an_k_attention_backward(&h, pr.dout, pr.q, pr.k, pr.v, s);
        for (int side = 0; side < 3; side++)
            for (int64_t i = 0; i < (side ? pr.n_k : pr.n_q); i++)
                assert_near(put[side][i], added[side][i], 0);
    }
}

static void large_scores_stay_finite(void **state)
{
    (void)state;
    const an_attention_shape s = {.Bk = 1, .repeat = 1, .Lq = 1, .Lk = 2, .heads = 1, .d = 1};
    float q = 1000, k[] = {1000, 999}, v[] = {3, 5}, out, map[2];
    assert_int_equal(an_k_attention_forward(&out, &q, k, v, &s), AN_OK);
    assert_int_equal(an_k_attention_map(map, &q, k, &s), AN_OK);
    assert_true(map[0] == 1 && map[1] == 0 && out == 3);
}

/* A NaN among the scores makes the weights of its query NaN, and no others. */
static void nan_affects_only_its_query(void **state)
{
    (void)state;
    const an_attention_shape *s = &shapes[2];
    for (int64_t at = 0; at < s->d; at += s->d - 1) {
        fill(s);
        pr.q[at] = NAN;
        assert_int_equal(an_k_attention_forward(pr.out, pr.q, pr.k, pr.v, s), AN_OK);
        for (int64_t i = 0; i < pr.n_q; i++)
            assert_true(isnan(pr.out[i]) == (i < s->d));
    }
}

static void map_is_the_mean_over_heads(void **state)
{
    (void)state;
    for (int n = 0; n < SHAPES; n++) {
        const an_attention_shape *s = &shapes[n];
        fill(s);
        an_k_attention_map(pr.map, pr.q, pr.k, s);
        loss(s);
        int64_t block = s->Lq * s->Lk;
        for (int64_t i = 0; i < s->Bk * s->repeat * block; i++) {
            double mean = 0;
            for (int64_t h = 0; h < s->heads; h++)
                mean += pr.expected_p[(i / block * s->heads + h) * block + i % block] / s->heads;
            assert_near(pr.map[i], mean, 1e-6);
        }
    }
}

/* an_k_attend() returns the bits of the batch kernel, whatever the other queries are. */
static void a_query_has_the_same_bits_in_any_batch(void **state)
{
    (void)state;
    static float scratch[MAX_ELEMENTS], alone[MAX_ELEMENTS];
    for (int n = 0; n < SHAPES; n++) {
        const an_attention_shape *s = &shapes[n];
        int64_t D = s->heads * s->d, queries = s->repeat * s->Lq;
        fill(s);
        assert_true(an_k_attend_scratch(s->Lk, s->d) <= MAX_ELEMENTS);
        an_k_attention_forward(pr.out, pr.q, pr.k, pr.v, s);
        for (int64_t count = 1; count <= queries; count += count < 3 ? 1 : 7)
            for (int64_t lo = 0; lo + count <= queries; lo += count) {
                an_attend some = {.q = pr.q + lo * D,
                                  .k = pr.k,
                                  .v = pr.v,
                                  .ldq = D,
                                  .ldk = D,
                                  .queries = count,
                                  .Lk = s->Lk,
                                  .heads = s->heads,
                                  .d = s->d};
                an_k_attend(alone, D, &some, scratch);
                assert_memory_equal(alone, pr.out + lo * D, (size_t)(count * D) * sizeof(float));
            }
    }
}

/* Variants with fused multiply-add (AVX2, AVX-512) give the same bits at any vector width. */
static void vector_widths_agree(void **state)
{
    (void)state;
    static float d[2][3][MAX_ELEMENTS], out[2][MAX_ELEMENTS];
    an_simd most = an_simd_level();
    if (most < AN_SIMD_AVX2)
        skip();
    for (int n = 0; n < SHAPES; n++) {
        const an_attention_shape *s = &shapes[n];
        fill(s);
        memset(d, 0, sizeof d);
        for (int run = 0; run < 2; run++) {
            an_simd_limit(run ? most : AN_SIMD_AVX2);
            an_k_attention_forward(out[run], pr.q, pr.k, pr.v, s);
            an_attention_grads g = {d[run][0], d[run][1], d[run][2], 0, 0, 0};
            an_k_attention_backward(&g, pr.dout, pr.q, pr.k, pr.v, s);
        }
        assert_memory_equal(out[0], out[1], (size_t)pr.n_q * sizeof(float));
        assert_memory_equal(d[0], d[1], sizeof d[0]);
    }
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    static float d[2][3][MAX_ELEMENTS], out[2][MAX_ELEMENTS];
    const an_attention_shape *s = &shapes[2];
    fill(s);
    memset(d, 0, sizeof d);
    for (int run = 0; run < 2; run++) {
        an_set_threads(run ? 3 : 1);
        an_k_attention_forward(out[run], pr.q, pr.k, pr.v, s);
        an_attention_grads g = {d[run][0], d[run][1], d[run][2], 1, 1, 1};
        an_k_attention_backward(&g, pr.dout, pr.q, pr.k, pr.v, s);
    }
    assert_memory_equal(out[0], out[1], (size_t)pr.n_q * sizeof(float));
    assert_memory_equal(d[0], d[1], sizeof d[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_is_the_definition),
        cmocka_unit_test(backward_is_its_derivative),
        cmocka_unit_test(absent_gradients_are_skipped),
        cmocka_unit_test(gradients_may_be_overwritten),
        cmocka_unit_test(large_scores_stay_finite),
        cmocka_unit_test(nan_affects_only_its_query),
        cmocka_unit_test(map_is_the_mean_over_heads),
        cmocka_unit_test(a_query_has_the_same_bits_in_any_batch),
        cmocka_unit_test(vector_widths_agree),
        cmocka_unit_test(threads_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
