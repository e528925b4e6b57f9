/* decode_png: decodes PNG through libpng.
 *
 * The checksums of all chunks, zlib's Adler-32 and the end chunk are verified. Chunks other than
 * those of the pixels are skipped after their checksum: no colour correction is applied, as in
 * other programs that train on such files. libpng reports an error by a call that must not return;
 * the only setjmp() is in decode_within(), and everything used across it is in a struct of the
 * caller. */
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include <png.h>

#include "base/memory/mem.h"
#include "data/decode.h"

#define IDAT 0x49444154u /* the type of the pixel chunks */

/* Limit on the bytes of compressed pixels after the last row: libpng inflates them all for their
 * checksum, and a file of a few megabytes can hold gigabytes of zeros there. */
#define AFTER_LAST_ROW 65536

typedef struct decoder {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t count, at;  /* at: the next byte to be read */
    size_t after_rows; /* bytes of compressed pixels that were read after the last row */
    const char *name;
    an_image *image;
    uint8_t **rows; /* (height) */
    an_code code;
} decoder;

static bool has_all_rows(png_structp png)
{
    const decoder *d = png_get_io_ptr(png);
    if (png_get_interlace_type(png, d->info) == PNG_INTERLACE_ADAM7)
        return png_get_current_pass_number(png) >= PNG_INTERLACE_ADAM7_PASSES;
    return d->image->height > 0 && png_get_current_row_number(png) >= (png_uint_32)d->image->height;
}

static void read_bytes(png_structp png, png_bytep to, size_t count)
{
    decoder *d = png_get_io_ptr(png);
    if (count > d->count - d->at) {
        d->code = an_fail(AN_EFORMAT, "%s: truncated PNG, its end is missing; fetch the file again",
                          d->name);
        png_longjmp(png, 1);
    }
    if (has_all_rows(png) && png_get_io_chunk_type(png) == IDAT)
        d->after_rows += count;
    if (d->after_rows > AFTER_LAST_ROW)
        png_error(png, "more compressed data than its pixels");
    memcpy(to, d->bytes + d->at, count);
    d->at += count;
}

static void on_error(png_structp png, png_const_charp why)
{
    decoder *d = png_get_error_ptr(png);
    if (d->code == AN_OK)
        d->code = an_fail(AN_EFORMAT, "%s: damaged PNG (%s)", d->name, why);
    png_longjmp(png, 1);
}

/* Called for errors that libpng considers benign. In pixel chunks, only surplus data are accepted:
 * a wrong zlib checksum, which libpng also considers benign, is an error. */
static void on_warning(png_structp png, png_const_charp why)
{
    const bool more = strstr(why, "Extra compressed data") || strstr(why, "Too much image data");
    if (png_get_io_ptr(png) && png_get_io_chunk_type(png) == IDAT && !more)
        png_error(png, why);
}

static png_voidp take_memory(png_structp png, png_alloc_size_t bytes)
{
    void *block = an_alloc(bytes);
    decoder *d = png_get_mem_ptr(png);
    if (!block)
        d->code = AN_ENOMEM;
    return block;
}

static void give_memory(png_structp png, png_voidp block)
{
    (void)png;
    an_free(block);
}

/* Converts everything to red, green, blue and an unused byte, 8 bits each. */
static void set_layout(decoder *d)
{
    png_set_expand_gray_1_2_4_to_8(d->png);
    if (png_get_color_type(d->png, d->info) == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(d->png);
    png_set_strip_16(d->png); /* the high byte */
    png_set_gray_to_rgb(d->png);
    png_set_strip_alpha(d->png);
    png_set_filler(d->png, 0, PNG_FILLER_AFTER);
    png_set_interlace_handling(d->png);
    png_read_update_info(d->png, d->info);
}

static void make_rows(decoder *d)
{
    an_image *image = d->image;
    image->width = (int)png_get_image_width(d->png, d->info);
    image->height = (int)png_get_image_height(d->png, d->info);
    const size_t row = (size_t)image->width * 4;
    if (png_get_rowbytes(d->png, d->info) != row)
        png_error(d->png, "unexpected layout");
    d->code = an_image_make_pixels(image);
    d->rows = an_alloc((size_t)image->height * sizeof *d->rows);
    if (d->code != AN_OK || !d->rows) {
        d->code = AN_ENOMEM;
        png_longjmp(d->png, 1);
    }
    for (int y = 0; y < image->height; y++)
        d->rows[y] = image->pixels + row * (size_t)y;
}

/* The code that libpng may leave at any call. */
static void decode_within(decoder *d)
{
    if (setjmp(png_jmpbuf(d->png)))
        return;
    png_set_read_fn(d->png, d, read_bytes);
    png_set_user_limits(d->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* our own limits follow */
    png_set_crc_action(d->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_benign_errors(d->png, 1); /* they become warnings: on_warning() */
    png_set_keep_unknown_chunks(d->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_check_for_invalid_index(d->png, -1); /* a missing palette entry is black */
    png_read_info(d->png, d->info);
    d->code = an_check_image_size(AN_PNG, png_get_image_width(d->png, d->info),
                                  png_get_image_height(d->png, d->info), d->name);
    if (d->code != AN_OK)
        return;
    set_layout(d);
    make_rows(d);
    png_read_image(d->png, d->rows);
    png_read_end(d->png, d->info); /* this makes an unknown critical chunk an error too */
}

an_code an_decode_png(const uint8_t *bytes, size_t count, const char *name, an_image *image)
{
    if (an_probe_image(bytes, count).apple)
        return an_fail(AN_EFORMAT, "%s: Apple's variant of PNG (CgBI) is not supported; convert it",
                       name);
    if (count >= 16 && memcmp(bytes + 12, "IHDR", 4) != 0) /* libpng skips others before it */
        return an_fail(AN_EFORMAT, "%s: damaged PNG (its first chunk is not IHDR)", name);
    decoder d = {.bytes = bytes, .count = count, .name = name, .image = image};
    d.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &d, on_error, on_warning, &d,
                                     take_memory, give_memory);
    d.info = d.png ? png_create_info_struct(d.png) : NULL;
    if (d.info)
        decode_within(&d);
    else
        d.code = AN_ENOMEM;
    png_destroy_read_struct(&d.png, &d.info, NULL);
    an_free(d.rows);
    if (d.code != AN_OK)
        an_image_free(image);
    return d.code;
}
