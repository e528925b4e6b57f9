/* Modules and backbones: named and flat state share memory, initial values depend only on seed
 * and name, a failed allocation leaks nothing; names and counts of the ResNets. */
#include "networks.h"

#include "model/resnet.h"

/* ── module ──────────────────────────────────────────────────────────────────── */

static void test_seal_keeps_values_and_shares_memory(void **state)
{
    (void)state;
    an_module *m = an_module_new(5);
    an_tensor *bias = an_module_param(m, "a.bias", an_init_normal(1), 1, SHAPE(3), false);
    an_tensor *weight = an_module_param(m, "a.weight", an_init_normal(1), 2, SHAPE(3, 2), true);
    an_tensor *mean = an_module_buffer(m, "a.mean", 1, SHAPE(4), 2);
    float first = an_f32(weight)[0], other = an_f32(bias)[2];
    assert_null(an_module_values(m));
    assert_int_equal(an_module_seal(m), AN_OK);

    const float *values = an_f32(an_module_values(m));
    assert_true(an_f32(weight) == values && an_f32(bias) == values + 6); /* decayed first */
    assert_true(values[0] == first && values[8] == other);
    assert_true(an_f32(mean) == an_f32(an_module_buffers(m)));
    assert_true(an_f32(mean)[3] == 2);
    assert_true(weight->requires_grad && !mean->requires_grad);
    an_f32(an_grad(bias))[1] = 4;
    assert_true(an_f32(an_module_gradient(m))[7] == 4);
    assert_int_equal(an_module_zero_grad(m), AN_OK);
    assert_true(an_f32(an_grad(bias))[1] == 0);

    an_range range[2];
    assert_int_equal(an_module_decay_ranges(m, "", range, 2), 2);
    assert_true(range[0].first == 0 && range[0].length == 6 && range[0].decay);
    assert_true(range[1].first == 6 && range[1].length == 3 && !range[1].decay);
    assert_int_equal(an_module_numel(m), 9);

    an_module_freeze(m, true);
    assert_false(weight->requires_grad || an_module_training(m));
    an_module_freeze(m, false);
    assert_true(weight->requires_grad && an_module_training(m));
    an_module_release(m);
}

static void test_swapping_twice_restores_the_values(void **state)
{
    (void)state;
    an_module *m = an_module_new(5);
    an_tensor *w = an_module_param(m, "w", an_init_constant(1), 1, SHAPE(3), true);
    an_tensor *b = an_module_buffer(m, "b", 1, SHAPE(2), 2);
    assert_int_equal(an_module_seal(m), AN_OK);
    an_tensor *values = an_tensor_zeros(AN_F32, 1, SHAPE(3));
    an_tensor *buffers = an_tensor_zeros(AN_F32, 1, SHAPE(2));
    assert_int_equal(an_module_swap(m, values, buffers), AN_OK);
    assert_true(an_f32(w)[2] == 0 && an_f32(b)[1] == 0 && an_f32(values)[0] == 1);
    assert_int_equal(an_module_swap(m, values, NULL), AN_OK);
    assert_true(an_f32(w)[2] == 1 && an_f32(b)[1] == 0);
    assert_int_equal(an_module_swap(m, values, values), AN_EINVAL); /* the wrong length */
    assert_true(an_f32(w)[2] == 1 && an_f32(values)[2] == 0);       /* and nothing changed */
    an_module_release(m);
}

static void test_initial_values_depend_only_on_seed_and_name(void **state)
{
    (void)state;
    an_module *a = an_module_new(1), *b = an_module_new(1), *c = an_module_new(2);
    an_tensor *x = an_module_param(a, "x", an_init_fan_in(16), 1, SHAPE(400), true);
    an_module_param(b, "other", an_init_normal(1), 1, SHAPE(9), true);
    an_tensor *y = an_module_param(b, "x", an_init_fan_in(16), 1, SHAPE(400), true);
    an_tensor *z = an_module_param(c, "x", an_init_fan_in(16), 1, SHAPE(400), true);
    assert_true(distance(x, y) == 0);
    assert_true(distance(x, z) > 0.1);
    double least = 1, most = -1;
    for (int i = 0; i < 400; i++) {
        least = fmin(least, an_f32(x)[i]);
        most = fmax(most, an_f32(x)[i]);
    }
    assert_true(least >= -0.25 && least < -0.23 && most < 0.25 && most > 0.23);
    an_module_release(a);
    an_module_release(b);
    an_module_release(c);
}

