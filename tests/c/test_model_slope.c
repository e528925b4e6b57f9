/* All networks combined, and a backbone of bottlenecks: the loss changes along the gradient at the
 * rate that the gradient predicts. */
#include "networks.h"

#include "model/denoiser.h"
#include "model/prior.h"
#include "model/resnet.h"

typedef struct {
    an_module *m;
    an_resnet *backbone;
    an_prior *prior;
    an_denoiser *denoiser;
    an_tensor *images, *y, *t, *target, *labels;
} whole;

static an_tensor *whole_loss(const whole *w)
{
    an_prior_output o;
    an_tensor *features = an_resnet_forward(w->backbone, w->images);
    assert_int_equal(an_prior_forward(w->prior, w->images, features, &o), AN_OK);
    an_denoiser_context *c = an_denoiser_encode(w->denoiser, features, o.crops, o.mg, o.ml);
    assert_non_null(c);
    an_tensor *e = an_denoiser_forward(w->denoiser, c, w->y, w->t, NULL);
    an_denoiser_context_release(c);
    const an_cross_entropy_args plain = {.scale = 1};
    an_tensor *loss = an_add(an_mse(e, w->target, NULL), an_cross_entropy(o.g, w->labels, &plain));
    return an_add(loss, an_cross_entropy(o.l, w->labels, &plain));
}

typedef an_tensor *a_loss(const void *of);

/* The loss after moving all parameters by `step` along `direction`. */
static double loss_at(an_module *m, a_loss *loss_of, const void *of, const float *direction,
                      double step)
{
    an_tensor *values = an_module_values(m);
    size_t mark = an_scope_begin();
    for (int64_t i = 0; i < an_numel(values); i++)
        an_f32(values)[i] += (float)step * direction[i];
    bool was = an_set_recording(false);
    double loss = an_f32(loss_of(of))[0];
    an_set_recording(was);
    for (int64_t i = 0; i < an_numel(values); i++)
        an_f32(values)[i] -= (float)step * direction[i];
    an_scope_end(mark, NULL);
    return loss;
}

/* Compares the slope of the loss along the gradient of the parameters whose names contain `part`
 * with its theoretical value, the squared norm of that gradient. */
static void check_slope_of(an_module *m, const char *part, a_loss *loss_of, const void *of)
{
    an_tensor *gradient = an_module_gradient(m);
    float *direction = an_calloc((size_t)an_numel(gradient), sizeof *direction);
    double square = 0;
    for (int64_t i = 0; i < an_module_entries(m); i++) {
        const an_entry *e = an_module_entry(m, i);
        if (!e->parameter || !strstr(e->name, part))
            continue;
        for (int64_t k = 0; k < an_numel(e->x); k++) {
            double v = an_f32(gradient)[e->x->offset + k];
            direction[e->x->offset + k] = (float)v;
            square += v * v;
        }
    }
    double step = fmin(0.03, fmax(2e-3, 1e-3 / sqrt(square))) / sqrt(square);
    double slope =
        (loss_at(m, loss_of, of, direction, step) - loss_at(m, loss_of, of, direction, -step)) /
        (2 * step);
    an_free(direction);
    if (!(square > 1e-9) || !(fabs(slope - square) < 0.03 * square))
        fail_msg("%s: the slope is %g, expected %g", part, slope, square);
}

static an_tensor *whole_loss_of(const void *of)
{
    return whole_loss(of);
}

typedef struct {
    an_module *m;
    an_resnet *r;
    an_tensor *images, *target;
} backbone;

static an_tensor *backbone_loss(const backbone *b)
{
    return an_mse(an_resnet_forward(b->r, b->images), b->target, NULL);
}

static an_tensor *backbone_loss_of(const void *of)
{
    return backbone_loss(of);
}

