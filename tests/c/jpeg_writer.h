/* jpeg_writer: small JPEGs of every kind, by libjpeg's encoder, and changes to their bytes. */
#ifndef AN_TESTS_JPEG_WRITER_H
#define AN_TESTS_JPEG_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

typedef struct bytes {
    uint8_t *data;
    size_t count;
} bytes;

typedef struct jpeg_kind {
    J_COLOR_SPACE given, stored; /* of the samples and of the file */
    bool progressive, without_adobe;
    int restart_blocks; /* 0: no restart markers */
} jpeg_kind;

/* samples (h, w, channels of `given`); the luminance is not subsampled less than the colours. */
static inline bytes write_jpeg(const uint8_t *samples, int h, int w, int channels,
                               const jpeg_kind *kind)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *memory = NULL;
    unsigned long count = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &memory, &count);
    jpeg.image_width = (JDIMENSION)w, jpeg.image_height = (JDIMENSION)h;
    jpeg.input_components = channels, jpeg.in_color_space = kind->given;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, kind->stored);
    jpeg_set_quality(&jpeg, 100, TRUE);
    for (int c = 0; c < jpeg.num_components; c++)
        jpeg.comp_info[c].h_samp_factor = jpeg.comp_info[c].v_samp_factor = 1;
    if (kind->progressive)
        jpeg_simple_progression(&jpeg);
    if (kind->without_adobe)
        jpeg.write_Adobe_marker = FALSE;
    jpeg.restart_interval = (unsigned)kind->restart_blocks;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = (uint8_t *)(uintptr_t)samples + (size_t)jpeg.next_scanline * w * channels;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return (bytes){memory, count};
}

/* The place of the n-th marker (from 1) of this code; aborts if there is none. */
static inline size_t find_marker(bytes b, uint8_t marker, int n)
{
    for (size_t at = 0; at + 1 < b.count; at++)
        if (b.data[at] == 0xFF && b.data[at + 1] == marker && --n == 0)
            return at;
    abort();
}

/* A copy with `cut` bytes at `at` replaced by n others. */
static inline bytes splice(bytes b, size_t at, size_t cut, const void *others, size_t n)
{
    bytes out = {malloc(b.count - cut + n), b.count - cut + n};
    if (!out.data)
        abort();
    memcpy(out.data, b.data, at);
    memcpy(out.data + at, others, n);
    memcpy(out.data + at + n, b.data + at + cut, b.count - at - cut);
    return out;
}

#endif