static void test_a_duplicate_name_is_a_lasting_error(void **state)
{
    (void)state;
    an_module *m = an_module_new(1);
    assert_non_null(an_module_param(m, "x", an_init_constant(0), 1, SHAPE(1), true));
    assert_null(an_module_buffer(m, "x", 1, SHAPE(1), 0));
    assert_null(an_module_param(m, "y", an_init_constant(0), 1, SHAPE(1), true));
    assert_int_equal(an_module_failed(m), AN_EINVAL);
    assert_int_equal(an_module_seal(m), AN_EINVAL);
    an_module_release(m);
}

static void test_out_of_memory_while_building(void **state)
{
    (void)state;
    an_resnet_options o;
    assert_int_equal(an_resnet_small(&o, 3, 4, 8), AN_OK);
    for (int64_t nth = 1; nth < 400; nth += 7) {
        an_tensor_trim();
        an_mem_fail_at(nth);
        an_module *m = an_module_new(1);
        an_resnet *r = m ? an_resnet_new(m, "r", &o) : NULL;
        an_code code = r ? an_module_seal(m) : AN_ENOMEM;
        an_mem_fail_at(0);
        assert_true(code == AN_OK || code == AN_ENOMEM);
        an_resnet_free(r);
        an_module_release(m);
        an_scope_end(0, NULL);
    }
}

/* ── resnet ──────────────────────────────────────────────────────────────────── */

static void test_resnet_names_counts_shapes(void **state)
{
    (void)state;
    an_resnet_options o;
    assert_int_equal(an_resnet_small(&o, 3, 16, 9), AN_EINVAL);
    assert_int_equal(an_resnet_small(&o, 3, 16, 20), AN_OK);
    an_module *m = an_module_new(1);
    an_resnet *r = an_resnet_new(m, "backbone", &o);
    assert_int_equal(an_module_seal(m), AN_OK);
    /* ResNet-20 has 269,722 parameters with plain shortcuts (He et al.: 0.27M). This one has no
     * classifier, and two projections with their normalisation. */
    assert_int_equal(an_module_numel(m), 269722 - 650 + 512 + 64 + 2048 + 128);
    assert_non_null(an_module_find(m, "backbone.layer1.2.bn2.running_var"));
    assert_non_null(an_module_find(m, "backbone.layer3.0.downsample.1.weight"));
    assert_null(an_module_find(m, "backbone.layer1.0.downsample.0.weight"));
    assert_true(an_module_find(m, "backbone.conv1.weight")->decay);
    assert_false(an_module_find(m, "backbone.bn1.weight")->decay);
    assert_int_equal(an_resnet_features(r), 64);
    assert_shape(an_resnet_forward(r, normal(1, 4, SHAPE(2, 17, 12, 3))), "(2, 5, 3, 64)");
    assert_null(an_resnet_forward(r, normal(1, 4, SHAPE(2, 12, 12, 1))));
    an_resnet_free(r);
    an_module_release(m);
}

/* depth, width 64: parameters of torchvision without those of its classifier, parameters and
 * moments, the shape of the features of one image of 64×64. */
static void check_large(int depth, int64_t parameters, int64_t entries, const char *features)
{
    an_module *m = an_module_new(1);
    an_resnet_options o = an_resnet_large(3, 64, depth);
    an_resnet *r = an_resnet_new(m, "backbone", &o);
    assert_int_equal(an_module_seal(m), AN_OK);
    assert_int_equal(an_resnet_depth(&o), depth);
    assert_int_equal(an_module_numel(m), parameters);
    assert_int_equal(an_module_entries(m), entries);
    assert_string_equal(an_shape_text(an_module_find(m, "backbone.conv1.weight")->x),
                        "(64, 3, 7, 7)");
    an_module_train(m, false);
    an_set_recording(false);
    assert_shape(an_resnet_forward(r, normal(1, 4, SHAPE(1, 64, 64, 3))), features);
    an_set_recording(true);
    an_resnet_free(r);
    an_module_release(m);
}