static void check_gradients(bool cosine, int64_t candidates, bool logits)
{
    whole w = {.m = an_module_new(1)};
    an_resnet_options backbone = {
        .channels = 3, .width = 4, .stages = 2, .blocks = {1, 1}, .stem_stride = 1};
    const an_prior_options prior = {.mode = AN_PRIOR_BOTH,
                                    .classes = 4,
                                    .features = 8,
                                    .channels = 3,
                                    .top_percent = 20,
                                    .crops = 3,
                                    .local_width = 4,
                                    .attention = 7,
                                    .weight = 0.3,
                                    .gradient = true,
                                    .cosine = cosine,
                                    .logit_scale = cosine ? 3 : 1};
    const an_denoiser_options denoiser = {.kind = AN_CROSS_ATTENTION,
                                          .classes = 4,
                                          .features = 8,
                                          .crop_features = 8,
                                          .dim = 8,
                                          .steps = 50,
                                          .blocks = 2,
                                          .heads = 2,
                                          .mlp_ratio = 2,
                                          .candidates = candidates,
                                          .logits = logits};
    w.backbone = an_resnet_new(w.m, "backbone", &backbone);
    w.prior = an_prior_new(w.m, "prior", &prior);
    w.denoiser = an_denoiser_new(w.m, "denoiser", &denoiser);
    assert_int_equal(an_module_seal(w.m), AN_OK);
    randomise(w.m);
    an_module_train(w.m, false); /* fixed moments: a smoother function */
    w.images = normal(1, 4, SHAPE(3, 16, 16, 3));
    w.y = normal(2, 2, SHAPE(6, 4));
    w.t = times((int64_t[]){1, 5, 9, 20, 33, 50}, 6);
    w.target = normal(3, 2, SHAPE(6, 4));
    w.labels = times((int64_t[]){0, 2, 3}, 3);

    an_tensor *loss = whole_loss(&w);
    assert_int_equal(an_backward(loss), AN_OK);
    static const char *const parts[] = {"backbone.conv1",      "backbone.layer2.0.downsample",
                                        "prior.saliency",      "prior.local.conv1",
                                        "prior.pool",          "prior.head",
                                        "denoiser.token.",     "denoiser.class",
                                        "denoiser.time",       "denoiser.features",
                                        "denoiser.crop",       "denoiser.token_norm",
                                        "blocks.0.modulation", "blocks.0.self.q",
                                        "blocks.0.cross.k",    "blocks.1.cross.v",
                                        "blocks.1.mlp",        "denoiser.out"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        check_slope_of(w.m, parts[i], whole_loss_of, &w);
    an_denoiser_free(w.denoiser);
    an_prior_free(w.prior);
    an_resnet_free(w.backbone);
    an_module_release(w.m);
}

static void test_gradients_reach_every_part(void **state)
{
    (void)state;
    check_gradients(false, 0, false);
}

static void test_gradients_of_cosines(void **state)
{
    (void)state;
    check_gradients(true, 0, false);
}

static void test_gradients_of_candidates(void **state)
{
    (void)state;
    check_gradients(false, 2, false);
    check_gradients(false, 2, true);
}

/* A network of bottlenecks alone, so that each of its three convolutions is reached. */
static void test_gradients_of_a_bottleneck(void **state)
{
    (void)state;
    an_module *m = an_module_new(1);
    const an_resnet_options o = {.channels = 3,
                                 .width = 3,
                                 .stages = 2,
                                 .blocks = {1, 2},
                                 .bottleneck = true,
                                 .stem_stride = 1};
    an_resnet *r = an_resnet_new(m, "r", &o);
    assert_int_equal(an_module_seal(m), AN_OK);
    randomise(m);
    an_module_train(m, false);
    const backbone b = {m, r, normal(1, 4, SHAPE(2, 7, 9, 3)), normal(2, 4, SHAPE(2, 4, 5, 24))};
    assert_int_equal(an_resnet_features(r), 24);
    assert_int_equal(an_backward(backbone_loss(&b)), AN_OK);
    static const char *const parts[] = {"r.conv1",
                                        "layer1.0.conv1",
                                        "layer1.0.conv2",
                                        "layer1.0.conv3",
                                        "layer1.0.downsample",
                                        "layer2.0.conv2",
                                        "layer2.0.bn3",
                                        "layer2.1.conv3",
                                        "layer2.1.bn2",
                                        "layer2.0.downsample"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        check_slope_of(m, parts[i], backbone_loss_of, &b);
    an_resnet_free(r);
    an_module_release(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_gradients_reach_every_part),
        TEST(test_gradients_of_cosines),
        TEST(test_gradients_of_candidates),
        TEST(test_gradients_of_a_bottleneck),
    };
    return cmocka_run_group_tests_name("model_slope", tests, NULL, NULL);
}
