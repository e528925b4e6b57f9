/* The synthetic set: proportions, determinism, image sizes, and separable classes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory/mem.h"
#include "base/par.h"
#include "data/dataset.h"
#include "data/synthetic/lesions.h"
#include "tests/c/resize3.h"

static an_dataset *open_set(int64_t n, uint64_t seed, int size)
{
    an_dataset_spec spec = {.name = "lesions",
                            .source = AN_FROM_LESIONS,
                            .n = n,
                            .H = size,
                            .W = size,
                            .val = 0.1,
                            .test = 0.3,
                            .seed = seed,
                            .groups = {.kind = AN_BY_COUNTS, .many = 100, .few = 20},
                            .cache = ""};
    return an_dataset_open(&spec);
}

static void test_proportions_and_minima(void **state)
{
    (void)state;
    an_dataset *ds = open_set(1400, 0, 8);
    assert_non_null(ds);
    assert_int_equal(ds->n[AN_TRAIN], 840);
    assert_int_equal(ds->n[AN_VAL], 140);
    assert_int_equal(ds->n[AN_TEST], 420);
    for (int k = 0; k < AN_LESION_CLASSES; k++) {
        assert_string_equal(ds->list.classes[k], an_lesion_names[k]);
        assert_true(ds->counts[AN_TRAIN][k] >= 8);
        assert_true(ds->counts[AN_VAL][k] >= 6);
        assert_true(ds->counts[AN_TEST][k] >= 12);
    }
    assert_int_equal(ds->counts[AN_TRAIN][1], 93); /* 840·1113/10015 */
    assert_int_equal(ds->counts[AN_TEST][1], 47);
    assert_false(ds->test_is_val);
    an_dataset_close(ds);
    ds = open_set(70, 0, 4);
    assert_non_null(ds);
    an_dataset_close(ds);
    assert_null(open_set(69, 0, 4));
    assert_int_equal(an_err_code(), AN_EINVAL);
}

static void test_images_depend_on_the_seed_and_not_on_threads(void **state)
{
    (void)state;
    int64_t live = an_mem_live();
    an_set_threads(1);
    an_dataset *a = open_set(200, 5, 16);
    an_set_threads(3);
    an_dataset *b = open_set(200, 5, 16), *c = open_set(200, 6, 16);
    an_set_threads(0);
    assert_memory_equal(a->images.pixels, b->images.pixels, 200 * 16 * 16 * 3);
    assert_string_equal(a->sha256, b->sha256);
    assert_string_not_equal(a->sha256, c->sha256);
    an_dataset_close(a);
    an_dataset_close(b);
    an_dataset_close(c);
    assert_int_equal(an_mem_live(), live);
}

/* A lesion at 32 pixels is the average of the same lesion at 64. */
static void test_a_size_is_a_resolution_of_the_same_lesion(void **state)
{
    (void)state;
    enum { S = 32 };
    static uint8_t small[S * S * 3], large[4 * S * S * 3], shrunk[S * S * 3];
    double total = 0;
    for (uint64_t image = 0; image < 20; image++) {
        float traits[AN_TRAITS];
        an_lesion_traits(traits, (int)(image % 7), 1, image);
        an_lesion_draw(traits, 1, image, S, S, small);
        an_lesion_draw(traits, 1, image, 2 * S, 2 * S, large);
        resize3(large, 2 * S, 2 * S, shrunk, S, S, AN_STRETCH);
        for (int i = 0; i < S * S * 3; i++)
            total += abs(small[i] - shrunk[i]);
    }
    assert_true(total / (20 * S * S * 3) < 6);
}

/* Classes overlap but differ: the nearest class mean of the traits is more accurate than always
 * predicting the largest class, and far from perfect. */
static void test_classes_overlap_and_differ(void **state)
{
    (void)state;
    enum { PER_CLASS = 300 };
    static float traits[7][PER_CLASS][AN_TRAITS];
    double mean[7][AN_TRAITS] = {0};
    for (int k = 0; k < 7; k++)
        for (int i = 0; i < PER_CLASS; i++) {
            an_lesion_traits(traits[k][i], k, 1, (uint64_t)(k * PER_CLASS + i));
            for (int t = 0; t < AN_TRAITS; t++)
                mean[k][t] += traits[k][i][t] / PER_CLASS;
        }
    int right = 0;
    for (int k = 0; k < 7; k++)
        for (int i = 0; i < PER_CLASS; i++) {
            int best = 0;
            double least = 1e9;
            for (int j = 0; j < 7; j++) {
                double d = 0;
                for (int t = 0; t < AN_TRAITS; t++)
                    d += pow(traits[k][i][t] - mean[j][t], 2);
                if (d < least)
                    least = d, best = j;
            }
            right += best == k;
        }
    double accuracy = right / (7.0 * PER_CLASS);
    if (!(accuracy > 0.85 && accuracy < 0.985))
        fail_msg("accuracy %g", accuracy);
}

static void test_batches_are_normalised_and_labelled(void **state)
{
    (void)state;
    an_dataset *ds = open_set(300, 2, 8);
    int64_t n = ds->n[AN_TRAIN], labels[300], positions[300];
    float *images = an_alloc((size_t)n * 192 * sizeof *images);
    for (int64_t i = 0; i < n; i++)
        positions[i] = n - 1 - i;
    assert_int_equal(an_dataset_batch(ds, AN_TRAIN, positions, n, NULL, NULL, 0, 0, images, labels),
                     AN_OK);
    for (int c = 0; c < 3; c++) {
        double sum = 0, square = 0, m = (double)n * 64;
        for (int64_t i = c; i < n * 192; i += 3)
            sum += images[i], square += (double)images[i] * images[i];
        assert_true(fabs(sum / m) < 1e-4 && fabs(square / m - 1) < 1e-3);
    }
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(labels[i], an_dataset_label(ds, AN_TRAIN, n - 1 - i));
    positions[3] = n;
    assert_int_equal(an_dataset_batch(ds, AN_TRAIN, positions, n, NULL, NULL, 0, 0, images, labels),
                     AN_EINVAL);
    an_free(images);
    an_dataset_close(ds);
}

static void test_an_image_does_not_depend_on_its_batch(void **state)
{
    (void)state;
    an_dataset *ds = open_set(100, 2, 8);
    const an_augment how = {.flip_horizontal = true, .transpose = true, .shift = 2, .noise = 0.1f};
    float all[5 * 192], one[192];
    int64_t labels[5];
    const int64_t positions[5] = {4, 9, 2, 2, 30};
    an_set_threads(3);
    assert_int_equal(an_dataset_batch(ds, AN_TRAIN, positions, 5, &how, NULL, 1, 7, all, labels),
                     AN_OK);
    an_set_threads(0);
    for (int b = 0; b < 5; b++) {
        assert_int_equal(
            an_dataset_batch(ds, AN_TRAIN, positions + b, 1, &how, NULL, 1, 7, one, labels), AN_OK);
        assert_memory_equal(one, all + b * 192, sizeof one);
    }
    an_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_proportions_and_minima),
        cmocka_unit_test(test_images_depend_on_the_seed_and_not_on_threads),
        cmocka_unit_test(test_a_size_is_a_resolution_of_the_same_lesion),
        cmocka_unit_test(test_classes_overlap_and_differ),
        cmocka_unit_test(test_batches_are_normalised_and_labelled),
        cmocka_unit_test(test_an_image_does_not_depend_on_its_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
