/* text_orientation: the orientation of a picture if it is recorded outside an EXIF block: in an XMP
 * packet, or in the text chunk into which programs wrote EXIF data before PNG had the eXIf chunk.
 * Pillow's ImageOps.exif_transpose() reads the same places. */
#ifndef AN_DATA_TEXT_ORIENTATION_H
#define AN_DATA_TEXT_ORIENTATION_H

#include <stddef.h>
#include <stdint.h>

/* Orientations 1 … 8, by the place where they were found; 0: absent. */
typedef struct an_orientations {
    int exif;    /* an EXIF block: APP1 of a JPEG, eXIf of a PNG */
    int profile; /* PNG: hexadecimal digits, "Raw profile type exif"  */
    int xmp;
} an_orientations;

/* The one that counts, in the order of the fields; 1 if there is none. */
int an_orientation_of(const an_orientations *found);

/* tiff:Orientation of an XMP packet (XMP specification, part 2, §3.2), as an attribute or an
 * element; 0: there is none, or its value is not in 1 … 8. */
int an_xmp_orientation(const uint8_t *packet, size_t count);

/* Records in `found` the orientation in a PNG chunk named `type`: tEXt, zTXt or iTXt. Inflates at
 * most 64 KiB of a text and allocates nothing. */
void an_png_text_orientation(const uint8_t *type, const uint8_t *body, size_t length,
                             an_orientations *found);

#endif
