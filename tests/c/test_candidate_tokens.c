/* The cross-attention denoiser with candidates, against the exact one of C + 1 classes that is
 * given the same tokens, and against itself. */
#include "networks.h"

#include "base/par.h"
#include "model/denoiser.h"

enum { K = 9, C = 3, D = 8 };

typedef struct {
    an_module *m;
    an_denoiser *d;
} network;

static network make_network(int64_t classes, int64_t candidates, bool logits)
{
    network n = {.m = an_module_new(1)};
    an_denoiser_options o = {.kind = AN_CROSS_ATTENTION,
                             .classes = classes,
                             .features = 6,
                             .crop_features = 5,
                             .dim = D,
                             .steps = 50,
                             .blocks = 2,
                             .heads = 2,
                             .mlp_ratio = 2,
                             .candidates = candidates,
                             .logits = logits};
    n.d = an_denoiser_new(n.m, "d", &o);
    assert_non_null(n.d);
    assert_int_equal(an_module_seal(n.m), AN_OK);
    randomise(n.m);
    an_module_train(n.m, false);
    return n;
}

static void free_network(network *n)
{
    an_denoiser_free(n->d);
    an_module_release(n->m);
}

static an_tensor *weights(const network *n, const char *name)
{
    return an_module_find(n->m, name)->x;
}

/* Copies every parameter but the class embedding, of which row i of `to` is row index[i]. */
static void copy_parameters(network *to, const network *from, const int64_t *index)
{
    for (int64_t i = 0; i < an_module_entries(to->m); i++) {
        const an_entry *e = an_module_entry(to->m, i);
        if (strcmp(e->name, "d.class.weight") != 0)
            assert_int_equal(an_copy(e->x, weights(from, e->name)), AN_OK);
    }
    an_tensor *of = weights(from, "d.class.weight"), *own = weights(to, "d.class.weight");
    for (int64_t i = 0; i < own->shape[0]; i++)
        memcpy(an_f32(own) + i * D, an_f32(of) + index[i] * D, D * sizeof(float));
}

typedef struct {
    an_tensor *features, *crops, *mg, *ml, *y;
} images;

static images make_images(int64_t B, int64_t R)
{
    return (images){.features = normal(1, 4, SHAPE(B, 3, 2, 6)),
                    .crops = normal(2, 3, SHAPE(B, 2, 5)),
                    .mg = an_softmax(normal(3, 2, SHAPE(B, K))),
                    .ml = an_softmax(normal(4, 2, SHAPE(B, K))),
                    .y = normal(5, 2, SHAPE(B * R, K))};
}

static an_tensor *run(const network *n, const images *x, const int64_t *time, int64_t count,
                      an_tensor **map)
{
    an_denoiser_context *c = an_denoiser_encode(n->d, x->features, x->crops, x->mg, x->ml);
    assert_non_null(c);
    an_tensor *out = an_denoiser_forward(n->d, c, x->y, times(time, count), map);
    if (!out)
        fail_msg("%s", an_err_message());
    an_denoiser_context_release(c);
    return out;
}

/* ── the same tokens in an exact network ──────────────────────────────────────────── */

/* The candidates of one image, found one after the other, then K. */
static void rank(int64_t index[C + 1], const images *x)
{
    bool chosen[K] = {false};
    for (int c = 0; c < C; c++) {
        int64_t best = -1;
        for (int64_t k = 0; k < K; k++)
            if (!chosen[k] && (best < 0 || an_f32(x->mg)[k] + an_f32(x->ml)[k] >
                                               an_f32(x->mg)[best] + an_f32(x->ml)[best]))
                best = k;
        chosen[best] = true;
    }
    int n = 0;
    for (int64_t k = 0; k < K; k++)
        if (chosen[k])
            index[n++] = k;
    index[C] = K;
}

/* Rows of K values as rows of C + 1. */
static an_tensor *reduced(const an_tensor *x, const int64_t *index, double scale)
{
    int64_t rows = x->shape[0];
    an_tensor *y = an_tensor_new(AN_F32, 2, SHAPE(rows, C + 1));
    for (int64_t r = 0; r < rows; r++) {
        double whole = 0, named = 0;
        for (int64_t k = 0; k < K; k++)
            whole += an_f32(x)[r * K + k];
        for (int c = 0; c < C; c++) {
            an_f32(y)[r * (C + 1) + c] = an_f32(x)[r * K + index[c]];
            named += an_f32(x)[r * K + index[c]];
        }
        an_f32(y)[r * (C + 1) + C] = (float)(scale * (whole - named));
    }
    return y;
}

