/* The recorded operations of the forward process: their gradients by finite differences, for every
 * prediction and input, and what they compute against the formulas written out by hand. */
#include <math.h>
#include <string.h>

#include "diffusion/process.h"
#include "grad/ops.h"
#include "rules.h"

enum { B = 5, K = 3 };

/* Standard normal numbers, determined by the name. */
static an_tensor *normal(const char *name, int ndim, const int64_t *shape)
{
    an_tensor *x = an_tensor_new(AN_F32, ndim, shape);
    assert_non_null(x);
    an_fill_normal(an_f32(x), an_numel(x), 7, an_stream(name, 0, 0), 0);
    return x;
}

/* The same as a leaf whose gradient the checker compares. */
static an_tensor *leaf(const char *name)
{
    an_tensor *x = normal(name, SHAPE(B, K));
    x->requires_grad = true;
    return x;
}

typedef struct {
    an_tensor *epsilon, *signal, *noise;
    an_prediction prediction;
    an_reading reading;
    int first; /* position of the coefficients among the inputs, where they are inputs */
} context;

static const int64_t TIMES[B] = {1, 9, 20, 33, 45};

/* Rows at several times of a cosine schedule whose classes have different noise levels, so that
 * a² + s² is not 1 in two of the couplings. At t = T, 1/a is too large for finite differences. */
static context make_context(an_coupling coupling)
{
    const an_schedule_spec spec = {.beta = an_beta_default(AN_BETA_COSINE, 60),
                                   .lambda = (double[]){0.6, 1, 1.4},
                                   .coupling = coupling,
                                   .K = K};
    an_schedule *s = an_schedule_new(&spec);
    assert_non_null(s);
    context c = {.epsilon = normal("e", SHAPE(B, K)),
                 .signal = an_tensor_new(AN_F32, SHAPE(B, K)),
                 .noise = an_tensor_new(AN_F32, SHAPE(B, K))};
    const float level[B] = {0.7f, 1.3f, 1, 0.5f, 2};
    an_rows rows = {
        .schedule = s, .B = B, .t = TIMES, .level = coupling >= AN_COUPLE_SAMPLE ? level : NULL};
    assert_int_equal(an_gather(&rows, AN_SIGNAL, an_f32(c.signal)), AN_OK);
    assert_int_equal(an_gather(&rows, AN_NOISE, an_f32(c.noise)), AN_OK);
    an_schedule_free(s);
    return c;
}

/* A scalar that depends on each element with a different weight. */
static an_tensor *reduced(an_tensor *x)
{
    return an_mean(an_mul(x, normal("weights", SHAPE(B, K))), AN_ALL, false);
}

/* The context with the coefficients of the inputs, if there are any. */
static context *of_inputs(context *c, an_tensor **in)
{
    if (c->first > 0) {
        c->signal = in[c->first];
        c->noise = in[c->first + 1];
    }
    return c;
}

static an_tensor *noised(an_tensor **in, void *ctx)
{
    context *c = of_inputs(ctx, in);
    return reduced(an_map(an_noised(in[0], in[1], c->epsilon, c->signal, c->noise), AN_SQUARE));
}

static an_tensor *target(an_tensor **in, void *ctx)
{
    context *c = of_inputs(ctx, in);
    return reduced(
        an_map(an_target(c->prediction, in[0], in[1], c->epsilon, c->signal, c->noise), AN_SQUARE));
}

static an_tensor *reading(an_tensor **in, void *ctx)
{
    context *c = of_inputs(ctx, in);
    return reduced(an_map(
        an_read(c->reading, c->prediction, in[1], in[2], in[0], c->signal, c->noise), AN_SQUARE));
}

static void test_noised_has_gradients_to_label_and_prior(void **state)
{
    (void)state;
    for (int coupling = AN_COUPLE_VARIANCE; coupling <= AN_COUPLE_CLASS_SPEED; coupling++) {
        context c = make_context((an_coupling)coupling);
        check_gradients(noised, (an_tensor *[]){leaf("y0"), leaf("m")}, 2, &c);
    }
}

static void test_the_target_of_v_has_gradients_to_label_and_prior(void **state)
{
    (void)state;
    for (int coupling = AN_COUPLE_VARIANCE; coupling <= AN_COUPLE_CLASS_SPEED; coupling++) {
        context c = make_context((an_coupling)coupling);
        c.prediction = AN_PREDICT_V;
        check_gradients(target, (an_tensor *[]){leaf("y0"), leaf("m")}, 2, &c);
    }
}

