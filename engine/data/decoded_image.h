/* decoded_image: a picture with 8 bits per channel, (height, width, 4) in rows: red, green, blue
 * and an unused byte; the limits on its size, and the policy for damaged ones. Four bytes per
 * pixel, because libjpeg-turbo converts colours with vector code for that layout. */
#ifndef AN_DATA_DECODED_IMAGE_H
#define AN_DATA_DECODED_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "data/image_probe.h"

#define AN_IMAGE_SIDE 16384              /* pixels, the longest side accepted           */
#define AN_IMAGE_PIXELS (64 * 1000000LL) /* width · height accepted                     */
#define AN_IMAGE_FILE (256u << 20)       /* bytes, the largest image file accepted      */

/* The policy for a JPEG whose entropy-coded data end early or are damaged: its pixels can be
 * decoded, but some of them are grey or wrong. A damaged PNG or BMP is always refused. */
typedef enum { AN_DAMAGED_REFUSE, AN_DAMAGED_ACCEPT } an_damage_policy;
extern const char *const an_damage_policy_names[]; /* "refuse", "accept", NULL */

typedef struct an_image {
    int width, height;
    uint8_t *pixels;
    bool damaged; /* accepted although its data are damaged */
} an_image;

/* Makes room for image->width · image->height pixels, contents undefined. AN_ENOMEM: pixels is
 * NULL.
 *
 * The pixels begin one pixel after the start of a cache line. For rows that begin at a multiple of
 * 32 bytes, libjpeg-turbo's colour conversion bypasses the cache (vmovntdq, jdcolext-avx2.asm) and
 * waits for memory: decoding a photograph of 200x150 then takes 1.45 times as long. */
an_code an_image_make_pixels(an_image *image);
void an_image_free(an_image *image); /* pixels may be NULL */

/* AN_EFORMAT: the size is over the limits; `name` is for the message. Each decoder checks the size
 * that it has read itself, so that no limit depends on how the probe interpreted a malformed
 * file. */
an_code an_check_image_size(an_format format, int64_t width, int64_t height, const char *name);

#endif
