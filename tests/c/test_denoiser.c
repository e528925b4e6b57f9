/* The denoisers: parameter names and counts; a context computed once per image gives the results of
 * one computed per draw; the attention map is a distribution. */
#include "networks.h"

#include "base/par.h"
#include "base/memory/tensor_heap.h"
#include "model/denoiser.h"

/* ── denoiser ────────────────────────────────────────────────────────────────── */

static an_denoiser_options denoiser_options(an_denoiser_kind kind, int64_t crop_features)
{
    return (an_denoiser_options){.kind = kind,
                                 .classes = 4,
                                 .features = 6,
                                 .crop_features = crop_features,
                                 .dim = 8,
                                 .steps = 50,
                                 .blocks = 2,
                                 .heads = 2,
                                 .mlp_ratio = 2};
}

static void test_denoiser_parameters(void **state)
{
    (void)state;
    an_module *m = an_module_new(1);
    an_denoiser_options o = denoiser_options(AN_CROSS_ATTENTION, 5);
    an_denoiser *d = an_denoiser_new(m, "denoiser", &o);
    assert_non_null(d);
    assert_int_equal(an_module_seal(m), AN_OK);
    int64_t D = 8, dense = D * D + D;
    int64_t block = 9 * dense + 8 * dense + (2 * D * D + 2 * D) + (2 * D * D + D);
    assert_int_equal(an_module_numel(m), 4 * D + 4 * D + 2 * dense + 7 * D + (6 * D + D) + 2 * D +
                                             2 * block + 2 * dense + D + 1);
    assert_string_equal(an_shape_text(an_module_find(m, "denoiser.blocks.1.modulation.weight")->x),
                        "(72, 8)");
    assert_non_null(an_module_find(m, "denoiser.blocks.0.cross.k.bias"));
    an_denoiser_free(d);
    an_module_release(m);

    m = an_module_new(1);
    o = denoiser_options(AN_FILM, 0);
    d = an_denoiser_new(m, "denoiser", &o);
    assert_int_equal(an_module_seal(m), AN_OK);
    assert_int_equal(an_module_numel(m),
                     7 * D + 2 * D + (12 * D + D) + 2 * dense + 3 * (51 * D + 2 * D) + 4 * D + 4);
    an_denoiser_free(d);
    an_module_release(m);
}

static void test_denoiser_rejects_bad_options(void **state)
{
    (void)state;
    an_module *m = an_module_new(1);
    an_denoiser_options o = denoiser_options(AN_CROSS_ATTENTION, 0);
    o.heads = 3;
    assert_null(an_denoiser_new(m, "a", &o));
    o = denoiser_options(AN_CROSS_ATTENTION, 0);
    o.blocks = AN_MAX_BLOCKS + 1;
    assert_null(an_denoiser_new(m, "a", &o));
    o = denoiser_options(AN_FILM, 0);
    o.classes = 1;
    assert_null(an_denoiser_new(m, "a", &o));
    assert_int_equal(an_module_entries(m), 0);
    an_module_release(m);
}

/* R draws of each image from one shared context equal rows that are encoded and run separately; one
 * time for all rows equals that time given for each row. */
static void check_draws(an_denoiser_kind kind, int64_t crop_features)
{
    enum { B = 3, R = 4 };
    an_module *m = an_module_new(1);
    an_denoiser_options o = denoiser_options(kind, crop_features);
    an_denoiser *d = an_denoiser_new(m, "denoiser", &o);
    an_module_seal(m);
    an_tensor *features = normal(1, 4, SHAPE(B, 3, 2, 6));
    an_tensor *crops = crop_features ? normal(2, 3, SHAPE(B, 2, crop_features)) : NULL;
    an_tensor *mg = an_softmax(normal(3, 2, SHAPE(B, 4)));
    an_tensor *ml = an_softmax(normal(4, 2, SHAPE(B, 4)));
    an_tensor *y = normal(5, 2, SHAPE(B * R, 4));
    an_tensor *t = times((int64_t[]){0, 50, 3, 3, 7, 1, 9, 20, 30, 40, 11, 12}, B * R);

    an_denoiser_context *c = an_denoiser_encode(d, features, crops, mg, ml);
    assert_non_null(c);
    assert_true(distance(an_denoiser_forward(d, c, y, t, NULL),
                         an_tensor_zeros(AN_F32, 2, SHAPE(B * R, 4))) == 0); /* a new network */
    an_denoiser_context_release(c);
    randomise(m);
    an_module_train(m, false);
    c = an_denoiser_encode(d, features, crops, mg, ml);
    an_tensor *together = an_denoiser_forward(d, c, y, t, NULL);
    assert_shape(together, "(12, 4)");
    for (int64_t i = 0; i < B * R; i++) {
        int64_t b = i / R;
        an_denoiser_context *one = an_denoiser_encode(
            d, an_view_narrow(features, 0, b, 1), crops ? an_view_narrow(crops, 0, b, 1) : NULL,
            an_view_narrow(mg, 0, b, 1), an_view_narrow(ml, 0, b, 1));
        an_tensor *alone = an_denoiser_forward(d, one, an_view_narrow(y, 0, i, 1),
                                               an_view_narrow(t, 0, i, 1), NULL);
        assert_true(distance(alone, an_view_narrow(together, 0, i, 1)) < 2e-5);
        an_denoiser_context_release(one);
    }
    int64_t same[B * R];
    for (int i = 0; i < B * R; i++)
        same[i] = 17;
    assert_true(distance(an_denoiser_forward(d, c, y, times(same, 1), NULL),
                         an_denoiser_forward(d, c, y, times(same, B * R), NULL)) < 2e-5);
    assert_true(distance(an_denoiser_forward(d, c, y, times(same, 1), NULL), together) > 1e-3);

    assert_null(an_denoiser_forward(d, c, y, times((int64_t[]){51}, 1), NULL));
    assert_null(an_denoiser_forward(d, c, y, times(same, 2), NULL));
    assert_null(an_denoiser_forward(d, c, normal(6, 2, SHAPE(4, 4)), times(same, 1), NULL));
    an_denoiser_context_release(c);
    an_denoiser_free(d);
    an_module_release(m);
}

