/* foreign_image: identifies a file that is named like an image but is not a JPEG, PNG or BMP. */
#ifndef AN_DATA_FOREIGN_IMAGE_H
#define AN_DATA_FOREIGN_IMAGE_H

#include <stddef.h>
#include <stdint.h>

/* "a GIF image", "a WebP image", "a web page"; NULL if the first bytes match no known kind. *way:
 * what the user can do, such as "convert it"; set if the kind is known. */
const char *an_foreign_image(const uint8_t *bytes, size_t count, const char **way);

#endif
