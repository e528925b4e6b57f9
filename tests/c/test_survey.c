/* What images are apart from what they show; copies across the parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "base/memory/mem.h"
#include "base/rng.h"
#include "data/near_copies.h"
#include "data/survey.h"
#include "tests/c/scratch.h"

enum { SIDE = 32, BYTES = SIDE * SIDE * 3, MOST = 2000 };

static uint8_t pixels[MOST * BYTES];

/* A listing of n images without files: part[i] is "t" (training), "v", "e" (test) or "u". */
static void make_list(an_listing *list, const char *parts, const char *const *hashes)
{
    assert_int_equal(an_listing_begin(list, "set"), AN_OK);
    for (int i = 0; parts[i]; i++) {
        char key[16];
        snprintf(key, sizeof key, "%05d", i);
        an_item item = {.key = key,
                        .class_name = i % 2 ? "b" : "a",
                        .part = parts[i] == 't'   ? AN_TRAIN
                                : parts[i] == 'v' ? AN_VAL
                                : parts[i] == 'e' ? AN_TEST
                                                  : AN_UNUSED};
        snprintf(item.hash, sizeof item.hash, "%s%d", hashes ? hashes[i] : "h", hashes ? 0 : i);
        assert_int_equal(an_listing_add(list, &item), AN_OK);
    }
    assert_int_equal(an_listing_seal(list), AN_OK);
}

static double level(int at, int photo, const char *what)
{
    return an_uniform((uint64_t)photo, an_stream(what, 0, 0), (uint64_t)at);
}

static uint8_t clamped(double x)
{
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
}

/* A dark spot on a bright ground, the same in all photos, and a texture that is the photo's own. */
static void draw(uint8_t *to, int photo)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double dx = x - 15.5, dy = y - 15.5, spot = dx * dx + dy * dy < 60 ? -90 : 0;
            double texture = 40 * (level(y * SIDE + x, photo, "texture") - 0.5);
            for (int c = 0; c < 3; c++)
                to[(y * SIDE + x) * 3 + c] = clamped(190 - dx - 2 * dy + spot + texture - 10 * c);
        }
}

typedef void (*change)(uint8_t *image);

static void recode(uint8_t *image) /* noise of up to 4 levels, as a lossy format adds it */
{
    for (int i = 0; i < BYTES; i++)
        image[i] = clamped(image[i] + 8 * (level(i, 1, "noise") - 0.5));
}

static void recolour(uint8_t *image)
{
    for (int i = 0; i < BYTES; i++)
        image[i] = clamped(image[i] * (i % 3 == 0 ? 0.6 : 0.8) + 20);
}

static void caption(uint8_t *image) /* translucent, 12×2 pixels in a corner */
{
    for (int i = 0; i < BYTES; i++)
        if (i / 3 / SIDE > SIDE - 3 && i / 3 % SIDE < 12)
            image[i] = (uint8_t)(image[i] * 2 / 3);
}

static void mirror(uint8_t *image)
{
    uint8_t copy[BYTES];
    memcpy(copy, image, BYTES);
    for (int i = 0; i < BYTES; i++)
        image[i] = copy[(i / 3 / SIDE * SIDE + SIDE - 1 - i / 3 % SIDE) * 3 + i % 3];
}

static void flatten(uint8_t *image)
{
    memset(image, 128, BYTES);
}

static bool finds(change how)
{
    an_listing list;
    an_copy copies[2];
    make_list(&list, "te", NULL);
    draw(pixels, 1);
    draw(pixels + BYTES, 1);
    how(pixels + BYTES);
    if (how == flatten)
        flatten(pixels);
    assert_int_equal(an_find_copies(&list, pixels, SIDE, SIDE, copies), AN_OK);
    an_listing_free(&list);
    assert_int_equal(copies[0].of, -1);
    assert_false(copies[1].exact);
    return copies[1].of == 0;
}

static void test_the_same_photo(void **state)
{
    (void)state;
    assert_true(finds(recode));
    assert_true(finds(recolour));
    assert_true(finds(caption));
    assert_false(finds(mirror)); /* as documented */
    assert_false(finds(flatten));
}

