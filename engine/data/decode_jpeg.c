/* decode_jpeg: decodes JPEG through libjpeg-turbo, which only this file uses.
 *
 * libjpeg reports an error by a call that must not return, so each decode has one setjmp(), in
 * decode_within(); everything used across it is in a struct of the caller. A warning about damaged
 * data is an error or, with AN_DAMAGED_ACCEPT, sets a flag in the image. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "base/memory/mem.h"
#include "data/decode.h"

#define SCANS 100                 /* of a progressive file; common encoders write up to 20 */
#define WORKING_MEMORY (1L << 30) /* bytes that libjpeg may hold for one image */
#define ROWS 4                    /* at a time: libjpeg makes as many from two rows of colour */
#define ACCEPT "fetch the file again, or accept such images with data.damaged = \"accept\""

typedef struct decoder {
    struct jpeg_error_mgr errors; /* first: libjpeg's pointer to it also points to the decoder */
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf escape;
    const uint8_t *bytes;
    size_t count;
    const char *name;
    an_damage_policy damage;
    an_image *image;
    an_code code;
} decoder;

static _Noreturn void give_up(decoder *d, an_code code)
{
    d->code = code;
    longjmp(d->escape, 1);
}

/* ── libjpeg's messages ───────────────────────────────────────────────────────── */

static _Noreturn void on_error(j_common_ptr common)
{
    decoder *d = (decoder *)common->err;
    char why[JMSG_LENGTH_MAX];
    if (d->errors.msg_code == JERR_OUT_OF_MEMORY || d->errors.msg_code == JERR_NO_BACKING_STORE)
        give_up(d, an_fail(AN_ENOMEM, "%s: no memory to decode this JPEG", d->name));
    if (d->errors.msg_code == JERR_INPUT_EOF || d->errors.msg_code == JERR_INPUT_EMPTY)
        give_up(d,
                an_fail(AN_EFORMAT, "%s: truncated JPEG, its end is missing; fetch the file again",
                        d->name));
    if (d->errors.msg_code == JERR_FRACT_SAMPLE_NOTIMPL)
        give_up(d, an_fail(AN_EFORMAT,
                           "%s: JPEG with fractional sampling factors is not supported; convert it",
                           d->name));
    d->errors.format_message(common, why);
    give_up(d, an_fail(AN_EFORMAT, "%s: damaged JPEG (%s)", d->name, why));
}

/* The latest warning as a defect of the file; NULL: the pixels are correct despite it. Stray bytes
 * between segments are harmless; after a scan they mean that its data were misread. */
static const char *defect(const decoder *d, const struct jpeg_decompress_struct *jpeg)
{
    switch (d->errors.msg_code) {
    case JWRN_JPEG_EOF:
        return "truncated JPEG, its end is missing";
    case JWRN_HIT_MARKER:
        return "damaged JPEG: its scan ends early";
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
        return "damaged JPEG: impossible codes in its scan";
    case JWRN_MUST_RESYNC:
        return "damaged JPEG: restart markers are missing or out of order";
    case JWRN_BOGUS_PROGRESSION:
        return "damaged JPEG: its scans do not complete one another";
    case JWRN_EXTRANEOUS_DATA: {
        size_t at = (size_t)(jpeg->src->next_input_byte - d->bytes);
        if (at > 0 && an_jpeg_in_scan(d->bytes, d->count, at - 1))
            return "JPEG with stray bytes after the data of a scan, as damage leaves them";
        return NULL;
    }
    default:
        return NULL;
    }
}

static void report_defect(decoder *d, const char *why)
{
    if (d->damage == AN_DAMAGED_REFUSE)
        give_up(d, an_fail(AN_EFORMAT, "%s: %s; " ACCEPT, d->name, why));
    d->image->damaged = true;
}

static void on_message(j_common_ptr common, int level)
{
    decoder *d = (decoder *)common->err;
    const char *why = level < 0 ? defect(d, &d->jpeg) : NULL;
    if (why)
        report_defect(d, why);
}

/* Called for each row of blocks. */
static void on_progress(j_common_ptr common)
{
    decoder *d = (decoder *)common->err;
    if (d->jpeg.input_scan_number > SCANS)
        give_up(d,
                an_fail(AN_EFORMAT, "%s: JPEG of more than %d scans; convert it", d->name, SCANS));
}

/* ── decoding ─────────────────────────────────────────────────────────────────── */

/* Converts four inks to red, green, blue in place. 255 is no ink, as Adobe's programs store it and
 * every common decoder assumes. */