static void test_draws_of_cross_attention(void **state)
{
    (void)state;
    check_draws(AN_CROSS_ATTENTION, 0);
    check_draws(AN_CROSS_ATTENTION, 5);
}

static void test_draws_of_film(void **state)
{
    (void)state;
    check_draws(AN_FILM, 0);
    check_draws(AN_FILM, 5);
}

static void test_map_is_a_distribution_over_image_tokens(void **state)
{
    (void)state;
    an_module *m = an_module_new(1);
    an_denoiser_options o = denoiser_options(AN_CROSS_ATTENTION, 5);
    an_denoiser *d = an_denoiser_new(m, "denoiser", &o);
    an_module_seal(m);
    randomise(m);
    an_tensor *p = an_softmax(normal(3, 2, SHAPE(2, 4)));
    an_denoiser_context *c =
        an_denoiser_encode(d, normal(1, 4, SHAPE(2, 3, 2, 6)), normal(2, 3, SHAPE(2, 3, 5)), p, p);
    an_tensor *map = NULL, *t = times((int64_t[]){5}, 1), *y = normal(5, 2, SHAPE(6, 4));
    an_tensor *with = an_denoiser_forward(d, c, y, t, &map);
    assert_shape(map, "(6, 4, 9)");
    an_tensor *sums = an_sum(map, 2, false), *ones = an_tensor_new(AN_F32, 2, SHAPE(6, 4));
    an_fill(ones, 1);
    assert_true(distance(sums, ones) < 1e-5);
    assert_true(distance(with, an_denoiser_forward(d, c, y, t, NULL)) == 0);
    an_denoiser_context_release(c);
    an_denoiser_free(d);
    an_module_release(m);
}

/* ── the inference pass ─────────────────────────────────────────────────────── */

typedef struct {
    an_module *m;
    an_denoiser *d;
    an_tensor *features, *crops, *mg, *ml, *y;
} network;

/* A denoiser with randomised parameters, and R rows for each of B images. */
static network make_network(int kind, int64_t K, int64_t dim, int64_t B, int64_t R)
{
    network n = {.m = an_module_new(1)};
    an_denoiser_options o = denoiser_options(kind, 5);
    o.classes = K;
    o.dim = dim;
    n.d = an_denoiser_new(n.m, "denoiser", &o);
    an_module_seal(n.m);
    randomise(n.m);
    an_module_train(n.m, false);
    n.features = normal(1, 4, SHAPE(B, 3, 2, 6));
    n.crops = normal(2, 3, SHAPE(B, 2, 5));
    n.mg = an_softmax(normal(3, 2, SHAPE(B, K)));
    n.ml = an_softmax(normal(4, 2, SHAPE(B, K)));
    n.y = normal(5, 2, SHAPE(B * R, K));
    return n;
}

static void free_network(network *n)
{
    an_denoiser_free(n->d);
    an_module_release(n->m);
}

/* Recorded operations and the inference pass give the same results: small and odd sizes, a block of
 * several images, draws of one image in several blocks. The smallest products use BLAS, whose
 * rounding depends on the CPU: differences of 6e-6 to 7.2e-5 over eight values of
 * OPENBLAS_CORETYPE. */
