/* lesions: a built-in synthetic, long-tailed image set; drawn, not photographed.
 *
 * Pictures like those of a dermatoscope: skin with a gradient and a vignette, hairs, and one lesion
 * whose traits (lesion_traits.c) come from its class, mixed with those of a class that it
 * resembles: classes overlap, and some pictures are ambiguous. Seven classes with the names, order
 * and proportions of HAM10000 (Tschandl et al. 2018); every part has a few pictures of each class.
 * The set is for trying out methods; it has no medical meaning. */
#ifndef AN_DATA_SYNTHETIC_LESIONS_H
#define AN_DATA_SYNTHETIC_LESIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "data/listing.h"

#define AN_LESION_CLASSES 7
extern const char *const an_lesion_names[AN_LESION_CLASSES]; /* nv mel bkl bcc akiec vasc df */

/* lesion_traits.c: the look of a lesion, each trait 0 … 1. */
enum {
    AN_SIZE,
    AN_LENGTH,
    AN_ASYMMETRY,
    AN_RAGGED,
    AN_SOFT,
    AN_DARK,
    AN_RED,
    AN_VARIEGATED,
    AN_BLUE,
    AN_SCAR,
    AN_NETWORK,
    AN_GLOBULES,
    AN_CYSTS,
    AN_LACUNAE,
    AN_VESSELS,
    AN_SCALE,
    AN_TRAITS
};
void an_lesion_traits(float traits[AN_TRAITS], int label, uint64_t seed, uint64_t image);

/* lesion_draw.c: one picture (H, W, 3), a function of (traits, seed, image) only. */
void an_lesion_draw(const float traits[AN_TRAITS], uint64_t seed, uint64_t image, int H, int W,
                    uint8_t *rgb);

/* n pictures with their parts (fractions val ≥ 0, test > 0, val + test < 1). Fills and seals `list`
 * (begun, empty); *pixels (an_free) is (n, H, W, 3) in its order. AN_EINVAL: n outside 70 … 10^7,
 * or fractions that leave a part without the largest class. AN_ENOMEM. AN_EIO after a signal. */
an_code an_lesions(an_listing *list, uint8_t **pixels, int64_t n, double val, double test,
                   uint64_t seed, int H, int W);

#endif
