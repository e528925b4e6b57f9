/* JPEGs of every kind that common tools write: read right, or refused with the true reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory/mem.h"
#include "data/image.h"
#include "data/image_probe.h"
#include "tests/c/jpeg_writer.h"

enum { H = 21, W = 35 };
static const jpeg_kind baseline = {JCS_RGB, JCS_YCbCr, false, false, 0};
static const jpeg_kind progressive = {JCS_RGB, JCS_YCbCr, true, false, 0};
static const jpeg_kind restarts = {JCS_RGB, JCS_YCbCr, false, false, 3};

static uint8_t picture[H * W * 4];

/* A texture that damage cannot leave unchanged, of `channels` channels; even values only. */
static void draw(int channels)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            for (int c = 0; c < channels; c++)
                picture[(y * W + x) * channels + c] =
                    (uint8_t)(120 + 3 * y - 2 * x + 25 * c + ((x / 3 + y / 2) % 2 ? 20 : 0));
}

static bytes sample(const jpeg_kind *kind)
{
    draw(3);
    return write_jpeg(picture, H, W, 3, kind);
}

static void assert_pixels(bytes b, int tolerance)
{
    an_image image;
    if (an_image_decode(b.data, b.count, "x.jpg", AN_DAMAGED_REFUSE, &image) != AN_OK)
        fail_msg("%s", an_err_message());
    assert_int_equal(image.width, W);
    assert_int_equal(image.height, H);
    assert_false(image.damaged);
    for (int i = 0; i < H * W; i++)
        for (int c = 0; c < 3; c++)
            assert_in_range(image.pixels[i * 4 + c] + 256 - picture[i * 3 + c], 256 - tolerance,
                            256 + tolerance);
    an_image_free(&image);
}

static void assert_refused(bytes b, const char *why)
{
    an_image image;
    const int64_t live = an_mem_live();
    assert_int_equal(an_image_decode(b.data, b.count, "x.jpg", AN_DAMAGED_REFUSE, &image),
                     AN_EFORMAT);
    assert_null(image.pixels);
    if (!strstr(an_err_message(), why) || strncmp(an_err_message(), "x.jpg: ", 7) != 0)
        fail_msg("'%s' does not contain '%s'", an_err_message(), why);
    assert_int_equal(an_mem_live(), live);
}

/* The damage is refused by default, and decoded with a mark on request. */
static void assert_damaged(bytes b, const char *why)
{
    an_image image;
    assert_refused(b, why);
    assert_non_null(strstr(an_err_message(), "data.damaged = \"accept\""));
    assert_int_equal(an_image_decode(b.data, b.count, "x.jpg", AN_DAMAGED_ACCEPT, &image), AN_OK);
    assert_true(image.damaged);
    assert_int_equal(image.width, W);
    an_image_free(&image);
}

static void test_kinds_decode_to_their_pixels(void **state)
{
    (void)state;
    const jpeg_kind kinds[] = {baseline,
                               progressive,
                               restarts,
                               {JCS_RGB, JCS_RGB, false, false, 0},
                               {JCS_RGB, JCS_RGB, true, false, 2}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        bytes b = sample(&kinds[k]);
        assert_pixels(b, 4);
        free(b.data);
    }
    draw(1);
    bytes grey =
        write_jpeg(picture, H, W, 1, &(jpeg_kind){JCS_GRAYSCALE, JCS_GRAYSCALE, false, false, 0});
    for (int i = H * W - 1; i >= 0; i--)
        memset(picture + 3 * i, picture[i], 3);
    assert_pixels(grey, 3);
    free(grey.data);
}

/* Four inks as files store them, 255 for none: the light that each leaves times that of black. */
static void test_four_inks_with_and_without_adobe_marker(void **state)
{
    (void)state;
    const jpeg_kind kinds[] = {{JCS_CMYK, JCS_CMYK, false, false, 0},
                               {JCS_CMYK, JCS_CMYK, false, true, 0},
                               {JCS_CMYK, JCS_YCCK, false, false, 0},
                               {JCS_CMYK, JCS_CMYK, true, true, 0}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        draw(4);
        bytes b = write_jpeg(picture, H, W, 4, &kinds[k]);
        for (int i = 0; i < H * W; i++)
            for (int c = 0; c < 3; c++)
                picture[3 * i + c] =
                    (uint8_t)((picture[4 * i + c] * picture[4 * i + 3] + 127) / 255);
        assert_pixels(b, 6);
        free(b.data);
    }
}

