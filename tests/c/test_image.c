/* Decoding, rejected files, and resizing against sums computed by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "base/memory/mem.h"
#include "base/rng.h"
#include "io/file.h"
#include "data/image.h"
#include "data/image_probe.h"
#include "tests/c/png_writer.h"
#include "tests/c/resize3.h"
#include "tests/c/sample_jpeg.h"
#include "tests/c/scratch.h"

static uint8_t picture[12 * 20 * 3];

static void draw(void)
{
    for (int i = 0; i < (int)sizeof picture; i++)
        picture[i] = (uint8_t)(40 + i / 60 * 10 + i % 3 * 30 + i % 60 / 3 * 2);
}

/* Writes the picture in the format of the name's extension. */
static const char *picture_file(const char *name)
{
    draw();
    return strstr(name, ".jpg") ? scratch_file(name, sample_jpeg, sizeof sample_jpeg)
                                : scratch_image(name, picture, 12, 20);
}

static void test_formats_decode_to_the_same_pixels(void **state)
{
    (void)state;
    static const char *const names[] = {"a.png", "a.bmp", "a.jpg"};
    static const int tolerance[] = {0, 0, 12};
    for (int f = 0; f < 3; f++) {
        an_image image = {0};
        assert_int_equal(an_image_load(picture_file(names[f]), AN_DAMAGED_REFUSE, &image), AN_OK);
        assert_int_equal(image.width, 20);
        assert_int_equal(image.height, 12);
        for (size_t i = 0; i < sizeof picture; i++)
            assert_in_range(abs(image.pixels[i / 3 * 4 + i % 3] - picture[i]), 0, tolerance[f]);
        an_image_free(&image);
    }
}

static void assert_error(const char *path, const char *why)
{
    an_image image = {0};
    assert_int_equal(an_image_load(path, AN_DAMAGED_REFUSE, &image), AN_EFORMAT);
    assert_null(image.pixels);
    if (!strstr(an_err_message(), path) || !strstr(an_err_message(), why))
        fail_msg("'%s' does not contain %s and '%s'", an_err_message(), path, why);
    assert_null(strchr(an_err_message(), '\n'));
}

static void test_text_is_not_an_image(void **state)
{
    (void)state;
    assert_error(scratch_file("text.jpg", "hello, I am not an image", 24),
                 "not a JPEG, PNG or BMP");
    assert_error(scratch_file("empty.jpg", "", 0), "empty file");
    assert_error(scratch_file("gif.png", "GIF89a\x01\x00\x01\x00\x80\x00\x00", 13),
                 "a GIF image, not a JPEG");
    assert_error(scratch_file("webp.jpg", "RIFF\x24\0\0\0WEBPVP8 ", 16), "a WebP image");
    assert_error(scratch_file("tiff.jpg", "II*\0\x08\0\0\0\0\0", 10), "a TIFF image");
    assert_error(scratch_file("big.bmp", "MM\0*\0\0\0\x08\0\0", 10), "a TIFF image");
    assert_error(scratch_file("heic.jpg",
                              "\0\0\0\x18"
                              "ftypheic\0\0\0\0",
                              16),
                 "a HEIC image");
}

/* A truncated file is rejected, whatever its length. */
static void test_every_truncation_is_rejected(void **state)
{
    (void)state;
    static const char *const names[] = {"cut.jpg", "cut.png", "cut.bmp"};
    for (int f = 0; f < 3; f++) {
        uint8_t *bytes;
        size_t count;
        assert_int_equal(an_file_read(picture_file(names[f]), 1 << 20, &bytes, &count), AN_OK);
        for (size_t n = 0; n < count; n++) {
            an_image image = {0};
            uint8_t *exact = malloc(n + !n); /* a sanitizer detects a read past the end */
            memcpy(exact, bytes, n);
            assert_int_equal(an_image_decode(exact, n, "cut", AN_DAMAGED_REFUSE, &image),
                             AN_EFORMAT);
            free(exact);
        }
        an_free(bytes);
    }
    assert_non_null(strstr(an_err_message(), "truncated BMP"));
}

static void test_sizes_are_checked_before_decoding(void **state)
{
    (void)state;
    static png_file file;
    png_begin(&file, 60000, 60000, 8, 2, 0);
    png_chunk(&file, "IDAT", NULL, 0);
    assert_error(scratch_file("huge.png", file.data, file.count), "60000x60000");
    assert_non_null(strstr(an_err_message(), "16384"));
    png_begin(&file, 10000, 10000, 8, 2, 0);
    png_chunk(&file, "IDAT", NULL, 0);
    assert_error(scratch_file("large.png", file.data, file.count), "64 megapixels");
    file.data[18] ^= 1; /* a size that the checksum does not confirm is no reason */
    assert_error(scratch_file("damaged.png", file.data, file.count),
                 "damaged PNG (IHDR: CRC error)");
}

