/* resize: scales decoded pictures (image.h) to a fixed size. An axis that shrinks averages the
 * exact area that a target pixel covers; an axis that grows is interpolated linearly. */
#ifndef AN_DATA_RESIZE_H
#define AN_DATA_RESIZE_H

#include <stdint.h>

#include "base/err.h"

typedef enum {
    AN_STRETCH, /* the whole picture to the whole target, shape not kept          */
    AN_CROP,    /* shape kept, the centre fills the target, the rest is cut off    */
    AN_PAD,     /* shape kept, the whole picture centred, the rest black           */
    AN_ASPECTS
} an_aspect;
extern const char *const an_aspect_names[AN_ASPECTS + 1]; /* "stretch", "crop", "pad", NULL */

/* src (height, width, 4), the fourth byte ignored → dst (H, W, 3); all sizes ≥ 1. AN_ENOMEM. */
an_code an_resize(const uint8_t *src, int height, int width, uint8_t *dst, int H, int W,
                  an_aspect aspect);

#endif
