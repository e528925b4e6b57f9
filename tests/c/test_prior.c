/* The priors: windows at the maxima of the map, without overlap where possible; the outputs of each
 * mode; input that is NaN or infinite. */
#include "networks.h"

#include "model/crops.h"
#include "model/prior.h"

/* ── crops ───────────────────────────────────────────────────────────────────── */

/* A map (1, h, w, 2) of which only the second class has weight, since g = (−50, 50). */
static an_tensor *map_of(const float *values, int64_t h, int64_t w)
{
    an_tensor *maps = an_tensor_zeros(AN_F32, 4, SHAPE(1, h, w, 2));
    for (int64_t i = 0; i < h * w; i++) {
        an_f32(maps)[2 * i] = 1000;
        an_f32(maps)[2 * i + 1] = values[i];
    }
    return maps;
}

static an_tensor *second_class(void)
{
    return an_tensor_from((float[]){-50, 50}, 2, SHAPE(1, 2));
}

static void test_windows_cover_the_largest_values(void **state)
{
    (void)state;
    const float values[16] = {[5] = 3, [15] = 2, [3] = 1}; /* cells of 4×4 pixels in 16×16 */
    an_tensor *at = an_crops_choose(map_of(values, 4, 4), second_class(), 16, 16, 3, 4);
    assert_shape(at, "(1, 3, 2)");
    const int64_t expected[] = {4, 4, 12, 12, 0, 12};
    assert_memory_equal(an_i64(at), expected, sizeof expected);
}

static void test_windows_do_not_overlap_while_there_is_room(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        an_tensor *maps = normal(seed, 4, SHAPE(3, 5, 5, 4)), *g = normal(99, 2, SHAPE(3, 4));
        an_tensor *at = an_crops_choose(maps, g, 32, 32, 4, 11); /* 11 = (32 + 1)/3 */
        for (int64_t b = 0; b < 3; b++)
            for (int i = 0; i < 4; i++) {
                const int64_t *p = an_i64(at) + b * 8 + 2 * i;
                assert_in_range(p[0], 0, 21);
                assert_in_range(p[1], 0, 21);
                for (const int64_t *q = p - 2 * i; q < p; q += 2)
                    assert_true(llabs(p[0] - q[0]) >= 11 || llabs(p[1] - q[1]) >= 11);
            }
    }
}

/* Where windows must overlap, they share as few pixels as possible. */
static void test_windows_overlap_where_they_must(void **state)
{
    (void)state;
    const float values[4] = {1, 0, 0, 0};
    an_tensor *at = an_crops_choose(map_of(values, 2, 2), second_class(), 6, 6, 3, 4);
    const int64_t expected[] = {0, 0, 2, 2, 0, 2};
    assert_memory_equal(an_i64(at), expected, sizeof expected);
}

static void test_windows_of_nan_and_infinity(void **state)
{
    (void)state;
    an_tensor *maps = an_tensor_new(AN_F32, 4, SHAPE(2, 4, 4, 3));
    an_tensor *g = an_tensor_new(AN_F32, 2, SHAPE(2, 3));
    for (int i = 0; i < 96; i++)
        an_f32(maps)[i] = i % 2 ? NAN : INFINITY;
    an_fill(g, NAN);
    an_tensor *at = an_crops_choose(maps, g, 16, 16, 2, 8);
    const int64_t expected[] = {0, 0, 0, 8, 0, 0, 0, 8}; /* all ties: in reading order */
    assert_memory_equal(an_i64(at), expected, sizeof expected);
}

static void test_crops_have_the_right_pixels(void **state)
{
    (void)state;
    an_tensor *images = normal(1, 4, SHAPE(2, 6, 5, 3));
    an_tensor *at = an_tensor_new(AN_I64, 3, SHAPE(2, 2, 2));
    const int64_t where[] = {0, 0, 3, 2, 1, 1, 2, 0};
    memcpy(an_i64(at), where, sizeof where);
    an_tensor *cut = an_crops_cut(images, at, 3);
    assert_shape(cut, "(4, 3, 3, 3)");
    for (int i = 0; i < 4; i++)
        for (int y = 0; y < 3; y++)
            for (int v = 0; v < 9; v++) {
                int64_t row = (i / 2) * 6 + where[2 * i] + y;
                assert_true(an_f32(cut)[(i * 3 + y) * 9 + v] ==
                            an_f32(images)[(row * 5 + where[2 * i + 1]) * 3 + v]);
            }
}

