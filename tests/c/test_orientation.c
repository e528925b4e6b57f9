/* EXIF orientations: all eight in JPEG and PNG, both byte orders, and blocks that are malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "data/exif.h"
#include "data/image.h"
#include "data/image_probe.h"
#include "data/text_orientation.h"
#include "tests/c/jpeg_writer.h"
#include "tests/c/png_writer.h"

enum { BLOCK = 6 + 8 + 2 + 2 * 12 + 4 };

static void put16(uint8_t *to, int value, bool big_endian)
{
    to[big_endian ? 0 : 1] = (uint8_t)(value >> 8), to[big_endian ? 1 : 0] = (uint8_t)value;
}

/* "Exif\0\0" and an IFD of two entries: ImageWidth, Orientation. */
static void exif_block(uint8_t block[BLOCK], int orientation, bool big_endian)
{
    memset(block, 0, BLOCK);
    memcpy(block, "Exif", 4);
    memcpy(block + 6, big_endian ? "MM" : "II", 2);
    put16(block + 8, 42, big_endian);
    put16(block + (big_endian ? 12 : 10), 8, big_endian);
    put16(block + 14, 2, big_endian);
    for (int i = 0; i < 2; i++) {
        uint8_t *entry = block + 16 + 12 * i;
        put16(entry, i ? 0x0112 : 0x0100, big_endian);
        put16(entry + 2, 3, big_endian);
        put16(entry + (big_endian ? 6 : 4), 1, big_endian);
        put16(entry + 8, i ? orientation : 20, big_endian);
    }
}

static void test_both_byte_orders(void **state)
{
    (void)state;
    uint8_t block[BLOCK];
    for (int value = 0; value < 12; value++)
        for (int big_endian = 0; big_endian < 2; big_endian++) {
            const int expected = value >= 1 && value <= 8 ? value : 1;
            exif_block(block, value, big_endian);
            assert_int_equal(an_exif_orientation(block, BLOCK), expected);
            assert_int_equal(an_exif_orientation(block + 6, BLOCK - 6), expected);
        }
}

/* Cut anywhere, pointing anywhere, cyclic: no orientation, and nothing outside is read. */
static void test_malformed_blocks_have_no_orientation(void **state)
{
    (void)state;
    uint8_t block[BLOCK];
    exif_block(block, 6, true);
    for (size_t n = 0; n < BLOCK - 4; n++) {
        uint8_t *exact = malloc(n + !n); /* a sanitizer detects a read past the end */
        memcpy(exact, block, n);
        assert_int_equal(an_exif_orientation(exact, n), 0);
        free(exact);
    }
    for (uint32_t offset = 0; offset < 400; offset += 1 + offset / 60) {
        put_be32(block + 10, offset == 399 ? UINT32_MAX : offset);
        const int found = an_exif_orientation(block, BLOCK);
        assert_true(found >= 0 && found <= 8);
    }
    exif_block(block, 6, true);
    put_be32(block + BLOCK - 4, 8); /* the next IFD is the first one */
    assert_int_equal(an_exif_orientation(block, BLOCK), 6);
    block[14] = block[15] = 0xFF; /* more entries than bytes */
    assert_int_equal(an_exif_orientation(block, BLOCK), 6);
    block[31] = 2; /* text in the place of a number */
    assert_int_equal(an_exif_orientation(block, BLOCK), 1);
}