/* What other programs read in spite of it is read here, to the same pixels. */
static void test_harmless_bytes_are_passed_over(void **state)
{
    (void)state;
    bytes b = sample(&baseline), p = sample(&progressive);
    const uint8_t comment[] = {0xFF, 0xFF, 0xFF, 0xFE, 0, 4, 0xFF, 0xD9};
    const bytes changed[] = {
        splice(b, find_marker(b, 0xDB, 1), 0, "\0\7", 2),         /* before a quantisation table */
        splice(b, find_marker(b, 0xDA, 1), 0, "\1\2\3", 3),       /* before the scan             */
        splice(p, find_marker(p, 0xDA, 2), 0, "\0\0", 2),         /* between scans               */
        splice(b, find_marker(b, 0xDA, 1), 0, "\xFF\xFF\xFF", 3), /* fill bytes                  */
        splice(b, b.count - 2, 0, "\xFF\xD0", 2),                 /* a restart marker at the end */
        splice(b, b.count, 0, "more\xFF\xD8", 6),                 /* after the end               */
        splice(b, 2, 0, comment, sizeof comment),
        splice(b, 2, 0, "\xFF\xE7\0\0", 4), /* a segment that is too short for its own length */
    };
    for (size_t k = 0; k < sizeof changed / sizeof *changed; k++) {
        assert_pixels(changed[k], 4);
        free(changed[k].data);
    }
    free(b.data), free(p.data);
}

static void test_damaged_scans_are_refused_or_marked(void **state)
{
    (void)state;
    static const uint8_t zeros[100];
    bytes b = sample(&baseline), p = sample(&progressive), r = sample(&restarts);
    const size_t scan = find_marker(b, 0xDA, 1) + 14, middle = (scan + b.count) / 2;
    const size_t last_scan = find_marker(p, 0xDA, 10);
    bytes cut = splice(b, middle, b.count - middle, "\xFF\xD9", 2);
    bytes without_end = splice(b, b.count - 2, 2, "", 0), first_half = {b.data, middle};
    bytes zero_block = splice(b, middle, sizeof zeros, zeros, sizeof zeros);
    bytes longer = splice(b, b.count - 2, 0, zeros, sizeof zeros);
    bytes between = splice(p, find_marker(p, 0xC4, 3), 0, "\1\2", 2); /* behind a scan's data */
    bytes fewer_scans = splice(p, last_scan, p.count - last_scan, "\xFF\xD9", 2);
    bytes without_restart = splice(r, find_marker(r, 0xD1, 1), 2, "", 0);
    assert_damaged(cut, "damaged JPEG: its scan ends early");
    assert_damaged(without_end, "truncated JPEG");
    assert_damaged(first_half, "truncated JPEG");
    assert_damaged(zero_block, "x.jpg: ");
    assert_damaged(longer, "stray bytes after the data of a scan");
    assert_damaged(between, "stray bytes after the data of a scan");
    assert_damaged(fewer_scans, "its last scans are missing");
    assert_damaged(without_restart, "x.jpg: ");
    free(cut.data), free(without_end.data), free(zero_block.data), free(longer.data);
    free(between.data), free(fewer_scans.data), free(without_restart.data);
    free(b.data), free(p.data), free(r.data);
}