/* Of a network with n convolutions, torchvision's state has 6n + 2 tensors: a weight and five of a
 * normalisation each, and the classifier's two. Ours lacks num_batches_tracked and the classifier.
 */
static void test_large_resnets_have_the_parameters_of_torchvision(void **state)
{
    (void)state;
    check_large(18, 11689512 - 513000, 122 - 2 - 20, "(1, 2, 2, 512)");
    check_large(34, 21797672 - 513000, 218 - 2 - 36, "(1, 2, 2, 512)");
    check_large(50, 25557032 - 2049000, 320 - 2 - 53, "(1, 2, 2, 2048)");
}

/* Other strides than 1 and 2 are refused. */
static void test_stem_of_stride_2_halves_the_grid(void **state)
{
    (void)state;
    an_resnet_options o;
    assert_int_equal(an_resnet_small(&o, 3, 4, 8), AN_OK);
    assert_int_equal(o.stem_stride, 1);
    for (int stride = 1; stride <= 2; stride++) {
        o.stem_stride = stride;
        an_module *m = an_module_new(1);
        an_resnet *r = an_resnet_new(m, "r", &o);
        assert_int_equal(an_module_seal(m), AN_OK);
        an_tensor *features = an_resnet_forward(r, normal(1, 4, SHAPE(2, 16, 24, 3)));
        assert_non_null(features);
        assert_int_equal(features->shape[1], 4 / stride);
        assert_int_equal(features->shape[2], 6 / stride);
        assert_int_equal(features->shape[3], 16);
        an_resnet_free(r);
        an_module_release(m);
    }
    o.stem_stride = 3;
    an_module *m = an_module_new(1);
    assert_null(an_resnet_new(m, "r", &o));
    assert_int_equal(an_err_code(), AN_EINVAL);
    an_module_release(m);
}

static void test_running_moments_change_only_in_training(void **state)
{
    (void)state;
    an_resnet_options o;
    an_resnet_small(&o, 3, 4, 8);
    an_module *m = an_module_new(1);
    an_resnet *r = an_resnet_new(m, "r", &o);
    an_module_seal(m);
    const float *mean = an_f32(an_module_find(m, "r.bn1.running_mean")->x);
    an_tensor *images = normal(1, 4, SHAPE(2, 8, 8, 3));
    an_module_freeze(m, true);
    an_resnet_forward(r, images);
    assert_true(mean[0] == 0);
    assert_int_equal(an_tape_length(), 0); /* frozen: nothing is recorded */
    an_module_freeze(m, false);
    an_module_train(m, false);
    an_resnet_forward(r, images);
    assert_true(mean[0] == 0);
    an_module_train(m, true);
    an_resnet_forward(r, images);
    assert_true(mean[0] != 0);
    an_resnet_free(r);
    an_module_release(m);
}

/* ── parts ───────────────────────────────────────────────────────────────────── */

static void test_ranges_of_a_prefix(void **state)
{
    (void)state;
    an_module *m = an_module_new(1);
    an_resnet_options o;
    an_resnet_small(&o, 3, 4, 8);
    an_resnet *r = an_resnet_new(m, "r", &o);
    assert_int_equal(an_module_seal(m), AN_OK);
    an_range range[4];
    assert_int_equal(an_module_decay_ranges(m, "r.layer2.", range, 4), 2);
    const an_tensor *first = an_module_find(m, "r.layer2.0.conv1.weight")->x;
    const an_tensor *plain = an_module_find(m, "r.layer2.0.bn1.weight")->x;
    assert_true(range[0].first == first->offset && range[0].decay);
    assert_int_equal(range[0].length, 8 * 4 * 9 + 8 * 8 * 9 + 8 * 4); /* with the shortcut */
    assert_true(range[1].first == plain->offset && !range[1].decay);
    assert_int_equal(range[1].length, 3 * 2 * 8);
    assert_int_equal(an_module_buffer_ranges(m, "r.layer2.", range, 4), 1);
    assert_int_equal(range[0].first, 2 * 4 + 2 * 2 * 4); /* behind the stem and layer1 */
    assert_int_equal(range[0].length, 3 * 2 * 8);
    assert_int_equal(an_module_decay_ranges(m, "r.layer", range, 1), 2);
    assert_int_equal(an_module_decay_ranges(m, "s.", range, 4), 0);
    an_resnet_free(r);
    an_module_release(m);
}

