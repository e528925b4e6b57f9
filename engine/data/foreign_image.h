/* foreign_image: what a file is that has an image's name and is not a JPEG, PNG or BMP. */
#ifndef AN_DATA_FOREIGN_IMAGE_H
#define AN_DATA_FOREIGN_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* "a GIF image", "a WebP image", "a web page"; NULL where the first bytes are of no known kind.
 * *way: what the user can do, such as "convert it"; set where the kind is known. */
const char *an_foreign_image(const uint8_t *bytes, size_t count, const char **way);

#endif