static void test_photos_of_one_kind_are_not_copies(void **state)
{
    (void)state;
    static char parts[301];
    static an_copy copies[300];
    an_listing list;
    for (int i = 0; i < 300; i++) {
        parts[i] = "tve"[i % 3];
        draw(pixels + i * BYTES, 1000 + i);
    }
    make_list(&list, parts, NULL);
    assert_int_equal(an_find_copies(&list, pixels, SIDE, SIDE, copies), AN_OK);
    for (int i = 0; i < 300; i++)
        assert_int_equal(copies[i].of, -1);
    /* The last image becomes photo 30, which is in training. */
    draw(pixels + 299 * BYTES, 1030);
    recode(pixels + 299 * BYTES);
    assert_int_equal(an_find_copies(&list, pixels, SIDE, SIDE, copies), AN_OK);
    for (int i = 0; i < 300; i++)
        assert_int_equal(copies[i].of, i == 299 ? 30 : -1);
    an_listing_free(&list);
}

static void test_the_same_bytes(void **state)
{
    (void)state;
    static const char *const hashes[] = {"x", "y", "x", "z", "y", "x", "y"};
    an_listing list;
    an_copy copies[7];
    make_list(&list, "ttveeuv", hashes);
    for (int i = 0; i < 7; i++)
        draw(pixels + i * BYTES, 1); /* all of them look the same too */
    assert_int_equal(an_find_copies(&list, pixels, SIDE, SIDE, copies), AN_OK);
    static const int of[] = {-1, -1, 0, 0, 1, -1, 1}, exact[] = {0, 0, 1, 0, 1, 0, 1};
    for (int i = 0; i < 7; i++) {
        assert_int_equal(copies[i].of, of[i]);
        assert_int_equal(copies[i].exact, exact[i]);
    }
    assert_int_equal(an_find_copies(&list, pixels, 4, 4, copies), AN_OK);
    assert_int_equal(copies[3].of, -1); /* too small to be compared, but */
    assert_int_equal(copies[2].of, 0);  /* the bytes are */
    int64_t live = an_mem_live();
    an_code code = AN_ENOMEM;
    for (int nth = 1; code == AN_ENOMEM && nth < 200; nth++) {
        an_mem_fail_at(nth);
        code = an_find_copies(&list, pixels, SIDE, SIDE, copies);
        an_mem_fail_at(0);
        assert_int_equal(an_mem_live(), live);
    }
    assert_int_equal(code, AN_OK);
    an_listing_free(&list);
}

/* Two thousand pictures with one fingerprint: a few comparisons each, not two thousand. */
static void test_many_equal_pictures_end_soon(void **state)
{
    (void)state;
    static char parts[MOST + 1];
    static an_copy copies[MOST];
    an_listing list;
    for (int i = 0; i < MOST; i++) {
        parts[i] = i < MOST / 2 ? 't' : 'e';
        draw(pixels + i * BYTES, 7);
    }
    make_list(&list, parts, NULL);
    assert_int_equal(an_find_copies(&list, pixels, SIDE, SIDE, copies), AN_OK);
    int found = 0;
    for (int i = MOST / 2; i < MOST; i++)
        found += copies[i].of >= 0;
    assert_int_equal(found, AN_NEAR_WINDOW); /* those next to the training images */
    an_listing_free(&list);
}

/* ── files ──────────────────────────────────────────────────────────────────── */

static void add_file(an_listing *list, const char *path, an_part part)
{
    an_item item = {.key = path, .path = path, .class_name = list->n % 2 ? "b" : "a", .part = part};
    assert_int_equal(an_listing_add(list, &item), AN_OK);
}

