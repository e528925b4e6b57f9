/* PNGs of every colour type, depth and interlacing, and every damage that their checksums show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "base/rng.h"
#include "data/image.h"
#include "tests/c/png_writer.h"

enum { H = 11, W = 13, GREY = 0, RGB = 2, PALETTE = 3, GREY_ALPHA = 4, RGB_ALPHA = 6 };

static uint16_t samples[H * W * 4];
static uint8_t palette[256 * 3];
static png_file file;

static int channels_of(int type)
{
    return type == RGB ? 3 : type == GREY_ALPHA ? 2 : type == RGB_ALPHA ? 4 : 1;
}

static void make(int type, int depth, int interlaced, bool transparent)
{
    static const uint8_t alpha[16] = {0, 128, 255};
    for (int i = 0; i < H * W * channels_of(type); i++)
        samples[i] = (uint16_t)an_below(1, (uint64_t)type, (uint64_t)i, 1 << depth);
    for (int i = 0; i < 256 * 3; i++)
        palette[i] = (uint8_t)an_below(2, 0, (uint64_t)i, 256);
    png_begin(&file, W, H, depth, type, interlaced);
    png_chunk(&file, "gAMA", "\0\0\xB1\x8F", 4); /* no colour correction follows from it */
    if (type == PALETTE)
        png_chunk(&file, "PLTE", palette, (size_t)3 << depth);
    if (transparent)
        png_chunk(&file, "tRNS", alpha, type == PALETTE ? 2 : type == RGB ? 6 : 2);
    png_pixels(&file, samples, W, H, channels_of(type), depth, interlaced);
}

/* The 8 bits of a sample: its high ones, or fewer as the same fraction of white. */
static int eight_bits(int sample, int depth)
{
    return depth == 16 ? sample >> 8 : sample * 255 / ((1 << depth) - 1);
}

static void assert_decodes(int type, int depth)
{
    an_image image;
    if (an_image_decode(file.data, file.count, "x.png", AN_DAMAGED_REFUSE, &image) != AN_OK)
        fail_msg("type %d, depth %d: %s", type, depth, an_err_message());
    assert_int_equal(image.width, W);
    assert_int_equal(image.height, H);
    const int channels = channels_of(type);
    for (int i = 0; i < H * W; i++)
        for (int c = 0; c < 3; c++) {
            const int sample = samples[i * channels + (channels >= 3 ? c : 0)];
            assert_int_equal(image.pixels[i * 4 + c],
                             type == PALETTE ? palette[sample * 3 + c] : eight_bits(sample, depth));
        }
    an_image_free(&image);
}

static void test_every_type_and_depth(void **state)
{
    (void)state;
    static const int kinds[][2] = {
        {GREY, 1},    {GREY, 2},       {GREY, 4},      {GREY, 8},        {GREY, 16},
        {RGB, 8},     {RGB, 16},       {PALETTE, 1},   {PALETTE, 2},     {PALETTE, 4},
        {PALETTE, 8}, {GREY_ALPHA, 8}, {RGB_ALPHA, 8}, {GREY_ALPHA, 16}, {RGB_ALPHA, 16}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int way = 0; way < 4; way++) {
            const bool transparent = way / 2 && kinds[k][0] < GREY_ALPHA;
            make(kinds[k][0], kinds[k][1], way % 2, transparent);
            assert_decodes(kinds[k][0], kinds[k][1]);
        }
}

static void assert_refused(size_t count, const char *why)
{
    an_image image;
    assert_int_equal(an_image_decode(file.data, count, "x.png", AN_DAMAGED_ACCEPT, &image),
                     AN_EFORMAT);
    assert_null(image.pixels);
    if (!strstr(an_err_message(), why))
        fail_msg("'%s' does not contain '%s'", an_err_message(), why);
}

/* Any flipped bit after the signature is noticed: in lengths, types, content and checksums. */
static void test_every_flipped_bit_is_refused(void **state)
{
    (void)state;
    make(RGB, 8, 0, true);
    for (size_t at = 8; at < file.count; at++)
        for (int bit = 0; bit < 8; bit += 3) {
            an_image image;
            file.data[at] ^= (uint8_t)(1 << bit);
            an_code code =
                an_image_decode(file.data, file.count, "x.png", AN_DAMAGED_ACCEPT, &image);
            if (code != AN_EFORMAT)
                fail_msg("byte %zu, bit %d: code %d", at, bit, code);
            file.data[at] ^= (uint8_t)(1 << bit);
        }
    assert_decodes(RGB, 8);
}

/* A chunk whose own checksum is right, with wrong pixels or a wrong Adler-32 inside. */
static void test_the_checksum_of_the_pixels_is_verified(void **state)
{
    (void)state;
    uint8_t packed[64], raw[8] = {0, 1, 2, 3, 4, 5, 6};
    uLongf count = sizeof packed;
    assert_int_equal(compress(packed, &count, raw, 7), Z_OK);
    for (int wrong = 0; wrong < 2; wrong++) {
        packed[count - 1] ^= (uint8_t)wrong;
        png_begin(&file, 2, 1, 8, RGB, 0);
        png_chunk(&file, "IDAT", packed, count);
        png_chunk(&file, "IEND", NULL, 0);
        an_image image;
        assert_int_equal(an_image_decode(file.data, file.count, "x.png", AN_DAMAGED_REFUSE, &image),
                         wrong ? AN_EFORMAT : AN_OK);
        an_image_free(&image);
    }
    assert_non_null(strstr(an_err_message(), "damaged PNG (IDAT: incorrect data check)"));
}

