/* Rows of class values as candidates and a rest, and back: against the formulas written out class
 * by class, gradients by finite differences, the same bits at any number of threads. */
#include "grad/ops.h"
#include "rules.h"

static an_tensor *normal(uint64_t stream, int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    assert_non_null(x);
    an_fill_normal(an_f32(x), an_numel(x), 7, stream, 0);
    return x;
}

static an_tensor *leaf(an_tensor *x)
{
    x->requires_grad = true;
    return x;
}

/* Whether class k is among the C candidates of an image. */
static bool is_candidate(const an_tensor *index, int64_t b, int64_t k)
{
    int64_t width = index->shape[1];
    for (int64_t c = 0; c < width - 1; c++)
        if (an_i64(index)[b * width + c] == k)
            return true;
    return false;
}

/* ── choosing ─────────────────────────────────────────────────────────────────────── */

/* A class is a candidate if fewer than C classes are larger, or equal and earlier. */
static void check_chosen(an_tensor *score, int64_t C)
{
    an_tensor *index = an_candidates_choose(score, C);
    assert_non_null(index);
    int64_t B = score->shape[0], K = score->shape[1];
    for (int64_t b = 0; b < B; b++) {
        const float *s = an_f32(score) + b * K;
        for (int64_t k = 0; k < K; k++) {
            int64_t ahead = 0;
            for (int64_t i = 0; i < K; i++)
                ahead += s[i] > s[k] || (s[i] == s[k] && i < k);
            assert_int_equal(is_candidate(index, b, k), ahead < C);
        }
        const int64_t *of = an_i64(index) + b * (C + 1);
        for (int64_t c = 1; c <= C; c++)
            assert_true(of[c] > of[c - 1]);
        assert_int_equal(of[C], K);
    }
}

static void test_the_largest_are_chosen(void **state)
{
    (void)state;
    for (int64_t C = 1; C < 23; C++)
        check_chosen(normal(3, SHAPE(4, 23)), C);
    an_tensor *equal = an_tensor_zeros(AN_F32, SHAPE(2, 9));
    check_chosen(equal, 4);
    an_f32(equal)[7] = 1;
    an_f32(equal)[10] = -1;
    check_chosen(equal, 4);
    check_chosen(normal(4, SHAPE(3, 1000)), 16);
}

static void test_nan_is_chosen_last(void **state)
{
    (void)state;
    an_tensor *score = an_tensor_zeros(AN_F32, SHAPE(1, 4));
    an_f32(score)[1] = NAN;
    an_f32(score)[3] = -1;
    const int64_t *of = an_i64(an_candidates_choose(score, 3));
    assert_int_equal(of[0], 0);
    assert_int_equal(of[1], 2);
    assert_int_equal(of[2], 3);
}

/* ── values ───────────────────────────────────────────────────────────────────────── */

enum { B = 3, R = 2, K = 11, C = 4 };

static an_tensor *shares(void)
{
    return an_softmax(normal(5, SHAPE(B, K)));
}

static void test_gather_sums_the_rest(void **state)
{
    (void)state;
    an_tensor *x = normal(6, SHAPE(B * R, K)), *index = an_candidates_choose(shares(), C);
    an_tensor *y = an_candidates_gather(x, index, 0.25);
    assert_string_equal(an_shape_text(y), "(6, 5)");
    for (int64_t r = 0; r < B * R; r++) {
        float rest = 0;
        for (int64_t k = 0; k < K; k++)
            if (!is_candidate(index, r / R, k))
                rest += an_f32(x)[r * K + k];
        for (int64_t c = 0; c < C; c++)
            assert_true(an_f32(y)[r * (C + 1) + c] ==
                        an_f32(x)[r * K + an_i64(index)[r / R * (C + 1) + c]]);
        assert_true(fabsf(an_f32(y)[r * (C + 1) + C] - 0.25f * rest) < 1e-5f);
    }
}

/* The estimates of a rest add up to its own; the logits of a rest have its own as log-sum-exp. */
static void test_spread_divides_the_rest_by_the_shares(void **state)
{
    (void)state;
    an_tensor *x = normal(7, SHAPE(B * R, C + 1)), *p = shares();
    an_tensor *index = an_candidates_choose(p, C);
    for (int logits = 0; logits < 2; logits++) {
        an_tensor *y = an_candidates_spread(x, p, index, logits);
        for (int64_t r = 0; r < B * R; r++) {
            double whole = 0, ratio = 0, own = an_f32(x)[r * (C + 1) + C];
            for (int64_t k = 0, c = 0; k < K; k++) {
                double value = an_f32(y)[r * K + k], share = an_f32(p)[r / R * K + k];
                if (is_candidate(index, r / R, k)) {
                    assert_true((float)value == an_f32(x)[r * (C + 1) + c++]);
                    continue;
                }
                value = logits ? exp(value) : value;
                whole += value;
                if (ratio == 0)
                    ratio = value / share;
                assert_true(fabs(value / share - ratio) < 1e-4 * fabs(ratio));
            }
            assert_true(fabs(whole - (logits ? exp(own) : own)) < 1e-5);
        }
    }
}

