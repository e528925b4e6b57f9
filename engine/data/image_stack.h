/* image_stack: the images of a container (CIFAR, IDX, npz), resized and hashed while they are read.
 *
 * A reader adds the images block by block, in the order of the keys: PART/NNNNNNN with the parts in
 * alphabetical order (test, train, val), so that the pixels are in the order of the sealed listing.
 * The content hash of an image covers its bytes in the container, so it does not depend on the
 * requested size. Containers are read at every opening and need no cache; memory: the resized
 * images and one block. */
#ifndef AN_DATA_IMAGE_STACK_H
#define AN_DATA_IMAGE_STACK_H

#include <stdbool.h>
#include <stdint.h>

#include "data/listing.h"
#include "data/resize.h"
#include "io/unpack.h"

#define AN_STACK_IMAGES 10000000 /* the most images of a container */
#define AN_STACK_SIDE 1024       /* pixels, the longest side of an image */
#define AN_STACK_BLOCK (4 << 20) /* approximate bytes that readers add at a time */

typedef struct an_raw_shape {
    int height, width, channels; /* channels: 1 or 3 */
    bool planar; /* (channels, height, width) in memory, not (height, width, channels) */
    int skip;    /* bytes before each image: the labels of a record */
} an_raw_shape;

typedef struct an_image_stack {
    an_listing *list; /* begun, with its classes, not sealed */
    int H, W;
    an_aspect aspect;
    uint8_t *pixels; /* (n, H, W, 3), an_free */
    int64_t n, room;
} an_image_stack;

/* Makes room for `images` more. AN_EFORMAT: more than AN_STACK_IMAGES in total. AN_ENOMEM. */
an_code an_image_stack_reserve(an_image_stack *stack, int64_t images);

/* AN_EFORMAT if images of a container cannot have this shape; `name` is for the message. */
an_code an_raw_shape_check(const an_raw_shape *shape, const char *name);
int64_t an_raw_bytes(const an_raw_shape *shape); /* of one image, without skipped bytes */

/* Adds `count` images of one part, numbered from `first` in that part; labels are classes of the
 * listing. The room must be reserved. AN_ENOMEM. */
an_code an_image_stack_add(an_image_stack *stack, an_part part, int64_t first,
                           const an_raw_shape *shape, const uint8_t *images, const int64_t *labels,
                           int64_t count);

/* Reserves and adds the n images of a part from `u`, in blocks. labels (n). Also the failures of
 * an_unpack_read(). */
an_code an_image_stack_read(an_image_stack *stack, an_part part, const an_raw_shape *shape,
                            an_unpack *u, const int64_t *labels, int64_t n);

/* Sets the classes of the listing: `names` (K), or, with names NULL, "0" … up to the largest label.
 * labels [AN_PARTS] (n[part]), NULL where n is 0. AN_EFORMAT names the image whose label is below 0
 * or above K − 1 (without names: above 999). AN_EINVAL: a name is listed twice. AN_ENOMEM. */
an_code an_image_stack_classes(an_image_stack *stack, const char *const *names, int K,
                               int64_t *const labels[AN_PARTS], const int64_t n[AN_PARTS]);

#endif
