/* pixel_cache: all images of a listing, decoded and resized once: uint8 (n, H, W, 3) in the order
 * of the listing.
 *
 * With a cache folder the pixels are in a file, which is mapped, not read:
 *     header, 4096 bytes: format, n, H, W, block size, checksums; then the pixels.
 * The file's name is the SHA-256 of the format, the size, the aspect policy, the policy for damaged
 * images and every content hash, so a changed, added or removed image leads to another file;
 * `format` contains a number that changes with the decoders. Files are replaced as a whole
 * (io/file_replace.h, AN_CACHE): processes that build the same one at the same time do not
 * interfere. The checksum (io/checksum.h) of all pixels is verified at every opening, at memory
 * speed; a damaged file, or one that others may write, is rebuilt, with a warning. If the folder
 * cannot be written, others may write it (cache_folder.h) or the disk is full, the pixels stay in
 * memory, with a warning. A file that is truncated while it is mapped ends the process with a
 * message (io/map_guard.h). */
#ifndef AN_DATA_PIXEL_CACHE_H
#define AN_DATA_PIXEL_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "data/image.h"
#include "data/listing.h"
#include "data/resize.h"

typedef struct an_pixel_cache {
    const uint8_t *pixels; /* (n, H, W, 3); NULL: closed                    */
    const void *map;       /* of the file; NULL: the pixels are in `memory` */
    size_t mapped;         /* bytes                                         */
    uint8_t *memory;
    int64_t damaged; /* images that were accepted although damaged */
} an_pixel_cache;

/* Opens the pixels of a sealed listing whose items have path and hash. `cache`: a folder that
 * exists or can be created, "" for memory only. AN_EFORMAT: images that cannot be decoded; it names
 * the first one in listing order, and one report lists all of them (broken_files.h). */
an_code an_pixel_cache_open(an_pixel_cache *pc, const an_listing *list, int H, int W,
                            an_aspect aspect, an_damage_policy damage, const char *cache);

/* Makes a cache of pixels that were allocated with an_alloc(), and takes ownership of them. */
void an_pixel_cache_adopt(an_pixel_cache *pc, uint8_t *pixels);
void an_pixel_cache_close(an_pixel_cache *pc); /* a closed one stays closed */

#endif
