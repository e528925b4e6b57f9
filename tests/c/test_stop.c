/* A signal ends the engine's loops over outside input: each checks, none goes on with its work, and
 * nothing that is half done is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory/mem.h"
#include "data/csv.h"
#include "data/features.h"
#include "data/hash_cache.h"
#include "data/image_files.h"
#include "data/image_stack.h"
#include "data/near_copies.h"
#include "data/pixel_cache.h"
#include "data/pixel_moments.h"
#include "data/survey.h"
#include "tests/c/fake_signal.h"
#include "tests/c/scratch.h"

enum { IMAGES = 48, SIDE = 32, BYTES = SIDE * SIDE * 3 };

static void list_images(an_listing *list)
{
    assert_int_equal(an_listing_begin(list, scratch("data")), AN_OK);
    for (int i = 0; i < IMAGES; i++) {
        char name[64];
        snprintf(name, sizeof name, "data/%02d.png", i);
        scratch_colour(name, 8, 8, (uint8_t)i, (uint8_t)(2 * i), (uint8_t)(255 - i));
        const char *path = scratch(name);
        an_item item = {.key = path,
                        .path = path,
                        .class_name = i % 2 ? "a" : "b",
                        .part = i % 3 ? AN_TRAIN : AN_TEST};
        assert_int_equal(an_listing_add(list, &item), AN_OK);
    }
    assert_int_equal(an_listing_seal(list), AN_OK);
}

static void test_hashing_of_files(void **state)
{
    (void)state;
    an_listing list;
    list_images(&list);
    for (int at = 0; at < IMAGES; at += 15) {
        signal_at(at);
        assert_stopped(an_hash_files(&list, scratch("hashes"), AN_DAMAGED_REFUSE));
        assert_int_equal(files_ending(scratch("hashes"), ".index", NULL), 0);
    }
    assert_int_equal(an_hash_files(&list, scratch("hashes"), AN_DAMAGED_REFUSE), AN_OK);
    an_listing_free(&list);
}

static void test_decoding_and_verification_of_the_cache(void **state)
{
    (void)state;
    an_listing list;
    an_pixel_cache images;
    list_images(&list);
    const char *cache = scratch("pixels"); /* the last call, so the path stays valid */
    assert_int_equal(an_hash_files(&list, "", AN_DAMAGED_REFUSE), AN_OK);
    for (int at = 0; at < IMAGES; at += 15) { /* with a folder, and in memory */
        signal_at(at);
        assert_stopped(an_pixel_cache_open(&images, &list, SIDE, SIDE, AN_STRETCH,
                                           AN_DAMAGED_REFUSE, at % 2 ? "" : cache));
        assert_null(images.pixels);
        assert_int_equal(files_ending(cache, ".pack", NULL), 0);
        assert_int_equal(files_ending(cache, ".tmp", NULL), 0);
    }
    assert_int_equal(
        an_pixel_cache_open(&images, &list, SIDE, SIDE, AN_STRETCH, AN_DAMAGED_REFUSE, cache),
        AN_OK);
    an_pixel_cache_close(&images);
    signal_at(0);
    assert_stopped(
        an_pixel_cache_open(&images, &list, SIDE, SIDE, AN_STRETCH, AN_DAMAGED_REFUSE, cache));
    assert_int_equal(files_ending(cache, ".pack", NULL), 1); /* verified half, and kept */
    an_listing_free(&list);
}

static void test_what_is_found_in_the_images(void **state)
{
    (void)state;
    static uint8_t pixels[IMAGES * BYTES];
    static an_image_facts facts[IMAGES];
    static an_copy copies[IMAGES];
    int64_t items[IMAGES];
    float mean[3], std[3];
    an_listing list;
    list_images(&list);
    assert_int_equal(an_hash_files(&list, "", AN_DAMAGED_REFUSE), AN_OK);
    for (int i = 0; i < IMAGES; i++)
        items[i] = i;
    for (int at = 0; at < IMAGES; at += 20) {
        signal_at(at);
        assert_stopped(an_survey(&list, pixels, SIDE, SIDE, facts));
        signal_at(at);
        assert_stopped(an_find_copies(&list, pixels, SIDE, SIDE, copies));
        signal_at(at);
        assert_stopped(an_pixel_moments(pixels, items, IMAGES, BYTES / 3, mean, std));
    }
    signal_at(IMAGES + 10); /* within the comparison of the fingerprints */
    assert_stopped(an_find_copies(&list, pixels, SIDE, SIDE, copies));
    an_listing_free(&list);
}

static void test_images_of_a_batch(void **state)
{
    (void)state;
    static float images[2 * BYTES];
    an_input_form form = {.H = SIDE, .W = SIDE, .std = {1, 1, 1}};
    scratch_colour("one.png", 8, 8, 1, 2, 3);
    const char *paths[2] = {scratch("one.png"), scratch("none.png")};
    char *why[2];
    signal_at(1);
    assert_stopped(an_image_files_read(paths, 2, &form, images, why));
    assert_null(why[0]);
    assert_null(why[1]);
}

static void test_images_of_an_archive(void **state)
{
    (void)state;
    enum { N = 8 };
    static uint8_t raw[N * 12];
    static const int64_t labels[N];
    const char *names[2] = {"a", "b"};
    an_listing list;
    assert_int_equal(an_listing_begin(&list, "archive"), AN_OK);
    assert_int_equal(an_listing_classes(&list, names, 2), AN_OK);
    an_image_stack stack = {.list = &list, .H = 2, .W = 2};
    an_raw_shape shape = {.height = 2, .width = 2, .channels = 3};
    assert_int_equal(an_image_stack_reserve(&stack, N), AN_OK);
    signal_at(3);
    assert_stopped(an_image_stack_add(&stack, AN_TRAIN, 0, &shape, raw, labels, N));
    assert_int_equal(list.n, 0);
    an_free(stack.pixels);
    an_listing_free(&list);
}

static void test_rows_of_a_table_and_of_features(void **state)
{
    (void)state;
    static const char text[] = "image,label\na,x\nb,y\nc,x\nd,y\n";
    static const uint8_t values[8 * 4 * sizeof(float)];
    const int64_t rows[4] = {0, 1, 2, 3};
    float mean[4], std[4];
    signal_at(2);
    assert_null(an_csv_parse(text, sizeof text - 1, "table.csv"));
    assert_stopped(an_err_code());
    an_features f = {.n = 8, .tokens = 1, .width = 4, .values = values, .type = AN_FEATURE_F32};
    signal_at(2);
    assert_stopped(an_features_moments(&f, rows, 4, mean, std));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hashing_of_files),
        cmocka_unit_test(test_decoding_and_verification_of_the_cache),
        cmocka_unit_test(test_what_is_found_in_the_images),
        cmocka_unit_test(test_images_of_a_batch),
        cmocka_unit_test(test_images_of_an_archive),
        cmocka_unit_test(test_rows_of_a_table_and_of_features),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