static bool is_zero(const an_tensor *x)
{
    for (int64_t i = 0; i < an_numel(x); i++)
        if (an_f32(x)[i] != 0)
            return false;
    return true;
}

/* The tape ends where the frozen part begins; its gradient is 0 although it was not before, its
 * moments are fixed, and the other parts go on. */
static void test_a_frozen_part_takes_no_gradient_and_no_tape(void **state)
{
    (void)state;
    an_resnet_options o;
    an_resnet_small(&o, 3, 4, 8);
    an_module *m = an_module_new(1);
    an_resnet *r = an_resnet_new(m, "r", &o);
    an_module_seal(m);
    an_tensor *images = normal(1, 4, SHAPE(2, 8, 8, 3));
    an_tensor *stem = an_module_find(m, "r.conv1.weight")->x;
    an_tensor *last = an_module_find(m, "r.layer3.0.conv1.weight")->x;
    an_tensor *moments = an_module_find(m, "r.layer1.0.bn1.running_mean")->x;
    an_tensor *free_moments = an_module_find(m, "r.layer3.0.bn1.running_mean")->x;
    an_tensor *loss = an_sum(an_resnet_forward(r, images), AN_ALL, false);
    const int64_t whole = an_tape_length();
    assert_int_equal(an_backward(loss), AN_OK);
    assert_non_null(an_module_gradient(m));
    assert_false(is_zero(stem->grad));
    for (int frozen = 0; frozen < 2; frozen++) {
        static const char *const parts[] = {"r.conv1.", "r.bn1.", "r.layer1.", "r.layer2."};
        for (int i = 0; i < 4; i++)
            assert_true(an_module_freeze_part(m, parts[i], frozen == 0) > 0);
        const float mean = an_f32(moments)[0], other = an_f32(free_moments)[0];
        assert_int_equal(an_module_zero_grad(m), AN_OK);
        loss = an_sum(an_resnet_forward(r, images), AN_ALL, false);
        assert_true(frozen == 0 ? an_tape_length() < whole / 2 : an_tape_length() == whole);
        assert_int_equal(an_backward(loss), AN_OK);
        assert_non_null(an_module_gradient(m));
        assert_true(is_zero(stem->grad) == (frozen == 0) && !is_zero(last->grad));
        assert_true((an_f32(moments)[0] == mean) == (frozen == 0));
        assert_true(an_f32(free_moments)[0] != other);
    }
    assert_int_equal(an_module_freeze_part(m, "r.layer9.", true), 0);
    an_module_freeze_part(m, "r.conv1.", true);
    an_module_freeze(m, true);
    an_module_freeze(m, false); /* the part stays frozen */
    assert_true(!stem->requires_grad && last->requires_grad);
    an_resnet_free(r);
    an_module_release(m);
}

/* Frozen before sealing: the same. */
static void test_a_part_can_be_frozen_before_sealing(void **state)
{
    (void)state;
    an_module *m = an_module_new(1);
    an_tensor *a = an_module_param(m, "a.w", an_init_constant(1), 1, SHAPE(3), true);
    an_tensor *b = an_module_param(m, "b.w", an_init_constant(1), 1, SHAPE(3), true);
    assert_int_equal(an_module_freeze_part(m, "a.", true), 1);
    assert_int_equal(an_module_seal(m), AN_OK);
    assert_true(!a->requires_grad && b->requires_grad);
    an_module_release(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_seal_keeps_values_and_shares_memory),
        TEST(test_swapping_twice_restores_the_values),
        TEST(test_initial_values_depend_only_on_seed_and_name),
        TEST(test_a_duplicate_name_is_a_lasting_error),
        TEST(test_out_of_memory_while_building),
        TEST(test_resnet_names_counts_shapes),
        TEST(test_large_resnets_have_the_parameters_of_torchvision),
        TEST(test_stem_of_stride_2_halves_the_grid),
        TEST(test_running_moments_change_only_in_training),
        TEST(test_ranges_of_a_prefix),
        TEST(test_a_frozen_part_takes_no_gradient_and_no_tape),
        TEST(test_a_part_can_be_frozen_before_sealing),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