static void from_inks(uint8_t *row, int64_t pixels)
{
    for (uint8_t *p = row; p < row + pixels * 4; p += 4)
        for (int c = 0; c < 3; c++) {
            const int ink = (255 - p[c]) * p[3] + 128;
            const int colour = p[3] - ((ink + (ink >> 8)) >> 8);
            p[c] = (uint8_t)(colour < 0 ? 0 : colour);
        }
}

/* True if a progressive file lacks bits of some coefficients: libjpeg accepts an end marker after
 * the first scans as the end of the file. coef_bits: the lowest bit read so far, 0 if complete. */
static bool lacks_scans(const struct jpeg_decompress_struct *jpeg)
{
    if (!jpeg->progressive_mode)
        return false;
    for (int c = 0; c < jpeg->num_components; c++)
        for (int k = 0; k < DCTSIZE2; k++)
            if (jpeg->coef_bits[c][k] != 0)
                return true;
    return false;
}

static void read_rows(decoder *d)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    const size_t row = (size_t)jpeg->output_width * 4;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *first = d->image->pixels + jpeg->output_scanline * row;
        JSAMPROW rows[ROWS];
        for (JDIMENSION y = 0; y < ROWS; y++) /* libjpeg does not write rows below the image */
            rows[y] = y < jpeg->output_height - jpeg->output_scanline ? first + y * row : first;
        const JDIMENSION count = jpeg_read_scanlines(jpeg, rows, ROWS);
        if (jpeg->out_color_space == JCS_CMYK)
            from_inks(first, (int64_t)count * jpeg->output_width);
    }
}

/* The code that libjpeg may leave at any call. */
static void decode_within(decoder *d)
{
    struct jpeg_decompress_struct *jpeg = &d->jpeg;
    if (setjmp(d->escape))
        return;
    jpeg_create_decompress(jpeg);
    jpeg->mem->max_memory_to_use = WORKING_MEMORY;
    jpeg->progress = &d->progress;
    jpeg_mem_src(jpeg, d->bytes, (unsigned long)d->count);
    jpeg_read_header(jpeg, TRUE);
    d->code = an_check_image_size(AN_JPEG, jpeg->image_width, jpeg->image_height, d->name);
    if (d->code != AN_OK)
        return;
    jpeg->out_color_space = jpeg->num_components == 4 ? JCS_CMYK : JCS_EXT_RGBX;
    jpeg_start_decompress(jpeg);
    d->image->width = (int)jpeg->output_width, d->image->height = (int)jpeg->output_height;
    if (an_image_make_pixels(d->image) != AN_OK)
        give_up(d, AN_ENOMEM);
    if (lacks_scans(jpeg))
        report_defect(d, "damaged JPEG: its last scans are missing");
    read_rows(d);
    jpeg_finish_decompress(jpeg); /* reads up to the end marker */
}

/* Refuses what libjpeg-turbo cannot read, or reads without detecting damage. */
static an_code check_kind(const an_image_probe *probe, const char *name)
{
    const uint8_t frame = probe->frame;
    const char *kind = frame == 0xF7                       ? "JPEG-LS"
                       : frame >= 0xC0 && (frame & 3) == 3 ? "lossless JPEG"
                       : frame >= 0xC9                     ? "arithmetic-coded JPEG"
                       : frame >= AN_JPEG_HIERARCHICAL     ? "hierarchical JPEG"
                                                           : NULL;
    if (kind)
        return an_fail(AN_EFORMAT, "%s: %s is not supported; convert it", name, kind);
    if (frame && probe->precision != 8)
        return an_fail(AN_EFORMAT, "%s: %d-bit JPEG is not supported; convert it to 8 bits", name,
                       probe->precision);
    if (frame && probe->components != 1 && probe->components != 3 && probe->components != 4)
        return an_fail(AN_EFORMAT, "%s: JPEG of %d components is not supported; convert it", name,
                       probe->components);
    if (frame && probe->width > 0 && probe->height == 0)
        return an_fail(AN_EFORMAT,
                       "%s: JPEG with its height after the scan (DNL) is not supported; convert it",
                       name);
    return AN_OK;
}

an_code an_decode_jpeg(const uint8_t *bytes, size_t count, const char *name,
                       an_damage_policy damage, an_image *image)
{
    const an_image_probe probe = an_probe_image(bytes, count);
    an_code code = check_kind(&probe, name);
    if (code != AN_OK)
        return code;
    decoder d = {.bytes = bytes, .count = count, .name = name, .damage = damage, .image = image};
    d.jpeg.err = jpeg_std_error(&d.errors);
    d.errors.error_exit = on_error;
    d.errors.emit_message = on_message;
    d.progress.progress_monitor = on_progress;
    decode_within(&d);
    jpeg_destroy_decompress(&d.jpeg);
    if (d.code != AN_OK)
        an_image_free(image);
    return d.code;
}