static void readings_of(an_coupling coupling, an_prediction prediction)
{
    context c = make_context(coupling);
    c.prediction = prediction;
    for (int r = AN_READ_Z0; r <= AN_READ_EPSILON; r++) {
        c.reading = (an_reading)r;
        check_gradients(reading, (an_tensor *[]){leaf("x"), leaf("y"), leaf("m")}, 3, &c);
    }
}

static void test_readings_have_gradients_to_output_label_and_prior(void **state)
{
    (void)state;
    for (int coupling = AN_COUPLE_VARIANCE; coupling <= AN_COUPLE_CLASS_SPEED; coupling++)
        for (int p = AN_PREDICT_EPSILON; p <= AN_PREDICT_V; p++)
            readings_of((an_coupling)coupling, (an_prediction)p);
}

/* The checker moves the coefficients themselves: leaves that require a gradient. */
static void require_coefficients(context *c, int first)
{
    c->first = first;
    c->signal->requires_grad = c->noise->requires_grad = true;
}

/* With gradients of label and prior, and of the coefficients alone. */
static void check_coefficients(an_check_fn fn, context *c, an_prediction prediction)
{
    c->prediction = prediction;
    require_coefficients(c, 2);
    check_gradients(fn, (an_tensor *[]){leaf("y0"), leaf("m"), c->signal, c->noise}, 4, c);
    an_tensor *y0 = normal("y0", SHAPE(B, K)), *m = normal("m", SHAPE(B, K));
    check_gradients(fn, (an_tensor *[]){y0, m, c->signal, c->noise}, 4, c);
    c->noise->requires_grad = false;
    check_gradients(fn, (an_tensor *[]){y0, leaf("m"), c->signal, c->noise}, 4, c);
}

static void test_noised_and_target_have_gradients_to_the_coefficients(void **state)
{
    (void)state;
    for (int coupling = AN_COUPLE_VARIANCE; coupling <= AN_COUPLE_CLASS_SPEED; coupling++) {
        context c = make_context((an_coupling)coupling), d = make_context((an_coupling)coupling);
        check_coefficients(noised, &c, AN_PREDICT_V);
        check_coefficients(target, &d, AN_PREDICT_V);
    }
}

/* Coefficients of one's own: the finite differences of 1/s have an error of (step/s)². */
static an_tensor *coefficient(const char *name)
{
    an_tensor *x = leaf(name);
    for (int i = 0; i < B * K; i++)
        an_f32(x)[i] = 0.6f + 0.3f * fabsf(an_f32(x)[i]);
    return x;
}

static void test_readings_have_gradients_to_the_coefficients(void **state)
{
    (void)state;
    for (int p = AN_PREDICT_EPSILON; p <= AN_PREDICT_V; p++)
        for (int r = AN_READ_Z0; r <= AN_READ_EPSILON; r++) {
            context c = {.prediction = (an_prediction)p, .reading = (an_reading)r, .first = 3};
            an_tensor *in[] = {leaf("x"), leaf("y"), leaf("m"), coefficient("a"), coefficient("s")};
            check_gradients(reading, in, 5, &c);
        }
}

/* Only the coefficients' gradient makes a node keep the label: without it the elements of y0, m and
 * ε are freed as before, and the gradients of y0 and m are the same bits either way. */
static void test_the_gradients_of_label_and_prior_keep_their_bits(void **state)
{
    (void)state;
    float kept[2 * B * K];
    for (int with = 0; with < 2; with++) {
        context c = make_context(AN_COUPLE_VARIANCE);
        an_tensor *in[] = {leaf("y0"), leaf("m")};
        c.signal->requires_grad = c.noise->requires_grad = with;
        assert_int_equal(an_backward(noised(in, &c)), AN_OK);
        for (int i = 0; i < 2; i++)
            if (with)
                assert_memory_equal(an_f32(an_grad(in[i])), kept + i * B * K,
                                    B * K * sizeof(float));
            else
                memcpy(kept + i * B * K, an_f32(an_grad(in[i])), B * K * sizeof(float));
        assert_true((an_grad(c.signal) != NULL) == (with == 1));
        assert_null(c.epsilon->grad);
    }
}