static void test_shares_of_zero_stay_finite(void **state)
{
    (void)state;
    an_tensor *p = an_tensor_zeros(AN_F32, SHAPE(1, 6)), *x = an_tensor_zeros(AN_F32, SHAPE(1, 3));
    an_f32(p)[0] = an_f32(p)[4] = 0.5f;
    an_tensor *y = an_candidates_spread(x, p, an_candidates_choose(p, 2), true);
    for (int64_t k = 1; k < 4; k++)
        assert_true(fabsf(an_f32(y)[k] + logf(4)) < 1e-5f);
}

static void test_maps_repeat_the_rest(void **state)
{
    (void)state;
    an_tensor *maps = normal(8, SHAPE(B * R, C + 1, 3)), *index = an_candidates_choose(shares(), C);
    an_tensor *all = an_candidates_maps(maps, index, K);
    for (int64_t r = 0; r < B * R; r++)
        for (int64_t k = 0, c = 0; k < K; k++) {
            int64_t at = is_candidate(index, r / R, k) ? c++ : C;
            assert_memory_equal(an_f32(all) + (r * K + k) * 3,
                                an_f32(maps) + (r * (C + 1) + at) * 3, 3 * sizeof(float));
        }
}

/* ── gradients ────────────────────────────────────────────────────────────────────── */

typedef struct {
    an_tensor *index;
    bool logits;
} settings;

static an_tensor *gathered(an_tensor **in, void *ctx)
{
    return an_candidates_gather(in[0], ((settings *)ctx)->index, 0.7);
}

static an_tensor *spread(an_tensor **in, void *ctx)
{
    settings *s = ctx;
    return an_candidates_spread(in[0], in[1], s->index, s->logits);
}

static void test_gradients(void **state)
{
    (void)state;
    settings s = {.index = an_candidates_choose(shares(), C)};
    check_gradients(gathered, (an_tensor *[]){leaf(normal(9, SHAPE(B * R, K)))}, 1, &s);
    for (int logits = 0; logits < 2; logits++) {
        /* shares of order 1: finite differences of a logarithm need room */
        an_tensor *p = an_affine(an_map(normal(10, SHAPE(B, K)), AN_SIGMOID), 1, 0.5);
        s.logits = logits;
        check_gradients(spread, (an_tensor *[]){leaf(normal(11, SHAPE(B * R, C + 1))), leaf(p)}, 2,
                        &s);
    }
}

/* Values and gradients of a large case, in one tensor. */
static an_tensor *whole_pass(bool logits)
{
    an_tensor *score = normal(12, SHAPE(64, 1000)), *x = leaf(normal(13, SHAPE(256, 1000)));
    an_tensor *p = leaf(an_detach(an_softmax(score))), *index = an_candidates_choose(score, 16);
    an_tensor *y = an_candidates_spread(an_candidates_gather(x, index, 0.1), p, index, logits);
    assert_int_equal(an_backward(an_sum(an_mul(y, y), AN_ALL, false)), AN_OK);
    return an_concat((an_tensor *[]){an_detach(y), an_grad(x), an_grad(p)}, 3, 0);
}

static void test_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    int before = an_threads();
    for (int logits = 0; logits < 2; logits++) {
        an_set_threads(1);
        an_tensor *one = whole_pass(logits);
        an_set_threads(3);
        an_tensor *three = whole_pass(logits);
        assert_memory_equal(an_f32(one), an_f32(three), (size_t)an_numel(one) * sizeof(float));
    }
    an_set_threads(before);
}

/* ── what does not fit ────────────────────────────────────────────────────────────── */

static void test_errors(void **state)
{
    (void)state;
    an_tensor *p = shares(), *index = an_candidates_choose(p, C);
    assert_error(an_candidates_choose(p, 0), "1 to K");
    assert_error(an_candidates_choose(p, K), "1 to K");
    assert_error(an_candidates_gather(normal(1, SHAPE(B * R + 1, K)), index, 1), "does not fit");
    assert_error(an_candidates_gather(normal(1, SHAPE(B, C)), index, 1), "does not fit");
    assert_error(an_candidates_spread(normal(1, SHAPE(B, C)), p, index, false), "do not fit");
    an_i64(index)[1] = an_i64(index)[0];
    assert_error(an_candidates_gather(normal(1, SHAPE(B, K)), index, 1), "must rise");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_largest_are_chosen),
        TEST(test_nan_is_chosen_last),
        TEST(test_gather_sums_the_rest),
        TEST(test_spread_divides_the_rest_by_the_shares),
        TEST(test_shares_of_zero_stay_finite),
        TEST(test_maps_repeat_the_rest),
        TEST(test_gradients),
        TEST(test_bits_at_any_number_of_threads),
        TEST(test_errors),
    };
    return cmocka_run_group_tests_name("candidates", tests, NULL, NULL);
}