static void test_a_damaged_png_is_rejected(void **state)
{
    (void)state;
    uint8_t *bytes;
    size_t count;
    const char *path = picture_file("damaged.png");
    assert_int_equal(an_file_read(path, 1 << 20, &bytes, &count), AN_OK);
    memset(bytes + 43, 0xFF, 9);
    assert_error(scratch_file("damaged.png", bytes, count), "damaged PNG");
    an_free(bytes);
}

/* A few changed bytes anywhere: the file is rejected, or decoded to a picture that can be resized.
 * Under a sanitizer, this also detects memory errors. */
static void test_changed_bytes_do_no_harm(void **state)
{
    (void)state;
    static const char *const names[] = {"flip.jpg", "flip.png", "flip.bmp"};
    int64_t live = an_mem_live();
    int decoded = 0, rejected = 0;
    for (int f = 0; f < 3; f++) {
        uint8_t *bytes, small[7 * 5 * 3];
        size_t count;
        assert_int_equal(an_file_read(picture_file(names[f]), 1 << 20, &bytes, &count), AN_OK);
        for (uint64_t trial = 0; trial < 1500; trial++) {
            uint8_t *damaged = malloc(count); /* a sanitizer detects a read past the end */
            an_image image = {0};
            memcpy(damaged, bytes, count);
            for (uint64_t k = 0; k <= trial % 4; k++)
                damaged[an_below(1, trial, 2 * k, (int64_t)count)] =
                    (uint8_t)an_below(1, trial, 2 * k + 1, 256);
            an_image_probe probe = an_probe_image(damaged, count);
            if (probe.width * probe.height <= 1 << 20) {
                an_code code =
                    an_image_decode(damaged, count, "damaged", AN_DAMAGED_ACCEPT, &image);
                assert_true(code == AN_OK || code == AN_EFORMAT);
                decoded += code == AN_OK, rejected += code != AN_OK;
                if (code == AN_OK)
                    assert_int_equal(
                        an_resize(image.pixels, image.height, image.width, small, 7, 5, AN_PAD),
                        AN_OK);
            }
            an_image_free(&image);
            free(damaged);
        }
        an_free(bytes);
    }
    assert_true(decoded > 100 && rejected > 100);
    assert_int_equal(an_mem_live(), live);
}

/* Huffman tables that are no prefix codes, or with more symbols than there are. */
static void test_impossible_tables_are_rejected(void **state)
{
    (void)state;
    uint8_t bytes[sizeof sample_jpeg];
    size_t at = 0;
    memcpy(bytes, sample_jpeg, sizeof bytes);
    while (bytes[at] != 0xFF || bytes[at + 1] != 0xC4)
        at++;
    bytes[at + 5 + 15] = 255; /* codes of 16 bits */
    assert_error(scratch_file("table.jpg", bytes, sizeof bytes), "Bogus Huffman table");
    bytes[at + 5 + 15] = sample_jpeg[at + 5 + 15], bytes[at + 5] = 3; /* three codes of one bit */
    assert_error(scratch_file("table.jpg", bytes, sizeof bytes), "Bogus Huffman table");
}

/* What is not a regular file is refused before a byte is read: a pipe has no end. */
static void test_pipes_and_devices_are_refused_at_once(void **state)
{
    (void)state;
    const char *pipe_path = scratch("pipe.png"), *device = scratch("device.jpg");
    const char *loop = scratch("loop.png");
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    assert_int_equal(symlink("/dev/zero", device), 0);
    assert_int_equal(symlink(loop, loop), 0);
    assert_error(pipe_path, "not a regular file");
    assert_error(device, "not a regular file");
    an_image image;
    assert_int_not_equal(an_image_load(loop, AN_DAMAGED_REFUSE, &image), AN_OK);
    assert_non_null(strstr(an_err_message(), "Too many levels"));
}

static void test_missing_file_and_folder(void **state)
{
    (void)state;
    an_image image = {0};
    assert_int_equal(an_image_load(scratch("none.jpg"), AN_DAMAGED_REFUSE, &image), AN_ENOTFOUND);
    assert_int_equal(an_image_load(scratch_root, AN_DAMAGED_REFUSE, &image), AN_EFORMAT);
}

static void test_out_of_memory_is_reported(void **state)
{
    (void)state;
    const char *path = picture_file("memory.jpg");
    int64_t live = an_mem_live();
    int failures = 0;
    for (int64_t nth = 1; nth < 60; nth++) {
        an_image image = {0};
        an_mem_fail_at(nth);
        an_code code = an_image_load(path, AN_DAMAGED_REFUSE, &image);
        an_mem_fail_at(0);
        assert_true(code == AN_OK || code == AN_ENOMEM);
        failures += code == AN_ENOMEM;
        an_image_free(&image);
        assert_int_equal(an_mem_live(), live);
    }
    assert_true(failures >= 2);
}