/* ── prior ───────────────────────────────────────────────────────────────────── */

static const an_prior_options PRIOR = {.mode = AN_PRIOR_BOTH,
                                       .classes = 5,
                                       .features = 6,
                                       .channels = 3,
                                       .top_percent = 20,
                                       .crops = 3,
                                       .local_width = 4,
                                       .attention = 7,
                                       .weight = 0.3};

static void test_prior_shapes_and_fusion(void **state)
{
    (void)state;
    an_module *m = an_module_new(1);
    an_prior *p = an_prior_new(m, "prior", &PRIOR);
    assert_non_null(p);
    an_module_seal(m);
    assert_int_equal(an_prior_crop_features(p), 8);
    assert_non_null(an_module_find(m, "prior.local.layer2.0.downsample.0.weight"));
    an_prior_output o;
    an_tensor *images = normal(1, 4, SHAPE(2, 16, 18, 3));
    an_tensor *features = normal(2, 4, SHAPE(2, 4, 5, 6));
    assert_int_equal(an_prior_forward(p, images, features, &o), AN_OK);
    assert_shape(o.g, "(2, 5)");
    assert_shape(o.l, "(2, 5)");
    assert_shape(o.saliency, "(2, 4, 5, 5)");
    assert_shape(o.crops, "(2, 3, 8)");
    assert_shape(o.positions, "(2, 3, 2)");
    assert_shape(o.attention, "(2, 3)");
    assert_true(o.g->requires_grad && o.l->requires_grad && o.crops->requires_grad);
    assert_false(o.m->requires_grad || o.mg->requires_grad || o.ml->requires_grad);
    an_tensor *g = an_softmax(an_detach(o.g)), *l = an_softmax(an_detach(o.l));
    an_tensor *m_again = an_add(an_affine(g, 0.3, 0), an_affine(l, 0.7, 0));
    assert_true(distance(o.m, m_again) < 1e-6 && distance(o.mg, g) == 0);
    assert_true(distance(an_sum(o.m, 1, false), an_sum(g, 1, false)) < 1e-6);
    an_prior_free(p);
    an_module_release(m);
}

/* g_j = w_j·f / (‖w_j‖ ‖f‖) of the pooled features f, and m its softmax with the scale. */
static void test_cosine_logits(void **state)
{
    (void)state;
    an_prior_options options = PRIOR;
    options.cosine = true;
    options.logit_scale = 30;
    options.top_percent = 100;
    an_module *m = an_module_new(1);
    an_prior *p = an_prior_new(m, "prior", &options);
    assert_int_equal(an_module_seal(m), AN_OK);
    assert_null(an_module_find(m, "prior.saliency.bias"));
    assert_null(an_module_find(m, "prior.head.bias"));
    an_prior_output o;
    an_tensor *features = normal(2, 4, SHAPE(2, 4, 5, 6));
    assert_int_equal(an_prior_forward(p, normal(1, 4, SHAPE(2, 16, 18, 3)), features, &o), AN_OK);
    const float *w = an_f32(an_module_find(m, "prior.saliency.weight")->x);
    for (int b = 0; b < 2; b++)
        for (int k = 0; k < 5; k++) {
            double dot = 0, norm_f = 0, norm_w = 0;
            for (int c = 0; c < 6; c++) {
                double f = 0;
                for (int i = 0; i < 20; i++)
                    f += an_f32(features)[(b * 20 + i) * 6 + c] / 20.0;
                dot += f * w[k * 6 + c];
                norm_f += f * f;
                norm_w += w[k * 6 + c] * (double)w[k * 6 + c];
            }
            assert_true(fabs(an_f32(o.g)[b * 5 + k] - dot / sqrt(norm_f * norm_w)) < 1e-5);
            assert_true(fabs(an_f32(o.l)[b * 5 + k]) < 1 + 1e-5);
        }
    an_tensor *g = an_softmax(an_affine(an_detach(o.g), 30, 0));
    an_tensor *l = an_softmax(an_affine(an_detach(o.l), 30, 0));
    assert_true(distance(o.mg, g) < 1e-6 && distance(o.ml, l) < 1e-6);
    assert_true(distance(o.m, an_add(an_affine(g, 0.3, 0), an_affine(l, 0.7, 0))) < 1e-6);
    an_prior_free(p);
    an_module_release(m);
}

