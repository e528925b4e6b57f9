/* BMPs of every depth, header, compression and row order, against pixels computed here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/image.h"
#include "data/image_probe.h"

enum { H = 5, W = 7 };

typedef struct layout {
    int bits, header, gap, compression; /* gap: bytes before the pixels */
    bool from_above;
    uint32_t masks[3];
} layout;

static uint8_t file[4096], palette[256][3];
static size_t count;
static uint32_t samples[H][W]; /* indices or packed colours, the upper row first */

static void put(uint32_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        file[count++] = (uint8_t)(value >> 8 * i);
}

static void put_headers(const layout *l)
{
    count = 0;
    put('B' | 'M' << 8, 2), put(0, 4), put(0, 4), put(0, 4);
    put((uint32_t)l->header, 4);
    const int size = l->header == 12 ? 2 : 4;
    put(W, size), put((uint32_t)(l->from_above ? -H : H), size), put(1, 2),
        put((uint32_t)l->bits, 2);
    if (l->header > 12) {
        put((uint32_t)l->compression, 4), put(0, 4), put(2835, 4), put(2835, 4), put(0, 4),
            put(0, 4);
        for (int c = 0; c < 3 && (l->header > 40 || l->compression == 3); c++)
            put(l->masks[c], 4);
    }
    while (count < 14 + (size_t)l->header)
        put(0, 1);
    for (int i = 0; l->bits <= 8 && i < 1 << l->bits; i++) {
        put(palette[i][2], 1), put(palette[i][1], 1), put(palette[i][0], 1);
        put(0, l->header == 12 ? 0 : 1);
    }
    for (int i = 0; i < l->gap; i++)
        put(0xAA, 1);
    for (int i = 0; i < 4; i++)
        file[10 + i] = (uint8_t)(count >> 8 * i);
}

static void put_rows(const layout *l)
{
    for (int y = 0; y < H; y++) {
        const uint32_t *row = samples[l->from_above ? y : H - 1 - y];
        const size_t start = count;
        uint32_t bits = 0;
        for (int x = 0; x < W; x++) {
            if (l->bits >= 8) {
                put(row[x], l->bits / 8);
                continue;
            }
            bits = bits << l->bits | row[x];
            if ((x + 1) * l->bits % 8 == 0)
                put(bits, 1), bits = 0;
        }
        if (W * l->bits % 8)
            put(bits << (8 - W * l->bits % 8), 1);
        while ((count - start) % 4)
            put(0, 1);
    }
}

static void make(const layout *l)
{
    for (int i = 0; i < 256; i++)
        for (int c = 0; c < 3; c++)
            palette[i][c] = (uint8_t)an_below(1, (uint64_t)c, (uint64_t)i, 256);
    for (int i = 0; i < H * W; i++)
        samples[i / W][i % W] =
            (uint32_t)an_below(2, 0, (uint64_t)i, l->bits == 32 ? 1LL << 32 : 1 << l->bits);
    put_headers(l);
    put_rows(l);
}

/* The value that the mask selects, of 255. */
static double part(uint32_t sample, uint32_t mask)
{
    return 255.0 * (sample & mask) / mask;
}

static void assert_decodes(const layout *l)
{
    an_image image;
    if (an_image_decode(file, count, "x.bmp", AN_DAMAGED_REFUSE, &image) != AN_OK)
        fail_msg("%d bits, header %d: %s", l->bits, l->header, an_err_message());
    assert_int_equal(image.width, W);
    assert_int_equal(image.height, H);
    for (int i = 0; i < H * W; i++)
        for (int c = 0; c < 3; c++) {
            const uint32_t sample = samples[i / W][i % W];
            const double expected = l->bits <= 8 ? palette[sample][c] : part(sample, l->masks[c]);
            assert_true(fabs(image.pixels[4 * i + c] - expected) < 1);
        }
    an_image_free(&image);
}

#define OF_555                                                                                     \
    {                                                                                              \
        0x7C00, 0x3E0, 0x1F                                                                        \
    }
#define OF_888                                                                                     \
    {                                                                                              \
        0xFF0000, 0xFF00, 0xFF                                                                     \
    }

static void test_every_layout(void **state)
{
    (void)state;
    const layout layouts[] = {
        {.bits = 1, .header = 40},
        {.bits = 2, .header = 40},
        {.bits = 4, .header = 40, .gap = 5},
        {.bits = 8, .header = 40, .from_above = true},
        {.bits = 1, .header = 12, .gap = 9},
        {.bits = 8, .header = 12},
        {.bits = 24, .header = 12, .masks = OF_888},
        {.bits = 8, .header = 124},
        {.bits = 4, .header = 64},
        {.bits = 16, .header = 40, .masks = OF_555},
        {.bits = 16, .header = 40, .compression = 3, .masks = {0xF800, 0x7E0, 0x1F}},
        {.bits = 16, .header = 108, .compression = 3, .masks = {0xF, 0xF0, 0xF00}, .gap = 3},
        {.bits = 24, .header = 40, .masks = OF_888, .gap = 64},
        {.bits = 24, .header = 124, .masks = OF_888, .from_above = true},
        {.bits = 32, .header = 40, .masks = OF_888, .gap = 2},
        {.bits = 32, .header = 40, .compression = 3, .masks = {0xFF, 0xFF00, 0xFF0000}},
        {.bits = 32, .header = 56, .compression = 3, .masks = {0x3FF00000, 0xFFC00, 0x3FF}},
    };
    for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++) {
        make(&layouts[k]);
        assert_decodes(&layouts[k]);
    }
}

