/* JPEGs in a data set: accepted damage, and the version of their pixels in the set's identity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/hash_cache.h"
#include "data/pixel_cache.h"
#include "tests/c/sample_jpeg.h"
#include "tests/c/scratch.h"

enum { SIDE = 4 };

/* Two PNGs of two classes, and the file at `other` [opt]. */
static void list_images(an_listing *list, const char *other)
{
    const char *paths[3] = {scratch_colour("a/1.png", 4, 4, 1, 2, 3),
                            scratch_colour("b/1.png", 4, 4, 3, 2, 1), other};
    assert_int_equal(an_listing_begin(list, scratch_root), AN_OK);
    for (int i = 0; i < 3 && paths[i]; i++) {
        an_item item = {.key = paths[i],
                        .path = paths[i],
                        .class_name = i % 2 ? "b" : "a",
                        .part = AN_UNASSIGNED};
        assert_int_equal(an_listing_add(list, &item), AN_OK);
    }
    assert_int_equal(an_listing_seal(list), AN_OK);
    assert_int_equal(an_hash_files(list, "", AN_DAMAGED_REFUSE), AN_OK);
}

/* A JPEG that was accepted although damaged is counted, also when the cache is opened again, and
 * its pixels are not served where it is refused. */
static void test_accepted_damage_is_counted_and_kept_apart(void **state)
{
    (void)state;
    const char *cache = scratch("cache9");
    uint8_t cut[sizeof sample_jpeg];
    memcpy(cut, sample_jpeg, sizeof cut);
    const size_t half = sizeof cut - 20;
    cut[half] = 0xFF, cut[half + 1] = 0xD9;
    const char *bad = scratch_file("b/99.jpg", cut, half + 2);
    an_listing list;
    an_pixel_cache pack;
    list_images(&list, bad);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(an_pixel_cache_open(&pack, &list, SIDE, SIDE, AN_STRETCH,
                                             AN_DAMAGED_ACCEPT, k < 2 ? cache : ""),
                         AN_OK);
        assert_int_equal(pack.damaged, 1);
        an_pixel_cache_close(&pack);
    }
    assert_int_equal(
        an_pixel_cache_open(&pack, &list, SIDE, SIDE, AN_STRETCH, AN_DAMAGED_REFUSE, cache),
        AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), bad));
    assert_non_null(strstr(an_err_message(), "its scan ends early"));
    an_listing_free(&list);
    remove(bad);
}

/* The identity of a data set changes where its pixels do: with a JPEG, not with PNG and BMP alone.
 */
static void test_the_identity_has_the_version_of_the_pixels(void **state)
{
    (void)state;
    an_listing list;
    char now[AN_SHA256_HEX], before[AN_SHA256_HEX], own[AN_SHA256_HEX];
    list_images(&list, NULL);
    an_listing_hash(&list, true, now);
    an_listing_hash(&list, false, before);
    assert_string_equal(now, before);
    an_listing_free(&list);
    const char *jpeg = scratch_file("a/99.jpg", sample_jpeg, sizeof sample_jpeg);
    list_images(&list, jpeg);
    an_listing_hash(&list, true, now);
    an_listing_hash(&list, false, before);
    assert_string_not_equal(now, before);
    an_sha256 hash; /* as the header defines it */
    an_sha256_init(&hash);
    for (int64_t i = 0; i < list.n; i++) {
        char line[400];
        int n = snprintf(line, sizeof line, "%s\t%s%s\t%s\n", list.items[i].key, list.items[i].hash,
                         strstr(list.items[i].key, ".jpg") ? "+1" : "", list.items[i].class_name);
        an_sha256_update(&hash, line, (size_t)n);
    }
    an_sha256_hex(&hash, own);
    assert_string_equal(now, own);
    an_listing_free(&list);
    remove(jpeg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted_damage_is_counted_and_kept_apart),
        cmocka_unit_test(test_the_identity_has_the_version_of_the_pixels),
    };
    return cmocka_run_group_tests_name("pixel_versions", tests, scratch_setup, scratch_teardown);
}