/* Kinds that cannot be read are not called damaged. */
static void test_unsupported_kinds_are_named(void **state)
{
    (void)state;
    static const struct {
        uint8_t frame;
        const char *why;
    } kinds[] = {{0xC3, "lossless JPEG is not supported; convert it"},
                 {0xC9, "arithmetic-coded JPEG is not supported; convert it"},
                 {0xCA, "arithmetic-coded JPEG is not supported; convert it"},
                 {0xCB, "lossless JPEG is not supported; convert it"},
                 {0xC5, "hierarchical JPEG is not supported; convert it"},
                 {0xF7, "JPEG-LS is not supported; convert it"}};
    bytes b = sample(&baseline);
    const size_t frame = find_marker(b, 0xC0, 1);
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        b.data[frame + 1] = kinds[k].frame;
        assert_refused(b, kinds[k].why);
        assert_null(strstr(an_err_message(), "damaged"));
    }
    b.data[frame + 1] = 0xC1, b.data[frame + 4] = 12;
    assert_refused(b, "12-bit JPEG is not supported; convert it to 8 bits");
    b.data[frame + 4] = 8, b.data[frame + 5] = b.data[frame + 6] = 0;
    assert_refused(b, "height after the scan (DNL)");
    free(b.data);
    b = sample(&baseline); /* factors 3, 2, 1 */
    b.data[frame + 11] = 0x31, b.data[frame + 14] = 0x21;
    assert_refused(b, "JPEG with fractional sampling factors is not supported; convert it");
    static const uint8_t dhp[] = {0xFF, 0xDE, 0, 11, 8, 0, H, 0, W, 1, 1, 0x11, 0};
    bytes hierarchical = splice(b, 2, 0, dhp, sizeof dhp);
    assert_refused(hierarchical, "hierarchical JPEG is not supported; convert it");
    free(b.data), free(hierarchical.data);
}

/* The limits hold for the size that the decoder reads, whatever hides the header from the probe. */
static void test_a_size_over_the_limit_is_refused(void **state)
{
    (void)state;
    bytes b = sample(&baseline);
    const size_t frame = find_marker(b, 0xC0, 1);
    memcpy(b.data + frame + 5, "\x3F\xFF\x3F\xFF", 4);
    assert_refused(b, "16383x16383 pixels; the limit is 64 megapixels");
    memcpy(b.data + frame + 5, "\x40\x01\0\1", 4);
    assert_refused(b, "the limit is 16384 on a side");
    free(b.data);
}

/* A file of thousands of empty scans costs each of them a pass over the image. */
static void test_the_number_of_scans_is_limited(void **state)
{
    (void)state;
    bytes b = sample(&progressive);
    const size_t first = find_marker(b, 0xDA, 1);
    bytes rest = {b.data + first, b.count - first};
    const size_t second = first + find_marker(rest, 0xC4, 1);
    bytes many = {malloc(b.count + 200 * (second - first)), b.count};
    size_t at = second;
    memcpy(many.data, b.data, second);
    for (int i = 0; i < 200; i++, at += second - first)
        memcpy(many.data + at, b.data + first, second - first);
    memcpy(many.data + at, b.data + second, b.count - second);
    many.count = at + b.count - second;
    an_image image;
    assert_int_equal(an_image_decode(many.data, many.count, "x.jpg", AN_DAMAGED_ACCEPT, &image),
                     AN_EFORMAT);
    assert_non_null(strstr(an_err_message(), "JPEG of more than 100 scans"));
    free(many.data), free(b.data);
}

static void test_bytes_of_a_scan_are_known(void **state)
{
    (void)state;
    bytes b = sample(&restarts);
    const size_t scan = find_marker(b, 0xDA, 1);
    assert_false(an_jpeg_in_scan(b.data, b.count, scan - 1));
    assert_false(an_jpeg_in_scan(b.data, b.count, scan + 3));
    assert_true(an_jpeg_in_scan(b.data, b.count, scan + 14));
    assert_true(an_jpeg_in_scan(b.data, b.count, b.count - 3));
    assert_false(an_jpeg_in_scan(b.data, b.count, b.count - 1));
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds_decode_to_their_pixels),
        cmocka_unit_test(test_four_inks_with_and_without_adobe_marker),
        cmocka_unit_test(test_harmless_bytes_are_passed_over),
        cmocka_unit_test(test_damaged_scans_are_refused_or_marked),
        cmocka_unit_test(test_unsupported_kinds_are_named),
        cmocka_unit_test(test_a_size_over_the_limit_is_refused),
        cmocka_unit_test(test_the_number_of_scans_is_limited),
        cmocka_unit_test(test_bytes_of_a_scan_are_known),
    };
    return cmocka_run_group_tests_name("jpeg", tests, NULL, NULL);
}
