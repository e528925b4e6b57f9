/* Augmentation and epoch orders: exact geometry, addressed random numbers, statistics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "data/augment.h"
#include "data/epoch_order.h"

enum { H = 6, W = 6, N = H * W * 3 };
static const float ZERO[3] = {0, 0, 0}, ONE[3] = {1, 1, 1};
static uint8_t src[N];

static void draw(void)
{
    for (int i = 0; i < N; i++)
        src[i] = (uint8_t)(1 + 2 * i);
}

static void apply(const an_augment *how, uint64_t image, float *out)
{
    an_augment_image(how, (an_address){3, 1, image}, src, H, W, ZERO, ONE, out);
}

static int pixel(const float *out, int y, int x, int c)
{
    return (int)lrintf(out[(y * W + x) * 3 + c] * 255);
}

static int stored(int y, int x, int c)
{
    return src[(y * W + x) * 3 + c];
}

static void test_without_augmentation_pixels_are_only_normalised(void **state)
{
    (void)state;
    const float mean[3] = {0.5f, 0.25f, 0}, std[3] = {0.5f, 0.25f, 2};
    float out[N];
    draw();
    an_augment_image(NULL, (an_address){0}, src, H, W, mean, std, out);
    for (int i = 0; i < N; i++)
        assert_true(fabs(out[i] - (src[i] / 255.0 - mean[i % 3]) / std[i % 3]) < 1e-6);
}

/* Each image must be exactly one of the mirrored pictures, and each must occur. */
static void test_flips_and_transpose_reach_all_eight_pictures(void **state)
{
    (void)state;
    const an_augment how = {.flip_horizontal = true, .flip_vertical = true, .transpose = true};
    int seen[8] = {0};
    draw();
    for (uint64_t image = 0; image < 200; image++) {
        float out[N];
        apply(&how, image, out);
        int match = -1;
        for (int kind = 0; kind < 8; kind++) {
            bool same = true;
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++)
                    for (int c = 0; c < 3; c++) {
                        int sy = kind & 4 ? x : y, sx = kind & 4 ? y : x;
                        sy = kind & 2 ? H - 1 - sy : sy, sx = kind & 1 ? W - 1 - sx : sx;
                        same &= pixel(out, y, x, c) == stored(sy, sx, c);
                    }
            if (same)
                match = kind;
        }
        assert_in_range(match, 0, 7);
        seen[match]++;
    }
    for (int kind = 0; kind < 8; kind++)
        assert_in_range(seen[kind], 8, 50); /* 25 expected */
}

static int mirror(int i)
{
    return i < 0 ? -i : i >= H ? 2 * (H - 1) - i : i;
}

static void test_shift_reflects_and_crop_is_black(void **state)
{
    (void)state;
    const an_augment shift = {.shift = 2}, crop = {.crop = 2};
    bool moved[2][5][5] = {0};
    draw();
    for (uint64_t image = 0; image < 400; image++) {
        float a[N], b[N];
        apply(&shift, image, a);
        apply(&crop, image, b);
        int found[2] = {0};
        for (int dy = -2; dy <= 2; dy++)
            for (int dx = -2; dx <= 2; dx++) {
                bool same[2] = {true, true};
                for (int y = 0; y < H; y++)
                    for (int x = 0; x < W; x++) {
                        int sy = y + dy, sx = x + dx;
                        bool in = sy >= 0 && sy < H && sx >= 0 && sx < W;
                        same[0] &= pixel(a, y, x, 1) == stored(mirror(sy), mirror(sx), 1);
                        same[1] &= pixel(b, y, x, 1) == (in ? stored(sy, sx, 1) : 0);
                    }
                for (int k = 0; k < 2; k++)
                    if (same[k])
                        found[k]++, moved[k][dy + 2][dx + 2] = true;
            }
        assert_int_equal(found[0], 1);
        assert_int_equal(found[1], 1);
    }
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 25; i++)
            assert_true(moved[k][i / 5][i % 5]);
}

static void test_colours_stay_in_range_and_follow_their_formulas(void **state)
{
    (void)state;
    const an_augment bright = {.brightness = 0.2f}, grey = {.colour = 1},
                     all = {.brightness = 0.9f, .contrast = 0.9f, .colour = 0.9f, .noise = 0.5f};
    draw();
    float least = 10, most = 0;
    for (uint64_t image = 0; image < 200; image++) {
        float out[N];
        apply(&bright, image, out);
        float f = out[30] * 255 / src[30];
        least = fminf(least, f), most = fmaxf(most, f);
        for (int i = 0; i < N; i++)
            assert_true(fabsf(out[i] * 255 - fminf(255, f * src[i])) < 0.02f);
        apply(&grey, image, out); /* the luma of a pixel does not change unless clamped */
        float luma = 0.299f * out[60] + 0.587f * out[61] + 0.114f * out[62];
        float before = (0.299f * src[60] + 0.587f * src[61] + 0.114f * src[62]) / 255;
        assert_true(fabsf(luma - before) < 1e-5f);
        apply(&all, image, out);
        for (int i = 0; i < N; i++)
            assert_true(out[i] >= 0 && out[i] <= 1);
    }
    assert_true(least >= 0.8f && least < 0.83f && most <= 1.2f && most > 1.17f);
}

static void test_noise_has_the_requested_deviation(void **state)
{
    (void)state;
    const an_augment how = {.noise = 0.05f};
    memset(src, 128, sizeof src);
    double sum = 0, square = 0;
    for (uint64_t image = 0; image < 200; image++) {
        float out[N];
        apply(&how, image, out);
        for (int i = 0; i < N; i++) {
            double e = out[i] - 128 / 255.0;
            sum += e, square += e * e;
        }
    }
    assert_true(fabs(sum / (200 * N)) < 0.002);
    assert_true(fabs(sqrt(square / (200 * N)) - 0.05) < 0.002);
}