static void test_shrinking_averages_the_exact_area(void **state)
{
    (void)state;
    /* one row of 5 pixels onto 2: each covers 2.5 */
    const uint8_t row[15] = {10, 0, 0, 20, 0, 0, 90, 100, 0, 40, 0, 0, 50, 0, 250};
    uint8_t out[6];
    assert_int_equal(resize3(row, 1, 5, out, 1, 2, AN_STRETCH), AN_OK);
    const uint8_t expected[6] = {30, 20, 0, 54, 20, 100}; /* (10+20+45)/2.5; (45+40+50)/2.5 */
    assert_memory_equal(out, expected, sizeof out);
}

static void test_same_size_is_the_identity_and_enlarging_interpolates(void **state)
{
    (void)state;
    uint8_t out[12 * 20 * 3];
    draw();
    assert_int_equal(resize3(picture, 12, 20, out, 12, 20, AN_STRETCH), AN_OK);
    assert_memory_equal(out, picture, sizeof out);
    const uint8_t two[6] = {0, 0, 0, 100, 200, 40};
    uint8_t four[12];
    assert_int_equal(resize3(two, 1, 2, four, 1, 4, AN_STRETCH), AN_OK);
    const uint8_t expected[12] = {0, 0, 0, 25, 50, 10, 75, 150, 30, 100, 200, 40};
    assert_memory_equal(four, expected, sizeof four);
}

/* Odd shapes, enlarged and shrunk, against the definition in double precision. */
static void test_any_shape_averages_its_areas(void **state)
{
    (void)state;
    enum { MAX_SIDE = 41 };
    static uint8_t src[MAX_SIDE * MAX_SIDE * 3], out[MAX_SIDE * 3];
    for (int i = 0; i < (int)sizeof src; i++)
        src[i] = (uint8_t)(i * 2654435761u >> 24);
    for (int width = 2; width <= MAX_SIDE; width++)
        for (int W = 1; W < width; W++) {
            assert_int_equal(resize3(src, 3, width, out, 1, W, AN_STRETCH), AN_OK);
            for (int i = 0; i < W * 3; i++) {
                double lo = (double)(i / 3) * width / W, hi = lo + (double)width / W, sum = 0;
                for (int x = 0; x < width; x++) {
                    double share = fmin(hi, x + 1) - fmax(lo, x);
                    for (int y = 0; y < 3 && share > 0; y++)
                        sum += share * src[(y * width + x) * 3 + i % 3];
                }
                assert_true(fabs(sum / 3 / (hi - lo) - out[i]) < 0.501);
            }
        }
}

static void test_aspect_policies(void **state)
{
    (void)state;
    /* 4 wide, 2 high: left half black, right half white */
    uint8_t src[24], out[12];
    for (int i = 0; i < 24; i++)
        src[i] = i % 12 < 6 ? 0 : 200;
    assert_int_equal(resize3(src, 2, 4, out, 2, 2, AN_CROP), AN_OK);
    assert_int_equal(out[0], 0);
    assert_int_equal(out[3], 200);
    assert_int_equal(resize3(src, 2, 4, out, 1, 1, AN_CROP), AN_OK);
    assert_int_equal(out[0], 100);
    uint8_t square[48];
    memset(src, 80, sizeof src);
    assert_int_equal(resize3(src, 2, 4, square, 4, 4, AN_PAD), AN_OK);
    for (int i = 0; i < 48; i++)
        assert_int_equal(square[i], i >= 12 && i < 36 ? 80 : 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats_decode_to_the_same_pixels),
        cmocka_unit_test(test_text_is_not_an_image),
        cmocka_unit_test(test_every_truncation_is_rejected),
        cmocka_unit_test(test_sizes_are_checked_before_decoding),
        cmocka_unit_test(test_a_damaged_png_is_rejected),
        cmocka_unit_test(test_changed_bytes_do_no_harm),
        cmocka_unit_test(test_impossible_tables_are_rejected),
        cmocka_unit_test(test_pipes_and_devices_are_refused_at_once),
        cmocka_unit_test(test_missing_file_and_folder),
        cmocka_unit_test(test_out_of_memory_is_reported),
        cmocka_unit_test(test_shrinking_averages_the_exact_area),
        cmocka_unit_test(test_same_size_is_the_identity_and_enlarging_interpolates),
        cmocka_unit_test(test_any_shape_averages_its_areas),
        cmocka_unit_test(test_aspect_policies),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
