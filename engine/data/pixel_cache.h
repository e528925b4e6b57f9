/* pixel_cache: all images of a listing, decoded and resized once, uint8 (n, H, W, 3) in the order
 * of the listing.
 *
 * With a cache folder the pixels live in a file that is mapped, not read:
 *     header 4096 bytes: magic, version, n, H, W, block size, checksum; then the pixels.
 * Its name is the SHA-256 of the format version, size, aspect policy and every content hash,
 * so a changed, added or removed image makes another pack. It is written to a temporary and
 * renamed: processes that build the same pack at once do not disturb each other. The checksum
 * (checksum.h) is verified at every opening; a damaged pack is rebuilt with a warning. If the
 * folder cannot be written, or the disk is full, the pixels stay in memory, with a warning. */
#ifndef AN_DATA_PIXEL_CACHE_H
#define AN_DATA_PIXEL_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "data/listing.h"
#include "data/resize.h"

typedef struct an_pixel_cache {
    const uint8_t *pixels; /* (n, H, W, 3); NULL before it is opened */
    const void *map;       /* of the file; NULL: pixels are in memory */
    size_t mapped;
    uint8_t *memory;
} an_pixel_cache;

/* `cache`: an existing or creatable folder, "" for memory only. Items need path and hash.
 * AN_EFORMAT: the first image (in listing order) that cannot be decoded, by name. */
an_code an_pixel_cache_open(an_pixel_cache *pack, const an_listing *list, int H, int W,
                            an_aspect aspect, const char *cache);

/* Takes over pixels that were made in memory. */
void an_pixel_cache_adopt(an_pixel_cache *pack, uint8_t *pixels);
void an_pixel_cache_close(an_pixel_cache *pack);

#endif