/* Zeros after the last row cost no more than a little, whatever they inflate to. */
static void test_data_after_the_last_row_are_limited(void **state)
{
    (void)state;
    enum { PIECES = 3000, PIECE = 40000 }; /* 120 MB */
    static uint8_t zeros[PIECE], packed[400000];
    z_stream z = {.next_out = packed, .avail_out = sizeof packed};
    assert_int_equal(deflateInit(&z, 9), Z_OK);
    for (int i = 0; i <= PIECES; i++) {
        z.next_in = zeros, z.avail_in = i < PIECES ? PIECE : 0;
        assert_in_range(deflate(&z, i < PIECES ? Z_NO_FLUSH : Z_FINISH), Z_OK, Z_STREAM_END);
    }
    const size_t count = sizeof packed - z.avail_out;
    assert_true(count > 100000);
    deflateEnd(&z);
    for (int interlaced = 0; interlaced < 2; interlaced++) {
        png_begin(&file, 1, 1, 8, GREY, interlaced);
        for (size_t at = 0; at < count; at += 30000)
            png_chunk(&file, "IDAT", packed + at, count - at < 30000 ? count - at : 30000);
        png_chunk(&file, "IEND", NULL, 0);
        assert_refused(file.count, "more compressed data than its pixels");
    }
}

static void test_the_end_must_be_there(void **state)
{
    (void)state;
    make(GREY, 8, 0, false);
    assert_refused(file.count - 12, "truncated PNG, its end is missing");
    assert_refused(file.count - 1, "truncated PNG");
    memcpy(file.data + file.count, "more", 4), file.count += 4; /* after it, anything */
    assert_decodes(GREY, 8);
}

static void test_apples_variant_is_named(void **state)
{
    (void)state;
    memcpy(file.data, "\x89PNG\r\n\x1a\n", 8), file.count = 8;
    png_chunk(&file, "CgBI", "\x50\0\x20\2", 4);
    assert_refused(file.count, "Apple's variant of PNG (CgBI) is not supported; convert it");
}

static void test_a_second_header_is_refused(void **state)
{
    (void)state;
    png_begin(&file, 16384, 16384, 8, RGB, 0);
    png_chunk(&file, "IHDR", "\0\0\0\1\0\0\0\1\x08\2\0\0", 13);
    assert_refused(file.count, "damaged PNG (IHDR: out of place)");
}

/* Two pixels, and `more` bytes in their chunk; `raw` bytes are compressed, of which 7 are pixels.
 */
static void make_two_pixels(uLong raw, size_t more)
{
    static const uint8_t rows[64] = {0, 1, 2, 3, 4, 5, 6};
    uint8_t packed[128] = {0};
    uLongf count = sizeof packed;
    assert_int_equal(compress(packed, &count, rows, raw), Z_OK);
    png_begin(&file, 2, 1, 8, RGB, 0);
    png_chunk(&file, "IDAT", packed, count + more);
}

/* Some writers leave more data than the pixels; every pixel is there, with its checksum. */
static void test_more_data_than_pixels_do_no_harm(void **state)
{
    (void)state;
    for (int way = 0; way < 3; way++) {
        an_image image;
        make_two_pixels(way == 0 ? 64 : 7, way == 1 ? 20 : 0);
        if (way == 2)
            png_chunk(&file, "IDAT", "garbage", 7);
        png_chunk(&file, "IEND", NULL, 0);
        if (an_image_decode(file.data, file.count, "x.png", AN_DAMAGED_REFUSE, &image) != AN_OK)
            fail_msg("%s", an_err_message());
        for (int i = 0; i < 6; i++)
            assert_int_equal(image.pixels[i / 3 * 4 + i % 3], i + 1);
        an_image_free(&image);
    }
}

/* What must be known to show the image may be before and after the pixels. */
static void test_unknown_critical_chunks_are_refused(void **state)
{
    (void)state;
    png_begin(&file, 2, 1, 8, RGB, 0);
    png_chunk(&file, "ABCD", NULL, 0);
    assert_refused(file.count, "unhandled critical chunk");
    make_two_pixels(7, 0);
    png_chunk(&file, "ABCD", NULL, 0);
    png_chunk(&file, "IEND", NULL, 0);
    assert_refused(file.count, "unhandled critical chunk");
}

static void test_the_header_must_be_first(void **state)
{
    (void)state;
    static png_file late;
    make_two_pixels(7, 0);
    png_chunk(&file, "IEND", NULL, 0);
    memcpy(late.data, file.data, 8), late.count = 8;
    png_chunk(&late, "tEXt", "k\0v", 3);
    memcpy(late.data + late.count, file.data + 8, file.count - 8), late.count += file.count - 8;
    file = late;
    assert_refused(file.count, "damaged PNG (its first chunk is not IHDR)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type_and_depth),
        cmocka_unit_test(test_every_flipped_bit_is_refused),
        cmocka_unit_test(test_the_checksum_of_the_pixels_is_verified),
        cmocka_unit_test(test_data_after_the_last_row_are_limited),
        cmocka_unit_test(test_the_end_must_be_there),
        cmocka_unit_test(test_apples_variant_is_named),
        cmocka_unit_test(test_a_second_header_is_refused),
        cmocka_unit_test(test_more_data_than_pixels_do_no_harm),
        cmocka_unit_test(test_unknown_critical_chunks_are_refused),
        cmocka_unit_test(test_the_header_must_be_first),
    };
    return cmocka_run_group_tests_name("png", tests, NULL, NULL);
}