static void test_formats_sizes_and_grey(void **state)
{
    (void)state;
    an_listing list;
    an_image_facts facts[4];
    assert_int_equal(an_listing_begin(&list, "set"), AN_OK);
    add_file(&list, scratch_colour("1.png", 5, 7, 90, 98, 94), AN_TRAIN);
    add_file(&list, scratch_colour("2.bmp", 6, 8, 90, 99, 94), AN_TEST);
    add_file(&list, scratch_colour("3.png", 5, 7, 1, 1, 1), AN_UNUSED);
    assert_int_equal(an_listing_seal(&list), AN_OK);
    for (int i = 0; i < 3 * 16; i++) {
        pixels[3 * i] = 90;
        pixels[3 * i + 1] = (uint8_t)(i < 16 ? 98 : 99);
        pixels[3 * i + 2] = 94;
    }
    assert_int_equal(an_survey(&list, pixels, 4, 4, facts), AN_OK);
    assert_int_equal(facts[0].format, AN_PNG);
    assert_int_equal(facts[0].width, 7);
    assert_int_equal(facts[0].height, 5);
    assert_true(facts[0].grey); /* 8 levels */
    assert_int_equal(facts[1].format, AN_BMP);
    assert_int_equal(facts[1].width, 8);
    assert_false(facts[1].grey); /* 9 levels */
    assert_int_equal(facts[2].format, AN_NOT_IMAGE);
    remove(list.items[1].path);
    assert_int_equal(an_survey(&list, pixels, 4, 4, facts), AN_ENOTFOUND);
    assert_non_null(strstr(an_err_message(), "2.bmp"));
    an_listing_free(&list);
}

/* A JPEG whose size follows on 100,000 bytes of comments, behind what is read at first. */
static void test_a_size_behind_long_comments(void **state)
{
    (void)state;
    static uint8_t bytes[100100] = {0xFF, 0xD8};
    size_t n = 2;
    for (int i = 0; i < 2; i++, n += 50002)
        memcpy(bytes + n, "\xFF\xFE\xC3\x50", 4); /* a comment of 50,000 bytes */
    memcpy(bytes + n, "\xFF\xC0\0\x11\x08\0\x30\0\x40\3\1\x11\0\2\x11\1\3\x11\1\xFF\xD9", 21);
    const char *path = scratch_file("long.jpg", bytes, n + 21);
    an_listing list;
    an_image_facts facts[2];
    assert_int_equal(an_listing_begin(&list, "set"), AN_OK);
    add_file(&list, path, AN_TRAIN);
    add_file(&list, scratch_colour("z.png", 5, 7, 1, 2, 3), AN_TRAIN);
    assert_int_equal(an_listing_seal(&list), AN_OK);
    assert_int_equal(an_survey(&list, pixels, 4, 4, facts), AN_OK);
    assert_int_equal(facts[0].format, AN_JPEG);
    assert_int_equal(facts[0].width, 64);
    assert_int_equal(facts[0].height, 48);
    an_listing_free(&list);
}

/* A file that was replaced after its image was read: its sides are not multiplied. */
static void test_a_size_that_no_image_has(void **state)
{
    (void)state;
    static const char png[] =
        "\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\10\2\0\0\0CRC!";
    an_listing list;
    an_image_facts facts[2];
    assert_int_equal(an_listing_begin(&list, "set"), AN_OK);
    add_file(&list, scratch_file("huge.png", png, sizeof png - 1), AN_TRAIN);
    add_file(&list, scratch_colour("z.png", 5, 7, 1, 2, 3), AN_TRAIN);
    assert_int_equal(an_listing_seal(&list), AN_OK);
    assert_int_equal(an_survey(&list, pixels, 4, 4, facts), AN_OK);
    assert_int_equal(facts[0].format, AN_PNG);
    assert_int_equal(facts[0].width, 0);
    assert_int_equal(facts[0].height, 0);
    assert_int_equal(facts[1].width, 7);
    an_listing_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_same_photo),
        cmocka_unit_test(test_photos_of_one_kind_are_not_copies),
        cmocka_unit_test(test_the_same_bytes),
        cmocka_unit_test(test_many_equal_pictures_end_soon),
        cmocka_unit_test(test_formats_sizes_and_grey),
        cmocka_unit_test(test_a_size_behind_long_comments),
        cmocka_unit_test(test_a_size_that_no_image_has),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
