/* near_copies: validation and test images that are also in the training part: with the same bytes,
 * or as another picture that looks the same (re-encoded, resized, recoloured, slightly cropped).
 *
 * An image's fingerprint is a difference hash of 256 bits (Krawetz 2013, dHash): the picture in
 * grey, 17×16, with one bit per pair of horizontal neighbours. Two pictures look the same if at
 * most AN_NEAR_BITS bits differ, the pictures of 17×16 correlate with AN_NEAR_SHAPE or more, and
 * their details with AN_NEAR_DETAIL or more: the discrete Laplacian of the grey pictures of 32×32,
 * limited to ±AN_NEAR_LIMIT levels, so that a frame or a vignette does not outweigh them. The
 * details distinguish one photograph from two of the same kind: of 202 validation and test images
 * of HAM10000, cut by lesion, that have the shape of a training image, none has its details; of 120
 * photographs that are in both parts of CIFAR-10, 82 % do. Mirrored and rotated copies are not
 * found, nor are pictures with less contrast than AN_NEAR_CONTRAST.
 *
 * The work is bounded: an image is compared with those that share one of its AN_NEAR_BANDS bands of
 * AN_NEAR_BAND bits, at most AN_NEAR_WINDOW per band. If d of the 256 bits differ at random
 * positions, some band is the same with probability 1 − (1 − (1 − d/256)^12)^21: above 0.99 for 32
 * bits, 0.84 for 48. */
#ifndef AN_DATA_NEAR_COPIES_H
#define AN_DATA_NEAR_COPIES_H

#include <stdbool.h>
#include <stdint.h>

#include "data/listing.h"

#define AN_NEAR_BITS 48
#define AN_NEAR_SHAPE 0.92
#define AN_NEAR_DETAIL 0.35
#define AN_NEAR_LIMIT 4
#define AN_NEAR_CONTRAST 2 /* standard deviation of the small picture, of 255 levels */
#define AN_NEAR_BANDS 21
#define AN_NEAR_BAND 12
#define AN_NEAR_WINDOW 256
#define AN_NEAR_SIDE 24       /* pixels: smaller images are not compared */
#define AN_NEAR_IMAGES 300000 /* images: larger sets are not compared, for time and memory */

typedef struct an_copy {
    int64_t of; /* a training image, by position in the listing; −1: there is none */
    bool exact; /* the same content hash                                           */
} an_copy;

/* True if images that look the same are searched for; false: only those with the same bytes. */
bool an_near_comparable(const an_listing *list, int H, int W);

/* copies (n) of a sealed, hashed listing with its parts; pixels (n, H, W, 3) in its order. Only
 * validation and test images get an `of`: an exact copy if there is one, otherwise the one with the
 * fewest differing bits. AN_ENOMEM. */
an_code an_find_copies(const an_listing *list, const uint8_t *pixels, int H, int W,
                       an_copy *copies);

#endif