static void test_an_attribute_and_an_element_of_xmp(void **state)
{
    (void)state;
    static const struct {
        const char *packet;
        int orientation;
    } packets[] = {
        {"<rdf:Description tiff:Orientation=\"6\"/>", 6},
        {"<rdf:Description tiff:Orientation='8' tiff:Make='x'/>", 8},
        {"<tiff:Orientation>3</tiff:Orientation>", 3},
        {"tiff:Orientation tiff:OrientationX=\"2\" tiff:Orientation=\"5\"", 5},
        {"tiff:Orientation=\"0\"", 0},
        {"tiff:Orientation=\"9\"", 0},
        {"tiff:Orientation=\"x\"", 0},
        {"tiff:Orientation=\"", 0},
        {"tiff:Orientation=", 0},
        {"tiff:Orientation>", 0},
        {"tiff:Orientation", 0},
        {"exif:Orientation=\"6\"", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
        const size_t n = strlen(packets[i].packet);
        uint8_t *exact = malloc(n + !n); /* a sanitizer detects a read past the end */
        memcpy(exact, packets[i].packet, n);
        assert_int_equal(an_xmp_orientation(exact, n), packets[i].orientation);
        free(exact);
    }
}

/* The stored 3 × 2 pixels are 0 1 2 / 3 4 5; what each orientation shows, row by row (EXIF 2.32:
 * where the 0th row and the 0th column are). */
static const char *const shown[9] = {NULL,       "012/345",  "210/543",  "543/210", "345/012",
                                     "03/14/25", "30/41/52", "52/41/30", "25/14/03"};

static void assert_shows(const uint8_t *file, size_t count, int orientation, int unit)
{
    an_image image;
    const an_image_probe probe = an_probe_image(file, count);
    assert_int_equal(an_image_decode(file, count, "x", AN_DAMAGED_REFUSE, &image), AN_OK);
    assert_int_equal(image.width, (orientation >= 5 ? 2 : 3) * unit);
    assert_int_equal(image.height, (orientation >= 5 ? 3 : 2) * unit);
    assert_int_equal(probe.width, image.width);
    assert_int_equal(probe.height, image.height);
    const char *at = shown[orientation];
    for (int y = 0; y < image.height / unit; y++, at += *at == '/')
        for (int x = 0; x < image.width / unit; x++, at++) {
            const int middle = (y * unit + unit / 2) * image.width + x * unit + unit / 2;
            assert_in_range(image.pixels[4 * middle], (*at - '0') * 40 + 18, (*at - '0') * 40 + 22);
        }
    an_image_free(&image);
}

static void test_jpegs_are_turned(void **state)
{
    (void)state;
    enum { UNIT = 8 }; /* a pixel is a block of its own */
    uint8_t grey[2 * UNIT * 3 * UNIT], segment[4 + BLOCK] = {0xFF, 0xE1, 0, BLOCK + 2};
    for (int i = 0; i < (int)sizeof grey; i++)
        grey[i] = (uint8_t)(20 + 40 * (i / (3 * UNIT) / UNIT * 3 + i % (3 * UNIT) / UNIT));
    bytes b = write_jpeg(grey, 2 * UNIT, 3 * UNIT, 1,
                         &(jpeg_kind){JCS_GRAYSCALE, JCS_GRAYSCALE, false, false, 0});
    for (int orientation = 1; orientation <= 8; orientation++) {
        exif_block(segment + 4, orientation, orientation % 2);
        bytes turned = splice(b, 2, 0, segment, sizeof segment);
        assert_shows(turned.data, turned.count, orientation, UNIT);
        assert_int_equal(an_pixel_version(turned.data, turned.count), 1);
        free(turned.data);
    }
    free(b.data);
}

/* XMP counts where EXIF has no orientation, and changes the version of the pixels. */
static void test_jpegs_are_turned_by_xmp(void **state)
{
    (void)state;
    enum { UNIT = 8 };
    uint8_t grey[2 * UNIT * 3 * UNIT], exif[4 + BLOCK] = {0xFF, 0xE1, 0, BLOCK + 2};
    char xmp[] = "\xFF\xE1\0\x33http://ns.adobe.com/xap/1.0/\0tiff:Orientation=\"6\"";
    assert_int_equal(sizeof xmp - 1, 2 + 0x33);
    for (int i = 0; i < (int)sizeof grey; i++)
        grey[i] = (uint8_t)(20 + 40 * (i / (3 * UNIT) / UNIT * 3 + i % (3 * UNIT) / UNIT));
    bytes b = write_jpeg(grey, 2 * UNIT, 3 * UNIT, 1,
                         &(jpeg_kind){JCS_GRAYSCALE, JCS_GRAYSCALE, false, false, 0});
    bytes turned = splice(b, 2, 0, xmp, sizeof xmp - 1);
    assert_shows(turned.data, turned.count, 6, UNIT);
    assert_int_equal(an_pixel_version(turned.data, turned.count), 2);
    for (int orientation = 1; orientation < 4; orientation += 2) {
        exif_block(exif + 4, orientation, false);
        bytes both = splice(turned, 2, 0, exif, sizeof exif);
        assert_shows(both.data, both.count, orientation, UNIT);
        assert_int_equal(an_pixel_version(both.data, both.count), 1);
        free(both.data);
    }
    exif[4 + 6] = 'X'; /* a block that cannot be read */
    bytes malformed = splice(turned, 2, 0, exif, sizeof exif);
    assert_shows(malformed.data, malformed.count, 6, UNIT);
    free(b.data), free(turned.data), free(malformed.data);
}

/* The upright pixels of a PNG, 3 × 2. */
static const uint16_t SAMPLES[6] = {20, 60, 100, 140, 180, 220};

/* The chunk may be before and after the pixels; the content's version changes with the turn alone.
 */
static void test_pngs_are_turned(void **state)
{
    (void)state;
    static png_file file;
    uint8_t block[BLOCK];
    for (int way = 0; way < 16; way++) {
        const int orientation = way % 8 + 1;
        exif_block(block, orientation, way % 2);
        png_begin(&file, 3, 2, 8, 0, 0);
        if (way < 8)
            png_chunk(&file, "eXIf", block + 6, BLOCK - 6);
        png_pixels(&file, SAMPLES, 3, 2, 1, 8, 0);
        if (way >= 8) {
            file.count -= 12; /* before the end */
            png_chunk(&file, "eXIf", block + 6, BLOCK - 6);
            png_chunk(&file, "IEND", NULL, 0);
        }
        assert_shows(file.data, file.count, orientation, 1);
        assert_int_equal(an_pixel_version(file.data, file.count), orientation > 1);
    }
}

/* A text chunk; `kind` 't', 'z' or 'i', of which the last one is compressed if `packed`. */
static void put_text(png_file *to, char kind, bool packed, const char *keyword, const char *text)
{
    const char type[5] = {kind, kind == 't' ? 'E' : 'T', 'X', 't', 0};
    uint8_t body[1024] = {0};
    size_t n = strlen(keyword) + 1;
    memcpy(body, keyword, n);
    if (kind == 'i')
        body[n++] = packed;
    n += kind == 't' ? 0 : kind == 'z' ? 1 : 3; /* the method; no language, no translation */
    if (kind == 'z' || packed) {
        uLongf count = sizeof body - n;
        assert_int_equal(compress(body + n, &count, (const uint8_t *)text, strlen(text)), Z_OK);
        n += count;
    } else {
        memcpy(body + n, text, strlen(text));
        n += strlen(text);
    }
    png_chunk(to, kind == 't' ? "tEXt" : type, body, n);
}

/* "\nexif\n      LENGTH\n" and the block in hexadecimal digits, in lines. */
static void profile_text(char *to, const uint8_t *block)
{
    to += sprintf(to, "\nexif\n%8d\n", BLOCK);
    for (int i = 0; i < BLOCK; i++)
        to += sprintf(to, i % 12 == 11 ? "%02X\n" : "%02x", block[i]);
}

/* The text chunks in which programs keep EXIF and XMP data, compressed and not. */
static void test_pngs_are_turned_by_their_texts(void **state)
{
    (void)state;
    static png_file file;
    uint8_t block[BLOCK];
    for (int way = 0; way < 6 * 8; way++) {
        const int orientation = way % 8 + 1, kind = way / 8;
        char text[256], xmp[] = "<x tiff:Orientation=\"0\"/>";
        exif_block(block, orientation, way % 2);
        profile_text(text, block);
        xmp[21] = (char)('0' + orientation);
        png_begin(&file, 3, 2, 8, 0, 0);
        if (kind < 2)
            put_text(&file, kind ? 'z' : 't', false, "Raw profile type exif", text);
        else if (kind < 4)
            put_text(&file, 'i', kind == 3, "XML:com.adobe.xmp", xmp);
        else
            put_text(&file, 'z', false, "Raw profile type exif", "no\nprofile");
        if (kind == 4) /* eXIf counts before the others */
            put_text(&file, 'i', false, "XML:com.adobe.xmp", "tiff:Orientation=\"5\"");
        if (kind >= 4)
            png_chunk(&file, "eXIf", block + 6, BLOCK - 6);
        png_pixels(&file, SAMPLES, 3, 2, 1, 8, 0);
        assert_shows(file.data, file.count, orientation, 1);
        assert_int_equal(an_pixel_version(file.data, file.count), orientation > 1);
    }
}

/* A text of which anything is missing or changed: nothing outside is read. */
static void test_malformed_texts_are_passed_over(void **state)
{
    (void)state;
    static png_file file;
    uint8_t block[BLOCK];
    char text[256];
    exif_block(block, 6, true);
    profile_text(text, block);
    for (int kind = 0; kind < 4; kind++) {
        file.count = 0;
        put_text(&file, "tzii"[kind], kind == 3,
                 kind < 2 ? "Raw profile type exif" : "XML:com.adobe.xmp",
                 kind < 2 ? text : "tiff:Orientation=\"6\"");
        const size_t length = file.count - 12;
        for (size_t n = 0; n <= length; n++)
            for (int change = 0; change < 2; change++) {
                uint8_t *exact = malloc(n + !n);
                memcpy(exact, file.data + 8, n);
                if (change && n > 0)
                    exact[n / 2] ^= 0x21;
                an_orientations found = {0};
                an_png_text_orientation(file.data + 4, exact, n, &found);
                assert_in_range(found.profile + found.xmp, 0, 8);
                if (n == length && !change)
                    assert_int_equal(found.profile + found.xmp, 6);
                free(exact);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_byte_orders),
        cmocka_unit_test(test_malformed_blocks_have_no_orientation),
        cmocka_unit_test(test_jpegs_are_turned),
        cmocka_unit_test(test_pngs_are_turned),
        cmocka_unit_test(test_an_attribute_and_an_element_of_xmp),
        cmocka_unit_test(test_jpegs_are_turned_by_xmp),
        cmocka_unit_test(test_pngs_are_turned_by_their_texts),
        cmocka_unit_test(test_malformed_texts_are_passed_over),
    };
    return cmocka_run_group_tests_name("orientation", tests, NULL, NULL);
}
