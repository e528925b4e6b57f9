/* image_files: image files as network input without a data set, for applying a trained model. Each
 * picture passes through the same decoder, resize and normalisation as those of a data set
 * (pixel_cache.h, augment.h), so a file yields the same numbers as in training. */
#ifndef AN_DATA_IMAGE_FILES_H
#define AN_DATA_IMAGE_FILES_H

#include <stdint.h>

#include "base/err.h"
#include "data/decoded_image.h"
#include "data/resize.h"

typedef struct an_input_form {
    int H, W; /* pixels, 1 … 1024 */
    an_aspect aspect;
    an_damage_policy damage;
    float mean[3], std[3]; /* per channel, of values in [0, 1]; std > 0 */
} an_input_form;

/* paths (n) → images (n, H, W, 3), normalised. why (n): NULL for an image that was read, else a
 * message that names the file and its defect, which the caller frees with an_free(); the numbers of
 * such an image are 0. Files are read in parallel. AN_ENOMEM, AN_ESTOPPED: then every entry of why
 * is NULL. */
an_code an_image_files_read(const char *const *paths, int64_t n, const an_input_form *form,
                            float *images, char **why);

#endif
