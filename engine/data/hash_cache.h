/* hash_cache: the content hashes of many files; a file that did not change is not read again.
 *
 * The cache folder holds one text file per data source with size, mtime, ctime, SHA-256 and
 * pixel version of each path. A path whose three numbers agree is not read. A file that was
 * modified in the two seconds before it was hashed is not stored, because a later write within the
 * same clock tick would have the same numbers. Without a writable folder every file is read. */
#ifndef AN_DATA_HASH_CACHE_H
#define AN_DATA_HASH_CACHE_H

#include "data/image.h"
#include "data/listing.h"

/* Fills hash, pixel_version and stamp of every item of a sealed listing that has a path. `cache`:
 * the folder, "" for none. AN_ENOTFOUND, AN_EIO name the file, AN_EFORMAT one that is not regular
 * or too large; all such files are in one report (broken_files.h), together with those that cannot
 * be decoded under `damage`. An index that cannot be written is only a warning. */
an_code an_hash_files(an_listing *list, const char *cache, an_damage_policy damage);

#endif