static void test_the_address_determines_the_result(void **state)
{
    (void)state;
    const an_augment how = {.flip_horizontal = true, .shift = 2, .brightness = 0.3f, .noise = 0.1f};
    float a[N], b[N];
    draw();
    apply(&how, 5, a);
    apply(&how, 6, b);
    assert_memory_not_equal(a, b, sizeof a);
    apply(&how, 5, b);
    assert_memory_equal(a, b, sizeof a);
    an_augment_image(&how, (an_address){3, 2, 5}, src, H, W, ZERO, ONE, b);
    assert_memory_not_equal(a, b, sizeof a);
    an_augment_image(&how, (an_address){4, 1, 5}, src, H, W, ZERO, ONE, b);
    assert_memory_not_equal(a, b, sizeof a);
}

/* ── orders ───────────────────────────────────────────────────────────────────── */

enum { M = 10000 };
static int labels[M];
static int64_t order[M];

/* Shares of three classes with 9000, 900 and 100 images. */
static void shares_from(an_class_sampling sampling, int64_t epoch, int64_t first, int64_t epochs,
                        double share[3])
{
    for (int i = 0; i < M; i++)
        labels[i] = i < 9000 ? 0 : i < 9900 ? 1 : 2;
    assert_int_equal(an_epoch_order(labels, M, 3, sampling, 1, epoch, first, epochs, order), AN_OK);
    share[0] = share[1] = share[2] = 0;
    for (int i = 0; i < M; i++) {
        assert_in_range(order[i], 0, M - 1);
        share[labels[order[i]]] += 1.0 / M;
    }
}

static void shares(an_class_sampling sampling, int64_t epoch, int64_t epochs, double share[3])
{
    shares_from(sampling, epoch, 0, epochs, share);
}

static void assert_near(const double *share, double a, double b, double c)
{
    const double expected[3] = {a, b, c};
    for (int k = 0; k < 3; k++)
        if (fabs(share[k] - expected[k]) > 0.02)
            fail_msg("class %d: share %g, expected %g", k, share[k], expected[k]);
}

static void test_every_sampling_draws_classes_as_defined(void **state)
{
    (void)state;
    double share[3], root = sqrt(9000) + sqrt(900) + sqrt(100);
    shares(AN_CLASS_BALANCED, 0, 1, share);
    assert_near(share, 1 / 3.0, 1 / 3.0, 1 / 3.0);
    shares(AN_SQUARE_ROOT, 0, 1, share);
    assert_near(share, sqrt(9000) / root, sqrt(900) / root, sqrt(100) / root);
    shares(AN_PROGRESSIVE, 0, 11, share);
    assert_near(share, 0.9, 0.09, 0.01);
    shares(AN_PROGRESSIVE, 5, 11, share);
    assert_near(share, 0.45 + 1 / 6.0, 0.045 + 1 / 6.0, 0.005 + 1 / 6.0);
    shares_from(AN_PROGRESSIVE, 25, 20, 11, share);
    assert_near(share, 0.45 + 1 / 6.0, 0.045 + 1 / 6.0, 0.005 + 1 / 6.0);
    shares_from(AN_PROGRESSIVE, 4, 20, 11, share);
    assert_near(share, 0.9, 0.09, 0.01);
    shares(AN_PROGRESSIVE, 10, 11, share);
    assert_near(share, 1 / 3.0, 1 / 3.0, 1 / 3.0);
}

static void test_instance_visits_each_image_once(void **state)
{
    (void)state;
    static int64_t again[M];
    static bool seen[M];
    double share[3];
    shares(AN_INSTANCE, 4, 9, share);
    memset(seen, 0, sizeof seen);
    for (int i = 0; i < M; i++)
        seen[order[i]] = true;
    for (int i = 0; i < M; i++)
        assert_true(seen[i]);
    memcpy(again, order, sizeof again);
    shares(AN_INSTANCE, 4, 9, share);
    assert_memory_equal(again, order, sizeof again);
    shares(AN_INSTANCE, 5, 9, share);
    assert_memory_not_equal(again, order, sizeof again);
    shares(AN_SEQUENTIAL, 5, 9, share);
    for (int i = 0; i < M; i++)
        assert_int_equal(order[i], i);
}

static void test_an_absent_class_is_never_drawn(void **state)
{
    (void)state;
    const int few[4] = {0, 2, 2, 0};
    int64_t out[4];
    for (int64_t epoch = 0; epoch < 50; epoch++)
        for (int sampling = AN_INSTANCE; sampling <= AN_SEQUENTIAL; sampling++) {
            assert_int_equal(
                an_epoch_order(few, 4, 5, (an_class_sampling)sampling, 1, epoch, 0, 50, out),
                AN_OK);
            for (int i = 0; i < 4; i++)
                assert_in_range(out[i], 0, 3);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_augmentation_pixels_are_only_normalised),
        cmocka_unit_test(test_flips_and_transpose_reach_all_eight_pictures),
        cmocka_unit_test(test_shift_reflects_and_crop_is_black),
        cmocka_unit_test(test_colours_stay_in_range_and_follow_their_formulas),
        cmocka_unit_test(test_noise_has_the_requested_deviation),
        cmocka_unit_test(test_the_address_determines_the_result),
        cmocka_unit_test(test_every_sampling_draws_classes_as_defined),
        cmocka_unit_test(test_instance_visits_each_image_once),
        cmocka_unit_test(test_an_absent_class_is_never_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