static void test_the_inference_pass_equals_the_forward(void **state)
{
    (void)state;
    static const int64_t sizes[][4] = {
        {4, 8, 3, 4}, {2, 12, 5, 1}, {2, 4, 9, 2}, {7, 64, 2, 60}, {200, 32, 2, 3}};
    for (int run = 0; run < 10; run++) {
        int i = run / 2, kind = run % 2 ? AN_FILM : AN_CROSS_ATTENTION;
        network n = make_network(kind, sizes[i][0], sizes[i][1], sizes[i][2], sizes[i][3]);
        an_denoiser_context *c = an_denoiser_encode(n.d, n.features, n.crops, n.mg, n.ml);
        an_tensor *t = times((int64_t[]){17}, 1),
                  *plain = an_denoiser_forward(n.d, c, n.y, t, NULL);
        assert_true(an_tape_length() > 0);
        an_tape_clear();
        bool before = an_set_recording(false);
        an_tensor *chain = an_denoiser_forward(n.d, c, n.y, t, NULL);
        an_set_recording(before);
        assert_int_equal(an_tape_length(), 0);
        double largest = distance(chain, an_tensor_zeros(AN_F32, 2, chain->shape));
        if (!(largest > 0.1 && distance(chain, plain) < 1e-4 * largest))
            fail_msg("%s, %lld classes: difference %g, scale %g", an_denoiser_kind_names[kind],
                     (long long)sizes[i][0], distance(chain, plain), largest);
        an_denoiser_context_release(c);
        free_network(&n);
    }
}

/* Row `draw` of each image alone against all rows in one call, with another number of threads. */
static void rows_have_the_same_bits(int kind)
{
    enum { B = 9, R = 5, K = 7 };
    network n = make_network(kind, K, 32, B, R);
    bool before = an_set_recording(false);
    int threads = an_threads();
    an_denoiser_context *c = an_denoiser_encode(n.d, n.features, n.crops, n.mg, n.ml);
    an_tensor *t = times((int64_t[]){50}, 1);
    an_set_threads(1);
    const float *all = an_f32(an_denoiser_forward(n.d, c, n.y, t, NULL));
    an_set_threads(3);
    for (int draw = 0; draw < R; draw++) {
        an_tensor *y = an_tensor_new(AN_F32, 2, SHAPE(B, K));
        for (int b = 0; b < B; b++)
            memcpy(an_f32(y) + b * K, an_f32(n.y) + (b * R + draw) * K, K * sizeof *all);
        const float *one = an_f32(an_denoiser_forward(n.d, c, y, t, NULL));
        for (int b = 0; b < B; b++)
            assert_memory_equal(one + b * K, all + (b * R + draw) * K, K * sizeof *all);
    }
    an_set_threads(threads);
    an_set_recording(before);
    an_denoiser_context_release(c);
    free_network(&n);
}

static void test_rows_have_the_same_bits_in_any_block(void **state)
{
    (void)state;
    rows_have_the_same_bits(AN_CROSS_ATTENTION);
    rows_have_the_same_bits(AN_FILM);
}

static void a_failed_pass_reports_an_error(int kind)
{
    network n = make_network(kind, 4, 8, 2, 3);
    bool before = an_set_recording(false);
    an_denoiser_context *c = an_denoiser_encode(n.d, n.features, n.crops, n.mg, n.ml);
    an_tensor *t = times((int64_t[]){17}, 1);
    int assert_error = 0;
    for (int at = 1; at < 100; at++) {
        an_tensor_heap_trim();
        an_mem_fail_at(at);
        an_tensor *out = an_denoiser_forward(n.d, c, n.y, t, NULL);
        an_mem_fail_at(0);
        if (out)
            break;
        assert_error++;
        assert_int_equal(an_err_code(), AN_ENOMEM);
    }
    assert_in_range(assert_error, 1, 98);
    an_set_recording(before);
    an_denoiser_context_release(c);
    free_network(&n);
}

static void test_a_failed_pass_reports_an_error(void **state)
{
    (void)state;
    a_failed_pass_reports_an_error(AN_CROSS_ATTENTION);
    a_failed_pass_reports_an_error(AN_FILM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_denoiser_parameters),
        TEST(test_denoiser_rejects_bad_options),
        TEST(test_draws_of_cross_attention),
        TEST(test_draws_of_film),
        TEST(test_map_is_a_distribution_over_image_tokens),
        TEST(test_the_inference_pass_equals_the_forward),
        TEST(test_rows_have_the_same_bits_in_any_block),
        TEST(test_a_failed_pass_reports_an_error),
    };
    return cmocka_run_group_tests_name("denoiser", tests, NULL, NULL);
}
