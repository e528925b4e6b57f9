/* hash_cache: the content hashes of many files; unchanged files are not read again.
 *
 * The cache folder holds one text file per data source with the size, mtime, ctime, SHA-256 and
 * pixel version of each path. A file whose first three numbers match is not read. A file that was
 * modified in the two seconds before it was hashed is not stored, because a later write within the
 * same clock tick would have the same numbers. Without a writable folder every file is read. */
#ifndef AN_DATA_HASH_CACHE_H
#define AN_DATA_HASH_CACHE_H

#include "data/image.h"
#include "data/listing.h"

/* Fills hash, pixel_version and stamp of every item of a sealed listing that has a path. `cache`:
 * the folder, "" for none. AN_ENOTFOUND and AN_EIO name the file, AN_EFORMAT one that is not
 * regular or too large; all such files are in one report (broken_files.h), together with those that
 * cannot be decoded under `damage`. Failure to write the index is only a warning. */
an_code an_hash_files(an_listing *list, const char *cache, an_damage_policy damage);

#endif