static void equals_the_exact_network_of_its_tokens(bool logits)
{
    enum { R = 4 };
    network with = make_network(K, C, logits), exact = make_network(C + 1, 0, logits);
    images x = make_images(1, R);
    int64_t index[C + 1];
    rank(index, &x);
    copy_parameters(&exact, &with, index);
    images few = {.features = x.features,
                  .crops = x.crops,
                  .mg = reduced(x.mg, index, 1),
                  .ml = reduced(x.ml, index, 1),
                  .y = reduced(x.y, index, 1 / sqrt(K - C))};
    const int64_t time[R] = {1, 9, 33, 50};
    an_tensor *got = run(&with, &x, time, R, NULL), *tokens = run(&exact, &few, time, R, NULL);
    double rest = an_f32(few.mg)[C] + an_f32(few.ml)[C];
    for (int64_t r = 0; r < R; r++)
        for (int64_t k = 0, c = 0; k < K; k++) {
            double share = (an_f32(x.mg)[k] + an_f32(x.ml)[k]) / rest;
            double own = an_f32(tokens)[r * (C + 1) + C];
            double expected = k == index[c] ? an_f32(tokens)[r * (C + 1) + c++]
                              : logits      ? own + log(share)
                                            : own * share;
            assert_true(fabs(an_f32(got)[r * K + k] - expected) < 2e-5 * (1 + fabs(expected)));
        }
    free_network(&with);
    free_network(&exact);
}

static void test_equals_the_exact_network_of_its_tokens(void **state)
{
    (void)state;
    equals_the_exact_network_of_its_tokens(false);
    equals_the_exact_network_of_its_tokens(true);
}

/* With as many candidates as classes, every class has its token: the same parameters and bits. */
static void test_enough_candidates_are_the_exact_network(void **state)
{
    (void)state;
    network exact = make_network(K, 0, false), all = make_network(K, K, false);
    images x = make_images(2, 3);
    const int64_t time = 17;
    assert_int_equal(an_module_numel(exact.m), an_module_numel(all.m));
    assert_true(distance(run(&exact, &x, &time, 1, NULL), run(&all, &x, &time, 1, NULL)) == 0);
    free_network(&exact);
    free_network(&all);
}

/* ── draws, chains, maps ──────────────────────────────────────────────────────────── */

/* Each image has candidates of its own: alone, without recording, it has its rows of the whole
 * batch but for rounding. The bits of a batch are the same at another number of threads. */
static void test_rows_are_those_of_an_image_alone(void **state)
{
    (void)state;
    enum { B = 5, R = 3 };
    network n = make_network(K, C, false);
    images x = make_images(B, R);
    const int64_t time = 33;
    int threads = an_threads();
    bool before = an_set_recording(false);
    an_set_threads(1);
    const float *all = an_f32(run(&n, &x, &time, 1, NULL));
    an_set_threads(3);
    for (int64_t b = 0; b < B; b++) {
        images one = {.features = an_contiguous(an_view_narrow(x.features, 0, b, 1)),
                      .crops = an_contiguous(an_view_narrow(x.crops, 0, b, 1)),
                      .mg = an_contiguous(an_view_narrow(x.mg, 0, b, 1)),
                      .ml = an_contiguous(an_view_narrow(x.ml, 0, b, 1)),
                      .y = an_contiguous(an_view_narrow(x.y, 0, b * R, R))};
        const float *alone = an_f32(run(&n, &one, &time, 1, NULL));
        for (int64_t i = 0; i < R * K; i++)
            assert_true(fabsf(alone[i] - all[b * R * K + i]) < 1e-5f);
    }
    assert_memory_equal(an_f32(run(&n, &x, &time, 1, NULL)), all, B * R * K * sizeof *all);
    an_set_threads(threads);
    an_set_recording(before);
    free_network(&n);
}

static void test_every_class_has_a_map(void **state)
{
    (void)state;
    network n = make_network(K, C, false);
    images x = make_images(2, 3);
    an_tensor *map = NULL;
    const int64_t time = 5;
    an_tensor *with = run(&n, &x, &time, 1, &map);
    assert_shape(map, "(6, 9, 8)");
    an_tensor *sums = an_sum(map, 2, false), *ones = an_tensor_new(AN_F32, 2, SHAPE(6, K));
    an_fill(ones, 1);
    assert_true(distance(sums, ones) < 1e-5);
    assert_true(distance(with, run(&n, &x, &time, 1, NULL)) == 0);
    free_network(&n);
}

/* A label that no prior expects is noised and predicted as part of the rest: the estimate of its
 * class follows the token of the rest alone. */
static void test_the_label_does_not_choose(void **state)
{
    (void)state;
    network n = make_network(K, C, false);
    images x = make_images(1, 1);
    int64_t index[C + 1], outside = 0;
    rank(index, &x);
    while (outside == index[0] || outside == index[1] || outside == index[2])
        outside++;
    const int64_t time = 5;
    an_tensor *before = run(&n, &x, &time, 1, NULL);
    an_f32(x.y)[outside] += 5;
    an_tensor *after = run(&n, &x, &time, 1, NULL);
    double ratio = 0;
    for (int64_t k = 0, c = 0; k < K; k++) {
        if (k == index[c]) {
            c++;
            continue;
        }
        double own = an_f32(after)[k] / an_f32(before)[k];
        ratio = ratio == 0 ? own : ratio;
        assert_true(fabs(own - ratio) < 1e-4 * fabs(ratio));
    }
    assert_true(fabs(ratio - 1) > 1e-3);
    free_network(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_equals_the_exact_network_of_its_tokens),
        TEST(test_enough_candidates_are_the_exact_network),
        TEST(test_rows_are_those_of_an_image_alone),
        TEST(test_every_class_has_a_map),
        TEST(test_the_label_does_not_choose),
    };
    return cmocka_run_group_tests_name("candidate tokens", tests, NULL, NULL);
}