/* The headers of a file whose rows are the given codes, then the codes. */
static void make_runs(int bits, const char *codes, size_t n)
{
    const layout l = {.bits = bits, .header = 40, .compression = bits == 8 ? 1 : 2, .gap = 7};
    make(&l);
    put_headers(&l);
    memcpy(file + count, codes, n);
    count += n;
}

static void assert_indices(const char *rows) /* from above, as digits */
{
    an_image image;
    if (an_image_decode(file, count, "x.bmp", AN_DAMAGED_REFUSE, &image) != AN_OK)
        fail_msg("%s", an_err_message());
    for (int i = 0; i < H * W; i++)
        assert_memory_equal(image.pixels + 4 * i, palette[rows[i / W * (W + 1) + i % W] - '0'], 3);
    an_image_free(&image);
}

#define RUNS(bits, codes) make_runs(bits, codes, sizeof codes - 1)

static void test_runs_of_8_bits(void **state)
{
    (void)state;
    /* 7 × 1; literals 2 3 4 and 4 × 5; a jump by (2, 1) to 3 × 6; a run beyond the end of its row
     */
    RUNS(8, "\7\1\0\0"
            "\0\3\2\3\4\0\4\5\0\0"
            "\0\2\2\1\3\6\0\0"
            "\x09\7\0\1");
    assert_indices("7777777/0066600/0000000/2345555/1111111");
}

static void test_runs_of_4_bits(void **state)
{
    (void)state;
    /* 5 × 1 2 alternating; literals 3 4 5 6 7; the end of the bitmap after two rows */
    RUNS(4, "\5\x12\2\x88\0\0"
            "\0\5\x34\x56\x70\0\0\1");
    assert_indices("0000000/0000000/0000000/3456700/1212188");
}

static void assert_refused(const char *why)
{
    an_image image;
    assert_int_equal(an_image_decode(file, count, "x.bmp", AN_DAMAGED_ACCEPT, &image), AN_EFORMAT);
    if (!strstr(an_err_message(), why))
        fail_msg("'%s' does not contain '%s'", an_err_message(), why);
}

static void test_truncated_files_and_runs(void **state)
{
    (void)state;
    make(&(layout){.bits = 24, .header = 40});
    count -= 4;
    assert_refused("truncated BMP");
    RUNS(8, "\7\1\0\0\7\2\0\0\7\3");
    assert_refused("truncated BMP");
    RUNS(8, "\7\1\0\0\0\7\1\2\3");
    assert_refused("truncated BMP");
    RUNS(8, "\7\1\0\0\7\1\0\0\7\1\0\0\7\1\0\0\7\1"); /* whole without its last code */
    assert_indices("1111111/1111111/1111111/1111111/1111111");
}

/* Writers that leave the place 0 put the pixels after the palette. */
static void test_the_place_of_the_pixels(void **state)
{
    (void)state;
    static const layout layouts[] = {{.bits = 4, .header = 40},
                                     {.bits = 8, .header = 12},
                                     {.bits = 24, .header = 40, .masks = OF_888},
                                     {.bits = 16, .header = 40, .compression = 3, .masks = OF_555}};
    for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++) {
        make(&layouts[k]);
        memset(file + 10, 0, 4);
        assert_decodes(&layouts[k]);
        assert_int_equal(an_pixel_version(file, count), 1);
        file[10] = (uint8_t)(13 + layouts[k].header);
        assert_refused("damaged BMP (its pixels begin inside its headers)");
        assert_int_equal(an_pixel_version(file, count), 0);
    }
    make(&layouts[3]);
    file[10] = 54; /* where the masks are */
    assert_refused("damaged BMP (its pixels begin inside its headers)");
}

static void test_unsupported_kinds_are_named(void **state)
{
    (void)state;
    make(&(layout){.bits = 24, .header = 40, .compression = 4});
    file[28] = 0; /* as the format has it: the depth is inside */
    assert_refused("BMP with a JPEG inside is not supported; convert it");
    make(&(layout){.bits = 32, .header = 124, .compression = 5});
    assert_refused("BMP with a PNG inside is not supported; convert it");
    make(&(layout){.bits = 24, .header = 64, .compression = 4});
    assert_refused("BMP of compression 4 with 24 bits per pixel is not supported; convert it");
    make(&(layout){.bits = 24, .header = 40});
    file[28] = 48;
    assert_refused("BMP of 48 bits per pixel is not supported; convert it");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_layout),
        cmocka_unit_test(test_runs_of_8_bits),
        cmocka_unit_test(test_runs_of_4_bits),
        cmocka_unit_test(test_truncated_files_and_runs),
        cmocka_unit_test(test_the_place_of_the_pixels),
        cmocka_unit_test(test_unsupported_kinds_are_named),
    };
    return cmocka_run_group_tests_name("bmp", tests, NULL, NULL);
}