static void test_prior_modes(void **state)
{
    (void)state;
    const double counts[] = {1, 2, 3, 4, 10};
    an_tensor *images = normal(1, 4, SHAPE(2, 16, 16, 3));
    an_tensor *features = normal(2, 4, SHAPE(2, 4, 4, 6));
    an_tensor *zero = an_tensor_zeros(AN_F32, 2, SHAPE(2, 5));
    for (int mode = 0; an_prior_mode_names[mode]; mode++) {
        an_prior_options options = PRIOR;
        options.mode = (an_prior_mode)mode;
        an_module *m = an_module_new(1);
        assert_true(mode != AN_PRIOR_FREQUENCY || !an_prior_new(m, "prior", &options));
        options.counts = counts;
        an_prior *p = an_prior_new(m, "prior", &options);
        assert_non_null(p);
        assert_int_equal(an_module_seal(m), AN_OK);
        an_prior_output o;
        bool constant = mode >= AN_PRIOR_UNIFORM;
        assert_int_equal(an_prior_forward(p, images, constant ? NULL : features, &o), AN_OK);
        assert_shape(o.m, "(2, 5)");
        assert_true((o.g == NULL) == constant);
        assert_true((o.l != NULL) == (mode == AN_PRIOR_BOTH || mode == AN_PRIOR_LOCAL));
        assert_true((an_module_numel(m) == 0) == constant);
        if (mode == AN_PRIOR_GLOBAL)
            assert_true(distance(o.m, o.mg) == 0 && distance(o.ml, zero) == 0);
        if (mode == AN_PRIOR_LOCAL)
            assert_true(distance(o.m, o.ml) == 0 && distance(o.mg, zero) == 0);
        if (constant) {
            const double expected[] = {0.2, 0.5, 0}; /* of the last class */
            assert_true(fabs(an_f32(o.m)[9] - expected[mode - AN_PRIOR_UNIFORM]) < 1e-7);
            assert_true(distance(o.m, o.mg) == 0 && distance(o.m, o.ml) == 0);
        }
        an_prior_free(p);
        an_module_release(m);
    }
}

static void test_prior_accepts_nan(void **state)
{
    (void)state;
    an_module *m = an_module_new(1);
    an_prior *p = an_prior_new(m, "prior", &PRIOR);
    an_module_seal(m);
    an_tensor *images = an_tensor_new(AN_F32, 4, SHAPE(2, 16, 16, 3));
    an_tensor *features = an_tensor_new(AN_F32, 4, SHAPE(2, 4, 4, 6));
    an_fill(images, NAN);
    an_fill(features, INFINITY);
    an_prior_output o;
    assert_int_equal(an_prior_forward(p, images, features, &o), AN_OK);
    assert_shape(o.m, "(2, 5)");
    an_prior_free(p);
    an_module_release(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_windows_cover_the_largest_values),
        TEST(test_windows_do_not_overlap_while_there_is_room),
        TEST(test_windows_overlap_where_they_must),
        TEST(test_windows_of_nan_and_infinity),
        TEST(test_crops_have_the_right_pixels),
        TEST(test_prior_shapes_and_fusion),
        TEST(test_prior_modes),
        TEST(test_cosine_logits),
        TEST(test_prior_accepts_nan),
    };
    return cmocka_run_group_tests_name("prior", tests, NULL, NULL);
}
