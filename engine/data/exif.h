/* exif: the orientation of a picture as recorded in its EXIF data. */
#ifndef AN_DATA_EXIF_H
#define AN_DATA_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation 1 … 8 (EXIF 2.32 §4.6.4 A, tag 0x0112 of IFD 0) of a TIFF block of `count` bytes,
 * with or without "Exif\0\0" before it, in either byte order. 0 if the tag is absent or the block
 * is malformed; 1, the upright one, if the tag has no such value. Only IFD 0 is read, once, so that
 * a cycle of IFDs is harmless. */
int an_exif_orientation(const uint8_t *block, size_t count);

#endif