/* Reading the exact target of a prediction returns z0 and ε. */
static void test_a_reading_inverts_the_target(void **state)
{
    (void)state;
    context c = make_context(AN_COUPLE_VARIANCE);
    an_tensor *y0 = normal("y0", SHAPE(B, K)), *m = normal("m", SHAPE(B, K));
    an_tensor *y = an_noised(y0, m, c.epsilon, c.signal, c.noise), *z0 = an_sub(y0, m);
    for (int p = AN_PREDICT_EPSILON; p <= AN_PREDICT_V; p++) {
        an_tensor *x = an_target((an_prediction)p, y0, m, c.epsilon, c.signal, c.noise);
        an_tensor *z = an_read(AN_READ_Z0, (an_prediction)p, y, m, x, c.signal, c.noise);
        an_tensor *e = an_read(AN_READ_EPSILON, (an_prediction)p, y, m, x, c.signal, c.noise);
        for (int i = 0; i < B * K; i++) {
            assert_true(fabsf(an_f32(z)[i] - an_f32(z0)[i]) < 1e-5);
            assert_true(fabsf(an_f32(e)[i] - an_f32(c.epsilon)[i]) < 1e-5);
        }
    }
}

/* The target of epsilon and of y0 is the input itself, and ε̂ of epsilon is the output: no copy. */
static void test_an_identity_is_not_copied(void **state)
{
    (void)state;
    context c = make_context(AN_COUPLE_VARIANCE);
    an_tensor *y0 = normal("y0", SHAPE(B, K)), *m = normal("m", SHAPE(B, K));
    assert_ptr_equal(an_target(AN_PREDICT_Y0, y0, m, c.epsilon, c.signal, c.noise), y0);
    assert_ptr_equal(an_target(AN_PREDICT_EPSILON, y0, m, c.epsilon, c.signal, c.noise), c.epsilon);
    assert_ptr_equal(
        an_read(AN_READ_EPSILON, AN_PREDICT_EPSILON, y0, m, c.epsilon, c.signal, c.noise),
        c.epsilon);
}

static void test_shapes_that_differ_are_errors(void **state)
{
    (void)state;
    context c = make_context(AN_COUPLE_VARIANCE);
    an_tensor *y0 = normal("y0", SHAPE(B, K)), *other = normal("m", SHAPE(B, K + 1));
    assert_error(an_noised(y0, other, c.epsilon, c.signal, c.noise), "m: expected (5, 3)");
    assert_error(an_read(AN_READ_Z0, AN_PREDICT_V, other, y0, y0, c.signal, c.noise),
                 "y: expected");
    an_f32(c.noise)[K] = 0; /* as at t = 0 */
    assert_error(an_read(AN_READ_Z0, AN_PREDICT_V, y0, y0, y0, c.signal, c.noise),
                 "row 2 has noise 0, but there is nothing to read at t = 0");
}

/* With row weights: w·(a − b)² computed by hand, and the gradient. */
static an_tensor *weighted_error(an_tensor **in, void *ctx)
{
    return an_mse(in[0], in[1], ctx);
}

static void test_squared_error_with_row_weights(void **state)
{
    (void)state;
    an_tensor *a = leaf("a"), *b = leaf("b");
    an_tensor *w = an_tensor_from((float[]){1, 0, 2, 0.5f, 1.5f}, SHAPE(B));
    double sum = 0;
    for (int i = 0; i < B * K; i++)
        sum += an_f32(w)[i / K] * pow(an_f32(a)[i] - an_f32(b)[i], 2);
    assert_true(fabs(an_f32(an_mse(a, b, w))[0] - sum / (B * K)) < 1e-6);
    check_gradients(weighted_error, (an_tensor *[]){a, b}, 2, w);
    assert_error(an_mse(a, b, an_tensor_from((float[]){1, 2}, SHAPE(2))), "weights for the rows");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_noised_has_gradients_to_label_and_prior, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_target_of_v_has_gradients_to_label_and_prior,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_readings_have_gradients_to_output_label_and_prior,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_noised_and_target_have_gradients_to_the_coefficients,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_readings_have_gradients_to_the_coefficients, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_the_gradients_of_label_and_prior_keep_their_bits,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_reading_inverts_the_target, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_identity_is_not_copied, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shapes_that_differ_are_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_squared_error_with_row_weights, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
